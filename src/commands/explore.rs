//! `leash`: the explorer.

use super::sample::{described, difference};
use super::screen::{beside, file_name, go_on, named, show};
use super::settings::settings;
use super::{check, print};
use crate::app::{State, Tour};
use crate::cli::ExploreArgs;
use crate::completion::clean;
use crate::policy::Policy;
use crate::problem::{Judge, Problem};
use crate::record::{Index, Library, Recorder, Recording, Run, Target, Writer};
use crate::run::{Campaign, Settings};
use crate::support::Pair;
use crate::terminal::{self, Feeds};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Explores until the user leaves, then prints what was seen. What is drawn is recorded.
///
/// # Errors
/// No terminal, or one that fails; policies or problems that cannot be opened; a file of
/// another run.
pub fn run(args: &ExploreArgs, tour: Option<Tour>) -> Result<ExitCode> {
    let config = settings(&args.screen)?;
    if args.screen.print_config {
        print(&config.to_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    // Before anything slow or wordy: without a terminal this is the wrong command.
    terminal::check()?;
    let problems: Arc<[Problem]> = args.campaign.problems()?.into();
    let judge = args.campaign.judge()?;
    let policies = args.campaign.policies()?;
    let settings = args.campaign.settings();
    let run = described(&policies, &settings);
    let parity = check::settings(&policies, &settings.sampling);
    let start = Start { problems, policies, settings, run, judge };
    let (mut state, feeds) = match &args.record {
        _ if args.no_record => start.unrecorded()?,
        Some(file) => start.in_file(file)?,
        None => start.in_library()?,
    };
    if let Some(words) = check::differing(&parity) {
        state.log.add(&words, false);
        state.notice = Some(format!("{words}: P shows them side by side"));
    }
    state.parity = parity;
    state.tour = tour;
    if args.campaign.timeline {
        // It begins where RLVR ended; [ goes back in time.
        state.pair = Pair::with_base(state.policies.len() - 1);
    }
    show(state, feeds, config)
}

/// What is drawn from whom.
struct Start {
    problems: Arc<[Problem]>,
    policies: Vec<Arc<dyn Policy>>,
    settings: Settings,
    run: Run,
    judge: Arc<dyn Judge>,
}

impl Start {
    fn unrecorded(self) -> Result<(State, Feeds)> {
        Ok(self.anew(None)?)
    }

    /// In the file that the user names, which is gone on with if it is there.
    fn in_file(self, file: &Path) -> Result<(State, Feeds)> {
        if std::fs::metadata(file).map_or(true, |m| m.len() == 0) {
            let writer = Writer::create(file, &self.run, &self.problems, true)?;
            return Ok(self.anew(Some(Target::Open(writer)))?);
        }
        let recording = Recording::head(file)?;
        if let Some(what) = difference(&recording, &self.run, &self.problems) {
            bail!(
                "{}: it holds another run: {}. `leash open` shows it; to record, name another file",
                file.display(),
                clean(&what)
            );
        }
        let (writer, cut) = Writer::resume(file, &self.run, &self.problems, true)?;
        self.after(writer, cut)
    }

    /// Among the user's runs: the same run is gone on with.
    fn in_library(self) -> Result<(State, Feeds)> {
        let library = Library::of_user().filter(|library| library.prepare().is_ok());
        let Some(library) = library else {
            let (mut state, feeds) = self.unrecorded()?;
            state.notice = Some("nothing is recorded: the folder for runs cannot be written".to_owned());
            return Ok((state, feeds));
        };
        if let Some((writer, cut)) = library.find(&self.run, &self.problems) {
            return self.after(writer, cut);
        }
        let path = library.fresh(&self.problems);
        let (run, problems) = (self.run.clone(), Arc::clone(&self.problems));
        Ok(self.anew(Some(Target::New { path, run, problems }))?)
    }

    fn after(self, writer: Writer, cut: u64) -> Result<(State, Feeds)> {
        let index = Index::open(writer.path())?;
        let (mut state, feeds) = go_on(index, writer, self.policies, self.settings, self.judge)?;
        let torn = match cut {
            0 => String::new(),
            cut => format!(" (its last line was torn: {cut} bytes are cut off)"),
        };
        state.notice = Some(format!("goes on with {}{torn}; r starts anew", state.recording.file));
        Ok((state, feeds))
    }

    fn anew(self, target: Option<Target>) -> std::io::Result<(State, Feeds)> {
        let Start { problems, policies, settings, run, judge } = self;
        let mut state =
            State::new(policies.iter().map(named).collect(), Arc::clone(&problems), settings.clone());
        let mut feeds = Feeds::default();
        if let Some(target) = target {
            let path = match &target {
                Target::Open(writer) => writer.path().to_owned(),
                Target::New { path, .. } => path.clone(),
            };
            state.recording.file = file_name(&path);
            let problems = Arc::clone(&problems);
            feeds.again = Some(Box::new(move |settings: &Settings| {
                beside(&path, &run.policies, settings, Arc::clone(&problems))
            }));
            feeds.recording = Some(Recorder::start(target)?);
        }
        let (campaign, lanes) = Campaign::judged(policies, problems, settings, &[], judge);
        (feeds.campaign, feeds.lanes) = (Some(campaign), Some(lanes));
        Ok((state, feeds))
    }
}
