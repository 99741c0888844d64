//! The one state, split by screen.

pub mod archive;
pub mod completions;
pub mod explore;
pub mod progress;
pub mod recording;
pub mod runs;

pub use archive::Archive;
pub use completions::Completions;
pub use explore::Explore;
pub use progress::Progress;
pub use recording::Recording;
pub use runs::Runs;

use super::figures::Figures;
use super::key::Key;
use super::keymap::Context;
use crate::completion::clean;
use crate::problem::{Problem, tasks};
use crate::run::Settings;
use crate::support::{Ledger, Lens, Pair};
use std::sync::Arc;

/// Everything that the screens show and the keys change.
pub struct State {
    /// Policy 0 is the base. At least two.
    pub policies: Vec<Named>,
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
    pub runs: Runs,
    /// A sentence in the place of the footer, until the next key.
    pub notice: Option<String>,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// Whether the user asked for the other ground than the one the terminal has.
    pub other_ground: bool,
    pub figures: Figures,
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
}

/// What lies over the screen and takes the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// Scrolled by so many lines.
    Help(usize),
    /// Start again with this seed?
    Restart(u64),
    /// A filter is typed; this one held before.
    Filter { before: String },
    /// Another name for the selected run is typed.
    Rename(String),
    /// Delete the selected run, of this name?
    Delete(String),
}

impl State {
    /// Nothing drawn. Policy 0 is the base; it is compared with policy 1.
    pub fn new(policies: Vec<Named>, problems: Arc<[Problem]>, settings: Settings) -> Self {
        let named = |p: Named| Named { name: clean(&p.name), spec: clean(&p.spec) };
        Self {
            ledger: Ledger::new(policies.len(), problems.len()),
            policies: policies.into_iter().map(named).collect(),
            figures: Figures::new(problems.len()),
            archive: Archive::new(Arc::clone(&problems)),
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
            runs: Runs::default(),
            notice: None,
            mouse: true,
            other_ground: false,
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
        match (&self.overlay, self.screen) {
            (Some(Overlay::Help(_)), _) => Context::Help,
            (Some(Overlay::Restart(_) | Overlay::Delete(_)), _) => Context::Confirm,
            (Some(Overlay::Filter { .. }), _) => Context::Filter,
            (Some(Overlay::Rename(_)), _) => Context::Name,
            (None, Screen::Explore) => Context::Explore,
            (None, Screen::Completions) => Context::Completions,
            (None, Screen::Runs) => Context::Runs,
        }
    }

    /// The number of the policy on a side, 0 the base.
    pub fn policy(&self, side: usize) -> usize {
        if side == 0 { self.pair.base } else { self.pair.rlvr }
    }

    /// The name of the policy on a side; empty if there is none.
    pub fn name(&self, side: usize) -> &str {
        self.policies.get(self.policy(side)).map_or("", |p| p.name.as_str())
    }

    /// The title of the current problem's task, or its id.
    pub fn title(&self) -> String {
        let Some(problem) = self.problems.get(self.current) else { return "no problem".to_owned() };
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
