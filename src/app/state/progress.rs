//! How the run goes.

use super::State;
use crate::run::Gauge;

/// How the run goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    pub paused: bool,
    /// All is drawn.
    pub finished: bool,
    pub gauge: Gauge,
    /// What failed, the newest last: for each (policy's name or none, message).
    pub failures: Vec<String>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Sampling,
    Paused,
    Finished,
    Failed,
    /// A recording is read.
    Reading,
    /// A recording is shown.
    Recorded,
    /// A recording is shown as it grows.
    Following,
    /// What is drawn cannot be written.
    Blocked,
}

impl State {
    /// What the run is doing.
    pub fn phase(&self) -> Phase {
        let (progress, recording) = (&self.progress, &self.recording);
        match () {
            () if recording.blocked.is_some() => Phase::Blocked,
            () if !progress.failures.is_empty() => Phase::Failed,
            () if recording.reading.is_some() && !progress.finished => Phase::Reading,
            () if recording.only_read && recording.followed => Phase::Following,
            () if recording.only_read => Phase::Recorded,
            () if progress.finished => Phase::Finished,
            () if progress.paused => Phase::Paused,
            () => Phase::Sampling,
        }
    }
}
