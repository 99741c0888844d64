//! Language models: configuration, weights, tokenizer, decoder, key-value cache, generation.

mod adapter;
pub mod config;
pub mod decoder;
pub mod embedded;
pub mod engine;
pub mod error;
pub mod generate;
mod gguf;
pub mod hub;
pub mod local;
pub mod memory;
#[cfg(test)]
mod parity;
pub mod sampler;
pub mod sampling;
pub mod score;
pub mod template;
pub mod tokenizer;
pub mod weights;

pub use config::Config;
pub use decoder::Decoder;
pub use engine::Engine;
pub use error::ModelError;
pub use generate::{Generated, Generator, Observer, Request, Running};
pub use local::LocalModel;
pub use sampler::Sampler;
pub use sampling::Sampling;
pub use score::{Scorer, Weighed};
pub use template::ChatTemplate;
pub use tokenizer::Tokenizer;
pub use weights::Weights;
