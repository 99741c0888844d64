//! A model that can be trained, with what is needed to train it and to write it again.

use super::network::Network;
use super::{Course, Ground, TrainError};
use crate::model::{Engine, LocalModel, ModelError, Tokenizer};
use crate::policy::{LocalPolicy, Policy, local_model};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A base to pull from.
pub struct Trainee {
    pub network: Network,
    pub tokenizer: Tokenizer,
    /// Its weights, flat.
    pub weights: Arc<[f32]>,
    /// Where it comes from.
    pub spec: String,
}

/// More weights than this are not trained here: a step would take minutes.
const MOST: usize = 20_000_000;

impl Trainee {
    /// Opens the model of a SPEC.
    ///
    /// # Errors
    /// A SPEC of no local model, and one that is too large or of another make than this
    /// training knows.
    pub fn open(spec: &str) -> Result<Self, TrainError> {
        Self::new(local_model(spec, "base")?, spec)
    }

    /// Takes a model.
    ///
    /// # Errors
    /// As [`Trainee::open`].
    pub fn new(model: LocalModel, spec: &str) -> Result<Self, TrainError> {
        let unfit = |reason: String| TrainError::Unfit { origin: spec.to_owned(), reason };
        Network::check(&model.config).map_err(unfit)?;
        let network = Network::new(&model.config);
        if network.parameters() > MOST {
            return Err(unfit(format!("{} weights, and the limit is {MOST}", network.parameters())));
        }
        let weights = network.pack(&model.weights)?.into();
        Ok(Self { network, tokenizer: model.tokenizer, weights, spec: spec.to_owned() })
    }

    /// What its training stands on.
    pub fn ground<'a>(
        &'a self,
        course: &'a dyn Course,
        seed: u64,
        threads: usize,
        stop: &'a AtomicBool,
    ) -> Ground<'a> {
        Ground {
            network: &self.network,
            tokenizer: &self.tokenizer,
            course,
            seed,
            threads: threads.max(1),
            stop,
        }
    }

    /// A policy of these weights.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn policy(&self, weights: &[f32], name: &str, spec: &str) -> Result<Arc<dyn Policy>, TrainError> {
        let model = self.model(weights, spec);
        let engine = Engine::new(&model.config, &model.weights)?;
        Ok(Arc::new(LocalPolicy::new(name, spec, model, Box::new(engine))))
    }

    /// A model of these weights.
    pub fn model(&self, weights: &[f32], origin: &str) -> LocalModel {
        let unpacked = self.network.unpack(weights, origin);
        LocalModel::new(origin, self.network.config().clone(), unpacked, self.tokenizer.clone())
    }

    /// Writes these weights as a folder in Hugging Face layout.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn write(&self, folder: &Path, weights: &[f32]) -> Result<(), ModelError> {
        let weights = self.network.unpack(weights, &folder.display().to_string());
        LocalModel::write_folder(folder, self.network.config(), &self.tokenizer.to_json()?, &weights)
    }
}
