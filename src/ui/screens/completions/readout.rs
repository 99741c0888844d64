//! What stands under the cursor: the token's probability and the entropy at its place under
//! both policies, and what could have stood there.

use crate::app::State;
use crate::app::weigh::{Chance, Heat, Tokens};
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::screens::completions::body;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::bar::bar;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Columns of a figure.
const FIGURE: u16 = 9;

/// Alternatives at most.
const SHOWN: usize = 8;

/// The rows that it would like to have.
pub fn wish(state: &State) -> u16 {
    match state.tokens() {
        None => 2,
        Some(t) if t.is_empty() => 2,
        Some(t) => 3 + SHOWN.min(5) as u16 + t.notes.iter().flatten().count() as u16,
    }
}

pub fn draw(state: &State, content: &str, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let muted = theme.style(Role::Muted);
    let Some(tokens) = state.tokens().filter(|t| !t.is_empty()) else {
        super::rule(buf, area, "", theme);
        let room = usize::from(area.width);
        put(buf, row(area, 1), 0, 0, &text::fit(&waiting(state), room), muted);
        return;
    };
    let at = state.completions.cursor.min(tokens.len() - 1);
    if area.height < 4 {
        let of = |f: fn(f64) -> String, values: [f64; 2]| values.map(f).join(" → ");
        let p = of(probability, [0, 1].map(|s| tokens.logprob[s][at].exp()));
        let h = of(nats, [0, 1].map(|s| tokens.entropy[s][at]));
        let words = format!("{} p {p}  H {h}", shown(content.get(tokens.range(at)).unwrap_or_default()));
        put(buf, row(area, area.height.saturating_sub(1)), 0, 0, &words, theme.style(Role::Text));
        return;
    }
    let fork = if tokens.is_fork(at) { ", a fork" } else { "" };
    let all = text::grouped(tokens.len() as u64);
    super::rule(buf, area, &format!("token {} of {all}{fork}", text::grouped(at as u64 + 1)), theme);
    let columns = Columns::new(area.width);
    columns.names(state, theme, row(area, 1), buf);
    put(buf, row(area, 2), 1, 0, "entropy, nats", muted);
    for side in [0, 1] {
        columns.figure(side, &nats(tokens.entropy[side][at]), theme, row(area, 2), buf);
    }
    let mut below = Rect { y: area.y + 3, height: area.height - 3, ..area };
    for (side, note) in tokens.notes.iter().enumerate() {
        let Some(note) = note.as_ref().filter(|_| below.height > 1) else { continue };
        below.height -= 1;
        let words = format!("{}: {note}", state.name(side));
        let line = Rect { y: below.y + below.height, height: 1, ..below };
        put(buf, line, 1, 0, &text::fit(&words, usize::from(line.width.saturating_sub(1))), muted);
    }
    alternatives(tokens, at, content, &columns, theme, below, buf);
}

fn alternatives(
    tokens: &Tokens,
    at: usize,
    content: &str,
    columns: &Columns,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let all = tokens.alternatives(at, content);
    let rows = usize::from(area.height).min(SHOWN);
    // What stands there is shown however unlikely it was.
    let chosen = all.iter().position(|a| a.chosen);
    let list: Vec<_> = match chosen {
        Some(i) if i >= rows && rows > 0 => all[..rows - 1].iter().chain(&all[i..=i]).collect(),
        _ => all.iter().take(rows).collect(),
    };
    for (y, a) in list.into_iter().enumerate() {
        let line = row(area, y as u16);
        let mut style = theme.style(Role::Text);
        if a.chosen {
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
            style = style.add_modifier(Modifier::BOLD);
        }
        put(buf, line, 1, 0, &text::fit(&shown(&a.text), usize::from(columns.words)), style);
        for side in [0, 1] {
            let figure = match a.chance[side] {
                Chance::Known(p) => probability(p),
                Chance::Below(p) => format!("< {}", probability(p)),
                Chance::Unknown => text::NONE.to_owned(),
            };
            columns.figure(side, &figure, theme, line, buf);
            if let Chance::Known(p) = a.chance[side] {
                columns.bar(side, p, theme, line, buf);
            }
        }
    }
}

/// Where the figures of both policies stand; also those of a branch.
pub struct Columns {
    /// Columns for words, from 1 on.
    pub words: u16,
    /// Columns of a bar, before each figure; 0 for none.
    bar: u16,
    width: u16,
}

impl Columns {
    pub fn new(width: u16) -> Self {
        let room = width.saturating_sub(2 * FIGURE + 1);
        let bar = if width >= 64 { ((room - 20) / 2).clamp(6, 24) } else { 0 };
        Self { words: room.saturating_sub(2 * (bar + u16::from(bar > 0))), bar, width }
    }

    /// The policies' names over their figures.
    pub fn names(&self, state: &State, theme: &Theme, line: Rect, buf: &mut Buffer) {
        for (side, role) in [(0, Role::Base), (1, Role::Rlvr)] {
            let name = text::fit(state.name(side), usize::from(FIGURE + self.bar));
            put_right(buf, line, self.end(side), 0, &name, theme.style(role).add_modifier(Modifier::BOLD));
        }
    }

    pub fn figure(&self, side: usize, words: &str, theme: &Theme, line: Rect, buf: &mut Buffer) {
        put_right(buf, line, self.end(side), 0, words, theme.style(Role::Text));
    }

    pub fn bar(&self, side: usize, share: f64, theme: &Theme, line: Rect, buf: &mut Buffer) {
        if self.bar > 0 {
            let start = self.end(side).saturating_sub(FIGURE + self.bar);
            let role = if side == 0 { Role::Base } else { Role::Rlvr };
            let bar = bar(share, usize::from(self.bar));
            put(buf, inset(line, start, 0), 0, 0, &bar, theme.style(role));
        }
    }

    fn end(&self, side: usize) -> u16 {
        match side {
            0 => self.width.saturating_sub(FIGURE + self.bar + u16::from(self.bar > 0)),
            _ => self.width,
        }
    }
}

/// What the colours mean, for the lower border: the words before and after the scale, and
/// the heat at each of its steps.
pub fn legend(state: &State, tokens: &Tokens) -> Option<(String, String, [f64; 8])> {
    let heat = state.inspect.heat;
    let scale = tokens.scale(heat);
    let up = std::array::from_fn(|i| (i as f64 + 0.5) / 8.0);
    Some(match heat {
        Heat::Entropy => ("entropy 0 ".to_owned(), format!(" {} nats", text::decimal(Some(scale), 1)), up),
        Heat::Base | Heat::Rlvr => {
            let side = usize::from(heat == Heat::Rlvr);
            (
                format!("p under {} 1 ", text::fit(state.name(side), 8)),
                format!(" {}", probability((-scale).exp())),
                up,
            )
        }
        Heat::Difference => {
            let [base, rlvr] = [0, 1].map(|side| text::fit(state.name(side), 8));
            let both = std::array::from_fn(|i| (i as f64 - 3.5) / 3.5);
            (format!("likelier under {base} "), format!(" {rlvr}"), both)
        }
        Heat::Off => return None,
    })
}

/// The style of a step of the legend.
pub fn step(heat: Heat, value: f64, theme: &Theme) -> ratatui::style::Style {
    theme.heat(body::role(heat, value), value.abs())
}

fn waiting(state: &State) -> String {
    match (state.tokens(), state.inspect.weighing) {
        (Some(tokens), _) => {
            let why = tokens.notes.iter().flatten().next().map_or("", String::as_str);
            format!("no token heat: {why}")
        }
        (None, Some(_)) => "scoring this text under both policies …".to_owned(),
        (None, None) => "v opens both models and scores this text token by token".to_owned(),
    }
}

/// A token with its spaces visible.
pub fn shown(text: &str) -> String {
    match text {
        "" => "∎ end".to_owned(),
        text => text
            .chars()
            .map(|c| match c {
                ' ' => '·',
                '\n' => '↵',
                c => c,
            })
            .collect(),
    }
}

/// A probability in at most seven columns, however small: `0.312`, `2.1e−5`.
pub fn probability(p: f64) -> String {
    match p {
        p if !p.is_finite() => text::NONE.to_owned(),
        p if p >= 0.000_5 || p <= 0.0 => text::decimal(Some(p), 3),
        p => format!("{p:.0e}").replace('-', "−"),
    }
}

fn nats(h: f64) -> String {
    text::decimal(Some(h), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_probabilities_do_not_become_none() {
        assert_eq!(
            [0.3124, 0.0005, 0.000_021, 0.0, 1.0, f64::NAN].map(probability),
            ["0.312", "0.001", "2e−5", "0.000", "1.000", "–"]
        );
        assert_eq!((shown(" a\n"), shown("")), ("·a↵".to_owned(), "∎ end".to_owned()));
    }
}
