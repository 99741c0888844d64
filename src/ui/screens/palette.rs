//! The palette: every action that can be done here, found by its words.

use crate::app::State;
use crate::app::state::Palette;
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::layout::middle;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::first_shown;
use crate::ui::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// Draws the palette over a screen.
pub fn draw(state: &State, palette: &Palette, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let found = state.palette(&palette.query);
    let height = (area.height * 2 / 3).max(8);
    let area = middle(area, 84, height);
    Clear.render(area, buf);
    let note = format!(" {} ", found.len());
    let title = [(" Actions ", theme.style(Role::Title))];
    let inner = inset(frame(buf, area, theme, true, &title, &note), 1, 0);
    let line = row(inner, 0);
    let x = put(buf, line, 0, 0, ": ", theme.style(Role::Accent));
    let x = put(buf, line, x, 0, &palette.query, theme.style(Role::Title));
    put(buf, line, x, 0, "▏", theme.style(Role::Accent));
    let rows = usize::from(inner.height.saturating_sub(1));
    if found.is_empty() {
        put(buf, row(inner, 1), 0, 0, "no action has these words", theme.style(Role::Muted));
    }
    let first = first_shown(palette.at, found.len(), rows);
    for (y, (at, (binding, keys))) in found.iter().enumerate().skip(first).take(rows).enumerate() {
        let line = row(inner, y as u16 + 1);
        if at == palette.at {
            buf.set_style(line, theme.selection());
        }
        let keys = text::fit(keys, usize::from(line.width) / 3);
        let room = usize::from(line.width).saturating_sub(text::width(&keys) + 2);
        put(buf, line, 0, 0, &text::fit(binding.words, room), theme.style(Role::Text));
        put_right(buf, line, line.width, 0, &keys, theme.style(Role::Accent));
    }
}
