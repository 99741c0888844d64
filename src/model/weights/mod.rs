//! Tensors by name: in memory, or in a file that is read where and when one is asked for.

mod blocks;
mod file;

pub use blocks::{Blocks, GROUP};
pub use file::Kind;
pub(super) use file::{Bytes, View};

use super::{Config, ModelError};
use candle_core::{DType, Device, Tensor};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;

/// A model's tensors, row-major.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    tensors: BTreeMap<String, Stored>,
    origin: String,
}

#[derive(Clone, Debug)]
struct Stored {
    shape: Vec<usize>,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Values(Vec<f32>),
    File(View),
    /// Elements of a type that holds no weights.
    Other(String),
    /// A matrix with a product of two low ones added.
    Adapted(Box<Data>, LowRank),
}

/// `scale` · up · down, what LoRA adds to a matrix (Hu et al. 2021, eq. 3).
#[derive(Clone, Debug)]
pub struct LowRank {
    /// Outputs × rank.
    pub up: Vec<f32>,
    /// Rank × inputs.
    pub down: Vec<f32>,
    pub rank: usize,
    pub scale: f32,
}

/// Sixteen bits an element, as a file has them.
pub struct Half {
    pub bits: Vec<u16>,
    /// Else f16.
    pub bfloat: bool,
}

impl Half {
    /// The value of an element.
    pub fn value(&self, at: usize) -> f32 {
        match self.bfloat {
            true => half::bf16::from_bits(self.bits[at]).to_f32(),
            false => half::f16::from_bits(self.bits[at]).to_f32(),
        }
    }
}

impl Weights {
    /// None yet; `origin` is what an error calls them.
    pub fn new(origin: &str) -> Self {
        Self { tensors: BTreeMap::new(), origin: origin.to_owned() }
    }

    /// Reads safetensors in f32, f16 or bf16 into memory.
    ///
    /// # Errors
    /// Bytes that are not safetensors, or cut short; an element type that holds no weights.
    pub fn from_safetensors(bytes: &[u8], origin: &str) -> Result<Self, ModelError> {
        let bytes = Bytes::owned(bytes.to_vec());
        let mut weights = Self::new(origin);
        for (name, shape, view) in file::safetensors(&bytes, origin)? {
            weights.put(&name, &shape, view.map_or_else(Data::Other, |v| Data::Values(v.values())));
        }
        Ok(weights)
    }

    /// The safetensors files at `paths`, mapped into memory: a tensor is read when it is
    /// asked for.
    ///
    /// # Errors
    /// As [`Weights::from_safetensors`], and a file that cannot be read.
    pub fn open(paths: &[&Path], origin: &str) -> Result<Self, ModelError> {
        let mut weights = Self::new(origin);
        for path in paths {
            let bytes = Bytes::map(path)?;
            for (name, shape, view) in file::safetensors(&bytes, &path.display().to_string())? {
                weights.insert_view(&name, &shape, view);
            }
        }
        Ok(weights)
    }

    /// Adds or replaces a tensor. `data` has as many elements as `shape` says.
    pub fn insert(&mut self, name: &str, shape: &[usize], data: Vec<f32>) {
        debug_assert_eq!(shape.iter().product::<usize>(), data.len());
        self.put(name, shape, Data::Values(data));
    }

    /// Adds a tensor of a file, or one of a type that holds no weights.
    pub(super) fn insert_view(&mut self, name: &str, shape: &[usize], view: Result<View, String>) {
        self.put(name, shape, view.map_or_else(Data::Other, Data::File));
    }

    fn put(&mut self, name: &str, shape: &[usize], data: Data) {
        self.tensors.insert(name.to_owned(), Stored { shape: shape.to_vec(), data });
    }

    /// Cuts what Phi-3's files fuse into what the configuration names.
    ///
    /// # Errors
    /// A fused matrix of another shape than the configuration needs.
    pub(super) fn unfuse(&mut self, config: &Config) -> Result<(), ModelError> {
        let [q, kv] = [config.heads, config.kv_heads].map(|n| n * config.head_dim);
        for layer in 0..config.layers {
            let name = |name: &str| format!("model.layers.{layer}.{name}.weight");
            let of = |parts: &[(&str, usize)]| -> Vec<(String, usize)> {
                parts.iter().map(|(part, rows)| (name(part), *rows)).collect()
            };
            let attention = [("self_attn.q_proj", q), ("self_attn.k_proj", kv), ("self_attn.v_proj", kv)];
            self.split(&name("self_attn.qkv_proj"), &of(&attention))?;
            let ff = config.intermediate_size;
            self.split(&name("mlp.gate_up_proj"), &of(&[("mlp.gate_proj", ff), ("mlp.up_proj", ff)]))?;
        }
        Ok(())
    }

    /// Cuts a matrix, if it is there, into others of so many rows each.
    ///
    /// # Errors
    /// A matrix of another number of rows.
    pub(super) fn split(&mut self, name: &str, into: &[(String, usize)]) -> Result<(), ModelError> {
        let rows: usize = into.iter().map(|(_, rows)| rows).sum();
        let Some(Stored { shape, data }) = self.tensors.remove(name) else { return Ok(()) };
        let columns = match shape[..] {
            [found, columns] if found == rows => columns,
            _ => return Err(self.misfit(name, &format!("{shape:?}"), &format!("[{rows}, …]"))),
        };
        let mut start = 0;
        for (name, rows) in into {
            let part = data.rows(start..start + rows, columns);
            self.put(name, &[*rows, columns], part);
            start += rows;
        }
        Ok(())
    }

    /// Adds a product of low rank to a matrix that is there.
    ///
    /// # Errors
    /// No such matrix, or one that the product does not fit.
    pub(super) fn adapt(&mut self, name: &str, product: LowRank) -> Result<(), ModelError> {
        let shape = [product.up.len() / product.rank.max(1), product.down.len() / product.rank.max(1)];
        match self.tensors.get_mut(name) {
            Some(stored) if stored.shape == shape => {
                let base = std::mem::replace(&mut stored.data, Data::Values(Vec::new()));
                stored.data = Data::Adapted(Box::new(base), product);
                Ok(())
            }
            other => {
                let found = other.map_or("nothing".to_owned(), |s| format!("{:?}", s.shape));
                Err(self.misfit(name, &found, &format!("{shape:?} of the adapter")))
            }
        }
    }

    /// The elements of a tensor that must have this shape.
    ///
    /// # Errors
    /// No such tensor, or one of another shape: the message gives both shapes.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Cow<'_, [f32]>, ModelError> {
        self.check(name, shape).map(Data::values)
    }

    /// The elements of a tensor in the 16 bits that its file has; `None` where it has others.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn get_half(&self, name: &str, shape: &[usize]) -> Result<Option<Half>, ModelError> {
        Ok(match self.check(name, shape)? {
            Data::File(view) => view.half(),
            _ => None,
        })
    }

    /// The blocks of a quantised matrix; `None` where its file has others than are taken
    /// apart, or none.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn get_blocks(&self, name: &str, shape: &[usize]) -> Result<Option<Blocks>, ModelError> {
        Ok(match (self.check(name, shape)?, shape) {
            (Data::File(view), [_, columns]) if columns.is_multiple_of(GROUP) => view.blocks(*columns),
            _ => None,
        })
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Sees that every tensor of a list is there.
    ///
    /// # Errors
    /// The first that is missing or of another shape.
    pub fn check_all(&self, needed: &[(String, Vec<usize>)]) -> Result<(), ModelError> {
        needed.iter().try_for_each(|(name, shape)| self.check(name, shape).map(|_| ()))
    }

    /// How most elements are written: `f32`, `bf16`, `q4_1`.
    pub fn dtype(&self) -> String {
        let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
        for stored in self.tensors.values() {
            *sizes.entry(stored.data.kind()).or_default() += stored.shape.iter().product::<usize>();
        }
        sizes.into_iter().max_by_key(|(_, size)| *size).map_or_else(String::new, |(kind, _)| kind)
    }

    /// Bits of an element of a tensor once a model holds it, where it may be held as its
    /// file has it.
    pub fn held_bits(&self, name: &str) -> usize {
        match self.tensors.get(name).map(|s| &s.data) {
            Some(Data::File(view)) if view.is_half() => 16,
            // A byte, and a scale and an offset for each group.
            Some(Data::File(view)) if view.has_blocks() => 8 + 64 / GROUP,
            _ => 32,
        }
    }

    fn check(&self, name: &str, shape: &[usize]) -> Result<&Data, ModelError> {
        match self.tensors.get(name) {
            Some(Stored { data: Data::Other(kind), .. }) => {
                Err(self.misfit(name, &format!("elements of type {kind}"), "F32, F16 or BF16"))
            }
            Some(stored) if stored.shape == shape => Ok(&stored.data),
            other => {
                let found = other.map_or("nothing".to_owned(), |s| format!("{:?}", s.shape));
                Err(self.misfit(name, &found, &format!("{shape:?}")))
            }
        }
    }

    fn misfit(&self, name: &str, found: &str, needed: &str) -> ModelError {
        let (origin, name) = (self.origin.clone(), name.to_owned());
        ModelError::Tensor { origin, name, found: found.to_owned(), needed: needed.to_owned() }
    }

    /// The tensors by name, with their shapes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize], Cow<'_, [f32]>)> {
        self.tensors.iter().map(|(name, s)| (name.as_str(), s.shape.as_slice(), s.data.values()))
    }

    /// Names of the tensors, with their shapes.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, s)| (name.as_str(), s.shape.as_slice()))
    }

    /// As safetensors, in f16 or f32; the same weights give the same bytes.
    ///
    /// # Errors
    /// None that well-formed weights give.
    pub fn to_safetensors(&self, f16: bool) -> Result<Vec<u8>, ModelError> {
        let dtype = if f16 { DType::F16 } else { DType::F32 };
        let mut tensors = HashMap::new();
        for (name, shape, data) in self.iter() {
            tensors.insert(name.to_owned(), Tensor::from_slice(&data, shape, &Device::Cpu)?.to_dtype(dtype)?);
        }
        safetensors::serialize(&tensors, None)
            .map_err(|e| ModelError::Weights { origin: self.origin.clone(), reason: e.to_string() })
    }
}

impl Data {
    /// How its elements are written.
    fn kind(&self) -> String {
        match self {
            Data::Values(_) => "f32".to_owned(),
            Data::File(view) => view.kind().to_string(),
            Data::Other(kind) => kind.to_lowercase(),
            Data::Adapted(base, _) => base.kind(),
        }
    }

    fn values(&self) -> Cow<'_, [f32]> {
        match self {
            Data::Values(values) => Cow::Borrowed(values),
            Data::File(view) => Cow::Owned(view.values()),
            Data::Other(_) => Cow::Borrowed(&[]),
            Data::Adapted(base, LowRank { up, down, rank, scale }) => {
                let mut values = base.values().into_owned();
                let inputs = down.len() / rank;
                for (row, up) in values.chunks_exact_mut(inputs).zip(up.chunks_exact(*rank)) {
                    for (up, down) in up.iter().zip(down.chunks_exact(inputs)) {
                        row.iter_mut().zip(down).for_each(|(w, down)| *w += scale * up * down);
                    }
                }
                Cow::Owned(values)
            }
        }
    }

    /// Some rows of a matrix of so many columns.
    fn rows(&self, rows: Range<usize>, columns: usize) -> Data {
        match self {
            Data::File(view) => Data::File(view.rows(rows, columns)),
            other => Data::Values(other.values()[rows.start * columns..rows.end * columns].to_vec()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random::Stream;

    /// Random weights of a configuration, of a size that keeps activations near 1.
    pub(crate) fn random(config: &Config, seed: u64) -> Weights {
        let mut weights = Weights::new("random");
        for (name, shape) in config.tensors() {
            let mut stream = Stream::new(seed).with(&name);
            let bias = name.ends_with("bias");
            let norm = shape.len() == 1 && !bias;
            let scale = if shape.len() == 1 { 0.1 } else { 1.0 / (shape[1] as f64).sqrt() };
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
        assert!(read.iter().eq(weights.iter()));
        let half = Weights::from_safetensors(&weights.to_safetensors(true).unwrap(), "random").unwrap();
        for ((name, _, a), (_, _, b)) in weights.iter().zip(half.iter()) {
            assert!(a.iter().zip(&*b).all(|(a, b)| (a - b).abs() <= 1e-3 * a.abs().max(1e-4)), "{name}");
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

    #[test]
    fn a_mapped_file_gives_what_a_read_one_gives_and_says_what_is_cut() {
        let weights = random(&crate::model::config::tests::tiny(), 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        let bytes = weights.to_safetensors(true).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let mapped = Weights::open(&[&path], "m").unwrap();
        assert!(mapped.iter().eq(Weights::from_safetensors(&bytes, "m").unwrap().iter()));
        assert_eq!(mapped.held_bits("model.norm.weight"), 16);
        std::fs::write(&path, &bytes[..bytes.len() - 1000]).unwrap();
        let error = Weights::open(&[&path], "m").unwrap_err().to_string();
        assert!(error.contains("tensor model.") && error.contains("is cut short"), "{error}");
    }

    #[test]
    fn a_fused_matrix_is_cut_and_an_adapter_added() {
        let mut weights = Weights::new("w");
        weights.insert("ab", &[3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        weights.split("ab", &[("a".into(), 1), ("b".into(), 2)]).unwrap();
        weights.split("absent", &[("c".into(), 1)]).unwrap();
        let product = || LowRank { up: vec![1.0, 0.0], down: vec![10.0, 20.0], rank: 1, scale: 0.5 };
        weights.adapt("b", product()).unwrap();
        assert_eq!(*weights.get("a", &[1, 2]).unwrap(), [1.0, 2.0]);
        assert_eq!(*weights.get("b", &[2, 2]).unwrap(), [8.0, 14.0, 5.0, 6.0]);
        let error = weights.adapt("a", product()).unwrap_err().to_string();
        assert!(error.contains("found [1, 2]") && error.contains("[2, 2] of the adapter"), "{error}");
        assert!(weights.split("b", &[("c".into(), 5)]).unwrap_err().to_string().contains("[5, …]"));
    }
}
