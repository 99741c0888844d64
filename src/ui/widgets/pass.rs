//! The chart of pass@k of both policies.

use super::frame::frame;
use crate::app::State;
use crate::app::figures::Measures;
use crate::app::state::Scope;
use crate::support::Crossing;
use crate::ui::canvas::inset;
use crate::ui::chart::{Chart, Point, Series};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn pass(state: &State, scope: Scope, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (measures, whose) = match scope {
        Scope::Problem => (&state.figures.here.measures, "this problem".to_owned()),
        Scope::All => (&state.figures.all.measures, format!("{} problems", state.problems.len())),
    };
    let crossing = match scope {
        Scope::Problem => Crossing::Unknown,
        Scope::All => state.figures.all.crossing,
    };
    let (mark, note) = match crossing {
        Crossing::At { k, low, high } => (Some(k), format!(" crossing {k} [{low}, {high}] ")),
        Crossing::NoneUpTo(k) => (None, format!(" no crossing to {} ", text::grouped(k.into()))),
        Crossing::Unknown => (None, String::new()),
    };
    let whose = format!(" {whose} ");
    let title = [(" pass@k ", theme.style(Role::Title)), (whose.as_str(), theme.style(Role::Muted))];
    let inner = frame(buf, area, theme, false, &title, &note);
    let points = [0, 1].map(|side| points(&measures[side]));
    let names = [0, 1].map(|side| state.name(side));
    let series = [
        Series { name: names[0], points: &points[0], role: Role::Base, dashed: true },
        Series { name: names[1], points: &points[1], role: Role::Rlvr, dashed: false },
    ];
    let words = mark.map(|k| format!("crossing {k}"));
    let mark = mark.zip(words.as_deref());
    let max_k = state.settings.k.max(points.iter().flatten().map(|p| p.k).max().unwrap_or(1));
    Chart { series: &series, top: 1.0, max_k, mark }.render(inset(inner, 1, 0), buf, theme);
}

fn points(measures: &Measures) -> Vec<Point> {
    measures.curve.iter().map(|p| Point { k: p.k, value: p.value, band: Some((p.low, p.high)) }).collect()
}
