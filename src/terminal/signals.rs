//! The signals that a program on a terminal lives with.

use std::io;
use tokio::signal::unix::{self, SignalKind};

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Leave; with the signal's number.
    End(i32),
    /// Stop until continued.
    Stop,
    /// Continued after a stop.
    Continue,
}

/// Waits for signals. From its creation on none of them has its default effect.
#[derive(Debug)]
pub struct Signals {
    term: unix::Signal,
    hang_up: unix::Signal,
    interrupt: unix::Signal,
    stop: unix::Signal,
    cont: unix::Signal,
}

impl Signals {
    /// # Errors
    /// The system takes no handler.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            term: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            stop: unix::signal(SignalKind::from_raw(libc::SIGTSTP))?,
            cont: unix::signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::End(libc::SIGTERM),
            _ = self.hang_up.recv() => Signal::End(libc::SIGHUP),
            _ = self.interrupt.recv() => Signal::End(libc::SIGINT),
            _ = self.stop.recv() => Signal::Stop,
            _ = self.cont.recv() => Signal::Continue,
        }
    }
}

/// Stops the processes of this job, as Ctrl-Z does in a cooked terminal: `cargo run` must
/// stop with its child, or the shell goes on waiting. Returns when the job is continued.
pub fn stop() {
    // SAFETY: `kill` touches no memory; group 0 is the caller's own.
    unsafe {
        libc::kill(0, libc::SIGSTOP);
    }
}
