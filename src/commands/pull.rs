//! `leash train rlvr` and `leash train sft`: pulls without a screen, and their comparison.

use crate::cli::{ContestArgs, PullArgs, PullCommand, PullFormat, SftArgs};
use crate::train::compare::{Contest, FIGURES, Figure, Outcome, Spread, Watch, contest};
use crate::train::knobs::{Data, Knobs, Preset};
use crate::train::{Evaluation, Stepped, Trainee};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Pulls, and says what came out.
///
/// # Errors
/// A knob that is wrong, a base that cannot be trained, a file that cannot be written.
pub fn run(command: &PullCommand) -> Result<()> {
    let (entries, args) = match command {
        PullCommand::Rlvr(args) => (presets(args)?, &args.contest),
        PullCommand::Sft(args) => (fine_tuned(args), &args.contest),
    };
    if !args.report && args.out.is_none() {
        bail!("nothing would be left of it: ask for --report, or for the model with --out DIR");
    }
    let (course, base) = args.course();
    let trainee = Trainee::open(base)?;
    let stop = Arc::new(AtomicBool::new(false));
    listen(Arc::clone(&stop));
    let names: Vec<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    let knobs: Vec<Knobs> = entries.iter().map(|(_, knobs)| knobs.clone()).collect();
    let problems = if args.report { args.problems.unwrap_or(usize::MAX) } else { 1 };
    let setting = Contest {
        trainee: &trainee,
        course,
        entries,
        seeds: (args.seed..args.seed.saturating_add(args.seeds)).collect(),
        steps: args.steps,
        every: args.every,
        exam: (problems, if args.report { args.k } else { 1 }),
        threads: args.threads.max(1),
        stop: &stop,
        out: args.out.clone(),
    };
    let pulls = names.len() as u64 * args.seeds;
    let mut bar = Bar::new(pulls * args.steps as u64);
    let outcome = contest(&setting, &mut bar)?.context("stopped before anything was trained")?;
    bar.0.finish_and_clear();
    for run in outcome.runs.iter().filter(|r| r.failed.is_some()) {
        let failed = run.failed.as_deref().unwrap_or_default();
        eprintln!("{}, seed {}: {failed}", names[run.entry], run.seed);
    }
    if stop.load(Ordering::Relaxed) {
        eprintln!("Stopped: what follows is what the pulls had come to.");
    }
    if let Some(out) = &args.out {
        eprintln!("The models lie in {}.", out.display());
    }
    if !args.report {
        return Ok(());
    }
    let text = match args.format {
        PullFormat::Table => table(&outcome, &names, &knobs, args),
        PullFormat::Json => json_report(&outcome, &names, &knobs, args)? + "\n",
    };
    super::print(&text).context("the report could not be written")
}

fn presets(args: &PullArgs) -> Result<Vec<(String, Knobs)>> {
    let entry = |preset: &Preset| {
        let mut knobs = preset.knobs();
        args.set.iter().try_for_each(|s| knobs.set(s))?;
        Ok((preset.name.to_owned(), knobs))
    };
    args.preset.iter().map(entry).collect()
}

/// SFT, and RLVR on the same problems where both are to be compared.
fn fine_tuned(args: &SftArgs) -> Vec<(String, Knobs)> {
    let (name, data) = match args.teacher.as_str() {
        "own" => ("sft-own", Data::Own),
        _ => ("sft", Data::Teacher),
    };
    let mut entries = vec![(name.to_owned(), Knobs { data, ..Knobs::default() })];
    if args.contest.report {
        entries.insert(0, ("rlvr".to_owned(), Knobs::default()));
    }
    entries
}

/// Lets Ctrl-C end the pull that runs, so that what it has come to is written.
fn listen(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if runtime.is_ok_and(|r| r.block_on(tokio::signal::ctrl_c()).is_ok()) {
            stop.store(true, Ordering::Relaxed);
        }
    });
}

/// One bar for all pulls.
struct Bar(ProgressBar);

impl Bar {
    fn new(steps: u64) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}, {eta} left, {msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(steps).with_style(style))
    }
}

impl Watch for Bar {
    fn stepped(&mut self, name: &str, seed: u64, stepped: &Stepped) {
        let reward = stepped.drawn.as_ref().map_or(String::new(), |d| format!(", reward {:.2}", d.reward));
        self.0.set_message(format!("{name}, seed {seed}{reward}"));
        self.0.inc(1);
    }

    fn examined(&mut self, name: &str, seed: u64, e: &Evaluation) {
        let srr = e.methods.srr().map_or("–".to_owned(), |v| format!("{v:.2}"));
        let (step, pass, kl) = (e.step, e.pass_1, e.kl);
        let words = format!(
            "{name}, seed {seed}, step {step:>4}: pass@1 {pass:.2}, SRR of methods {srr}, answer entropy {:.2}, \
             KL {kl:.3}",
            e.answer_entropy
        );
        // Where there is no terminal the bar is hidden, and what it says with it.
        match self.0.is_hidden() {
            true => eprintln!("{words}"),
            false => self.0.println(words),
        }
    }

    fn closing(&mut self, done: usize, of: usize) {
        self.0.set_message(format!("examination {done} of {of}"));
    }
}

/// A column a pull, a row a figure.
fn table(outcome: &Outcome, names: &[String], knobs: &[Knobs], args: &ContestArgs) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let mut line = |words: String| {
        let _ = writeln!(out, "{}", words.trim_end());
    };
    for (name, knobs) in names.iter().zip(knobs) {
        line(format!("{name}: {}", knobs.differences(&Knobs::default())));
    }
    line(format!(
        "{} from {}, {} steps each; held-out problems at k = {}; mean [95 % interval] over seeds.",
        if args.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", args.seeds) },
        args.course().1,
        args.steps,
        args.k
    ));
    for equal_tokens in [false, true] {
        line(String::new());
        let title = match equal_tokens {
            false => format!("at {} steps", args.steps),
            true => format!("at {:.2} M tokens", outcome.tokens as f64 / 1e6),
        };
        let heads = std::iter::once("base again").chain(names.iter().map(String::as_str));
        line(heads.enumerate().fold(format!("{title:<18}"), |l, (i, head)| {
            l + &if i == 0 { format!("{head:>12}") } else { format!("{head:>23}") }
        }));
        for figure in &FIGURES {
            let base = figure.1(&outcome.base).map_or("–".to_owned(), |v| format!("{v:.3}"));
            let cells = (0..names.len()).map(|i| cell(outcome.figure(i, equal_tokens, figure)));
            line(
                cells.fold(format!("{:<18}{base:>12}", name(figure, args.k)), |l, c| l + &format!("{c:>23}")),
            );
        }
    }
    line(String::new());
    for (entry, name) in names.iter().enumerate() {
        let runs: Vec<_> = outcome.runs.iter().filter(|r| r.entry == entry).collect();
        let seconds = runs.iter().map(|r| r.seconds).sum::<f64>() / runs.len().max(1) as f64;
        let reached: Vec<String> = runs
            .iter()
            .map(|r| r.to_shrinkage.map_or("not reached".to_owned(), |s| format!("{s:.0} s")))
            .collect();
        line(format!(
            "{name}: {seconds:.0} s of training a pull; method SRR at or below 0.7 after {}",
            reached.join(", ")
        ));
    }
    out
}

fn name(figure: &Figure, k: u32) -> String {
    figure.0.replace("pass@k", &format!("pass@{k}"))
}

fn cell(spread: Option<Spread>) -> String {
    match spread {
        None => "–".to_owned(),
        Some(Spread { mean, interval: None }) => format!("{mean:.3}"),
        Some(Spread { mean, interval: Some((low, high)) }) => format!("{mean:.3} [{low:.2}, {high:.2}]"),
    }
}

fn json_report(outcome: &Outcome, names: &[String], knobs: &[Knobs], args: &ContestArgs) -> Result<String> {
    let figures = |e: &Evaluation| {
        let all = FIGURES.iter().map(|f| (f.0.to_owned(), json!(f.1(e))));
        let counts = |c: &crate::support::Counts| json!({"P": c.p, "E": c.e, "S": c.s, "O": c.o});
        let mut map: serde_json::Map<_, _> = all.collect();
        map.insert("step".into(), json!(e.step));
        map.insert("tokens".into(), json!(e.tokens));
        map.insert("problems".into(), counts(&e.problems));
        map.insert("answers".into(), counts(&e.answers));
        map.insert("methods".into(), counts(&e.methods));
        map.insert("method shares".into(), e.shares.iter().cloned().collect());
        serde_json::Value::Object(map)
    };
    let pulls = names.iter().zip(knobs).enumerate().map(|(entry, (name, knobs))| {
        let over = |equal_tokens| {
            let all = FIGURES.iter().map(|f| (f.0.to_owned(), json!(outcome.figure(entry, equal_tokens, f))));
            all.collect::<serde_json::Map<_, _>>()
        };
        let runs = outcome.runs.iter().filter(|r| r.entry == entry).map(|r| {
            json!({
                "seed": r.seed, "seconds": r.seconds, "seconds_to_method_srr_0.7": r.to_shrinkage,
                "failed": r.failed, "at_steps": figures(&r.at_steps), "at_tokens": figures(&r.at_tokens),
                "history": r.history.iter().map(figures).collect::<Vec<_>>(),
            })
        });
        json!({
            "name": name, "knobs": knobs.differences(&Knobs::default()),
            "at_steps": over(false), "at_tokens": over(true), "runs": runs.collect::<Vec<_>>(),
        })
    });
    let report = json!({
        "base": args.course().1, "task": args.course().0.task(), "steps": args.steps, "k": args.k, "equal_tokens": outcome.tokens,
        "base_again": figures(&outcome.base), "pulls": pulls.collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&report)?)
}
