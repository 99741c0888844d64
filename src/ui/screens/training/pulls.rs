//! The table of pulls: the base, each pull where the slider stands, the timeline.

use super::charts::ROLES;
use crate::app::State;
use crate::app::state::training::{K, Pane};
use crate::train::Evaluation;
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{first_shown, frame::frame};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A column: its head, its width, and its value.
type Column = (&'static str, u16, fn(&Evaluation) -> String);

/// The most telling ones first: the last go where there is no room.
const COLUMNS: [Column; 11] = [
    ("step", 5, |e| e.step.to_string()),
    ("pass@1", 7, |e| two(Some(e.pass_1))),
    ("pass@k", 7, |e| two(Some(e.pass_k))),
    ("SRR m", 6, |e| two(e.methods.srr())),
    ("NDR m", 6, |e| two(e.methods.ndr())),
    ("NSCR m", 7, |e| two(e.methods.nscr())),
    ("SRR p", 6, |e| two(e.problems.srr())),
    ("H ans", 6, |e| two(Some(e.answer_entropy))),
    ("SDS m", 6, |e| two(e.methods.sds())),
    ("KL", 6, |e| two(Some(e.kl))),
    ("Mtok", 6, |e| two(Some(e.tokens as f64 / 1e6))),
];

fn two(value: Option<f64>) -> String {
    text::decimal(value, 2)
}

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let training = &state.training;
    let focused = training.pane == Pane::Pulls;
    let note = format!(" held out, k {K}; m methods, p problems ");
    let inner = frame(buf, area, theme, focused, &[(" Pulls ", theme.style(Role::Title))], &note);
    let name = (inner.width / 4).clamp(12, 28);
    let mut room = inner.width.saturating_sub(name + 1);
    let fits = |(_, width, _): &&Column| {
        let fits = *width <= room;
        room = room.saturating_sub(*width);
        fits
    };
    let columns: Vec<&Column> = COLUMNS.iter().take_while(fits).collect();
    let mut end = name;
    for (head, width, _) in &columns {
        end += width;
        put_right(buf, row(inner, 0), end, 0, head, theme.style(Role::Muted));
    }
    let mut rows: Vec<(String, Role, Option<Evaluation>)> = Vec::new();
    for (i, pull) in training.pulls.iter().enumerate() {
        let from = pull.from.map_or(String::new(), |(pull, step)| format!(" from {pull}@{step}"));
        let seed = if pull.seed == 1 { String::new() } else { format!(" seed {}", pull.seed) };
        let newest = || pull.examined.last().cloned();
        let shown = if i == training.row { training.at().cloned().or_else(newest) } else { newest() };
        rows.push((format!("{} {}{seed}{from}", pull.id, pull.name), ROLES[i % ROLES.len()], shown));
    }
    let selected = training.row;
    let timeline = state.timeline();
    let base = training.pulls.iter().find_map(|p| p.examined.first().filter(|e| e.step == 0));
    let mut fixed: Vec<(String, Role, Option<Evaluation>)> = Vec::new();
    if let Some(base) = base {
        fixed.push(("base, drawn again".to_owned(), Role::Base, Some(base.clone())));
    }
    if let Some(last) = timeline.last() {
        let shown = crate::model::embedded::step(state.policies.get(state.pair.rlvr).map_or("", |p| &p.spec));
        let shown = timeline.iter().find(|e| Some(e.step) == shown).unwrap_or(last);
        fixed.push(("embedded".to_owned(), Role::Muted, Some(shown.clone())));
    }
    let height = usize::from(inner.height.saturating_sub(1));
    let left = height.saturating_sub(fixed.len()).max(1);
    let first = first_shown(selected, rows.len(), left);
    let pulls = rows.into_iter().enumerate().skip(first).take(left).map(|(i, r)| (i == selected, r));
    let all = fixed.into_iter().map(|r| (false, r)).chain(pulls);
    for (y, (selected, (words, role, shown))) in all.enumerate() {
        let line = row(inner, y as u16 + 1);
        if selected && focused {
            buf.set_style(line, theme.selection());
        }
        if selected {
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        put(buf, line, 1, 0, &text::fit(&words, usize::from(name - 1)), theme.style(role));
        let mut end = name;
        for (_, width, value) in &columns {
            end += width;
            let value = shown.as_ref().map_or(text::NONE.to_owned(), value);
            put_right(buf, line, end, 0, &value, theme.style(Role::Text));
        }
    }
}
