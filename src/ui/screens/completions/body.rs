//! The text of a completion: its tokens by heat, or word by word against another one.
//!
//! Where lines break is kept until the text or the width is another, and only the lines in
//! view are laid out.

use crate::app::state::archive::Entry;
use crate::app::weigh::{Heat, Subject, Tokens};
use crate::app::{State, Target};
use crate::ui::canvas::{put, row};
use crate::ui::theme::{Depth, Role, Theme};
use crate::ui::{Seen, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use similar::{ChangeTag, TextDiff};
use std::ops::Range;

/// Where the text on screen breaks.
#[derive(Debug)]
pub struct Wrapped {
    /// Whose text, against which other one, and the columns.
    of: (Subject, Option<Subject>, usize, bool),
    lines: Vec<Range<usize>>,
    diff: Option<Diff>,
}

/// How tokens are coloured.
#[derive(Clone, Copy)]
pub struct Paint {
    pub heat: Heat,
    /// The token under the cursor.
    pub cursor: Option<usize>,
    pub theme: Theme,
}

/// Two texts in one.
#[derive(Debug)]
struct Diff {
    content: String,
    /// What stands in one of them only, in order.
    marks: Vec<(Range<usize>, ChangeTag)>,
}

/// Words of each text that are compared.
const COMPARED: usize = 4000;

/// A text that is ready to be drawn.
pub struct Body<'a> {
    content: &'a str,
    /// Bytes of the completion's text before the content.
    skipped: usize,
    lines: &'a [Range<usize>],
    diff: Option<&'a Diff>,
    tokens: Option<&'a Tokens>,
}

impl<'a> Body<'a> {
    /// The selected completion's text; `other` is the one that it is held against.
    pub fn new(
        state: &'a State,
        subject: Subject,
        entry: &'a Entry,
        other: Option<(Subject, &Entry)>,
        theme: &Theme,
        columns: usize,
        wrapped: &'a mut Option<Wrapped>,
    ) -> Self {
        let whole = &entry.completion.text;
        let content = whole.trim_start_matches('\n');
        let marked = theme.depth == Depth::Mono;
        let of = (subject, other.map(|o| o.0), columns, marked);
        if wrapped.as_ref().is_none_or(|w| w.of != of) {
            let diff = other.map(|(_, other)| Diff::new(&other.completion.text, whole, marked));
            let lines = text::wrap(diff.as_ref().map_or(content, |d| &d.content), columns);
            *wrapped = Some(Wrapped { of, lines, diff });
        }
        let (lines, diff) = wrapped.as_ref().map_or((&[][..], None), |w| (&w.lines[..], w.diff.as_ref()));
        Self {
            content: diff.map_or(content, |d| &d.content),
            skipped: if diff.is_some() { 0 } else { whole.len() - content.len() },
            lines,
            diff,
            tokens: state.tokens().filter(|t| diff.is_none() && !t.is_empty()),
        }
    }

    pub fn height(&self) -> usize {
        self.lines.len()
    }

    /// The first line of a window of `height` lines that shows the cursor's token near its
    /// middle.
    pub fn follow(&self, cursor: usize, height: usize) -> Option<usize> {
        let start = self.tokens?.range(cursor).start.saturating_sub(self.skipped);
        let line = self.lines.partition_point(|l| l.start <= start).saturating_sub(1);
        let last = self.lines.len().saturating_sub(height);
        Some(line.saturating_sub(height / 2).min(last))
    }

    /// Draws the lines from `first` on.
    pub fn draw(&self, first: usize, paint: Paint, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
        let plain = paint.theme.style(Role::Text);
        for (y, line) in self.lines.iter().enumerate().skip(first).take(usize::from(area.height)) {
            let area = row(area, (y - first) as u16);
            let words = &self.content[line.clone()];
            put(buf, area, 0, 0, words, plain);
            match (self.diff, self.tokens) {
                (Some(diff), _) => diff.colour(line, words, &paint.theme, area, buf),
                (None, Some(tokens)) => self.colour(tokens, y, paint, area, buf, seen),
                (None, None) => {}
            }
        }
    }

    /// Colours the tokens of line `y`, which stands in `area`.
    fn colour(&self, tokens: &Tokens, y: usize, paint: Paint, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
        let Paint { heat, cursor, theme } = paint;
        let line = &self.lines[y];
        let last = y + 1 == self.lines.len();
        let words = &self.content[line.clone()];
        let scale = tokens.scale(heat);
        let end = line.end + self.skipped;
        let mut at = tokens.at(line.start + self.skipped);
        while at < tokens.len() {
            let range = tokens.range(at);
            let is_end = last && range.is_empty() && range.start >= end;
            if range.start > end || range.start == end && !is_end && !range.is_empty() {
                break;
            }
            let mut style = style(tokens, at, heat, scale, &theme);
            if cursor == Some(at) {
                style = style.add_modifier(Modifier::REVERSED);
            }
            let column = |place: usize| {
                let place = place.saturating_sub(self.skipped + line.start).min(words.len());
                text::width(words.get(..place).unwrap_or(words)) as u16
            };
            let (from, to) = (column(range.start), column(range.end));
            if is_end && at + 1 == tokens.len() {
                put(buf, area, from, 0, "∎", style.patch(theme.style(Role::Muted)));
            } else {
                let room = area.width.saturating_sub(from);
                let cells = Rect { x: area.x + from, width: (to - from).min(room), ..area };
                buf.set_style(cells, style);
                seen.target(cells, Target::Token(at));
                // A line feed has no cell of its own.
                if cursor == Some(at) && range.end > end {
                    put(buf, area, to, 0, "↵", style);
                }
            }
            at += 1;
        }
    }
}

impl Diff {
    /// The words of both texts in one, those of `before` that are gone first. Where there is
    /// no colour, brackets stand around what differs.
    fn new(before: &str, after: &str, marked: bool) -> Self {
        let texts = [before, after].map(|text| text.trim_start_matches('\n'));
        let [before, after] = texts.map(cut);
        let diff = TextDiff::from_words(before, after);
        let mut out = Diff { content: String::new(), marks: Vec::new() };
        for change in diff.iter_all_changes() {
            let words = change.value();
            let start = out.content.len();
            let (tag, bare) = (change.tag(), words.trim());
            match tag {
                ChangeTag::Equal => out.content.push_str(words),
                // What only one side has of space is no difference that anyone reads.
                _ if bare.is_empty() => {
                    if tag == ChangeTag::Insert || !out.content.ends_with(char::is_whitespace) {
                        out.content.push_str(words);
                    }
                }
                _ => {
                    let [open, close] = match (marked, tag) {
                        (false, _) => ["", ""],
                        (true, ChangeTag::Delete) => ["[-", "-]"],
                        (true, _) => ["{+", "+}"],
                    };
                    // A word that is gone and the one in its place do not run into each other.
                    if !out.content.is_empty() && !out.content.ends_with(char::is_whitespace) {
                        out.content.push(' ');
                    }
                    let start = out.content.len().max(start);
                    out.content.extend([open, words, close]);
                    out.marks.push((start..out.content.len(), tag));
                }
            }
        }
        if texts != [before, after] {
            out.content.push_str(&format!("\n\n… (of each the first {COMPARED} words)"));
        }
        out
    }

    fn colour(&self, line: &Range<usize>, words: &str, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let from = self.marks.partition_point(|(range, _)| range.end <= line.start);
        for (range, tag) in self.marks[from..].iter().take_while(|(range, _)| range.start < line.end) {
            let (role, how) = match tag {
                ChangeTag::Delete => (Role::Lost, Modifier::CROSSED_OUT),
                _ => (Role::Gained, Modifier::UNDERLINED),
            };
            let column = |place: usize| {
                let place = place.saturating_sub(line.start).min(words.len());
                text::width(words.get(..place).unwrap_or(words)) as u16
            };
            let (from, to) = (column(range.start), column(range.end).min(area.width));
            let cells = Rect { x: area.x + from, width: to.saturating_sub(from), ..area };
            buf.set_style(cells, theme.style(role).add_modifier(how));
        }
    }
}

/// The first words of a long text.
fn cut(text: &str) -> &str {
    let mut words = text.split_inclusive(char::is_whitespace);
    let length = words.by_ref().take(COMPARED).map(str::len).sum();
    &text[..length]
}

/// A token's style: its colour by heat, a line under a fork.
pub fn style(tokens: &Tokens, at: usize, heat: Heat, scale: f64, theme: &Theme) -> Style {
    let style = match tokens.heat(at, heat) {
        Some(value) => theme.heat(role(heat, value), value.abs() / scale),
        None => Style::new(),
    };
    if heat != Heat::Off && tokens.is_fork(at) { style.add_modifier(Modifier::UNDERLINED) } else { style }
}

/// The colour of a heat; a difference has that of the policy under which the token is likelier.
pub fn role(heat: Heat, value: f64) -> Role {
    match heat {
        Heat::Base => Role::Base,
        Heat::Rlvr => Role::Rlvr,
        Heat::Difference if value < 0.0 => Role::Base,
        Heat::Difference => Role::Rlvr,
        Heat::Entropy | Heat::Off => Role::Accent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_differ_are_marked_and_the_rest_is_as_it_was() {
        let diff = Diff::new("\n4 dogs x 4 = 16. ok", "4 cats x 4 = 16. ok, then", true);
        assert_eq!(diff.content, "4 [-dogs-] {+cats+} x 4 = 16. [-ok-] {+ok,+} {+then+}");
        let plain = Diff::new("a b", "a c", false);
        let marked = |tag| plain.marks.iter().find(|m| m.1 == tag).map(|m| &plain.content[m.0.clone()]);
        assert_eq!((marked(ChangeTag::Delete), marked(ChangeTag::Insert)), (Some("b"), Some("c")));
        assert_eq!(Diff::new("same\nlines", "same\nlines", true).content, "same\nlines");
    }

    #[test]
    fn of_a_long_text_the_first_words_are_compared() {
        let long = "word ".repeat(COMPARED + 50);
        assert_eq!(cut(&long).len(), 5 * COMPARED);
        assert_eq!(cut("a b"), "a b");
    }
}
