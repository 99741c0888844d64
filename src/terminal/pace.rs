//! When the next frame is drawn: never without a change, at once after a rest, and not
//! more often than the eye follows.

use std::time::Duration;
use tokio::time::Instant;

/// Between frames after a key: of a key that is held down each press is seen.
const INPUT: Duration = Duration::from_millis(8);
/// Between frames while completions come in.
const STREAM: Duration = Duration::from_millis(33);

/// The same for who wants little motion.
const CALM: Duration = Duration::from_secs(1);

/// When the next frame is due.
#[derive(Debug)]
pub struct Pace {
    stream: Duration,
    last: Option<Instant>,
    /// The shortest time between frames that the changes since the last one ask for.
    wait: Option<Duration>,
}

impl Pace {
    /// The first frame is due at once.
    pub fn new(calm: bool) -> Self {
        Self { stream: if calm { CALM } else { STREAM }, last: None, wait: Some(Duration::ZERO) }
    }

    /// The user did something.
    pub fn input(&mut self) {
        self.change(INPUT);
    }

    /// Something came in, or the window changed: many of these are one frame.
    pub fn stream(&mut self) {
        self.change(self.stream);
    }

    /// When the next frame is due; `None` if nothing has changed.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let wait = self.wait?;
        Some(self.last.map_or(now, |last| last + wait))
    }

    /// A frame was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.wait = None;
    }

    fn change(&mut self, wait: Duration) {
        self.wait = Some(self.wait.map_or(wait, |w| w.min(wait)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_due_only_after_changes_and_not_too_often() {
        let start = Instant::now();
        let mut pace = Pace::new(false);
        assert_eq!(pace.due(start), Some(start), "the first frame is due at once");
        pace.drawn(start);
        assert_eq!(pace.due(start), None, "nothing changed");
        pace.stream();
        assert_eq!(pace.due(start), Some(start + STREAM));
        pace.input();
        pace.stream();
        assert_eq!(pace.due(start), Some(start + INPUT), "a key is not kept waiting by completions");
        pace.drawn(start);
        let later = start + Duration::from_secs(9);
        pace.stream();
        assert!(pace.due(later) <= Some(later), "the first change after a rest is shown at once");
    }
}
