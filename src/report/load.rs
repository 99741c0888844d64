//! From a recording to a ledger.

use crate::problem::Problem;
use crate::record::{Index, RecordError, Recording, Run, index};
use crate::support::Ledger;
use std::ops::ControlFlow;

/// What a report is made from.
#[derive(Debug)]
pub struct Loaded {
    /// Its policies with the base first, as the ledger has them.
    pub run: Run,
    pub problems: Vec<Problem>,
    pub ledger: Ledger,
    /// Lines that could not be read and are not counted.
    pub wrong: Vec<RecordError>,
    /// Further ones of which only the number is known.
    pub more: u64,
    /// Completions that are not counted, because one with a lower index is missing.
    pub stray: u64,
    /// Bytes of a last line that ends in the middle.
    pub torn: u64,
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
    let mut index = Index::open(&recording.path)?;
    let (policies, place) = index::base_first(&recording.run);
    let run = Run { policies, ..recording.run.clone() };
    let mut ledger = Ledger::new(run.policies.len(), 0);
    let (mut problems, mut classes, mut offered) = (Vec::new(), Vec::new(), 0u64);
    let _ = index.read(&mut |batch| {
        problems.extend(batch.problems);
        ledger.grow(problems.len());
        for (problem, mut verdict) in batch.classes {
            verdict.correct &= !sound || verdict.sound == Some(true);
            classes.push(ledger.class(problem as usize, &verdict));
        }
        for record in &batch.records {
            let counted = record.counted();
            let class = classes.get(record.class as usize).copied().flatten();
            if let Some(class) = class.filter(|_| k.is_none_or(|k| counted.index < k)) {
                ledger.count(place[record.policy()], record.problem as usize, class, &counted);
                offered += 1;
            }
        }
        ControlFlow::Continue(())
    })?;
    let drawn = |problem| (0..run.policies.len()).map(move |p| (p, problem));
    let counted: u64 = (0..problems.len())
        .flat_map(drawn)
        .map(|(policy, problem)| u64::from(ledger.drawn(policy, problem)))
        .sum();
    let stray = offered.saturating_sub(counted);
    let wrong: Vec<RecordError> = index.errors().collect();
    let more = index.wrong().count - wrong.len() as u64;
    Ok(Loaded { run, problems, ledger, wrong, more, stray, torn: index.torn() })
}
