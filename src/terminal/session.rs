//! The event loop: one owner of the state, one thread.

use super::TerminalError;
use super::feeds::{Again, Begin, Feeds, write};
use super::guard::{Guard, restore};
use super::input::message;
use super::inspector::Inspector;
use super::keys::Keys;
use super::pace::Pace;
use super::screen::Screen;
use super::signals::{Signal, Signals, stop};
use super::training::{self, Training};
use crate::app::{Effect, Message, State, update};
use crate::record::{Follower, Index, Library, News, RecordError, Recorder};
use crate::run::{Campaign, Command, Event, Gauge, Lanes};
use crate::ui::View;
use crossterm::event::Event as TerminalEvent;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, sleep_until};

/// Run events taken between two looks at the keys.
const BUDGET: usize = 256;

/// How the session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The user left.
    Quit,
    /// For another recording.
    Open(PathBuf),
    /// A signal of this number asked for it.
    Signal(i32),
}

/// Shows the state and carries out what it asks for, until the user leaves. The terminal
/// is as it was when this returns, whatever the result.
///
/// # Errors
/// There is no terminal, or it fails.
pub async fn run(state: &mut State, view: &mut View, feeds: Feeds) -> Result<Left, TerminalError> {
    super::check()?;
    let mut signals = Signals::new()?;
    let Feeds { campaign, lanes, reader, recording, begin, again } = feeds;
    let mut session = Session {
        guard: Guard::enter(state.mouse)?,
        screen: Screen::new()?,
        input: Some(Keys::new()),
        pace: Pace::new(view.calm),
        seconds: tokio::time::interval(Duration::from_secs(1)),
        campaign,
        gauge: lanes.as_ref().map(|l| l.gauge.clone()),
        lanes,
        reader,
        recorder: None,
        saved: None,
        begin,
        again,
        training: Training::default(),
        inspector: Inspector::default(),
        studies: mpsc::unbounded_channel(),
    };
    session.seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    (session.recorder, session.saved) = recording.unzip();
    let left = session.go_on(state, view, &mut signals).await;
    drop(session.guard);
    // What is on its way is kept as well, where it can be.
    drop((session.campaign, session.reader, session.saved));
    while let Some(event) = match &mut session.lanes {
        Some(lanes) => lanes.events.recv().await,
        None => None,
    } {
        if state.recording.blocked.is_none() {
            write(session.recorder.as_ref(), &event).await;
        }
        update(state, Message::Run(event));
    }
    let written = session.recorder.map_or(Ok(()), |recorder| recorder.finish());
    let left = left?;
    written?;
    Ok(left)
}

struct Session {
    guard: Guard,
    screen: Screen,
    /// `None` only while the terminal is handed over: it would go on reading there.
    input: Option<Keys>,
    pace: Pace,
    /// For a tour that goes on by itself.
    seconds: Interval,
    campaign: Option<Campaign>,
    gauge: Option<watch::Receiver<Gauge>>,
    lanes: Option<Lanes>,
    reader: Option<(Follower, mpsc::Receiver<News>)>,
    recorder: Option<Recorder>,
    saved: Option<mpsc::UnboundedReceiver<News>>,
    begin: Option<Begin>,
    again: Option<Again>,
    training: Training,
    inspector: Inspector,
    /// What comes back from the threads that make studies and look at single completions.
    studies: (mpsc::UnboundedSender<Message>, mpsc::UnboundedReceiver<Message>),
}

impl Session {
    async fn go_on(
        &mut self,
        state: &mut State,
        view: &mut View,
        signals: &mut Signals,
    ) -> Result<Left, TerminalError> {
        loop {
            let due = self.pace.due(Instant::now());
            let effects = tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::End(number) => return Ok(Left::Signal(number)),
                    Signal::Stop => vec![Effect::Suspend],
                    Signal::Continue => {
                        self.resume(state)?;
                        Vec::new()
                    }
                },
                () = at(due) => {
                    self.screen.draw(state, view)?;
                    update(state, Message::Overflow(view.seen.overflow));
                    if let Some(first) = view.seen.first {
                        update(state, Message::Scrolled(first));
                    }
                    self.pace.drawn(Instant::now());
                    Vec::new()
                }
                event = next(&mut self.input) => match event {
                    Some(event) => self.take(state, view, &event?),
                    // The terminal is gone.
                    None => return Ok(Left::Signal(libc::SIGHUP)),
                },
                news = Feeds::news(&mut self.reader, &mut self.saved) => {
                    self.pace.stream();
                    update(state, Message::Record(news))
                }
                event = Feeds::event(&mut self.lanes, self.recorder.as_ref()) => {
                    self.happened(state, event).await;
                    self.pace.stream();
                    Vec::new()
                }
                gauge = Feeds::gauge(&mut self.gauge) => {
                    match gauge {
                        Some(gauge) => { update(state, Message::Gauge(gauge)); }
                        None => self.gauge = None,
                    }
                    self.pace.stream();
                    Vec::new()
                }
                _ = self.seconds.tick(), if state.tour.is_some_and(|t| t.auto) => {
                    self.pace.stream();
                    update(state, Message::Second)
                }
                event = self.training.next() => {
                    let mut next = event;
                    let mut left = BUDGET;
                    while let Some(event) = next {
                        update(state, Message::Trained(event));
                        left -= 1;
                        next = if left > 0 { self.training.more() } else { None };
                    }
                    self.pace.stream();
                    Vec::new()
                }
                Some(message) = self.studies.1.recv() => {
                    self.pace.stream();
                    update(state, message)
                }
                // The last: only when nothing else waits.
                () = std::future::ready(()), if state.has_work() => {
                    let regrading = state.regrade.is_behind();
                    let effects = update(state, Message::Step);
                    if regrading {
                        self.pace.stream();
                    }
                    // A look at what else there is, the timer included.
                    tokio::task::yield_now().await;
                    effects
                }
            };
            for effect in effects {
                match effect {
                    Effect::Quit => return Ok(Left::Quit),
                    // Opened here first: what cannot be opened is no reason to leave.
                    Effect::OpenRun(path) => match Index::open(&path) {
                        Ok(_) => return Ok(Left::Open(path)),
                        Err(error) => {
                            update(state, Message::Notice(error.to_string()));
                        }
                    },
                    effect => self.carry_out(effect, state).await?,
                }
            }
        }
    }

    /// Takes events of the run, as many as the budget allows and there is room to write.
    async fn happened(&mut self, state: &mut State, event: Option<Event>) {
        let Some(lanes) = &mut self.lanes else { return };
        let mut next = event;
        if next.is_none() {
            self.lanes = None;
            return;
        }
        let mut left = BUDGET;
        while let Some(event) = next {
            write(self.recorder.as_ref(), &event).await;
            update(state, Message::Run(event));
            left -= 1;
            let room = self.recorder.as_ref().is_none_or(Recorder::has_room);
            next = if left > 0 && room { lanes.events.try_recv().ok() } else { None };
        }
    }

    fn tell(&self, command: Command) {
        if let Some(campaign) = &self.campaign {
            campaign.send(command);
        }
    }

    fn take(&mut self, state: &mut State, view: &View, event: &TerminalEvent) -> Vec<Effect> {
        if matches!(event, TerminalEvent::Resize(..)) {
            // The window may have the old size again, and what it shows is lost all the same.
            self.screen.forget();
            self.pace.stream();
            return Vec::new();
        }
        let Some(message) = message(event, &view.seen) else { return Vec::new() };
        self.pace.input();
        update(state, message)
    }

    async fn carry_out(&mut self, effect: Effect, state: &mut State) -> Result<(), TerminalError> {
        match effect {
            Effect::Begin(there) => {
                if let Some(begin) = self.begin.take() {
                    let (campaign, lanes, (recorder, saved)) = begin(state, &there)?;
                    self.gauge = Some(lanes.gauge.clone());
                    (self.campaign, self.lanes) = (Some(campaign), Some(lanes));
                    (self.recorder, self.saved) = (Some(recorder), Some(saved));
                }
            }
            Effect::Focus(problem) => self.tell(Command::Focus(problem)),
            Effect::Pause => self.tell(Command::Pause),
            Effect::Resume => self.tell(Command::Resume),
            Effect::SetK(k) => self.tell(Command::SetK(k)),
            Effect::Restart(settings) => {
                if let (Some(recorder), Some(again)) = (&self.recorder, &self.again) {
                    recorder.restart(state.generation, again(&settings)).await;
                }
                self.tell(Command::Restart(settings));
            }
            Effect::Copy(text) => self.screen.copy(&text)?,
            Effect::Mouse(ours) => self.guard.mouse(ours)?,
            Effect::Suspend => {
                self.input = None;
                restore();
                stop();
                self.resume(state)?;
            }
            Effect::ListRuns => self.list(state),
            Effect::RenameRun { path, name } => {
                self.change(state, |library| library.rename(&path, &name).map(|_| ()))
            }
            Effect::DeleteRun(path) => self.change(state, |library| library.delete(&path)),
            Effect::Train(order) => self.training.obey(order, state),
            Effect::Keep { pull, step, name } => {
                self.training.keep(pull, step, &name, state, self.campaign.as_ref());
            }
            Effect::Save { pull, step } => self.training.save(pull, step, state),
            Effect::Adopt(all) => training::adopt(all, state, self.campaign.as_ref()),
            Effect::Study(job) => {
                let back = self.studies.0.clone();
                crate::run::background(move || {
                    let study = std::panic::catch_unwind(|| job.run());
                    let lost = || {
                        Message::Notice(
                            "intervals could not be computed: press i for what is known".to_owned(),
                        )
                    };
                    // Where the loop has ended nobody waits for it.
                    let _ = back.send(study.map_or_else(|_| lost(), |s| Message::Studied(Box::new(s))));
                })?;
            }
            Effect::Weigh(job) => {
                self.inspector.weigh(*job, state, self.campaign.as_ref(), &self.studies.0)?;
            }
            Effect::Branch(job) => {
                self.inspector.branch(*job, state, self.campaign.as_ref(), &self.studies.0)?;
            }
            Effect::EndBranch => self.inspector.end(),
            // The loop ends before it gets here.
            Effect::Quit | Effect::OpenRun(_) => {}
        }
        Ok(())
    }

    fn list(&self, state: &mut State) {
        let runs = Library::of_user().map(|library| library.list());
        update(state, Message::Runs(runs.unwrap_or_default()));
    }

    fn change(&self, state: &mut State, how: impl FnOnce(&Library) -> Result<(), RecordError>) {
        if let Some(Err(error)) = Library::of_user().as_ref().map(how) {
            update(state, Message::Notice(error.to_string()));
        }
        self.list(state);
    }

    /// Takes the terminal again; the shell may have changed it.
    fn resume(&mut self, state: &State) -> io::Result<()> {
        self.input = None;
        restore();
        self.guard.take(state.mouse)?;
        self.input = Some(Keys::new());
        self.screen.forget();
        self.pace.input();
        Ok(())
    }
}

async fn at(due: Option<Instant>) {
    match due {
        None => std::future::pending().await,
        Some(due) => sleep_until(due).await,
    }
}

async fn next(input: &mut Option<Keys>) -> Option<io::Result<TerminalEvent>> {
    match input {
        Some(keys) => keys.next().await,
        None => None,
    }
}
