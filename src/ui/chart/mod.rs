//! Line charts: a log2 axis for k, bands for intervals, series named at the end of their
//! lines, a crosshair. With little room a chart becomes a sparkline, then a number.

pub mod axis;
mod raster;
pub mod steps;

use super::canvas::{put, put_right, row};
use super::text;
use super::theme::{Role, Theme};
use super::widgets::spark;
use axis::Axis;
use raster::Raster;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// A chart of series.
pub struct Chart<'a> {
    /// Drawn in this order: the last one lies on top.
    pub series: &'a [Series<'a>],
    /// What the y axis runs from and to.
    pub y: (f64, f64),
    pub x: Axis,
    /// An x that is marked with a vertical line and these words.
    pub mark: Option<(f64, &'a str)>,
    /// Where the crosshair stands.
    pub cursor: Option<f64>,
    /// Single points with a letter: what others have published.
    pub marks: &'a [(f64, f64, &'a str)],
}

/// One line of a chart.
pub struct Series<'a> {
    pub name: &'a str,
    /// By rising x. What is not finite is a gap.
    pub points: &'a [Point],
    pub role: Role,
    /// Tells the series apart where there is no colour.
    pub dashed: bool,
    /// Whether a value holds back to the point before, as in a distribution.
    pub steps: bool,
}

/// A value at x with its interval, if it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub value: f64,
    pub band: Option<(f64, f64)>,
}

impl Series<'_> {
    /// The value at the point that is nearest to `x` on the axis, with that point's x.
    pub fn near(&self, axis: Axis, x: f64) -> Option<Point> {
        let distance = |p: &&Point| (axis.share(p.x) - axis.share(x)).abs();
        let finite = self.points.iter().filter(|p| p.value.is_finite());
        finite.min_by(|a, b| distance(a).total_cmp(&distance(b))).copied()
    }
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

    /// Where the lines are drawn, between the labels: from the first k to the last. `None`
    /// where there is no room for a chart.
    pub fn plot(&self, area: Rect) -> Option<Rect> {
        (area.height >= 4 && area.width >= 20).then(|| {
            let names = self.series.iter().map(|s| text::width(s.name)).max().unwrap_or(0).min(8) as u16;
            let (_, labels) = self.labels(area);
            let gutter = labels.iter().map(String::len).max().unwrap_or(0) as u16 + 1;
            let width = area.width.saturating_sub(gutter + names + 1);
            Rect { x: area.x + gutter, width, height: area.height - 1, ..area }
        })
    }

    /// The ticks of the y axis and their labels.
    fn labels(&self, area: Rect) -> (Vec<f64>, Vec<String>) {
        let (bottom, top) = self.y;
        let (ticks, decimals) =
            axis::linear(top - bottom, usize::from(area.height.saturating_sub(1) / 2 + 1));
        // On round numbers also where the axis does not begin at one.
        let step = ticks.get(1).copied().unwrap_or(1.0);
        let first = (bottom / step - 1e-6).ceil() * step;
        let on_axis = |t: f64| (first + t <= top + step * 1e-6).then_some(first + t);
        let ticks: Vec<f64> = ticks.into_iter().filter_map(on_axis).collect();
        let decimals = if bottom > 0.0 { decimals.max(2) } else { decimals };
        let labels = ticks.iter().map(|t| format!("{t:.decimals$}")).collect();
        (ticks, labels)
    }

    fn chart(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let Some(plot) = self.plot(area) else { return };
        let (ticks, labels) = self.labels(area);
        let (plot_rows, gutter) = (plot.height, plot.x - area.x);
        let names = area.width.saturating_sub(gutter + plot.width + 1);
        let faint = theme.style(Role::Faint);
        let muted = theme.style(Role::Muted);
        let mut raster = Raster::new(plot.width, plot.height);
        for tick in &ticks {
            let y = self.dot_row(&raster, *tick);
            raster.line((0, y), (raster.columns() - 1, y), faint, (8, 7), 0);
        }
        for (x, step) in self.mark.map(|m| (m.0, 2)).into_iter().chain(self.cursor.map(|x| (x, 1))) {
            let style = if step == 1 { theme.style(Role::Accent) } else { muted };
            let x = self.dot_column(&raster, x);
            for y in (0..raster.rows()).step_by(step) {
                raster.dot(x, y, style);
            }
        }
        for series in self.series {
            self.band(&mut raster, series, faint);
        }
        for series in self.series {
            self.line(&mut raster, series, theme.style(series.role));
        }
        raster.render(plot, buf);
        for (x, value, letter) in self.marks {
            let column = self.dot_column(&raster, *x);
            if (0..raster.columns()).contains(&column) {
                let y = (self.dot_row(&raster, *value) / 4) as u16;
                put(buf, plot, (column / 2) as u16, y, letter, theme.style(Role::Title));
            }
        }
        for (tick, label) in ticks.iter().zip(&labels) {
            let y = (self.dot_row(&raster, *tick) / 4) as u16;
            put_right(buf, area, gutter - 1, y, label, muted);
        }
        self.name_lines(&raster, plot, names, buf, theme);
        self.mark_words(&raster, plot, buf, theme);
        for (at, label) in self.x.ticks(usize::from(plot.width)) {
            let start = (gutter + at as u16).saturating_sub(label.len() as u16 / 2);
            put(buf, area, start, plot_rows, &label, muted);
        }
    }

    /// The names at the ends of the lines, one below the other where they would meet.
    fn name_lines(&self, raster: &Raster, plot: Rect, names: u16, buf: &mut Buffer, theme: &Theme) {
        let mut ends: Vec<(i32, u16, &Series<'_>)> = self
            .series
            .iter()
            .filter(|s| !s.name.is_empty())
            .filter_map(|s| {
                let last = self.last_shown(s).filter(|p| self.is_inside(p.value))?;
                let column = (self.dot_column(raster, last.x).max(0) / 2) as u16;
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
        let Some((x, words)) = self.mark.filter(|m| (0.0..=1.0).contains(&self.x.share(m.0))) else { return };
        let at = (self.dot_column(raster, x) / 2) as u16;
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
            let (x0, x1) = (self.dot_column(raster, pair[0].x), self.dot_column(raster, pair[1].x));
            for x in x0.max(0)..=x1.min(raster.columns()) {
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
            |raster: &Raster, p: &Point| (self.dot_column(raster, p.x), self.dot_row(raster, p.value));
        for pair in series.points.windows(2) {
            let (mut from, to) = (place(raster, &pair[0]), place(raster, &pair[1]));
            // A stroke across the whole window: what lies outside of it costs no dots.
            let beside = to.0 < 0 || from.0 > raster.columns();
            let outside = pair.iter().all(|p| !self.is_inside(p.value));
            if pair.iter().any(|p| !p.value.is_finite()) || beside || outside {
                continue;
            }
            if series.steps {
                let corner = (from.0, to.1);
                phase = raster.stroke(from, corner, style, dash, phase);
                from = corner;
            }
            phase = raster.stroke(from, to, style, dash, phase);
        }
        if let [only] = series.points
            && only.value.is_finite()
        {
            let (x, y) = place(raster, only);
            raster.stroke((x, y), (x + 1, y), style, (0, 0), 0);
        }
    }

    /// Where a series leaves the window: its last point, or a place between two.
    fn last_shown(&self, series: &Series<'_>) -> Option<Point> {
        let finite = || series.points.iter().filter(|p| p.value.is_finite());
        let inside = finite().rfind(|p| self.x.share(p.x) <= 1.0 + 1e-9).copied();
        let beyond = finite().find(|p| self.x.share(p.x) > 1.0 + 1e-9);
        let (Some(from), Some(to)) = (inside, beyond) else { return inside };
        let (a, b) = (self.x.share(from.x), self.x.share(to.x));
        let t = if b > a { (1.0 - a) / (b - a) } else { 0.0 };
        Some(Point { x: self.x.at(1.0), value: from.value + t * (to.value - from.value), band: None })
    }

    /// Whether a value is in a window that was zoomed into; one that starts at 0 shows what
    /// lies beyond it at its edge.
    fn is_inside(&self, value: f64) -> bool {
        let room = (self.y.1 - self.y.0) * 0.01;
        (self.y.0 - room..=self.y.1 + room).contains(&value) || self.y.0 <= 0.0
    }

    fn dot_column(&self, raster: &Raster, x: f64) -> i32 {
        let share = self.x.share(x).clamp(-2.0, 3.0);
        (share * f64::from(raster.columns() - 1)).round() as i32
    }

    fn dot_row(&self, raster: &Raster, value: f64) -> i32 {
        let (bottom, top) = self.y;
        let share = if top > bottom { ((value - bottom) / (top - bottom)).clamp(0.0, 1.0) } else { 0.0 };
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
            put(buf, line, 5, 0, &spark::line(&values, self.y.1, room), style);
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
        let at =
            |(i, v): (usize, &f64)| Point { x: f64::from(1 << i), value: *v, band: Some((v - 0.1, v + 0.1)) };
        values.iter().enumerate().map(at).collect()
    }

    fn drawn(width: u16, height: u16, base: &[Point], rlvr: &[Point]) -> Buffer {
        let series = [
            Series { name: "base", points: base, role: Role::Base, dashed: true, steps: false },
            Series { name: "rlvr", points: rlvr, role: Role::Rlvr, dashed: false, steps: false },
        ];
        let chart = Chart {
            series: &series,
            y: (0.0, 1.0),
            x: Axis::k(1024),
            mark: Some((32.0, "crossing at 32")),
            cursor: None,
            marks: &[],
        };
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
    fn a_crosshair_a_published_point_and_a_zoomed_axis_stand_where_they_should() {
        let base = points(&[0.2, 0.3, 0.45, 0.6, 0.7, 0.8]);
        let series = [Series { name: "base", points: &base, role: Role::Base, dashed: false, steps: true }];
        let chart = Chart {
            series: &series,
            y: (0.5, 1.0),
            x: Axis::Log2 { from: 8.0, to: 32.0 },
            mark: None,
            cursor: Some(16.0),
            marks: &[(32.0, 0.75, "◆"), (4.0, 0.75, "◇")],
        };
        let area = Rect::new(0, 0, 50, 10);
        let mut buf = Buffer::empty(area);
        chart.render(area, &mut buf, &THEME);
        let all = lines(&buf);
        assert!(all[0].starts_with("1.00") && all[9].contains("16"), "{all:#?}");
        assert_eq!(all.iter().filter(|l| l.contains('◆')).count(), 1);
        assert!(!all.iter().any(|l| l.contains('◇')), "outside of the window");
        let crosshair = buf.content.iter().filter(|c| Some(c.fg) == THEME.style(Role::Accent).fg).count();
        // Where no line runs through its cells.
        assert!(crosshair >= 3, "{crosshair}");
        assert_eq!(series[0].near(chart.x, 17.0), Some(base[4]));
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
