//! Charts against training steps: lines, and shares stacked on one another.

use super::axis;
use super::raster::Raster;
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Depth, Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Lines against steps.
pub struct Steps<'a> {
    /// The last one lies on top.
    pub lines: &'a [Line],
    /// The y axis runs from the one to the other.
    pub range: (f64, f64),
    /// The x axis runs from 0 to this step.
    pub last: usize,
    /// A step that is marked with a vertical line.
    pub mark: Option<usize>,
}

/// One line.
pub struct Line {
    pub name: String,
    /// (step, value) by rising step. What is not finite is a gap.
    pub points: Vec<(usize, f64)>,
    pub role: Role,
    /// Tells lines apart where there is no colour.
    pub dashed: bool,
}

impl Line {
    /// The value at a step, or the last one before it.
    pub fn at(&self, step: usize) -> Option<f64> {
        let before = self.points.iter().rev().find(|(s, _)| *s <= step)?;
        Some(before.1).filter(|v| v.is_finite())
    }

    /// The newest value.
    pub fn newest(&self) -> Option<f64> {
        self.points.last().map(|p| p.1).filter(|v| v.is_finite())
    }
}

/// Columns of the numbers at the left.
const GUTTER: u16 = 6;

impl Steps<'_> {
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        if area.height < 2 || area.width < GUTTER + 4 {
            return;
        }
        let plot =
            Rect { x: area.x + GUTTER, y: area.y, width: area.width - GUTTER, height: area.height - 1 };
        let mut raster = Raster::new(plot.width, plot.height);
        let (faint, muted) = (theme.style(Role::Faint), theme.style(Role::Muted));
        let (low, high) = self.range;
        let (ticks, decimals) = match low {
            low if low < 0.0 => (vec![low, 0.0, high], 0),
            low if low > 0.0 => (vec![low, (low + high) / 2.0, high], 1),
            _ => axis::linear(high, usize::from(plot.height / 3 + 1).max(2)),
        };
        for tick in &ticks {
            let y = self.dot_row(&raster, *tick);
            raster.line((0, y), (raster.columns() - 1, y), faint, (8, 7), 0);
        }
        if let Some(step) = self.mark {
            let x = self.dot_column(&raster, step);
            (0..raster.rows()).step_by(2).for_each(|y| raster.dot(x, y, muted));
        }
        for line in self.lines {
            self.line(&mut raster, line, theme.style(line.role));
        }
        raster.render(plot, buf);
        for tick in ticks {
            let y = (self.dot_row(&raster, tick) / 4) as u16;
            put_right(buf, area, GUTTER - 1, y, &text::decimal(Some(tick), decimals), muted);
        }
        axis_of_steps(self.last, plot, row(area, area.height - 1), buf, muted);
    }

    fn line(&self, raster: &mut Raster, line: &Line, style: Style) {
        let dash = if line.dashed { (5, 2) } else { (0, 0) };
        let place =
            |raster: &Raster, p: &(usize, f64)| (self.dot_column(raster, p.0), self.dot_row(raster, p.1));
        let mut phase = 0;
        for pair in line.points.windows(2) {
            if pair.iter().all(|p| p.1.is_finite()) {
                phase = raster.stroke(place(raster, &pair[0]), place(raster, &pair[1]), style, dash, phase);
            }
        }
        if let [only] = line.points.as_slice()
            && only.1.is_finite()
        {
            let (x, y) = place(raster, only);
            raster.stroke((x, y), (x + 1, y), style, (0, 0), 0);
        }
    }

    fn dot_column(&self, raster: &Raster, step: usize) -> i32 {
        (step as f64 / self.last.max(1) as f64 * f64::from(raster.columns() - 1)).round() as i32
    }

    fn dot_row(&self, raster: &Raster, value: f64) -> i32 {
        let (low, high) = self.range;
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        ((1.0 - share) * f64::from((raster.rows() - 1).max(0))).round() as i32
    }
}

/// Steps under a plot: 0, and as many round ones as have room.
fn axis_of_steps(last: usize, plot: Rect, line: Rect, buf: &mut Buffer, style: Style) {
    let (ticks, _) = axis::linear(last.max(1) as f64, usize::from(plot.width / 9).max(2));
    for tick in ticks {
        let label = format!("{tick:.0}");
        let at = tick / last.max(1) as f64 * f64::from(plot.width.saturating_sub(1));
        let start = (plot.x - line.x + at.round() as u16).saturating_sub(label.len() as u16 / 2);
        put(buf, line, start.min(line.width.saturating_sub(label.len() as u16)), 0, &label, style);
    }
}

/// Shares stacked on one another, against steps.
pub struct Stacked<'a> {
    /// (step, the share of each layer, from below), by rising step.
    pub points: &'a [(usize, Vec<f64>)],
    /// Each layer's name and role.
    pub layers: &'a [(String, Role)],
    pub last: usize,
    pub mark: Option<usize>,
}

impl Stacked<'_> {
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        if area.height < 2 || area.width < GUTTER + 4 {
            return;
        }
        let plot = Rect { x: area.x + GUTTER, width: area.width - GUTTER, height: area.height - 1, ..area };
        let muted = theme.style(Role::Muted);
        put_right(buf, area, GUTTER - 1, 0, "1", muted);
        put_right(buf, area, GUTTER - 1, plot.height - 1, "0", muted);
        for x in 0..plot.width {
            let step = f64::from(x) / f64::from(plot.width.saturating_sub(1).max(1)) * self.last as f64;
            let Some((_, shares)) = self.shares(step) else { continue };
            for y in 0..plot.height {
                self.cell(shares, plot, x, y, buf, theme);
            }
        }
        axis_of_steps(self.last, plot, row(area, area.height - 1), buf, muted);
        if let Some(step) = self.mark {
            let at = step as f64 / self.last.max(1) as f64 * f64::from(plot.width.saturating_sub(1));
            put(
                buf,
                row(area, area.height - 1),
                GUTTER + at.round() as u16,
                0,
                "▲",
                theme.style(Role::Accent),
            );
        }
    }

    /// The last shares at or before a step; none before the first and after the last.
    fn shares(&self, step: f64) -> Option<&(usize, Vec<f64>)> {
        let last = self.points.last()?.0 as f64;
        let gap = self.last as f64 / 40.0;
        let found = self.points.iter().rev().find(|(s, _)| *s as f64 <= step.max(1.0))?;
        (step <= last + gap).then_some(found)
    }

    /// A cell holds at most two layers, split at an eighth of its height; without colour
    /// it holds the initial of the one that fills most of it.
    fn cell(&self, shares: &[f64], plot: Rect, x: u16, y: u16, buf: &mut Buffer, theme: &Theme) {
        const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        let height = f64::from(plot.height);
        let (low, high) = (f64::from(plot.height - 1 - y) / height, f64::from(plot.height - y) / height);
        let layer = |at: f64| {
            let mut sum = 0.0;
            shares.iter().position(|share| {
                sum += share;
                at < sum
            })
        };
        let style = |layer: usize| theme.style(self.layers.get(layer).map_or(Role::Muted, |l| l.1));
        let area = Rect { x: plot.x + x, y: plot.y + y, width: 1, height: 1 };
        if theme.depth == Depth::Mono {
            if let Some(found) = layer((low + high) / 2.0) {
                let initial = self.layers.get(found).and_then(|l| l.0.chars().next()).unwrap_or('?');
                put(buf, area, 0, 0, &initial.to_string(), Style::new());
            }
            return;
        }
        let Some(below) = layer(low + 1e-9) else { return };
        let top: f64 = shares[..=below].iter().sum();
        let filled = (((top.min(high) - low) / (high - low)) * 8.0).round().clamp(0.0, 8.0) as usize;
        let mut cell = style(below);
        if filled < 8
            && let Some(above) = layer((top + 1e-9).min(high))
            && let Some(color) = style(above).fg
        {
            cell = cell.bg(color);
        }
        put(buf, area, 0, 0, EIGHTHS[filled], cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::Ground;

    fn line(points: &[(usize, f64)]) -> Line {
        Line { name: "reward".into(), points: points.to_vec(), role: Role::Rlvr, dashed: false }
    }

    fn lines(buf: &Buffer) -> Vec<String> {
        let area = buf.area;
        let line = |y| (0..area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..area.height).map(|y| line(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn a_line_is_read_at_a_step() {
        let l = line(&[(0, 0.2), (5, 0.4), (10, f64::NAN)]);
        assert_eq!((l.at(0), l.at(7), l.at(10), l.newest()), (Some(0.2), Some(0.4), None, None));
        assert_eq!(line(&[(3, 1.0)]).at(2), None);
    }

    #[test]
    fn axes_say_steps_and_values() {
        let theme = Theme::new(Depth::True, Ground::Dark);
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 6));
        let lines_ = [line(&[(0, 0.0), (60, 1.0)])];
        Steps { lines: &lines_, range: (-1.0, 1.0), last: 60, mark: Some(30) }
            .render(buf.area, &mut buf, &theme);
        let all = lines(&buf);
        assert!(all[0].starts_with("    1") && all[4].starts_with("   −1"), "{all:#?}");
        assert_eq!(all[5].split_whitespace().collect::<Vec<_>>(), ["0", "20", "40", "60"]);
    }

    #[test]
    fn shares_fill_the_plot_from_below() {
        let theme = Theme::new(Depth::Mono, Ground::Dark);
        let layers = [("pairs".to_owned(), Role::Base), ("multiply".to_owned(), Role::Rlvr)];
        let points = [(1, vec![0.5, 0.5]), (10, vec![0.25, 0.5])];
        let mut buf = Buffer::empty(Rect::new(0, 0, 26, 5));
        Stacked { points: &points, layers: &layers, last: 10, mark: None }.render(buf.area, &mut buf, &theme);
        let column = |x: u16| (0..4).map(|y| buf[(x, y)].symbol().to_owned()).collect::<String>();
        assert_eq!((column(6), column(25)), ("mmpp".into(), " mmp".into()));
        let mut buf = Buffer::empty(Rect::new(0, 0, 26, 5));
        let theme = Theme::new(Depth::True, Ground::Dark);
        Stacked { points: &points, layers: &layers, last: 10, mark: Some(5) }
            .render(buf.area, &mut buf, &theme);
        assert_eq!(buf[(6, 3)].symbol(), "█");
    }

    #[test]
    fn every_size_and_every_gap_is_drawn() {
        let theme = Theme::new(Depth::True, Ground::Light);
        let lines = [line(&[(0, f64::NAN)]), line(&[(9, f64::INFINITY), (12, 3.0)]), line(&[])];
        let points = [(0, vec![]), (3, vec![f64::NAN, 2.0])];
        for width in 0..40 {
            for height in 0..9 {
                let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
                Steps { lines: &lines, range: (0.0, 0.0), last: 0, mark: Some(7) }
                    .render(buf.area, &mut buf, &theme);
                Stacked { points: &points, layers: &[], last: 5, mark: Some(9) }
                    .render(buf.area, &mut buf, &theme);
            }
        }
    }
}
