//! The one state, split by screen.

pub mod archive;
pub mod completions;
pub mod curves;
pub mod explore;
pub mod inspect;
pub mod log;
pub mod palette;
pub mod progress;
pub mod recording;
pub mod regrade;
pub mod runs;
pub mod suite;
pub mod training;

pub use archive::Archive;
pub use completions::Completions;
pub use curves::Curves;
pub use explore::Explore;
pub use inspect::Inspect;
pub use log::Log;
pub use palette::Palette;
pub use progress::Progress;
pub use recording::Recording;
pub use regrade::Regrade;
pub use runs::Runs;
pub use suite::{Suite, Tasks};
pub use training::Training;

use super::bindings::Bindings;
use super::figures::Figures;
use super::key::Key;
use super::keymap::Context;
use super::study::Studies;
use super::tour::Tour;
use crate::completion::clean;
use crate::policy::Setting;
use crate::problem::{Problem, tasks};
use crate::run::Settings;
use crate::support::{Ledger, Lens, Pair};
use std::sync::Arc;

/// Everything that the screens show and the keys change.
pub struct State {
    /// Policy 0 is the base. At least two.
    pub policies: Vec<Named>,
    /// The settings of each policy, where they are known.
    pub parity: Vec<Vec<Setting>>,
    pub problems: Arc<[Problem]>,
    pub settings: Settings,
    /// Events of an older one are dropped.
    pub generation: u64,
    pub ledger: Ledger,
    pub archive: Archive,
    pub progress: Progress,
    pub recording: Recording,
    pub lens: Lens,
    pub pair: Pair,
    pub scope: Scope,
    /// The problem on screen; 0 where there are none.
    pub current: usize,
    pub screen: Screen,
    pub overlay: Option<Overlay>,
    pub explore: Explore,
    pub completions: Completions,
    pub inspect: Inspect,
    pub training: Training,
    pub runs: Runs,
    /// A sentence in the place of the footer, until the next key.
    pub notice: Option<String>,
    pub log: Log,
    /// The guided tour, while it lasts.
    pub tour: Option<Tour>,
    pub bindings: Bindings,
    /// Whether the mouse is ours.
    pub mouse: bool,
    pub look: Look,
    pub figures: Figures,
    pub curves: Curves,
    pub suite: Suite,
    /// The problems by task.
    pub tasks: Tasks,
    pub regrade: Regrade,
    pub studies: Studies,
    /// Keys that begin a sequence.
    pub(super) pending: Vec<Key>,
}

/// A policy's name and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub spec: String,
}

/// Whose curves are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    Problem,
    All,
}

/// What fills the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    #[default]
    Explore,
    Completions,
    Runs,
    Training,
    Curves,
    Suite,
}

/// The theme that the user has chosen while looking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// That of the configuration and the terminal.
    #[default]
    Given,
    /// As that, for the other ground.
    OtherGround,
    HighContrast,
    ColourBlind,
}

/// What lies over the screen and takes the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// Scrolled by so many lines.
    Help(usize),
    /// Start again with this seed?
    Restart(u64),
    /// A filter is typed; this one held before.
    Filter {
        before: String,
        /// Of clusters, else of problems.
        clusters: bool,
    },
    Palette(Palette),
    /// Scrolled by so many lines.
    Log(usize),
    /// Scrolled by so many lines.
    Parity(usize),
    /// What the figures mean, scrolled by so many lines.
    Explain(usize),
    /// Another name for the selected run is typed.
    Rename(String),
    /// Delete the selected run, of this name?
    Delete(String),
    /// The first words of continuations are typed.
    Words(Words),
}

/// The first words of continuations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub text: String,
    /// Their tokens, as long as the user has not changed them.
    pub tokens: Vec<u32>,
}

impl State {
    /// Nothing drawn. Policy 0 is the base; it is compared with policy 1.
    pub fn new(policies: Vec<Named>, problems: Arc<[Problem]>, settings: Settings) -> Self {
        let named = |p: Named| Named { name: clean(&p.name), spec: clean(&p.spec) };
        Self {
            ledger: Ledger::new(policies.len(), problems.len()),
            policies: policies.into_iter().map(named).collect(),
            parity: Vec::new(),
            figures: Figures::new(problems.len()),
            archive: Archive::new(Arc::clone(&problems)),
            curves: Curves::default(),
            suite: Suite::default(),
            tasks: Tasks::of(&problems),
            regrade: Regrade::default(),
            studies: Studies::default(),
            problems,
            settings,
            generation: 0,
            progress: Progress::default(),
            recording: Recording::default(),
            lens: Lens::default(),
            pair: Pair::with_base(1),
            scope: Scope::default(),
            current: 0,
            screen: Screen::default(),
            overlay: None,
            explore: Explore::default(),
            completions: Completions::default(),
            inspect: Inspect::default(),
            training: Training::default(),
            runs: Runs::default(),
            notice: None,
            log: Log::default(),
            tour: None,
            bindings: Bindings::default(),
            mouse: true,
            look: Look::default(),
            pending: Vec::new(),
        }
    }

    /// Problems of the recording, the first after those that were read before.
    pub fn more_problems(&mut self, more: Vec<Problem>) {
        // The first ones of a recording were read with its head.
        let known = self.problems.len().saturating_sub(self.recording.problems);
        self.recording.problems += more.len();
        let more: Vec<Problem> = more.into_iter().skip(known).collect();
        if more.is_empty() {
            return;
        }
        self.problems = self.problems.iter().cloned().chain(more).collect();
        self.archive.ask(Arc::clone(&self.problems));
        self.ledger.grow(self.problems.len());
        self.figures.grow(self.problems.len());
    }

    /// Whether completions are drawn, or will be once the recording is read.
    pub fn draws(&self) -> bool {
        !self.recording.only_read
    }

    /// Where keys go.
    pub fn context(&self) -> Context {
        match &self.overlay {
            Some(Overlay::Help(_) | Overlay::Explain(_)) => Context::Help,
            Some(Overlay::Restart(_) | Overlay::Delete(_)) => Context::Confirm,
            Some(Overlay::Filter { .. }) => Context::Filter,
            Some(Overlay::Palette(_)) => Context::Palette,
            Some(Overlay::Log(_) | Overlay::Parity(_)) => Context::Log,
            Some(Overlay::Rename(_)) => Context::Name,
            Some(Overlay::Words(_)) => Context::Words,
            None => self.screen_context(),
        }
    }

    /// Where keys go while nothing lies over the screen.
    pub fn screen_context(&self) -> Context {
        match self.screen {
            Screen::Explore => Context::Explore,
            Screen::Completions => Context::Completions,
            Screen::Training => Context::Training,
            Screen::Curves => Context::Curves,
            Screen::Suite => Context::Suite,
            Screen::Runs => Context::Runs,
        }
    }

    /// The number of the policy on a side, 0 the base.
    pub fn policy(&self, side: usize) -> usize {
        if side == 0 { self.pair.base } else { self.pair.rlvr }
    }

    /// The settings of the policy on a side, where they are known.
    pub fn settings_of(&self, side: usize) -> Option<&[Setting]> {
        self.parity.get(self.policy(side)).map(Vec::as_slice).filter(|settings| !settings.is_empty())
    }

    /// The name of the policy on a side; empty if there is none.
    pub fn name(&self, side: usize) -> &str {
        self.policies.get(self.policy(side)).map_or("", |p| p.name.as_str())
    }

    /// The title of the current problem's task, or its id.
    pub fn title(&self) -> String {
        self.title_of(self.current)
    }

    /// The title of a problem's task, or its id.
    pub fn title_of(&self, problem: usize) -> String {
        let Some(problem) = self.problems.get(problem) else { return "no problem".to_owned() };
        match problem.task.as_deref().and_then(tasks::find) {
            Some(task) => task.title().to_owned(),
            None => clean(problem.task.as_deref().unwrap_or(&problem.id)),
        }
    }

    /// What problem `i` asks, on one line.
    pub fn statement(&self, i: usize) -> String {
        let Some(problem) = self.problems.get(i) else { return String::new() };
        let text = clean(&problem.prompt);
        let text = text.trim();
        let text = text.strip_prefix("Q:").unwrap_or(text);
        let text = text.strip_suffix("A:").unwrap_or(text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
