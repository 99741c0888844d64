//! How policies are opened.

use super::ServerOptions;
use crate::model::error::bytes;
use crate::model::{ModelError, memory};
use std::cell::Cell;

/// What the command line says of models and servers.
pub struct Options<'a> {
    pub served: ServerOptions,
    pub prompt: PromptStyle,
    /// A system prompt, where the chat template is used.
    pub system: Option<String>,
    pub device: DeviceKind,
    pub memory: Budget,
    /// Hears what was opened, and how far it is.
    pub listener: &'a dyn Listener,
}

/// What a model is sent of a problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptStyle {
    /// Its chat template where it has one, else the problem's text.
    #[default]
    Auto,
    Chat,
    Raw,
}

/// Where a model computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceKind {
    /// The engine, on the processor.
    #[default]
    Cpu,
    Cuda,
    Metal,
}

/// Who hears how opening goes.
pub trait Listener {
    /// So many of so many parts of a policy are done.
    fn progress(&self, _policy: &str, _done: usize, _all: usize) {}

    /// So many of all bytes of a policy's file are fetched.
    fn fetched(&self, _policy: &str, _file: &str, _done: usize, _all: usize) {}

    /// A sentence that the user should read.
    fn say(&self, _sentence: &str) {}
}

/// Hears nothing.
pub struct Silent;

impl Listener for Silent {}

/// Bytes that all models together may take.
pub struct Budget {
    total: usize,
    used: Cell<usize>,
    opened: Cell<usize>,
    policies: usize,
    threads: usize,
}

impl Budget {
    /// `total` bytes, or nine tenths of what this machine has free, for so many policies
    /// that each of so many threads draws from.
    pub fn new(total: Option<usize>, policies: usize, threads: usize) -> Self {
        let total = total.unwrap_or_else(|| memory::available().map_or(usize::MAX, |free| free / 10 * 9));
        Self {
            total,
            used: Cell::new(0),
            opened: Cell::new(0),
            policies: policies.max(1),
            threads: threads.max(1),
        }
    }

    /// Takes a model's weights, and gives what a call on it may take besides: an even share
    /// of what the policies, each as large as this one, leave.
    ///
    /// # Errors
    /// Weights for which there is no room.
    pub fn take(&self, what: &str, weights: usize) -> Result<usize, ModelError> {
        let left = self.total - self.used.get();
        if weights > left {
            let what = format!("{what}, with weights of {},", bytes(weights));
            return Err(ModelError::Memory { what, needed: weights, given: left });
        }
        self.used.set(self.used.get() + weights);
        self.opened.set(self.opened.get() + 1);
        let left = left - weights;
        let others = self.policies.saturating_sub(self.opened.get()).saturating_mul(weights);
        // Where the others do not fit, opening them says so.
        let free = left.saturating_sub(others).max(left / 2);
        Ok(free / self.policies / self.threads)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(None, 1, std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            served: ServerOptions::default(),
            prompt: PromptStyle::default(),
            system: None,
            device: DeviceKind::default(),
            memory: Budget::default(),
            listener: &Silent,
        }
    }
}

impl From<ServerOptions> for Options<'_> {
    fn from(served: ServerOptions) -> Self {
        Self { served, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_shared_out_and_not_given_twice() {
        let budget = Budget::new(Some(1000), 2, 2);
        assert_eq!(budget.take("a", 300).unwrap(), 100);
        assert_eq!(budget.take("b", 500).unwrap(), 50);
        let error = budget.take("c", 201).unwrap_err().to_string();
        assert!(error.contains("needs 1 kB and there are 1 kB") && error.starts_with("c, with"), "{error}");
    }
}
