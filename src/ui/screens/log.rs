//! The log: what was said and what failed, in full, the newest first.

use crate::app::State;
use crate::ui::canvas::{inset, put, row};
use crate::ui::layout::middle;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// Draws the log over a screen from line `at` on; returns the lines that do not fit.
pub fn draw(state: &State, at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) -> usize {
    let area = middle(area, 100, area.height.saturating_sub(2));
    Clear.render(area, buf);
    let title = [(" Log ", theme.style(Role::Title))];
    let inner = inset(frame(buf, area, theme, true, &title, " esc closes "), 1, 1);
    let lines = lines(state, usize::from(inner.width));
    if lines.is_empty() {
        put(buf, row(inner, 0), 0, 0, "Nothing has been said so far.", theme.style(Role::Muted));
    }
    let overflow = lines.len().saturating_sub(usize::from(inner.height));
    let shown = lines.iter().skip(at.min(overflow)).take(usize::from(inner.height));
    for (y, (mark, words, role)) in shown.enumerate() {
        let line = row(inner, y as u16);
        put(buf, line, 0, 0, mark, theme.style(*role));
        put(buf, line, 2, 0, words, theme.style(Role::Text));
    }
    overflow
}

fn lines(state: &State, width: usize) -> Vec<(&'static str, String, Role)> {
    let mut out = Vec::new();
    for entry in state.log.entries() {
        let (mark, role) = if entry.failed { ("✗", Role::Lost) } else { ("·", Role::Muted) };
        let words = match entry.times {
            1 => entry.words.clone(),
            n => format!("{} ({n} times)", entry.words),
        };
        for (i, line) in text::wrap(&words, width.saturating_sub(2)).into_iter().enumerate() {
            out.push((if i == 0 { mark } else { " " }, words[line].to_owned(), role));
        }
    }
    out
}
