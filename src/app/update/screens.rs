//! Going from screen to screen, and what the keys of Curves and Suite do.

use super::{go, moved, open};
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::state::explore::Pane;
use crate::app::state::suite::Entry;
use crate::app::state::{Overlay, Screen, State};

/// How far a key moves the crosshair, in hundredths of the window.
const STRIDE: f64 = 5.0;

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::ToCompletions if state.screen != Screen::Completions => {
            state.screen = Screen::Explore;
            return open(state);
        }
        Action::ToExplore => state.screen = Screen::Explore,
        Action::ToCurves => state.screen = Screen::Curves,
        Action::ToSuite => {
            state.screen = Screen::Suite;
            state.suite.selected = Entry::Problem(state.current);
        }
        Action::Explain => state.overlay = Some(Overlay::Explain(0)),
        Action::Regrade => {
            let grading = state.regrade.grading.next();
            state.grade_by(grading);
            state.notice = Some(format!("judged by {}", grading.words()));
        }
        Action::CursorLeft => state.curves.shift(-STRIDE),
        Action::CursorRight => state.curves.shift(STRIDE),
        Action::ZoomIn => state.curves.zoom(true),
        Action::ZoomOut => state.curves.zoom(false),
        Action::Layout => {
            let explore = &mut state.explore;
            explore.layout = explore.layout.other();
            state.notice = Some(format!("clusters {}", explore.layout.words()));
        }
        Action::Sort if state.screen == Screen::Explore && state.explore.pane != Pane::Problems => {
            state.explore.order = state.explore.order.next();
            state.notice = Some(format!("clusters: {}", state.explore.order.words()));
        }
        Action::Sort => {
            state.suite.sort = state.suite.sort.next();
            state.notice = Some(state.suite.sort.words().to_owned());
        }
        _ => {}
    }
    Vec::new()
}

/// Moves the selection of the table.
pub(super) fn select(state: &mut State, by: i64) -> Vec<Effect> {
    let entries = state.entries();
    let at = moved(state.selected_entry(&entries), by, entries.len());
    select_entry(state, at)
}

/// Selects a line of the table; a problem is drawn first from then on.
pub(super) fn select_entry(state: &mut State, at: usize) -> Vec<Effect> {
    let Some(entry) = state.entries().get(at).copied() else { return Vec::new() };
    state.suite.selected = entry;
    match entry {
        Entry::Problem(problem) => go(state, problem),
        _ => Vec::new(),
    }
}

pub(super) fn open_entry(state: &mut State) -> Vec<Effect> {
    match state.suite.selected {
        Entry::Problem(problem) => {
            state.screen = Screen::Explore;
            go(state, problem)
        }
        Entry::Task(task) => {
            if !state.suite.folded.remove(&task) {
                state.suite.folded.insert(task);
            }
            Vec::new()
        }
        Entry::Total | Entry::Published { .. } => Vec::new(),
    }
}

/// One level back.
pub(super) fn back_from_curves(state: &mut State) {
    let curves = &mut state.curves;
    if curves.zoom > 0 {
        curves.zoom = 0;
    } else if curves.cursor.is_some() {
        curves.cursor = None;
    } else if curves.maximised {
        curves.maximised = false;
    } else {
        state.screen = Screen::Explore;
    }
}
