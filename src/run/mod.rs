//! A campaign: completions drawn in the background from several policies, judged, and sent
//! to whoever watches.
//!
//! A [`Campaign`] is a handle on worker threads; dropping it stops and joins them. What
//! they draw comes through two [`Lanes`]: a bounded, lossless one for completions (a
//! reader that falls behind slows the workers down, and nothing is dropped) and a
//! latest-only one for gauges.
//!
//! Every event carries the generation that it belongs to. [`Command::Restart`] starts a
//! new one; a reader drops what comes from an older one.

pub mod schedule;
mod worker;

pub use crate::record::Drawn;
pub use schedule::Item;
pub use worker::{background, is_worker};

use crate::model::Sampling;
use crate::policy::{Partial, Policy};
use crate::problem::{Judge, Problem, Verifiers};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};
use worker::Shared;

/// How a campaign draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Completions of each problem under each policy.
    pub k: u32,
    pub sampling: Sampling,
    /// Worker threads; 0 counts as 1.
    pub threads: usize,
}

/// What a campaign can be told. Each takes effect within one decode step and loses no
/// finished completion.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Draw this problem first.
    Focus(usize),
    Pause,
    /// Go on after a pause; problems that failed are tried again.
    Resume,
    /// Draw up to this many completions of each problem under each policy.
    SetK(u32),
    /// Begin again with nothing drawn, under the next generation.
    Restart(Settings),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// 0 at first, one more after each [`Command::Restart`].
    pub generation: u64,
    pub kind: EventKind,
}

/// What kind of thing happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The completions that one decode step of one worker finished.
    Drawn(Vec<Drawn>),
    /// A policy could not draw a problem, or a completion could not be judged: nothing more is drawn there until
    /// [`Command::Resume`] or [`Command::Restart`].
    Failed { policy: usize, message: String },
    /// Something holds a policy up, such as a server that is away; it goes on by itself.
    Noted { policy: usize, message: String },
    /// Everything is drawn, except where a policy failed. It comes after the last
    /// completion, and again when [`Command::SetK`] has asked for more and that is drawn.
    Finished,
    /// A policy or verifier panicked in a worker; as after a failure, the rest goes on.
    Panicked { message: String },
}

/// What is going on now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauge {
    pub generation: u64,
    /// Tokens drawn in this generation, those of cancelled completions included.
    pub tokens: u64,
    /// Over about the last two seconds; 0 at rest.
    pub tokens_per_second: f64,
    /// For each policy the problem and the text of one unfinished completion.
    pub partials: Vec<Option<(usize, Partial)>>,
}

/// Where a campaign's news comes out.
#[derive(Debug)]
pub struct Lanes {
    /// Lossless and bounded. It ends when the campaign is dropped.
    pub events: mpsc::Receiver<Event>,
    /// Latest only.
    pub gauge: watch::Receiver<Gauge>,
}

/// A running campaign. Dropping it stops its workers and waits for them: one decode step,
/// even while nobody reads the events.
pub struct Campaign {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// Events that wait for the reader at most.
const CAPACITY: usize = 256;

impl Campaign {
    /// Starts drawing, the first problem in focus.
    pub fn start(
        policies: Vec<Arc<dyn Policy>>,
        problems: Arc<[Problem]>,
        settings: Settings,
    ) -> (Campaign, Lanes) {
        Self::resume(policies, problems, settings, &[])
    }

    /// As [`Campaign::start`], without drawing what `done` says is drawn already.
    pub fn resume(
        policies: Vec<Arc<dyn Policy>>,
        problems: Arc<[Problem]>,
        settings: Settings,
        done: &[Item],
    ) -> (Campaign, Lanes) {
        Self::judged(policies, problems, settings, done, Arc::new(Verifiers))
    }

    /// As [`Campaign::resume`], with a judge other than our verifiers. A completion that it
    /// cannot judge is not sent: its problem fails, and is drawn again from there after
    /// [`Command::Resume`].
    pub fn judged(
        policies: Vec<Arc<dyn Policy>>,
        problems: Arc<[Problem]>,
        settings: Settings,
        done: &[Item],
        judge: Arc<dyn Judge>,
    ) -> (Campaign, Lanes) {
        let (events, from_events) = mpsc::channel(CAPACITY);
        let (gauge, from_gauge) = watch::channel(Gauge::default());
        let shared = Shared::new(policies, judge, problems, settings, done, events, gauge);
        let campaign = Campaign { shared: Arc::new(shared), workers: Mutex::default() };
        campaign.hire();
        (campaign, Lanes { events: from_events, gauge: from_gauge })
    }

    /// Tells the campaign something; returns at once.
    pub fn send(&self, command: Command) {
        self.shared.obey(command);
        self.hire();
    }

    /// Draws from one more policy from now on: the next number.
    pub fn adopt(&self, policy: Arc<dyn Policy>) {
        self.shared.adopt(policy);
        self.hire();
    }

    /// Whom it draws from, and who judges what is drawn.
    pub fn sources(&self) -> (Vec<Arc<dyn Policy>>, Arc<dyn Judge>) {
        self.shared.sources()
    }

    /// The generation that events belong to from now on.
    pub fn generation(&self) -> u64 {
        self.shared.generation()
    }

    /// Starts the workers that are missing.
    fn hire(&self) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|w| !w.is_finished());
        for _ in 0..self.shared.vacancies() {
            match worker::spawn(Arc::clone(&self.shared)) {
                Ok(handle) => workers.push(handle),
                Err(error) => self.shared.lost_a_worker(&error),
            }
        }
    }
}

impl Drop for Campaign {
    fn drop(&mut self) {
        self.shared.close();
        let workers = self.workers.get_mut().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.drain(..) {
            // A worker catches its panics; what is left to fail here has nobody to tell.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests;
