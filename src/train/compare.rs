//! Several pulls from one base, over several seeds: what each did to support, at equal
//! steps and at equal tokens.

use super::drive::{Helm, Plan, Start, drive};
use super::exam::{Evaluation, Exam};
use super::knobs::Knobs;
use super::pull::Stepped;
use super::session::EXAM;
use super::{Course, Ground, TrainError, Trainee};
use crate::support::Counts;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What is compared, and how.
pub struct Contest<'a> {
    pub trainee: &'a Trainee,
    pub course: &'a dyn Course,
    /// Each by its name.
    pub entries: Vec<(String, Knobs)>,
    pub seeds: Vec<u64>,
    pub steps: usize,
    /// Steps between two examinations along the way.
    pub every: usize,
    /// Held-out problems of the closing examination, and completions of each.
    pub exam: (usize, u32),
    pub threads: usize,
    pub stop: &'a AtomicBool,
    /// Where each pull's policy is written, at every examination and at its end.
    pub out: Option<PathBuf>,
}

/// Who watches a contest.
pub trait Watch {
    /// A step of a pull is done.
    fn stepped(&mut self, name: &str, seed: u64, stepped: &Stepped);
    /// A pull was examined.
    fn examined(&mut self, name: &str, seed: u64, evaluation: &Evaluation);
    /// It closes with this many examinations.
    fn closing(&mut self, done: usize, of: usize);
}

/// One pull of a contest.
#[derive(Clone, Debug)]
pub struct Run {
    pub entry: usize,
    pub seed: u64,
    /// Training alone, examinations left out.
    pub seconds: f64,
    /// Seconds until the first examination with method SRR at or below 0.7.
    pub to_shrinkage: Option<f64>,
    /// Along the way, on a few problems.
    pub history: Vec<Evaluation>,
    /// What stopped it before its last step.
    pub failed: Option<String>,
    pub at_steps: Evaluation,
    pub at_tokens: Evaluation,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub runs: Vec<Run>,
    /// The base drawn anew against the base: what chance alone does.
    pub base: Evaluation,
    /// The tokens that every pull had learned from, at least.
    pub tokens: u64,
}

/// Method SRR from which shrinkage is visible.
pub const SHRUNK: f64 = 0.7;

/// Runs all pulls, then examines them. `None` where it was told to stop before anything
/// was whole.
///
/// # Errors
/// What the model reports. A pull that diverges is no error: it says so in its run.
pub fn contest(contest: &Contest<'_>, watch: &mut dyn Watch) -> Result<Option<Outcome>, TrainError> {
    let base = &contest.trainee.weights;
    let asking = contest.trainee.ground(contest.course, 0, contest.threads, contest.stop);
    let held_out = contest.course.held_out();
    let exam = |(problems, k): (usize, u32), asking: &Ground<'_>| {
        Exam::new(asking, base, held_out.iter().take(problems).cloned().collect(), k)
    };
    let Some(small) = exam(EXAM, &asking)? else { return Ok(None) };
    let mut pulls = Vec::new();
    for (entry, (name, knobs)) in contest.entries.iter().enumerate() {
        for &seed in &contest.seeds {
            let plan = Plan { steps: contest.steps, every: contest.every, seed };
            let start = Start { weights: Arc::clone(base), step: 0 };
            let ground = contest.trainee.ground(contest.course, seed, contest.threads, contest.stop);
            let out = contest.out.as_ref().map(|out| out.join(format!("{name}-seed{seed}")));
            let mut log = Log {
                trainee: contest.trainee,
                name,
                seed,
                knobs,
                out,
                watch,
                since: Instant::now(),
                seconds: 0.0,
                tokens: 0,
                kept: Vec::new(),
                history: Vec::new(),
                to_shrinkage: None,
                failed: None,
            };
            let (weights, step, result) =
                drive(contest.trainee, &ground, &plan, &start, Some(&small), &mut log);
            if log.kept.last().is_none_or(|k| k.0 != step) {
                log.keep(step, log.tokens, &weights);
            }
            let failed = result.err().map(|e| e.to_string()).or(log.failed.take());
            pulls.push((entry, failed, Pulled::from(log)));
        }
    }
    let tokens = pulls.iter().map(|(_, _, p)| p.tokens).min().unwrap_or(0);
    let asking = Ground { stop: &AtomicBool::new(false), ..asking };
    let Some(large) = exam(contest.exam, &asking)? else { return Ok(None) };
    let of = 2 * pulls.len() + 1;
    let mut done = 0;
    let mut take = |weights: &[f32], step: usize, tokens: u64| {
        let taken = large.take(&asking, weights, step, tokens);
        done += 1;
        watch.closing(done, of);
        taken
    };
    let Some(again) = take(base, 0, 0)? else { return Ok(None) };
    let mut runs = Vec::new();
    for (entry, failed, pulled) in pulls {
        let Some(last) = pulled.kept.last() else { continue };
        let equal = pulled.kept.iter().rev().find(|k| k.1 <= tokens).unwrap_or(last);
        let (Some(at_steps), Some(at_tokens)) =
            (take(&last.2, last.0, last.1)?, take(&equal.2, equal.0, equal.1)?)
        else {
            return Ok(None);
        };
        runs.push(Run {
            entry,
            seed: pulled.seed,
            seconds: pulled.seconds,
            to_shrinkage: pulled.to_shrinkage,
            history: pulled.history,
            failed,
            at_steps,
            at_tokens,
        });
    }
    Ok(Some(Outcome { runs, base: again, tokens }))
}

/// What is kept of a pull when its log is closed.
struct Pulled {
    seed: u64,
    seconds: f64,
    tokens: u64,
    kept: Vec<Kept>,
    history: Vec<Evaluation>,
    to_shrinkage: Option<f64>,
}

/// Step, tokens and weights.
type Kept = (usize, u64, Vec<f32>);

/// Writes a pull's history down.
struct Log<'a> {
    trainee: &'a Trainee,
    name: &'a str,
    seed: u64,
    knobs: &'a Knobs,
    out: Option<PathBuf>,
    watch: &'a mut dyn Watch,
    since: Instant,
    seconds: f64,
    tokens: u64,
    kept: Vec<Kept>,
    history: Vec<Evaluation>,
    to_shrinkage: Option<f64>,
    failed: Option<String>,
}

impl Log<'_> {
    fn keep(&mut self, step: usize, tokens: u64, weights: &[f32]) {
        if let Some(out) = &self.out
            && let Err(error) = self.trainee.write(out, weights)
        {
            self.failed = Some(error.to_string());
        }
        self.kept.push((step, tokens, weights.to_vec()));
    }
}

impl From<Log<'_>> for Pulled {
    fn from(log: Log<'_>) -> Self {
        Self {
            seed: log.seed,
            seconds: log.seconds,
            tokens: log.tokens,
            kept: log.kept,
            history: log.history,
            to_shrinkage: log.to_shrinkage,
        }
    }
}

impl Helm for Log<'_> {
    fn knobs(&mut self) -> Option<Knobs> {
        self.since = Instant::now();
        self.failed.is_none().then(|| self.knobs.clone())
    }

    fn stepped(&mut self, stepped: Stepped) {
        self.seconds += self.since.elapsed().as_secs_f64();
        self.tokens = stepped.tokens;
        self.watch.stepped(self.name, self.seed, &stepped);
    }

    fn examined(&mut self, evaluation: Evaluation, weights: &[f32]) -> ControlFlow<()> {
        self.watch.examined(self.name, self.seed, &evaluation);
        self.keep(evaluation.step, evaluation.tokens, weights);
        if self.to_shrinkage.is_none()
            && evaluation.step > 0
            && evaluation.methods.srr().is_some_and(|srr| srr <= SHRUNK)
        {
            self.to_shrinkage = Some(self.seconds);
        }
        self.history.push(evaluation);
        ControlFlow::Continue(())
    }
}

/// A figure of an evaluation: its name, and how it is read.
pub type Figure = (&'static str, fn(&Evaluation) -> Option<f64>);

/// The figures of a comparison, in the order of its table.
pub const FIGURES: [Figure; 18] = [
    ("pass@1", |e| finite(e.pass_1)),
    ("pass@k", |e| finite(e.pass_k)),
    ("SRR method", |e| e.methods.srr()),
    ("NDR method", |e| e.methods.ndr()),
    ("SDS method", |e| e.methods.sds()),
    ("NSCR method", |e| e.methods.nscr()),
    ("SRR answer", |e| e.answers.srr()),
    ("NDR answer", |e| e.answers.ndr()),
    ("NSCR answer", |e| e.answers.nscr()),
    ("SRR problem", |e| e.problems.srr()),
    ("NDR problem", |e| e.problems.ndr()),
    ("SDS problem", |e| e.problems.sds()),
    ("NSCR problem", |e| e.problems.nscr()),
    ("token entropy", |e| finite(e.token_entropy)),
    ("answer entropy", |e| finite(e.answer_entropy)),
    ("KL to the base", |e| finite(e.kl)),
    ("length", |e| finite(e.length)),
    ("tokens, million", |e| Some(e.tokens as f64 / 1e6)),
];

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Mean over seeds with its 95 % interval by Student's t; the interval is `None` for a
/// single seed. `None` where no seed gives the figure.
pub fn over_seeds(values: &[f64]) -> Option<Spread> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let square: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let half = T95.get(values.len().saturating_sub(2)).or(T95.last());
    let interval = (values.len() > 1).then(|| {
        let half = half.copied().unwrap_or(1.96) * (square / (n - 1.0) / n).sqrt();
        (mean - half, mean + half)
    });
    Some(Spread { mean, interval })
}

/// A mean over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    /// 95 %.
    pub interval: Option<(f64, f64)>,
}

/// The 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom.
const T95: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

impl Outcome {
    /// A figure of an entry over its seeds.
    pub fn figure(&self, entry: usize, equal_tokens: bool, (_, read): &Figure) -> Option<Spread> {
        let runs = self.runs.iter().filter(|r| r.entry == entry);
        let values: Vec<f64> =
            runs.filter_map(|r| read(if equal_tokens { &r.at_tokens } else { &r.at_steps })).collect();
        over_seeds(&values)
    }

    /// Counts of an entry's runs, all seeds together.
    pub fn counts(&self, entry: usize, of: fn(&Evaluation) -> Counts) -> Counts {
        self.runs.iter().filter(|r| r.entry == entry).map(|r| of(&r.at_steps)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_have_a_mean_and_students_interval() {
        assert_eq!(over_seeds(&[]), None);
        assert_eq!(over_seeds(&[0.5]), Some(Spread { mean: 0.5, interval: None }));
        // Standard error 1/√3, times 4.303.
        let s = over_seeds(&[1.0, 2.0, 3.0]).unwrap();
        let (low, high) = s.interval.unwrap();
        assert!((s.mean - 2.0).abs() < 1e-12);
        assert!((low + 0.4843).abs() < 1e-3 && (high - 4.4843).abs() < 1e-3, "{low} {high}");
    }
}
