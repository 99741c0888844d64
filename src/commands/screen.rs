//! The explorer on a terminal, with what it reads and what it writes.

use crate::app::State;
use crate::app::state::{Named, Recording};
use crate::config::Config;
use crate::policy::{Policy, Setting, sampling_settings};
use crate::problem::Judge;
use crate::record::{
    Follow, Follower, Index, PolicyEntry, Recorder, Run, SamplingEntry, Target, Writer, index,
};
use crate::run::{Campaign, Settings};
use crate::terminal::{self, Feeds, Left};
use crate::ui::summary;
use anyhow::{Context, Result, ensure};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Shows a state until the user leaves, then prints what was seen; from one recording to
/// the next, if the user asks for it.
pub(super) fn show(state: State, feeds: Feeds, config: Config) -> Result<ExitCode> {
    let mut view = terminal::look(config.theme, config.ascii);
    view.calm = config.reduced_motion;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("no event loop")?;
    let (mut state, mut feeds) = (state, feeds);
    state.mouse = config.mouse;
    let left = loop {
        state.bindings = config.bindings.clone();
        match runtime.block_on(terminal::run(&mut state, &mut view, feeds))? {
            Left::Open(path) => (state, feeds) = super::open::opened(&path, Mode::GoOn)?,
            left => break left,
        }
    };
    state.refresh();
    // Where the terminal has gone there is nobody to read it.
    let _ = io::stdout().write_all(summary::summary(&state).as_bytes());
    Ok(match left {
        Left::Signal(number) => ExitCode::from(128u8.saturating_add(number as u8)),
        Left::Quit | Left::Open(_) => ExitCode::SUCCESS,
    })
}

/// What is done with a recording that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// What is missing is drawn, where that can be done.
    GoOn,
    Read,
    Follow,
}

/// The name and place of a policy.
pub(super) fn named(policy: &Arc<dyn Policy>) -> Named {
    Named { name: policy.name().to_owned(), spec: policy.spec().to_owned() }
}

/// A recording that is only read.
pub(super) fn only_read(index: Index, follow: Follow) -> Result<(State, Feeds)> {
    let state = shown(&index, !matches!(follow, Follow::No))?;
    Ok((state, Feeds { reader: Some(Follower::start(index, follow)?), ..Feeds::default() }))
}

/// A recording that is only read, and of which nothing is read yet.
pub(super) fn shown(index: &Index, follow: bool) -> Result<State> {
    let (policies, order) = pair(index)?;
    let named = |p: &PolicyEntry| Named { name: p.name.clone(), spec: p.spec.clone().unwrap_or_default() };
    let settings = Settings { k: 1, ..settings_of(index.run()) };
    let problems = index.first_problems().to_vec().into();
    let parity = policies.iter().map(|p| told(p, &settings.sampling)).collect();
    let mut state = State::new(policies.iter().map(named).collect(), problems, settings);
    state.parity = parity;
    state.recording = Recording::opened(file_name(index.path()), order, true, follow);
    state.archive.read_from(Box::new(index.texts()));
    Ok(state)
}

/// A recording that is read and then gone on with, by the writer that has locked it.
pub(super) fn go_on(
    index: Index,
    writer: Writer,
    policies: Vec<Arc<dyn Policy>>,
    settings: Settings,
    judge: Arc<dyn Judge>,
) -> Result<(State, Feeds)> {
    let (_, order) = pair(&index)?;
    let problems = index.first_problems().to_vec().into();
    let parity = super::check::settings(&policies, &settings.sampling);
    let mut state = State::new(policies.iter().map(named).collect(), problems, settings);
    state.parity = parity;
    state.recording = Recording::opened(file_name(index.path()), order, false, false);
    state.archive.read_from(Box::new(index.texts()));
    let (path, run) = (index.path().to_owned(), index.run().clone());
    let mut feeds = Feeds { reader: Some(Follower::start(index, Follow::No)?), ..Feeds::default() };
    feeds.again = Some(Box::new({
        let policies = run.policies.clone();
        let problems = Arc::clone(&state.problems);
        move |settings: &Settings| beside(&path, &policies, settings, Arc::clone(&problems))
    }));
    feeds.begin = Some(Box::new(move |state: &State, there| {
        let mut writer = writer;
        writer.ask(policies.iter().map(|p| p.name().to_owned()).collect(), &state.problems);
        let recording = Recorder::start(Target::Open(writer))?;
        let problems = Arc::clone(&state.problems);
        let (campaign, lanes) = Campaign::judged(policies, problems, state.settings.clone(), there, judge);
        if state.progress.paused {
            campaign.send(crate::run::Command::Pause);
        }
        Ok((campaign, lanes, recording))
    }));
    Ok((state, feeds))
}

/// The settings of a recorded policy, where the recording tells them.
fn told(policy: &PolicyEntry, sampling: &crate::model::Sampling) -> Vec<Setting> {
    if policy.settings.is_empty() {
        return Vec::new();
    }
    let own = policy.settings.iter().map(|(name, value)| Setting::new(name.clone(), value.as_str()));
    sampling_settings(sampling).into_iter().chain(own).collect()
}

/// How a recording was sampled, as far as it says.
pub(super) fn settings_of(run: &Run) -> Settings {
    let known = run.sampling.clone().unwrap_or_default();
    let default = crate::model::Sampling::default();
    let sampling = crate::model::Sampling {
        temperature: known.temperature.unwrap_or(default.temperature),
        top_p: known.top_p.unwrap_or(default.top_p),
        top_k: known.top_k,
        max_tokens: known.max_tokens.unwrap_or(default.max_tokens),
        seed: known.seed.unwrap_or(default.seed),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Settings { k: run.k.unwrap_or(1), sampling, threads }
}

/// The file beside `path` for the same with other settings.
pub(super) fn beside(
    path: &Path,
    policies: &[PolicyEntry],
    settings: &Settings,
    problems: Arc<[crate::problem::Problem]>,
) -> Target {
    let run = Run {
        version: crate::record::format::VERSION,
        policies: policies.to_vec(),
        sampling: Some(SamplingEntry::from(&settings.sampling)),
        k: Some(settings.k),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) =
        name.split_once(".jsonl").map_or((name.as_str(), ""), |(stem, ending)| (stem, ending));
    let stem = stem.split(".seed-").next().unwrap_or(stem);
    let path: PathBuf = path.with_file_name(format!("{stem}.seed-{}.jsonl{ending}", settings.sampling.seed));
    Target::New { path, run, problems }
}

/// The policies of a recording with the base first, and where each of them is in it.
fn pair(index: &Index) -> Result<(Vec<PolicyEntry>, Vec<usize>)> {
    let (policies, order) = index::base_first(index.run());
    let file = index.path().display();
    ensure!(
        policies.len() >= 2,
        "{file}: a base and an RLVR policy are needed to compare, and it has {}; `leash report {file}` gives its figures",
        policies.len()
    );
    Ok((policies, order))
}

/// A file's name for the screen.
pub(super) fn file_name(path: &Path) -> String {
    crate::completion::clean(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}
