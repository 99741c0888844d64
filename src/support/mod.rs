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
//! | [`entropy`] | entropies, the divergence reading, the regime |
//! | `survey`, [`luck`] | what takes a walk through the ledger: distinct items, maj@k, the luck floor |
//! | [`unseen`] | what was not seen yet |
//! | [`form`], [`cluster`] | the method of any text, and clusters of texts |
//! | [`audit`] | whether a change is only one of the form of the answer |
//! | [`noise`] | intervals of the rates, the noise floor, a permutation test |
//! | [`topk`] | bounds of an entropy from the most likely tokens |
//! | [`fate`] | whether what was lost is suppressed or gone |
//! | [`repeat`] | long texts that come more often than chance allows |
//! | [`paper`] | the published figures |
//!
//! What is undefined is `None`, never 0 or NaN.

pub mod audit;
pub mod change;
pub mod cluster;
mod counted;
pub mod counts;
pub mod curve;
mod desk;
pub mod entropy;
pub mod fate;
pub mod form;
pub mod interval;
pub mod ledger;
pub mod luck;
pub mod noise;
pub mod paper;
pub mod pass;
pub mod repeat;
mod resample;
mod slots;
mod survey;
mod table;
pub mod topk;
pub mod unit;
pub mod unseen;

pub use counted::Counted;
pub use counts::Counts;
pub use curve::{Crossing, Point};
pub use ledger::{Cluster, ClusterKey, Entropies, Ledger, Outcome};
pub use table::{hash as text_hash, hash_bytes as bytes_hash};
pub use unit::{Criterion, Lens, Pair, Status, Unit};

#[cfg(test)]
mod tests;
