//! Where a job's completions arrive: they are judged, counted and sent on.

use super::{Assignment, Shared};
use crate::completion::Completion;
use crate::policy::{Partial, PolicyError, Sink};
use crate::problem::Unjudged;
use crate::run::schedule::Item;
use crate::run::{Drawn, Event, EventKind};
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Where one job's completions arrive.
pub(super) struct Desk<'a> {
    shared: &'a Shared,
    assignment: &'a Assignment,
    runtime: &'a Runtime,
    /// Drawn and not yet judged.
    waiting: Vec<Completion>,
    /// Judged and not yet sent.
    batch: Vec<Drawn>,
    /// Every index that was drawn.
    seen: HashSet<u32>,
    /// Every index that was drawn and judged.
    pub finished: HashSet<u32>,
    /// Why the first completion without a verdict has none.
    unjudged: Option<Unjudged>,
    /// Whether the job was told to stop.
    stopped: bool,
    /// Tokens since the gauge was last set.
    tokens: u64,
    published: Option<Instant>,
    /// When completions were last judged and sent.
    sent: Option<Instant>,
}

/// Completions are judged and sent together, at most this often: steps of a few rows are
/// done in a tenth of that, and each message would hold up whoever shows them.
const SEND: Duration = Duration::from_millis(4);

impl Sink for Desk<'_> {
    fn finished(&mut self, completion: Completion) {
        let indices = &self.assignment.job.item.indices;
        if indices.contains(&completion.index) && self.seen.insert(completion.index) {
            self.waiting.push(completion);
        }
    }

    fn stepped(&mut self, drawn: usize, partial: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
        self.tokens += drawn as u64;
        if self.is_time_to_publish() {
            let Item { problem, .. } = self.assignment.job.item;
            let watched = self.shared.focus.load(Ordering::Relaxed) == problem;
            self.publish(if watched { partial() } else { None });
        }
        let mut flushed = ControlFlow::Continue(());
        if !self.waiting.is_empty() && self.sent.is_none_or(|at| at.elapsed() >= SEND) {
            self.judge();
            flushed = self.flush();
            self.sent = Some(Instant::now());
        }
        // What nobody can judge need not be drawn.
        if self.unjudged.is_some() {
            return ControlFlow::Break(());
        }
        self.stopped |= flushed.is_break() || self.assignment.cancel.load(Ordering::Relaxed);
        if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn noted(&mut self, words: &str) {
        let kind = EventKind::Noted { policy: self.assignment.job.item.policy, message: words.to_owned() };
        // A closed channel is found out at the next step.
        let _ = self.shared.post(Event { generation: self.assignment.generation, kind }, self.runtime);
    }
}

impl<'a> Desk<'a> {
    pub fn new(shared: &'a Shared, assignment: &'a Assignment, runtime: &'a Runtime) -> Self {
        Self {
            shared,
            assignment,
            runtime,
            waiting: Vec::new(),
            batch: Vec::new(),
            seen: HashSet::new(),
            finished: HashSet::new(),
            unjudged: None,
            stopped: false,
            tokens: 0,
            published: None,
            sent: None,
        }
    }

    /// Judges what was drawn in one step, together: an outside judge may be far away.
    pub fn judge(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let Item { policy, problem, .. } = self.assignment.job.item;
        let drawn = std::mem::take(&mut self.waiting);
        let texts: Vec<&str> = drawn.iter().map(|c| c.text.as_str()).collect();
        let verdicts = self.shared.judge.judge(&self.shared.problems[problem], &texts);
        for (completion, verdict) in drawn.into_iter().zip(verdicts) {
            match verdict {
                Ok(verdict) => {
                    self.finished.insert(completion.index);
                    self.batch.push(Drawn { policy, problem, completion, verdict, given: None });
                }
                Err(unjudged) => {
                    self.unjudged.get_or_insert(unjudged);
                }
            }
        }
    }

    pub fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.is_empty() {
            return ControlFlow::Continue(());
        }
        let kind = EventKind::Drawn(std::mem::take(&mut self.batch));
        self.shared.post(Event { generation: self.assignment.generation, kind }, self.runtime)
    }

    /// About 25 times a second for two workers, less often for each of many.
    fn is_time_to_publish(&self) -> bool {
        let pause = Duration::from_millis(20) * self.assignment.settings.threads.clamp(2, 16) as u32;
        self.published.is_none_or(|at| at.elapsed() >= pause)
    }

    /// Sets the gauge; `partial` is the text on screen, `None` where there is none.
    pub fn publish(&mut self, partial: Option<Partial>) {
        let Item { policy, problem, .. } = self.assignment.job.item;
        self.published = Some(Instant::now());
        let mut meter = self.shared.meter();
        if meter.generation != self.assignment.generation {
            return;
        }
        let tokens_per_second = meter.add(std::mem::take(&mut self.tokens));
        let tokens = meter.tokens;
        self.shared.gauge.send_modify(|gauge| {
            gauge.tokens = tokens;
            gauge.tokens_per_second = tokens_per_second;
            let shown = &mut gauge.partials[policy];
            match partial {
                Some(partial) => *shown = Some((problem, partial)),
                None if shown.as_ref().is_some_and(|(p, _)| *p == problem) => *shown = None,
                None => {}
            }
        });
    }

    /// What to report of how the policy ended.
    pub fn failure(&self, result: std::thread::Result<Result<(), PolicyError>>) -> Option<EventKind> {
        let Item { policy, ref indices, problem } = self.assignment.job.item;
        let message = match result {
            Err(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                let (policy, problem) = (self.shared.policy(policy), &self.shared.problems[problem].id);
                let policy = policy.name();
                return Some(EventKind::Panicked {
                    message: format!("policy {policy} panicked at problem {problem}: {said}"),
                });
            }
            _ if self.unjudged.is_some() => {
                self.unjudged.as_ref().map(Unjudged::to_string).unwrap_or_default()
            }
            _ if self.stopped || self.finished.len() == indices.len() => return None,
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(())) => format!(
                "policy {}: it gave {} of {} completions of problem {}",
                self.shared.policy(policy).name(),
                self.finished.len(),
                indices.len(),
                self.shared.problems[problem].id
            ),
        };
        Some(EventKind::Failed { policy, message })
    }
}

/// Counts tokens and how fast they come.
#[derive(Default)]
pub(super) struct Meter {
    pub generation: u64,
    pub tokens: u64,
    /// The last two seconds: when, and the tokens until then.
    marks: VecDeque<(Instant, u64)>,
}

impl Meter {
    pub fn new(generation: u64) -> Self {
        Self { generation, ..Self::default() }
    }

    /// Work begins: the rate is counted from here, if it was not already.
    pub fn begin(&mut self) {
        if self.marks.is_empty() {
            self.marks.push_back((Instant::now(), self.tokens));
        }
    }

    /// Nothing more comes for a while: the rate is forgotten.
    pub fn rest(&mut self) {
        self.marks.clear();
    }

    /// Adds tokens and gives the rate, tokens a second.
    pub fn add(&mut self, tokens: u64) -> f64 {
        const WINDOW: Duration = Duration::from_secs(2);
        let now = Instant::now();
        self.tokens += tokens;
        self.marks.push_back((now, self.tokens));
        while self.marks.len() > 2 && self.marks.front().is_some_and(|(at, _)| now - *at > WINDOW) {
            self.marks.pop_front();
        }
        let (since, before) = self.marks[0];
        let seconds = (now - since).as_secs_f64();
        if seconds > 0.0 { (self.tokens - before) as f64 / seconds } else { 0.0 }
    }
}
