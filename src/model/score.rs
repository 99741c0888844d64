//! How likely given tokens are under a model, in one pass over prompt and completion.

use super::decoder::Cache;
use super::engine::Workspace;
use super::{Config, Decoder, Engine, ModelError};
use candle_core::Tensor;

/// One given token under a model, at T = 1 and with nothing cut off.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    pub id: u32,
    /// ln p, nats.
    pub logprob: f64,
    /// Of the distribution at its place, nats.
    pub entropy: f64,
    /// The most likely tokens there with their log-probabilities, the likeliest first.
    pub top: Vec<(u32, f64)>,
}

/// A model that says how likely given tokens are.
pub trait Scorer {
    /// Weighs each of `tokens`, given `prompt` and those before it, with the `top` most likely
    /// tokens of each place.
    ///
    /// # Errors
    /// A prompt that is empty, a token outside the vocabulary, more tokens than the model has
    /// positions, and what the device reports.
    fn score(&self, prompt: &[u32], tokens: &[u32], top: usize) -> Result<Vec<Weighed>, ModelError>;
}

impl Scorer for Engine {
    fn score(&self, prompt: &[u32], tokens: &[u32], top: usize) -> Result<Vec<Weighed>, ModelError> {
        let all = joined(self.config(), prompt, tokens)?;
        let batch = self.places(all.len(), 1)?.min(self.batch());
        let mut workspace = Workspace::new(self, batch, 1, all.len(), 1);
        let mut scored = Vec::with_capacity(tokens.len());
        workspace.read_each(self, &all, &mut |at, logits| {
            if let Some(id) = (at + 1).checked_sub(prompt.len()).and_then(|i| tokens.get(i)) {
                scored.push(weigh(logits, *id, top));
            }
        });
        scored.into_iter().collect()
    }
}

impl Scorer for Decoder {
    fn score(&self, prompt: &[u32], tokens: &[u32], top: usize) -> Result<Vec<Weighed>, ModelError> {
        let all = joined(self.config(), prompt, tokens)?;
        if tokens.is_empty() {
            return Ok(Vec::new());
        }
        let logits = self.forward(&Tensor::new(all, self.device())?.unsqueeze(0)?, &mut Cache::default())?;
        let logits = logits.squeeze(0)?.narrow(0, prompt.len() - 1, tokens.len())?.to_vec2::<f32>()?;
        logits.iter().zip(tokens).map(|(logits, id)| weigh(logits, *id, top)).collect()
    }
}

/// What a model reads to weigh `tokens`: the last of them is not read.
fn joined(config: &Config, prompt: &[u32], tokens: &[u32]) -> Result<Vec<u32>, ModelError> {
    let (length, room) = (prompt.len() + tokens.len(), config.max_positions);
    if prompt.is_empty() {
        return Err(ModelError::Prompt("is empty".into()));
    }
    if let Some(token) = prompt.iter().chain(tokens).find(|t| **t as usize >= config.vocab_size) {
        let size = config.vocab_size;
        return Err(ModelError::Prompt(format!(
            "or the text holds token {token}, outside the vocabulary of {size}"
        )));
    }
    if length > room {
        return Err(ModelError::Prompt(format!(
            "and the text have {length} tokens together, and the model has {room} positions"
        )));
    }
    let mut all = [prompt, tokens].concat();
    if !tokens.is_empty() {
        all.pop();
    }
    Ok(all)
}

/// ln p of token `id` under softmax(`logits`), the entropy, and the `top` likeliest.
fn weigh(logits: &[f32], id: u32, top: usize) -> Result<Weighed, ModelError> {
    let known = |l: f32| if l.is_nan() { f64::NEG_INFINITY } else { f64::from(l) };
    let highest = logits.iter().copied().map(known).fold(f64::NEG_INFINITY, f64::max);
    if highest == f64::NEG_INFINITY {
        return Err(candle_core::Error::Msg("no logit is a number".into()).into());
    }
    let differences = || logits.iter().map(|l| (known(*l) - highest).max(f64::MIN));
    let (sum, moment) = differences().fold((0.0, 0.0), |(sum, moment), d| {
        let e = d.exp();
        (sum + e, if e > 0.0 { moment + d * e } else { moment })
    });
    let log_sum = sum.ln();
    let logprob = |id: usize| (known(logits[id]) - highest - log_sum).min(0.0);
    let mut order: Vec<u32> = Vec::new();
    if top > 0 {
        order = (0..logits.len() as u32).collect();
        let better = |a: &u32, b: &u32| {
            known(logits[*b as usize]).total_cmp(&known(logits[*a as usize])).then(a.cmp(b))
        };
        if top < order.len() {
            order.select_nth_unstable_by(top - 1, better);
            order.truncate(top);
        }
        order.sort_unstable_by(better);
    }
    Ok(Weighed {
        id,
        logprob: logprob(id as usize),
        entropy: (log_sum - moment / sum).max(0.0),
        top: order.into_iter().map(|id| (id, logprob(id as usize))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{config::tests::tiny, weights::tests::random};

    #[test]
    fn engine_and_reference_decoder_agree_on_long_and_short_texts() {
        let config = tiny();
        let weights = random(&config, 3);
        let engine = Engine::new(&config, &weights).unwrap();
        let decoder = Decoder::new(&config, &weights).unwrap();
        let mut stream = crate::random::Stream::new(4);
        for (prompt, length) in [(1, 1), (3, 20), (40, 9), (2, config.max_positions - 2)] {
            let mut draw =
                |n| -> Vec<u32> { (0..n).map(|_| stream.below(config.vocab_size) as u32).collect() };
            let (prompt, tokens) = (draw(prompt), draw(length));
            let fast = engine.score(&prompt, &tokens, 5).unwrap();
            let plain = decoder.score(&prompt, &tokens, 5).unwrap();
            assert_eq!((fast.len(), plain.len()), (length, length));
            for (a, b) in fast.iter().zip(&plain) {
                assert!((a.logprob - b.logprob).abs() < 1e-4 && (a.entropy - b.entropy).abs() < 1e-4);
                assert_eq!(a.top.len(), 5);
                assert!(a.top.is_sorted_by(|x, y| x.1 >= y.1) && a.top[0].1 >= a.logprob);
            }
        }
    }

    #[test]
    fn what_a_model_cannot_read_is_refused() {
        let config = tiny();
        let engine = Engine::new(&config, &random(&config, 3)).unwrap();
        assert_eq!(engine.score(&[1], &[], 0).unwrap(), []);
        for (prompt, tokens, says) in [
            (vec![], vec![1], "is empty"),
            (vec![1], vec![99], "token 99"),
            (vec![1; config.max_positions], vec![1], "positions"),
        ] {
            let said = engine.score(&prompt, &tokens, 0).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn a_logit_that_is_no_number_counts_as_impossible() {
        let w = weigh(&[0.0, f32::NAN, 0.0, f32::NEG_INFINITY], 1, 9).unwrap();
        assert_eq!(w.logprob, f64::NEG_INFINITY);
        assert!((w.entropy - 2f64.ln()).abs() < 1e-12);
        assert_eq!(w.top.iter().map(|t| t.0).collect::<Vec<_>>(), [0, 2, 1, 3]);
        assert!(weigh(&[f32::NAN], 0, 1).is_err());
    }
}
