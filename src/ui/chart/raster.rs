//! A raster of braille dots: two by four in a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A dot's column and row.
type Place = (i32, i32);

/// Dots with a style a cell. Where two styles meet in a cell the newer one replaces the
/// older: mixed dots of two series would belong to neither. Only where two series run
/// through the same cells do they take turns, so that neither hides the other.
pub struct Raster {
    width: u16,
    height: u16,
    cells: Vec<Dots>,
}

/// One cell.
#[derive(Clone, Copy, Default)]
struct Dots {
    bits: u8,
    style: Style,
    /// Whether they are of a series, not of the grid or a band.
    series: bool,
}

impl Raster {
    /// An empty raster of so many cells.
    pub fn new(width: u16, height: u16) -> Self {
        Self { width, height, cells: vec![Dots::default(); usize::from(width) * usize::from(height)] }
    }

    /// Columns of dots.
    pub fn columns(&self) -> i32 {
        i32::from(self.width) * 2
    }

    /// Rows of dots.
    pub fn rows(&self) -> i32 {
        i32::from(self.height) * 4
    }

    /// Sets a dot, from the left and from the top; outside is ignored.
    pub fn dot(&mut self, x: i32, y: i32, style: Style) {
        self.put(x, y, style, false);
    }

    /// A line between two dots, both included. Of every `period` dots the last `gap` stay
    /// empty; `phase` dots came before. Returns the phase at the end.
    pub fn line(&mut self, from: Place, to: Place, style: Style, dash: (i32, i32), phase: i32) -> i32 {
        self.trace(from, to, dash, phase, |raster, x, y| raster.put(x, y, style, false))
    }

    /// As [`Raster::line`], for a line of a series.
    pub fn stroke(&mut self, from: Place, to: Place, style: Style, dash: (i32, i32), phase: i32) -> i32 {
        self.trace(from, to, dash, phase, |raster, x, y| raster.put(x, y, style, true))
    }

    fn put(&mut self, x: i32, y: i32, style: Style, series: bool) {
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if x < 0 || y < 0 || x >= self.columns() || y >= self.rows() {
            return;
        }
        let cell = &mut self.cells[(y / 4 * i32::from(self.width) + x / 2) as usize];
        if (cell.style, cell.series) != (style, series) {
            let others_turn = x / 4 % 2 == 1;
            if cell.series && cell.bits != 0 && (!series || others_turn) {
                return;
            }
            *cell = Dots { bits: 0, style, series };
        }
        cell.bits |= BITS[(y % 4) as usize][(x % 2) as usize];
    }

    fn trace(
        &mut self,
        from: Place,
        to: Place,
        (period, gap): (i32, i32),
        phase: i32,
        mut put: impl FnMut(&mut Self, i32, i32),
    ) -> i32 {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs());
        for step in 0..=steps {
            let along = |a: i32, d: i32| {
                if steps == 0 { a } else { a + (f64::from(d * step) / f64::from(steps)).round() as i32 }
            };
            if period == 0 || (phase + step) % period < period - gap {
                put(self, along(from.0, dx), along(from.1, dy));
            }
        }
        phase + steps
    }

    /// Draws the cells that have dots at the corner of `area`.
    pub fn render(&self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        for y in 0..self.height.min(area.height) {
            for x in 0..self.width.min(area.width) {
                let Dots { bits, style, .. } =
                    self.cells[usize::from(y) * usize::from(self.width) + usize::from(x)];
                if bits != 0 {
                    let dots = char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ');
                    buf[(area.x + x, area.y + y)].set_char(dots).set_style(style);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Color;

    fn shown(raster: &Raster) -> Vec<String> {
        let area = Rect::new(0, 0, raster.width, raster.height);
        let mut buf = Buffer::empty(area);
        raster.render(area, &mut buf);
        (0..area.height).map(|y| (0..area.width).map(|x| buf[(x, y)].symbol().to_owned()).collect()).collect()
    }

    #[test]
    fn lines_are_drawn_dot_by_dot_and_clipped() {
        let mut r = Raster::new(2, 1);
        r.line((0, 3), (3, 0), Style::new(), (0, 0), 0);
        assert_eq!(shown(&r), ["⡠⠊"]);
        r.line((-5, 0), (9, 0), Style::new(), (0, 0), 0);
        r.dot(0, 99, Style::new());
        assert_eq!(shown(&r), ["⡩⠋"]);
        Raster::new(0, 0).line((0, 0), (9, 9), Style::new(), (3, 1), 0);
    }

    #[test]
    fn a_dashed_line_has_gaps() {
        let mut r = Raster::new(3, 1);
        r.line((0, 0), (5, 0), Style::new(), (3, 1), 0);
        assert_eq!(shown(&r), ["⠉⠈⠁"]);
    }

    #[test]
    fn the_newer_series_replaces_the_older_in_a_cell() {
        let mut r = Raster::new(1, 1);
        r.dot(0, 0, Style::new().fg(Color::Red));
        r.dot(1, 3, Style::new().fg(Color::Blue));
        assert_eq!(shown(&r), ["⢀"]);
    }

    #[test]
    fn two_series_in_the_same_cells_take_turns() {
        let mut r = Raster::new(8, 1);
        let (a, b) = (Style::new().fg(Color::Blue), Style::new().fg(Color::Red));
        r.stroke((0, 0), (15, 0), a, (0, 0), 0);
        r.stroke((0, 1), (15, 1), b, (0, 0), 0);
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 1));
        r.render(buf.area, &mut buf);
        let colours: Vec<Color> = (0..8).map(|x| buf[(x, 0)].fg).collect();
        assert_eq!(colours.iter().filter(|c| **c == Color::Blue).count(), 4, "{colours:?}");
        assert_eq!(colours.iter().filter(|c| **c == Color::Red).count(), 4);
    }
}
