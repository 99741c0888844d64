//! The threads that draw, and the state that they share with the campaign's handle.

mod desk;

use super::schedule::{Item, Job, Schedule};
use super::{Command, Event, EventKind, Gauge, Settings};
use crate::policy::{Policy, Request};
use crate::problem::{Judge, Problem};
use desk::{Desk, Meter};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
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
        *self.meter() = Meter::new(state.generation);
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
        let mut desk = Desk::new(self, assignment, runtime);
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
        meter.rest();
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
