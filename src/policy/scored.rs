//! How likely a given text is under a policy.

use crate::problem::Problem;

/// A text that is to be scored as a completion of a problem.
#[derive(Clone, Debug)]
pub struct ScoreRequest<'a> {
    pub problem: &'a Problem,
    /// What follows the prompt.
    pub text: &'a str,
    /// The tokens that it was drawn in, where known, else empty. They are used where the
    /// policy's own tokenizer reads them as that text; else the text is tokenised anew.
    pub tokens: &'a [u32],
    /// Whether the model ended it: then the end is scored too.
    pub ended: bool,
    /// The most likely tokens to give at each place.
    pub top: usize,
}

/// A text under a policy, token by token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    pub tokens: Vec<ScoredToken>,
    /// Whether the tokens are not those that it was drawn in, or these are not known: another
    /// way to write the same text has another probability.
    pub retokenised: bool,
    /// Whether the end of the text is among the tokens.
    pub ended: bool,
}

/// One token of a scored text.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredToken {
    pub id: u32,
    /// What it adds to the text; empty for the end.
    pub text: String,
    /// ln p, nats.
    pub logprob: f64,
    /// Of the distribution at its place, nats, where known.
    pub entropy: Option<f64>,
    /// The most likely tokens at its place with their log-probabilities, the likeliest first.
    pub top: Vec<(String, f64)>,
}

impl Scored {
    /// ln p of the whole text, nats.
    pub fn logprob(&self) -> f64 {
        self.tokens.iter().map(|t| t.logprob).sum()
    }

    /// exp of the mean surprise of its tokens (the paper's section 4); `None` for no token.
    pub fn perplexity(&self) -> Option<f64> {
        (!self.tokens.is_empty()).then(|| (-self.logprob() / self.tokens.len() as f64).exp())
    }
}
