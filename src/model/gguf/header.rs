//! The header of a GGUF file: values by key, and where each tensor lies.
//!
//! Nothing is allocated by a count or a size that the file claims: arrays stay where they
//! are in the file, and every length is held against the bytes that are left.

use super::super::weights::{Bytes, Kind, View};
use crate::model::ModelError;
use candle_core::quantized::GgmlDType;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// A file's values and tensors.
pub struct Header {
    bytes: Bytes,
    origin: String,
    values: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, Info>,
}

/// Shape, row-major, and place of a tensor; or the number of a block type that is not read.
pub struct Info {
    pub shape: Vec<usize>,
    pub view: Result<View, u32>,
}

#[derive(Clone, Debug)]
enum Value {
    Whole(i128),
    Real(f64),
    Bool(bool),
    Text(Range<usize>),
    Array { kind: u32, count: usize, range: Range<usize> },
}

/// Numbers of value types in the file.
const TEXT: u32 = 8;
const ARRAY: u32 = 9;

/// Arrays within arrays that are read; the keys that matter have none.
const DEPTH: usize = 4;

impl Header {
    /// Reads the header of the bytes of a file.
    ///
    /// # Errors
    /// Bytes that are no GGUF file of version 2 or 3, a length beyond the end of the file.
    pub fn read(bytes: &Bytes, origin: &str) -> Result<Self, ModelError> {
        let bad = |reason: String| ModelError::Gguf { origin: origin.to_owned(), reason };
        let mut at = Cursor { bytes, at: 0 };
        if at.take(4).ok() != Some(b"GGUF") {
            return Err(bad("is no GGUF file".into()));
        }
        Self::read_from(&mut at, bytes, origin).map_err(bad)
    }

    fn read_from(at: &mut Cursor<'_>, bytes: &Bytes, origin: &str) -> Result<Self, String> {
        let version = at.u32()?;
        if !(2..=3).contains(&version) {
            return Err(format!("is GGUF of version {version}; 2 and 3 are read"));
        }
        let (tensor_count, value_count) = (at.u64()?, at.u64()?);
        let mut values = BTreeMap::new();
        for number in 0..value_count {
            let key = at.text().map_err(|e| format!("key {number} of {value_count}: {e}"))?;
            let key = String::from_utf8_lossy(&bytes[key]).into_owned();
            let kind = at.u32()?;
            let value = at.value(kind, 0).map_err(|e| format!("{key:?}: {e}"))?;
            values.insert(key, value);
        }
        let mut found = Vec::new();
        for number in 0..tensor_count {
            let entry = at.tensor().map_err(|e| format!("tensor {number} of {tensor_count}: {e}"))?;
            found.push(entry);
        }
        let alignment = match values.get("general.alignment") {
            None => 32,
            Some(Value::Whole(n)) if (1..=1 << 20).contains(n) => *n as usize,
            Some(other) => return Err(format!("general.alignment is {other:?}")),
        };
        let data = at.at.next_multiple_of(alignment);
        let mut tensors = BTreeMap::new();
        for Entry { name, shape, kind, offset } in found {
            let name = String::from_utf8_lossy(&bytes[name]).into_owned();
            let view = match kind_of(kind) {
                None => Err(kind),
                Some(kind) => {
                    let elements = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
                    let size = elements.and_then(|n| kind.bytes(n)).ok_or_else(|| {
                        format!("tensor {name}: shape {shape:?} is no number of whole blocks")
                    })?;
                    let start = usize::try_from(offset).ok().and_then(|o| o.checked_add(data));
                    let range = start.and_then(|start| Some(start..start.checked_add(size)?));
                    let range = range.filter(|r| r.end <= bytes.len()).ok_or_else(|| {
                        format!(
                            "tensor {name} of shape {shape:?} needs {size} bytes from {offset} on, and the \
                             file has {} for tensors: it is cut short or wrong, fetch it again",
                            bytes.len().saturating_sub(data)
                        )
                    })?;
                    Ok(View::new(bytes, range, kind))
                }
            };
            tensors.insert(name, Info { shape, view });
        }
        Ok(Self { bytes: bytes.clone(), origin: origin.to_owned(), values, tensors })
    }

    /// What an error says of this file.
    pub fn bad(&self, reason: impl Into<String>) -> ModelError {
        ModelError::Gguf { origin: self.origin.clone(), reason: reason.into() }
    }

    /// A text.
    pub fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        match self.values.get(key)? {
            Value::Text(range) => Some(String::from_utf8_lossy(&self.bytes[range.clone()])),
            _ => None,
        }
    }

    /// A whole number that is no less than 0.
    pub fn count(&self, key: &str) -> Option<usize> {
        match self.values.get(key)? {
            Value::Whole(n) => usize::try_from(*n).ok(),
            _ => None,
        }
    }

    pub fn real(&self, key: &str) -> Option<f64> {
        match self.values.get(key)? {
            Value::Real(x) => Some(*x),
            Value::Whole(n) => Some(*n as f64),
            _ => None,
        }
    }

    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.values.get(key)? {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// Whether a key has an array.
    pub fn is_array(&self, key: &str) -> bool {
        matches!(self.values.get(key), Some(Value::Array { .. }))
    }

    /// The texts of an array.
    pub fn texts(&self, key: &str) -> Option<Vec<Cow<'_, str>>> {
        let (mut at, kind, count) = self.array(key)?;
        if kind != TEXT {
            return None;
        }
        (0..count).map(|_| at.text().ok().map(|r| String::from_utf8_lossy(&self.bytes[r]))).collect()
    }

    /// The numbers of an array.
    pub fn numbers(&self, key: &str) -> Option<Vec<f64>> {
        let (mut at, kind, count) = self.array(key)?;
        let number = |value| match value {
            Value::Whole(n) => Some(n as f64),
            Value::Real(x) => Some(x),
            _ => None,
        };
        (0..count).map(|_| at.value(kind, 0).ok().and_then(number)).collect()
    }

    fn array(&self, key: &str) -> Option<(Cursor<'_>, u32, usize)> {
        match self.values.get(key)? {
            Value::Array { kind, count, range } => {
                Some((Cursor { bytes: &self.bytes[..range.end], at: range.start }, *kind, *count))
            }
            _ => None,
        }
    }
}

/// How a tensor of a type's number is written; the block types that candle reads.
fn kind_of(number: u32) -> Option<Kind> {
    Some(match number {
        0 => Kind::F32,
        1 => Kind::F16,
        30 => Kind::Bf16,
        2 => Kind::Blocks(GgmlDType::Q4_0),
        3 => Kind::Blocks(GgmlDType::Q4_1),
        6 => Kind::Blocks(GgmlDType::Q5_0),
        7 => Kind::Blocks(GgmlDType::Q5_1),
        8 => Kind::Blocks(GgmlDType::Q8_0),
        9 => Kind::Blocks(GgmlDType::Q8_1),
        10 => Kind::Blocks(GgmlDType::Q2K),
        11 => Kind::Blocks(GgmlDType::Q3K),
        12 => Kind::Blocks(GgmlDType::Q4K),
        13 => Kind::Blocks(GgmlDType::Q5K),
        14 => Kind::Blocks(GgmlDType::Q6K),
        15 => Kind::Blocks(GgmlDType::Q8K),
        _ => return None,
    })
}

/// A tensor as the header describes it.
struct Entry {
    name: Range<usize>,
    shape: Vec<usize>,
    kind: u32,
    offset: u64,
}

/// Reads on from a place, never beyond the end.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let left = self.bytes.len() - self.at;
        if n > left {
            return Err(format!("{n} bytes are claimed where the file has {left} left"));
        }
        self.at += n;
        Ok(&self.bytes[self.at - n..self.at])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    fn length(&mut self) -> Result<usize, String> {
        let length = self.u64()?;
        usize::try_from(length).map_err(|_| format!("a length of {length}"))
    }

    fn text(&mut self) -> Result<Range<usize>, String> {
        let length = self.length()?;
        self.take(length)?;
        Ok(self.at - length..self.at)
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value, String> {
        Ok(match kind {
            0 => Value::Whole(i128::from(u8::from_le_bytes(self.array()?))),
            1 => Value::Whole(i128::from(i8::from_le_bytes(self.array()?))),
            2 => Value::Whole(i128::from(u16::from_le_bytes(self.array()?))),
            3 => Value::Whole(i128::from(i16::from_le_bytes(self.array()?))),
            4 => Value::Whole(i128::from(self.u32()?)),
            5 => Value::Whole(i128::from(i32::from_le_bytes(self.array()?))),
            6 => Value::Real(f64::from(f32::from_le_bytes(self.array()?))),
            7 => Value::Bool(self.array::<1>()? != [0]),
            TEXT => Value::Text(self.text()?),
            10 => Value::Whole(i128::from(self.u64()?)),
            11 => Value::Whole(i128::from(i64::from_le_bytes(self.array()?))),
            12 => Value::Real(f64::from_le_bytes(self.array()?)),
            ARRAY => {
                if depth >= DEPTH {
                    return Err(format!("arrays are nested deeper than {DEPTH}"));
                }
                let (kind, count) = (self.u32()?, self.length()?);
                let start = self.at;
                match width(kind) {
                    Some(width) => {
                        let size = count.checked_mul(width).ok_or(format!("an array of {count} values"))?;
                        self.take(size)?;
                    }
                    // Each of these takes at least eight bytes, so that the end comes soon.
                    None => {
                        for _ in 0..count {
                            self.value(kind, depth + 1)?;
                        }
                    }
                }
                Value::Array { kind, count, range: start..self.at }
            }
            other => return Err(format!("value type {other} is not known")),
        })
    }

    fn tensor(&mut self) -> Result<Entry, String> {
        let name = self.text()?;
        let dimensions = self.u32()?;
        if dimensions > 4 {
            return Err(format!("{dimensions} dimensions"));
        }
        let mut shape = (0..dimensions).map(|_| self.length()).collect::<Result<Vec<_>, _>>()?;
        // The file names the fastest first.
        shape.reverse();
        Ok(Entry { name, shape, kind: self.u32()?, offset: self.u64()? })
    }
}

/// Bytes of a value of a type of fixed size.
fn width(kind: u32) -> Option<usize> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(bytes: Vec<u8>) -> String {
        Header::read(&Bytes::owned(bytes), "x.gguf").map_or_else(|e| e.to_string(), |_| "read".into())
    }

    fn start(tensors: u64, values: u64) -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(values.to_le_bytes());
        bytes
    }

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    #[test]
    fn claims_that_overflow_are_refused_in_words() {
        assert_eq!(said(b"GGML".to_vec()), "x.gguf: is no GGUF file");
        assert!(said(b"GGUF\x01\0\0\0".to_vec()).contains("version 1; 2 and 3 are read"));
        for (tensors, values) in [(u64::MAX, 0), (0, u64::MAX), (u64::MAX, u64::MAX)] {
            assert!(said(start(tensors, values)).contains("bytes are claimed where the file has 0 left"));
        }
        let long = [start(0, 1), u64::MAX.to_le_bytes().to_vec()].concat();
        assert!(said(long).contains("18446744073709551615 bytes are claimed"));
        let array = |kind: u32, count: u64| {
            [start(0, 1), text("k"), ARRAY.to_le_bytes().to_vec(), kind.to_le_bytes().to_vec()]
                .into_iter()
                .chain([count.to_le_bytes().to_vec()])
                .collect::<Vec<_>>()
                .concat()
        };
        assert!(said(array(10, u64::MAX)).contains("\"k\": an array of 18446744073709551615 values"));
        assert!(said(array(TEXT, u64::MAX)).contains("bytes are claimed where the file has 0 left"));
        let mut nested = [start(0, 1), text("k"), ARRAY.to_le_bytes().to_vec()].concat();
        for _ in 0..100_000 {
            nested.extend(ARRAY.to_le_bytes());
            nested.extend(1u64.to_le_bytes());
        }
        assert!(said(nested).contains("nested deeper"));
        let tensor = |shape: [u64; 2], kind: u32, offset: u64| {
            [start(1, 0), text("w"), 2u32.to_le_bytes().to_vec()]
                .into_iter()
                .chain(shape.map(|n| n.to_le_bytes().to_vec()))
                .chain([kind.to_le_bytes().to_vec(), offset.to_le_bytes().to_vec(), vec![0; 64]])
                .collect::<Vec<_>>()
                .concat()
        };
        assert_eq!(said(tensor([2, 4], 0, 0)), "read");
        assert!(said(tensor([u64::MAX, 2], 0, 0)).contains("tensor w: shape"));
        assert!(said(tensor([1 << 40, 1 << 20], 0, 0)).contains("needs 4611686018427387904 bytes"));
        assert!(said(tensor([2, 4], 0, u64::MAX)).contains("cut short"));
        assert!(said(tensor([31, 1], 8, 0)).contains("no number of whole blocks"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            said([b"GGUF\x03\0\0\0".to_vec(), bytes].concat());
        }

        #[test]
        fn a_header_with_a_byte_changed_is_read_or_refused(at in 0usize..120, by in 1u8..) {
            let mut bytes = [
                start(1, 2), text("general.alignment"), 4u32.to_le_bytes().to_vec(), 32u32.to_le_bytes().to_vec(),
                text("a"), ARRAY.to_le_bytes().to_vec(), TEXT.to_le_bytes().to_vec(), 1u64.to_le_bytes().to_vec(),
                text("bc"), text("w"), 1u32.to_le_bytes().to_vec(), 4u64.to_le_bytes().to_vec(), vec![0; 80],
            ].concat();
            prop_assert_eq!(said(bytes.clone()), "read");
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= by;
            }
            said(bytes);
        }
    }
}
