//! How the run goes.

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
}

impl Progress {
    pub fn phase(&self) -> Phase {
        match self {
            Progress { failures, .. } if !failures.is_empty() => Phase::Failed,
            Progress { finished: true, .. } => Phase::Finished,
            Progress { paused: true, .. } => Phase::Paused,
            _ => Phase::Sampling,
        }
    }
}
