//! Completions: an open cluster, its completions as a list and one of them in full.

use crate::app::figures::Row;
use crate::app::state::archive::Entry;
use crate::app::{State, Target};
use crate::completion::Finish;
use crate::ui::canvas::{inset, put, put_over, put_right, row};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{first_shown, footer, frame::frame, header, spark};
use crate::ui::{Seen, layout, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use std::ops::Range;

/// Where the text on screen breaks, kept until the text or the width is another.
#[derive(Debug)]
pub struct Wrapped {
    /// Generation, policy, problem, index, columns.
    of: (u64, usize, usize, u32, usize),
    lines: Vec<Range<usize>>,
}

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
    let policy = state.policy(state.completions.side);
    let index = state.figures.members.get(state.selected_member()).copied();
    let entry = index.and_then(|i| state.archive.get(policy, state.current, i));
    full(state, entry.as_deref(), theme, panes.text, buf, seen, wrapped);
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
            text::decimal(c.and_then(|c| c.token_entropy), 2),
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
    entry: Option<&Entry>,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    seen: &mut Seen,
    wrapped: &mut Option<Wrapped>,
) {
    let policy = state.policy(state.completions.side);
    let title = entry.map_or(" Completion ".to_owned(), |e| {
        format!(
            " Completion {} of {} ",
            text::grouped(e.completion.index.into()),
            state.name(state.completions.side)
        )
    });
    let inner = frame(buf, area, theme, state.completions.reading, &[(&title, theme.style(Role::Title))], "");
    let inner = inset(inner, 1, 1);
    seen.target(inner, Target::Text);
    let Some(entry) = entry else { return };
    let mut facts = facts(entry);
    if let Some(words) = regraded(state, policy, entry) {
        facts.insert(1, ("also", words));
    }
    let facts_height = (facts.len() as u16 + 1).min(inner.height / 2);
    let body = Rect { height: inner.height - facts_height, ..inner };
    let columns = usize::from(body.width);
    let of = (state.generation, policy, state.current, entry.completion.index, columns);
    let content = entry.completion.text.trim_start_matches('\n');
    if wrapped.as_ref().is_none_or(|w| w.of != of) {
        *wrapped = Some(Wrapped { of, lines: text::wrap(content, columns) });
    }
    let lines = wrapped.as_ref().map_or(&[][..], |w| &w.lines);
    seen.overflow = lines.len().saturating_sub(usize::from(body.height));
    let first = state.completions.scroll.min(seen.overflow);
    for (y, line) in lines.iter().skip(first).take(usize::from(body.height)).enumerate() {
        put(buf, row(body, y as u16), 0, 0, &content[line.clone()], theme.style(Role::Text));
    }
    if seen.overflow > 0 {
        let words = format!(" line {} of {} ", first + 1, lines.len());
        put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &words, theme.style(Role::Muted));
    }
    let below = Rect { y: body.y + body.height, height: facts_height, ..inner };
    put(buf, row(below, 0), 0, 0, &"╌".repeat(columns), theme.style(Role::Faint));
    for (y, (name, words)) in facts.iter().enumerate() {
        let line = row(below, y as u16 + 1);
        put(buf, line, 0, 0, name, theme.style(Role::Muted));
        put(buf, line, 10, 0, &text::fit(words, columns.saturating_sub(10)), theme.style(Role::Text));
    }
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
            format!("ln p {}   H {} nats", text::decimal(c.logprob, 2), text::decimal(c.token_entropy, 3)),
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
