//! `leash train`: the embedded pair, or any tiny one, from one seed.

use crate::cli::TrainArgs;
use crate::model::LocalModel;
use crate::support::{Criterion, Ledger, Lens, Pair, Unit};
use crate::train::{self, Knobs, Progress, Settings, Size, Watch, course, measure, pretrain};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// Trains, then measures on the development suite.
///
/// # Errors
/// What training reports.
pub fn run(args: &TrainArgs) -> Result<()> {
    if let Some(pull) = &args.pull {
        return super::pull::run(pull);
    }
    let out = args.out.as_deref().context("a folder is needed: --out DIR")?;
    let course = course::of_task(&args.task).context("there is no such course")?;
    let settings = Settings {
        seed: args.seed,
        threads: args.threads.max(1),
        size: Size {
            hidden: args.hidden,
            layers: args.layers,
            heads: args.heads,
            intermediate: args.intermediate,
        },
        base: pretrain::Settings {
            steps: args.base_steps,
            batch: args.base_batch,
            ..pretrain::Settings::default()
        },
        steps: args.rlvr_steps.unwrap_or(course.steps()),
        knobs: Knobs {
            prompts: args.prompts,
            group: args.completions,
            rate: args.rlvr_rate,
            ..Knobs::default()
        },
        checkpoints: args.checkpoints.clone(),
        from: args.from.clone(),
    };
    let started = Instant::now();
    let mut bars = Bars::default();
    train::run(&settings, course, out, &mut bars)?;
    drop(bars);
    println!("Trained in {:.0} s into {}.", started.elapsed().as_secs_f64(), out.display());
    if args.measure > 0 {
        let load = |name: &str| {
            let model = LocalModel::from_folder(&out.join(name));
            model.map(|m| (name.to_owned(), m)).with_context(|| format!("measuring {name}"))
        };
        let models = vec![load("base")?, load("rlvr")?];
        let problems = course.development();
        let ledger = measure::measure(models, &problems, args.measure, settings.threads)?;
        println!("{}", summary(&ledger, args.measure));
    }
    Ok(())
}

/// The pair on the development suite, in a few lines.
fn summary(ledger: &Ledger, k: u32) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
    let mut lines = vec![format!("Development suite, k = {k}:")];
    for (policy, name) in ["base", "rlvr"].into_iter().enumerate() {
        lines.push(format!(
            "  {name}: pass@1 {}, pass@{k} {}, token entropy {}, answer entropy {}, tokens {}",
            number(ledger.pass_at(policy, 1)),
            number(ledger.pass_at(policy, k)),
            number(ledger.token_entropy(policy)),
            number(ledger.answer_entropy(policy)),
            number(ledger.mean_tokens(policy)),
        ));
    }
    for unit in [Unit::Problem, Unit::Answer, Unit::Method] {
        let lens = Lens { unit, criterion: Criterion::Found { min_hits: 1 }, sound: false };
        let c = ledger.counts(Pair { base: 0, rlvr: 1 }, &lens);
        lines.push(format!(
            "  {}: P {} E {} S {} O {}, SRR {}, NSCR {}",
            unit.name(),
            c.p,
            c.e,
            c.s,
            c.o,
            number(c.srr()),
            number(c.nscr()),
        ));
    }
    lines.join("\n")
}

/// One progress bar a stage.
#[derive(Default)]
struct Bars {
    base: Option<ProgressBar>,
    rlvr: Option<ProgressBar>,
}

impl Watch for Bars {
    fn stepped(&mut self, progress: &Progress) {
        let (bar, name, step, steps, says) = match progress {
            Progress::Base { step, steps, loss } => {
                (&mut self.base, "base", step, steps, format!("loss {loss:.3}"))
            }
            Progress::Rlvr { step, steps, reward, entropy, .. } => {
                let says = format!("reward {reward:.2}, token entropy {entropy:.3}");
                (&mut self.rlvr, "rlvr", step, steps, says)
            }
        };
        let bar = bar.get_or_insert_with(|| {
            let style = "{prefix} {wide_bar} {pos}/{len}, {eta} left, {msg}";
            ProgressBar::new(*steps as u64).with_prefix(name).with_style(
                ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        });
        bar.set_message(says);
        bar.set_position(*step as u64);
        if step == steps {
            bar.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TrainArgs,
    }

    #[test]
    fn the_defaults_are_the_recipe_of_the_embedded_pair() {
        let Line { args } = Line::parse_from(["train", "--out", "x"]);
        let (base, size) = (pretrain::Settings::default(), Size::default());
        assert_eq!((args.seed, args.base_steps, args.rlvr_steps), (1, base.steps, None));
        assert_eq!(args.task, "leg_counting");
        assert_eq!((args.hidden, args.layers, args.heads), (size.hidden, size.layers, size.heads));
        assert_eq!(args.checkpoints, [10, 20, 40, 70, 100]);
    }

    #[test]
    fn a_tiny_pair_is_trained_and_measured() {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().display().to_string();
        let sizes = ["--hidden", "16", "--layers", "1", "--heads", "1", "--intermediate", "16"];
        let steps = ["--base-steps", "3", "--base-batch", "4", "--rlvr-steps", "2", "--prompts", "2"];
        let rest = ["--completions", "2", "--checkpoints", "1", "--measure", "1", "--threads", "2"];
        let line = ["train", "--task", "countdown", "--out", &folder]
            .into_iter()
            .chain(sizes)
            .chain(steps)
            .chain(rest);
        run(&Line::parse_from(line).args).unwrap();
        for name in ["base", "rlvr-0001", "rlvr"] {
            assert!(out.path().join(name).join("model.safetensors").exists(), "{name}");
        }
    }

    #[test]
    fn the_summary_gives_both_policies_and_shows_what_is_undefined() {
        let text = summary(&Ledger::new(2, 1), 4);
        assert!(
            text.contains("base: pass@1 –") && text.contains("problem: P 0 E 0 S 0 O 0, SRR –"),
            "{text}"
        );
    }
}
