//! `leash`: the explorer.

use crate::app::State;
use crate::app::state::Named;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::run::{Campaign, Settings};
use crate::terminal::{self, Left};
use crate::ui::{summary, theme::Ground};
use anyhow::{Context, ensure};
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Explores problems under a base (the first policy) and RLVR policies until the user
/// leaves, then prints what was seen. `ground` is the ground that the user asked for.
///
/// # Errors
/// Fewer than two policies, no problem, no terminal, or a terminal that fails.
pub fn explore(
    policies: Vec<Arc<dyn Policy>>,
    problems: Vec<Problem>,
    settings: Settings,
    ground: Option<Ground>,
) -> anyhow::Result<ExitCode> {
    ensure!(policies.len() >= 2, "a base and an RLVR policy are needed: name them with --base and --rlvr");
    ensure!(!problems.is_empty(), "there is no problem to explore");
    terminal::check()?;
    let problems: Arc<[Problem]> = problems.into();
    let named = |p: &Arc<dyn Policy>| Named { name: p.name().to_owned(), spec: p.spec().to_owned() };
    let mut state = State::new(policies.iter().map(named).collect(), Arc::clone(&problems), settings.clone());
    let mut view = terminal::look(ground);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("no event loop")?;
    let (campaign, lanes) = Campaign::start(policies, problems, settings);
    let left = runtime.block_on(terminal::run(&mut state, &mut view, &campaign, lanes))?;
    drop(campaign);
    state.refresh();
    // Where the terminal has gone there is nobody to read it.
    let _ = io::stdout().write_all(summary::summary(&state).as_bytes());
    Ok(match left {
        Left::Quit => ExitCode::SUCCESS,
        Left::Signal(number) => ExitCode::from(128u8.saturating_add(number as u8)),
    })
}
