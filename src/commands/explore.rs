//! `leash`: the explorer.

use super::{check, print, settings::settings};
use crate::app::state::Named;
use crate::app::{State, Tour};
use crate::cli::{CampaignArgs, ScreenArgs};
use crate::policy::Policy;
use crate::problem::Problem;
use crate::run::Campaign;
use crate::support::Pair;
use crate::terminal::{self, Left};
use crate::ui::summary;
use anyhow::Context;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Explores until the user leaves, then prints what was seen.
///
/// # Errors
/// No terminal, or one that fails; policies or problems that cannot be opened.
pub fn run(args: &CampaignArgs, screen: &ScreenArgs, tour: Option<Tour>) -> anyhow::Result<ExitCode> {
    let config = settings(screen)?;
    if screen.print_config {
        print(&config.to_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    // Before anything slow or wordy: without a terminal this is the wrong command.
    terminal::check()?;
    let problems: Arc<[Problem]> = args.problems()?.into();
    let judge = args.judge()?;
    let policies = args.policies()?;
    let settings = args.settings();
    let named = |p: &Arc<dyn Policy>| Named { name: p.name().to_owned(), spec: p.spec().to_owned() };
    let mut state = State::new(policies.iter().map(named).collect(), Arc::clone(&problems), settings.clone());
    state.parity = check::settings(&policies, &settings.sampling);
    if let Some(words) = check::differing(&state.parity) {
        state.log.add(&words, false);
        state.notice = Some(format!("{words}: P shows them side by side"));
    }
    state.tour = tour;
    if args.timeline {
        // It begins where RLVR ended; [ goes back in time.
        state.pair = Pair::with_base(state.policies.len() - 1);
    }
    state.mouse = config.mouse;
    state.bindings = config.bindings;
    let mut view = terminal::look(config.theme, config.ascii);
    view.calm = config.reduced_motion;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("no event loop")?;
    let (campaign, lanes) = Campaign::judged(policies, problems, settings, &[], judge);
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
