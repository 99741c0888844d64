//! Do the intervals cover, does the test reject as often as it says, is the floor level?

use super::*;
use crate::random::Stream;
use crate::support::resample::binomial;

/// Probabilities of every item of a kind of problem, base and RLVR.
type Kind = Vec<[f64; 2]>;

/// `problems` problems of random kinds, k completions each.
fn sampled(kinds: &[Kind], unit: Unit, problems: usize, k: u32, stream: &mut Stream) -> Sample {
    let problems = (0..problems)
        .map(|_| {
            let kind = &kinds[stream.below(kinds.len())];
            let mut items: Vec<[u32; 2]> = kind.iter().map(|p| p.map(|p| binomial(stream, k, p))).collect();
            if unit != Unit::Problem {
                items.retain(|h| *h != [0, 0]);
            }
            (k, items)
        })
        .collect();
    Sample { unit, min_hits: 1, problems }
}

/// The rates that the sample's converge to with more problems at the same k.
fn truth(kinds: &[Kind], k: u32) -> [f64; 4] {
    let (mut p, mut e, mut s) = (0.0, 0.0, 0.0);
    for [b, r] in kinds.iter().flatten().map(|i| i.map(|p| reaches(k, p, 1))) {
        p += b * r;
        e += (1.0 - b) * r;
        s += b * (1.0 - r);
    }
    let (srr, ndr) = (p / (p + s), e / (p + e));
    [srr, ndr, 2.0 * srr * ndr / (srr + ndr), (e - s) / (p + e + s)]
}

/// How often each interval holds the truth, of `runs`.
fn coverage(kinds: &[Kind], unit: Unit, problems: usize, k: u32, runs: u64) -> [f64; 4] {
    let truth = truth(kinds, k);
    let mut held = [0.0; 4];
    for run in 0..runs {
        let mut stream = Stream::new(17).at(run);
        let i = sampled(kinds, unit, problems, k, &mut stream).intervals(200, stream);
        for (held, (interval, truth)) in
            held.iter_mut().zip([i.srr, i.ndr, i.sds, i.nscr].into_iter().zip(truth))
        {
            let (low, high) = interval.expect("every sample has support");
            *held += f64::from(u8::from(low <= truth && truth <= high)) / runs as f64;
        }
    }
    held
}

#[test]
fn intervals_cover_what_they_say() {
    let problem: Vec<Kind> = [[0.5, 0.9], [0.1, 0.4], [0.02, 0.2], [0.03, 0.0], [0.0, 0.02], [0.05, 0.01]]
        .map(|p| vec![p])
        .to_vec();
    let method: Vec<Kind> = vec![
        vec![[0.3, 0.8], [0.1, 0.05], [0.02, 0.0]],
        vec![[0.2, 0.5], [0.05, 0.0], [0.03, 0.01], [0.01, 0.0]],
        vec![[0.1, 0.1], [0.01, 0.05], [0.0, 0.01]],
        vec![[0.6, 0.9], [0.02, 0.02]],
    ];
    for (kinds, unit, problems) in [
        (&problem, Unit::Problem, 40),
        (&problem, Unit::Problem, 120),
        (&method, Unit::Method, 30),
        (&method, Unit::Method, 90),
    ] {
        let held = coverage(kinds, unit, problems, 64, 400);
        assert!(held.iter().all(|h| *h >= 0.93), "{unit:?} {problems}: {held:?}");
    }
}

#[test]
fn intervals_are_not_wider_than_they_need_be() {
    let kinds: Vec<Kind> = vec![vec![[0.3, 0.8], [0.1, 0.05], [0.02, 0.0]], vec![[0.2, 0.5], [0.05, 0.0]]];
    let mut stream = Stream::new(5);
    let width = |n, stream: &mut Stream| {
        let (low, high) = sampled(&kinds, Unit::Method, n, 64, stream).intervals(300, *stream).srr.unwrap();
        high - low
    };
    let (few, many) = (width(25, &mut stream), width(400, &mut stream));
    // A sixteenth of the problems, about four times the width.
    assert!(many < 0.12 && (2.5..6.0).contains(&(few / many)), "{few} {many}");
}

#[test]
fn a_permutation_test_of_equal_policies_rejects_at_its_level() {
    let kinds: Vec<Kind> =
        vec![vec![[0.02; 2], [0.3; 2]], vec![[0.01; 2], [0.03; 2], [0.005; 2]], vec![[0.04; 2]]];
    for unit in [Unit::Problem, Unit::Method] {
        let (runs, mut rejected) = (1000, 0);
        for run in 0..runs {
            let mut stream = Stream::new(23).at(run);
            let sample = sampled(&kinds, unit, 40, 64, &mut stream);
            rejected += u32::from(sample.permutation(99, stream).unwrap() <= 0.05);
        }
        // Four standard errors above the level; and not far below it.
        let rate = f64::from(rejected) / runs as f64;
        assert!((0.02..0.05 + 4.0 * (0.05 * 0.95 / runs as f64).sqrt()).contains(&rate), "{unit:?}: {rate}");
    }
}

#[test]
fn a_permutation_test_sees_a_real_loss() {
    let kinds: Vec<Kind> = vec![vec![[0.05, 0.001]], vec![[0.5, 0.9]]];
    let mut stream = Stream::new(2);
    let sample = sampled(&kinds, Unit::Problem, 50, 64, &mut stream);
    assert_eq!(sample.permutation(999, stream), Some(0.001));
    let nothing = Sample { unit: Unit::Problem, min_hits: 1, problems: vec![(8, vec![[0, 0]])] };
    assert_eq!(nothing.permutation(99, stream), None);
}

#[test]
fn the_floor_is_what_a_second_base_shows() {
    // Items of many rare probabilities; the second sample is the same policy.
    let kinds: Vec<Kind> = (1..=60).map(|i| vec![[0.0008 * f64::from(i); 2], [0.6; 2]]).collect();
    let k = 128;
    let want: f64 = kinds.iter().flatten().map(|[p, _]| (1.0 - p).powi(k) * (1.0 - (1.0 - p).powi(k))).sum();
    let (k, runs) = (k as u32, 400);
    let (mut formula, mut halves, mut inside) = (0.0, 0.0, 0);
    for run in 0..runs {
        let mut stream = Stream::new(31).at(run);
        let mut problems = Vec::new();
        let mut twice = Vec::new();
        for kind in &kinds {
            let items: Vec<[u32; 2]> = kind.iter().map(|p| p.map(|p| binomial(&mut stream, k, p))).collect();
            twice.push((2 * k, items.iter().map(|h| h[0] + h[1]).collect()));
            problems.push((k, items));
        }
        let sample = Sample { unit: Unit::Method, min_hits: 1, problems };
        let once: Vec<(u32, Vec<u32>)> =
            sample.problems.iter().map(|(k, items)| (*k, items.iter().map(|h| h[0]).collect())).collect();
        let (a, b) = (sample.noise_floor(&once).unwrap(), sample.noise_floor(&twice).unwrap());
        assert_eq!((a.source, b.source), (FloorSource::Formula, FloorSource::Split));
        formula += a.e.value / runs as f64;
        halves += b.e.value / runs as f64;
        let counts = sample.counts();
        inside += u32::from((b.e.low..=b.e.high).contains(&(counts.e as f64)));
    }
    assert!((halves / want - 1.0).abs() < 0.08, "split {halves}, want {want}");
    assert!((0.7..1.05).contains(&(formula / want)), "formula {formula}, want {want}");
    assert!(f64::from(inside) / runs as f64 > 0.93, "{inside}");
}

#[test]
fn nothing_gives_nothing() {
    let empty = Sample::default();
    assert_eq!(empty.intervals(50, Stream::new(0)), Intervals::default());
    assert_eq!((empty.permutation(9, Stream::new(0)), empty.noise_floor(&[])), (None, None));
    // All wrong: counted, with no rate.
    let wrong = Sample { unit: Unit::Problem, min_hits: 1, problems: vec![(4, vec![[0, 0]]); 3] };
    assert_eq!((wrong.intervals(50, Stream::new(0)), wrong.counts().o), (Intervals::default(), 3));
    let floor = wrong.noise_floor(&[(4, vec![0]), (4, vec![0]), (4, vec![0])]).unwrap();
    assert_eq!((floor.e.value, floor.nscr, floor.srr), (0.0, None, None));
    // Nothing changed: still not sure of it. 0 lost of 20 may be up to 16 %.
    let same = Sample { unit: Unit::Problem, min_hits: 1, problems: vec![(64, vec![[60, 64]]); 20] };
    let i = same.intervals(50, Stream::new(0));
    let (low, high) = i.srr.unwrap();
    assert!((low - 0.8389).abs() < 1e-3 && high == 1.0);
    assert!(i.nscr.unwrap().0 < -0.1 && i.sds.unwrap().1 > 0.1);
    // One draw of one problem.
    let single = Sample { unit: Unit::Answer, min_hits: 1, problems: vec![(1, vec![[1, 0]])] };
    let i = single.intervals(50, Stream::new(0));
    assert!(i.srr.is_some() && i.ndr.is_none() && i.sds.is_none() && i.nscr.is_some());
}
