//! `leash convert`: other tools' files as recordings, recordings for other tools, and what
//! was lost and gained as a document.

mod change;

use super::{open, print, told};
use crate::cli::{ConvertArgs, Target};
use crate::completion::clean;
use crate::record::Recording;
use crate::record::foreign::{self, Imported};
use anyhow::{Context, Result, ensure};
use std::path::Path;

/// Writes what is asked for into a new file.
///
/// # Errors
/// A file that cannot be read or is of no known layout, or an output that is there already
/// or cannot be written.
pub fn run(args: &ConvertArgs) -> Result<()> {
    let out = &args.output;
    ensure!(
        !out.exists() || args.to == Target::Verifiers && out.is_dir(),
        "{} is there already; name a new file, nothing is written over",
        out.display()
    );
    if args.lost || args.gained {
        let recording = Recording::open(&open(&args.files, &args.import)?.path)?;
        let side = if args.lost { change::Side::Lost } else { change::Side::Gained };
        let written = change::write(&recording, side, args.unit, out)?;
        return said(out, &written);
    }
    match args.to {
        Target::Verifiers => {
            let recording = Recording::open(&open(&args.files, &args.import)?.path)?;
            foreign::write_verifiers(&recording, out)
                .with_context(|| format!("{} cannot be written", out.display()))?;
            said(out, &format!("{} problems for verifiers", recording.problems.len()))
        }
        Target::Leash => {
            let options = args.import.options();
            let imported = super::watched(|progress| foreign::import(&args.files, &options, out, progress));
            let imported = imported.inspect_err(|_| {
                // Only what this command began: the file was not there before.
                let _ = std::fs::remove_file(out);
            })?;
            told(&imported);
            said(out, &summary(&imported))
        }
    }
}

fn said(out: &Path, what: &str) -> Result<()> {
    Ok(print(&format!("{}: {}\n", clean(&out.display().to_string()), clean(what)))?)
}

fn summary(imported: &Imported) -> String {
    format!(
        "{} problems, {} completions, from {}",
        imported.problems,
        imported.completions,
        imported.from.join(" and ")
    )
}
