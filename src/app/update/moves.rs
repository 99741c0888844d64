//! Where the selection goes: rows, panes, screens.

use super::{inspect, runs, screens};
use crate::app::effect::Effect;
use crate::app::state::explore::{Layout, Pane};
use crate::app::state::{Completions, Overlay, Palette, Screen, State};

/// Moves the selection of what is focused.
pub(super) fn step(state: &mut State, by: i64) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Help(at)) => {
            state.overlay = Some(Overlay::Help(moved(*at, by, usize::MAX)));
            return Vec::new();
        }
        Some(Overlay::Explain(at)) => {
            state.overlay = Some(Overlay::Explain(moved(*at, by, usize::MAX)));
            return Vec::new();
        }
        Some(Overlay::Log(at)) => {
            state.overlay = Some(Overlay::Log(moved(*at, by, usize::MAX)));
            return Vec::new();
        }
        Some(Overlay::Parity(at)) => {
            state.overlay = Some(Overlay::Parity(moved(*at, by, usize::MAX)));
            return Vec::new();
        }
        Some(Overlay::Palette(Palette { query, at })) => {
            let at = moved(*at, by, state.palette(query).len());
            state.overlay = Some(Overlay::Palette(Palette { query: query.clone(), at }));
            return Vec::new();
        }
        _ => {}
    }
    match (state.screen, state.explore.pane) {
        (Screen::Runs, _) => {
            state.runs.selected = moved(state.runs.selected, by, state.runs.list.len());
            Vec::new()
        }
        (Screen::Completions, _) if state.completions.reading => {
            state.completions.scroll = moved(state.completions.scroll, by, usize::MAX);
            state.completions.follow = false;
            Vec::new()
        }
        (Screen::Completions, _) => {
            let at = moved(state.selected_member(), by, state.figures.members.len());
            select_member(state, at)
        }
        (Screen::Curves, _) => Vec::new(),
        (Screen::Suite, _) => screens::select(state, by),
        (Screen::Explore, Pane::Clusters(_)) => {
            select_row(state, moved(state.selected_row(), by, state.figures.here.rows.len()));
            Vec::new()
        }
        (Screen::Explore, Pane::Problems) => {
            let shown = &state.figures.listed;
            let at = state.place_of(state.current);
            // From a problem that the filter hides, one step goes to the nearest that it shows.
            let hidden = shown.get(at) != Some(&state.current);
            let by = if hidden && by == 1 { 0 } else { by };
            match shown.get(moved(at, by, shown.len())) {
                Some(&problem) => go(state, problem),
                None => Vec::new(),
            }
        }
        (Screen::Training, _) => Vec::new(),
    }
}

/// `at` moved by `by` within 0..len; 0 where that is empty.
pub(super) fn moved(at: usize, by: i64, len: usize) -> usize {
    let last = len.saturating_sub(1);
    match by {
        i64::MIN => 0,
        i64::MAX => last,
        _ => at.saturating_add_signed(by as isize).min(last),
    }
}

pub(super) fn go(state: &mut State, problem: usize) -> Vec<Effect> {
    if problem == state.current || problem >= state.problems.len() {
        return Vec::new();
    }
    state.current = problem;
    state.explore.cluster = None;
    vec![Effect::Focus(problem)]
}

pub(super) fn select_row(state: &mut State, row: usize) {
    if let Some(row) = state.figures.here.rows.get(row) {
        state.explore.cluster = Some(row.key.clone());
    }
}

pub(super) fn select_member(state: &mut State, at: usize) -> Vec<Effect> {
    if let Some(&index) = state.figures.members.get(at) {
        state.completions.index = Some(index);
        state.completions.begin();
    }
    Vec::new()
}

pub(super) fn pane(state: &mut State, by: i32) -> Vec<Effect> {
    match state.screen {
        Screen::Runs => {}
        Screen::Explore => state.explore.pane = state.explore.pane.step(by, state.explore.layout),
        Screen::Curves => state.curves.tile = state.curves.tile.step(by),
        Screen::Suite => {}
        Screen::Completions => {
            let at = if state.completions.reading { 2 } else { state.completions.side as i32 };
            match (at + by).rem_euclid(3) {
                2 => state.completions.reading = true,
                side => {
                    state.completions.reading = false;
                    tab(state, side as usize);
                }
            }
        }
        Screen::Training => {}
    }
    Vec::new()
}

pub(super) fn tab(state: &mut State, side: usize) {
    if state.completions.side != side {
        state.completions.side = side;
        state.completions.index = None;
        state.completions.begin();
    }
}

/// The next problem, or the next cluster where one is open.
pub(super) fn neighbour(state: &mut State, by: i64) -> Vec<Effect> {
    match state.screen {
        Screen::Runs => Vec::new(),
        Screen::Explore | Screen::Curves | Screen::Suite => {
            let problem = moved(state.current, by, state.problems.len());
            go(state, problem)
        }
        Screen::Completions => {
            let row = moved(state.selected_row(), by, state.figures.here.rows.len());
            select_row(state, row);
            if let Some(key) = state.explore.cluster.clone() {
                state.completions = Completions::open(key, state.completions.side);
            }
            Vec::new()
        }
        Screen::Training => Vec::new(),
    }
}

pub(super) fn flip(state: &mut State, by: i64) -> Vec<Effect> {
    let n = state.problems.len();
    let step = |i: usize| (state.current + if by > 0 { i } else { n - i }) % n.max(1);
    match (1..n).map(step).find(|&p| state.figures.lines[p].flipped()) {
        Some(problem) => go(state, problem),
        None => {
            state.notice = Some("nothing was lost or gained on another problem so far".to_owned());
            Vec::new()
        }
    }
}

pub(super) fn open(state: &mut State) -> Vec<Effect> {
    match state.screen {
        Screen::Curves => state.curves.maximised = !state.curves.maximised,
        Screen::Suite => return screens::open_entry(state),
        Screen::Runs => return runs::open(state),
        Screen::Completions => state.completions.reading = true,
        Screen::Explore => {
            let Some(row) = state.figures.here.rows.get(state.selected_row()) else {
                return Vec::new();
            };
            let (key, hits) = (row.key.clone(), row.hits);
            // Where no side is chosen: the one that has any.
            let side = match (state.explore.pane, state.explore.layout) {
                (Pane::Clusters(side), Layout::Beside) => side,
                _ => usize::from(hits[0] == 0),
            };
            state.explore.cluster = Some(key.clone());
            state.completions = Completions::open(key, side);
            state.screen = Screen::Completions;
        }
        Screen::Training => {}
    }
    Vec::new()
}

/// One level back.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if state.overlay.take().is_some() {
        return Vec::new();
    }
    if state.screen == Screen::Completions
        && let Some(effects) = inspect::back(state)
    {
        return effects;
    }
    match state.screen {
        Screen::Runs => state.screen = Screen::Explore,
        Screen::Completions if state.completions.reading => state.completions.reading = false,
        Screen::Completions => state.screen = Screen::Explore,
        Screen::Curves => screens::back_from_curves(state),
        Screen::Explore
            if !state.explore.clusters.is_empty()
                && (state.explore.pane != Pane::Problems || state.explore.filter.is_empty()) =>
        {
            state.explore.clusters.clear();
        }
        Screen::Explore | Screen::Suite if !state.explore.filter.is_empty() => state.explore.filter.clear(),
        Screen::Suite => state.screen = Screen::Explore,
        Screen::Explore => state.explore.pane = Pane::Problems,
        Screen::Training => state.screen = Screen::Explore,
    }
    Vec::new()
}
