//! Curves: pass@k, Cover@τ, coverage and entropy of both policies, tiled or one alone, with
//! one crosshair on all of them.

use crate::app::state::Scope;
use crate::app::state::curves::Tile;
use crate::app::state::suite::Entry;
use crate::app::study::distinct;
use crate::app::{State, Target};
use crate::support::paper::Published;
use crate::ui::canvas::{inset, put, row};
use crate::ui::chart::axis::{self, Axis};
use crate::ui::chart::{Chart, Point, Series};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use crate::ui::widgets::pass::{self, points};
use crate::ui::widgets::{entropy, footer, header};
use crate::ui::{Seen, layout, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let panes = layout::large(area, 0);
    header::header(state, theme, panes.header, buf);
    header::statement(state, theme, panes.statement, buf);
    let main = panes.main;
    let tiled = !state.curves.maximised && main.height >= 16 && main.width >= 60;
    if tiled {
        for (tile, area) in Tile::ALL.into_iter().zip(layout::tiles(main)) {
            draw_tile(state, tile, theme, area, buf, seen);
        }
    } else {
        draw_tile(state, state.curves.tile, theme, main, buf, seen);
    }
    footer::footer(state, theme, panes.footer, buf);
}

/// What a tile shows.
struct Shown {
    title: &'static str,
    whose: String,
    note: String,
    lines: Vec<Line>,
    axis: Axis,
    /// What the y axis is up to, where it is no share.
    top: f64,
    mark: Option<u32>,
}

struct Line {
    name: String,
    points: Vec<Point>,
    role: Role,
    dashed: bool,
    steps: bool,
}

fn draw_tile(state: &State, tile: Tile, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let shown = shown(state, tile);
    let focused = tile == state.curves.tile;
    let title = format!(" {} ", shown.title);
    let whose = format!(" {} ", shown.whose);
    let title = [(title.as_str(), theme.style(Role::Title)), (whose.as_str(), theme.style(Role::Muted))];
    let mut inner = inset(frame(buf, area, theme, focused, &title, &shown.note), 1, 0);
    // Where there is room, token entropy stands under answer entropy, on an axis of its own.
    if tile == Tile::Entropy && inner.height >= 26 && !shown.lines.iter().all(|l| l.points.is_empty()) {
        let height = inner.height / 3;
        inner.height -= height;
        entropy::token_curve(state, theme, Rect { y: inner.bottom(), height, ..inner }, buf);
    }
    let published = if tile == Tile::Pass { published(state) } else { None };
    let cursor = state.curves.cursor.map(|share| shown.axis.at(share));
    // The readout and the published row stand under the chart, where there is room for both.
    let below = if inner.height >= 6 { u16::from(cursor.is_some()) } else { 0 };
    let below = below + u16::from(published.is_some() && inner.height >= 8);
    let reading = if tile == Tile::Entropy { entropy::reading(state) } else { None };
    let reading = reading.filter(|_| inner.height >= 13);
    let below = below + if reading.is_some() { 3 } else { 0 };
    let chart_area = Rect { height: inner.height.saturating_sub(below), ..inner };
    let x = window(state, shown.axis);
    let series: Vec<Series<'_>> = shown.lines.iter().map(Line::series).collect();
    let words = shown.mark.map(|k| format!("crossing {k}"));
    let marks = published.as_ref().map_or(Vec::new(), |p| points_of(p, x));
    let chart = Chart {
        series: &series,
        y: height(&series, x, shown.top, state.curves.zoom),
        x,
        mark: shown.mark.map(f64::from).zip(words.as_deref()),
        cursor,
        marks: &marks,
    };
    if series.iter().all(|s| s.points.is_empty()) {
        let words = empty(state, tile);
        for (y, line) in text::wrap(words, usize::from(inner.width)).into_iter().enumerate() {
            put(buf, row(inner, y as u16), 0, 0, &words[line], theme.style(Role::Muted));
        }
        return;
    }
    chart.render(chart_area, buf, theme);
    if let Some(plot) = chart.plot(chart_area) {
        target(tile, plot, area.height, seen);
    }
    let mut y = chart_area.height;
    if let Some(reading) = reading {
        let area = Rect { y: inner.y + y, height: 3, ..inner };
        entropy::quadrant(reading, theme, area, buf);
        let words = inset(area, 22, 0);
        for (y, line) in text::wrap(reading.words(), usize::from(words.width)).into_iter().take(3).enumerate()
        {
            put(buf, row(words, y as u16), 0, 0, &reading.words()[line], theme.style(Role::Text));
        }
        y += 3;
    }
    if let (Some(at), true) = (cursor, y < inner.height) {
        readout(&series, shown.axis, at, tile, theme, row(inner, y), buf);
        y += 1;
    }
    if let Some(p) = published.filter(|_| y < inner.height) {
        let both = p.row.pass_at_k.map(|b| format!("◇ {} → ◆ {} %", b.base, b.rlvr)).unwrap_or_default();
        let k = p.row.k.map_or(String::new(), |k| format!(" at k {k}"));
        let words = format!("{both}{k}: {} {}", p.rlvr, p.source);
        put(buf, row(inner, y), 0, 0, &text::fit(&words, usize::from(inner.width)), theme.style(Role::Muted));
    }
}

/// Every column of the plot is a place for the crosshair.
fn target(tile: Tile, plot: Rect, rows: u16, seen: &mut Seen) {
    let height = rows.min(plot.height);
    for column in 0..plot.width {
        let thousandth = (u32::from(column) * 1000 / u32::from(plot.width.max(2) - 1)) as u16;
        seen.target(
            Rect { x: plot.x + column, width: 1, height, ..plot },
            Target::Curve { tile, thousandth },
        );
    }
}

impl Line {
    fn series(&self) -> Series<'_> {
        Series {
            name: &self.name,
            points: &self.points,
            role: self.role,
            dashed: self.dashed,
            steps: self.steps,
        }
    }
}

/// The part of an axis that is in the window.
fn window(state: &State, axis: Axis) -> Axis {
    let (from, to) = state.curves.window();
    match axis {
        Axis::Log2 { .. } if state.curves.zoom == 0 => axis,
        Axis::Log2 { .. } => Axis::Log2 { from: axis.at(from), to: axis.at(to) },
        Axis::Linear { .. } => Axis::Linear { from: axis.at(from), to: axis.at(to) },
    }
}

/// What the y axis shows: all of it, or what the zoomed window holds, with some room.
fn height(series: &[Series<'_>], x: Axis, top: f64, zoom: u32) -> (f64, f64) {
    if zoom == 0 {
        return (0.0, top);
    }
    let inside = |p: &&Point| (-0.05..=1.05).contains(&x.share(p.x)) && p.value.is_finite();
    let values = || series.iter().filter(|s| s.role != Role::Muted).flat_map(|s| s.points).filter(inside);
    let low = values().map(|p| p.value).fold(f64::INFINITY, f64::min);
    let high = values().map(|p| p.value).fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return (0.0, top);
    }
    let room = ((high - low) * 0.1).max(top * 0.02);
    let step = top / 50.0;
    ((((low - room) / step).floor() * step).max(0.0), (((high + room) / step).ceil() * step).min(top))
}

fn shown(state: &State, tile: Tile) -> Shown {
    let scope = state.scope;
    let all = format!("{} problems", state.problems.len());
    let whose = match scope {
        Scope::Problem => "this problem".to_owned(),
        Scope::All => all.clone(),
    };
    let k = Axis::k(last_k(state));
    let study = match scope {
        Scope::Problem => state.study_here(),
        Scope::All => state.study_all(),
    };
    let both = |of: &dyn Fn(usize) -> Vec<Point>, steps: bool| -> Vec<Line> {
        let line = |side: usize| Line {
            name: state.name(side).to_owned(),
            points: of(side),
            role: [Role::Base, Role::Rlvr][side],
            dashed: side == 0,
            steps,
        };
        vec![line(0), line(1)]
    };
    match tile {
        Tile::Pass => {
            let (mark, note) = pass::crossing(state, scope);
            let curves = pass::Curves::of(state, scope);
            let own = |s: &Series<'_>| Line {
                name: s.name.to_owned(),
                points: s.points.to_vec(),
                role: s.role,
                dashed: s.dashed,
                steps: false,
            };
            let lines = curves.series(state).iter().map(own).collect();
            let title = if state.lens.sound { "sound pass@k" } else { "pass@k" };
            Shown { title, whose, note, lines, axis: k, top: 1.0, mark }
        }
        Tile::Cover => {
            let of = |side: usize| {
                let steps = state.study_all().map_or(&[][..], |s| &s.cover[side]);
                steps.iter().map(|(tau, share)| Point { x: *tau, value: *share, band: None }).collect()
            };
            let axis = Axis::Linear { from: 0.0, to: 1.0 };
            let note = " share with pass rate ≥ τ ".to_owned();
            Shown { title: "Cover@τ", whose: all, note, lines: both(&of, true), axis, top: 1.0, mark: None }
        }
        Tile::Coverage => {
            let of = |side: usize| study.map_or(Vec::new(), |s| points(&s.coverage[side]));
            let lines = both(&of, false);
            let note = format!(" {}s ", distinct(state.lens.unit).name());
            let top = highest(&lines, 1.0);
            Shown { title: "Distinct correct", whose, note, lines, axis: k, top, mark: None }
        }
        Tile::Entropy => {
            let history = &state.figures.here.history;
            let of = |side: usize| {
                history[side].iter().map(|p| Point { x: p.k.into(), value: p.answer, band: None }).collect()
            };
            let lines = both(&of, false);
            let note = entropy::reading(state).map_or(String::new(), |d| format!(" {} ", d.words()));
            let top = highest(&lines, 0.1);
            let whose = "this problem, nats".to_owned();
            Shown { title: "Answer entropy", whose, note, lines, axis: k, top, mark: None }
        }
    }
}

fn highest(lines: &[Line], least: f64) -> f64 {
    let values = lines.iter().flat_map(|l| &l.points).map(|p| p.value).filter(|v| v.is_finite());
    axis::ceiling(values.fold(0.0, f64::max), least)
}

/// Axes of k reach to what is published, where something is.
fn last_k(state: &State) -> u32 {
    pass::max_k(state).max(published(state).and_then(|p| p.row.k).unwrap_or(1))
}

/// The published row for the task on screen: that of these models, else the first.
fn published(state: &State) -> Option<&Published> {
    let task = match (state.scope, state.suite.selected) {
        (Scope::All, Entry::Task(task)) => task,
        _ => *state.tasks.of.get(state.current)?,
    };
    let rows = state.tasks.published.get(task)?;
    let names = [0, 1].map(|side| {
        let spec = state.policies.get(state.policy(side)).map_or("", |p| p.spec.as_str());
        format!("{} {spec}", state.name(side)).to_lowercase()
    });
    let known = |p: &&Published| names[1].contains(&p.rlvr.to_lowercase());
    rows.iter().find(known).or(rows.first())
}

fn points_of(p: &Published, x: Axis) -> Vec<(f64, f64, &'static str)> {
    let Some((k, both)) = p.row.k.zip(p.row.pass_at_k) else { return Vec::new() };
    let k = f64::from(k);
    // At the end of the axis, not beyond it.
    let k = if (x.share(k) - 1.0).abs() < 1e-6 { x.at(1.0) } else { k };
    vec![(k, both.base / 100.0, "◇"), (k, both.rlvr / 100.0, "◆")]
}

/// The value of every series at the crosshair.
fn readout(
    series: &[Series<'_>],
    axis: Axis,
    at: f64,
    tile: Tile,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let head = match tile {
        Tile::Cover => format!("τ {at:.2}"),
        _ => {
            let near = series.iter().rev().find_map(|s| s.near(axis, at));
            format!("k {}", near.map_or(text::NONE.to_owned(), |p| text::grouped(p.x as u64)))
        }
    };
    let mut x = put(buf, area, 0, 0, &head, theme.style(Role::Accent)) + 2;
    // The policies first: luck may be cut.
    let order = || series.iter().rev();
    let words = |s: &Series<'_>, bands: bool| {
        let point = match tile {
            // A step holds from its τ down to the one before.
            Tile::Cover => s.points.iter().find(|p| p.x >= at - 1e-9).copied(),
            _ => s.near(axis, at),
        };
        let value = text::decimal(point.map(|p| p.value), 3);
        let band = point.and_then(|p| p.band).filter(|_| bands);
        let band = band.map_or(String::new(), |(l, h)| format!(" [{l:.3}, {h:.3}]"));
        // Luck has the colour of neither, so its name says whose it is.
        let whose = if s.dashed { "base" } else { "RLVR" };
        let name = if s.role == Role::Muted { format!("{} {whose}", s.name) } else { text::fit(s.name, 8) };
        format!("{name} {value}{band}")
    };
    let room = usize::from(area.width.saturating_sub(x));
    let all: usize = order().map(|s| text::width(&words(s, true)) + 2).sum();
    for s in order() {
        let words = words(s, all <= room + 2);
        if x + text::width(&words) as u16 <= area.width {
            x = put(buf, area, x, 0, &words, theme.style(s.role)) + 2;
        }
    }
}

/// Why there is nothing to see.
fn empty(state: &State, tile: Tile) -> &'static str {
    match tile {
        _ if state.problems.is_empty() => "no problems",
        Tile::Pass | Tile::Entropy => "nothing drawn yet",
        Tile::Cover | Tile::Coverage if state.figures.here.k == 0 => "nothing drawn yet",
        Tile::Cover | Tile::Coverage => "computing …",
    }
}
