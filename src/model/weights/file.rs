//! Where a tensor lies in a file, and how its elements are written there.

use super::blocks::{Blocks, GROUP};
use crate::model::ModelError;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Result};
use memmap2::Mmap;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// The bytes of a file.
#[derive(Clone, Debug)]
pub struct Bytes(Arc<Source>);

#[derive(Debug)]
enum Source {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Bytes {
    pub fn owned(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Source::Owned(bytes)))
    }

    /// Maps a file into memory.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn map(path: &Path) -> std::result::Result<Self, ModelError> {
        let failed = |source| ModelError::Read { path: path.to_owned(), reason: source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() == 0 {
            return Ok(Self::owned(Vec::new()));
        }
        // SAFETY: the map is read only. Whoever shortens the file while it is being read
        // ends the program, as with any mapped file; it is read once, at the start.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Self(Arc::new(Source::Mapped(map))))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Source::Mapped(map) => map,
            Source::Owned(bytes) => bytes,
        }
    }
}

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    F32,
    F16,
    Bf16,
    /// Blocks of quantised values, as GGUF files have them.
    Blocks(GgmlDType),
}

impl Kind {
    /// Bytes of so many elements; `None` where they are no whole blocks, or too many.
    pub fn bytes(self, elements: usize) -> Option<usize> {
        match self {
            Kind::F32 => elements.checked_mul(4),
            Kind::F16 | Kind::Bf16 => elements.checked_mul(2),
            Kind::Blocks(kind) if elements.is_multiple_of(kind.block_size()) => {
                (elements / kind.block_size()).checked_mul(kind.type_size())
            }
            Kind::Blocks(_) => None,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::F32 => f.write_str("f32"),
            Kind::F16 => f.write_str("f16"),
            Kind::Bf16 => f.write_str("bf16"),
            Kind::Blocks(kind) => f.write_str(&format!("{kind:?}").to_lowercase()),
        }
    }
}

/// A tensor in a file: whole, or some rows of it.
#[derive(Clone, Debug)]
pub struct View {
    bytes: Bytes,
    range: Range<usize>,
    kind: Kind,
    /// The rows lie as llama.cpp turns them, pairs side by side: so many heads of rows of so
    /// many columns.
    paired: Option<(usize, usize)>,
}

impl View {
    /// `range` is within the bytes and holds whole elements.
    pub fn new(bytes: &Bytes, range: Range<usize>, kind: Kind) -> Self {
        Self { bytes: bytes.clone(), range, kind, paired: None }
    }

    /// How its elements are written.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same, with the rows of each of `heads` to be put in Hugging Face's order. The
    /// heads and columns divide the elements, with an even number of rows a head.
    pub fn paired(self, heads: usize, columns: usize) -> Self {
        Self { paired: Some((heads, columns)), ..self }
    }

    /// Some rows of a matrix of `columns`.
    pub fn rows(&self, rows: Range<usize>, columns: usize) -> Self {
        let row = self.kind.bytes(columns).unwrap_or(0);
        let start = self.range.start + rows.start * row;
        Self { range: start..start + rows.len() * row, ..self.clone() }
    }

    pub fn is_half(&self) -> bool {
        matches!(self.kind, Kind::F16 | Kind::Bf16)
    }

    /// Whether it consists of blocks that are taken apart.
    pub fn has_blocks(&self) -> bool {
        matches!(self.kind, Kind::Blocks(kind) if Blocks::knows(kind))
    }

    /// The elements' blocks, where they are of a kind that is taken apart; `columns` are
    /// those of the matrix.
    pub fn blocks(&self, columns: usize) -> Option<Blocks> {
        let Kind::Blocks(kind) = self.kind else { return None };
        let blocks = Blocks::read(&self.bytes[self.range.clone()], kind)?;
        Some(match self.paired {
            Some((heads, _)) => Blocks {
                codes: unpaired(&blocks.codes, heads, columns),
                groups: unpaired(&blocks.groups, heads, columns / GROUP),
            },
            None => blocks,
        })
    }

    /// The elements, in order.
    pub fn values(&self) -> Vec<f32> {
        let bytes = &self.bytes[self.range.clone()];
        let two = |read: fn([u8; 2]) -> f32| bytes.as_chunks::<2>().0.iter().map(|b| read(*b)).collect();
        let values: Vec<f32> = match self.kind {
            Kind::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Kind::F16 => two(|b| half::f16::from_le_bytes(b).to_f32()),
            Kind::Bf16 => two(|b| half::bf16::from_le_bytes(b).to_f32()),
            Kind::Blocks(kind) => dequantised(bytes, kind).expect("whole blocks on the CPU"),
        };
        match self.paired {
            Some((heads, columns)) => unpaired(&values, heads, columns),
            None => values,
        }
    }

    /// The elements' 16 bits, where they have so many.
    pub fn half(&self) -> Option<super::Half> {
        if !self.is_half() {
            return None;
        }
        let (pairs, _) = self.bytes[self.range.clone()].as_chunks::<2>();
        let bits: Vec<u16> = pairs.iter().map(|b| u16::from_le_bytes(*b)).collect();
        let bits = match self.paired {
            Some((heads, columns)) => unpaired(&bits, heads, columns),
            None => bits,
        };
        Some(super::Half { bits, bfloat: self.kind == Kind::Bf16 })
    }
}

fn dequantised(bytes: &[u8], kind: GgmlDType) -> Result<Vec<f32>> {
    let elements = bytes.len() / kind.type_size() * kind.block_size();
    // candle reads blocks where they lie, and needs them to begin on an even address.
    let aligned = (bytes.as_ptr() as usize).is_multiple_of(8);
    let data = if aligned { Cow::Borrowed(bytes) } else { Cow::Owned(bytes.to_vec()) };
    let storage = QStorage::from_data(data, &Device::Cpu, kind)?;
    QTensor::new(storage, elements)?.dequantize(&Device::Cpu)?.to_vec1()
}

/// Row 2i + j of each head to row j · half + i.
fn unpaired<T: Copy>(values: &[T], heads: usize, columns: usize) -> Vec<T> {
    let rows = values.len() / heads / columns;
    let mut out = Vec::with_capacity(values.len());
    for head in values.chunks_exact(rows * columns) {
        for row in (0..rows).step_by(2).chain((1..rows).step_by(2)) {
            out.extend_from_slice(&head[row * columns..][..columns]);
        }
    }
    out
}

/// A tensor's name, its shape, and where it lies; or its element type, if that holds no
/// weights.
type Entry = (String, Vec<usize>, std::result::Result<View, String>);

/// The tensors of safetensors.
///
/// # Errors
/// Bytes that are not safetensors; a tensor that is cut short, or whose bytes are not those
/// of its shape.
pub fn safetensors(bytes: &Bytes, origin: &str) -> std::result::Result<Vec<Entry>, ModelError> {
    #[derive(Deserialize)]
    struct Fields {
        dtype: String,
        shape: Vec<usize>,
        data_offsets: (usize, usize),
    }
    let bad = |reason: String| ModelError::Weights { origin: origin.to_owned(), reason };
    let no_header = || bad("is no safetensors file, or its header is cut short: fetch it again".into());
    let length = bytes.first_chunk::<8>().map(|n| u64::from_le_bytes(*n)).ok_or_else(no_header)?;
    let data = usize::try_from(length).ok().and_then(|n| n.checked_add(8)).ok_or_else(no_header)?;
    let header = bytes.get(8..data).ok_or_else(no_header)?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|e| bad(format!("the header is wrong: {e}")))?;
    let mut tensors = Vec::new();
    for (name, value) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let entry: Fields = serde_json::from_value(value).map_err(|e| bad(format!("tensor {name}: {e}")))?;
        let kind = match entry.dtype.as_str() {
            "F32" => Kind::F32,
            "F16" => Kind::F16,
            "BF16" => Kind::Bf16,
            _ => {
                tensors.push((name, entry.shape, Err(entry.dtype)));
                continue;
            }
        };
        let elements = entry.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let needed = elements.and_then(|n| kind.bytes(n));
        let (start, end) = entry.data_offsets;
        if end.checked_sub(start).is_none_or(|found| Some(found) != needed) {
            return Err(bad(format!(
                "tensor {name}: its bytes {start} to {end} are not those of {} of shape {:?}",
                entry.dtype, entry.shape
            )));
        }
        let held = bytes.len() - data;
        if end > held {
            return Err(bad(format!(
                "tensor {name} of shape {:?} needs bytes {start} to {end} and the file has {held}: \
                 it is cut short, fetch it again",
                entry.shape
            )));
        }
        let view = View::new(bytes, data + start..data + end, kind);
        tensors.push((name, entry.shape, Ok(view)));
    }
    Ok(tensors)
}
