//! `leash`: what reinforcement learning with verifiable rewards (RLVR) does to the set of
//! correct solutions that a language model can reach.
//!
//! After Wu et al., *The Invisible Leash* (arXiv:2507.14843). The binary is thin; this
//! library is the program.
//!
//! # The house
//!
//! A room knows only the rooms above it in this list; a test reads the imports and holds
//! these directions.
//!
//! | room | what it is for |
//! |---|---|
//! | [`random`] | reproducible random streams |
//! | [`calendar`] | days and their dates |
//! | [`problem`] | what is asked and how an answer is judged |
//! | [`completion`] | one sampled text, with what is known of its tokens |
//! | [`support`] | the mathematics, pure: pass@k, P/E/S/O and its rates, entropies, clusters, the ledger |
//! | [`model`] | language models: weights, tokenizer, decoder, generation |
//! | [`record`] | a run on disk |
//! | [`policy`] | where completions come from, behind one trait |
//! | [`source`] | where problems come from, and verdicts that are not our own |
//! | [`train`] | pre-training of the embedded base and RLVR from it |
//! | [`run`] | a campaign: what to draw next, workers, events |
//! | [`report`] | a run as table and JSON |
//! | [`app`] | state, actions, update, effects, key map: no drawing, no terminal, no model |
//! | [`ui`] | state to cells |
//! | [`config`] | what the user has set: theme, keys |
//! | [`terminal`] | the real terminal: guard, input, frame pacing, the event loop |
//! | [`cli`], [`commands`] | the command line |

pub mod app;
pub mod calendar;
pub mod cli;
pub mod commands;
pub mod completion;
pub mod config;
pub mod model;
pub mod policy;
pub mod problem;
pub mod random;
pub mod record;
pub mod report;
pub mod run;
pub mod source;
pub mod support;
pub mod terminal;
pub mod train;
pub mod ui;
