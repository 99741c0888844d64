//! Long texts that stand in a run more often than chance allows: a seed that was used twice,
//! or one model behind two names.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Where a completion stands: policy, problem and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub policy: usize,
    pub problem: usize,
    pub index: u32,
}

/// A long text that stands at several places.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    pub places: Vec<Place>,
    /// Characters of the text.
    pub length: usize,
}

/// Finds repeats among completions that come one by one. Texts are not kept.
#[derive(Clone, Debug, Default)]
pub struct Repeats {
    seen: HashMap<u64, Seen>,
    /// Completions of each policy and problem.
    drawn: HashMap<(usize, usize), u64>,
}

#[derive(Clone, Debug)]
struct Seen {
    places: Vec<Place>,
    length: usize,
    logprob: Option<f64>,
}

impl Repeats {
    /// Shorter texts, in characters, repeat by themselves.
    pub const LONG: usize = 200;

    /// Where the log-probability of a text is not known, this many characters are too many to
    /// come twice.
    pub const VERY_LONG: usize = 500;

    /// Pairs of the same text that chance is allowed, on average.
    const CHANCE: f64 = 1e-3;

    /// Takes a completion in. `logprob` is that of the whole text, nats, where known.
    pub fn add(&mut self, place: Place, text: &str, logprob: Option<f64>) {
        *self.drawn.entry((place.policy, place.problem)).or_default() += 1;
        let length = text.chars().count();
        if length < Self::LONG {
            return;
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let seen = self.seen.entry(hasher.finish());
        seen.or_insert(Seen { places: Vec::new(), length, logprob }).places.push(place);
    }

    /// What stands more than once beyond chance, the most often first.
    pub fn found(&self) -> Vec<Repeat> {
        let beyond = |seen: &&Seen| {
            let n = seen.places.iter().filter_map(|p| self.drawn.get(&(p.policy, p.problem)));
            let n = n.copied().max().unwrap_or(0) as f64;
            let by_chance = seen.logprob.map(|l| n * (n - 1.0) / 2.0 * l.exp());
            let rare = by_chance.map_or(seen.length >= Self::VERY_LONG, |pairs| pairs < Self::CHANCE);
            seen.places.len() > 1 && rare
        };
        let repeat = |seen: &Seen| {
            let mut places = seen.places.clone();
            places.sort_unstable();
            Repeat { places, length: seen.length }
        };
        let mut all: Vec<Repeat> = self.seen.values().filter(beyond).map(repeat).collect();
        all.sort_by(|a, b| b.places.len().cmp(&a.places.len()).then(a.places.cmp(&b.places)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_that_comes_twice_is_found_where_chance_would_not_bring_it() {
        let mut repeats = Repeats::default();
        let place = |policy, problem, index| Place { policy, problem, index };
        let long = "x".repeat(600);
        let likely = "y".repeat(300);
        repeats.add(place(0, 0, 3), &long, None);
        repeats.add(place(1, 0, 3), &long, None);
        repeats.add(place(0, 4, 3), &long, None);
        // One in ten completions is this one: it comes again by itself.
        repeats.add(place(0, 0, 1), &likely, Some(0.1f64.ln()));
        repeats.add(place(0, 0, 2), &likely, Some(0.1f64.ln()));
        for index in 10..20 {
            repeats.add(place(0, 0, index), "short", None);
        }
        let rare = "z".repeat(250);
        repeats.add(place(0, 1, 0), &rare, Some(-60.0));
        assert_eq!(repeats.found().len(), 1);
        repeats.add(place(0, 1, 7), &rare, Some(-60.0));
        let found = repeats.found();
        assert_eq!(
            found[0],
            Repeat { places: vec![place(0, 0, 3), place(0, 4, 3), place(1, 0, 3)], length: 600 }
        );
        assert_eq!(found[1].places, [place(0, 1, 0), place(0, 1, 7)]);
        assert_eq!(found.len(), 2);
    }
}
