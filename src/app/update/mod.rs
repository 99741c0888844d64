//! From a message to a changed state and what is to be done.

mod inspect;
mod mouse;
mod moves;
mod news;
mod recording;
mod runs;
mod screens;
mod training;

use crate::app::action::Action;
use crate::app::bindings::Found;
use crate::app::effect::Effect;
use crate::app::figures::Figures;
use crate::app::key::Key;
use crate::app::keymap::Context;
use crate::app::message::Message;
use crate::app::state::explore::Pane;
use crate::app::state::{Archive, Look, Overlay, Palette, Progress, Regrade, Scope, Screen, State};
use crate::app::study::Studies;
use crate::app::tour;
use crate::completion::clean;
use crate::run::Settings;
use crate::support::{Criterion, Ledger, Unit};
use moves::{back, flip, go, moved, neighbour, open, pane, select_member, select_row, step, tab};
use std::sync::Arc;

/// The most completions that can be asked for, of each problem under each policy.
pub const MOST: u32 = 1 << 20;

/// Rows of a page.
const PAGE: i64 = 10;

/// Changes the state and says what is to be done in the world.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    let said = state.notice.clone();
    let effects = take(state, message);
    if let Some(words) = state.notice.as_ref().filter(|words| said.as_ref() != Some(words)) {
        state.log.add(words, false);
    }
    effects
}

fn take(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(key) => press(state, key),
        Message::Action(action) => {
            // What is selected is a row of the newest figures, drawn or not.
            state.refresh();
            act(state, action)
        }
        Message::Click(target) => {
            state.refresh();
            mouse::click(state, target)
        }
        Message::Scroll(target, notches) => {
            state.refresh();
            mouse::scroll(state, target, i64::from(notches))
        }
        Message::Run(event) => {
            news::happened(state, event);
            Vec::new()
        }
        Message::Runs(list) => {
            state.runs.show(list);
            Vec::new()
        }
        Message::Record(news) => recording::told(state, news),
        Message::Gauge(gauge) => {
            if gauge.generation == state.generation {
                state.progress.gauge = gauge;
            }
            Vec::new()
        }
        Message::Overflow(lines) => {
            match &mut state.overlay {
                Some(Overlay::Help(at) | Overlay::Log(at) | Overlay::Explain(at) | Overlay::Parity(at)) => {
                    *at = (*at).min(lines);
                }
                _ => state.completions.scroll = state.completions.scroll.min(lines),
            }
            Vec::new()
        }
        Message::Second => tour::second(state),
        Message::Trained(event) => {
            training::happened(state, event);
            Vec::new()
        }
        Message::Adopted(named) => {
            training::adopted(state, named);
            Vec::new()
        }
        Message::Notice(words) => {
            state.notice = Some(clean(&words));
            Vec::new()
        }
        Message::Step => state.work(),
        Message::Weighed(weighed) => {
            state.weighed(*weighed);
            Vec::new()
        }
        Message::Branched(news) => {
            state.branched(news);
            Vec::new()
        }
        Message::Scrolled(first) => {
            state.completions.scroll = first;
            Vec::new()
        }
        Message::Studied(study) => {
            state.studied(*study);
            Vec::new()
        }
    }
}

fn press(state: &mut State, key: Key) -> Vec<Effect> {
    state.notice = None;
    state.pending.push(key);
    match found(state) {
        Found::Prefix => Vec::new(),
        Found::Action(action) => {
            state.pending.clear();
            take(state, Message::Action(action))
        }
        Found::Nothing => {
            let begun = state.pending.len() > 1;
            state.pending.clear();
            match key {
                // A sequence that came to nothing does not swallow the key that ended it.
                _ if begun => press(state, key),
                Key::Char(c) => typed(state, c),
                _ => Vec::new(),
            }
        }
    }
}

/// What the pending keys come to: first for the tour, then for what is under it.
fn found(state: &State) -> Found {
    let under = || state.bindings.find(state.context(), &state.pending);
    if state.tour.is_none() || state.overlay.is_some() {
        return under();
    }
    match state.bindings.find(Context::Tour, &state.pending) {
        Found::Nothing => under(),
        found => found,
    }
}

/// A character that is bound to nothing goes to what is being typed.
fn typed(state: &mut State, c: char) -> Vec<Effect> {
    match &mut state.overlay {
        Some(Overlay::Filter { .. }) => {
            filter_text(state).push(c);
            filtered(state)
        }
        Some(Overlay::Palette(palette)) => {
            palette.query.push(c);
            palette.at = 0;
            Vec::new()
        }
        Some(Overlay::Rename(name)) => {
            name.push(c);
            Vec::new()
        }
        Some(Overlay::Words(words)) => {
            words.text.push(c);
            words.tokens.clear();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if state.screen == Screen::Training
        && state.overlay.is_none()
        && let Some(effects) = training::act(state, action)
    {
        return effects;
    }
    match action {
        Action::Up => step(state, -1),
        Action::Down => step(state, 1),
        Action::PageUp => step(state, -PAGE),
        Action::PageDown => step(state, PAGE),
        Action::First => step(state, i64::MIN),
        Action::Last => step(state, i64::MAX),
        Action::NextPane => pane(state, 1),
        Action::PreviousPane => pane(state, -1),
        Action::Next => neighbour(state, 1),
        Action::Previous => neighbour(state, -1),
        Action::NextFlip => flip(state, 1),
        Action::PreviousFlip => flip(state, -1),
        Action::Open => open(state),
        Action::Back => back(state),
        Action::Accept => accept(state),
        Action::Cancel => cancel(state),
        Action::Erase => erase(state),
        Action::Filter => {
            let clusters = state.screen == Screen::Explore && state.explore.pane != Pane::Problems;
            let of = if clusters { &state.explore.clusters } else { &state.explore.filter };
            state.overlay = Some(Overlay::Filter { before: of.clone(), clusters });
            Vec::new()
        }
        Action::Unit => {
            let at = Unit::ALL.iter().position(|u| *u == state.lens.unit).unwrap_or(0);
            state.lens.unit = Unit::ALL[(at + 1) % Unit::ALL.len()];
            Vec::new()
        }
        Action::Criterion => {
            state.lens.criterion = match state.lens.criterion {
                Criterion::Found { min_hits: 0 | 1 } => Criterion::Found { min_hits: 2 },
                Criterion::Found { min_hits: 2 | 3 } => Criterion::Found { min_hits: 4 },
                Criterion::Found { .. } => Criterion::Threshold { zeta: 0.05 },
                Criterion::Threshold { .. } => Criterion::default(),
            };
            Vec::new()
        }
        Action::Sound => {
            state.lens.sound = !state.lens.sound;
            Vec::new()
        }
        Action::Scope => {
            state.scope = match state.scope {
                Scope::Problem => Scope::All,
                Scope::All => Scope::Problem,
            };
            Vec::new()
        }
        Action::Pause | Action::More | Action::Less | Action::Restart if !state.draws() => {
            state.notice = Some("this recording is only read: nothing is drawn".to_owned());
            Vec::new()
        }
        Action::Restart if state.recording.reading.is_some() => {
            state.notice = Some("the recording is still read: start anew when it is there".to_owned());
            Vec::new()
        }
        Action::Restart if state.recording.blocked.is_some() => Vec::new(),
        Action::Pause => pause(state),
        Action::More => set_k(state, state.settings.k.saturating_mul(2)),
        Action::Less => set_k(state, state.settings.k / 2),
        Action::Restart => {
            state.overlay = Some(Overlay::Restart(state.settings.sampling.seed.wrapping_add(1)));
            Vec::new()
        }
        Action::Copy => copy(state),
        Action::Theme => {
            let (look, words) = match state.look {
                Look::Given => (Look::OtherGround, "the other ground"),
                Look::OtherGround => (Look::HighContrast, "high contrast"),
                Look::HighContrast => (Look::ColourBlind, "safe for the colour-blind"),
                Look::ColourBlind => (Look::Given, "as it was"),
            };
            state.look = look;
            state.notice = Some(format!("theme: {words}"));
            Vec::new()
        }
        Action::Log => {
            state.overlay = Some(Overlay::Log(0));
            Vec::new()
        }
        Action::Parity => {
            state.overlay = Some(Overlay::Parity(0));
            Vec::new()
        }
        Action::TourNext => tour::go(state, 1),
        Action::TourBack => tour::go(state, -1),
        Action::TourLeave => {
            state.tour = None;
            Vec::new()
        }
        Action::Palette => {
            state.overlay = Some(Overlay::Palette(Palette::default()));
            Vec::new()
        }
        Action::Mouse => {
            state.mouse = !state.mouse;
            let whose = if state.mouse { "ours: click and wheel" } else { "the terminal's: select text" };
            state.notice = Some(format!("the mouse is {whose}"));
            vec![Effect::Mouse(state.mouse)]
        }
        Action::Help => {
            state.overlay = Some(Overlay::Help(0));
            Vec::new()
        }
        Action::Quit => vec![Effect::Quit],
        Action::Suspend => vec![Effect::Suspend],
        Action::Training => {
            state.screen = Screen::Training;
            Vec::new()
        }
        Action::NextPolicy => training::policy(state, 1),
        Action::PreviousPolicy => training::policy(state, -1),
        Action::TurnUp
        | Action::TurnDown
        | Action::Preset
        | Action::Pull
        | Action::Fork
        | Action::StopPull
        | Action::Apply
        | Action::Keep
        | Action::Save
        | Action::Charts
        | Action::Checkpoints => Vec::new(),
        Action::CursorLeft if state.screen == Screen::Completions => inspect::cursor(state, -1),
        Action::CursorRight if state.screen == Screen::Completions => inspect::cursor(state, 1),
        Action::Heat
        | Action::NextFork
        | Action::PreviousFork
        | Action::Branch
        | Action::Force
        | Action::Diff
        | Action::NextContinuation
        | Action::PreviousContinuation => inspect::act(state, action),
        Action::ToExplore
        | Action::ToCompletions
        | Action::ToCurves
        | Action::ToSuite
        | Action::Explain
        | Action::Regrade
        | Action::CursorLeft
        | Action::CursorRight
        | Action::ZoomIn
        | Action::ZoomOut
        | Action::Sort
        | Action::Layout => screens::act(state, action),
        Action::Runs => runs::show(state),
        Action::Rename => runs::rename(state),
        Action::Delete => runs::delete(state),
    }
}

fn accept(state: &mut State) -> Vec<Effect> {
    match state.overlay.take() {
        Some(Overlay::Restart(seed)) => {
            let mut settings = state.settings.clone();
            settings.sampling.seed = seed;
            restart(state, settings)
        }
        Some(Overlay::Palette(Palette { query, at })) => match state.palette(&query).get(at) {
            Some((binding, _)) => act(state, binding.action),
            None => Vec::new(),
        },
        Some(Overlay::Rename(name)) => runs::renamed(state, name),
        Some(Overlay::Delete(_)) => runs::deleted(state),
        Some(Overlay::Words(words)) => inspect::forced(state, words),
        _ => Vec::new(),
    }
}

fn cancel(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Filter { before, .. }) = &state.overlay {
        let before = before.clone();
        *filter_text(state) = before;
    }
    state.overlay = None;
    Vec::new()
}

fn erase(state: &mut State) -> Vec<Effect> {
    match &mut state.overlay {
        Some(Overlay::Palette(palette)) => {
            palette.query.pop();
            palette.at = 0;
            Vec::new()
        }
        Some(Overlay::Rename(name)) => {
            name.pop();
            Vec::new()
        }
        Some(Overlay::Words(words)) => {
            words.text.pop();
            words.tokens.clear();
            Vec::new()
        }
        _ => {
            filter_text(state).pop();
            filtered(state)
        }
    }
}

/// The filter that is typed.
fn filter_text(state: &mut State) -> &mut String {
    match state.overlay {
        Some(Overlay::Filter { clusters: true, .. }) => &mut state.explore.clusters,
        _ => &mut state.explore.filter,
    }
}

/// After the filter changed: a problem that it shows is on screen, if there is one.
fn filtered(state: &mut State) -> Vec<Effect> {
    state.refresh();
    let shown = &state.figures.listed;
    let at = state.place_of(state.current).min(shown.len().saturating_sub(1));
    match shown.get(at) {
        Some(&problem) => go(state, problem),
        None => Vec::new(),
    }
}

fn pause(state: &mut State) -> Vec<Effect> {
    state.progress.paused = !state.progress.paused;
    if state.progress.paused {
        return vec![Effect::Pause];
    }
    // What failed is tried again.
    state.progress.failures.clear();
    vec![Effect::Resume]
}

fn set_k(state: &mut State, k: u32) -> Vec<Effect> {
    let k = k.clamp(1, MOST);
    if k == state.settings.k {
        return Vec::new();
    }
    state.settings.k = k;
    state.progress.finished = false;
    vec![Effect::SetK(k)]
}

fn restart(state: &mut State, settings: Settings) -> Vec<Effect> {
    state.settings = settings.clone();
    state.generation += 1;
    state.ledger = Ledger::new(state.policies.len(), state.problems.len());
    state.archive = Archive::new(Arc::clone(&state.problems));
    state.recording.drawn = 0;
    state.figures = Figures::new(state.problems.len());
    state.regrade = Regrade::default();
    state.studies = Studies::default();
    state.progress = Progress::default();
    state.explore.cluster = None;
    state.screen = Screen::Explore;
    vec![Effect::Restart(settings), Effect::Focus(state.current)]
}

fn copy(state: &mut State) -> Vec<Effect> {
    let (what, text) = match state.screen {
        Screen::Runs => ("the file's path", state.runs.current().map(|r| clean(&r.path.to_string_lossy()))),
        Screen::Explore | Screen::Curves | Screen::Suite | Screen::Training => {
            ("the statement", state.problems.get(state.current).map(|p| clean(&p.prompt)))
        }
        Screen::Completions => {
            let index = state.figures.members.get(state.selected_member());
            let policy = state.policy(state.completions.side);
            let entry = index.and_then(|i| state.archive.get(policy, state.current, *i));
            ("the completion", entry.map(|e| e.completion.text.clone()))
        }
    };
    let Some(text) = text else { return Vec::new() };
    state.notice = Some(format!("copied {what}"));
    vec![Effect::Copy(text)]
}
