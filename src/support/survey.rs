//! What takes a walk through the ledger: asked for now and then, not at every frame.

use super::change::Change;
use super::curve::Point;
use super::entropy;
use super::interval::mean_interval;
use super::ledger::Ledger;
use super::noise::{NoiseFloor, Sample};
use super::pass::{distinct_at, grid};
use super::unit::{Lens, Pair, Unit};
use super::unseen::Unseen;
use crate::random::Stream;
use std::collections::HashMap;

impl Ledger {
    /// A policy's hits of every correct item on a problem, of all that are drawn, in no
    /// particular order. In unit `problem` one item, also if it has no hits, once something
    /// is drawn. The lens's criterion has no say.
    pub fn hits(&self, policy: usize, problem: usize, lens: &Lens) -> Vec<u32> {
        let Some((desk, shelf)) = self.desk(problem).and_then(|d| Some((d, d.shelves.get(policy)?))) else {
            return Vec::new();
        };
        if lens.unit == Unit::Problem {
            let hits = if lens.sound { shelf.sound } else { shelf.correct };
            return if shelf.slots.is_empty() { Vec::new() } else { vec![hits] };
        }
        let counts = |id: &super::desk::ClassId| id.correct && (!lens.sound || id.is_sound());
        let mut hits: HashMap<(bool, u32), u32> = HashMap::new();
        if lens.unit == Unit::Completion {
            for slot in &shelf.slots {
                let id = &desk.classes[slot.class as usize].id;
                if counts(id) {
                    *hits.entry((id.is_sound(), slot.text)).or_default() += 1;
                }
            }
        } else {
            for class in desk.classes.iter().filter(|c| counts(&c.id) && c.drawn[policy] > 0) {
                let item = if lens.unit == Unit::Answer { class.id.answer } else { class.id.method };
                if let Some(item) = item {
                    *hits.entry((false, item)).or_default() += class.drawn[policy];
                }
            }
        }
        hits.into_values().collect()
    }

    /// What the intervals, the noise floor and the permutation test are made from.
    pub fn sample(&self, pair: Pair, lens: &Lens) -> Sample {
        let problems = self.compared(pair).map(|i| {
            let mut items = self.items(pair, i, lens);
            // In an order that does not depend on which text came first.
            items.sort_unstable();
            (self.matched(pair, i), items)
        });
        Sample { unit: lens.unit, min_hits: lens.criterion.min_hits(), problems: problems.collect() }
    }

    /// What the counts would be if the RLVR policy were the base.
    pub fn noise_floor(&self, pair: Pair, lens: &Lens) -> Option<NoiseFloor> {
        let base = self.compared(pair).map(|i| {
            let mut hits = self.hits(pair.base, i, lens);
            hits.sort_unstable();
            (self.drawn(pair.base, i), hits)
        });
        self.sample(pair, lens).noise_floor(&base.collect::<Vec<_>>())
    }

    /// Whether a problem's pass rate changed, over the matched completions.
    pub fn problem_change(&self, pair: Pair, problem: usize, lens: &Lens, zeta: f64) -> Option<Change> {
        let lens = Lens { unit: Unit::Problem, ..*lens };
        let hits = *self.items(pair, problem, &lens).first()?;
        Change::of(hits, [self.matched(pair, problem); 2], zeta)
    }

    /// How many distinct correct items k completions show, mean over problems, at
    /// k = 1, 2, 4 … and at the least drawn (rarefaction). `low` and `high` are the value:
    /// the figure has no bounds from which an interval could be made.
    pub fn coverage_curve(&self, policy: usize, lens: &Lens) -> Vec<Point> {
        let each: Vec<(u32, Vec<u32>)> = (0..self.problems())
            .filter(|&i| self.drawn(policy, i) > 0)
            .map(|i| (self.drawn(policy, i), self.hits(policy, i, lens)))
            .collect();
        let point = |k: u32| {
            let shown = each.iter().map(|(n, hits)| distinct_at(*n, hits, k)).sum::<Option<f64>>()?;
            let value = shown / each.len() as f64;
            Some(Point { k, value, low: value, high: value })
        };
        grid(self.least_drawn(policy)).into_iter().filter_map(point).collect()
    }

    /// What a policy has not shown yet, over all problems together.
    pub fn unseen(&self, policy: usize, lens: &Lens) -> Option<Unseen> {
        let hits: Vec<u32> = (0..self.problems()).flat_map(|i| self.hits(policy, i, lens)).collect();
        Unseen::of(&hits)
    }

    /// Entropy of a policy's answers on a problem, `NA` as one class, corrected after
    /// Miller and Madow, nats.
    pub fn problem_answer_entropy_corrected(&self, policy: usize, problem: usize) -> Option<f64> {
        entropy::miller_madow(
            &self.answers(policy, problem).into_values().map(|(n, _)| n).collect::<Vec<_>>(),
        )
    }

    /// Mean over problems of [`Ledger::problem_answer_entropy_corrected`].
    pub fn answer_entropy_corrected(&self, policy: usize) -> Option<f64> {
        self.mean(|problem| self.problem_answer_entropy_corrected(policy, problem))
    }

    /// Entropy of the lens's items among a policy's correct completions only, plug-in,
    /// nats, mean over the problems that have any.
    pub fn correct_entropy(&self, policy: usize, lens: &Lens) -> Option<f64> {
        self.mean(|problem| entropy::plug_in(&self.hits(policy, problem, lens)))
    }

    /// maj@k: how often the most frequent answer of k completions is correct, mean over
    /// problems with its 95 % interval, from `times` samples of k without replacement;
    /// exact at k = n. Completions without an answer have no vote; of answers with equally
    /// many, each has an equal chance. `None` where a problem has fewer than k.
    pub fn majority_at(&self, policy: usize, k: u32, times: u32, stream: Stream) -> Option<Point> {
        if k == 0 || k > self.least_drawn(policy) {
            return None;
        }
        let each: Vec<f64> = (0..self.problems())
            .filter(|&i| self.drawn(policy, i) > 0)
            .map(|i| self.problem_majority(policy, i, k, times, stream.with("majority").at(i as u64)))
            .collect();
        let (low, high) = mean_interval(&each)?;
        Some(Point { k, value: each.iter().sum::<f64>() / each.len() as f64, low, high })
    }

    fn problem_majority(&self, policy: usize, problem: usize, k: u32, times: u32, mut stream: Stream) -> f64 {
        let mut answers: Vec<(Option<u32>, (u32, bool))> =
            self.answers(policy, problem).into_iter().collect();
        answers.sort_unstable();
        let votes = |counts: &[u32]| {
            let voting = || answers.iter().zip(counts).filter(|((answer, _), n)| answer.is_some() && **n > 0);
            let most = voting().map(|(_, n)| *n).max().unwrap_or(0);
            let first: Vec<bool> = voting().filter(|(_, n)| **n == most).map(|((_, (_, c)), _)| *c).collect();
            first.iter().filter(|c| **c).count() as f64 / first.len().max(1) as f64
        };
        let all: Vec<u32> = answers.iter().map(|(_, (n, _))| *n).collect();
        let n: u32 = all.iter().sum();
        if k == n {
            return votes(&all);
        }
        // Draw k of n without replacement: a partial shuffle of whose answer is whose.
        let mut deck: Vec<u32> =
            all.iter().zip(0..).flat_map(|(n, i)| std::iter::repeat_n(i, *n as usize)).collect();
        let mut sum = 0.0;
        for _ in 0..times {
            let mut counts = vec![0; all.len()];
            for at in 0..k as usize {
                let other = at + stream.below(deck.len() - at);
                deck.swap(at, other);
                counts[deck[at] as usize] += 1;
            }
            sum += votes(&counts);
        }
        sum / f64::from(times.max(1))
    }

    /// A policy's answers on a problem: how often each came, and whether it is correct.
    fn answers(&self, policy: usize, problem: usize) -> HashMap<Option<u32>, (u32, bool)> {
        let mut answers: HashMap<Option<u32>, (u32, bool)> = HashMap::new();
        for class in self.desk(problem).into_iter().flat_map(|d| &d.classes) {
            let n = class.drawn.get(policy).copied().unwrap_or(0);
            if n > 0 {
                let entry = answers.entry(class.id.answer).or_default();
                *entry = (entry.0 + n, entry.1 || class.id.correct);
            }
        }
        answers
    }

    /// The problems on which both policies of a pair have drawn.
    pub(super) fn compared(&self, pair: Pair) -> impl Iterator<Item = usize> + '_ {
        (0..self.problems()).filter(move |&i| self.matched(pair, i) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{judged, ledger_of};
    use crate::support::{Criterion, Status};

    /// Answers of the base on one problem, right where the letter is upper case.
    fn base(answers: &str) -> Ledger {
        let all: Vec<_> = answers
            .chars()
            .map(|c| judged((c != '-').then_some(&*c.to_string()), c.is_uppercase(), None, None))
            .collect();
        ledger_of(&[[&all[..], &all[..]]])
    }

    #[test]
    fn a_majority_equals_enumeration() {
        for answers in ["AAbb-", "AbbC--", "Abcd", "---", "AAA", "aabB"] {
            let ledger = base(answers);
            let letters: Vec<char> = answers.chars().collect();
            for k in 1..=letters.len() as u32 {
                let sets: Vec<u32> = (0u32..1 << letters.len()).filter(|s| s.count_ones() == k).collect();
                let won = |set: &u32| {
                    let drawn = || (0..letters.len()).filter(|i| set >> i & 1 == 1).map(|i| letters[i]);
                    let votes = |c: char| if c == '-' { 0 } else { drawn().filter(|d| *d == c).count() };
                    let most = drawn().map(votes).max().unwrap();
                    let mut first: Vec<char> = drawn().filter(|c| *c != '-' && votes(*c) == most).collect();
                    first.sort_unstable();
                    first.dedup();
                    first.iter().filter(|c| c.is_uppercase()).count() as f64 / first.len().max(1) as f64
                };
                let want = sets.iter().map(won).sum::<f64>() / sets.len() as f64;
                let got = ledger.majority_at(0, k, 4000, Stream::new(1)).unwrap();
                assert!((got.value - want).abs() < 0.03, "{answers} {k}: {} {want}", got.value);
                assert!(got.low <= got.value && got.value <= got.high);
            }
            assert_eq!(ledger.majority_at(0, letters.len() as u32 + 1, 9, Stream::new(1)), None);
        }
    }

    #[test]
    fn coverage_entropy_and_the_unseen_are_of_correct_items() {
        let ledger = base("AABc-Bd");
        let lens = Lens { unit: Unit::Answer, ..Lens::default() };
        let curve = ledger.coverage_curve(0, &lens);
        assert_eq!(curve.iter().map(|p| p.k).collect::<Vec<_>>(), [1, 2, 4, 7]);
        // One draw shows a correct answer in 4 of 7 cases; all draws show two.
        assert!((curve[0].value - 4.0 / 7.0).abs() < 1e-12 && curve[3].value == 2.0);
        assert!((ledger.correct_entropy(0, &lens).unwrap() - 2f64.ln()).abs() < 1e-12);
        let corrected = ledger.answer_entropy_corrected(0).unwrap();
        assert!((corrected - ledger.answer_entropy(0).unwrap() - 4.0 / 14.0).abs() < 1e-9);
        let unseen = ledger.unseen(0, &lens).unwrap();
        assert_eq!((unseen.seen, unseen.missing_mass), (2, 0.0));
        assert_eq!(base("a-").unseen(0, &lens), None);
    }

    #[test]
    fn the_sample_has_the_ledgers_counts() {
        let right = judged(Some("1"), true, Some("add"), Some(true));
        let lucky = judged(Some("1"), true, Some("guess"), Some(false));
        let wrong = judged(None, false, Some("add"), Some(false));
        let (r, l, w) = (&right, &lucky, &wrong);
        let each = |all: &[&crate::problem::Verdict]| all.iter().map(|v| (*v).clone()).collect::<Vec<_>>();
        let rows = [
            [each(&[r, l, w]), each(&[w, r, r, r])],
            [each(&[l, w]), each(&[w, w])],
            [each(&[w]), each(&[w])],
            [each(&[r]), each(&[])],
        ];
        let ledger = ledger_of(&rows.each_ref().map(|[a, b]| [&a[..], &b[..]]));
        let pair = Pair::with_base(1);
        for unit in Unit::ALL {
            for sound in [false, true] {
                for criterion in [Criterion::default(), Criterion::Found { min_hits: 2 }] {
                    let lens = Lens { unit, criterion, sound };
                    let sample = ledger.sample(pair, &lens);
                    assert_eq!(sample.counts(), ledger.counts(pair, &lens), "{lens:?}");
                    assert_eq!(sample.problems.len(), 3);
                    let floor = ledger.noise_floor(pair, &lens).unwrap();
                    assert_eq!(floor.k, (1, 3));
                }
            }
        }
        let lens = Lens::default();
        assert_eq!(ledger.status(pair, 1, &lens), Some(Status::Shrunk));
        let change = ledger.problem_change(pair, 1, &lens, 0.05).unwrap();
        assert_eq!((change.hits, change.drawn, change.p_value), ([1, 0], [2, 2], 1.0));
        assert_eq!(ledger.problem_change(pair, 3, &lens, 0.05), None);
    }
}
