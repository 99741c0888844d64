//! The matrix product that everything here is made of: rows times packed panels.
//!
//! Each output is one chain of fused multiply-adds over the inputs in their order. So a
//! row's result does not depend on how many rows are computed with it, nor on how they are
//! cut into tiles, to the bit.

use super::simd::{LANES, Level, Simd, kernel};
use crate::model::weights::Half;
use std::ops::Range;

/// Columns of a panel.
pub const PANEL: usize = 2 * LANES;

/// A matrix of `inputs` × `columns`, cut into panels of 32 columns: within a panel, the 32
/// values of one input lie together.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    pub data: &'a [f32],
    pub inputs: usize,
    /// A multiple of 32.
    pub columns: usize,
    /// Values from one panel to the next, at least 32 · `inputs`.
    pub stride: usize,
}

/// Rows of equal length at equal distances.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub data: &'a [f32],
    pub stride: usize,
}

/// Where rows are written.
pub struct RowsMut<'a> {
    pub data: &'a mut [f32],
    pub stride: usize,
}

/// Memory that will be read soon: it is fetched while the arithmetic units are busy.
#[derive(Default)]
pub struct Ahead {
    /// Addresses, first to last; they are only fetched from, never read.
    regions: Vec<Range<usize>>,
    at: usize,
}

impl Ahead {
    /// None yet, with room for `regions`.
    pub fn new(regions: usize) -> Self {
        Self { regions: Vec::with_capacity(regions), at: 0 }
    }

    /// Replaces what is to be fetched.
    pub fn set<'a>(&mut self, regions: impl Iterator<Item = &'a [i16]>) {
        self.regions.clear();
        self.regions.extend(regions.map(|r| r.as_ptr() as usize..r.as_ptr_range().end as usize));
        self.at = 0;
    }

    /// Where the next `lines` cache lines begin, if any are left.
    fn take(&mut self, lines: usize) -> Option<*const f32> {
        let region = self.regions.get_mut(self.at)?;
        let start = region.start;
        region.start += lines * LINE;
        if region.start >= region.end {
            self.at += 1;
        }
        Some(start as *const f32)
    }
}

/// A matrix of more bytes has left the nearest caches when its turn comes again: its panels
/// are fetched while the ones before are in use.
const LARGE: usize = 1 << 15;

/// Two panels of so many inputs stay in the first-level cache for all rows.
const SHORT: usize = 128;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A weight matrix, packed once.
pub struct Matrix {
    data: Values,
    inputs: usize,
    columns: usize,
}

/// A matrix's values in the order of [`Panels`].
enum Values {
    Full(Vec<f32>),
    /// As the file has them, widened a panel at a time when they are multiplied: exact, and
    /// half the memory.
    Half(Half),
}

/// What products need besides their operands.
#[derive(Default)]
pub struct Scratch {
    pub ahead: Ahead,
    /// Panels of 16-bit values, widened.
    panels: Vec<f32>,
}

impl Scratch {
    /// With room for `regions` to be fetched ahead.
    pub fn new(regions: usize) -> Self {
        Self { ahead: Ahead::new(regions), panels: Vec::new() }
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
        let (inputs, stride) = (self.inputs, self.inputs * PANEL);
        let half = match &self.data {
            Values::Full(data) => {
                let panels = Panels { data, inputs, columns: self.columns, stride };
                return product(level, rows, a, panels, out, add, &mut scratch.ahead);
            }
            Values::Half(half) => half,
        };
        // As many as a product of so few rows takes at once.
        let together = match rows {
            0..=2 => 4,
            3..=4 => 2,
            _ => 1,
        };
        scratch.panels.resize(scratch.panels.len().max(together * stride), 0.0);
        for (i, bits) in half.bits.chunks(together * stride).enumerate() {
            let data = &mut scratch.panels[..bits.len()];
            widen(level, bits, half.bfloat, data);
            let panels = Panels { data, inputs, columns: bits.len() / inputs, stride };
            let out = RowsMut { data: &mut out.data[i * together * PANEL..], stride: out.stride };
            product(level, rows, a, panels, out, add, &mut scratch.ahead);
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
        }
    }

    /// Writes a column to the front of `out`.
    pub fn column(&self, column: usize, out: &mut [f32]) {
        let start = column / PANEL * self.inputs * PANEL + column % PANEL;
        let places = (start..).step_by(PANEL).take(self.inputs);
        for (out, place) in out.iter_mut().zip(places) {
            *out = match &self.data {
                Values::Full(data) => data[place],
                Values::Half(half) => half.value(place),
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
    fn widen<S>(bits: &[u16], bfloat: bool, out: &mut [f32]) {
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
    /// out = a · b for `rows` rows, or out += a · b where `add`.
    pub fn product<S>(
        rows: usize, a: Rows<'_>, b: Panels<'_>, out: RowsMut<'_>, add: bool, ahead: &mut Ahead,
    ) {
        if rows == 0 || b.columns == 0 {
            return;
        }
        let panels = b.columns / PANEL;
        assert!(b.columns.is_multiple_of(PANEL));
        assert!(a.data.len() >= (rows - 1) * a.stride + b.inputs);
        assert!(out.data.len() >= (rows - 1) * out.stride + b.columns);
        assert!(b.data.len() >= (panels - 1) * b.stride + b.inputs * PANEL);
        let large = size_of::<f32>() * b.inputs * b.columns > LARGE;
        let mut panel = 0;
        while panel < panels {
            // Few rows leave registers free: several panels at once hide the latency. Where
            // they stay near, two panels of half the rows take fewer loads than one of all.
            let together = match panels - panel {
                4.. if rows <= 2 && S::ROWS > 4 => 4,
                2.. if rows <= 4 && S::ROWS > 4 => 2,
                2.. if S::ROWS > 4 && b.inputs <= SHORT => 2,
                _ => 1,
            };
            // Each of the first tiles fetches half of one of the next panels.
            let next = |half| b.data.as_ptr().wrapping_add((panel + together) * b.stride + half * b.inputs * LANES);
            let mut halves = (0..if large { 2 * together } else { 0 }).map(next);
            let mut row = 0;
            while row < rows {
                // Tiles of about equal height: a low one at the end would be a slow one.
                let most = if together > 1 { S::ROWS / 2 } else { S::ROWS };
                let height = (rows - row).div_ceil((rows - row).div_ceil(most));
                let tile = Tile {
                    inputs: b.inputs,
                    // SAFETY: within the slices, by the assertions above.
                    a: unsafe { a.data.as_ptr().add(row * a.stride) },
                    a_stride: a.stride,
                    // SAFETY: as above.
                    b: unsafe { b.data.as_ptr().add(panel * b.stride) },
                    b_stride: b.stride,
                    // SAFETY: as above.
                    out: unsafe { out.data.as_mut_ptr().add(row * out.stride + panel * PANEL) },
                    out_stride: out.stride,
                    add,
                    ahead: halves.next().or_else(|| ahead.take(b.inputs)),
                };
                // SAFETY: the tile's rows and columns are within the slices.
                row += unsafe { tile.run_some::<S>(height, together) };
            }
            panel += together;
        }
    }
}

/// Rows × panels that are computed in registers.
#[derive(Clone, Copy)]
struct Tile {
    inputs: usize,
    a: *const f32,
    a_stride: usize,
    b: *const f32,
    b_stride: usize,
    out: *mut f32,
    out_stride: usize,
    add: bool,
    /// Where to fetch a cache line at each input.
    ahead: Option<*const f32>,
}

impl Tile {
    /// Computes as many of `left` rows as fit for `together` panels, and says how many.
    ///
    /// # Safety
    /// The slices hold these rows and panels.
    #[inline(always)]
    unsafe fn run_some<S: Simd>(self, left: usize, together: usize) -> usize {
        macro_rules! choose {
            ($panels:literal: $($rows:literal)*) => {
                match left {
                    $(left if left >= $rows && $rows <= S::ROWS => {
                        // SAFETY: the caller's.
                        unsafe { self.run::<S, $rows, $panels>() };
                        $rows
                    })*
                    _ => unreachable!("one row always fits"),
                }
            };
        }
        match together {
            1 => choose!(1: 12 11 10 9 8 7 6 5 4 3 2 1),
            2 => choose!(2: 6 5 4 3 2 1),
            _ => choose!(4: 2 1),
        }
    }

    /// `M` rows, `P` panels.
    ///
    /// # Safety
    /// The slices hold these rows and panels.
    #[inline(always)]
    unsafe fn run<S: Simd, const M: usize, const P: usize>(self) {
        // SAFETY, of every block below: the caller's rows and panels hold these places.
        let at = |m: usize, p: usize, w: usize| unsafe {
            self.out.add(m * self.out_stride + p * PANEL + w * LANES)
        };
        let mut sums = [[[S::splat(0.0); 2]; P]; M];
        if self.add {
            for (m, sums) in sums.iter_mut().enumerate() {
                for (p, sums) in sums.iter_mut().enumerate() {
                    for (w, sum) in sums.iter_mut().enumerate() {
                        *sum = unsafe { S::load_from(at(m, p, w)) };
                    }
                }
            }
        }
        let (mut ahead, line) = match self.ahead {
            Some(address) => (address, LINE / size_of::<f32>()),
            None => (self.a, 0),
        };
        for k in 0..self.inputs {
            S::fetch(ahead);
            ahead = ahead.wrapping_add(line);
            let mut b = [[S::splat(0.0); 2]; P];
            for (p, b) in b.iter_mut().enumerate() {
                for (w, b) in b.iter_mut().enumerate() {
                    *b = unsafe { S::load_from(self.b.add(p * self.b_stride + k * PANEL + w * LANES)) };
                }
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                let a = S::splat(unsafe { *self.a.add(m * self.a_stride + k) });
                for (sums, b) in sums.iter_mut().zip(&b) {
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = S::fma(a, *b, *sum);
                    }
                }
            }
        }
        for (m, sums) in sums.iter().enumerate() {
            for (p, sums) in sums.iter().enumerate() {
                for (w, sum) in sums.iter().enumerate() {
                    unsafe { S::store_to(at(m, p, w), *sum) };
                }
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
            widen(level, &bits, false, &mut out);
            let exact = |b: &u16, x: &f32, want: f32| {
                assert!(x.to_bits() == want.to_bits() || (x.is_nan() && want.is_nan()), "{b:x}: {x} {want}");
            };
            bits.iter().zip(&out).for_each(|(b, x)| exact(b, x, half::f16::from_bits(*b).to_f32()));
            widen(level, &bits, true, &mut out);
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
}
