//! The chart of pass@k of both policies, over what luck alone reaches.

use super::frame::frame;
use crate::app::State;
use crate::app::figures::Measures;
use crate::app::state::Scope;
use crate::app::study::Study;
use crate::support::{self, Crossing};
use crate::ui::canvas::inset;
use crate::ui::chart::axis::Axis;
use crate::ui::chart::{Chart, Point, Series};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn pass(state: &State, scope: Scope, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let whose = match scope {
        Scope::Problem => " this problem ".to_owned(),
        Scope::All => format!(" {} problems ", state.problems.len()),
    };
    let (mark, note) = crossing(state, scope);
    let name = if state.lens.sound { " sound pass@k " } else { " pass@k " };
    let title = [(name, theme.style(Role::Title)), (whose.as_str(), theme.style(Role::Muted))];
    let inner = frame(buf, area, theme, false, &title, &note);
    let curves = Curves::of(state, scope);
    let series = curves.series(state);
    let words = mark.map(|k| format!("crossing {k}"));
    let mark = mark.map(f64::from).zip(words.as_deref());
    let x = Axis::k(max_k(state));
    let chart = Chart { series: &series, y: (0.0, 1.0), x, mark, cursor: None, marks: &[] };
    chart.render(inset(inner, 1, 0), buf, theme);
}

/// The points of the chart.
pub struct Curves {
    /// Base and RLVR.
    pass: [Vec<Point>; 2],
    luck: [Vec<Point>; 2],
}

impl Curves {
    pub fn of(state: &State, scope: Scope) -> Self {
        let measures: &[Measures; 2] = match scope {
            Scope::Problem => &state.figures.here.measures,
            Scope::All => &state.figures.all.measures,
        };
        let study: Option<&Study> = match scope {
            Scope::Problem => state.study_here(),
            Scope::All => state.study_all(),
        };
        let luck = |side: usize| {
            let points = study.map_or(&[][..], |s| &s.luck[side]);
            points.iter().map(|p| Point { x: p.k.into(), value: p.value, band: None }).collect()
        };
        Curves { pass: [0, 1].map(|side| points(&measures[side].curve)), luck: [luck(0), luck(1)] }
    }

    /// Both policies over their luck.
    pub fn series<'a>(&'a self, state: &'a State) -> Vec<Series<'a>> {
        let of = |name, points: &'a [Point], role, side| Series {
            name,
            points,
            role,
            dashed: side == 0,
            steps: false,
        };
        let luck = [0, 1].map(|side| of("luck", &self.luck[side], Role::Muted, side));
        let roles = [Role::Base, Role::Rlvr];
        let pass = [0, 1].map(|side| of(state.name(side), &self.pass[side], roles[side], side));
        luck.into_iter().filter(|s| !s.points.is_empty()).chain(pass).collect()
    }
}

/// The k of the crossing, and the words for the border.
pub fn crossing(state: &State, scope: Scope) -> (Option<u32>, String) {
    match (scope, state.figures.all.crossing) {
        (Scope::Problem, _) | (_, Crossing::Unknown) => (None, String::new()),
        (_, Crossing::At { k, low, high }) => (Some(k), format!(" crossing {k} [{low}, {high}] ")),
        (_, Crossing::NoneUpTo(k)) => (None, format!(" no crossing up to k = {} ", text::grouped(k.into()))),
    }
}

/// A curve with its band as it is drawn.
pub fn points(curve: &[support::Point]) -> Vec<Point> {
    curve
        .iter()
        .map(|p| Point { x: p.k.into(), value: p.value, band: (p.low < p.high).then_some((p.low, p.high)) })
        .collect()
}

/// Where axes of k end: at what is to be drawn, or what is.
pub fn max_k(state: &State) -> u32 {
    let (here, all) = (&state.figures.here.measures, &state.figures.all.measures);
    let drawn = here.iter().chain(all).flat_map(|m| &m.curve).map(|p| p.k).max();
    state.settings.k.max(drawn.unwrap_or(1))
}
