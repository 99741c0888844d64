//! Language models: configuration, weights, tokenizer, decoder, key-value cache, generation.

pub mod error;
pub mod generate;
pub mod sampling;

pub use error::ModelError;
pub use generate::{Generated, Generator, Observer, Request, Running};
pub use sampling::Sampling;
