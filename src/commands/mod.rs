//! The command line's commands, one file each.

pub mod explore;
pub mod train;
