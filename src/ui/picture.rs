//! A drawn screen as SVG: cell for cell what the terminal shows.
//!
//! Bars, lines and braille are drawn as shapes, since fonts differ in how they join them;
//! text is set in the reader's monospaced font and held to its columns.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// A cell's size in the picture, in user units.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;
const MARGIN: f64 = 12.0;

/// The colours that a terminal gives to its own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    pub foreground: [u8; 3],
    pub background: [u8; 3],
}

impl Palette {
    pub const DARK: Palette = Palette { foreground: [0xd8, 0xdb, 0xe2], background: [0x14, 0x16, 0x1b] };
    pub const LIGHT: Palette = Palette { foreground: [0x24, 0x29, 0x33], background: [0xfb, 0xfb, 0xf8] };
}

/// The screen as an SVG document.
pub fn to_svg(screen: &Buffer, palette: Palette) -> String {
    let area = screen.area;
    let (width, height) = (f64::from(area.width) * WIDTH, f64::from(area.height) * HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.1} {:.1}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n",
        width + 2.0 * MARGIN,
        height + 2.0 * MARGIN,
        hex(palette.background),
    );
    for y in 0..area.height {
        let cells: Vec<&Cell> = (0..area.width).map(|x| &screen[(area.x + x, area.y + y)]).collect();
        draw_row(&mut out, &cells, f64::from(y) * HEIGHT, palette);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Draws a row as runs of cells that look alike.
fn draw_row(out: &mut String, cells: &[&Cell], top: f64, palette: Palette) {
    let mut start = 0;
    while start < cells.len() {
        let style = look(cells[start], palette);
        let shape = is_shape(cells[start].symbol());
        let mut end = start + 1;
        while end < cells.len()
            && look(cells[end], palette) == style
            && is_shape(cells[end].symbol()) == shape
        {
            end += 1;
        }
        let left = start as f64 * WIDTH;
        if style.background != palette.background {
            let width = (end - start) as f64 * WIDTH;
            rectangle(out, left, top, width, HEIGHT, &hex(style.background));
        }
        if shape {
            for (i, cell) in cells[start..end].iter().enumerate() {
                draw_shape(out, cell.symbol(), left + i as f64 * WIDTH, top, &hex(style.foreground));
            }
        } else {
            draw_text(out, &cells[start..end], left, top, &style);
        }
        start = end;
    }
}

#[derive(PartialEq)]
struct Look {
    foreground: [u8; 3],
    background: [u8; 3],
    bold: bool,
    italic: bool,
    underlined: bool,
}

fn look(cell: &Cell, palette: Palette) -> Look {
    let has = |m| cell.modifier.contains(m);
    let mut foreground = rgb(cell.fg, palette.foreground);
    let mut background = rgb(cell.bg, palette.background);
    if has(Modifier::REVERSED) {
        std::mem::swap(&mut foreground, &mut background);
    }
    if has(Modifier::DIM) {
        let mix = |a: u8, b: u8| ((u16::from(a) * 3 + u16::from(b) * 2) / 5) as u8;
        foreground = std::array::from_fn(|i| mix(foreground[i], background[i]));
    }
    Look {
        foreground,
        background,
        bold: has(Modifier::BOLD),
        italic: has(Modifier::ITALIC),
        underlined: has(Modifier::UNDERLINED),
    }
}

/// Draws the words of a run, each at its own column.
fn draw_text(out: &mut String, cells: &[&Cell], left: f64, top: f64, style: &Look) {
    let mut at = 0;
    while at < cells.len() {
        let word = cells[at..].iter().take_while(|c| !c.symbol().trim().is_empty()).count();
        if word == 0 {
            at += 1;
            continue;
        }
        let text: String = cells[at..at + word].iter().map(|c| c.symbol()).collect();
        let mut attributes = String::new();
        for (is, attribute) in [
            (style.bold, " font-weight=\"bold\""),
            (style.italic, " font-style=\"italic\""),
            (style.underlined, " text-decoration=\"underline\""),
        ] {
            if is {
                attributes.push_str(attribute);
            }
        }
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{attributes}>{}</text>",
            left + at as f64 * WIDTH,
            top + HEIGHT * 0.74,
            text.width() as f64 * WIDTH,
            hex(style.foreground),
            escape(&text),
        );
        at += word;
    }
}

fn is_shape(symbol: &str) -> bool {
    symbol.chars().next().is_some_and(
        |c| matches!(c, '\u{2500}'..='\u{257f}' | '\u{2580}'..='\u{2590}' | '\u{2800}'..='\u{28ff}'),
    )
}

fn draw_shape(out: &mut String, symbol: &str, x: f64, y: f64, fill: &str) {
    let Some(c) = symbol.chars().next() else { return };
    match c {
        '\u{2800}'..='\u{28ff}' => draw_braille(out, c as u32 - 0x2800, x, y, fill),
        '▀' => rectangle(out, x, y, WIDTH, HEIGHT / 2.0, fill),
        '▐' => rectangle(out, x + WIDTH / 2.0, y, WIDTH / 2.0, HEIGHT, fill),
        '▁'..='█' => {
            let h = HEIGHT * f64::from(c as u32 - 0x2580) / 8.0;
            rectangle(out, x, y + HEIGHT - h, WIDTH, h, fill);
        }
        '▉'..='▏' => rectangle(out, x, y, WIDTH * f64::from(0x2590 - c as u32) / 8.0, HEIGHT, fill),
        _ => draw_lines(out, c, x, y, fill),
    }
}

/// Braille dots as small discs; bits in Unicode's order.
fn draw_braille(out: &mut String, dots: u32, x: f64, y: f64, fill: &str) {
    const PLACES: [(f64, f64); 8] =
        [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];
    for (_, (column, row)) in PLACES.iter().enumerate().filter(|(bit, _)| dots & (1 << bit) != 0) {
        let (cx, cy) = (x + WIDTH * (0.25 + 0.5 * column), y + HEIGHT * (0.125 + 0.25 * row));
        let _ = writeln!(out, "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"1.3\" fill=\"{fill}\"/>");
    }
}

/// Box drawing, from a cell's middle to its edges: (left, right, up, down).
fn draw_lines(out: &mut String, c: char, x: f64, y: f64, fill: &str) {
    let (left, right, up, down) = match c {
        '─' | '━' | '╌' | '┄' | '═' => (true, true, false, false),
        '│' | '┃' | '┆' | '╎' | '║' => (false, false, true, true),
        '┌' | '╭' | '┏' => (false, true, false, true),
        '┐' | '╮' | '┓' => (true, false, false, true),
        '└' | '╰' | '┗' => (false, true, true, false),
        '┘' | '╯' | '┛' => (true, false, true, false),
        '├' => (false, true, true, true),
        '┤' => (true, false, true, true),
        '┬' => (true, true, false, true),
        '┴' => (true, true, true, false),
        '╴' => (true, false, false, false),
        '╶' => (false, true, false, false),
        '╵' => (false, false, true, false),
        '╷' => (false, false, false, true),
        _ => (true, true, true, true),
    };
    let thick = if matches!(c, '━' | '┃' | '┏' | '┓' | '┗' | '┛') { 2.0 } else { 1.0 };
    let (mx, my) = (x + WIDTH / 2.0, y + HEIGHT / 2.0);
    if left || right {
        let (from, to) = (if left { x } else { mx }, if right { x + WIDTH } else { mx });
        let dashed = matches!(c, '╌' | '┄');
        rectangle(
            out,
            from,
            my - thick / 2.0,
            if dashed { (to - from) * 0.6 } else { to - from },
            thick,
            fill,
        );
    }
    if up || down {
        let (from, to) = (if up { y } else { my }, if down { y + HEIGHT } else { my });
        let dashed = matches!(c, '┆' | '╎');
        rectangle(
            out,
            mx - thick / 2.0,
            from,
            thick,
            if dashed { (to - from) * 0.6 } else { to - from },
            fill,
        );
    }
}

fn rectangle(out: &mut String, x: f64, y: f64, width: f64, height: f64, fill: &str) {
    let _ = writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
    );
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A colour as a terminal of today shows it.
fn rgb(color: Color, default: [u8; 3]) -> [u8; 3] {
    match color {
        Color::Reset => default,
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Indexed(i) => indexed(i),
        Color::Black => indexed(0),
        Color::Red => indexed(1),
        Color::Green => indexed(2),
        Color::Yellow => indexed(3),
        Color::Blue => indexed(4),
        Color::Magenta => indexed(5),
        Color::Cyan => indexed(6),
        Color::Gray => indexed(7),
        Color::DarkGray => indexed(8),
        Color::LightRed => indexed(9),
        Color::LightGreen => indexed(10),
        Color::LightYellow => indexed(11),
        Color::LightBlue => indexed(12),
        Color::LightMagenta => indexed(13),
        Color::LightCyan => indexed(14),
        Color::White => indexed(15),
    }
}

/// xterm's 256 colours.
fn indexed(i: u8) -> [u8; 3] {
    const NAMED: [[u8; 3]; 16] = [
        [0x1c, 0x1f, 0x26],
        [0xd0, 0x57, 0x57],
        [0x5f, 0xa8, 0x5f],
        [0xc4, 0x9a, 0x3a],
        [0x4f, 0x86, 0xd6],
        [0xa8, 0x6a, 0xc8],
        [0x3f, 0xa3, 0xa8],
        [0xb8, 0xbd, 0xc7],
        [0x6b, 0x72, 0x80],
        [0xf0, 0x7a, 0x7a],
        [0x82, 0xcb, 0x82],
        [0xe6, 0xc0, 0x62],
        [0x7a, 0xae, 0xf5],
        [0xc9, 0x92, 0xe6],
        [0x6a, 0xcb, 0xd0],
        [0xf2, 0xf4, 0xf8],
    ];
    let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    match i {
        0..=15 => NAMED[i as usize],
        16..=231 => [level((i - 16) / 36), level((i - 16) / 6 % 6), level((i - 16) % 6)],
        232.. => [8 + 10 * (i - 232); 3],
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn text_keeps_its_column_and_its_meaning() {
        let mut screen = Buffer::empty(Rect::new(0, 0, 12, 2));
        screen.set_string(2, 1, "a<b & 漢", Style::new().fg(Color::Rgb(1, 2, 3)).bold());
        let svg = to_svg(&screen, Palette::DARK);
        assert!(svg.contains("x=\"16.8\" y=\"31.3\" textLength=\"25.2\""), "{svg}");
        assert!(svg.contains("fill=\"#010203\" font-weight=\"bold\">a&lt;b</text>"), "{svg}");
        assert!(svg.contains("textLength=\"16.8\""), "a wide character takes two columns: {svg}");
    }

    #[test]
    fn bars_lines_and_dots_are_shapes() {
        let mut screen = Buffer::empty(Rect::new(0, 0, 4, 1));
        screen.set_string(0, 0, "▌─⠁█", Style::new());
        let svg = to_svg(&screen, Palette::LIGHT);
        assert_eq!(svg.matches("<rect").count(), 4, "{svg}");
        assert_eq!(svg.matches("<circle").count(), 1);
        assert!(!svg.contains("<text"));
        assert!(svg.contains("width=\"4.2\" height=\"18.0\""));
    }
}
