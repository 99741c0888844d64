//! Completions: an open cluster, its completions as a list and one of them in full.

mod body;
mod branch;
mod continuation;
pub mod readout;

pub use body::Wrapped;

use crate::app::figures::Row;
use crate::app::state::archive::Entry;
use crate::app::weigh::Subject;
use crate::app::{State, Target};
use crate::completion::Finish;
use crate::ui::canvas::{inset, put, put_over, put_right, row};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{first_shown, footer, frame::frame, header, spark};
use crate::ui::{Seen, layout, text};
use body::{Body, Paint};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

pub fn draw(
    state: &State,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    seen: &mut Seen,
    wrapped: &mut Option<Wrapped>,
) {
    let panes = layout::completions(area);
    header::header(state, theme, panes.header, buf);
    header::statement(state, theme, panes.statement, buf);
    list(state, theme, panes.list, buf, seen);
    full(state, theme, panes.text, buf, seen, wrapped);
    footer::footer(state, theme, panes.footer, buf);
}

fn list(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let open = &state.completions;
    let inner = frame(buf, area, theme, !open.reading, &[], "");
    tabs(state, theme, area, buf, seen);
    cluster(state, theme, row(inner, 0), buf);
    let heads = row(inner, 1);
    let columns = [(8, "index"), (15, "tokens"), (21, "H"), (28, "ln p")];
    let muted = theme.style(Role::Muted);
    for (end, words) in columns {
        if end <= heads.width {
            put_right(buf, heads, end, 0, words, muted);
        }
    }
    let below = inner.height.min(2);
    let inner = Rect { y: inner.y + below, height: inner.height - below, ..inner };
    let members = &state.figures.members;
    seen.target(inner, Target::Completion(state.selected_member()));
    if members.is_empty() {
        let k = text::grouped(state.figures.here.k.into());
        let words = format!("none in {k} completions");
        put(buf, inner, 1, 0, &text::fit(&words, usize::from(inner.width.saturating_sub(1))), muted);
    }
    let selected = state.selected_member();
    let height = usize::from(inner.height);
    let first = first_shown(selected, members.len(), height);
    for (y, (at, &index)) in members.iter().enumerate().skip(first).take(height).enumerate() {
        let line = row(inner, y as u16);
        seen.target(line, Target::Completion(at));
        if at == selected {
            buf.set_style(line, theme.selection());
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        let c = state.ledger.outcome(state.policy(open.side), state.current, index);
        let c = c.as_ref();
        let cells = [
            text::grouped(index.into()),
            c.and_then(|c| c.length).map_or(text::NONE.to_owned(), |n| text::grouped(n.into())),
            text::bounded(c.and_then(|c| c.token_entropy), c.and_then(|c| c.entropy_range), 2),
            text::decimal(c.and_then(|c| c.logprob), 1),
        ];
        for ((end, _), cell) in columns.into_iter().zip(cells) {
            if end <= line.width {
                put_right(buf, line, end, 0, &cell, theme.style(Role::Text));
            }
        }
    }
}

/// The policies in the upper border, with how many completions of the cluster each has.
fn tabs(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let hits = open_row(state).map_or([0; 2], |r| r.hits);
    let top = inset(row(area, 0), 2, 2);
    let mut x = 0;
    for side in [0, 1] {
        let active = side == state.completions.side;
        let name = text::fit(state.name(side), 10);
        let words = format!(" {name} {} ", text::grouped(hits[side].into()));
        let style = theme.style(if side == 0 { Role::Base } else { Role::Rlvr });
        let style = if active {
            style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        } else {
            theme.style(Role::Muted)
        };
        let end = put_over(buf, top, x, 0, &words, style);
        seen.target(Rect { x: top.x + x, width: end - x, ..top }, Target::Tab(side));
        x = end + 1;
    }
}

fn open_row(state: &State) -> Option<&Row> {
    let key = state.completions.cluster.as_ref()?;
    state.figures.here.rows.iter().find(|r| r.key == *key)
}

/// The cluster's mark, answer, method and status.
fn cluster(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(cluster) = open_row(state) else { return };
    let (mark, role) = if cluster.correct { ("✓", Role::Correct) } else { ("✗", Role::Wrong) };
    let x = put(buf, area, 1, 0, mark, theme.style(role)) + 1;
    let mut words = cluster.answer.clone();
    if !cluster.method.is_empty() {
        words = format!("{words}  {}", cluster.method);
    }
    let x = put(
        buf,
        area,
        x,
        0,
        &text::fit(&words, usize::from(area.width.saturating_sub(x))),
        theme.style(Role::Title),
    );
    if let Some(status) = cluster.status.filter(|_| x + 12 <= area.width) {
        let role = crate::ui::widgets::role(Some(status));
        put_right(buf, area, area.width.saturating_sub(1), 0, status.word(), theme.style(role));
    }
}

fn full(
    state: &State,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    seen: &mut Seen,
    wrapped: &mut Option<Wrapped>,
) {
    let open = &state.completions;
    let subject = state.subject();
    let entry_of = |s: Subject| state.archive.get(s.policy, s.problem, s.index);
    let entry = subject.and_then(entry_of);
    let partner = state.inspect.partner.filter(|p| p.generation == state.generation && Some(*p) != subject);
    let other = partner.and_then(|p| Some((p, entry_of(p)?)));
    let name = |s: Subject| {
        let policy = state.policies.get(s.policy).map_or("", |p| p.name.as_str());
        format!("{} of {policy}", text::grouped(s.index.into()))
    };
    let title = match (subject.filter(|_| entry.is_some()), &other) {
        (None, _) => " Completion ".to_owned(),
        (Some(s), None) => format!(" Completion {} ", name(s)),
        (Some(s), Some((p, _))) => format!(" {} → {}, by words ", name(*p), name(s)),
    };
    let inner = frame(buf, area, theme, open.reading, &[(&title, theme.style(Role::Title))], "");
    let inner = inset(inner, 1, 1);
    seen.target(inner, Target::Text);
    let branch = state.open_branch();
    let (Some(subject), Some(entry)) = (subject, entry) else {
        if let Some(branch) = branch {
            branch::draw(state, branch, theme, inner, buf);
        }
        return;
    };
    if let Some(branch) = branch.filter(|b| b.shown().is_some()) {
        continuation::draw(state, branch, theme, area, buf, seen);
        return;
    }
    let columns = usize::from(inner.width);
    let other = other.as_ref().map(|(s, e)| (*s, &**e));
    let body = Body::new(state, subject, &entry, other, theme, columns, wrapped);
    let mut facts = facts(&entry);
    if let Some(words) = regraded(state, subject.policy, &entry) {
        facts.insert(1, ("also", words));
    }
    let parts = Parts {
        height: inner.height,
        lines: body.height(),
        branch: branch.map_or(0, |b| branch::wish(b, inner.height)),
        readout: if open.reading && other.is_none() { readout::wish(state) } else { 0 },
        facts: facts.len() as u16 + 1,
        reading: open.reading,
    };
    let [shown, branch_height, readout_height, facts_height] = parts.heights();
    let window = Rect { height: shown, ..inner };
    seen.overflow = body.height().saturating_sub(usize::from(shown));
    let followed = body.follow(open.cursor, usize::from(shown)).filter(|_| open.follow);
    seen.first = followed;
    let first = followed.unwrap_or(open.scroll).min(seen.overflow);
    let cursor = Some(open.cursor).filter(|_| open.reading);
    body.draw(first, Paint { heat: state.inspect.heat, cursor, theme: *theme }, window, buf, seen);
    legend(state, theme, area, buf);
    if seen.overflow > 0 {
        let words = format!(" line {} of {} ", first + 1, body.height());
        put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &words, theme.style(Role::Muted));
    }
    let mut below = Rect { y: inner.y + shown, height: inner.height - shown, ..inner };
    let mut next = |height: u16| {
        let part = Rect { height, ..below };
        below = Rect { y: below.y + height, height: below.height - height, ..below };
        part
    };
    if let Some(branch) = branch.filter(|_| branch_height > 0) {
        branch::draw(state, branch, theme, next(branch_height), buf);
    }
    if readout_height > 0 {
        readout::draw(state, &entry.completion.text, theme, next(readout_height), buf);
    }
    let below = next(facts_height);
    if facts_height > 0 {
        rule(buf, below, "", theme);
    }
    for (y, (name, words)) in facts.iter().enumerate() {
        let line = row(below, y as u16 + 1);
        put(buf, line, 0, 0, name, theme.style(Role::Muted));
        put(buf, line, 10, 0, &text::fit(words, columns.saturating_sub(10)), theme.style(Role::Text));
    }
}

/// How the pane of the text is divided.
struct Parts {
    height: u16,
    /// Lines of the text.
    lines: usize,
    branch: u16,
    readout: u16,
    facts: u16,
    reading: bool,
}

impl Parts {
    /// Rows of text, branch, readout and facts. The text keeps a third; who reads it whole
    /// does without the facts before anything else goes.
    fn heights(&self) -> [u16; 4] {
        let lines = self.lines.min(usize::from(self.height)) as u16;
        let mut room = self.height - lines.min((self.height / 3).max(2)).min(self.height);
        let mut take = |wish: u16| {
            let got = wish.min(room);
            room -= got;
            got
        };
        let (branch, readout) = (take(self.branch), take(self.readout));
        let left = self.height - branch - readout;
        let facts = match self.reading || branch > 0 {
            true if lines + self.facts <= left => self.facts,
            true => 0,
            false => self.facts.min(left / 2),
        };
        [left - facts, branch, readout, facts]
    }
}

/// A faint line with words in it.
fn rule(buf: &mut Buffer, area: Rect, words: &str, theme: &Theme) {
    let line = row(area, 0);
    put(buf, line, 0, 0, &"╌".repeat(usize::from(line.width)), theme.style(Role::Faint));
    if !words.is_empty() {
        let words = text::fit(&format!(" {words} "), usize::from(line.width.saturating_sub(2)));
        put(buf, line, 2, 0, &words, theme.style(Role::Muted));
    }
}

/// What the colours of the tokens say, in the lower border.
fn legend(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let heat = state.inspect.heat;
    let tokens = state.tokens().filter(|t| !t.is_empty() && state.inspect.partner.is_none());
    let Some((before, after, steps)) = tokens.and_then(|t| readout::legend(state, t)) else { return };
    let width = text::width(&before) + text::width(&after) + steps.len() + 6;
    // The place of the lines in view stands at the other end.
    if width + 18 > usize::from(area.width) {
        return;
    }
    let line = inset(row(area, area.height.saturating_sub(1)), 2, 2);
    let muted = theme.style(Role::Muted);
    let mut x = put(buf, line, 0, 0, &format!(" {before}"), muted);
    for value in steps {
        x = put(buf, line, x, 0, "▒", readout::step(heat, value, theme));
    }
    put(buf, line, x, 0, &format!("{after} "), muted);
}

/// What other rules make of it, where they are shown.
fn regraded(state: &State, policy: usize, entry: &Entry) -> Option<String> {
    state.usual()?;
    let v = state.graded().outcome(policy, state.current, entry.completion.index)?.verdict;
    let mark = if v.correct { "✓ correct" } else { "✗ wrong" };
    let answer = v.answer.as_deref().map_or("NA".to_owned(), crate::completion::clean).replace('\n', " ");
    Some(format!("{answer}  {mark}, by {}", state.regrade.grading.words()))
}

/// What is known of a completion, by name.
fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let (c, v) = (&entry.completion, &entry.verdict);
    let mark = if v.correct { "✓ correct" } else { "✗ wrong" };
    let answer = v.answer.as_deref().map_or("NA".to_owned(), crate::completion::clean).replace('\n', " ");
    let rule = v.rule.map_or(String::new(), |r| format!(", by {}", r.name()));
    let steps = match v.sound {
        Some(true) => ", derived by its steps",
        Some(false) => ", not derived by its steps",
        None => "",
    };
    let ended = match c.finish {
        Finish::Stop => "ended by itself",
        Finish::Length => "cut off at the limit",
    };
    let tokens = c.length.map_or(text::NONE.to_owned(), |n| text::grouped(n.into()));
    let mut facts = vec![
        ("answer", format!("{answer}  {mark}{rule}")),
        ("method", format!("{}{steps}", v.method.as_deref().unwrap_or(text::NONE))),
        ("tokens", format!("{tokens}, {ended}")),
        (
            "model",
            format!(
                "ln p {}   H {} nats",
                text::decimal(c.logprob, 2),
                text::bounded(c.token_entropy, c.entropy_range, 3)
            ),
        ),
    ];
    if !c.trace.is_empty() {
        let values: Vec<f64> = c.trace.iter().map(|t| f64::from(t.entropy)).collect();
        let most = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let line = spark::line(&values, most.max(0.01), 60);
        facts.push(("H/token", format!("{line}  to {}", text::decimal(Some(most), 2))));
    }
    facts
}
