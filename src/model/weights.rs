//! Tensors by name, as f32 in memory and as safetensors on disk.

use super::ModelError;
use candle_core::{DType, Device, Tensor};
use std::collections::{BTreeMap, HashMap};

/// A model's tensors, row-major f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    origin: String,
}

impl Weights {
    /// None yet; `origin` is what an error calls them.
    pub fn new(origin: &str) -> Self {
        Self { tensors: BTreeMap::new(), origin: origin.to_owned() }
    }

    /// Reads safetensors in f32, f16 or bf16.
    ///
    /// # Errors
    /// Bytes that are not safetensors, or cut short; an element type that holds no weights.
    pub fn from_safetensors(bytes: &[u8], origin: &str) -> Result<Self, ModelError> {
        let bad = |reason: String| ModelError::Weights { origin: origin.to_owned(), reason };
        let file = safetensors::SafeTensors::deserialize(bytes).map_err(|e| bad(e.to_string()))?;
        let mut weights = Self::new(origin);
        for (name, view) in file.iter() {
            let data = read_f32(view.dtype(), view.data()).ok_or_else(|| {
                bad(format!("tensor {name}: element type {:?} is not supported", view.dtype()))
            })?;
            weights.insert(name, view.shape(), data);
        }
        Ok(weights)
    }

    /// Adds or replaces a tensor. `data` has as many elements as `shape` says.
    pub fn insert(&mut self, name: &str, shape: &[usize], data: Vec<f32>) {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        self.tensors.insert(name.to_owned(), (shape.to_vec(), data));
    }

    /// The elements of a tensor that must have this shape.
    ///
    /// # Errors
    /// No such tensor, or one of another shape: the message gives both shapes.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], ModelError> {
        match self.tensors.get(name) {
            Some((found, data)) if found == shape => Ok(data),
            other => Err(ModelError::Tensor {
                origin: self.origin.clone(),
                name: name.to_owned(),
                found: other.map_or("nothing".to_owned(), |(found, _)| format!("{found:?}")),
                needed: format!("{shape:?}"),
            }),
        }
    }

    /// The tensors by name, with their shapes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.tensors.iter().map(|(name, (shape, data))| (name.as_str(), shape.as_slice(), data.as_slice()))
    }

    /// As safetensors, in f16 or f32; the same weights give the same bytes.
    ///
    /// # Errors
    /// None that well-formed weights give.
    pub fn to_safetensors(&self, f16: bool) -> Result<Vec<u8>, ModelError> {
        let dtype = if f16 { DType::F16 } else { DType::F32 };
        let mut tensors = HashMap::new();
        for (name, shape, data) in self.iter() {
            tensors.insert(name.to_owned(), Tensor::from_slice(data, shape, &Device::Cpu)?.to_dtype(dtype)?);
        }
        safetensors::serialize(&tensors, None)
            .map_err(|e| ModelError::Weights { origin: self.origin.clone(), reason: e.to_string() })
    }
}

fn read_f32(dtype: safetensors::Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    use safetensors::Dtype;
    let two = |read: fn([u8; 2]) -> f32| bytes.as_chunks::<2>().0.iter().map(|b| read(*b)).collect();
    Some(match dtype {
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => two(|b| half::f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => two(|b| half::bf16::from_le_bytes(b).to_f32()),
        _ => return None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::Config;
    use crate::random::Stream;

    /// Random weights of a configuration, of a size that keeps activations near 1.
    pub(crate) fn random(config: &Config, seed: u64) -> Weights {
        let mut weights = Weights::new("random");
        for (name, shape) in config.tensors() {
            let mut stream = Stream::new(seed).with(&name);
            let norm = shape.len() == 1;
            let scale = if norm { 0.1 } else { 1.0 / (shape[1] as f64).sqrt() };
            let data = (0..shape.iter().product())
                .map(|_| (f64::from(u8::from(norm)) + scale * stream.normal()) as f32)
                .collect();
            weights.insert(&name, &shape, data);
        }
        weights
    }

    #[test]
    fn weights_survive_their_file() {
        let weights = random(&crate::model::config::tests::tiny(), 1);
        let read = Weights::from_safetensors(&weights.to_safetensors(false).unwrap(), "random").unwrap();
        assert_eq!(read, weights);
        let half = Weights::from_safetensors(&weights.to_safetensors(true).unwrap(), "random").unwrap();
        for ((name, _, a), (_, _, b)) in weights.iter().zip(half.iter()) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-3 * a.abs().max(1e-4)), "{name}");
        }
    }

    #[test]
    fn a_bad_file_is_refused_in_words() {
        let weights = random(&crate::model::config::tests::tiny(), 1);
        let bytes = weights.to_safetensors(true).unwrap();
        for cut in [0, 7, 100, bytes.len() - 1] {
            assert!(Weights::from_safetensors(&bytes[..cut], "model.safetensors").is_err());
        }
        let error = weights.get("model.norm.weight", &[25]).unwrap_err().to_string();
        assert_eq!(error, "random: tensor model.norm.weight: found [24], the configuration needs [25]");
        assert!(weights.get("lm_head.weight", &[1]).unwrap_err().to_string().contains("found nothing"));
    }
}
