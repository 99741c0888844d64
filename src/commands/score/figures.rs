//! What the scores come to, text by text and in sums, for people and programs.

use super::wanted::Wanted;
use crate::record::Score;
use crate::report::Grid;
use crate::support::fate::Fate;
use crate::support::interval::{Z95, mean_and_error};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// Version of the JSON; within one, fields are only added.
const VERSION: u32 = 1;

/// What the scores come to. What is undefined, or not finite, is `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub version: u32,
    pub policies: Vec<Sum>,
    pub texts: Vec<Text>,
}

/// All texts of one who wrote them, under one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Sum {
    /// Who wrote them.
    pub policy: String,
    /// Who scores them: a SPEC.
    pub under: String,
    /// Texts with a score of at least one token.
    pub texts: u64,
    /// How many of them hold a token of probability 0; then there is no perplexity.
    pub impossible: u64,
    pub tokens: u64,
    /// ln p of all texts, nats.
    pub logprob: Option<f64>,
    /// exp of the mean surprise of all tokens.
    pub perplexity: Option<f64>,
    /// The mean of the texts' own perplexities: each text counts alike, however long.
    pub mean_perplexity: Option<f64>,
    /// 95 %, from the spread between the texts.
    pub mean_interval: Option<[f64; 2]>,
}

/// One text under one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Text {
    pub problem: String,
    pub policy: String,
    pub index: u32,
    pub under: String,
    pub tokens: u32,
    /// Nats.
    pub logprob: Option<f64>,
    pub perplexity: Option<f64>,
    /// Whether the end of the text is among the tokens.
    pub ended: bool,
    /// Whether its tokens may be others than those that it was drawn in.
    pub retokenised: bool,
    /// `suppressed` or `gone`, of what was lost.
    pub fate: Option<&'static str>,
}

impl Figures {
    /// Of scores by policy and place in `wanted`.
    pub fn new(wanted: &Wanted, specs: &[String], scores: &HashMap<(String, usize), Score>) -> Self {
        let mut texts = Vec::new();
        for (at, item) in wanted.items.iter().enumerate() {
            for under in specs {
                let Some(score) = scores.get(&(under.clone(), at)) else { continue };
                let tokens = score.tokens.unwrap_or(0);
                let l = score.logprob.unwrap_or(f64::NEG_INFINITY);
                texts.push(Text {
                    problem: item.problem.id.clone(),
                    policy: item.policy.clone(),
                    index: item.index,
                    under: under.clone(),
                    tokens,
                    logprob: score.logprob,
                    perplexity: perplexity(score.logprob, u64::from(tokens)),
                    ended: score.ended,
                    retokenised: score.retokenised,
                    fate: item.loss.as_ref().map(|loss| Fate::of(l, loss.k, super::table::ZETA).word()),
                });
            }
        }
        let writers: BTreeSet<&str> = wanted.items.iter().map(|i| i.policy.as_str()).collect();
        let pairs = writers.iter().flat_map(|w| specs.iter().map(move |s| (*w, s.as_str())));
        let policies = pairs.map(|(writer, under)| Sum::new(writer, under, &texts)).collect();
        Self { version: VERSION, policies, texts }
    }

    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// A row a text and policy.
    pub fn csv(&self) -> String {
        let mut grid = Grid::new([
            "problem",
            "policy",
            "index",
            "under",
            "tokens",
            "logprob",
            "perplexity",
            "ended",
            "retokenised",
            "fate",
        ]);
        let cell = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
        for t in &self.texts {
            grid.row([
                t.problem.clone(),
                t.policy.clone(),
                t.index.to_string(),
                t.under.clone(),
                t.tokens.to_string(),
                cell(t.logprob),
                cell(t.perplexity),
                t.ended.to_string(),
                t.retokenised.to_string(),
                t.fate.unwrap_or_default().to_owned(),
            ]);
        }
        grid.csv()
    }
}

impl Sum {
    fn new(policy: &str, under: &str, texts: &[Text]) -> Self {
        let own = || texts.iter().filter(|t| t.policy == policy && t.under == under && t.tokens > 0);
        let tokens: u64 = own().map(|t| u64::from(t.tokens)).sum();
        let logprob: Option<f64> = own().map(|t| t.logprob).sum::<Option<f64>>().filter(|_| tokens > 0);
        let each: Option<Vec<f64>> = own().map(|t| t.perplexity).collect();
        let each = each.filter(|all| !all.is_empty());
        let mean = |all: &Vec<f64>| all.iter().sum::<f64>() / all.len() as f64;
        let spread = each.as_deref().and_then(mean_and_error);
        Self {
            policy: policy.to_owned(),
            under: under.to_owned(),
            texts: own().count() as u64,
            impossible: own().filter(|t| t.logprob.is_none()).count() as u64,
            tokens,
            logprob,
            perplexity: perplexity(logprob, tokens),
            mean_perplexity: each.as_ref().map(mean).filter(|m| m.is_finite()),
            // No perplexity is below 1.
            mean_interval: spread.map(|(m, error)| [(m - Z95 * error).max(1.0), m + Z95 * error]),
        }
    }
}

/// exp of the mean surprise of a token; `None` of no token, or where it is not finite.
fn perplexity(logprob: Option<f64>, tokens: u64) -> Option<f64> {
    let perplexity = (-logprob? / tokens as f64).exp();
    (tokens > 0 && perplexity.is_finite()).then_some(perplexity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(policy: &str, tokens: u32, logprob: Option<f64>) -> Text {
        Text {
            problem: "p".into(),
            policy: policy.into(),
            index: 0,
            under: "u".into(),
            tokens,
            logprob,
            perplexity: perplexity(logprob, u64::from(tokens)),
            ended: false,
            retokenised: true,
            fate: None,
        }
    }

    #[test]
    fn a_long_text_weighs_more_among_all_tokens_and_alike_in_the_mean() {
        let ln2 = 2f64.ln();
        let all = [text("a", 3, Some(-3.0 * ln2)), text("a", 1, Some(-3.0 * ln2)), text("b", 1, None)];
        let sum = Sum::new("a", "u", &all);
        assert_eq!((sum.texts, sum.tokens, sum.impossible), (2, 4, 0));
        assert!((sum.perplexity.unwrap() - (1.5 * ln2).exp()).abs() < 1e-12);
        assert!((sum.mean_perplexity.unwrap() - 5.0).abs() < 1e-12);
        let [low, high] = sum.mean_interval.unwrap();
        assert!(low == 1.0 && (high - (5.0 + Z95 * 3.0)).abs() < 1e-9, "{low} {high}");
        let impossible = Sum::new("b", "u", &all);
        assert_eq!((impossible.texts, impossible.impossible, impossible.perplexity), (1, 1, None));
        let none = Sum::new("a", "other", &all);
        assert_eq!((none.texts, none.perplexity, none.mean_perplexity), (0, None, None));
    }
}
