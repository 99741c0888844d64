//! The screens, and what lies over them.

pub mod completions;
pub mod curves;
pub mod explain;
pub mod explore;
pub mod help;
pub mod log;
pub mod palette;
pub mod parity;
pub mod runs;
pub mod suite;
pub mod tour;
pub mod training;

use super::canvas::{put, row};
use super::layout::{LEAST, middle};
use super::text;
use super::theme::{Role, Theme};
use super::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// What stands in a window that is too small.
pub fn too_small(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let (columns, rows) = LEAST;
    let words =
        format!("leash needs {columns} × {rows} or more; this window is {} × {}.", area.width, area.height);
    let lines = text::wrap(&words, usize::from(area.width));
    let top = area.height.saturating_sub(lines.len() as u16) / 2;
    for (y, line) in lines.iter().enumerate() {
        put(buf, row(area, top + y as u16), 0, 0, &words[line.clone()], theme.style(Role::Text));
    }
}

/// The question before starting again.
pub fn restart(seed: u64, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let lines = [format!("Start again with seed {seed}?"), "What is drawn so far is dropped.".to_owned()];
    let area = middle(area, 42, 6);
    Clear.render(area, buf);
    let inner = frame(buf, area, theme, true, &[(" Restart ", theme.style(Role::Title))], "");
    for (y, line) in lines.iter().enumerate() {
        put(buf, row(inner, y as u16), 2, 0, line, theme.style(Role::Text));
    }
    let keys = row(inner, 3);
    let x = put(buf, keys, 2, 0, "y", theme.style(Role::Accent)) + 1;
    let x = put(buf, keys, x, 0, "yes", theme.style(Role::Muted)) + 3;
    let x = put(buf, keys, x, 0, "n", theme.style(Role::Accent)) + 1;
    put(buf, keys, x, 0, "no", theme.style(Role::Muted));
}
