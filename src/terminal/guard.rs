//! The terminal is left as it was found.
//!
//! What is written here goes to a handle of its own, past the lock of standard output: a
//! panic while that lock is held must not keep the terminal from being restored.

use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::terminal::{
    Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, queue};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the screen is ours.
static OWNED: AtomicBool = AtomicBool::new(false);

/// Owns the screen; gives it back when dropped.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the screen: raw mode, the alternate screen, the mouse if asked for. A panic
    /// anywhere from now on restores the terminal before it is reported; one in a sampling
    /// thread is reported on screen instead.
    ///
    /// # Errors
    /// The terminal does not take it; it is restored then.
    pub fn enter(mouse: bool) -> io::Result<Guard> {
        hook();
        let guard = Guard(());
        guard.take(mouse)?;
        Ok(guard)
    }

    /// Takes the screen, again after [`restore`].
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn take(&self, mouse: bool) -> io::Result<()> {
        OWNED.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = handle()?;
        queue!(out, EnterAlternateScreen, cursor::Hide)?;
        if mouse {
            queue!(out, EnableMouseCapture)?;
        }
        out.flush()
    }

    /// Takes the mouse or leaves it to the terminal.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn mouse(&self, ours: bool) -> io::Result<()> {
        let mut out = handle()?;
        if ours {
            queue!(out, EnableMouseCapture)?
        } else {
            queue!(out, DisableMouseCapture)?
        }
        out.flush()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back. Does nothing where it is not ours; never fails, since there is
/// nobody left to tell.
pub fn restore() {
    if !OWNED.swap(false, Ordering::SeqCst) {
        return;
    }
    if let Ok(mut out) = handle() {
        // Some terminals that were resized meanwhile show the rest of the alternate screen.
        let _ = queue!(out, EndSynchronizedUpdate, Clear(ClearType::All), DisableMouseCapture);
        let _ = queue!(out, LeaveAlternateScreen, cursor::Show);
        let _ = out.flush();
    }
    let _ = disable_raw_mode();
}

/// Standard output without its lock and buffer.
pub(super) fn handle() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

fn hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Nothing is written over the screen: whoever caught it says what happened.
            let caught = crate::run::is_worker()
                || crate::train::session::is_trainer()
                || crate::record::foreign::panics_are_caught();
            if OWNED.load(Ordering::SeqCst) && caught {
                return;
            }
            restore();
            report(panic);
        }));
    });
}
