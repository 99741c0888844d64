//! The event loop: one owner of the state, one thread.

use super::TerminalError;
use super::guard::{Guard, restore};
use super::input::message;
use super::pace::Pace;
use super::screen::Screen;
use super::signals::{Signal, Signals, stop};
use super::training::{self, Training};
use crate::app::{Effect, Message, State, update};
use crate::run::{Campaign, Command, Lanes};
use crate::ui::View;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

/// Run events taken between two looks at the keys.
const BUDGET: usize = 256;

/// How the session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The user left.
    Quit,
    /// A signal of this number asked for it.
    Signal(i32),
}

/// Shows the state and carries out what it asks for, until the user leaves. The terminal
/// is as it was when this returns, whatever the result.
///
/// # Errors
/// There is no terminal, or it fails.
pub async fn run(
    state: &mut State,
    view: &mut View,
    campaign: &Campaign,
    mut lanes: Lanes,
) -> Result<Left, TerminalError> {
    super::check()?;
    let mut signals = Signals::new()?;
    let mut session = Session {
        guard: Guard::enter(state.mouse)?,
        screen: Screen::new()?,
        input: Some(EventStream::new()),
        pace: Pace::new(view.calm),
        campaign,
        training: Training::default(),
        studies: mpsc::unbounded_channel(),
    };
    let mut lanes_open = true;
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = session.pace.due(Instant::now());
        let effects = tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::End(number) => return Ok(Left::Signal(number)),
                Signal::Stop => vec![Effect::Suspend],
                Signal::Continue => {
                    session.resume(state)?;
                    Vec::new()
                }
            },
            () = at(due) => {
                session.screen.draw(state, view)?;
                update(state, Message::Overflow(view.seen.overflow));
                session.pace.drawn(Instant::now());
                Vec::new()
            }
            event = next(&mut session.input) => match event {
                Some(event) => session.take(state, view, &event?),
                // The terminal is gone.
                None => return Ok(Left::Signal(libc::SIGHUP)),
            },
            event = lanes.events.recv(), if lanes_open => {
                lanes_open = event.is_some();
                let mut next = event;
                let mut left = BUDGET;
                while let Some(event) = next {
                    update(state, Message::Run(event));
                    left -= 1;
                    next = if left > 0 { lanes.events.try_recv().ok() } else { None };
                }
                session.pace.stream();
                Vec::new()
            }
            _ = seconds.tick(), if state.tour.is_some_and(|t| t.auto) => {
                session.pace.stream();
                update(state, Message::Second)
            }
            event = session.training.next() => {
                let mut next = event;
                let mut left = BUDGET;
                while let Some(event) = next {
                    update(state, Message::Trained(event));
                    left -= 1;
                    next = if left > 0 { session.training.more() } else { None };
                }
                session.pace.stream();
                Vec::new()
            }
            changed = lanes.gauge.changed(), if lanes_open => {
                lanes_open = changed.is_ok();
                let gauge = lanes.gauge.borrow_and_update().clone();
                update(state, Message::Gauge(gauge));
                session.pace.stream();
                Vec::new()
            }
            Some(message) = session.studies.1.recv() => {
                session.pace.stream();
                update(state, message)
            }
            // The last: only when nothing else waits.
            () = std::future::ready(()), if state.has_work() => {
                let regrading = state.regrade.is_behind();
                let effects = update(state, Message::Step);
                if regrading {
                    session.pace.stream();
                }
                // A look at what else there is, the timer included.
                tokio::task::yield_now().await;
                effects
            }
        };
        for effect in effects {
            if effect == Effect::Quit {
                return Ok(Left::Quit);
            }
            session.carry_out(effect, state)?;
        }
    }
}

struct Session<'a> {
    guard: Guard,
    screen: Screen,
    /// `None` only while the terminal is handed over: it would go on reading there.
    input: Option<EventStream>,
    pace: Pace,
    campaign: &'a Campaign,
    training: Training,
    /// What comes back from the threads that make studies; one at a time.
    studies: (mpsc::UnboundedSender<Message>, mpsc::UnboundedReceiver<Message>),
}

impl Session<'_> {
    fn take(&mut self, state: &mut State, view: &View, event: &Event) -> Vec<Effect> {
        if matches!(event, Event::Resize(..)) {
            self.pace.stream();
            return Vec::new();
        }
        let Some(message) = message(event, &view.seen) else { return Vec::new() };
        self.pace.input();
        update(state, message)
    }

    fn carry_out(&mut self, effect: Effect, state: &mut State) -> Result<(), TerminalError> {
        match effect {
            Effect::Focus(problem) => self.campaign.send(Command::Focus(problem)),
            Effect::Pause => self.campaign.send(Command::Pause),
            Effect::Resume => self.campaign.send(Command::Resume),
            Effect::SetK(k) => self.campaign.send(Command::SetK(k)),
            Effect::Restart(settings) => self.campaign.send(Command::Restart(settings)),
            Effect::Copy(text) => self.screen.copy(&text)?,
            Effect::Mouse(ours) => self.guard.mouse(ours)?,
            Effect::Suspend => {
                self.input = None;
                restore();
                stop();
                self.resume(state)?;
            }
            Effect::Train(order) => self.training.obey(order, state),
            Effect::Keep { pull, step, name } => {
                self.training.keep(pull, step, &name, state, self.campaign);
            }
            Effect::Save { pull, step } => self.training.save(pull, step, state),
            Effect::Adopt(all) => training::adopt(all, state, self.campaign),
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
            // The loop ends before it gets here.
            Effect::Quit => {}
        }
        Ok(())
    }

    /// Takes the terminal again; the shell may have changed it.
    fn resume(&mut self, state: &State) -> io::Result<()> {
        self.input = None;
        restore();
        self.guard.take(state.mouse)?;
        self.input = Some(EventStream::new());
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

async fn next(input: &mut Option<EventStream>) -> Option<io::Result<Event>> {
    match input {
        Some(stream) => stream.next().await,
        None => None,
    }
}
