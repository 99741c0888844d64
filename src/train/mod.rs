//! Training of the embedded pair: the base by next-token prediction on a synthetic corpus,
//! the RLVR policy from it by reinforcement learning with a 0/1 verdict as its only reward.

pub mod corpus;
pub mod network;
pub mod vocabulary;
