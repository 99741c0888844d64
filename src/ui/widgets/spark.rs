//! A line of eight heights.

const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `values` between 0 and `top` in at most `columns`; where there are more values than
/// columns each shows the highest of its share, so that no peak is lost. What is not
/// finite is a gap.
pub fn line(values: &[f64], top: f64, columns: usize) -> String {
    let shown = values.len().min(columns);
    (0..shown)
        .map(|i| {
            let share = &values[i * values.len() / shown..(i + 1) * values.len() / shown];
            let peak = share.iter().copied().filter(|v| v.is_finite()).fold(f64::NAN, f64::max);
            if peak.is_nan() || top <= 0.0 {
                return ' ';
            }
            HEIGHTS[((peak / top).clamp(0.0, 1.0) * 7.0).round() as usize]
        })
        .collect()
}

/// Shares between 0 and 1 as a thin line: two of them and four heights a column.
pub fn thin(shares: &[f64]) -> String {
    const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
    let dot = |(x, share): (usize, &f64)| DOTS[x][(share.clamp(0.0, 1.0) * 3.0).round() as usize];
    let cell = |pair: &[f64]| pair.iter().enumerate().map(dot).fold(0x2800, |cell, dot| cell | dot);
    shares.chunks(2).filter_map(|pair| char::from_u32(cell(pair))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thin_line_rises_by_quarters() {
        assert_eq!(thin(&[0.0, 0.2, 0.5, 0.7, 0.9, 1.0]), "⡠⠒⠉");
        assert_eq!((thin(&[1.0]), thin(&[]), thin(&[f64::NAN, 9.0])), ("⠁".into(), "".into(), "⡈".into()));
    }

    #[test]
    fn heights_follow_values_and_peaks_are_kept() {
        assert_eq!(line(&[0.0, 0.5, 1.0, 9.0, f64::NAN], 1.0, 9), "▁▅██ ");
        assert_eq!(line(&[0.0, 0.0, 1.0, 0.0], 1.0, 2), "▁█");
        assert_eq!(
            (line(&[], 1.0, 3), line(&[1.0], 1.0, 0), line(&[1.0], 0.0, 1)),
            ("".into(), "".into(), " ".into())
        );
    }
}
