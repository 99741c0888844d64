//! The tasks: one module a family of problems that share a verifier.
//!
//! A task reads an answer as strictly as Reasoning Gym's `score_answer` does: right means a
//! score of 1, and whatever earns part of a point there is wrong here. What only its dress
//! keeps from being right is repaired ([`super::repair`]), for every policy alike.

pub mod advanced_geometry;
pub mod arc_1d;
pub mod boxnet;
pub mod countdown;
pub mod dice;
pub mod family_relationships;
pub mod graph_color;
pub mod leg_counting;
pub mod matching;
pub mod mathematics;
pub mod palindrome_generation;
pub mod power_function;
pub mod prime_factorization;

use super::repair::{Repair, Repairs};
use super::{Problem, Rule, Verdict, extract};

/// A named difficulty of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub name: &'static str,
    /// Its parameters, in words.
    pub parameters: &'static str,
}

/// An answer as a task reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Equal answers have equal forms.
    pub answer: String,
    pub correct: bool,
}

/// A repair, and what it makes of a text.
pub type Mend = (Repair, fn(&str) -> String);

/// The path of a solution: its name, and whether its steps derive the answer.
pub type Path = (Option<String>, Option<bool>);

/// Longer answers, in bytes, are none: no honest answer is, and what reading one costs is
/// bounded by this, whatever a text holds.
pub const LONGEST: usize = 1 << 15;

/// A family of problems that share a verifier.
pub trait Task: Sync {
    /// The task's name, as in a recording: `leg_counting`.
    fn name(&self) -> &'static str;

    /// The task's name for people: `Leg Counting`.
    fn title(&self) -> &'static str;

    /// Its difficulties; the first is meant where none is named.
    fn levels(&self) -> &'static [Level];

    /// What is right, in words; of Reasoning Gym's families also what the package gives part
    /// of a point for, which is wrong here.
    fn scoring(&self) -> &'static str;

    /// The problem number `index` of the stream `seed`, always the same; `None` where the
    /// task has no such level.
    fn generate(&self, level: &str, seed: u64, index: u64) -> Option<Problem>;

    /// Reads an answer as it stands; `None` if it has no form of this task's answers.
    /// Never panics, whatever the answer or the problem's metadata, and takes time linear
    /// in the answer.
    fn read(&self, problem: &Problem, answer: &str) -> Option<Reading>;

    /// The repairs tried, in this order, on an answer that is not right as it stands.
    fn repairs(&self) -> &'static [Mend] {
        &[]
    }

    /// The rules that look for an answer, in this order.
    fn rules(&self) -> &'static [Rule] {
        &[Rule::Tag, Rule::Box, Rule::Marker, Rule::LastLine]
    }

    /// The method of a solution and whether it is sound, for tasks whose solutions have steps.
    fn path(&self, _problem: &Problem, _text: &str, _answer: Option<&str>) -> Path {
        (None, None)
    }

    /// Judges one completion: the first rule that finds an answer of this task's form
    /// speaks. Never panics.
    fn judge(&self, problem: &Problem, text: &str) -> Verdict {
        self.judge_by(problem, text, self.rules())
    }

    /// As [`Task::judge`], with these rules only, tried in this order.
    fn judge_by(&self, problem: &Problem, text: &str, rules: &[Rule]) -> Verdict {
        let found = rules.iter().find_map(|&rule| {
            let (answer, rule) = extract::extract_with(text, &[rule])?;
            (answer.len() <= LONGEST).then_some(())?;
            let (reading, repairs) = read_repaired(self.repairs(), |a| self.read(problem, a), &answer)?;
            Some((reading, repairs, rule))
        });
        let answer = found.as_ref().map(|(r, ..)| r.answer.as_str());
        let (method, sound) = self.path(problem, text, answer);
        let correct = found.as_ref().is_some_and(|(r, ..)| r.correct);
        // Steps that end in a wrong answer derive nothing.
        let sound = sound.map(|s| s && correct);
        match found {
            Some((reading, repairs, rule)) => {
                Verdict { answer: Some(reading.answer), rule: Some(rule), correct, repairs, method, sound }
            }
            None => Verdict { method, sound, ..Verdict::default() },
        }
    }
}

/// Reads an answer, mended one repair after the other until it is right; what was right as
/// it stood, or is wrong whatever is done, carries only the repairs that it took to read it.
pub(crate) fn read_repaired(
    mends: &[Mend],
    read: impl Fn(&str) -> Option<Reading>,
    answer: &str,
) -> Option<(Reading, Repairs)> {
    let mut best = read(answer).map(|r| (r, Repairs::default()));
    if best.as_ref().is_some_and(|(r, _)| r.correct) {
        return best;
    }
    let mut text = answer.to_owned();
    let mut done = Repairs::default();
    for (repair, mend) in mends {
        let mended = mend(&text);
        if mended == text {
            continue;
        }
        text = mended;
        done.insert(*repair);
        if let Some(reading) = read(&text)
            && (reading.correct || best.is_none())
        {
            let correct = reading.correct;
            best = Some((reading, done));
            if correct {
                break;
            }
        }
    }
    best
}

/// Every task that generates its problems.
pub const ALL: [&dyn Task; 11] = [
    &leg_counting::LegCounting,
    &family_relationships::FamilyRelationships,
    &power_function::PowerFunction,
    &dice::Dice,
    &prime_factorization::PrimeFactorization,
    &palindrome_generation::PalindromeGeneration,
    &advanced_geometry::AdvancedGeometry,
    &graph_color::GraphColor,
    &arc_1d::Arc1d,
    &boxnet::Boxnet,
    &countdown::Countdown,
];

/// Verifiers of problems that come from files: tasks that generate none.
pub const VERIFIERS: [&dyn Task; 4] = [
    &mathematics::Mathematics,
    &matching::ExactMatch,
    &matching::MultipleChoice,
    &matching::RegularExpression,
];

/// The task, or verifier, of a name.
pub fn find(name: &str) -> Option<&'static dyn Task> {
    ALL.into_iter().chain(VERIFIERS).find(|t| t.name() == name)
}

/// The names of all that [`find`] finds.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.into_iter().chain(VERIFIERS).map(|t| t.name())
}

/// A task at a difficulty, as it is named on the command line: `dice`, `dice:hard`.
#[derive(Clone, Copy)]
pub struct Choice {
    pub task: &'static dyn Task,
    pub level: Level,
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.task.name(), self.level.name)
    }
}

/// Why a name on the command line names no task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    #[error("there is no task `{name}`; the tasks are {known}")]
    Task { name: String, known: String },
    #[error("the task `{task}` has no difficulty `{level}`; it has {known}")]
    Level { task: &'static str, level: String, known: String },
}

impl Choice {
    /// Reads `task` or `task:level`.
    pub fn parse(text: &str) -> Result<Choice, ChoiceError> {
        let (name, level) = text.split_once(':').map_or((text, None), |(n, l)| (n, Some(l)));
        let list = |names: &mut dyn Iterator<Item = &'static str>| names.collect::<Vec<_>>().join(", ");
        let task = ALL.into_iter().find(|t| t.name() == name).ok_or_else(|| ChoiceError::Task {
            name: name.to_owned(),
            known: list(&mut ALL.iter().map(|t| t.name())),
        })?;
        let found = match level {
            None => task.levels().first(),
            Some(level) => task.levels().iter().find(|l| l.name == level),
        };
        found.map(|level| Choice { task, level: *level }).ok_or_else(|| ChoiceError::Level {
            task: task.name(),
            level: level.unwrap_or_default().to_owned(),
            known: list(&mut task.levels().iter().map(|l| l.name)),
        })
    }

    /// Whether both mean the same problems.
    pub fn is(&self, other: &Choice) -> bool {
        (self.task.name(), self.level.name) == (other.task.name(), other.level.name)
    }

    /// The first `count` problems of the stream `seed`.
    pub fn problems(&self, seed: u64, count: u64) -> Vec<Problem> {
        (0..count).filter_map(|i| self.task.generate(self.level.name, seed, i)).collect()
    }
}

/// The id of a generated problem.
pub(crate) fn id(task: &str, level: &str, seed: u64, index: u64) -> String {
    format!("{task}/{level}/{seed}/{index}")
}

/// What a person or model is asked to do with the answer, whatever the task.
pub(crate) const ASK: &str = "End with the answer alone on a line after \"####\".";

/// A problem of a task.
pub(crate) fn problem(
    id: String,
    task: &str,
    prompt: String,
    reference: String,
    metadata: serde_json::Value,
) -> Problem {
    let metadata = match metadata {
        serde_json::Value::Object(map) => map,
        _ => serde_json::Map::new(),
    };
    Problem { id, task: Some(task.to_owned()), prompt, reference: Some(reference), metadata }
}

/// Steps are read from so many bytes of a completion at most.
const WORKED: usize = 1 << 17;

/// The part of a completion that works the answer out: up to where it is stated.
pub(crate) fn worked(text: &str) -> &str {
    let cut = (0..=WORKED.min(text.len())).rev().find(|i| text.is_char_boundary(*i));
    let text = &text[..cut.unwrap_or(0)];
    let end = ["####", "<answer>", "\\boxed{"].iter().filter_map(|m| text.find(m)).min();
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests;
