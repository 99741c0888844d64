//! What keys do on Runs.

use crate::app::effect::Effect;
use crate::app::state::{Overlay, Screen, State};

/// Shows the user's runs.
pub(super) fn show(state: &mut State) -> Vec<Effect> {
    state.screen = Screen::Runs;
    vec![Effect::ListRuns]
}

/// Leaves this run for the selected one.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.runs.current().map(|run| Effect::OpenRun(run.path.clone())).into_iter().collect()
}

/// Asks for another name.
pub(super) fn rename(state: &mut State) -> Vec<Effect> {
    state.overlay = state.runs.current().map(|run| Overlay::Rename(run.name.clone()));
    Vec::new()
}

/// Asks whether to delete.
pub(super) fn delete(state: &mut State) -> Vec<Effect> {
    state.overlay = state.runs.current().map(|run| Overlay::Delete(run.name.clone()));
    Vec::new()
}

pub(super) fn renamed(state: &State, name: String) -> Vec<Effect> {
    let effect = |path| Effect::RenameRun { path, name };
    state.runs.current().map(|run| effect(run.path.clone())).into_iter().collect()
}

pub(super) fn deleted(state: &State) -> Vec<Effect> {
    state.runs.current().map(|run| Effect::DeleteRun(run.path.clone())).into_iter().collect()
}
