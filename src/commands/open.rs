//! `leash open`: the explorer on a recording.

use super::sample::described;
use super::screen::{Mode, file_name, go_on, only_read, settings_of, show};
use super::settings::settings;
use crate::app::State;
use crate::cli::OpenArgs;
use crate::policy::{self, Policy};
use crate::problem::Verifiers;
use crate::record::foreign::{self, Live};
use crate::record::{Follow, Index, RecordError, Writer, index};
use crate::terminal::{self, Feeds};
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Shows a recording, and goes on drawing where it stopped if its policies can be opened
/// and nobody else is writing it.
///
/// # Errors
/// No terminal; a file that cannot be read or is no recording.
pub fn run(args: &OpenArgs) -> Result<ExitCode> {
    let config = settings(&args.screen)?;
    terminal::check()?;
    let (state, feeds) = if foreign::is_ours(&args.files, &args.import.options())? {
        let mode = match (args.follow, args.read_only) {
            (true, _) => Mode::Follow,
            (false, true) => Mode::Read,
            (false, false) => Mode::GoOn,
        };
        opened(&super::open(&args.files, &args.import)?.path, mode)?
    } else {
        let (index, follow) = if args.follow {
            let options = args.import.options();
            let live = super::watched(|progress| Live::open(&args.files, &options, None, progress))?;
            super::told(&live.imported());
            (Index::open(live.path())?, Follow::Copy(Box::new(live)))
        } else {
            (Index::open(&super::open(&args.files, &args.import)?.path)?, Follow::No)
        };
        let (mut state, feeds) = only_read(index, follow)?;
        let names: Vec<String> = args.files.iter().map(|file| file_name(file)).collect();
        state.recording.file = names.join(" + ");
        (state, feeds)
    };
    show(state, feeds, config)
}

/// The explorer on a recording.
pub(super) fn opened(file: &Path, mode: Mode) -> Result<(State, Feeds)> {
    let index = Index::open(file)?;
    if mode != Mode::GoOn {
        let follow = if mode == Mode::Follow { Follow::Yes } else { Follow::No };
        return only_read(index, follow);
    }
    let policies = match policies(&index) {
        Ok(policies) => policies,
        Err(why) => {
            let (mut state, feeds) = only_read(index, Follow::No)?;
            state.notice = Some(format!("only read: {why}"));
            return Ok((state, feeds));
        }
    };
    let settings = settings_of(index.run());
    let now = described(&policies, &settings);
    let (then, _) = index::base_first(index.run());
    if let Some((then, _)) = then.iter().zip(&now.policies).find(|(then, now)| !then.is_same(now)) {
        let (mut state, feeds) = only_read(index, Follow::No)?;
        let name = &then.name;
        state.notice = Some(format!(
            "only read: {name} was asked in another way; go on with the flags that it began with"
        ));
        return Ok((state, feeds));
    }
    // Its problems are named to the writer once they are all read.
    match Writer::resume(file, index.run(), &[], true) {
        Ok((writer, cut)) => {
            let paid = policies.iter().any(|p| p.spec().starts_with("http"));
            let (mut state, feeds) = go_on(index, writer, policies, settings, Arc::new(Verifiers))?;
            if cut > 0 {
                state.notice = Some(format!("the last line was torn: its {cut} bytes are cut off"));
            }
            if paid {
                state.progress.paused = true;
                state.notice = Some("a server may cost money: space goes on drawing".to_owned());
            }
            Ok((state, feeds))
        }
        Err(RecordError::Locked { .. }) => {
            let (mut state, feeds) = only_read(index, Follow::Yes)?;
            state.notice =
                Some("another process writes this recording: it is followed, and only read".into());
            Ok((state, feeds))
        }
        Err(why) => {
            let (mut state, feeds) = only_read(index, Follow::No)?;
            state.notice = Some(format!("only read: {why}"));
            Ok((state, feeds))
        }
    }
}

/// The recording's policies, the base first, or why it cannot be gone on with.
fn policies(index: &Index) -> Result<Vec<Arc<dyn Policy>>, String> {
    if index.run().k.is_none() {
        return Err("it does not say how many completions were asked for".to_owned());
    }
    let (policies, _) = index::base_first(index.run());
    let open = |entry: &crate::record::PolicyEntry| {
        let spec = entry.spec.as_deref().ok_or(format!("where {} comes from is not known", entry.name))?;
        policy::open(spec, &entry.name).map_err(|e| e.to_string())
    };
    policies.iter().map(open).collect()
}
