//! What the scores come to: perplexities, and what became of what was lost.

use super::figures::Figures;
use super::wanted::{Item, Wanted};
use crate::record::Score;
use crate::report::Grid;
use crate::support::ClusterKey;
use crate::support::fate::{Fate, log_epsilon, together};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

/// Of ε.
pub(super) const ZETA: f64 = 0.05;

/// Texts that are listed one by one at most; of more, CSV and JSON tell.
const LISTED: usize = 24;

/// Losses that are shown; the others are counted.
const SHOWN: usize = 10;

pub(super) fn table(
    wanted: &Wanted,
    specs: &[String],
    scores: &HashMap<(String, usize), Score>,
    figures: &Figures,
) -> String {
    let mut text = perplexities(figures);
    if wanted.lost.is_none() && figures.texts.len() <= LISTED {
        text.push('\n');
        text += &texts(figures);
    }
    if let Some(rlvr) = &wanted.lost {
        for spec in specs {
            let of = |i: usize| scores.get(&(spec.clone(), i));
            text.push('\n');
            text += &fates(wanted, rlvr, spec, &of);
        }
    }
    let retokenised = scores.values().filter(|s| s.retokenised).count();
    if retokenised > 0 {
        let _ = writeln!(
            text,
            "\n{retokenised} of {} scores are of the text tokenised anew: the tokens that it was drawn in are not \
             this policy's, or not known",
            scores.len()
        );
    }
    text
}

/// A row for each policy that wrote and each that scores.
fn perplexities(figures: &Figures) -> String {
    let mut grid =
        Grid::new(["perplexity of", "under", "texts", "tokens", "all tokens", "mean of texts", ""]);
    for sum in &figures.policies {
        let shown = |value: Option<f64>| match value {
            Some(value) => format!("{value:.3}"),
            None if sum.impossible > 0 => "∞".to_owned(),
            None => "–".to_owned(),
        };
        let interval = sum.mean_interval.map(|[low, high]| format!("[{low:.3}, {high:.3}]"));
        grid.row([
            sum.policy.clone(),
            sum.under.clone(),
            sum.texts.to_string(),
            sum.tokens.to_string(),
            shown(sum.perplexity),
            shown(sum.mean_perplexity),
            interval.unwrap_or_default(),
        ]);
    }
    grid.aligned()
}

/// A row for each text and each policy that scores.
fn texts(figures: &Figures) -> String {
    let mut grid = Grid::new(["text", "under", "tokens", "ln p", "perplexity"]);
    for text in &figures.texts {
        let impossible = text.tokens > 0 && text.logprob.is_none();
        let shown = |value: Option<f64>, none: &str| match value {
            Some(value) => format!("{value:.3}"),
            None if impossible => none.to_owned(),
            None => "–".to_owned(),
        };
        grid.row([
            format!("{} {} #{}", text.policy, text.problem, text.index),
            text.under.clone(),
            text.tokens.to_string(),
            shown(text.logprob, "−∞"),
            shown(text.perplexity, "∞"),
        ]);
    }
    grid.aligned()
}

/// What became of the lost completions, and of the clusters that were lost as a whole.
fn fates<'a>(wanted: &Wanted, rlvr: &str, spec: &str, score: &dyn Fn(usize) -> Option<&'a Score>) -> String {
    let logprob = |s: &Score| s.logprob.unwrap_or(f64::NEG_INFINITY);
    let mut texts = Tally::default();
    let mut clusters: BTreeMap<(&str, &ClusterKey), (u32, Vec<f64>)> = BTreeMap::new();
    let mut rows: Vec<(f64, &Item, u32)> = Vec::new();
    for (at, item) in wanted.items.iter().enumerate() {
        let (Some(score), Some(loss)) = (score(at), &item.loss) else { continue };
        let l = logprob(score);
        texts.add(Fate::of(l, loss.k, ZETA));
        rows.push((l, item, loss.k));
        if let Some(key) = &loss.cluster {
            clusters.entry((&item.problem.id, key)).or_insert((loss.k, Vec::new())).1.push(l);
        }
    }
    let mut solutions = Tally::default();
    for (k, all) in clusters.values() {
        solutions.add(Fate::of(together(all), *k, ZETA));
    }
    let mut text = format!(
        "lost by {rlvr}, under {spec}: suppressed where its probability is still above ε = −ln {ZETA} / k, else gone\n"
    );
    let _ = writeln!(text, "  completions  {texts}");
    let _ = writeln!(
        text,
        "  solutions    {solutions}   (an answer by a method; from the texts that the base drew: at least this likely)"
    );
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    if !rows.is_empty() {
        let _ = writeln!(text, "\n  {:>12}  {:>12}  {:10}  the likeliest of them", "probability", "ε", "");
    }
    for (l, item, k) in rows.iter().take(SHOWN) {
        let fate = Fate::of(*l, *k, ZETA).word();
        let statement: String = item.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let statement: String = statement.chars().take(60).collect();
        let (p, epsilon) = (l.exp(), log_epsilon(*k, ZETA).exp());
        let _ = writeln!(
            text,
            "  {p:>12.2e}  {epsilon:>12.2e}  {fate:10}  {} #{} {statement}",
            item.problem.id, item.index
        );
    }
    if rows.len() > SHOWN {
        let _ = writeln!(text, "  and {} more; all of them are in the file", rows.len() - SHOWN);
    }
    text
}

/// How many are suppressed, and how many gone.
#[derive(Default)]
struct Tally {
    suppressed: u32,
    gone: u32,
}

impl Tally {
    fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Suppressed => self.suppressed += 1,
            Fate::Gone => self.gone += 1,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { suppressed, gone } = self;
        write!(f, "{:>6} lost: {suppressed} suppressed, {gone} gone", suppressed + gone)
    }
}
