//! What the run says.

use crate::app::state::State;
use crate::completion::clean;
use crate::run::{Event, EventKind};

/// Takes news in; what an old generation still sends is dropped.
pub(super) fn happened(state: &mut State, event: Event) {
    if event.generation != state.generation {
        return;
    }
    match event.kind {
        EventKind::Drawn(all) => {
            state.recording.drawn += all.len() as u64;
            for d in all {
                state.figures.touch(d.problem);
                state.ledger.add(d.policy, d.problem, &d.completion, &d.verdict);
                state.regrade.touch(d.problem);
                state.archive.add(d.policy, d.problem, d.completion, d.verdict);
            }
        }
        EventKind::Failed { policy, message } => {
            let name = state.policies.get(policy).map_or("a policy", |p| p.name.as_str());
            let words = format!("{name}: {}", clean(&message).replace('\n', " "));
            fail(state, words);
        }
        EventKind::Panicked { message } => {
            let words = format!("a sampling thread panicked: {}", clean(&message).replace('\n', " "));
            fail(state, words);
        }
        EventKind::Noted { policy, message } => {
            let name = state.policies.get(policy).map_or("a policy", |p| p.name.as_str());
            let words = format!("{name}: {}", clean(&message).replace('\n', " "));
            state.log.add(&words, false);
            state.notice = Some(words);
        }
        EventKind::Finished => state.progress.finished = true,
    }
}

fn fail(state: &mut State, words: String) {
    // A broken policy fails on every problem with the same words.
    if state.progress.failures.last() != Some(&words) {
        state.progress.failures.push(words.clone());
    }
    state.log.add(&words, true);
}
