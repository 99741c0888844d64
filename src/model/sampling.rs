//! How a token is drawn from a distribution.

use serde::{Deserialize, Serialize};

/// The settings of sampling. Both policies are always sampled with the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// 0 takes the most likely token.
    pub temperature: f64,
    /// Keep the smallest set of most likely tokens with at least this mass; 1 keeps all.
    pub top_p: f64,
    /// Keep this many most likely tokens; `None` keeps all.
    pub top_k: Option<usize>,
    /// Tokens of a completion at most.
    pub max_tokens: usize,
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 1.0, top_p: 1.0, top_k: None, max_tokens: 100, seed: 0 }
    }
}
