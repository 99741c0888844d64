//! What was said and what failed.

use std::collections::VecDeque;

/// The newest sentences for the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    entries: VecDeque<Entry>,
}

/// A sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub words: String,
    pub failed: bool,
    /// How often it was said in a row.
    pub times: u32,
}

impl Log {
    const MOST: usize = 1000;

    /// Adds a sentence; one that is said again is counted.
    pub fn add(&mut self, words: &str, failed: bool) {
        match self.entries.back_mut().filter(|last| last.words == words) {
            Some(last) => last.times = last.times.saturating_add(1),
            None => self.entries.push_back(Entry { words: words.to_owned(), failed, times: 1 }),
        }
        if self.entries.len() > Self::MOST {
            self.entries.pop_front();
        }
    }

    /// The newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_the_newest_and_counts_what_is_said_again() {
        let mut log = Log::default();
        for i in 0..Log::MOST + 5 {
            log.add(&format!("{i}"), false);
        }
        log.add("disk full", true);
        log.add("disk full", true);
        assert_eq!(log.entries().len(), Log::MOST);
        let newest = log.entries().next().unwrap();
        assert_eq!((newest.words.as_str(), newest.failed, newest.times), ("disk full", true, 2));
    }
}
