//! The ledger at full size: 500 problems, two policies, 8192 completions each, one core.
//!
//! Run with `cargo bench --profile release --bench ledger`.

use leash::completion::{Completion, Finish};
use leash::problem::tasks::leg_counting::Suite;
use leash::problem::{Problem, Rule, Verdict};
use leash::random::Stream;
use leash::record::{PolicyEntry, Run};
use leash::report::Report;
use leash::support::{Ledger, Lens, Pair, Unit};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

const PROBLEMS: usize = 500;
const K: u32 = 8192;
const BATCH: u32 = 1024;

fn main() {
    // What the embedded pair draws, and the worst: every completion right, every text new.
    let usual = Source { correct: [0.25, 0.8], texts: 0.25, answers: 60 };
    let worst = Source { correct: [1.0, 1.0], texts: 1.0, answers: 1 };
    println!("{:<26}{:>12}{:>12}{:>14}", "", "usual", "worst", "asked");
    let (a, b) = (run(&usual), run(&worst));
    let row = |what: &str, of: &dyn Fn(&Figures) -> f64, asked: &str| {
        println!("{what:<26}{:>12.2}{:>12.2}{asked:>14}", of(&a), of(&b));
    };
    row("million completions/s", &|f| f.rate / 1e6, ">= 1");
    row("  ratio to asked", &|f| f.rate / 1e6, "");
    row("bytes a completion", &|f| f.slots, "<= 32");
    row("  tables of its text", &|f| f.tables, "");
    row("snapshot, ms", &|f| f.snapshot.as_secs_f64() * 1e3, "<= 1");
    row("  ratio to asked", &|f| f.snapshot.as_secs_f64() * 1e3, "");
    row("ledger at k/2, s", &|f| f.half.as_secs_f64(), "");
    for (part, ms) in &a.parts {
        println!("  {part:<24}{ms:>12.3}");
    }
    let [a, b] = [&usual, &worst].map(reported);
    println!("{:<26}{a:>12.2}{b:>12.2}{:>14}", "report over 1 M, s", "<= 2");
}

/// How completions are made up.
struct Source {
    /// Share of correct ones, base and RLVR.
    correct: [f64; 2],
    /// Distinct texts a completion.
    texts: f64,
    /// Distinct wrong answers.
    answers: usize,
}

struct Figures {
    rate: f64,
    slots: f64,
    tables: f64,
    snapshot: Duration,
    half: Duration,
    parts: Vec<(&'static str, f64)>,
}

fn run(source: &Source) -> Figures {
    let mut ledger = Ledger::new(2, PROBLEMS);
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    for problem in 0..PROBLEMS {
        for (policy, share) in source.correct.into_iter().enumerate() {
            let mut stream = Stream::new(1).at(problem as u64).at(policy as u64);
            // A batch at a time, so that making texts up is not measured.
            for first in (0..K).step_by(BATCH as usize) {
                batch.clear();
                batch.extend((first..first + BATCH).map(|i| made_up(i, share, source, &mut stream)));
                let start = Instant::now();
                for (completion, verdict) in &batch {
                    ledger.add(policy, problem, completion, verdict);
                }
                batches.push(start.elapsed());
            }
        }
    }
    let completions = (2 * PROBLEMS) as f64 * f64::from(K);
    let (slots, tables) = ledger.bytes();
    let start = Instant::now();
    black_box(ledger.at(K / 2));
    let half = start.elapsed();
    Figures {
        // Of the median batch: what else the machine does must not count.
        rate: f64::from(BATCH) / median(batches).as_secs_f64(),
        slots: slots as f64 / completions,
        tables: tables as f64 / completions,
        snapshot: timed(|| snapshot(&ledger)),
        half,
        parts: parts(&ledger),
    }
}

/// Seconds for every figure of a report, as JSON, over 1 M completions of 50 problems.
fn reported(source: &Source) -> f64 {
    const EACH: u32 = 10_000;
    let problems: Vec<Problem> = Suite::HeldOut.problems();
    let mut ledger = Ledger::new(2, problems.len());
    for problem in 0..problems.len() {
        for (policy, share) in source.correct.into_iter().enumerate() {
            let mut stream = Stream::new(2).at(problem as u64).at(policy as u64);
            for index in 0..EACH {
                let (completion, verdict) = made_up(index, share, source, &mut stream);
                ledger.add(policy, problem, &completion, &verdict);
            }
        }
    }
    let policy = |name: &str| PolicyEntry {
        name: name.into(),
        role: name.into(),
        spec: None,
        settings: Default::default(),
    };
    let run = Run { version: 1, policies: vec![policy("base"), policy("rlvr")], sampling: None, k: None };
    let once = || {
        let start = Instant::now();
        black_box(Report::new(&run, &problems, &ledger, &Lens::default()).json());
        start.elapsed()
    };
    median((0..3).map(|_| once()).collect()).as_secs_f64()
}

/// The figures that a frame needs.
fn snapshot(ledger: &Ledger) {
    let pair = Pair::with_base(1);
    black_box(ledger.counts(pair, &Lens::default()));
    black_box(ledger.counts(pair, &Lens { unit: Unit::Method, ..Lens::default() }));
    black_box(ledger.counts(pair, &Lens { unit: Unit::Completion, ..Lens::default() }));
    for problem in 0..PROBLEMS {
        black_box(ledger.status(pair, problem, &Lens::default()));
    }
    for policy in [0, 1] {
        black_box(ledger.pass_curve(policy));
        black_box((ledger.token_entropy(policy), ledger.answer_entropy(policy), ledger.mean_tokens(policy)));
    }
    black_box(ledger.crossing(pair));
    black_box((ledger.problem_curve(0, 7), ledger.problem_curve(1, 7), ledger.clusters(pair, 7)));
}

fn parts(ledger: &Ledger) -> Vec<(&'static str, f64)> {
    let pair = Pair::with_base(1);
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let texts = Lens { unit: Unit::Completion, ..Lens::default() };
    vec![
        ("counts, completion", ms(timed(|| _ = black_box(ledger.counts(pair, &texts))))),
        ("pass curve", ms(timed(|| _ = black_box(ledger.pass_curve(0))))),
        ("crossing", ms(timed(|| _ = black_box(ledger.crossing(pair))))),
        ("clusters of a problem", ms(timed(|| _ = black_box(ledger.clusters(pair, 7))))),
    ]
}

/// The median of 21 runs.
fn timed(mut of: impl FnMut()) -> Duration {
    let run = |_| {
        let start = Instant::now();
        of();
        start.elapsed()
    };
    median((0..21).map(run).collect())
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn made_up(index: u32, share: f64, source: &Source, stream: &mut Stream) -> (Completion, Verdict) {
    let correct = stream.chance(share);
    let distinct = ((f64::from(K) * source.texts) as usize).max(1);
    let number = if source.texts >= 1.0 { index as usize } else { stream.below(distinct) };
    let mut text = String::with_capacity(160);
    let _ = write!(
        text,
        " Multiply: {number} spiders x 8 = 24, 2 dogs x 4 = 8, 1 crab x 10 = 10. 24 + 8 = 32, 32 + 10 = 42.\n#### {correct}"
    );
    let answer = if correct { "42".to_owned() } else { (43 + stream.below(source.answers)).to_string() };
    let verdict = Verdict {
        answer: Some(answer),
        rule: Some(Rule::Marker),
        correct,
        method: Some(["multiply, then add", "running total", "pairs, doubled"][stream.below(3)].to_owned()),
        sound: Some(correct && stream.chance(0.9)),
        ..Verdict::default()
    };
    let completion = Completion {
        index,
        text,
        length: Some(30 + index % 20),
        logprob: Some(-5.0),
        token_entropy: Some(stream.unit()),
        entropy_range: None,
        trace: Vec::new(),
        finish: Finish::Stop,
    };
    (completion, verdict)
}
