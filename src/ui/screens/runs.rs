//! Runs: the user's recordings as a list.

use crate::app::{State, Target};
use crate::completion::clean;
use crate::ui::canvas::{put, put_right, row};
use crate::ui::layout::middle;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{first_shown, footer, frame::frame, header};
use crate::ui::{Seen, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    header::header(state, theme, row(area, 0), buf);
    footer::footer(state, theme, row(area, area.height - 1), buf);
    let list = &state.runs.list;
    let pane = Rect { y: area.y + 1, height: area.height - 2, ..area };
    let note = format!(" {} ", list.len());
    let inner = frame(buf, pane, theme, true, &[(" Runs ", theme.style(Role::Title))], &note);
    let muted = theme.style(Role::Muted);
    if list.is_empty() {
        let words = "none yet: what is drawn is recorded here, unless --no-record or --record FILE";
        put(buf, inner, 1, 0, &text::fit(words, usize::from(inner.width.saturating_sub(1))), muted);
        return;
    }
    let height = usize::from(inner.height);
    let first = first_shown(state.runs.selected, list.len(), height);
    for (y, (at, run)) in list.iter().enumerate().skip(first).take(height).enumerate() {
        let line = row(inner, y as u16);
        seen.target(line, Target::Run(at));
        if at == state.runs.selected {
            buf.set_style(line, theme.selection());
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        let k = run.k.map_or(String::new(), |k| format!(", k {}", text::grouped(k.into())));
        let what = format!("{} problems{k}", run.problems);
        let who = run.policies.join(" ⇄ ");
        let facts = [
            (11, size(run.bytes)),
            (28, run.written.clone()),
            (52, clean(&what)),
            (80, text::fit(&clean(&who), 26)),
        ];
        let mut end = line.width.saturating_sub(1);
        for (column, words) in facts {
            // The name keeps at least half of a narrow window.
            if column <= usize::from(line.width) / 2 || column < 30 && line.width >= 60 {
                end = end.min(line.width.saturating_sub(column as u16 - 10));
                put_right(buf, line, line.width.saturating_sub(column as u16 - 10), 0, &words, muted);
                end = end.saturating_sub(text::width(&words) as u16 + 2);
            }
        }
        let name = text::fit(&clean(&run.name), usize::from(end.saturating_sub(2)));
        put(buf, line, 2, 0, &name, theme.style(Role::Text));
    }
}

/// The question before a run is deleted.
pub fn delete(name: &str, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = middle(area, 56, 6);
    Clear.render(area, buf);
    let inner = frame(buf, area, theme, true, &[(" Delete ", theme.style(Role::Lost))], "");
    let room = usize::from(inner.width.saturating_sub(4));
    let question = format!("Delete {}?", clean(name));
    put(buf, inner, 2, 0, &text::fit(&question, room), theme.style(Role::Text));
    put(buf, row(inner, 1), 2, 0, "Its completions cannot be brought back.", theme.style(Role::Text));
    let keys = row(inner, 3);
    let x = put(buf, keys, 2, 0, "y", theme.style(Role::Accent)) + 1;
    let x = put(buf, keys, x, 0, "delete it", theme.style(Role::Muted)) + 3;
    let x = put(buf, keys, x, 0, "n", theme.style(Role::Accent)) + 1;
    put(buf, keys, x, 0, "keep it", theme.style(Role::Muted));
}

/// Bytes in the largest unit that leaves a digit before the point.
fn size(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let fits = units.into_iter().find(|(_, unit)| bytes as f64 >= *unit);
    fits.map_or(format!("{bytes} B"), |(name, unit)| format!("{:.1} {name}", bytes as f64 / unit))
}
