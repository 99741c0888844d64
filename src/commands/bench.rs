//! `leash bench`: tokens a second of the engine, and how near that is to what the machine
//! can do, measured in the same run.

mod machine;

use super::print;
use crate::cli::{BenchArgs, BenchFormat};
use crate::model::engine::{Engine, Level};
use crate::model::{Config, Generated, Generator, ModelError, Observer, Request, Running, Sampling};
use crate::policy;
use crate::problem::tasks::leg_counting::Suite;
use crate::random::Stream;
use anyhow::{Context, Result};
use machine::Machine;
use serde::Serialize;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// A row is measured for at least so long, and at least three times.
const SPELL: Duration = Duration::from_millis(600);

#[derive(Serialize)]
struct Report {
    policy: String,
    parameters: usize,
    threads: usize,
    prompt_tokens: usize,
    new_tokens: usize,
    flop_per_token: f64,
    machine: Machine,
    rows: Vec<Row>,
}

/// The median of some repetitions of a batch.
#[derive(Serialize)]
struct Row {
    batch: u32,
    tokens_per_second: f64,
    /// Of an engine that computes every token of every completion, at the machine's rate.
    floor_tokens_per_second: f64,
    ratio_to_floor: f64,
    /// What is computed is a row for all completions that agree so far: so many a token.
    rows_per_token: f64,
    /// Rows a second to the floor: how well the arithmetic itself is done.
    row_ratio_to_floor: f64,
}

/// Measures and prints.
///
/// # Errors
/// A policy that is no local model, or what the engine reports.
pub fn run(args: &BenchArgs) -> Result<()> {
    let model = policy::local_model(&args.policy, &args.policy)?;
    let engine = Engine::new(&model.config, &model.weights)?;
    let problem = Suite::HeldOut.problems().swap_remove(0);
    let prompt = model.tokenizer.encode_prompt(&problem.prompt)?;
    let room = model.config.max_positions.saturating_sub(prompt.len());
    let new_tokens = (args.tokens as usize).min(room);
    let threads = args.threads as usize;
    let bytes = 4 * model.config.parameters();
    let flop_per_token = flop(&model.config, prompt.len(), new_tokens);

    let mut machine = Machine::measure(threads, bytes);
    let mut rows = Vec::new();
    for batch in args.batch.iter().copied() {
        let sampling =
            Sampling { max_tokens: new_tokens, temperature: args.temperature, ..Sampling::default() };
        let asked = Asked { engine: &engine, prompt: &prompt, sampling: &sampling, threads, batch };
        let (start, mut speeds, mut rates) = (Instant::now(), Vec::new(), Vec::new());
        let computed = engine.rows();
        while speeds.len() < 3 || start.elapsed() < SPELL {
            let before = Instant::now();
            speeds.push(asked.tokens_per_second()?);
            rates.push(machine::matrix_rate(threads, before.elapsed()));
        }
        machine.matrix_rate = median(&mut rates);
        let tokens = speeds.len() * batch as usize * new_tokens;
        let rows_per_token = (engine.rows() - computed) as f64 / tokens as f64;
        // A step reads all weights once for each thread's rows.
        let rows_a_step =
            engine.batch().min((batch as usize).div_ceil(threads)) * threads.min(batch as usize);
        let by_bandwidth = machine.bandwidth / bytes as f64 * rows_a_step as f64;
        let floor = (machine.matrix_rate / flop_per_token).min(by_bandwidth);
        let speed = median(&mut speeds);
        rows.push(Row {
            batch,
            tokens_per_second: speed,
            floor_tokens_per_second: floor,
            ratio_to_floor: speed / floor,
            rows_per_token,
            row_ratio_to_floor: speed / floor * rows_per_token,
        });
    }
    let report = Report {
        policy: args.policy.clone(),
        parameters: model.config.parameters(),
        threads,
        prompt_tokens: prompt.len(),
        new_tokens,
        flop_per_token,
        machine,
        rows,
    };
    let text = match args.format {
        BenchFormat::Table => report.table(),
        BenchFormat::Json => serde_json::to_string_pretty(&report)? + "\n",
    };
    print(&text).context("cannot write the figures")
}

impl Report {
    fn table(&self) -> String {
        let machine = &self.machine;
        let mut text = format!(
            "{}: {} parameters, {} tokens of prompt, {} new tokens, {} thread(s)\n\
             {}, {}: {:.0} GFLOP/s in matrix products, {:.1} GB/s over a model of this size\n\n\
             {:>6}  {:>12}  {:>12}  {:>5}  {:>12}  {:>12}\n",
            self.policy,
            self.parameters,
            self.prompt_tokens,
            self.new_tokens,
            self.threads,
            machine.processor,
            machine.instructions,
            machine.matrix_rate / 1e9,
            machine.bandwidth / 1e9,
            "batch",
            "tokens/s",
            "floor",
            "ratio",
            "rows a token",
            "ratio by row"
        );
        for row in &self.rows {
            text += &format!(
                "{:>6}  {:>12.0}  {:>12.0}  {:>5.2}  {:>12.2}  {:>12.2}\n",
                row.batch,
                row.tokens_per_second,
                row.floor_tokens_per_second,
                row.ratio_to_floor,
                row.rows_per_token,
                row.row_ratio_to_floor,
            );
        }
        text + "\nThe floor computes every token. Completions that agree so far are one row here.\n"
    }
}

/// Floating-point operations of a token in the middle of a completion: two for each weight
/// that is multiplied, and attention over what came before.
fn flop(config: &Config, prompt: usize, new_tokens: usize) -> f64 {
    let norms = (2 * config.layers + 1) * config.hidden_size;
    let embedding = if config.tied { 0 } else { config.vocab_size * config.hidden_size };
    let weights = config.parameters() - norms - embedding;
    let seen = prompt as f64 + new_tokens as f64 / 2.0;
    2.0 * weights as f64 + 4.0 * (config.layers * config.heads * config.head_dim) as f64 * seen
}

/// Completions that are asked for again and again.
struct Asked<'a> {
    engine: &'a Engine,
    prompt: &'a [u32],
    sampling: &'a Sampling,
    threads: usize,
    batch: u32,
}

impl Asked<'_> {
    /// Draws them once, shared out among the threads.
    fn tokens_per_second(&self) -> Result<f64, ModelError> {
        let share = self.batch.div_ceil(self.threads as u32);
        let parts = (0..self.batch).step_by(share as usize).map(|from| from..self.batch.min(from + share));
        let start = Instant::now();
        let drawn: usize = std::thread::scope(|scope| {
            let parts: Vec<_> = parts
                .map(|indices| {
                    scope.spawn(|| {
                        let mut count = Count(0);
                        let request = Request {
                            prompt: self.prompt,
                            indices,
                            stream: Stream::new(0),
                            sampling: self.sampling,
                            // All completions of one length, so that runs compare.
                            stop: &[],
                        };
                        self.engine.generate(&request, &mut count).map(|()| count.0)
                    })
                })
                .collect();
            let part = |part: std::thread::ScopedJoinHandle<'_, _>| {
                part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            parts.into_iter().map(part).sum::<Result<usize, ModelError>>()
        })?;
        Ok(drawn as f64 / start.elapsed().as_secs_f64())
    }
}

/// Counts tokens.
struct Count(usize);

impl Observer for Count {
    fn finished(&mut self, _: Generated) {}

    fn stepped(&mut self, drawn: usize, _: Option<Running<'_>>) -> ControlFlow<()> {
        self.0 += drawn;
        ControlFlow::Continue(())
    }
}

/// The one in the middle; `values` are not empty.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{config::tests::tiny, weights::tests::random};

    #[test]
    fn the_operations_of_a_token_are_counted() {
        let config = tiny();
        let layer = 24 * 24 * 2 + 2 * 8 * 24 + 3 * 24 * 40;
        let exact = 2 * (37 * 24 + 2 * layer) + 4 * 2 * 24 * (10 + 4);
        assert_eq!(flop(&config, 10, 8), f64::from(exact));
        assert_eq!(flop(&Config { tied: false, ..config }, 10, 8), f64::from(exact));
    }

    #[test]
    fn every_token_of_every_thread_is_counted() {
        let config = tiny();
        let engine = Engine::new(&config, &random(&config, 1)).unwrap();
        let sampling = Sampling { max_tokens: 4, ..Sampling::default() };
        for (threads, batch) in [(1, 1), (2, 1), (3, 7)] {
            let asked = Asked { engine: &engine, prompt: &[1, 2], sampling: &sampling, threads, batch };
            assert!(asked.tokens_per_second().unwrap() > 0.0);
        }
    }
}
