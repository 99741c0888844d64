//! The ledger against plain recounting, in any order and interleaving.

use super::*;
use crate::completion::{Completion, Finish};
use crate::problem::Verdict;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A completion whose verdict is a function of its text, as a verifier's is.
fn drawn(index: u32, text: u32) -> (Completion, Verdict) {
    let completion = Completion {
        index,
        text: format!("text {text}"),
        length: (!text.is_multiple_of(7)).then_some(text + 1),
        logprob: None,
        token_entropy: (!text.is_multiple_of(5)).then_some(f64::from(text) / 8.0),
        entropy_range: None,
        trace: Vec::new(),
        finish: Finish::Stop,
    };
    let correct = text.is_multiple_of(3);
    let verdict = Verdict {
        answer: (text % 4 != 1 || correct).then(|| (text % 6).to_string()),
        rule: None,
        correct,
        method: (text % 5 != 2).then(|| format!("m{}", text % 4)),
        sound: [None, Some(true), Some(false)][text as usize % 9 / 3],
        ..Verdict::default()
    };
    (completion, verdict)
}

/// All that was drawn: by (policy, problem), text by index.
type Drawn = BTreeMap<(usize, usize), Vec<u32>>;

fn filled(drawn_texts: &Drawn, mut order: Vec<(usize, usize, u32)>, seed: u64) -> Ledger {
    crate::random::Stream::new(seed).shuffle(&mut order);
    let mut ledger = Ledger::new(3, 2);
    for (policy, problem, index) in order {
        let (completion, verdict) = drawn(index, drawn_texts[&(policy, problem)][index as usize]);
        ledger.add(policy, problem, &completion, &verdict);
    }
    ledger
}

fn order(texts: &Drawn) -> Vec<(usize, usize, u32)> {
    texts.iter().flat_map(|(&(a, b), t)| (0..t.len() as u32).map(move |i| (a, b, i))).collect()
}

/// The counts of one problem, recounted from the definition.
fn recounted(texts: &Drawn, pair: Pair, problem: usize, lens: &Lens) -> Counts {
    let sides = [pair.base, pair.rlvr].map(|p| &texts[&(p, problem)]);
    let k = sides[0].len().min(sides[1].len());
    let mut hits: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for (side, texts) in sides.into_iter().enumerate() {
        for &text in &texts[..k] {
            let (completion, verdict) = drawn(0, text);
            let item = match lens.unit {
                Unit::Problem => Some("solved".into()),
                Unit::Answer => verdict.answer,
                Unit::Method => verdict.method,
                Unit::Completion => Some(completion.text),
            };
            if let Some(item) = item
                && verdict.correct
                && (!lens.sound || verdict.sound == Some(true))
            {
                hits.entry(item).or_default()[side] += 1;
            }
        }
    }
    if lens.unit == Unit::Problem && k > 0 {
        hits.entry("solved".into()).or_default();
    }
    let m = lens.criterion.min_hits();
    let mut counts = Counts::default();
    hits.values().for_each(|h| counts.count(Status::of(h[0] >= m, h[1] >= m), 1));
    counts
}

fn lenses() -> Vec<Lens> {
    let criteria = [
        Criterion::Found { min_hits: 1 },
        Criterion::Found { min_hits: 2 },
        Criterion::Found { min_hits: 7 },
        Criterion::Threshold { zeta: 0.05 },
    ];
    let all = Unit::ALL.into_iter().flat_map(|unit| criteria.map(|criterion| (unit, criterion)));
    all.flat_map(|(unit, criterion)| [false, true].map(|sound| Lens { unit, criterion, sound })).collect()
}

fn texts() -> impl Strategy<Value = Drawn> {
    let one = || prop::collection::vec(0u32..24, 0..40);
    prop::collection::vec(one(), 6).prop_map(|all| (0..3).flat_map(|p| [(p, 0), (p, 1)]).zip(all).collect())
}

proptest! {
    #[test]
    fn incremental_equals_batch_under_any_order(texts in texts(), seed: u64, cut in 0u32..45) {
        let ledger = filled(&texts, order(&texts), seed);
        let cut_texts: Drawn = texts.iter().map(|(key, t)| (*key, t[..t.len().min(cut as usize)].to_vec())).collect();
        let cut_ledger = ledger.at(cut);
        for (ledger, texts) in [(&ledger, &texts), (&cut_ledger, &cut_texts)] {
            for pair in [Pair::with_base(1), Pair::with_base(2)] {
                for lens in lenses() {
                    let each = [0, 1].map(|problem| recounted(texts, pair, problem, &lens));
                    for problem in [0, 1] {
                        prop_assert_eq!(ledger.problem_counts(pair, problem, &lens), each[problem]);
                        let items = ledger.items(pair, problem, &lens).len() as u64;
                        prop_assert_eq!(items, each[problem].total());
                    }
                    prop_assert_eq!(ledger.counts(pair, &lens), each[0] + each[1]);
                }
            }
            for (&(policy, problem), texts) in texts {
                let n = texts.len() as u32;
                let correct = texts.iter().filter(|t| t.is_multiple_of(3)).count() as u32;
                prop_assert_eq!((ledger.drawn(policy, problem), ledger.correct(policy, problem)), (n, correct));
                let known: Vec<f64> = texts.iter().filter_map(|&t| drawn(0, t).0.token_entropy).collect();
                let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
                prop_assert_eq!(ledger.problem_token_entropy(policy, problem), mean);
                let mut answers: BTreeMap<Option<String>, f64> = BTreeMap::new();
                texts.iter().for_each(|&t| *answers.entry(drawn(0, t).1.answer).or_default() += 1.0);
                let entropy: f64 = answers.values().map(|c| -c / f64::from(n) * (c / f64::from(n)).ln()).sum();
                let got = ledger.problem_answer_entropy(policy, problem);
                prop_assert_eq!(got.is_some(), n > 0);
                prop_assert!(got.is_none_or(|h| (h - entropy).abs() < 1e-9));
                for (i, text) in texts.iter().enumerate() {
                    let outcome = ledger.outcome(policy, problem, i as u32).unwrap();
                    prop_assert_eq!(outcome.verdict, drawn(0, *text).1);
                }
            }
        }
    }

    #[test]
    fn figures_are_of_the_contiguous_prefix(texts in texts(), hole in 0u32..40, seed: u64) {
        let all = order(&texts);
        let with_hole = filled(&texts, all.into_iter().filter(|o| o.2 != hole).collect(), seed);
        let prefix: Drawn = texts.iter().map(|(key, t)| (*key, t[..t.len().min(hole as usize)].to_vec())).collect();
        for (&(policy, problem), texts) in &prefix {
            prop_assert_eq!(with_hole.drawn(policy, problem) as usize, texts.len());
        }
        for lens in lenses() {
            let want: Counts = [0, 1].iter().map(|&i| recounted(&prefix, Pair::with_base(2), i, &lens)).sum();
            prop_assert_eq!(with_hole.counts(Pair::with_base(2), &lens), want);
        }
    }

    #[test]
    fn clusters_hold_every_matched_completion_once(texts in texts(), seed: u64) {
        let ledger = filled(&texts, order(&texts), seed);
        let pair = Pair::with_base(1);
        for problem in [0, 1] {
            let clusters = ledger.clusters(pair, problem);
            let k = ledger.matched(pair, problem);
            for side in [0, 1] {
                prop_assert_eq!(clusters.iter().map(|c| c.hits[side]).sum::<u32>(), k);
                let members: BTreeSet<u32> = clusters
                    .iter()
                    .flat_map(|c| ledger.members(side, problem, &c.key).into_iter().filter(|i| *i < k))
                    .collect();
                prop_assert_eq!(members.len() as u32, k);
            }
            for c in &clusters {
                prop_assert!(c.correct || c.key.method.is_none());
                prop_assert!(c.sound[0] <= c.hits[0] && c.sound[1] <= c.hits[1]);
                prop_assert_eq!(c.status, Status::of(c.hits[0] > 0, c.hits[1] > 0));
            }
        }
    }
}

#[test]
fn nothing_drawn_gives_nothing() {
    let mut ledger = Ledger::new(2, 1);
    let pair = Pair::with_base(1);
    let lens = Lens::default();
    let empty = |ledger: &Ledger| {
        assert_eq!(ledger.counts(pair, &lens), Counts::default());
        assert_eq!(ledger.status(pair, 0, &lens), None);
        assert_eq!(ledger.crossing(pair), Crossing::Unknown);
        assert!(ledger.clusters(pair, 0).is_empty() && ledger.pass_curve(1).is_empty());
        assert_eq!(
            (ledger.pass_at(1, 1), ledger.answer_entropy(1), ledger.mean_tokens(1)),
            (None, None, None)
        );
    };
    empty(&ledger);
    // What is out of range, a duplicate, and a gap change nothing.
    let (completion, verdict) = drawn(5, 3);
    for (policy, problem) in [(2, 0), (0, 1), (1, 0), (1, 0)] {
        ledger.add(policy, problem, &completion, &verdict);
    }
    empty(&ledger);
    for pair in [Pair { base: 0, rlvr: 0 }, Pair { base: 1, rlvr: 0 }, Pair::with_base(9)] {
        assert_eq!((ledger.matched(pair, 0), ledger.counts(pair, &lens)), (0, Counts::default()));
    }
    empty(&Ledger::new(0, 0));
}

#[test]
fn policies_of_different_length_are_compared_at_the_shorter() {
    let mut ledger = Ledger::new(2, 1);
    let add = |ledger: &mut Ledger, policy, index, text| {
        let (completion, verdict) = drawn(index, text);
        ledger.add(policy, 0, &completion, &verdict);
    };
    // The base is right at its second draw only, which the other does not reach.
    add(&mut ledger, 0, 0, 1);
    add(&mut ledger, 0, 1, 3);
    add(&mut ledger, 1, 0, 1);
    let (pair, lens) = (Pair::with_base(1), Lens::default());
    assert_eq!((ledger.matched(pair, 0), ledger.status(pair, 0, &lens)), (1, Some(Status::OutOfSupport)));
    add(&mut ledger, 1, 1, 4);
    assert_eq!((ledger.matched(pair, 0), ledger.status(pair, 0, &lens)), (2, Some(Status::Shrunk)));
    assert_eq!(ledger.drawn(0, 0), 2);
}

/// A ledger of two policies with so many correct of n on each problem.
fn with_correct(n: u32, correct: &[[u32; 2]]) -> Ledger {
    let mut ledger = Ledger::new(2, correct.len());
    for (problem, c) in correct.iter().enumerate() {
        for policy in [0, 1] {
            for index in 0..n {
                let (completion, verdict) = drawn(index, if index < c[policy] { 3 } else { 1 });
                ledger.add(policy, problem, &completion, &verdict);
            }
        }
    }
    ledger
}

#[test]
fn curves_are_means_over_problems_and_blank_beyond_the_least_drawn() {
    let mut ledger = with_correct(8, &[[2, 8], [0, 4]]);
    assert_eq!(ledger.pass_at(0, 1), Some(0.125));
    assert_eq!(ledger.average(1), Some(0.75));
    assert_eq!(ledger.all_at(1, 4), Some((1.0 + 1.0 / 70.0) / 2.0));
    assert_eq!(ledger.cover_at(0, 0.25), Some(0.5));
    assert_eq!(ledger.pass_at(0, 9), None);
    assert_eq!(ledger.pass_curve(0).iter().map(|p| p.k).collect::<Vec<_>>(), [1, 2, 4, 8]);
    // Text 3, the only correct one here, is sound.
    assert_eq!(ledger.sound_curve(0), ledger.pass_curve(0));
    assert_eq!(ledger.problem_sound_curve(1, 1), ledger.problem_curve(1, 1));
    for p in ledger.pass_curve(0).iter().chain(&ledger.problem_curve(0, 0)) {
        assert!(0.0 <= p.low && p.low <= p.value && p.value <= p.high && p.high <= 1.0);
    }
    let (completion, verdict) = drawn(8, 3);
    ledger.add(0, 0, &completion, &verdict);
    assert_eq!((ledger.pass_at(0, 9), ledger.least_drawn(0)), (None, 8));
}

#[test]
fn the_crossing_is_where_the_curves_cross() {
    // The base solves each of 20 problems now and then, the other 15 often and 5 never.
    let correct: Vec<[u32; 2]> = (0..20).map(|i| [8, if i < 15 { 200 } else { 0 }]).collect();
    let ledger = with_correct(256, &correct);
    let Crossing::At { k, low, high } = ledger.crossing(Pair::with_base(1)) else { panic!("they cross") };
    let lead = |k| ledger.pass_at(1, k).unwrap() - ledger.pass_at(0, k).unwrap();
    assert!(lead(k - 1) > 0.0 && lead(k) <= 0.0, "{k}");
    assert!(1 < low && low < k && k < high && high < 256, "{low} {k} {high}");
    assert_eq!(ledger.sound_crossing(Pair::with_base(1)), Crossing::At { k, low, high });
    let ahead = with_correct(16, &[[1, 9], [0, 16]]);
    assert_eq!(ahead.crossing(Pair::with_base(1)), Crossing::NoneUpTo(16));
    let never = with_correct(16, &[[9, 1], [16, 0]]);
    assert_eq!(never.crossing(Pair::with_base(1)), Crossing::NoneUpTo(16));
}

#[test]
fn lucky_completions_are_in_no_sound_figure() {
    let lucky = [judged(Some("1"), true, None, Some(false)), judged(Some("1"), true, None, None)];
    let ledger = ledger_of(&[[&lucky, &lucky]]);
    assert_eq!((ledger.correct(0, 0), ledger.sound(0, 0), ledger.unchecked(0, 0)), (2, 0, 1));
    assert!(ledger.sound_curve(0).iter().all(|p| p.value == 0.0));
    let status = |sound| ledger.status(Pair::with_base(1), 0, &Lens { sound, ..Lens::default() });
    assert_eq!((status(false), status(true)), (Some(Status::Preserved), Some(Status::OutOfSupport)));
}

#[test]
fn history_is_kept_at_powers_of_two_and_now() {
    let ledger = with_correct(6, &[[0, 0]]);
    let ks: Vec<u32> = ledger.entropy_history(0, 0).iter().map(|h| h.k).collect();
    assert_eq!(ks, [1, 2, 4, 6]);
    let last = *ledger.entropy_history(0, 0).last().unwrap();
    assert_eq!(Some(last.token), ledger.problem_token_entropy_range(0, 0));
    assert_eq!(Some(last.answer), ledger.problem_answer_entropy(0, 0));
}

#[test]
fn a_completion_costs_at_most_36_bytes() {
    assert!(size_of::<super::slots::Slot>() <= 24);
    let mut ledger = Ledger::new(2, 1);
    let mut stream = crate::random::Stream::new(0);
    for n in 1..=16_384u32 {
        for policy in [0, 1] {
            // A quarter of the texts are new.
            let text = 3 * stream.below(16_384 / 4) as u32 + 1 - stream.below(2) as u32;
            let (completion, verdict) = drawn(n - 1, text);
            ledger.add(policy, 0, &completion, &verdict);
        }
        let (slots, tables) = ledger.bytes();
        if n >= 256 {
            assert!(slots <= 2 * n as usize * 26, "{slots} bytes for 2 × {n}");
        }
        if n.is_power_of_two() && n >= 4096 {
            assert!(slots + tables <= 2 * n as usize * 36, "{tables} bytes of tables for 2 × {n}");
        }
    }
}

/// A verdict in short.
pub(super) fn judged(
    answer: Option<&str>,
    correct: bool,
    method: Option<&str>,
    sound: Option<bool>,
) -> Verdict {
    let (answer, method) = (answer.map(str::to_owned), method.map(str::to_owned));
    Verdict { answer, correct, method, sound, ..Verdict::default() }
}

/// A ledger of two policies: for each problem, the verdicts of the base and of the other.
/// Completions with equal verdicts have equal texts.
pub(super) fn ledger_of(problems: &[[&[Verdict]; 2]]) -> Ledger {
    let mut ledger = Ledger::new(2, problems.len());
    for (problem, sides) in problems.iter().enumerate() {
        for (policy, verdicts) in sides.iter().enumerate() {
            for (index, verdict) in verdicts.iter().enumerate() {
                let mut completion = drawn(index as u32, 0).0;
                completion.text = format!("{verdict:?}");
                ledger.add(policy, problem, &completion, verdict);
            }
        }
    }
    ledger
}
