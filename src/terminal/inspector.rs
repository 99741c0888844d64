//! Scores and continuations that the screens ask for: on threads beside screen and campaign.
//! Nothing of it goes to the campaign's lanes, so nothing of it is counted or recorded.

use crate::app::{Effect, Message, State, branch, weigh};
use crate::completion::Completion;
use crate::policy::{self, Partial, Policy, Prefix, Request, Sink};
use crate::problem::{Judge, Verifiers};
use crate::run::{Campaign, background};
use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::UnboundedSender;

/// Carries out what concerns single completions.
#[derive(Default)]
pub(super) struct Inspector {
    /// Policies that were opened here, because no campaign has them.
    opened: Arc<Mutex<Opened>>,
    /// Set, it ends the continuations that are under way.
    cancel: Arc<AtomicBool>,
}

/// By SPEC and name.
type Opened = HashMap<(String, String), Arc<dyn Policy>>;

/// Where a policy is to be had.
enum Source {
    Ready(Arc<dyn Policy>),
    Spec { spec: String, name: String, opened: Arc<Mutex<Opened>> },
}

/// Does here and now what an effect asks that concerns single completions, with policies
/// opened for it: for pictures, where no loop runs.
pub fn answer(effect: Effect, state: &State) -> Vec<Message> {
    let inspector = Inspector::default();
    let (back, mut news) = tokio::sync::mpsc::unbounded_channel();
    match effect {
        Effect::Weigh(job) => {
            let pair = [job.subject.pair.base, job.subject.pair.rlvr];
            let sides = pair.map(|n| job.run(&*inspector.source(n, state, None).open()?));
            return vec![Message::Weighed(Box::new(weigh::Weighed { subject: job.subject, sides }))];
        }
        Effect::Branch(job) => {
            for (side, number) in job.policies.into_iter().enumerate() {
                let source = inspector.source(number, state, None);
                Desk::new(&job, side, &Verifiers, &inspector.cancel, &back).run(source);
            }
        }
        _ => {}
    }
    std::iter::from_fn(|| news.try_recv().ok()).collect()
}

impl Inspector {
    /// Scores a completion under both policies.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn weigh(
        &self,
        job: weigh::Job,
        state: &State,
        campaign: Option<&Campaign>,
        back: &UnboundedSender<Message>,
    ) -> io::Result<()> {
        let pair = [job.subject.pair.base, job.subject.pair.rlvr];
        let sources = pair.map(|number| self.source(number, state, campaign));
        let back = back.clone();
        background(move || {
            let sides = sources.map(|source| {
                let scored = catch_unwind(AssertUnwindSafe(|| job.run(&*source.open()?)));
                scored.unwrap_or_else(|_| Err("scoring this text failed".to_owned()))
            });
            // Where the loop has ended nobody waits for it.
            let _ = back.send(Message::Weighed(Box::new(weigh::Weighed { subject: job.subject, sides })));
        })
    }

    /// Draws continuations under both policies; what was under way before ends.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn branch(
        &mut self,
        job: branch::Job,
        state: &State,
        campaign: Option<&Campaign>,
        back: &UnboundedSender<Message>,
    ) -> io::Result<()> {
        self.end();
        let cancel = Arc::new(AtomicBool::new(false));
        self.cancel = Arc::clone(&cancel);
        let judge = campaign.map_or_else(|| Arc::new(Verifiers) as Arc<dyn Judge>, |c| c.sources().1);
        let job = Arc::new(job);
        for (side, number) in job.policies.into_iter().enumerate() {
            let source = self.source(number, state, campaign);
            let (job, judge) = (Arc::clone(&job), Arc::clone(&judge));
            let (cancel, back) = (Arc::clone(&cancel), back.clone());
            background(move || {
                Desk::new(&job, side, &*judge, &cancel, &back).run(source);
            })?;
        }
        Ok(())
    }

    /// Ends the continuations that are under way, within a decode step.
    pub fn end(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    fn source(&self, number: usize, state: &State, campaign: Option<&Campaign>) -> Source {
        let ready = campaign.and_then(|c| c.sources().0.get(number).cloned());
        ready.map_or_else(
            || {
                let named = state.policies.get(number);
                let of = |f: fn(&crate::app::state::Named) -> &str| named.map_or("", f).to_owned();
                Source::Spec {
                    spec: of(|n| &n.spec),
                    name: of(|n| &n.name),
                    opened: Arc::clone(&self.opened),
                }
            },
            Source::Ready,
        )
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        self.end();
    }
}

impl Source {
    fn open(self) -> Result<Arc<dyn Policy>, String> {
        let (spec, name, opened) = match self {
            Source::Ready(policy) => return Ok(policy),
            Source::Spec { spec, name, opened } => (spec, name, opened),
        };
        if spec.is_empty() {
            return Err(format!("where {name} comes from is not known"));
        }
        // Held while it is opened: two threads that want one model open it once.
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (spec, name);
        if let Some(policy) = opened.get(&key) {
            return Ok(Arc::clone(policy));
        }
        let policy = policy::open(&key.0, &key.1).map_err(|e| e.to_string())?;
        opened.insert(key, Arc::clone(&policy));
        Ok(policy)
    }
}

/// Where one side's continuations arrive.
struct Desk<'a> {
    job: &'a branch::Job,
    side: usize,
    judge: &'a dyn Judge,
    cancel: &'a AtomicBool,
    back: &'a UnboundedSender<Message>,
    waiting: Vec<Completion>,
    unjudged: Option<String>,
}

impl<'a> Desk<'a> {
    fn new(
        job: &'a branch::Job,
        side: usize,
        judge: &'a dyn Judge,
        cancel: &'a AtomicBool,
        back: &'a UnboundedSender<Message>,
    ) -> Self {
        Self { job, side, judge, cancel, back, waiting: Vec::new(), unjudged: None }
    }

    /// Draws and judges what is asked for, then says that it is over.
    fn run(mut self, source: Source) {
        let result = catch_unwind(AssertUnwindSafe(|| self.draw(source)));
        let why = result.unwrap_or_else(|_| Err("drawing from here failed".to_owned())).err();
        self.tell(branch::Kind::Ended(why));
    }

    fn draw(&mut self, source: Source) -> Result<(), String> {
        let policy = source.open()?;
        let branch::Job { problem, prefix, tokens, indices, sampling, .. } = self.job;
        let prefix = Prefix { text: prefix, tokens };
        let request = Request { prefix, ..Request::new(problem, indices.clone(), sampling) };
        let result = policy.sample(&request, self).map_err(|e| e.to_string());
        self.judge();
        result.and(self.unjudged.take().map_or(Ok(()), Err))
    }

    fn judge(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let texts: Vec<&str> = self.waiting.iter().map(|c| c.text.as_str()).collect();
        let (mut judged, mut unjudged) = (Vec::new(), None);
        for (verdict, text) in self.judge.judge(&self.job.problem, &texts).into_iter().zip(&texts) {
            match verdict {
                Ok(verdict) => judged.push((verdict, (*text).to_owned())),
                Err(why) => unjudged = Some(why.to_string()),
            }
        }
        self.waiting.clear();
        self.unjudged = self.unjudged.take().or(unjudged);
        if !judged.is_empty() {
            self.tell(branch::Kind::Drawn(judged));
        }
    }

    fn tell(&self, kind: branch::Kind) {
        let news = branch::News { id: self.job.id, side: self.side, kind };
        // Where the loop has ended nobody waits for it.
        let _ = self.back.send(Message::Branched(news));
    }
}

impl Sink for Desk<'_> {
    fn finished(&mut self, completion: Completion) {
        self.waiting.push(completion);
    }

    fn stepped(&mut self, _: usize, _: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
        self.judge();
        if self.cancel.load(Ordering::Relaxed) || self.unjudged.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
