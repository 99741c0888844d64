//! What a policy can do and has not shown yet, from how often each item came.

/// An estimate from one policy's hits of distinct correct items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unseen {
    /// Distinct items seen.
    pub seen: u64,
    /// Good–Turing: the share of the correct probability that is on items not seen, in
    /// 0..=1 (Good 1953).
    pub missing_mass: f64,
    /// Chao1 in its bias-corrected form: at least so many items there are (Chao 1984).
    pub richness: f64,
    /// Good–Toulmin: how many new items as many draws again would show.
    pub next: f64,
}

impl Unseen {
    /// From the hits of each item. `None` where nothing was hit.
    pub fn of(hits: &[u32]) -> Option<Unseen> {
        let total: u64 = hits.iter().map(|h| u64::from(*h)).sum();
        let times = |n: u32| hits.iter().filter(|h| **h == n).count() as f64;
        let (once, twice) = (times(1), times(2));
        let seen = hits.iter().filter(|h| **h > 0).count() as u64;
        (total > 0).then(|| Unseen {
            seen,
            missing_mass: once / total as f64,
            richness: seen as f64 + once * (once - 1.0).max(0.0) / (2.0 * (twice + 1.0)),
            next: extrapolated(hits, 1.0),
        })
    }

    /// A sentence for people; `items` is the plural of what is counted, `whose` the policy.
    pub fn sentence(&self, whose: &str, items: &str) -> String {
        match self.missing_mass * 100.0 {
            0.0 => format!("no sign that {whose} has correct {items} not seen yet"),
            percent if percent < 0.1 => {
                format!("less than 0.1 % of the correct probability of {whose} is on {items} not seen yet")
            }
            percent if percent < 10.0 => {
                format!(
                    "about {percent:.1} % of the correct probability of {whose} is on {items} not seen yet"
                )
            }
            percent => {
                format!(
                    "about {percent:.0} % of the correct probability of {whose} is on {items} not seen yet"
                )
            }
        }
    }
}

/// How many new items `t` times as many draws again would show: Good & Toulmin 1956,
/// −Σ (−t)^h f_h, weighted by P(L ≥ h) for a random L, without which it has no use beyond
/// t = 1 (Orlitsky, Suresh & Wu 2016: L binomial, with ½ log₂(n t²/(t − 1)) trials of
/// probability 2/(2 + t)). Up to t = 1 nothing is weighted. Sound up to t of the order of
/// ln n, n being all hits. Never below 0.
pub fn extrapolated(hits: &[u32], t: f64) -> f64 {
    let total: f64 = hits.iter().map(|h| f64::from(*h)).sum();
    let most = hits.iter().copied().max().unwrap_or(0) as usize;
    let mut of = vec![0.0; most + 1];
    hits.iter().for_each(|h| of[*h as usize] += 1.0);
    let trials =
        if t > 1.0 { (0.5 * (total * t * t / (t - 1.0)).log2()).floor().max(1.0) as usize } else { 0 };
    let chance = 2.0 / (2.0 + t);
    let mut sum = 0.0;
    let (mut power, mut weight, mut exactly) = (1.0, 1.0, (1.0 - chance).powi(trials as i32));
    for (h, of) in of.iter().enumerate().skip(1) {
        power *= -t;
        if t > 1.0 {
            // `weight` is P(L ≥ h): what is left after P(L = h − 1).
            weight = f64::max(weight - exactly, 0.0);
            if h > trials {
                break;
            }
            exactly *= (trials - (h - 1)) as f64 / h as f64 * chance / (1.0 - chance);
        }
        sum -= power * weight * of;
    }
    sum.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    /// Hits of 400 items of a long tail in n draws, and the probabilities.
    fn drawn(n: usize, stream: &mut Stream) -> (Vec<u32>, Vec<f64>) {
        let weights: Vec<f64> = (1..=400).map(|i| 1.0 / f64::from(i)).collect();
        let total: f64 = weights.iter().sum();
        let mut hits = vec![0; 400];
        (0..n).for_each(|_| hits[stream.weighted(&weights)] += 1);
        (hits, weights.iter().map(|w| w / total).collect())
    }

    #[test]
    fn estimates_are_near_the_truth_on_average() {
        let (runs, n) = (60, 500);
        let mut stream = Stream::new(4);
        let (mut mass, mut missing, mut new) = (0.0, 0.0, [0.0; 3]);
        let (mut once, mut thrice, mut richness) = (0.0, 0.0, 0.0);
        for _ in 0..runs {
            let (hits, p) = drawn(n, &mut stream);
            let unseen = Unseen::of(&hits).unwrap();
            missing += unseen.missing_mass;
            mass += p.iter().zip(&hits).filter(|(_, h)| **h == 0).map(|(p, _)| p).sum::<f64>();
            once += unseen.next;
            thrice += extrapolated(&hits, 3.0);
            richness += unseen.richness / runs as f64;
            for (new, t) in new.iter_mut().zip([1, 3]) {
                let miss = |p: f64, n: usize| (1.0 - p).powi(n as i32);
                *new += p
                    .iter()
                    .zip(&hits)
                    .filter(|(_, h)| **h == 0)
                    .map(|(p, _)| 1.0 - miss(*p, t * n))
                    .sum::<f64>();
            }
        }
        let near = |a: f64, b: f64, by: f64| assert!((a / b - 1.0).abs() < by, "{a} {b}");
        near(missing, mass, 0.05);
        near(once, new[0], 0.08);
        near(thrice, new[1], 0.25);
        // A lower bound: above what was seen, below what there is.
        assert!((250.0..400.0).contains(&richness), "{richness}");
    }

    #[test]
    fn the_textbook_case() {
        // f1 = 2, f2 = 1, 7 hits.
        let unseen = Unseen::of(&[1, 1, 2, 3, 0]).unwrap();
        assert_eq!((unseen.seen, unseen.missing_mass, unseen.richness), (4, 2.0 / 7.0, 4.5));
        assert_eq!(unseen.next, 2.0 - 1.0 + 1.0);
        assert_eq!((Unseen::of(&[]), Unseen::of(&[0, 0])), (None, None));
        assert_eq!(extrapolated(&[], 2.0), 0.0);
    }

    #[test]
    fn it_is_worded_for_people() {
        let of = |missing_mass| Unseen { seen: 9, missing_mass, richness: 9.0, next: 0.0 };
        assert_eq!(
            of(0.02).sentence("the base", "methods"),
            "about 2.0 % of the correct probability of the base is on methods not seen yet"
        );
        assert!(of(0.0004).sentence("the base", "methods").starts_with("less than 0.1 %"));
        assert!(of(0.0).sentence("rlvr", "answers").starts_with("no sign that rlvr"));
    }
}
