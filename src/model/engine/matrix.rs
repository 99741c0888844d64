//! A weight matrix: full numbers, or what a file has in their place, widened in small parts
//! as they are multiplied.

use super::product::{Ahead, PANEL, Panels, Rows, RowsMut, product};
use super::simd::{LANES, Level, kernel};
use crate::model::weights::{Blocks, GROUP, Half};

/// Values that are widened at once: they stay in the first-level cache.
const PART: usize = 1 << 13;

/// A weight matrix, packed once into [`Panels`].
pub struct Matrix {
    data: Values,
    inputs: usize,
    columns: usize,
}

/// A matrix's values in the order of [`Panels`].
enum Values {
    Full(Vec<f32>),
    /// As the file has them: exact, and half the memory.
    Half(Half),
    /// As the file has them but for a byte each, and 64 numbers for each sixteen inputs of a
    /// panel: the scales of its columns, then their offsets.
    Blocks {
        codes: Vec<i8>,
        scales: Vec<f32>,
    },
}

/// What products need besides their operands.
#[derive(Default)]
pub struct Scratch {
    pub ahead: Ahead,
    /// Values that were widened.
    part: Vec<f32>,
}

impl Scratch {
    /// With room for `regions` to be fetched ahead.
    pub fn new(regions: usize) -> Self {
        Self { ahead: Ahead::new(regions), part: Vec::new() }
    }
}

impl Matrix {
    /// Packs the matrix of `value(input, column)`; columns are padded with 0 to whole panels.
    pub fn pack(inputs: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let data = Values::Full(packed(inputs, columns, value));
        Self { data, inputs, columns: columns.next_multiple_of(PANEL) }
    }

    /// As [`Matrix::pack`], with the bits of 16-bit values: bf16 where `bfloat`, else f16.
    pub fn pack_half(
        inputs: usize,
        columns: usize,
        bfloat: bool,
        bits: impl Fn(usize, usize) -> u16,
    ) -> Self {
        let data = Values::Half(Half { bits: packed(inputs, columns, bits), bfloat });
        Self { data, inputs, columns: columns.next_multiple_of(PANEL) }
    }

    /// As [`Matrix::pack`], of quantised tensors: `place` is a value's tensor and where it
    /// stands there, nowhere is 0. `None` where sixteen inputs of a column are not a group of
    /// a tensor.
    pub fn pack_blocks(
        inputs: usize,
        columns: usize,
        parts: &[Blocks],
        place: impl Fn(usize, usize) -> Option<(usize, usize)>,
    ) -> Option<Self> {
        let together = |group: usize, n: usize| {
            let (first, last) = (place(group * GROUP, n), place((group + 1) * GROUP - 1, n));
            match (first, last) {
                (None, None) => true,
                (Some((tensor, at)), Some(last)) => {
                    at.is_multiple_of(GROUP) && last == (tensor, at + GROUP - 1)
                }
                _ => false,
            }
        };
        let groups = inputs / GROUP;
        let whole =
            inputs.is_multiple_of(GROUP) && (0..columns).all(|n| (0..groups).all(|group| together(group, n)));
        if !whole {
            return None;
        }
        let codes = packed(inputs, columns, |k, n| place(k, n).map_or(0, |(t, at)| parts[t].codes[at]));
        let mut scales = vec![0.0; groups * 2 * columns.next_multiple_of(PANEL)];
        for (i, both) in scales.chunks_exact_mut(2 * PANEL).enumerate() {
            let (panel, group) = (i / groups, i % groups);
            for column in 0..PANEL.min(columns.saturating_sub(panel * PANEL)) {
                if let Some((tensor, at)) = place(group * GROUP, panel * PANEL + column) {
                    (both[column], both[PANEL + column]) = parts[tensor].groups[at / GROUP];
                }
            }
        }
        let data = Values::Blocks { codes, scales };
        Some(Self { data, inputs, columns: columns.next_multiple_of(PANEL) })
    }

    /// out = a · self for `rows` rows, or out += a · self where `add`.
    pub fn multiply(
        &self,
        level: Level,
        rows: usize,
        a: Rows<'_>,
        out: RowsMut<'_>,
        add: bool,
        scratch: &mut Scratch,
    ) {
        let (inputs, columns) = (self.inputs, self.columns);
        if let Values::Full(data) = &self.data {
            let panels = Panels { data, inputs, columns, stride: inputs * PANEL };
            return product(level, rows, a, panels, out, add, &mut scratch.ahead);
        }
        // As many panels as a product of so few rows takes at once.
        let together = match rows {
            0..=2 => 4,
            3..=4 => 2,
            _ => 1,
        };
        let depth = PART / PANEL / together;
        scratch.part.resize(PART, 0.0);
        for panel in (0..columns / PANEL).step_by(together) {
            let together = together.min(columns / PANEL - panel);
            // Cutting the inputs leaves each sum the chain that it is.
            for first in (0..inputs).step_by(depth) {
                let depth = depth.min(inputs - first);
                let stride = depth * PANEL;
                for (i, part) in scratch.part.chunks_exact_mut(stride).take(together).enumerate() {
                    self.widen(level, panel + i, first, part);
                }
                let data = &scratch.part[..together * stride];
                let panels = Panels { data, inputs: depth, columns: together * PANEL, stride };
                let a = Rows { data: &a.data[first..], stride: a.stride };
                let out = RowsMut { data: &mut out.data[panel * PANEL..], stride: out.stride };
                product(level, rows, a, panels, out, add || first > 0, &mut scratch.ahead);
            }
        }
    }

    /// Values of a panel, from input `first` on.
    fn widen(&self, level: Level, panel: usize, first: usize, out: &mut [f32]) {
        let start = (panel * self.inputs + first) * PANEL;
        match &self.data {
            Values::Full(data) => out.copy_from_slice(&data[start..][..out.len()]),
            Values::Half(half) => widen_half(level, &half.bits[start..][..out.len()], half.bfloat, out),
            Values::Blocks { codes, scales } => {
                let scales = &scales[start / GROUP * 2..][..out.len() / GROUP * 2];
                widen_blocks(level, &codes[start..][..out.len()], scales, out);
            }
        }
    }

    /// Columns with their padding: the length of an output row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of its values.
    pub fn bytes(&self) -> usize {
        match &self.data {
            Values::Full(data) => size_of_val(data.as_slice()),
            Values::Half(half) => size_of_val(half.bits.as_slice()),
            Values::Blocks { codes, scales } => codes.len() + size_of_val(scales.as_slice()),
        }
    }

    /// Writes a column to the front of `out`.
    pub fn column(&self, column: usize, out: &mut [f32]) {
        let (panel, lane) = (column / PANEL, column % PANEL);
        let start = panel * self.inputs * PANEL + lane;
        for (k, out) in out.iter_mut().enumerate().take(self.inputs) {
            let place = start + k * PANEL;
            *out = match &self.data {
                Values::Full(data) => data[place],
                Values::Half(half) => half.value(place),
                Values::Blocks { codes, scales } => {
                    let group = &scales[(panel * self.inputs + k) / GROUP * 2 * PANEL..][..2 * PANEL];
                    f32::from(codes[place]) * group[lane] + group[PANEL + lane]
                }
            };
        }
    }
}

fn packed<T: Copy + Default>(inputs: usize, columns: usize, value: impl Fn(usize, usize) -> T) -> Vec<T> {
    let mut data = vec![T::default(); inputs * columns.next_multiple_of(PANEL)];
    for (p, panel) in data.chunks_exact_mut(inputs * PANEL).enumerate() {
        for column in p * PANEL..columns.min((p + 1) * PANEL) {
            for input in 0..inputs {
                panel[input * PANEL + column % PANEL] = value(input, column);
            }
        }
    }
    data
}

kernel! {
    /// The values of bits: bf16 where `bfloat`, else f16.
    fn widen_half<S>(bits: &[u16], bfloat: bool, out: &mut [f32]) {
        if bfloat {
            for (out, bits) in out.iter_mut().zip(bits) {
                *out = f32::from_bits(u32::from(*bits) << 16);
            }
        } else {
            for (out, bits) in out.iter_mut().zip(bits) {
                *out = widened(*bits);
            }
        }
    }
}

/// The value of an f16, in operations that a vector has: its bits moved to their place in
/// an f32, and the exponent's offset made good by a product, which is exact for numbers
/// below the normal ones too.
#[inline(always)]
fn widened(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let (sign, rest) = ((bits & 0x8000) << 16, bits & 0x7fff);
    let value = f32::from_bits(rest << 13) * f32::from_bits((127 + 112) << 23);
    let endless = f32::from_bits((rest << 13) | 0x7f80_0000);
    f32::from_bits(if rest >= 0x7c00 { endless } else { value }.to_bits() | sign)
}

kernel! {
    /// The values of codes, with 64 numbers for each sixteen rows of 32: scales, offsets.
    /// What follows both in memory is fetched meanwhile: it is next.
    fn widen_blocks<S>(codes: &[i8], scales: &[f32], out: &mut [f32]) {
        let groups = codes.chunks_exact(GROUP * PANEL).zip(scales.as_chunks::<{ 2 * PANEL }>().0);
        let (part, scales_part) = (codes.len(), scales.len());
        for ((codes, both), out) in groups.zip(out.chunks_exact_mut(GROUP * PANEL)) {
            for line in both.as_chunks::<LANES>().0 {
                S::fetch(line.as_ptr().wrapping_add(scales_part));
            }
            let [s0, s1, o0, o1] = both.as_chunks().0 else {
                unreachable!("two vectors of scales, two of offsets")
            };
            let (s0, s1, o0, o1) = (S::load(s0), S::load(s1), S::load(o0), S::load(o1));
            let rows = codes.as_chunks::<PANEL>().0.iter().zip(out.as_chunks_mut::<PANEL>().0);
            for (codes, out) in rows {
                let ([c0, c1], [w0, w1]) = (codes.as_chunks().0, out.as_chunks_mut().0) else {
                    unreachable!("a panel is two vectors wide")
                };
                S::fetch(codes.as_ptr().wrapping_add(part).cast());
                // Rounded twice, as the reference does.
                S::store(w0, S::add(S::mul(S::load_i8(c0), s0), o0));
                S::store(w1, S::add(S::mul(S::load_i8(c1), s1), o1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn random(n: usize, stream: &mut Stream) -> Vec<f32> {
        (0..n).map(|_| stream.normal() as f32).collect()
    }

    #[test]
    fn a_product_is_right_for_every_shape_and_level() {
        let mut stream = Stream::new(3);
        for level in Level::all() {
            for (rows, inputs, columns) in
                [(1, 1, 1), (1, 7, 200), (2, 5, 130), (3, 33, 65), (4, 8, 64), (11, 16, 96), (29, 24, 40)]
            {
                let (a, b) = (random(rows * inputs, &mut stream), random(inputs * columns, &mut stream));
                let matrix = Matrix::pack(inputs, columns, |k, n| b[n * inputs + k]);
                let stride = matrix.columns() + 3;
                let mut out = vec![1.0; rows * stride];
                for add in [false, true] {
                    let to = RowsMut { data: &mut out, stride };
                    let a = Rows { data: &a, stride: inputs };
                    matrix.multiply(level, rows, a, to, add, &mut Scratch::default());
                }
                for row in 0..rows {
                    for column in 0..columns {
                        let exact: f64 = (0..inputs)
                            .map(|k| f64::from(a[row * inputs + k]) * f64::from(b[column * inputs + k]))
                            .sum();
                        let found = f64::from(out[row * stride + column]);
                        assert!((found - 2.0 * exact).abs() < 1e-4, "{level:?} {rows}x{inputs}x{columns}");
                    }
                    assert!(out[row * stride + matrix.columns()..][..3].iter().all(|x| *x == 1.0));
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_company() {
        let mut stream = Stream::new(4);
        let (inputs, columns) = (50, 176);
        let b = random(inputs * columns, &mut stream);
        let matrix = Matrix::pack(inputs, columns, |k, n| b[k * columns + n]);
        let a = random(130 * inputs, &mut stream);
        for level in Level::all() {
            let run = |from: usize, rows: usize| {
                let mut out = vec![0.0; rows * matrix.columns()];
                let to = RowsMut { data: &mut out, stride: matrix.columns() };
                let a = Rows { data: &a[from * inputs..], stride: inputs };
                matrix.multiply(level, rows, a, to, false, &mut Scratch::default());
                out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            let alone: Vec<u32> = (0..130).flat_map(|row| run(row, 1)).collect();
            for rows in 1..=130 {
                assert_eq!(run(0, rows), alone[..rows * matrix.columns()], "{level:?} {rows}");
            }
        }
    }

    #[test]
    fn a_column_comes_back_as_it_was_packed() {
        let matrix = Matrix::pack(3, 70, |k, n| (100 * k + n) as f32);
        let mut out = [0.0; 4];
        matrix.column(69, &mut out);
        assert_eq!(out, [69.0, 169.0, 269.0, 0.0]);
    }

    #[test]
    fn sixteen_bits_are_widened_as_half_does() {
        for level in Level::all() {
            let bits: Vec<u16> = (0..=u16::MAX).collect();
            let mut out = vec![0.0; bits.len()];
            widen_half(level, &bits, false, &mut out);
            let exact = |b: &u16, x: &f32, want: f32| {
                assert!(x.to_bits() == want.to_bits() || (x.is_nan() && want.is_nan()), "{b:x}: {x} {want}");
            };
            bits.iter().zip(&out).for_each(|(b, x)| exact(b, x, half::f16::from_bits(*b).to_f32()));
            widen_half(level, &bits, true, &mut out);
            bits.iter().zip(&out).for_each(|(b, x)| exact(b, x, half::bf16::from_bits(*b).to_f32()));
        }
    }

    #[test]
    fn a_matrix_of_sixteen_bits_gives_the_products_of_its_values() {
        let mut stream = Stream::new(5);
        for (rows, inputs, columns) in [(1, 7, 200), (2, 9, 130), (3, 33, 65), (29, 24, 40)] {
            let a = random(rows * inputs, &mut stream);
            let b: Vec<u16> = random(inputs * columns, &mut stream)
                .iter()
                .map(|x| half::bf16::from_f32(*x).to_bits())
                .collect();
            let value = |k: usize, n: usize| half::bf16::from_bits(b[n * inputs + k]).to_f32();
            let full = Matrix::pack(inputs, columns, value);
            let half = Matrix::pack_half(inputs, columns, true, |k, n| b[n * inputs + k]);
            assert_eq!(2 * half.bytes(), full.bytes());
            let run = |matrix: &Matrix| {
                let stride = matrix.columns();
                let mut out = vec![0.0; rows * stride];
                let (a, to) = (Rows { data: &a, stride: inputs }, RowsMut { data: &mut out, stride });
                matrix.multiply(Level::best(), rows, a, to, false, &mut Scratch::default());
                out
            };
            assert_eq!(run(&half), run(&full));
            let (mut one, mut other) = (vec![0.0; inputs], vec![0.0; inputs]);
            half.column(columns - 1, &mut one);
            full.column(columns - 1, &mut other);
            assert_eq!(one, other);
        }
    }

    #[test]
    fn a_matrix_of_blocks_gives_the_products_of_its_values() {
        use candle_core::quantized::{GgmlDType, QTensor};
        let mut stream = Stream::new(6);
        let (inputs, columns) = (512, 70);
        let parts = [GgmlDType::Q4_1, GgmlDType::Q6K].map(|kind| {
            let values = random(columns * inputs, &mut stream);
            let tensor = candle_core::Tensor::from_vec(values, columns * inputs, &candle_core::Device::Cpu);
            let tensor = QTensor::quantize(&tensor.unwrap(), kind).unwrap();
            Blocks::read(&tensor.data().unwrap(), kind).unwrap()
        });
        // Columns of the one and of the other by turns, and one that is nowhere.
        let place = |k: usize, n: usize| (n != 5).then_some((n % 2, n * inputs + k));
        let compact = Matrix::pack_blocks(inputs, columns, &parts, place).unwrap();
        let full =
            Matrix::pack(inputs, columns, |k, n| place(k, n).map_or(0.0, |(t, at)| parts[t].value(at)));
        assert!(compact.bytes() * 5 < full.bytes() * 2);
        for (rows, level) in [(1, Level::best()), (3, Level::best()), (29, Level::plain())] {
            let a = random(rows * inputs, &mut stream);
            let run = |matrix: &Matrix| {
                let stride = matrix.columns();
                let mut out = vec![0.5; rows * stride];
                let (a, to) = (Rows { data: &a, stride: inputs }, RowsMut { data: &mut out, stride });
                matrix.multiply(level, rows, a, to, true, &mut Scratch::default());
                out
            };
            assert_eq!(run(&compact), run(&full));
        }
        let (mut one, mut other) = (vec![0.0; inputs], vec![0.0; inputs]);
        compact.column(columns - 1, &mut one);
        full.column(columns - 1, &mut other);
        assert_eq!(one, other);
        // A group that is cut in two cannot be held so.
        assert!(Matrix::pack_blocks(48, 4, &parts, |k, n| Some((0, n * 48 + k + 8))).is_none());
    }
}
