//! What is to be scored: completions of a recording, those of them that were lost, or traces
//! that others wrote.

use crate::cli::ScoreArgs;
use crate::completion::Finish;
use crate::policy::SENT;
use crate::problem::Problem;
use crate::record::foreign::{self, Imported};
use crate::record::{RecordError, Recording, read_problems};
use crate::report::load;
use crate::support::{ClusterKey, Pair, Status};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::sync::Arc;

/// One text to score.
pub(super) struct Item {
    pub problem: Arc<Problem>,
    /// Who wrote it.
    pub policy: String,
    pub index: u32,
    pub text: String,
    pub tokens: Vec<u32>,
    pub ended: bool,
    pub loss: Option<Loss>,
}

/// A completion that the base drew and the RLVR policy did not.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    /// The k at which both are compared.
    pub k: u32,
    /// The cluster of the same answer and method, where that is lost as a whole.
    pub cluster: Option<ClusterKey>,
}

impl Item {
    pub fn key(&self) -> (&str, &str, u32) {
        (&self.problem.id, &self.policy, self.index)
    }
}

/// All that is to be scored.
pub(super) struct Wanted {
    pub items: Vec<Item>,
    /// What it means if that is nothing.
    pub nothing: String,
    /// Whether the lost ones were asked for, and which RLVR policy lost them.
    pub lost: Option<String>,
    /// What was sent to those who wrote them, by name, where that is recorded.
    pub sent: Vec<(String, String)>,
}

pub(super) fn wanted(args: &ScoreArgs) -> Result<Wanted> {
    match Recording::open(&args.file) {
        Ok(recording) => chosen(args, &recording),
        Err(RecordError::NoRecording { .. }) if args.problems.is_some() => references(args),
        Err(RecordError::NoRecording { .. }) => traces(args),
        Err(error) => Err(error.into()),
    }
}

fn chosen(args: &ScoreArgs, recording: &Recording) -> Result<Wanted> {
    let wanted = if args.lost { lost(recording) } else { recorded(recording, args.policy.as_deref()) };
    let sent = recording.run.policies.iter();
    let sent = sent.filter_map(|p| Some((p.name.clone(), p.settings.get(SENT)?.clone()))).collect();
    wanted.map(|wanted| Wanted { sent, ..wanted })
}

/// What another tool, or nobody we know, has written.
fn traces(args: &ScoreArgs) -> Result<Wanted> {
    let path = args.file.display();
    if args.lost {
        bail!("{path}: --lost needs a recording of two policies; leash convert makes one of two files");
    }
    let (files, options) = (std::slice::from_ref(&args.file), args.import.options());
    let opened = super::super::watched(|progress| foreign::open(files, &options, None, progress))?;
    if let Some(imported) = opened.imported {
        // The notes are on verdicts, which are not looked at here.
        super::super::told(&Imported { notes: Vec::new(), ..imported });
    }
    let recording = Recording::open(&opened.recording.path)?;
    let is_id = |p: &Problem| !p.prompt.trim().contains(char::is_whitespace);
    if args.import.map.is_none() && recording.problems.iter().all(is_id) {
        bail!(
            "{path}: its prompts look like ids of problems; name the file that holds these with --problems, or \
             say which field is the prompt, as in --map prompt=question"
        );
    }
    let mut wanted = chosen(args, &recording)?;
    // Its policies were given the names of a pair; one alone is what the file calls it.
    let alone = match &recording.run.policies[..] {
        [only] => only.spec.clone(),
        _ => None,
    };
    for item in &mut wanted.items {
        // Whether they were ended, or cut off, is not told.
        item.ended = false;
        if let Some(name) = &alone {
            item.policy.clone_from(name);
        }
    }
    wanted.nothing = "it holds no text; say which field that is, as in --map text=solution".into();
    Ok(wanted)
}

fn recorded(recording: &Recording, policy: Option<&str>) -> Result<Wanted> {
    let names: Vec<&str> = recording.run.policies.iter().map(|p| p.name.as_str()).collect();
    if let Some(policy) = policy.filter(|p| !names.contains(p)) {
        bail!("{}: no policy {policy:?}; it has: {}", recording.path.display(), names.join(", "));
    }
    let items = items(recording, |drawn| policy.is_none_or(|p| names[drawn.policy] == p).then_some(None))?;
    Ok(Wanted { items, nothing: "it holds no completion".into(), lost: None, sent: Vec::new() })
}

/// The distinct correct texts that the base drew within the matched k and the first RLVR
/// policy did not.
fn lost(recording: &Recording) -> Result<Wanted> {
    let policies = &recording.run.policies;
    let base = policies.iter().position(|p| p.role == "base").unwrap_or(0);
    let Some(rlvr) = (0..policies.len()).find(|p| *p != base) else {
        bail!("{}: it has one policy only: nothing can be lost", recording.path.display());
    };
    let loaded = load(recording, None, false)?;
    // The report puts the base first; the first other one is then 1.
    let pair = Pair::with_base(1);
    let matched: Vec<u32> = (0..recording.problems.len()).map(|p| loaded.ledger.matched(pair, p)).collect();
    let gone: Vec<HashSet<ClusterKey>> = (0..recording.problems.len())
        .map(|p| {
            let all = loaded.ledger.clusters(pair, p).into_iter();
            all.filter(|c| c.correct && c.status == Status::Shrunk).map(|c| c.key).collect()
        })
        .collect();
    let mut kept: HashSet<(usize, String)> = HashSet::new();
    for drawn in recording.completions()?.flatten() {
        if drawn.policy == rlvr && drawn.verdict.correct && drawn.completion.index < matched[drawn.problem] {
            kept.insert((drawn.problem, drawn.completion.text));
        }
    }
    let mut seen: HashSet<(usize, String)> = HashSet::new();
    let items = items(recording, |drawn| {
        let k = matched[drawn.problem];
        let counts = drawn.policy == base && drawn.verdict.correct && drawn.completion.index < k;
        if !counts || kept.contains(&(drawn.problem, drawn.completion.text.clone())) {
            return None;
        }
        let key = ClusterKey { answer: drawn.verdict.answer.clone(), method: drawn.verdict.method.clone() };
        let cluster = gone[drawn.problem].get(&key).cloned();
        seen.insert((drawn.problem, drawn.completion.text.clone())).then_some(Some(Loss { k, cluster }))
    })?;
    let lost = policies[rlvr].name.clone();
    Ok(Wanted {
        items,
        nothing: format!("{lost} has lost no correct completion of the base"),
        lost: Some(lost),
        sent: Vec::new(),
    })
}

/// The completions for which `want` says so. A wrong line is told by `leash report`.
fn items(
    recording: &Recording,
    mut want: impl FnMut(&crate::record::Drawn) -> Option<Option<Loss>>,
) -> Result<Vec<Item>> {
    let problems: Vec<Arc<Problem>> = recording.problems.iter().cloned().map(Arc::new).collect();
    let mut items = Vec::new();
    for drawn in recording.completions()?.flatten() {
        let Some(loss) = want(&drawn) else { continue };
        items.push(Item {
            problem: Arc::clone(&problems[drawn.problem]),
            policy: recording.run.policies[drawn.policy].name.clone(),
            index: drawn.completion.index,
            tokens: drawn.completion.trace.iter().map(|t| t.id).collect(),
            ended: drawn.completion.finish == Finish::Stop,
            text: drawn.completion.text,
            loss,
        });
    }
    Ok(items)
}

/// A line of a file of traces of known problems.
#[derive(Deserialize)]
struct Reference {
    /// The id of a problem.
    problem: Option<String>,
    /// The prompt itself, where the problem is in no file.
    prompt: Option<String>,
    text: String,
    /// Who wrote it; `reference` if not said.
    policy: Option<String>,
}

fn references(args: &ScoreArgs) -> Result<Wanted> {
    let path = args.file.display();
    let known: HashMap<String, Arc<Problem>> = match &args.problems {
        Some(file) => read_problems(file)?.into_iter().map(|p| (p.id.clone(), Arc::new(p))).collect(),
        None => HashMap::new(),
    };
    let file = std::fs::File::open(&args.file).with_context(|| format!("{path} cannot be read"))?;
    let mut counts: HashMap<(String, String), u32> = HashMap::new();
    let mut items = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("{path}, line {number} cannot be read"))?;
        if line.trim().is_empty() {
            continue;
        }
        let reference: Reference = serde_json::from_str(&line).with_context(|| {
            format!(
                "{path}, line {number}: no trace: {{\"problem\": ID, \"text\": …}} or \
                 {{\"prompt\": …, \"text\": …}} is needed"
            )
        })?;
        let problem = match (reference.problem, reference.prompt) {
            (id, Some(prompt)) => Arc::new(Problem {
                id: id.unwrap_or_else(|| format!("line {number}")),
                task: None,
                prompt,
                reference: None,
                metadata: serde_json::Map::new(),
            }),
            (Some(id), None) => match known.get(&id) {
                Some(problem) => Arc::clone(problem),
                None => bail!("{path}, line {number}: no problem {id:?} in the file of --problems"),
            },
            (None, None) => bail!("{path}, line {number}: \"problem\" or \"prompt\" is needed"),
        };
        let policy = reference.policy.unwrap_or_else(|| "reference".to_owned());
        let count = counts.entry((problem.id.clone(), policy.clone())).or_default();
        items.push(Item {
            problem,
            policy,
            index: *count,
            text: reference.text,
            tokens: Vec::new(),
            ended: false,
            loss: None,
        });
        *count += 1;
    }
    Ok(Wanted { items, nothing: "it is empty".into(), lost: None, sent: Vec::new() })
}
