//! Where ticks stand.

/// The horizontal axis of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Axis {
    /// Of k, each doubling the same width. From at least 1.
    Log2 {
        from: f64,
        to: f64,
    },
    Linear {
        from: f64,
        to: f64,
    },
}

impl Axis {
    /// k from 1 to `max`.
    pub fn k(max: u32) -> Axis {
        Axis::Log2 { from: 1.0, to: f64::from(max.max(2)) }
    }

    /// Where `x` stands: 0 at the left end, 1 at the right, beyond them outside.
    pub fn share(self, x: f64) -> f64 {
        let (x, from, to) = self.scaled(x);
        if to > from { (x - from) / (to - from) } else { 0.0 }
    }

    /// What stands at a share of the axis.
    pub fn at(self, share: f64) -> f64 {
        match self {
            Axis::Log2 { from, to } => (from.log2() + share * (to.log2() - from.log2())).exp2(),
            Axis::Linear { from, to } => from + share * (to - from),
        }
    }

    /// (column of `columns`, label) that leave room for their labels.
    pub fn ticks(self, columns: usize) -> Vec<(usize, String)> {
        match self {
            Axis::Log2 { from: 1.0, to } => log2(to as u32, columns),
            Axis::Log2 { from, to } => self.roomy(columns, |stride| {
                let (first, last) = (from.log2().ceil() as u32, (to.log2() + 1e-9).floor() as u32);
                let all = (first..=last).step_by(stride).map(|e| 1u64 << e.min(62));
                all.map(|k| (k as f64, k.to_string())).collect()
            }),
            Axis::Linear { from, to } => self.roomy(columns, |stride| {
                let (ticks, decimals) = linear(to - from, 12 / stride + 1);
                // On round numbers also where the axis does not begin at one.
                let step = ticks.get(1).copied().unwrap_or(1.0);
                let first = (from / step - 1e-6).ceil() * step;
                let at = ticks.into_iter().map(|t| first + t).filter(|t| *t <= to + step * 1e-6);
                at.map(|t| (t, format!("{t:.decimals$}"))).collect()
            }),
        }
    }

    fn roomy(self, columns: usize, labels: impl Fn(usize) -> Vec<(f64, String)>) -> Vec<(usize, String)> {
        let last = columns.saturating_sub(1) as f64;
        for stride in 1..12 {
            let at =
                |(x, label): (f64, String)| ((self.share(x).clamp(0.0, 1.0) * last).round() as usize, label);
            let ticks: Vec<(usize, String)> = labels(stride).into_iter().map(at).collect();
            if ticks.windows(2).all(|w| w[0].0 + w[0].1.len() / 2 + 2 + w[1].1.len() / 2 < w[1].0 + 1) {
                return ticks;
            }
        }
        Vec::new()
    }

    fn scaled(self, x: f64) -> (f64, f64, f64) {
        match self {
            Axis::Log2 { from, to } => (x.max(1e-9).log2(), from.log2(), to.log2()),
            Axis::Linear { from, to } => (x, from, to),
        }
    }
}

/// Ticks from 0 to `max` in steps of 1, 2 or 5 times a power of ten, at most `most` of
/// them (at least two are given), with the decimals that they need.
pub fn linear(max: f64, most: usize) -> (Vec<f64>, usize) {
    if !max.is_finite() || max <= 0.0 {
        return (vec![0.0], 0);
    }
    let least = max / most.max(2).saturating_sub(1) as f64;
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= least * 0.999_999);
    let step = step.unwrap_or(10.0 * power);
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let count = (max / step + 1e-9).floor() as usize;
    ((0..=count).map(|i| i as f64 * step).collect(), decimals)
}

/// The smallest of 1, 2, 3, 5 times a power of ten that is at least `max`, and at least
/// `floor`: an axis that grows in steps and does not twitch.
pub fn ceiling(max: f64, floor: f64) -> f64 {
    let max = if max.is_finite() { max.max(floor) } else { floor };
    let power = 10f64.powf(max.log10().floor());
    [1.0, 2.0, 3.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|c| *c >= max * 0.999_999).unwrap_or(max)
}

/// Powers of two from 1 to `max` that leave room for their labels: (column of `columns`, label).
pub fn log2(max: u32, columns: usize) -> Vec<(usize, String)> {
    let top = max.max(2).ilog2();
    let last = columns.saturating_sub(1);
    let column = |e: u32| (f64::from(e) * last as f64 / f64::from(max.max(2)).log2()).round() as usize;
    for stride in 1..=top {
        let ticks: Vec<(usize, String)> =
            (0..=top).step_by(stride as usize).map(|e| (column(e), (1u64 << e).to_string())).collect();
        // A label is centred on its tick and needs a space on each side.
        let roomy = ticks.windows(2).all(|w| w[0].0 + w[0].1.len() / 2 + 2 + w[1].1.len() / 2 < w[1].0 + 1);
        if roomy {
            return ticks;
        }
    }
    vec![(0, "1".to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_one_two_five() {
        assert_eq!(linear(1.0, 3), (vec![0.0, 0.5, 1.0], 1));
        assert_eq!(linear(1.0, 2), (vec![0.0, 1.0], 0));
        assert_eq!(linear(1.0, 6).0.len(), 6);
        assert_eq!(linear(2.0, 5), (vec![0.0, 0.5, 1.0, 1.5, 2.0], 1));
        assert_eq!(linear(0.0, 5), (vec![0.0], 0));
        assert_eq!(linear(f64::NAN, 0), (vec![0.0], 0));
    }

    #[test]
    fn an_axis_knows_where_things_stand() {
        for axis in [Axis::k(1024), Axis::Log2 { from: 8.0, to: 64.0 }, Axis::Linear { from: 0.0, to: 1.0 }] {
            for share in [0.0, 0.3, 1.0] {
                assert!((axis.share(axis.at(share)) - share).abs() < 1e-9);
            }
            for columns in 0..90 {
                let ticks = axis.ticks(columns);
                assert!(ticks.iter().all(|(at, _)| *at < columns.max(1)), "{ticks:?}");
            }
        }
        assert_eq!(Axis::k(1024).share(32.0), 0.5);
        let labels = |axis: Axis| axis.ticks(40).into_iter().map(|(_, l)| l).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(Axis::Log2 { from: 8.0, to: 64.0 }), "8 16 32 64");
        assert_eq!(labels(Axis::Linear { from: 0.0, to: 1.0 }), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(Axis::Linear { from: 0.13, to: 0.38 }), "0.15 0.20 0.25 0.30 0.35");
    }

    #[test]
    fn an_axis_grows_in_steps() {
        assert_eq!(
            (ceiling(0.3, 1.0), ceiling(1.2, 1.0), ceiling(2.2, 1.0), ceiling(5.1, 1.0)),
            (1.0, 2.0, 3.0, 10.0)
        );
        assert_eq!(ceiling(f64::NAN, 0.1), 0.1);
    }

    #[test]
    fn labels_of_k_do_not_overlap() {
        let labels =
            |max, columns| log2(max, columns).into_iter().map(|(_, l)| l).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(1024, 60), "1 2 4 8 16 32 64 128 256 512 1024");
        assert_eq!(labels(1024, 30), "1 4 16 64 256 1024");
        assert_eq!(labels(1024, 3), "1");
        assert_eq!(labels(0, 0), "1");
        for max in [1, 2, 3, 100, 1024, 8192, u32::MAX] {
            for columns in 0..120 {
                let mut end = 0;
                for (i, (at, label)) in log2(max, columns).into_iter().enumerate() {
                    let start = at.saturating_sub(label.len() / 2);
                    assert!(i == 0 || start > end, "{max} {columns}");
                    end = start + label.len();
                }
            }
        }
    }
}
