//! Both policies' clusters in one list: the bars of a cluster lie over each other in its row,
//! the base's in the upper half and the RLVR policy's in the lower.

use super::clusters::{Columns, empty, note_of, window};
use super::frame::frame;
use crate::app::figures::Row;
use crate::app::state::explore::Pane;
use crate::app::{State, Target};
use crate::support::Status;
use crate::ui::Seen;
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Columns of a percentage, with the space before it.
const SHARE: usize = 7;

/// The list of both policies.
pub fn overlay(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let here = &state.figures.here;
    let names = [(0, "▀", Role::Base), (1, "▄", Role::Rlvr)]
        .map(|(side, mark, role)| (format!(" {mark} {} ", state.name(side)), role));
    let height = usize::from(area.height.saturating_sub(2));
    let (first, note) = window(state, height);
    // As much of both policies as there is room for beside the note.
    let pass = [0, 1].map(|side| format!(" pass@1 {} ", text::decimal(here.measures[side].pass_1(), 2)));
    let long = [0, 1].map(|side| format!("{} {} distinct correct ", pass[side], here.distinct[side]));
    let taken = |all: &[String]| all.iter().map(|words| text::width(words)).sum::<usize>();
    let room = usize::from(area.width)
        .saturating_sub(names.iter().map(|n| text::width(&n.0)).sum::<usize>() + text::width(&note) + 6);
    let figures = [long, pass].into_iter().find(|f| taken(f) <= room).unwrap_or_default();
    let mut title = Vec::new();
    for ((name, role), figures) in names.iter().zip(&figures) {
        title.push((name.as_str(), theme.style(*role).add_modifier(Modifier::BOLD)));
        title.push((figures.as_str(), theme.style(Role::Text)));
    }
    let focused = state.explore.pane != Pane::Problems;
    let inner = frame(buf, area, theme, focused, &title, &note);
    seen.target(inner, Target::Cluster { row: state.selected_row(), side: 0 });
    if here.rows.is_empty() {
        empty(state, 0, theme, inner, buf);
        return;
    }
    // With little room the mark says it, and the bars have the columns.
    let room = if inner.width < 70 { 0 } else { usize::from(inner.width) / 4 };
    let notes = notes(&here.rows, here.k, room);
    let said = notes.iter().map(|n| text::width(n)).max().unwrap_or(0);
    let after = 2 * SHARE + if said > 0 { said + 2 } else { 0 };
    let columns = Columns::new(&here.rows, inner.width, after, here.k);
    for (y, at) in (first..here.rows.len().min(first + height)).enumerate() {
        let line = row(inner, y as u16);
        seen.target(line, Target::Cluster { row: at, side: 0 });
        let selected = focused && at == state.selected_row();
        if selected {
            buf.set_style(line, theme.selection());
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        draw(&columns, &here.rows[at], theme, line, buf);
        put_right(buf, line, line.width, 0, &notes[at], theme.style(mark(&here.rows[at]).1));
    }
}

/// What is said of each row that was lost or gained: the longest form that fits for it.
fn notes(rows: &[Row], k: u32, room: usize) -> Vec<String> {
    let said = |item: &Row| {
        let note = note_of(item, 0).or_else(|| note_of(item, 1))?;
        Some(note.forms(k).into_iter().find(|f| text::width(f) <= room).unwrap_or_default())
    };
    rows.iter().map(|item| said(item).unwrap_or_default()).collect()
}

fn mark(item: &Row) -> (&'static str, Role) {
    match item.status {
        Some(Status::Shrunk) => ("▼", Role::Lost),
        Some(Status::Expanded) => ("▲", Role::Gained),
        Some(Status::OutOfSupport) => ("·", Role::Muted),
        Some(Status::Preserved) => ("✓", Role::Correct),
        // Correct, but not by its steps.
        None if item.correct => ("≈", Role::Muted),
        None => ("✗", Role::Wrong),
    }
}

fn draw(columns: &Columns, item: &Row, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (mark, role) = mark(item);
    put(buf, area, 1, 0, mark, theme.style(role));
    let words = theme.style(if item.correct { Role::Text } else { Role::Muted });
    let x = columns.words(item, words, area, buf) as u16 + 1;
    let shares = item.hits.map(|hits| f64::from(hits) / f64::from(columns.k.max(1)) / columns.scale);
    let roles = if item.correct { [Role::Base, Role::Rlvr] } else { [Role::Faint; 2] };
    bars(shares, roles, Rect { x: area.x + x, width: columns.bar as u16, ..area }, theme, buf);
    let bold = [Role::Base, Role::Rlvr].map(|role| if item.correct { role } else { Role::Muted });
    for side in [0, 1] {
        let (share, role) = match item.hits[side] {
            0 => ("0".to_owned(), Role::Faint),
            hits => (text::percent(hits, columns.k), bold[side]),
        };
        let end = x + (columns.bar + (side + 1) * SHARE) as u16;
        put_right(buf, area, end, 0, &share, theme.style(role));
    }
}

/// Two bars of shares from 0 to 1, the first in the upper half of the cells. Anything above 0
/// shows at least a cell: little is not nothing.
fn bars(shares: [f64; 2], roles: [Role; 2], area: Rect, theme: &Theme, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    let cells = shares.map(|share| match share.clamp(0.0, 1.0) * f64::from(area.width) {
        cells if cells > 0.0 => (cells.round() as u16).max(1),
        _ => 0,
    });
    let [upper, lower] = roles.map(|role| theme.style(role));
    for x in 0..cells[0].max(cells[1]).min(area.width) {
        let (symbol, style) = match (x < cells[0], x < cells[1]) {
            // Without two colours the halves are one.
            (true, true) if upper.fg == lower.fg => ("█", upper),
            (true, true) => ("▀", lower.fg.map_or(upper, |ground| upper.bg(ground))),
            (true, false) => ("▀", upper),
            _ => ("▄", lower),
        };
        put(buf, area, x, 0, symbol, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Depth, Ground};

    fn shown(shares: [f64; 2], depth: Depth) -> (String, Buffer) {
        let area = Rect::new(0, 0, 8, 1);
        let mut buf = Buffer::empty(area);
        let theme = Theme::new(depth, Ground::Dark);
        bars(shares, [Role::Base, Role::Rlvr], area, &theme, &mut buf);
        ((0..8).map(|x| buf[(x, 0)].symbol()).collect(), buf)
    }

    #[test]
    fn two_bars_share_a_row_and_are_told_apart_without_colour() {
        for (shares, bars) in [
            ([1.0, 0.5], "████▀▀▀▀"),
            ([0.25, 0.5], "██▄▄    "),
            ([0.0, 0.001], "▄       "),
            ([0.001, 0.0], "▀       "),
            ([0.0, 0.0], "        "),
            ([9.0, f64::NAN], "▀▀▀▀▀▀▀▀"),
        ] {
            assert_eq!(shown(shares, Depth::Mono).0, bars, "{shares:?}");
        }
    }

    #[test]
    fn where_both_reach_each_half_has_its_policys_colour() {
        let (bars, buf) = shown([1.0, 0.5], Depth::True);
        assert_eq!(bars, "▀▀▀▀▀▀▀▀");
        let theme = Theme::new(Depth::True, Ground::Dark);
        let [base, rlvr] = [Role::Base, Role::Rlvr].map(|role| theme.style(role).fg.unwrap());
        assert_eq!((buf[(0, 0)].fg, buf[(0, 0)].bg), (base, rlvr));
        assert_eq!(buf[(7, 0)].fg, base);
        assert_ne!(buf[(7, 0)].bg, rlvr);
    }
}
