//! What the mouse does: nothing that keys cannot do.

use super::screens::{open_entry, select, select_entry};
use super::{act, go, moved, open, select_member, select_row, step, tab};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::message::Target;
use crate::app::state::State;
use crate::app::state::explore::Pane;

pub(super) fn click(state: &mut State, target: Target) -> Vec<Effect> {
    if state.overlay.is_some() {
        return Vec::new();
    }
    match target {
        Target::Problem(problem) => {
            state.explore.pane = Pane::Problems;
            return go(state, problem);
        }
        Target::Cluster { row, side } => {
            let again = state.explore.pane == Pane::Clusters(side)
                && state.explore.cluster.is_some()
                && state.selected_row() == row;
            state.explore.pane = Pane::Clusters(side);
            select_row(state, row);
            if again {
                return open(state);
            }
        }
        Target::Completion(at) => {
            state.completions.reading = false;
            return select_member(state, at);
        }
        Target::Tab(side) => {
            state.completions.reading = false;
            tab(state, side);
        }
        Target::Text => state.completions.reading = true,
        Target::Token(at) => {
            state.completions.reading = true;
            let last = state.tokens().map_or(0, |t| t.len().saturating_sub(1));
            super::inspect::point(state, at.min(last));
            // The line under the mouse stays under it.
            state.completions.follow = false;
        }
        Target::Run(at) => {
            let again = state.runs.selected == at;
            state.runs.selected = moved(at, 0, state.runs.list.len());
            if again {
                return open(state);
            }
        }
        Target::Support => return act(state, Action::Unit),
        Target::Chart => return act(state, Action::Scope),
        Target::Curve { tile, thousandth } => {
            let (from, to) = state.curves.window();
            state.curves.tile = tile;
            state.curves.point(from + (to - from) * f64::from(thousandth) / 1000.0);
        }
        Target::Entry(at) => {
            let entries = state.entries();
            if entries.get(at) == Some(&state.suite.selected) {
                return open_entry(state);
            }
            return select_entry(state, at);
        }
    }
    Vec::new()
}

/// The wheel moves what it is over, and focuses nothing.
pub(super) fn scroll(state: &mut State, target: Target, notches: i64) -> Vec<Effect> {
    if state.overlay.is_some() {
        return step(state, notches * 3);
    }
    match target {
        Target::Problem(_) => {
            let pane = std::mem::replace(&mut state.explore.pane, Pane::Problems);
            let effects = step(state, notches);
            state.explore.pane = pane;
            effects
        }
        Target::Cluster { .. } => {
            let row = moved(state.selected_row(), notches, state.figures.here.rows.len());
            select_row(state, row);
            Vec::new()
        }
        Target::Completion(_) | Target::Tab(_) => {
            let at = moved(state.selected_member(), notches, state.figures.members.len());
            select_member(state, at)
        }
        Target::Text | Target::Token(_) => {
            state.completions.scroll = moved(state.completions.scroll, notches * 3, usize::MAX);
            state.completions.follow = false;
            Vec::new()
        }
        Target::Curve { .. } => {
            state.curves.zoom(notches < 0);
            Vec::new()
        }
        Target::Entry(_) => select(state, notches),
        Target::Run(_) => {
            state.runs.selected = moved(state.runs.selected, notches, state.runs.list.len());
            Vec::new()
        }
        Target::Support | Target::Chart => Vec::new(),
    }
}
