//! From verdicts to slopes: what a group's rewards are worth, and how far a token may move.

use super::knobs::{Advantage, Knobs, Samples};

/// The advantage of each completion of a group; `None` where all are equal, which teaches
/// nothing. `logprobs` are those of the whole completions, for their rank.
///
/// Under `grpo` the advantages are (r − mean) / std (Shao et al. 2024); under `dr-grpo`
/// r − mean (Liu et al. 2025); under `rloo` r − the mean of the others (Ahmadian et al. 2024).
pub fn advantages(rewards: &[f32], logprobs: &[f32], knobs: &Knobs) -> Option<Vec<f32>> {
    let (mut shaped, spread) = best_of(rewards, knobs.pass_k);
    demote(&mut shaped, rewards, logprobs, knobs.unlikely as f32);
    let n = shaped.len() as f32;
    let mean = shaped.iter().sum::<f32>() / n;
    let own = (shaped.iter().map(|r| (r - mean).powi(2)).sum::<f32>() / n).sqrt();
    if own.is_nan() || own <= 1e-6 {
        return None;
    }
    let scale = match knobs.advantage {
        Advantage::Grpo => 1.0 / spread.unwrap_or(own),
        Advantage::DrGrpo => 1.0,
        Advantage::Rloo => n / (n - 1.0),
    };
    let kept = |a: f32| match knobs.samples {
        Samples::All => a,
        Samples::Positive => a.max(0.0),
        Samples::Negative => a.min(0.0),
    };
    Some(shaped.iter().map(|r| kept((r - mean) * scale)).collect())
}

/// The reward of a random subset of k of the group that holds completion i, which is that
/// of its best, in expectation; and the spread of such subsets' rewards (Chen et al. 2025).
/// With k = 1 the rewards as they are.
fn best_of(rewards: &[f32], k: usize) -> (Vec<f32>, Option<f32>) {
    let n = rewards.len();
    let k = k.min(n);
    if k <= 1 {
        return (rewards.to_vec(), None);
    }
    let wrong = rewards.iter().filter(|r| **r <= 0.0).count();
    let all_wrong = none_of(n, wrong, k);
    let mean = 1.0 - all_wrong;
    // A subset with a wrong completion: k − 1 others are all wrong too.
    let of_wrong = 1.0 - if wrong > 0 { none_of(n - 1, wrong - 1, k - 1) } else { 0.0 };
    let shaped = rewards.iter().map(|r| if *r > 0.0 { 1.0 } else { of_wrong as f32 }).collect();
    let spread = (mean * (1.0 - mean)).sqrt() as f32;
    (shaped, (spread > 1e-6).then_some(spread))
}

/// The chance that k of n draws without return are all among `wrong`.
fn none_of(n: usize, wrong: usize, k: usize) -> f64 {
    (0..k).map(|i| wrong.saturating_sub(i) as f64 / (n - i) as f64).product()
}

/// Takes up to `share` of their reward from right completions: all of it from the
/// likeliest of the group, less by rank (He et al. 2025).
fn demote(shaped: &mut [f32], rewards: &[f32], logprobs: &[f32], share: f32) {
    if share <= 0.0 {
        return;
    }
    let n = shaped.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| logprobs[*b].total_cmp(&logprobs[*a]));
    for (rank, i) in order.into_iter().enumerate() {
        if rewards[i] > 0.0 {
            shaped[i] *= 1.0 - share * (n - rank) as f32 / n as f32;
        }
    }
}

/// The derivative by a token's log-probability of the clipped loss −min(ρ A, clip(ρ) A),
/// where ρ = e^`moved` stays between 1 − `low` and 1 + `high`.
pub fn clipped(moved: f32, advantage: f32, low: f32, high: f32) -> f32 {
    let ratio = moved.exp();
    if is_spent(moved, advantage, low, high) { 0.0 } else { -advantage * ratio }
}

/// Whether a token has moved as far as it may in the direction of its advantage.
pub fn is_spent(moved: f32, advantage: f32, low: f32, high: f32) -> bool {
    let ratio = moved.exp();
    if advantage > 0.0 { ratio > 1.0 + high } else { ratio < 1.0 - low }
}

/// The divergence of a token's distribution from the base's, estimated from the token:
/// k3 = q/π − 1 − ln q/π, never negative and right on average (Schulman 2020). `gap` is
/// ln q − ln π.
pub fn k3(gap: f32) -> f32 {
    let gap = gap.min(FAR);
    gap.exp() - 1.0 - gap
}

/// The derivative of [`k3`] by ln π.
pub fn k3_slope(gap: f32) -> f32 {
    1.0 - gap.min(FAR).exp()
}

/// Beyond e^20 a ratio says only that it is large.
const FAR: f32 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn knobs(settings: &[&str]) -> Knobs {
        let mut knobs = Knobs::default();
        settings.iter().for_each(|s| knobs.set(s).unwrap());
        knobs
    }

    fn of(rewards: &[f32], settings: &[&str]) -> Option<Vec<f32>> {
        advantages(rewards, &vec![0.0; rewards.len()], &knobs(settings))
    }

    fn near(found: Option<Vec<f32>>, want: &[f32]) {
        let found = found.unwrap();
        assert!(found.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}, not {want:?}");
    }

    #[test]
    fn advantages_by_hand() {
        assert_eq!(of(&[1.0, 1.0, 1.0], &[]), None);
        assert_eq!(of(&[0.0, 0.0], &[]), None);
        near(of(&[1.0, 0.0], &[]), &[1.0, -1.0]);
        // Mean 1/4, standard deviation √(3/16).
        let (up, down) = (3f32.sqrt(), -1.0 / 3f32.sqrt());
        near(of(&[1.0, 0.0, 0.0, 0.0], &[]), &[up, down, down, down]);
        near(of(&[1.0, 0.0, 0.0, 0.0], &["advantage=dr-grpo"]), &[0.75, -0.25, -0.25, -0.25]);
        // The others' means are 0 and 1/3.
        let third = -1.0 / 3.0;
        near(of(&[1.0, 0.0, 0.0, 0.0], &["advantage=rloo"]), &[1.0, third, third, third]);
        near(of(&[1.0, 0.0], &["samples=positive"]), &[1.0, 0.0]);
        near(of(&[1.0, 0.0], &["samples=negative"]), &[0.0, -1.0]);
    }

    #[test]
    fn the_best_of_two_by_hand() {
        // Of four, one right. Pairs: 6, of which 3 hold it: mean 1/2, spread 1/2. A pair with
        // a given wrong one has the right one in 1 of 3.
        near(of(&[1.0, 0.0, 0.0, 0.0], &["pass_k=2"]), &[1.0, -1.0 / 3.0, -1.0 / 3.0, -1.0 / 3.0]);
        // Where every pair holds a right one, nothing is left to learn.
        assert_eq!(of(&[1.0, 1.0, 1.0, 0.0], &["pass_k=2"]), None);
        assert_eq!(of(&[0.0, 0.0, 0.0], &["pass_k=2"]), None);
        // More than the group is the whole group.
        assert_eq!(of(&[1.0, 0.0], &["pass_k=9"]), None);
    }

    #[test]
    fn the_unlikely_by_hand() {
        let k = knobs(&["unlikely=0.4", "advantage=dr-grpo"]);
        // Ranks 0, 1, 2, 3 of 4: shares .4, .3, .2, .1. Rewards .6, 0, .8, .9: mean .575.
        let found = advantages(&[1.0, 0.0, 1.0, 1.0], &[-1.0, -2.0, -3.0, -4.0], &k);
        near(found, &[0.025, -0.575, 0.225, 0.325]);
        // A group that is all right still teaches: the rare gain on the common.
        let found = advantages(&[1.0, 1.0], &[-1.0, -5.0], &k);
        near(found, &[-0.1, 0.1]);
    }

    #[test]
    fn a_token_that_moved_far_enough_is_left_alone() {
        let slope = |moved, advantage| clipped(moved, advantage, 0.2, 0.4);
        assert_eq!(slope(0.0, 2.0), -2.0);
        assert_eq!(slope(0.0, -1.0), 1.0);
        assert_eq!(slope(1.5f32.ln(), 2.0), 0.0);
        assert!((slope(1.3f32.ln(), 2.0) + 2.6).abs() < 1e-6, "the upper clip is its own");
        assert_eq!(slope(0.7f32.ln(), -1.0), 0.0);
        // It may still come back.
        assert!((slope(0.5f32.ln(), 1.0) + 0.5).abs() < 1e-6);
        assert!((slope(1.5f32.ln(), -1.0) - 1.5).abs() < 1e-6);
    }

    #[test]
    fn the_divergence_is_never_negative_and_its_slope_is_its_derivative() {
        assert_eq!((k3(0.0), k3_slope(0.0)), (0.0, 0.0));
        for gap in [-3.0f32, -0.5, 0.1, 2.0] {
            assert!(k3(gap) > 0.0);
            // ln π rises by h, the gap falls by h.
            let h = 1e-2;
            let rise = (k3(gap - h) - k3(gap + h)) / (2.0 * h);
            assert!((rise - k3_slope(gap)).abs() < 1e-2, "{gap}");
        }
        assert!(k3(1e9).is_finite() && k3(1e9) > 0.0 && k3_slope(1e9).is_finite());
    }
}
