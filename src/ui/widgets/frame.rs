//! The frame of a pane: a border with words in it.

use crate::ui::canvas::{inset, put, put_over, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Draws a frame around `area` and returns what is inside. `title` stands at the left of
/// the upper border, `note` at its right where both have room.
pub fn frame(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    focused: bool,
    title: &[(&str, Style)],
    note: &str,
) -> Rect {
    let area = area.intersection(buf.area);
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    let style = theme.style(if focused { Role::Accent } else { Role::Faint });
    let line = "─".repeat(usize::from(area.width - 2));
    let corners = [("╭", "╮", 0), ("╰", "╯", area.height - 1)];
    for (left, right, y) in corners {
        put(buf, area, 0, y, left, style);
        put(buf, area, 1, y, &line, style);
        put(buf, area, area.width - 1, y, right, style);
    }
    for y in 1..area.height - 1 {
        put(buf, area, 0, y, "│", style);
        put(buf, area, area.width - 1, y, "│", style);
    }
    let top = inset(row(area, 0), 2, 2);
    let mut x = 0;
    for (words, style) in title {
        let room = usize::from(top.width.saturating_sub(x));
        x = put_over(buf, top, x, 0, &text::fit(words, room), *style);
    }
    let note_width = text::width(note) as u16;
    if note_width > 0 && x + 1 + note_width <= top.width {
        put_right(buf, top, top.width, 0, note, theme.style(Role::Muted));
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Depth, Ground};
    use ratatui::style::{Color, Modifier};

    #[test]
    fn a_title_is_not_as_faint_as_the_border() {
        let area = Rect::new(0, 0, 20, 2);
        for depth in [Depth::True, Depth::Mono] {
            let theme = Theme::new(depth, Ground::Dark);
            let mut buf = Buffer::empty(area);
            frame(&mut buf, area, &theme, false, &[(" words ", theme.style(Role::Title))], "");
            let cell = &buf[(4, 0)];
            assert_eq!((cell.symbol(), cell.fg), ("o", Color::Reset));
            assert_eq!(cell.modifier, Modifier::BOLD, "{depth:?}");
        }
    }

    #[test]
    fn words_stand_in_the_border_as_far_as_they_fit() {
        let theme = Theme::new(Depth::Mono, Ground::Dark);
        let shown = |width, height| {
            let area = Rect::new(0, 0, width, height);
            let mut buf = Buffer::empty(area);
            let inner = frame(&mut buf, area, &theme, false, &[(" pass@k ", Style::new())], " all ");
            let line = (0..width).map(|x| buf[(x, 0)].symbol()).collect::<String>();
            (line, inner.width, inner.height)
        };
        assert_eq!(shown(22, 4), ("╭─ pass@k ───── all ─╮".into(), 20, 2));
        assert_eq!(shown(12, 3), ("╭─ pass@k ─╮".into(), 10, 1));
        assert_eq!(shown(9, 2), ("╭─ pas…─╮".into(), 7, 0));
        for (w, h) in [(0, 0), (1, 9), (9, 1)] {
            assert_eq!(shown(w.max(1), h.max(1)).1, 0);
        }
    }
}
