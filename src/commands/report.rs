//! `leash report`: every figure of a recording.

use super::{open, print};
use crate::cli::{Format, ReportArgs, TableName};
use crate::completion::clean;
use crate::report::{Report, load};
use anyhow::{Result, ensure};

/// Lines that could not be read and are shown; the others are counted.
const SHOWN: usize = 5;

/// Reads a recording and prints its figures. What was not counted is said on the standard
/// error.
///
/// # Errors
/// A file that cannot be read or is no recording; flags that contradict each other.
pub fn run(args: &ReportArgs) -> Result<()> {
    let lens = args.lens()?;
    ensure!(
        args.table.is_none() || args.format == Format::Csv,
        "--table belongs to --format csv: the other formats hold every table"
    );
    let recording = open(&args.files, &args.import)?;
    let loaded = load(&recording, args.k, args.sound)?;
    let file = recording.path.display();
    for error in loaded.wrong.iter().take(SHOWN) {
        eprintln!("leash: {}", clean(&error.to_string()));
    }
    let more = loaded.more + loaded.wrong.len().saturating_sub(SHOWN) as u64;
    if more > 0 {
        eprintln!("leash: {file}: {more} more lines like these; none of them is counted");
    }
    if loaded.torn > 0 {
        eprintln!(
            "leash: {file}: the last line ends in the middle ({} bytes) and is not counted",
            loaded.torn
        );
    }
    if loaded.stray > 0 {
        eprintln!(
            "leash: {file}: {} completions are not counted: one with a lower index is missing, or they stand twice",
            loaded.stray
        );
    }
    let report = Report::new(&loaded.run, &loaded.problems, &loaded.ledger, &lens);
    print(&match args.format {
        Format::Table => report.table(args.unit),
        Format::Json => report.json(),
        Format::Csv => match args.table.unwrap_or(TableName::Problems) {
            TableName::Problems => report.csv(),
            TableName::Clusters => report.clusters_csv(),
            TableName::Curves => report.curves_csv(),
            TableName::Support => report.support_csv(),
            TableName::Policies => report.policies_csv(),
        },
        Format::Markdown => report.markdown(args.unit),
        Format::Svg => report.svg(),
    })?;
    Ok(())
}
