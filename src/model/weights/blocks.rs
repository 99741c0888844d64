//! GGUF's blocks of quantised values, as whole numbers with a scale and an offset.

use candle_core::quantized::GgmlDType;
use half::f16;

/// Elements that share a scale and an offset at least.
pub const GROUP: usize = 16;

/// Quantised values: element i is `codes[i]` · scale + offset of its group of 16, rounded
/// after either step, which is what the blocks stand for, to the bit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blocks {
    pub codes: Vec<i8>,
    /// (scale, offset), a pair a group.
    pub groups: Vec<(f32, f32)>,
}

impl Blocks {
    /// Reads whole blocks; `None` for kinds that are not taken apart.
    pub fn read(bytes: &[u8], kind: GgmlDType) -> Option<Self> {
        let block: fn(&[u8], &mut Blocks) = match kind {
            GgmlDType::Q4_0 => |b, out| out.simple(b, 2, None, 8),
            GgmlDType::Q4_1 => |b, out| out.simple(b, 4, None, 0),
            GgmlDType::Q5_0 => |b, out| out.simple(b, 2, Some(2), 16),
            GgmlDType::Q5_1 => |b, out| out.simple(b, 4, Some(4), 0),
            GgmlDType::Q8_0 => |b, out| {
                out.codes.extend(b[2..34].iter().map(|code| *code as i8));
                out.groups.extend([(half(b, 0), 0.0); 2]);
            },
            GgmlDType::Q4K => |b, out| out.super_block(b, None, 16),
            GgmlDType::Q5K => |b, out| out.super_block(b, Some(16), 48),
            GgmlDType::Q6K => |b, out| out.six_bits(b),
            _ => return None,
        };
        let mut out = Self::default();
        let elements = bytes.len() / kind.type_size() * kind.block_size();
        out.codes.reserve_exact(elements);
        out.groups.reserve_exact(elements / GROUP);
        bytes.chunks_exact(kind.type_size()).for_each(|b| block(b, &mut out));
        Some(out)
    }

    /// Whether blocks of this kind are taken apart.
    pub fn knows(kind: GgmlDType) -> bool {
        Self::read(&[], kind).is_some()
    }

    /// The value of an element.
    pub fn value(&self, at: usize) -> f32 {
        let (scale, offset) = self.groups[at / GROUP];
        f32::from(self.codes[at]) * scale + offset
    }

    /// 32 elements: a scale, in blocks with a header of 4 bytes an offset, in some the fifth
    /// bits from `high` on, then two elements a byte, 16 apart.
    fn simple(&mut self, b: &[u8], header: usize, high: Option<usize>, middle: i8) {
        let offset = if header == 4 { half(b, 2) } else { 0.0 };
        let fifths = high.map_or(0, |at| u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]));
        let pairs = &b[header + if high.is_some() { 4 } else { 0 }..][..16];
        let code = |i: usize| {
            let four = if i < 16 { pairs[i] & 15 } else { pairs[i - 16] >> 4 };
            (four | (((fifths >> i) & 1) << 4) as u8) as i8 - middle
        };
        self.codes.extend((0..32).map(code));
        self.groups.extend([(half(b, 0), offset); 2]);
    }

    /// 256 elements in eights of 32, each with a scale and a minimum of six bits; in some the
    /// fifth bits from `high` on; two elements a byte from `low` on, 32 apart.
    fn super_block(&mut self, b: &[u8], high: Option<usize>, low: usize) {
        let (scale, minimum, packed) = (half(b, 0), half(b, 2), &b[4..16]);
        for part in 0..8 {
            let [s, m] = match part {
                0..4 => [packed[part] & 63, packed[part + 4] & 63],
                _ => [
                    packed[part + 4] & 15 | packed[part - 4] >> 6 << 4,
                    packed[part + 4] >> 4 | packed[part] >> 6 << 4,
                ],
            };
            for i in 0..32 {
                let pair = b[low + part / 2 * 32 + i];
                let four = if part % 2 == 0 { pair & 15 } else { pair >> 4 };
                let fifth = high.map_or(0, |at| b[at + i] >> part & 1);
                self.codes.push((four | fifth << 4) as i8);
            }
            self.groups.extend([(scale * f32::from(s), -(minimum * f32::from(m))); 2]);
        }
    }

    /// 256 elements of six bits in sixteens, each with a scale: the lower four, the upper
    /// two, the scales, and their scale.
    fn six_bits(&mut self, b: &[u8]) {
        let scale = half(b, 208);
        for i in 0..256 {
            let (part, quarter, place) = (i / 128, i % 128 / 32, i % 32);
            let low = b[64 * part + quarter % 2 * 32 + place] >> (quarter / 2 * 4) & 15;
            let high = b[128 + 32 * part + place] >> (2 * quarter) & 3;
            self.codes.push((low | high << 4) as i8 - 32);
        }
        self.groups.extend(b[192..208].iter().map(|s| (scale * f32::from(*s as i8), 0.0)));
    }
}

/// The f16 at a place.
fn half(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use candle_core::quantized::QTensor;
    use candle_core::{Device, Tensor};

    #[test]
    fn values_are_those_of_candle_to_the_bit() {
        use GgmlDType::*;
        let mut stream = Stream::new(8);
        for kind in [Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4K, Q5K, Q6K] {
            let values: Vec<f32> = (0..2048).map(|_| stream.normal() as f32 + 0.3).collect();
            let tensor = Tensor::from_vec(values, 2048, &Device::Cpu).unwrap();
            let quantised = QTensor::quantize(&tensor, kind).unwrap();
            let exact: Vec<f32> = quantised.dequantize(&Device::Cpu).unwrap().to_vec1().unwrap();
            let blocks = Blocks::read(&quantised.data().unwrap(), kind).unwrap();
            assert_eq!((blocks.codes.len(), blocks.groups.len()), (2048, 128), "{kind:?}");
            assert!((0..2048).all(|i| blocks.value(i) == exact[i]), "{kind:?}");
            assert!(blocks.codes.iter().any(|c| *c != blocks.codes[0]));
        }
        assert_eq!(Blocks::read(&[0; 84], Q2K), None);
    }
}
