//! From a recording to a ledger.

use crate::problem::Problem;
use crate::record::{Drawn, RecordError, Recording, Run};
use crate::support::Ledger;

/// What a report is made from.
#[derive(Debug)]
pub struct Loaded {
    /// Its policies with the base first, as the ledger has them.
    pub run: Run,
    pub problems: Vec<Problem>,
    pub ledger: Ledger,
    /// Lines that could not be read and are not counted.
    pub wrong: Vec<RecordError>,
    /// Completions that are not counted, because one with a lower index is missing.
    pub stray: u64,
}

/// Reads the completions of a recording, of each policy and problem only the first `k` if
/// that is given. With `sound`, a completion whose steps do not derive the answer counts
/// as wrong.
///
/// The base is the policy of role `base`, or the first one if none has it.
///
/// # Errors
/// A file that cannot be read. A line that is wrong is no error: it is kept in
/// [`Loaded::wrong`].
pub fn load(recording: &Recording, k: Option<u32>, sound: bool) -> Result<Loaded, RecordError> {
    let mut run = recording.run.clone();
    let base = run.policies.iter().position(|p| p.role == "base").unwrap_or(0);
    run.policies[..=base].rotate_right(1);
    let place = |policy: usize| match policy {
        p if p == base => 0,
        p if p < base => p + 1,
        p => p,
    };

    let mut ledger = Ledger::new(run.policies.len(), recording.problems.len());
    let (mut wrong, mut offered) = (Vec::new(), 0u64);
    for line in recording.completions()? {
        let Drawn { policy, problem, completion, mut verdict, .. } = match line {
            Ok(drawn) => drawn,
            Err(error @ RecordError::Line { .. }) => {
                wrong.push(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        if k.is_none_or(|k| completion.index < k) {
            verdict.correct &= !sound || verdict.sound == Some(true);
            ledger.add(place(policy), problem, &completion, &verdict);
            offered += 1;
        }
    }
    let drawn = |problem| (0..run.policies.len()).map(move |p| (p, problem));
    let counted: u64 = (0..recording.problems.len())
        .flat_map(drawn)
        .map(|(policy, problem)| u64::from(ledger.drawn(policy, problem)))
        .sum();
    let stray = offered.saturating_sub(counted);
    Ok(Loaded { run, problems: recording.problems.clone(), ledger, wrong, stray })
}
