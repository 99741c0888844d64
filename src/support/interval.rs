//! Intervals for proportions.

/// The 97.5 % quantile of the standard normal: two-sided 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval of a proportion: `hits` of `n`, which may be effective
/// numbers and so not whole. `None` where n is not above 0.
pub fn wilson(hits: f64, n: f64) -> Option<(f64, f64)> {
    if n.is_nan() || n <= 0.0 {
        return None;
    }
    let (p, z2) = ((hits / n).clamp(0.0, 1.0), Z95 * Z95);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // At p = 0 and p = 1 the bound is exact; the square root is not.
    let low = if p == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if p == 1.0 { 1.0 } else { (middle + half).min(1.0) };
    Some((low, high))
}

/// The 95 % interval of the mean of values in 0..=1, each from one problem: Wilson's, with
/// n in proportion to how much less the values vary than zeros and ones would (the design
/// effect, Kish 1965): n_eff = n · m(1−m)/s², never below n. It holds both the choice of
/// problems and the draws.
///
/// s² is taken as if two problems more had been drawn, one at 0 and one at 1: values that
/// crowd near an end say nothing of the rare problem far from it that was not drawn, and
/// their own variance would call the mean certain. `None` without values.
pub fn mean_interval(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let m = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - m).powi(2)).sum::<f64>();
    let variance = (squares + m * m + (1.0 - m).powi(2)) / (n + 1.0);
    let spread = m * (1.0 - m);
    let effective = if variance < spread { n * spread / variance } else { n };
    wilson(m * effective, effective).map(|(low, high)| (low.min(m), high.max(m)))
}

/// Mean and standard error of values of any size, as paired differences are; `None` for fewer
/// than two.
pub fn mean_and_error(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let m = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - m).powi(2)).sum();
    (values.len() > 1).then(|| (m, (squares / (n - 1.0) / n).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::support::pass::pass_at;
    use crate::support::resample::binomial;

    #[test]
    fn wilson_gives_the_textbook_figures() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (hits, n, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let (l, h) = wilson(hits, n).unwrap();
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{hits} of {n}: {l} {h}");
        }
        assert_eq!(wilson(0.0, 0.0), None);
        assert_eq!(wilson(20.0, 20.0).unwrap().1, 1.0);
    }

    #[test]
    fn a_mean_of_zeros_and_ones_has_wilsons_interval_and_less_spread_less_width() {
        let coin = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let (a, b) = (mean_interval(&coin).unwrap(), wilson(6.0, 8.0).unwrap());
        assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
        let narrow = mean_interval(&[0.7, 0.8, 0.75, 0.75, 0.7, 0.8, 0.75, 0.75].repeat(8)).unwrap();
        assert!(narrow.1 - narrow.0 < 0.08 && narrow.0 < 0.75 && narrow.1 > 0.75);
        assert_eq!(mean_interval(&[]), None);
        let (low, high) = mean_interval(&[1.0; 10]).unwrap();
        assert!(low < 0.75 && high == 1.0);
    }

    #[test]
    fn a_mean_near_one_is_as_uncertain_as_one_at_it() {
        let at = |v: f64| mean_interval(&[v; 20]).unwrap();
        let mut near = [1.0; 20];
        near[3] = 0.94;
        let (crowded, all) = (mean_interval(&near).unwrap(), at(1.0));
        assert!((crowded.0 - all.0).abs() < 0.01 && crowded.1 > crowded.0 + 0.1, "{crowded:?} {all:?}");
        // 20 of 20: Wilson's own.
        assert!((all.0 - 0.8389).abs() < 1e-3);
    }

    /// How often the interval of pass@k over problems of random pass rates holds the mean
    /// of all such problems.
    fn covered(rate: &dyn Fn(&mut Stream) -> f64, problems: usize, n: u32, k: u32) -> f64 {
        let reach = |p: f64| 1.0 - (1.0 - p).powi(k as i32);
        let mut stream = Stream::new(3);
        let many = 40_000;
        let truth = (0..many).map(|_| reach(rate(&mut stream))).sum::<f64>() / f64::from(many);
        let runs = 400;
        let held = (0..runs).filter(|run| {
            let mut stream = Stream::new(29).at(*run);
            let values: Vec<f64> = (0..problems)
                .map(|_| {
                    let p = rate(&mut stream);
                    pass_at(n, binomial(&mut stream, n, p), k).unwrap()
                })
                .collect();
            let (low, high) = mean_interval(&values).unwrap();
            low <= truth && truth <= high
        });
        held.count() as f64 / runs as f64
    }

    #[test]
    fn the_intervals_of_pass_at_k_cover_what_they_say() {
        let skewed = |s: &mut Stream| s.unit().powi(3);
        let solid = |s: &mut Stream| 0.3 + 0.4 * s.unit();
        // One problem in twenty is never solved.
        let holes = |s: &mut Stream| if s.chance(0.05) { 0.0 } else { 0.2 + 0.6 * s.unit() };
        let rates: [&dyn Fn(&mut Stream) -> f64; 3] = [&skewed, &solid, &holes];
        let mut all = Vec::new();
        for (kind, rate) in rates.into_iter().enumerate() {
            for problems in [20, 60] {
                for k in [1, 16, 128] {
                    let held = covered(rate, problems, 128, k);
                    // Wilson's own coverage dips with the count for so few problems.
                    assert!(held >= if problems < 50 { 0.9 } else { 0.93 }, "{kind} {problems} {k}: {held}");
                    all.push(held);
                }
            }
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!(mean >= 0.94, "{all:?}");
    }
}
