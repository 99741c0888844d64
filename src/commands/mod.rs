//! The commands: each takes its part of the command line and does it.

pub mod bench;
pub mod check;
pub mod explore;
pub mod grade;
pub mod open;
pub mod pull;
pub mod report;
pub mod sample;
pub mod score;
mod screen;
mod settings;
pub mod shell;
pub mod snapshot;
pub mod tasks;
pub mod train;

use std::io::{self, Write};

/// Writes to the standard output. Whoever reads it may stop at any time: `leash report … |
/// head` is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
