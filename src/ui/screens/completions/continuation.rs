//! One continuation in full, in the place of the completion that it branched from.

use super::branch;
use crate::app::State;
use crate::app::branch::Branch;
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use crate::ui::{Seen, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Fills the pane of the text: what was given muted, what was drawn after it plain, and where
/// all continuations lead below.
pub fn draw(state: &State, of: &Branch, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let Some((shown, end)) = of.shown() else { return };
    let (at, all) = of.place();
    let (mark, role) = if end.correct { ("✓", Role::Correct) } else { ("✗", Role::Wrong) };
    let policy = theme.style(if shown.side == 0 { Role::Base } else { Role::Rlvr });
    let name = format!("{} ", state.name(shown.side));
    let words = format!("{} ", format!("{}  {}", end.answer, end.method).trim_end());
    let title = [
        (" Continuation under ", theme.style(Role::Title)),
        (name.as_str(), policy.add_modifier(Modifier::BOLD)),
        (mark, theme.style(role)),
        (" ", theme.style(Role::Text)),
        (words.as_str(), theme.style(Role::Text)),
    ];
    let note = format!(" {at} of {all} kept ");
    let inner = inset(frame(buf, area, theme, state.completions.reading, &title, &note), 1, 1);
    let below = branch::wish(of, inner.height).min(inner.height * 2 / 3);
    let window = Rect { height: inner.height - below, ..inner };
    let words = shown.text.trim_start_matches('\n');
    let given = shown.given.saturating_sub(shown.text.len() - words.len());
    let lines = text::wrap(words, usize::from(window.width));
    let height = usize::from(window.height);
    seen.overflow = lines.len().saturating_sub(height);
    let first = state.completions.scroll.min(seen.overflow);
    for (y, line) in lines.iter().skip(first).take(height).enumerate() {
        let area = row(window, y as u16);
        let split = given.clamp(line.start, line.end);
        let x = put(buf, area, 0, 0, &words[line.start..split], theme.style(Role::Muted));
        put(buf, area, x, 0, &words[split..line.end], theme.style(Role::Text));
    }
    if seen.overflow > 0 {
        let words = format!(" line {} of {} ", first + 1, lines.len());
        put_right(buf, area, area.width.saturating_sub(2), area.height - 1, &words, theme.style(Role::Muted));
    }
    branch::draw(state, of, theme, Rect { y: window.y + window.height, height: below, ..inner }, buf);
}
