//! The caption of the guided tour, under the screen that it speaks of.

use crate::app::State;
use crate::app::tour::{STEPS, Tour};
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Draws the caption at the foot of `area`; returns what is left for the screen.
pub fn draw(state: &State, tour: Tour, theme: &Theme, area: Rect, buf: &mut Buffer) -> Rect {
    let Some(step) = STEPS.get(tour.step) else { return area };
    let caption = (step.caption)(state);
    let columns = usize::from(area.width.saturating_sub(6)).min(110);
    let lines = text::wrap(&caption, columns);
    // The same height for all steps of a window, so that what is above does not jump: a
    // caption has about 350 characters.
    let height = (350 / columns.max(1) + 1).clamp(3, 8).max(lines.len()) as u16 + 3;
    let height = height.min(area.height / 2);
    let above = Rect { height: area.height - height, ..area };
    let box_area = Rect { y: area.y + above.height, height, ..area };
    let title = format!(" {}. {} ", tour.step + 1, step.title);
    let note = format!(" {} of {} ", tour.step + 1, STEPS.len());
    let inner = frame(buf, box_area, theme, true, &[(&title, theme.style(Role::Title))], &note);
    let inner = inset(inner, 2, 2);
    let text_style = theme.style(Role::Text).add_modifier(Modifier::BOLD);
    for (y, line) in lines.iter().take(usize::from(inner.height)).enumerate() {
        put(buf, row(inner, y as u16), 0, 0, caption[line.clone()].trim_start(), text_style);
    }
    let foot = row(box_area, height - 1);
    let hint = if tour.auto {
        " goes on by itself  space on  esc leave "
    } else {
        " space on  ⌫ back  esc leave "
    };
    put_right(buf, foot, foot.width.saturating_sub(2), 0, hint, theme.style(Role::Accent));
    above
}
