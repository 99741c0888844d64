//! Training in the background: pulls one after the other on a thread of low priority,
//! steered by orders, watched through a bounded channel.
//!
//! The weights stay here. Whoever watches names them by pull and step: to begin again from
//! them, to keep them as a policy, to write them.

use super::course::Course;
use super::drive::{Helm, Plan, Start, drive};
use super::exam::{Evaluation, Exam};
use super::knobs::Knobs;
use super::pull::Stepped;
use super::{TrainError, Trainee};
use crate::policy::Policy;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What a trainer can be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Begin a pull, after the one that runs is stopped.
    Begin(Begin),
    Pause,
    Resume,
    /// End the pull that runs; its last good weights are kept.
    Stop,
    /// From the next step on.
    Knobs(Knobs),
}

/// A pull to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Begin {
    /// A number of its own.
    pub pull: u32,
    /// A pull and a step of it to begin from; `None` for the base.
    pub from: Option<(u32, usize)>,
    pub knobs: Knobs,
    pub plan: Plan,
}

/// What happened in a pull.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub pull: u32,
    pub kind: EventKind,
}

/// What kind of thing happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    Stepped {
        stepped: Stepped,
        tokens_per_second: f64,
        /// Until the plan's last step, at the pace so far.
        seconds_left: f64,
    },
    /// The weights of this step are kept.
    Examined(Evaluation),
    Ended {
        step: usize,
        how: Ended,
    },
}

/// How a pull ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// At its last step.
    Finished,
    /// It was told to.
    Stopped,
    /// In words; the last good weights are kept.
    Failed(String),
}

/// A thread that trains. Dropping it stops it within one decode step or update and waits.
pub struct Trainer {
    shared: Arc<Shared>,
    threads: usize,
    thread: Mutex<Option<JoinHandle<()>>>,
    events: mpsc::Sender<Event>,
}

struct Shared {
    trainee: Trainee,
    course: &'static dyn Course,
    desk: Mutex<Desk>,
    work: Condvar,
    /// Ends the pull that runs within one decode step.
    stop: AtomicBool,
    /// By pull and step.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Desk {
    next: Option<Begin>,
    knobs: Knobs,
    paused: bool,
    closing: bool,
}

/// Events that wait for the reader at most.
const CAPACITY: usize = 256;

/// Held-out problems of an examination, and completions of each: under a second on two cores.
pub const EXAM: (usize, u32) = (16, 128);

/// Bytes of kept weights at most: beyond it the oldest go.
const KEPT: usize = 1 << 30;

const THREAD_NAME: &str = "leash-trainer";

/// Whether the calling thread trains: its panics are caught and become events.
pub fn is_trainer() -> bool {
    std::thread::current().name() == Some(THREAD_NAME)
}

impl Trainer {
    /// A trainer at rest; no thread runs before the first [`Order::Begin`].
    pub fn new(
        trainee: Trainee,
        course: &'static dyn Course,
        threads: usize,
    ) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(CAPACITY);
        let shared = Shared {
            trainee,
            course,
            desk: Mutex::default(),
            work: Condvar::new(),
            stop: AtomicBool::new(false),
            kept: Mutex::default(),
        };
        (Self { shared: Arc::new(shared), threads, thread: Mutex::default(), events }, receiver)
    }

    /// Tells it something; returns at once.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn send(&self, order: Order) -> std::io::Result<()> {
        let mut desk = self.shared.desk();
        match order {
            Order::Begin(begin) => {
                desk.paused = false;
                desk.next = Some(begin);
                self.shared.stop.store(true, Ordering::Relaxed);
            }
            Order::Pause => desk.paused = true,
            Order::Resume => desk.paused = false,
            Order::Stop => {
                desk.next = None;
                self.shared.stop.store(true, Ordering::Relaxed);
            }
            Order::Knobs(knobs) => desk.knobs = knobs,
        }
        let begun = desk.next.is_some();
        drop(desk);
        self.shared.work.notify_all();
        if begun { self.hire() } else { Ok(()) }
    }

    /// The steps of a pull whose weights are kept.
    pub fn kept(&self, pull: u32) -> Vec<usize> {
        self.shared.kept().range((pull, 0)..=(pull, usize::MAX)).map(|((_, step), _)| *step).collect()
    }

    /// Kept weights as a policy; `None` where there are none of this pull and step.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn policy(&self, pull: u32, step: usize, name: &str) -> Option<Result<Arc<dyn Policy>, TrainError>> {
        let weights = self.weights(pull, step)?;
        Some(self.shared.trainee.policy(&weights, name, &format!("pull {pull}, step {step}")))
    }

    /// Writes kept weights as a folder in Hugging Face layout; `None` where there are none
    /// of this pull and step.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn write(&self, pull: u32, step: usize, folder: &Path) -> Option<Result<(), TrainError>> {
        let weights = self.weights(pull, step)?;
        Some(self.shared.trainee.write(folder, &weights).map_err(TrainError::from))
    }

    fn weights(&self, pull: u32, step: usize) -> Option<Arc<[f32]>> {
        self.shared.kept().get(&(pull, step)).cloned()
    }

    fn hire(&self) -> std::io::Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_none_or(JoinHandle::is_finished) {
            let (shared, events, threads) = (Arc::clone(&self.shared), self.events.clone(), self.threads);
            let work = move || {
                yield_to_the_screen();
                let mut exam = None;
                while let Some(begin) = shared.wait() {
                    shared.pull(&begin, threads, &mut exam, &events);
                }
            };
            *thread = Some(std::thread::Builder::new().name(THREAD_NAME.into()).spawn(work)?);
        }
        Ok(())
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        self.shared.desk().closing = true;
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.work.notify_all();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It catches its panics; what is left to fail here has nobody to tell.
            let _ = thread.join();
        }
    }
}

/// Lowers this thread's priority and so that of the threads it starts.
fn yield_to_the_screen() {
    // Linux gives each thread a priority of its own; elsewhere this would slow the screen too.
    #[cfg(target_os = "linux")]
    // SAFETY: it touches no memory; 0 is the calling thread. A refusal changes nothing.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps weights, and lets the oldest go where there are too many.
    fn keep(&self, pull: u32, step: usize, weights: Arc<[f32]>) {
        let most = (KEPT / (4 * weights.len()).max(1)).max(2);
        let mut kept = self.kept();
        kept.insert((pull, step), weights);
        while kept.len() > most {
            kept.pop_first();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks until there is a pull to begin; `None` sends the thread home.
    fn wait(&self) -> Option<Begin> {
        let mut desk = self.desk();
        loop {
            if desk.closing {
                return None;
            }
            if let Some(begin) = desk.next.take() {
                desk.knobs = begin.knobs.clone();
                self.stop.store(false, Ordering::Relaxed);
                return Some(begin);
            }
            desk = self.work.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn pull(&self, begin: &Begin, threads: usize, exam: &mut Option<Exam>, events: &mpsc::Sender<Event>) {
        let mut watch = Watch {
            shared: self,
            begin,
            events,
            began: Instant::now(),
            before: (Instant::now(), 0),
            first: 0,
            step: 0,
        };
        // What a panic could leave half-done dies with the pull: kept weights are whole.
        let done = catch_unwind(AssertUnwindSafe(|| self.pull_watched(begin, threads, exam, &mut watch)));
        let how = match done {
            Ok(Ok(how)) => how,
            Ok(Err(error)) => Ended::Failed(error.to_string()),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
                Ended::Failed(format!("the training thread panicked: {said}"))
            }
        };
        let step = watch.step;
        watch.post(EventKind::Ended { step, how });
    }

    fn pull_watched(
        &self,
        begin: &Begin,
        threads: usize,
        exam: &mut Option<Exam>,
        watch: &mut Watch<'_>,
    ) -> Result<Ended, TrainError> {
        let trainee = &self.trainee;
        let start = match begin.from {
            None => Start { weights: Arc::clone(&trainee.weights), step: 0 },
            Some(at) => match self.kept().get(&at) {
                Some(weights) => Start { weights: Arc::clone(weights), step: at.1 },
                None => return Ok(Ended::Failed(format!("pull {} keeps no step {}", at.0, at.1))),
            },
        };
        watch.step = start.step;
        watch.first = start.step;
        // A stop leaves a model even before the first look.
        self.keep(begin.pull, start.step, Arc::clone(&start.weights));
        let ground = trainee.ground(self.course, begin.plan.seed, threads, &self.stop);
        if exam.is_none() {
            // The same questions for every pull, whatever its seed.
            let (problems, k) = EXAM;
            let problems = self.course.held_out().into_iter().take(problems).collect();
            let asking = super::Ground { seed: 0, ..ground };
            *exam = Exam::new(&asking, &trainee.weights, problems, k)?;
        }
        let Some(exam) = exam.as_ref() else { return Ok(Ended::Stopped) };
        watch.began = Instant::now();
        let (weights, step, result) = drive(trainee, &ground, &begin.plan, &start, Some(exam), watch);
        self.keep(begin.pull, step, weights.into());
        watch.step = step;
        result?;
        Ok(if step >= begin.plan.steps { Ended::Finished } else { Ended::Stopped })
    }
}

/// Between a pull and whoever watches it.
struct Watch<'a> {
    shared: &'a Shared,
    begin: &'a Begin,
    events: &'a mpsc::Sender<Event>,
    began: Instant,
    /// When the last step was done, and the tokens until then.
    before: (Instant, u64),
    first: usize,
    step: usize,
}

impl Watch<'_> {
    /// Sends, waiting for room as long as somebody may read.
    fn post(&self, kind: EventKind) {
        let mut event = Event { pull: self.begin.pull, kind };
        while let Err(mpsc::error::TrySendError::Full(back)) = self.events.try_send(event) {
            if self.shared.desk().closing {
                return;
            }
            event = back;
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Helm for Watch<'_> {
    fn knobs(&mut self) -> Option<Knobs> {
        let mut desk = self.shared.desk();
        let since = Instant::now();
        let over = |desk: &Desk| desk.closing || self.shared.stop.load(Ordering::Relaxed);
        while desk.paused && !over(&desk) {
            desk = self.shared.work.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        // A pause is no part of the pace.
        self.began += since.elapsed();
        self.before.0 = Instant::now();
        (!over(&desk)).then(|| desk.knobs.clone())
    }

    fn stepped(&mut self, stepped: Stepped) {
        self.step = stepped.step;
        let now = Instant::now();
        let seconds = (now - self.before.0).as_secs_f64().max(1e-9);
        let tokens_per_second = stepped.tokens.saturating_sub(self.before.1) as f64 / seconds;
        self.before = (now, stepped.tokens);
        let done = (self.step - self.first).max(1) as f64;
        let left = self.begin.plan.steps.saturating_sub(self.step) as f64;
        let seconds_left = self.began.elapsed().as_secs_f64() / done * left;
        self.post(EventKind::Stepped { stepped, tokens_per_second, seconds_left });
    }

    fn examined(&mut self, evaluation: Evaluation, weights: &[f32]) -> ControlFlow<()> {
        self.shared.keep(self.begin.pull, evaluation.step, weights.into());
        self.post(EventKind::Examined(evaluation));
        ControlFlow::Continue(())
    }
}

/// Weights by pull and step.
type Kept = BTreeMap<(u32, usize), Arc<[f32]>>;

#[cfg(test)]
mod tests;
