//! The real terminal: guard, input, frame pacing, the event loop.
//!
//! [`run`] owns the screen from the first frame until the user leaves, and gives it back
//! as it was, whatever happens: the [`guard`] restores it on leaving, on an error, on a
//! panic and on a signal.

mod ask;
mod clipboard;
mod feeds;
pub mod guard;
mod input;
mod inspector;
mod keys;
mod look;
mod pace;
mod screen;
mod session;
mod signals;
mod training;

pub use feeds::{Again, Begin, Feeds};
pub use inspector::answer;
pub use look::look;
pub use session::{Left, run};

use std::io::{self, IsTerminal};

/// What can go wrong with a terminal.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error(
        "leash draws on a terminal and there is none: write `leash sample … -o FILE` and `leash report FILE`"
    )]
    None,
    #[error(transparent)]
    Record(#[from] crate::record::RecordError),
    #[error("the terminal failed: {0}")]
    Io(#[from] io::Error),
}

/// Says so where keys or frames would go nowhere.
///
/// # Errors
/// Standard input or standard output is no terminal.
pub fn check() -> Result<(), TerminalError> {
    match io::stdin().is_terminal() && io::stdout().is_terminal() {
        true => Ok(()),
        false => Err(TerminalError::None),
    }
}
