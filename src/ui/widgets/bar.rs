//! A bar of eighth blocks.

/// A bar of `share` (0 to 1) of `columns`, in steps of an eighth of a column. Anything
/// above 0 shows at least an eighth: little is not nothing.
pub fn bar(share: f64, columns: usize) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let mut eighths = (share * columns as f64 * 8.0).round() as usize;
    if share > 0.0 && columns > 0 {
        eighths = eighths.max(1);
    }
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(PARTS[eighths % 8]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!((bar(0.0, 4), bar(1.0, 4), bar(0.5, 3)), ("".into(), "████".into(), "█▌".into()));
        assert_eq!((bar(0.0001, 4), bar(7.0, 2), bar(f64::NAN, 2)), ("▏".into(), "██".into(), "".into()));
        assert_eq!(bar(0.5, 0), "");
    }
}
