//! The four counts of a comparison and the paper's four rates.

use super::unit::Status;
use std::ops::{Add, AddAssign};

/// How many items were preserved, expanded, shrunk and are out of support.
///
/// The rates are those of the paper's definition 3.3. `None` is undefined: shown as `–`,
/// never as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    pub p: u64,
    pub e: u64,
    pub s: u64,
    pub o: u64,
}

impl Counts {
    /// Support retention rate P/(P+S), in 0..=1; undefined where the base has no support.
    pub fn srr(&self) -> Option<f64> {
        ratio(self.p, self.p + self.s)
    }

    /// Net discovery rate E/(P+E), in 0..=1; undefined where the RLVR policy has no support.
    pub fn ndr(&self) -> Option<f64> {
        ratio(self.e, self.p + self.e)
    }

    /// Support dynamic score, the harmonic mean of SRR and NDR, in 0..=1. It is 0 where
    /// either is 0, and undefined where either is.
    pub fn sds(&self) -> Option<f64> {
        let (srr, ndr) = (self.srr()?, self.ndr()?);
        Some(if srr * ndr == 0.0 { 0.0 } else { 2.0 * srr * ndr / (srr + ndr) })
    }

    /// Net support change rate (E−S)/(P+E+S), in −1..=1; undefined where both supports are
    /// empty.
    pub fn nscr(&self) -> Option<f64> {
        let seen = self.p + self.e + self.s;
        (seen > 0).then(|| (self.e as f64 - self.s as f64) / seen as f64)
    }

    /// Every item, out of support or not.
    pub fn total(&self) -> u64 {
        self.p + self.e + self.s + self.o
    }

    /// How many items have a status.
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Preserved => self.p,
            Status::Expanded => self.e,
            Status::Shrunk => self.s,
            Status::OutOfSupport => self.o,
        }
    }

    /// Counts `items` more of a status.
    pub fn count(&mut self, status: Status, items: u64) {
        match status {
            Status::Preserved => self.p += items,
            Status::Expanded => self.e += items,
            Status::Shrunk => self.s += items,
            Status::OutOfSupport => self.o += items,
        }
    }
}

impl Add for Counts {
    type Output = Counts;
    fn add(self, other: Counts) -> Counts {
        Counts { p: self.p + other.p, e: self.e + other.e, s: self.s + other.s, o: self.o + other.o }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(all: I) -> Counts {
        all.fold(Counts::default(), Add::add)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_undefined_is_none_and_not_zero() {
        let c = |p, e, s| Counts { p, e, s, o: 9 };
        let rates = |c: Counts| (c.srr(), c.ndr(), c.sds(), c.nscr());
        assert_eq!(rates(c(0, 0, 0)), (None, None, None, None));
        assert_eq!(rates(c(0, 0, 3)), (Some(0.0), None, None, Some(-1.0)));
        assert_eq!(rates(c(0, 3, 0)), (None, Some(1.0), None, Some(1.0)));
        assert_eq!(rates(c(0, 3, 3)), (Some(0.0), Some(1.0), Some(0.0), Some(0.0)));
        assert_eq!(rates(c(3, 0, 0)), (Some(1.0), Some(0.0), Some(0.0), Some(0.0)));
    }

    proptest! {
        #[test]
        fn rates_keep_their_bounds_and_the_papers_other_form(p in 0u64..50, e in 0u64..50, s in 0u64..50, o in 0u64..50) {
            let c = Counts { p, e, s, o };
            for rate in [c.srr(), c.ndr(), c.sds()].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&rate));
            }
            prop_assert!(c.nscr().is_none_or(|r| (-1.0..=1.0).contains(&r)));
            if let Some(sds) = c.sds() {
                let below = p * p + 2 * p * e + e * s;
                prop_assert!((sds - 2.0 * (p * e) as f64 / below as f64).abs() < 1e-12);
            }
        }
    }
}
