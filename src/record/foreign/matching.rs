//! Which problems of several files are the same.

use super::import::{Imported, Tick, Unmatched};
use super::row::{Place, Row, Sink};
use crate::record::RecordError;
use std::collections::{HashMap, HashSet};

/// Ids of [`Unmatched::first`] that are kept.
const KEPT: usize = 20;

/// Policies of one file at most.
pub(super) const MAX_POLICIES: usize = 64;

/// What a first pass finds.
#[derive(Default)]
pub(super) struct Survey {
    /// In the order of the file, each once.
    problems: Vec<Known>,
    at: HashSet<u128>,
    /// The names of the policies, in order of appearance.
    pub policies: Vec<String>,
}

/// A problem of one file.
struct Known {
    id: Option<String>,
    prompt: u128,
}

/// Takes a first pass.
pub(super) struct Surveyor<'a, 'b> {
    pub survey: &'a mut Survey,
    pub tick: &'a mut Tick<'b>,
}

impl Sink for Surveyor<'_, '_> {
    fn row(&mut self, _: &Place, row: Row) -> Result<(), RecordError> {
        self.tick.row();
        if self.survey.at.insert(key(&row)) {
            let prompt = digest(row.prompt.as_bytes());
            self.survey.problems.push(Known { id: row.id, prompt });
        }
        if let Some(policy) = row.policy
            && self.survey.policies.len() < MAX_POLICIES
            && !self.survey.policies.contains(&policy)
        {
            self.survey.policies.push(policy);
        }
        Ok(())
    }

    fn wrong(&mut self, _: &Place, _: String) {}
}

/// What makes a row's problem in its file: its id, else its prompt.
fn key(row: &Row) -> u128 {
    match &row.id {
        Some(id) => digest(format!("id {id}").as_bytes()),
        None => digest(row.prompt.as_bytes()),
    }
}

/// FNV-1a, 128 bits: the same everywhere and always.
pub(super) fn digest(bytes: &[u8]) -> u128 {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    let start = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    bytes.iter().fold(start, |hash: u128, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

/// Which problems of several files are the same.
pub(super) struct Matched {
    /// For each file, from its own key to the key that all files share; empty of one file.
    shared: Vec<HashMap<u128, u128>>,
    /// Of several files: the key of the base's problem with a prompt.
    by_prompt: HashMap<u128, u128>,
    /// The keys that every file has; `None` if all are kept.
    everywhere: Option<HashSet<u128>>,
}

impl Matched {
    /// Of files with their names; the first is the base. What does not match is told.
    pub fn new(files: &[(String, &Survey)], keep: bool, imported: &mut Imported) -> Self {
        let alone = Self { shared: Vec::new(), by_prompt: HashMap::new(), everywhere: None };
        let [base, others @ ..] = files else { return alone };
        if others.is_empty() {
            return alone;
        }
        let own = |known: &Known| match &known.id {
            Some(id) => digest(format!("id {id}").as_bytes()),
            None => known.prompt,
        };
        let (base_name, problems) = (&base.0, &base.1.problems);
        let by_id: HashMap<&str, &Known> =
            problems.iter().filter_map(|k| Some((k.id.as_deref()?, k))).collect();
        let by_prompt: HashMap<u128, &Known> = problems.iter().map(|k| (k.prompt, k)).collect();
        let mut shared = vec![problems.iter().map(|k| (own(k), own(k))).collect::<HashMap<_, _>>()];
        let mut everywhere: HashSet<u128> = shared[0].values().copied().collect();
        for (name, survey) in others {
            let (mut map, mut differ, mut example) = (HashMap::new(), 0u64, None);
            for known in &survey.problems {
                let same_id = known.id.as_deref().and_then(|id| by_id.get(id));
                let found = same_id.or_else(|| by_prompt.get(&known.prompt));
                if let Some(found) = same_id.filter(|found| found.prompt != known.prompt) {
                    differ += 1;
                    example = example.or(found.id.clone());
                }
                map.insert(own(known), found.map_or_else(|| own(known), |found| own(found)));
            }
            if differ > 0 {
                imported.notes.push(format!(
                    "{differ} problems of {} have the id of one in {} and another prompt (the first is {}): make sure that both are of the same data set",
                    name, base_name, example.unwrap_or_default()
                ));
            }
            let here: HashSet<u128> = map.values().copied().collect();
            everywhere.retain(|key| here.contains(key));
            shared.push(map);
        }
        for ((name, survey), map) in files.iter().zip(&shared) {
            let missing = survey
                .problems
                .iter()
                .filter(|k| map.get(&own(k)).is_none_or(|key| !everywhere.contains(key)));
            let missing: Vec<&Known> = missing.collect();
            if !missing.is_empty() {
                let shown =
                    missing.iter().take(KEPT).map(|k| k.id.clone().unwrap_or_else(|| prompt_id(k.prompt)));
                imported.unmatched.push(Unmatched {
                    file: name.clone(),
                    count: missing.len() as u64,
                    first: shown.collect(),
                });
            }
        }
        let by_prompt = by_prompt.into_iter().map(|(prompt, known)| (prompt, own(known))).collect();
        Self { shared, by_prompt, everywhere: (!keep).then_some(everywhere) }
    }

    /// The key that all files share, or `None` if the problem is left out. Problems that
    /// were not there at the beginning are matched as they come.
    pub fn of(&mut self, file: usize, row: &Row) -> Option<u128> {
        let own = key(row);
        let shared = match self.shared.get(file).map(|map| map.get(&own)) {
            Some(Some(&known)) => known,
            Some(None) if self.everywhere.is_none() => self.new_key(file, own, row),
            _ => own,
        };
        self.everywhere.as_ref().is_none_or(|all| all.contains(&shared)).then_some(shared)
    }

    /// The shared key of a problem that its file did not have: by its id, else by its prompt.
    fn new_key(&mut self, file: usize, own: u128, row: &Row) -> u128 {
        let prompt = digest(row.prompt.as_bytes());
        let shared = match self.by_prompt.get(&prompt) {
            Some(&base) if file > 0 && !self.shared[0].contains_key(&own) => base,
            _ => own,
        };
        if file == 0 {
            self.by_prompt.insert(prompt, own);
        }
        self.shared[file].insert(own, shared);
        shared
    }
}

/// The id of a problem that has none.
pub(super) fn prompt_id(prompt: u128) -> String {
    format!("prompt/{:016x}", prompt as u64)
}
