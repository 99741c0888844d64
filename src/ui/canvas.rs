//! Writing into cells, clipped: nothing here panics, whatever the area.

use super::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Writes `text` at (`x`, `y`) inside `area`, both from its corner; what does not fit is
/// left out. Returns the column after it.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if x >= area.width || y >= area.height {
        return x;
    }
    let room = usize::from(area.width - x);
    let (end, _) = buf.set_stringn(area.x + x, area.y + y, text, room, style);
    end - area.x
}

/// As [`put`], but nothing of what the cells looked like before shows through.
pub fn put_over(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    put(buf, area, x, y, text, Style::reset().patch(style))
}

/// Writes `text` so that it ends right before column `end` of `area`; what does not fit is
/// cut at its end.
pub fn put_right(buf: &mut Buffer, area: Rect, end: u16, y: u16, text: &str, style: Style) {
    let end = end.min(area.width);
    let text = text::fit(text, usize::from(end));
    let start = end - text::width(&text) as u16;
    put(buf, area, start, y, &text, style);
}

/// Row `y` of `area`; empty where there is none.
pub fn row(area: Rect, y: u16) -> Rect {
    let height = u16::from(y < area.height);
    Rect { x: area.x, y: area.y.saturating_add(y.min(area.height)), width: area.width, height }
}

/// `area` without `left` columns on the left and `right` on the right.
pub fn inset(area: Rect, left: u16, right: u16) -> Rect {
    let left = left.min(area.width);
    Rect { x: area.x + left, width: area.width.saturating_sub(left.saturating_add(right)), ..area }
}

/// Replaces what only a Unicode terminal shows by what any terminal shows, cell by cell.
pub fn to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let ascii = ascii(symbol);
        cell.set_char(ascii);
    }
}

fn ascii(symbol: &str) -> char {
    match symbol.chars().next().unwrap_or(' ') {
        '─' | '–' | '−' | '━' | '╌' => '-',
        '│' | '┃' | '▐' | '┆' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' => {
            '+'
        }
        '✓' => '+',
        '✗' | '×' => 'x',
        '≠' => '!',
        '▲' | '↑' => '^',
        '▼' | '↓' => 'v',
        '▸' | '▶' | '→' | '≥' => '>',
        '≤' | '←' => '<',
        '⏸' | '■' | '█' | '▉' | '▊' | '▋' | '▌' => '#',
        '▍' | '▎' | '▏' => ':',
        '▁' | '▂' => '_',
        '▃' | '▅' => '=',
        // Half a cell: of the bar above, of the bar below.
        '▀' => '\'',
        '▄' => '.',
        '▆' | '▇' => '#',
        '●' => 'o',
        '∎' | '▒' => '#',
        '↵' => '/',
        '◆' => '*',
        '·' => '.',
        '⇄' | '≈' => '~',
        '…' => '.',
        'ε' => 'e',
        'ζ' => 'z',
        '\u{2009}' | '\u{a0}' => ' ',
        c @ '\u{2800}'..='\u{28ff}' => braille(c as u32 - 0x2800),
        // A letter with a mark over it.
        c if c.is_ascii() => c,
        _ => '?',
    }
}

/// A braille cell by the height of its dots.
fn braille(bits: u32) -> char {
    let upper = bits & 0b0001_1011;
    let lower = bits & 0b1110_0100;
    match (upper != 0, lower != 0) {
        (false, false) => ' ',
        (true, false) => '\'',
        (false, true) => '.',
        (true, true) => ':',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_is_clipped_to_the_area_and_the_buffer() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        assert_eq!(put(&mut buf, Rect::new(2, 0, 9, 9), 0, 0, "abc", Style::new()), 2);
        assert_eq!(put(&mut buf, Rect::new(0, 0, 4, 1), 9, 0, "abc", Style::new()), 9);
        put(&mut buf, Rect::new(0, 5, 4, 1), 0, 0, "abc", Style::new());
        put_right(&mut buf, Rect::new(0, 0, 2, 1), 9, 0, "xyz", Style::new());
        assert_eq!(buf, Buffer::with_lines(["x…ab"]));
    }

    #[test]
    fn nothing_beyond_ascii_is_left() {
        let mut buf = Buffer::with_lines(["┌✓ 1\u{2009}024 ▇▏⣿⠁漢…"]);
        to_ascii(&mut buf);
        let line: String = buf.content.iter().map(|c| c.symbol()).collect();
        assert_eq!(line, "++ 1 024 #::'? .");
    }
}
