//! The mathematics of support, pure.
//!
//! | file | what |
//! |---|---|
//! | [`mod@unit`] | how a user looks: unit, criterion, lens |
//! | [`counts`] | P, E, S, O and the paper's rates |
//! | [`ledger`] | every figure of a run, kept up to date completion by completion |
//! | [`pass`], [`curve`] | pass@k, pass^k, Cover@τ, coverage of items, crossing |
//! | [`change`] | whether an item changed: bounds and an exact test |
//! | [`interval`] | intervals for proportions |
//! | [`paper`] | the published figures |
//!
//! What is undefined is `None`, never 0 or NaN.

pub mod change;
pub mod counts;
pub mod curve;
mod desk;
pub mod interval;
pub mod ledger;
pub mod paper;
pub mod pass;
mod slots;
mod table;
pub mod unit;

pub use counts::Counts;
pub use curve::{Crossing, Point};
pub use ledger::{Cluster, ClusterKey, Ledger, Outcome};
pub use unit::{Criterion, Lens, Pair, Status, Unit};

#[cfg(test)]
mod tests;
