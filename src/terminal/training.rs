//! What the screens ask of training and of the policies: carried out here.

use crate::app::state::Named;
use crate::app::{Message, State, update};
use crate::policy;
use crate::run::Campaign;
use crate::train::course;
use crate::train::session::{Ended, Event, EventKind, Order};
use crate::train::{Course, Trainee, Trainer};
use std::path::Path;
use tokio::sync::mpsc;

/// The trainer, from the first pull on.
#[derive(Default)]
pub(super) struct Training {
    trainer: Option<Trainer>,
    events: Option<mpsc::Receiver<Event>>,
}

impl Training {
    /// The next news; waits for ever where nothing was begun.
    pub async fn next(&mut self) -> Option<Event> {
        match &mut self.events {
            Some(events) => events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// News that is there already.
    pub fn more(&mut self) -> Option<Event> {
        self.events.as_mut()?.try_recv().ok()
    }

    /// Passes an order on; the first pull opens its base: the one on screen.
    pub fn obey(&mut self, order: Order, state: &mut State) {
        let pull = if let Order::Begin(begin) = &order { Some(begin.pull) } else { None };
        if pull.is_some() && self.trainer.is_none() {
            let spec = state.policies.first().map_or(String::new(), |p| p.spec.clone());
            match Trainee::open(&spec) {
                Ok(trainee) => {
                    let (trainer, events) = Trainer::new(trainee, asked(state), state.settings.threads);
                    (self.trainer, self.events) = (Some(trainer), Some(events));
                }
                Err(error) => return failed(state, pull, &error.to_string()),
            }
        }
        let Some(trainer) = &self.trainer else { return };
        if let Err(error) = trainer.send(order) {
            failed(state, pull, &format!("no thread to train on: {error}"));
        }
    }

    /// Draws from a pull's step too.
    pub fn keep(&self, pull: u32, step: usize, name: &str, state: &mut State, campaign: Option<&Campaign>) {
        let Some(campaign) = campaign else { return only_read(state) };
        let kept = self.trainer.as_ref().and_then(|t| t.policy(pull, step, name));
        match kept {
            Some(Ok(policy)) => {
                let named = Named { name: name.to_owned(), spec: policy.spec().to_owned() };
                campaign.adopt(policy);
                update(state, Message::Adopted(named));
            }
            Some(Err(error)) => notice(state, error.to_string()),
            None => notice(state, format!("pull {pull} keeps no step {step}")),
        }
    }

    /// Writes a pull's step into a new folder where the program runs.
    pub fn save(&self, pull: u32, step: usize, state: &mut State) {
        let name = |n: usize| match n {
            0 => format!("leash-pull{pull}-step{step}"),
            n => format!("leash-pull{pull}-step{step}-{n}"),
        };
        let free = (0..1000).map(name).find(|name| !Path::new(name).exists());
        let folder = free.unwrap_or_else(|| name(1000));
        let written = self.trainer.as_ref().and_then(|t| t.write(pull, step, Path::new(&folder)));
        notice(
            state,
            match written {
                Some(Ok(())) => format!("written: {folder}; leash --rlvr {folder} opens it"),
                Some(Err(error)) => error.to_string(),
                None => format!("pull {pull} keeps no step {step}"),
            },
        );
    }
}

/// Draws from policies that stand for a SPEC.
pub(super) fn adopt(all: Vec<Named>, state: &mut State, campaign: Option<&Campaign>) {
    let Some(campaign) = campaign else { return only_read(state) };
    for named in all {
        match policy::open(&named.spec, &named.name) {
            Ok(policy) => {
                campaign.adopt(policy);
                update(state, Message::Adopted(named));
            }
            Err(error) => return notice(state, error.to_string()),
        }
    }
}

/// The course of the task on screen; where there is none, that of the base.
fn asked(state: &State) -> &'static dyn Course {
    let task = state.problems.get(state.current).and_then(|p| p.task.as_deref());
    let base = state.policies.first().map_or("", |p| &p.spec);
    task.and_then(course::of_task).unwrap_or_else(|| course::of_spec(base))
}

fn only_read(state: &mut State) {
    notice(state, "nothing is drawn here: this recording is only read".to_owned());
}

fn notice(state: &mut State, words: String) {
    update(state, Message::Notice(words));
}

fn failed(state: &mut State, pull: Option<u32>, why: &str) {
    if let Some(pull) = pull {
        let kind = EventKind::Ended { step: 0, how: Ended::Failed(why.to_owned()) };
        update(state, Message::Trained(Event { pull, kind }));
    }
}
