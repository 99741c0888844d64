//! What the recording's threads say.

use crate::app::effect::Effect;
use crate::app::state::{Screen, State};
use crate::completion::clean;
use crate::record::News;
use crate::record::index::Batch;
use crate::run::Item;

/// Takes news of the recording in.
pub(super) fn told(state: &mut State, news: News) -> Vec<Effect> {
    match news {
        News::Read(batch) => read(state, batch),
        News::Complete { wrong, first } => return complete(state, wrong, first),
        News::Unreadable(reason) => {
            state.recording.reading = None;
            state.progress.finished = true;
            state.notice = Some(clean(&reason));
        }
        News::Writes { generation, file, texts } if generation == state.generation => {
            state.recording.file = clean(&file);
            state.archive.read_from(Box::new(texts));
            // The file is new, and belongs into the list.
            if state.screen == Screen::Runs {
                return vec![Effect::ListRuns];
            }
        }
        News::Saved { generation, places } if generation == state.generation => {
            for p in places {
                state.archive.stands(p.policy, p.problem, p.index, p.at);
            }
        }
        // Of a generation that is over.
        News::Writes { .. } | News::Saved { .. } => {}
        News::Blocked(reason) => {
            state.recording.blocked = Some(clean(&reason));
            return vec![Effect::Pause];
        }
        News::Unblocked => {
            state.recording.blocked = None;
            if !state.progress.paused {
                return vec![Effect::Resume];
            }
        }
    }
    Vec::new()
}

fn read(state: &mut State, batch: Batch) {
    state.recording.reading = Some(batch.progress);
    state.more_problems(batch.problems);
    for (problem, verdict) in batch.classes {
        let number = state.ledger.class(problem as usize, &verdict).unwrap_or(u32::MAX);
        state.recording.classes.push((problem, number));
    }
    let mut most = state.settings.k;
    for record in &batch.records {
        let class = state.recording.classes.get(record.class as usize);
        let Some(&(problem, class)) = class.filter(|(problem, _)| *problem == record.problem) else {
            continue;
        };
        let Some(&policy) = state.recording.order.get(record.policy()) else { continue };
        let counted = record.counted();
        state.ledger.count(policy, problem as usize, class, &counted);
        state.archive.stands(policy, problem as usize, counted.index, record.at());
        state.figures.touch(problem as usize);
        most = most.max(counted.index.saturating_add(1));
    }
    state.recording.drawn = state.archive.saved();
    if state.recording.only_read {
        // One strange index says nothing of how many were asked for.
        state.settings.k = most.min(state.recording.drawn.try_into().unwrap_or(u32::MAX).max(1));
    }
}

/// All that is there is read: it is drawn on from there, unless it is only read.
fn complete(state: &mut State, wrong: u64, first: Option<String>) -> Vec<Effect> {
    let begun = state.recording.reading.take().is_some() && !state.progress.finished;
    if let Some(first) = first.filter(|_| begun) {
        let more = if wrong > 1 { format!(" ({wrong} lines are left out)") } else { String::new() };
        state.notice = Some(clean(&format!("{first}{more}")));
    }
    if state.recording.only_read {
        state.progress.finished = true;
        return Vec::new();
    }
    if !begun {
        return Vec::new();
    }
    let item = |(policy, problem, indices)| Item { policy, problem, indices };
    vec![Effect::Begin(state.archive.ranges().into_iter().map(item).collect()), Effect::Focus(state.current)]
}
