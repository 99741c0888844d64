//! The threads that draw, and the state that they share with the campaign's handle.

use super::schedule::{Item, Job, Schedule};
use super::{Command, Drawn, Event, EventKind, Gauge, Settings};
use crate::completion::Completion;
use crate::policy::{Partial, Policy, PolicyError, Request, Sink};
use crate::problem::{Judge, Problem, Unjudged};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

const THREAD_NAME: &str = "leash-worker";

/// Whether the calling thread is a campaign's worker, whose panics are caught and become
/// events: a panic hook need not give up the terminal for them.
pub fn is_worker() -> bool {
    std::thread::current().name() == Some(THREAD_NAME)
}

/// Starts a worker for a vacancy.
pub(super) fn spawn(shared: Arc<Shared>) -> std::io::Result<JoinHandle<()>> {
    // The runtime waits for room in the channel or for the campaign's end, whichever
    // comes first; it drives nothing else.
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    std::thread::Builder::new().name(THREAD_NAME.into()).spawn(move || {
        yield_to_the_screen();
        while let Some(assignment) = shared.wait_for_work(&runtime) {
            shared.carry_out(&assignment, &runtime);
        }
    })
}

/// Does something beside the screen, on a thread that leaves the screen its share. A panic
/// in it ends the thread and nothing else.
///
/// # Errors
/// The system gives no thread.
pub fn background(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let spawned = std::thread::Builder::new().name(THREAD_NAME.into()).spawn(move || {
        yield_to_the_screen();
        // What it was to send is not sent.
        let _ = catch_unwind(AssertUnwindSafe(work));
    });
    spawned.map(drop)
}

/// Lowers this thread's priority, so that a key is answered at once while every core draws.
fn yield_to_the_screen() {
    // Linux gives each thread a priority of its own; elsewhere this would slow the screen too.
    #[cfg(target_os = "linux")]
    // SAFETY: it touches no memory; 0 is the calling thread. A refusal changes nothing.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
    }
}

/// What the handle and the workers share. One lock, held for book-keeping only: never
/// while drawing, judging or sending.
pub(super) struct Shared {
    judge: Arc<dyn Judge>,
    policies: RwLock<Vec<Arc<dyn Policy>>>,
    problems: Arc<[Problem]>,
    state: Mutex<State>,
    work: Condvar,
    /// The problem in focus, for workers in mid-step.
    focus: AtomicUsize,
    events: mpsc::Sender<Event>,
    closing: watch::Sender<bool>,
    gauge: watch::Sender<Gauge>,
    meter: Mutex<Meter>,
}

struct State {
    generation: u64,
    settings: Arc<Settings>,
    schedule: Schedule,
    paused: bool,
    closing: bool,
    /// Whether this generation's end is announced.
    announced: bool,
    workers: usize,
    /// A flag for each job in flight; set, it ends the job at its next decode step.
    cancels: HashMap<u64, Arc<AtomicBool>>,
}

/// A job with all that a worker needs to carry it out.
struct Assignment {
    job: Job,
    generation: u64,
    settings: Arc<Settings>,
    cancel: Arc<AtomicBool>,
}

impl Shared {
    pub(super) fn new(
        policies: Vec<Arc<dyn Policy>>,
        judge: Arc<dyn Judge>,
        problems: Arc<[Problem]>,
        settings: Settings,
        done: &[Item],
        events: mpsc::Sender<Event>,
        gauge: watch::Sender<Gauge>,
    ) -> Self {
        let mut schedule = Schedule::new(policies.len(), problems.len(), settings.k);
        done.iter().for_each(|item| schedule.skip(item));
        gauge.send_modify(|g| g.partials = vec![None; policies.len()]);
        let state = State {
            generation: 0,
            settings: Arc::new(settings),
            schedule,
            paused: false,
            closing: false,
            announced: false,
            workers: 0,
            cancels: HashMap::new(),
        };
        Self {
            judge,
            policies: RwLock::new(policies),
            problems,
            state: Mutex::new(state),
            work: Condvar::new(),
            focus: AtomicUsize::new(0),
            events,
            closing: watch::Sender::new(false),
            gauge,
            meter: Mutex::default(),
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.state().generation
    }

    pub(super) fn obey(&self, command: Command) {
        let mut state = self.state();
        match command {
            Command::Focus(problem) => {
                let distant = state.schedule.focus(problem);
                self.focus.store(state.schedule.focused(), Ordering::Relaxed);
                state.cancel(&distant);
            }
            Command::Pause => {
                state.paused = true;
                state.cancel_all();
            }
            Command::Resume => {
                state.paused = false;
                state.schedule.forgive();
                state.announced &= state.schedule.is_done();
            }
            Command::SetK(k) => {
                let beyond = state.schedule.set_k(k);
                state.cancel(&beyond);
                state.announced &= state.schedule.is_done();
            }
            Command::Restart(settings) => self.restart(&mut state, settings),
        }
        drop(state);
        self.work.notify_all();
    }

    /// Draws from one more policy from now on.
    pub(super) fn adopt(&self, policy: Arc<dyn Policy>) {
        let mut state = self.state();
        self.policies.write().unwrap_or_else(PoisonError::into_inner).push(policy);
        state.schedule.grow();
        state.announced &= state.schedule.is_done();
        self.gauge.send_modify(|g| g.partials.push(None));
        drop(state);
        self.work.notify_all();
    }

    pub(super) fn sources(&self) -> (Vec<Arc<dyn Policy>>, Arc<dyn Judge>) {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        (policies.clone(), Arc::clone(&self.judge))
    }

    fn policy(&self, number: usize) -> Arc<dyn Policy> {
        Arc::clone(&self.policies.read().unwrap_or_else(PoisonError::into_inner)[number])
    }

    fn count(&self) -> usize {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn restart(&self, state: &mut State, settings: Settings) {
        state.cancel_all();
        state.cancels.clear();
        state.generation += 1;
        let focus = state.schedule.focused();
        state.schedule = Schedule::new(self.count(), self.problems.len(), settings.k);
        state.schedule.focus(focus);
        state.settings = Arc::new(settings);
        state.paused = false;
        state.announced = false;
        *self.meter() = Meter { generation: state.generation, ..Meter::default() };
        self.gauge.send_replace(Gauge {
            generation: state.generation,
            partials: vec![None; self.count()],
            ..Gauge::default()
        });
    }

    /// Cancels everything and lets the workers go home, even those that wait for a reader.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.cancel_all();
        drop(state);
        self.closing.send_replace(true);
        self.work.notify_all();
    }

    /// How many workers are missing; they count as hired from now on.
    pub(super) fn vacancies(&self) -> usize {
        let mut state = self.state();
        let missing = self.wanted(&state).saturating_sub(state.workers);
        state.workers += missing;
        missing
    }

    /// A worker could not be started. If it was the only one, the reader is told.
    pub(super) fn lost_a_worker(&self, error: &std::io::Error) {
        let mut state = self.state();
        state.workers -= 1;
        if state.workers == 0 {
            let message = format!("no worker thread could be started ({error}): nothing is drawn");
            // The channel is full only if there were workers; then there is no need to tell.
            let _ = self
                .events
                .try_send(Event { generation: state.generation, kind: EventKind::Panicked { message } });
        }
    }

    /// Blocks until there is work; `None` sends the worker home.
    fn wait_for_work(&self, runtime: &Runtime) -> Option<Assignment> {
        let mut state = self.state();
        loop {
            if state.closing || state.workers > self.wanted(&state) {
                state.workers -= 1;
                return None;
            }
            if !state.paused {
                if let Some(job) = state.schedule.next_job() {
                    let cancel = Arc::new(AtomicBool::new(false));
                    state.cancels.insert(job.id, Arc::clone(&cancel));
                    let (generation, settings) = (state.generation, Arc::clone(&state.settings));
                    return Some(Assignment { job, generation, settings, cancel });
                }
                if state.schedule.is_done() && !state.announced {
                    state.announced = true;
                    let generation = state.generation;
                    drop(state);
                    let _ = self.post(Event { generation, kind: EventKind::Finished }, runtime);
                    state = self.state();
                    continue;
                }
            }
            if state.schedule.jobs().is_empty() {
                self.rest(state.generation);
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Draws one job, sends what it gives, and books what was finished.
    fn carry_out(&self, assignment: &Assignment, runtime: &Runtime) {
        let item = &assignment.job.item;
        let problem = &self.problems[item.problem];
        let mut desk = Desk {
            shared: self,
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
        };
        self.meter().begin();
        let request = Request::new(problem, item.indices.clone(), &assignment.settings.sampling);
        // Nothing that a panic could leave half-done outlives it: the desk keeps only
        // completions that are whole.
        let policy = self.policy(item.policy);
        let result = catch_unwind(AssertUnwindSafe(|| policy.sample(&request, &mut desk)));
        let judged = catch_unwind(AssertUnwindSafe(|| desk.judge()));
        let result = result.and_then(|drawn| judged.map(|()| drawn));
        let _ = desk.flush();
        let failure = desk.failure(result);
        desk.publish(None);
        let finished: Vec<u32> = desk.finished.into_iter().collect();

        let failed = failure.is_some();
        if let Some(kind) = failure {
            let _ = self.post(Event { generation: assignment.generation, kind }, runtime);
        }
        let mut state = self.state();
        if state.generation == assignment.generation {
            state.cancels.remove(&assignment.job.id);
            state.schedule.end_job(assignment.job.id, &finished);
            if failed {
                state.schedule.fail(item.problem);
            }
        }
        drop(state);
        self.work.notify_all();
    }

    /// Sends an event, waiting for room as long as the campaign lives.
    fn post(&self, event: Event, runtime: &Runtime) -> ControlFlow<()> {
        let event = match self.events.try_send(event) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(mpsc::error::TrySendError::Full(event)) => event,
            Err(mpsc::error::TrySendError::Closed(_)) => {
                // Nobody will ever read: drawing on would draw the same for ever.
                self.close();
                return ControlFlow::Break(());
            }
        };
        let mut closing = self.closing.subscribe();
        let sent = runtime.block_on(async {
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => false,
                sent = self.events.send(event) => sent.is_ok(),
            }
        });
        if sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Shows that nothing is being drawn.
    fn rest(&self, generation: u64) {
        let mut meter = self.meter();
        if meter.generation != generation {
            return;
        }
        meter.marks.clear();
        self.gauge.send_if_modified(|gauge| {
            let busy = gauge.tokens_per_second != 0.0 || gauge.partials.iter().any(Option::is_some);
            gauge.tokens_per_second = 0.0;
            gauge.partials.fill(None);
            busy
        });
    }

    /// Threads that draw, and those that wait for servers.
    fn wanted(&self, state: &State) -> usize {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        state.settings.threads.max(1) + policies.iter().map(|p| p.waiting()).sum::<usize>()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn cancel(&self, jobs: &[u64]) {
        for flag in jobs.iter().filter_map(|id| self.cancels.get(id)) {
            flag.store(true, Ordering::Relaxed);
        }
    }

    fn cancel_all(&self) {
        self.cancels.values().for_each(|flag| flag.store(true, Ordering::Relaxed));
    }
}

/// Where one job's completions arrive.
struct Desk<'a> {
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
    finished: HashSet<u32>,
    /// Why the first completion without a verdict has none.
    unjudged: Option<Unjudged>,
    /// Whether the job was told to stop.
    stopped: bool,
    /// Tokens since the gauge was last set.
    tokens: u64,
    published: Option<Instant>,
}

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
        self.judge();
        let flushed = self.flush();
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

impl Desk<'_> {
    /// Judges what was drawn in one step, together: an outside judge may be far away.
    fn judge(&mut self) {
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

    fn flush(&mut self) -> ControlFlow<()> {
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
    fn publish(&mut self, partial: Option<Partial>) {
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
    fn failure(&self, result: std::thread::Result<Result<(), PolicyError>>) -> Option<EventKind> {
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
struct Meter {
    generation: u64,
    tokens: u64,
    /// The last two seconds: when, and the tokens until then.
    marks: VecDeque<(Instant, u64)>,
}

impl Meter {
    /// Work begins: the rate is counted from here, if it was not already.
    fn begin(&mut self) {
        if self.marks.is_empty() {
            self.marks.push_back((Instant::now(), self.tokens));
        }
    }

    /// Adds tokens and gives the rate, tokens a second.
    fn add(&mut self, tokens: u64) -> f64 {
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
