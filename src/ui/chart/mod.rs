//! Small line charts against k: a log2 axis, bands for intervals, series named at the end
//! of their lines. With little room a chart becomes a sparkline, then a number.

pub mod axis;
mod raster;

use super::canvas::{put, put_right, row};
use super::text;
use super::theme::{Role, Theme};
use super::widgets::spark;
use raster::Raster;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// A chart of series against k.
pub struct Chart<'a> {
    /// Drawn in this order: the last one lies on top.
    pub series: &'a [Series<'a>],
    /// The y axis runs from 0 to this.
    pub top: f64,
    /// The x axis runs from 1 to this.
    pub max_k: u32,
    /// A k that is marked with a vertical line and these words.
    pub mark: Option<(u32, &'a str)>,
}

/// One line of a chart.
pub struct Series<'a> {
    pub name: &'a str,
    /// By rising k. What is not finite is a gap.
    pub points: &'a [Point],
    pub role: Role,
    /// Tells the series apart where there is no colour.
    pub dashed: bool,
}

/// A value at k with its interval, if it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub k: u32,
    pub value: f64,
    pub band: Option<(f64, f64)>,
}

impl Chart<'_> {
    /// Draws what the area has room for.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        if area.height >= 4 && area.width >= 20 {
            self.chart(area, buf, theme);
        } else if area.width >= 14 {
            self.sparklines(area, buf, theme);
        } else {
            self.numbers(area, buf, theme);
        }
    }

    fn chart(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let names = self.series.iter().map(|s| text::width(s.name)).max().unwrap_or(0).min(8) as u16;
        let plot_rows = area.height - 1;
        let (ticks, decimals) = axis::linear(self.top, usize::from(plot_rows / 2 + 1));
        let labels: Vec<String> = ticks.iter().map(|t| format!("{t:.decimals$}")).collect();
        let gutter = labels.iter().map(String::len).max().unwrap_or(0) as u16 + 1;
        let plot = Rect {
            x: area.x + gutter,
            y: area.y,
            width: area.width.saturating_sub(gutter + names + 1),
            height: plot_rows,
        };
        let faint = theme.style(Role::Faint);
        let muted = theme.style(Role::Muted);
        let mut raster = Raster::new(plot.width, plot.height);
        for tick in &ticks {
            let y = self.dot_row(&raster, *tick);
            raster.line((0, y), (raster.columns() - 1, y), faint, (8, 7), 0);
        }
        if let Some((k, _)) = self.mark {
            let x = self.dot_column(&raster, k);
            for y in (0..raster.rows()).step_by(2) {
                raster.dot(x, y, muted);
            }
        }
        for series in self.series {
            self.band(&mut raster, series, faint);
        }
        for series in self.series {
            self.line(&mut raster, series, theme.style(series.role));
        }
        raster.render(plot, buf);
        for (tick, label) in ticks.iter().zip(&labels) {
            let y = (self.dot_row(&raster, *tick) / 4) as u16;
            put_right(buf, area, gutter - 1, y, label, muted);
        }
        self.name_lines(&raster, plot, names, buf, theme);
        self.mark_words(&raster, plot, buf, theme);
        for (at, label) in axis::log2(self.max_k, usize::from(plot.width)) {
            let start = (gutter + at as u16).saturating_sub(label.len() as u16 / 2);
            put(buf, area, start, plot_rows, &label, muted);
        }
    }

    /// The names at the ends of the lines, one below the other where they would meet.
    fn name_lines(&self, raster: &Raster, plot: Rect, names: u16, buf: &mut Buffer, theme: &Theme) {
        let mut ends: Vec<(i32, u16, &Series<'_>)> = self
            .series
            .iter()
            .filter_map(|s| {
                let last = s.points.iter().rfind(|p| p.value.is_finite())?;
                let column = (self.dot_column(raster, last.k) / 2) as u16;
                Some((self.dot_row(raster, last.value) / 4, column, s))
            })
            .collect();
        ends.sort_by_key(|(y, ..)| *y);
        let area = Rect { width: plot.width + 1 + names, ..plot };
        let mut next = 0;
        let mut left = ends.len() as i32;
        for (y, column, series) in ends {
            let y = y.clamp(next, (i32::from(plot.height) - left).max(next));
            let style = theme.style(series.role).add_modifier(Modifier::BOLD);
            put(buf, area, column + 2, y as u16, series.name, style);
            next = y + 1;
            left -= 1;
        }
    }

    fn mark_words(&self, raster: &Raster, plot: Rect, buf: &mut Buffer, theme: &Theme) {
        let Some((k, words)) = self.mark else { return };
        let at = (self.dot_column(raster, k) / 2) as u16;
        let width = text::width(words) as u16;
        // Low on the chart: pass@k rises, so the lower right is free.
        let y = plot.height.saturating_sub(2);
        let style = theme.style(Role::Muted);
        if at + 2 + width <= plot.width {
            put(buf, plot, at + 2, y, words, style);
        } else {
            put_right(buf, plot, at.saturating_sub(1), y, words, style);
        }
    }

    fn band(&self, raster: &mut Raster, series: &Series<'_>, style: Style) {
        for pair in series.points.windows(2) {
            let (Some(a), Some(b)) = (pair[0].band, pair[1].band) else { continue };
            let (x0, x1) = (self.dot_column(raster, pair[0].k), self.dot_column(raster, pair[1].k));
            for x in x0..=x1 {
                let t = if x1 > x0 { f64::from(x - x0) / f64::from(x1 - x0) } else { 0.0 };
                let high = self.dot_row(raster, a.1 + t * (b.1 - a.1));
                let low = self.dot_row(raster, a.0 + t * (b.0 - a.0));
                for y in high..=low {
                    if x % 2 == 0 && (y + x / 2) % 2 == 0 {
                        raster.dot(x, y, style);
                    }
                }
            }
        }
    }

    fn line(&self, raster: &mut Raster, series: &Series<'_>, style: Style) {
        let dash = if series.dashed { (6, 2) } else { (0, 0) };
        let mut phase = 0;
        let place =
            |raster: &Raster, p: &Point| (self.dot_column(raster, p.k), self.dot_row(raster, p.value));
        for pair in series.points.windows(2) {
            if pair.iter().all(|p| p.value.is_finite()) {
                phase = raster.stroke(place(raster, &pair[0]), place(raster, &pair[1]), style, dash, phase);
            }
        }
        if let [only] = series.points
            && only.value.is_finite()
        {
            let (x, y) = place(raster, only);
            raster.stroke((x, y), (x + 1, y), style, (0, 0), 0);
        }
    }

    fn dot_column(&self, raster: &Raster, k: u32) -> i32 {
        let share = f64::from(k.max(1)).log2() / f64::from(self.max_k.max(2)).log2();
        (share * f64::from(raster.columns() - 1)).round() as i32
    }

    fn dot_row(&self, raster: &Raster, value: f64) -> i32 {
        let share = if self.top > 0.0 { (value / self.top).clamp(0.0, 1.0) } else { 0.0 };
        ((1.0 - share) * f64::from((raster.rows() - 1).max(0))).round() as i32
    }

    /// A line a series: name, sparkline, last value.
    fn sparklines(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        for (i, series) in self.series.iter().enumerate() {
            let line = row(area, i as u16);
            let style = theme.style(series.role);
            let values: Vec<f64> = series.points.iter().map(|p| p.value).collect();
            let room = usize::from(area.width.saturating_sub(11));
            put(buf, line, 0, 0, &text::left(series.name, 5), style);
            put(buf, line, 5, 0, &spark::line(&values, self.top, room), style);
            let last = text::decimal(values.last().copied(), 2);
            put_right(buf, line, line.width, 0, &last, style);
        }
    }

    fn numbers(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        for (i, series) in self.series.iter().enumerate() {
            let last = text::decimal(series.points.last().map(|p| p.value), 2);
            put(buf, row(area, i as u16), 0, 0, &last, theme.style(series.role));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Depth, Ground};

    const THEME: Theme = Theme::new(Depth::True, Ground::Dark);

    fn points(values: &[f64]) -> Vec<Point> {
        let at = |(i, v): (usize, &f64)| Point { k: 1 << i, value: *v, band: Some((v - 0.1, v + 0.1)) };
        values.iter().enumerate().map(at).collect()
    }

    fn drawn(width: u16, height: u16, base: &[Point], rlvr: &[Point]) -> Buffer {
        let series = [
            Series { name: "base", points: base, role: Role::Base, dashed: true },
            Series { name: "rlvr", points: rlvr, role: Role::Rlvr, dashed: false },
        ];
        let chart = Chart { series: &series, top: 1.0, max_k: 1024, mark: Some((32, "crossing at 32")) };
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        chart.render(area, &mut buf, &THEME);
        buf
    }

    fn lines(buf: &Buffer) -> Vec<String> {
        let area = buf.area;
        let line = |y| (0..area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..area.height).map(|y| line(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn a_chart_names_its_lines_axes_and_crossing() {
        let base = points(&[0.2, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.93, 0.96, 0.98, 1.0]);
        let rlvr = points(&[0.8, 0.82, 0.84, 0.85, 0.86, 0.86, 0.87, 0.87, 0.88, 0.88, 0.88]);
        let all = lines(&drawn(50, 10, &base, &rlvr));
        assert!(all[0].starts_with("1.0") && all[0].ends_with("base"), "{all:#?}");
        assert!(all[1].ends_with("rlvr"));
        assert!(all[8].starts_with("0.0"));
        assert!(all[7].contains("crossing at 32"));
        assert_eq!(all[9].split_whitespace().collect::<Vec<_>>(), ["1", "4", "16", "64", "256", "1024"]);
    }

    #[test]
    fn the_lines_have_the_colours_of_their_policies() {
        let buf = drawn(50, 10, &points(&[0.1; 11]), &points(&[0.9; 11]));
        let cells = |y: u16, role| (4..44).filter(|x| Some(buf[(*x, y)].fg) == THEME.style(role).fg).count();
        assert!(cells(0, Role::Rlvr) > 30 && cells(0, Role::Base) == 0);
        assert!(cells(8, Role::Base) > 20 && cells(8, Role::Rlvr) == 0);
    }

    #[test]
    fn with_little_room_it_is_a_sparkline_then_a_number() {
        let (base, rlvr) = (points(&[0.0, 0.5, 1.0]), points(&[0.25, 0.25, 0.25]));
        assert_eq!(lines(&drawn(16, 2, &base, &rlvr)), ["base ▁▅█    1.00", "rlvr ▃▃▃    0.25"]);
        assert_eq!(lines(&drawn(4, 2, &base, &rlvr)), ["1.00", "0.25"]);
        assert_eq!(lines(&drawn(4, 1, &[], &rlvr)), ["–"]);
    }

    #[test]
    fn gaps_and_empty_series_are_drawn_at_every_size() {
        let gap = points(&[0.5, f64::NAN, 0.5, f64::INFINITY]);
        for width in 0..60 {
            for height in 0..14 {
                drawn(width, height, &gap, &[]);
                drawn(width, height, &gap[..1], &points(&[-3.0, 7.0]));
            }
        }
    }
}
