//! The matrix product that everything here is made of: rows times packed panels.
//!
//! Each output is one chain of fused multiply-adds over the inputs in their order. So a
//! row's result does not depend on how many rows are computed with it, nor on how they are
//! cut into tiles, to the bit.

use super::simd::{LANES, Simd, kernel};
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
