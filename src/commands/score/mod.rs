//! `leash score`: how likely recorded completions, or traces that others wrote, are under a
//! policy.

mod figures;
mod table;
mod wanted;

use super::print;
use crate::cli::{Bars, ScoreArgs, ScoreFormat};
use crate::completion::clean;
use crate::model::Sampling;
use crate::policy::{self, Policy, SENT, ScoreRequest, Scored};
use crate::record::{Score, ScoreWriter};
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use wanted::{Item, Wanted};

/// The likeliest tokens that are kept at each place.
const TOP: usize = 5;

/// Failures that are shown; the others are counted.
const SHOWN: usize = 5;

/// How often what was scored is given to the operating system.
const FLUSH: Duration = Duration::from_millis(500);

/// Scores what is not scored yet, and prints what it comes to.
///
/// # Errors
/// A file that cannot be read or written, a policy that cannot be opened or cannot score.
pub fn run(args: &ScoreArgs) -> Result<()> {
    let wanted = wanted::wanted(args)?;
    if wanted.items.is_empty() {
        bail!("{}: {}", args.file.display(), wanted.nothing);
    }
    let (mut writer, there) = match &args.output {
        Some(output) => ScoreWriter::open(output).map(|(writer, there)| (Some(writer), there))?,
        None => (None, Vec::new()),
    };
    let mut scores: HashMap<(String, usize), Score> = HashMap::new();
    let place: HashMap<(&str, &str, u32), usize> =
        wanted.items.iter().enumerate().map(|(i, item)| ((item.key()), i)).collect();
    for score in there {
        if let Some(&at) = place.get(&(score.problem.as_str(), score.policy.as_str(), score.index)) {
            scores.insert((score.under.clone(), at), score);
        }
    }
    let mut specs = Vec::new();
    let bars = Bars::new();
    let options = args.models.options(&args.served, args.under.len(), 1, &bars);
    for (i, spec) in args.under.iter().enumerate() {
        let name = if args.under.len() == 1 { "under".to_owned() } else { format!("under {}", i + 1) };
        let policy = policy::open_with(spec, &name, &options)?;
        if let Some(words) = asked_otherwise(&wanted, &*policy) {
            eprintln!("leash: {}", clean(&words));
        }
        let under = policy.spec().to_owned();
        let missing: Vec<usize> =
            (0..wanted.items.len()).filter(|&i| !scores.contains_key(&(under.clone(), i))).collect();
        let scoring =
            Scoring { wanted: &wanted, policy: &policy, traces: !args.no_traces && args.output.is_some() };
        for (at, score) in scoring.score(&missing, &mut writer)? {
            scores.insert((under.clone(), at), score);
        }
        specs.push(under);
    }
    let figures = figures::Figures::new(&wanted, &specs, &scores);
    print(&match args.format {
        ScoreFormat::Table => clean(&table::table(&wanted, &specs, &scores, &figures)),
        ScoreFormat::Json => figures.json(),
        ScoreFormat::Csv => figures.csv(),
    })?;
    Ok(())
}

/// A sentence where texts were sampled after the bare prompt and are scored under a chat
/// template, or the other way round.
fn asked_otherwise(wanted: &Wanted, policy: &dyn Policy) -> Option<String> {
    let here = policy.settings(&Sampling::default()).into_iter().find(|s| s.name == SENT)?.value;
    let is_bare = |sent: &str| sent == policy::PROMPT;
    let (writer, _) = wanted.sent.iter().find(|(_, sent)| is_bare(sent) != is_bare(&here))?;
    let (was, is, mend) = match is_bare(&here) {
        true => ("under a chat template", "after the prompt as it is", "--chat"),
        false => ("after the prompt as it is", "under a chat template", "--raw"),
    };
    Some(format!(
        "{writer} was sampled {was} and is scored {is} under {}: {mend} scores it as it was sampled",
        policy.spec()
    ))
}

struct Scoring<'a> {
    wanted: &'a Wanted,
    policy: &'a Arc<dyn Policy>,
    traces: bool,
}

impl Scoring<'_> {
    /// Scores the items at `missing`, several at once, each into the file as it comes.
    fn score(&self, missing: &[usize], writer: &mut Option<ScoreWriter>) -> Result<Vec<(usize, Score)>> {
        let bar = ProgressBar::new(missing.len() as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {bar:30} {human_pos}/{human_len}  {eta} left")
        {
            bar.set_style(style);
        }
        bar.set_prefix(self.policy.spec().to_owned());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.policy.waiting() > 0 { 16 } else { cores }.min(missing.len().max(1));
        let next = AtomicUsize::new(0);
        let (mut scores, mut failures) = (Vec::with_capacity(missing.len()), 0);
        let mut flushed = Instant::now();
        std::thread::scope(|scope| -> Result<()> {
            let (tell, hear) = mpsc::sync_channel(256);
            for _ in 0..threads {
                let (tell, next) = (tell.clone(), &next);
                scope.spawn(move || {
                    while let Some(&at) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Nobody hears any more: the file could not be written.
                        if tell.send((at, self.one(&self.wanted.items[at]))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            for (at, scored) in hear {
                match scored {
                    Ok(score) => {
                        if let Some(writer) = writer {
                            writer.append(&score)?;
                        }
                        scores.push((at, score));
                    }
                    // Nothing can be scored, so that there is no point in going on.
                    Err(error @ policy::PolicyError::Scoring { .. }) => return Err(error.into()),
                    Err(error) => {
                        failures += 1;
                        if failures <= SHOWN {
                            let item = &self.wanted.items[at];
                            let words =
                                format!("{} {} #{}: {error}", item.policy, item.problem.id, item.index);
                            bar.suspend(|| eprintln!("leash: {}", clean(&words)));
                        }
                    }
                }
                bar.inc(1);
                if flushed.elapsed() > FLUSH {
                    writer.as_mut().map_or(Ok(()), ScoreWriter::flush)?;
                    flushed = Instant::now();
                }
            }
            Ok(())
        })?;
        writer.as_mut().map_or(Ok(()), ScoreWriter::flush)?;
        bar.finish_and_clear();
        if failures > 0 {
            eprintln!(
                "leash: {failures} of {} could not be scored under {}",
                missing.len(),
                self.policy.spec()
            );
        }
        if scores.is_empty() && failures > 0 {
            bail!("nothing could be scored under {}", self.policy.spec());
        }
        Ok(scores)
    }

    fn one(&self, item: &Item) -> Result<Score, policy::PolicyError> {
        let top = if self.traces { TOP } else { 0 };
        let request = ScoreRequest {
            problem: &item.problem,
            text: &item.text,
            tokens: &item.tokens,
            ended: item.ended,
            top,
        };
        let Scored { tokens, retokenised, ended } = self.policy.score(&request)?;
        let finite = |x: f64| x.is_finite().then_some((x * 1e4).round() / 1e4);
        let sum: f64 = tokens.iter().map(|t| t.logprob).sum();
        let mut score = Score {
            problem: item.problem.id.clone(),
            policy: item.policy.clone(),
            index: item.index,
            under: self.policy.spec().to_owned(),
            logprob: sum.is_finite().then_some(sum),
            tokens: Some(tokens.len() as u32),
            ended,
            retokenised,
            token_texts: Vec::new(),
            token_logprobs: Vec::new(),
            token_entropies: Vec::new(),
            token_tops: Vec::new(),
        };
        if self.traces {
            score.token_logprobs = tokens.iter().map(|t| finite(t.logprob)).collect();
            let entropies: Option<Vec<f64>> = tokens.iter().map(|t| t.entropy.and_then(finite)).collect();
            score.token_entropies = entropies.unwrap_or_default();
            for token in tokens {
                score.token_tops.push(token.top.into_iter().map(|(text, l)| (text, finite(l))).collect());
                score.token_texts.push(token.text);
            }
        }
        Ok(score)
    }
}
