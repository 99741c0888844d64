//! Numbers and words as they stand in cells. Widths are columns, not bytes.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Stands for a number that is undefined or not known yet.
pub const NONE: &str = "–";

/// A whole number with thin spaces between groups of three digits: `1 024`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(d);
    }
    out
}

/// A number, or the bounds between which it lies where only these are known.
pub fn bounded(value: Option<f64>, range: Option<[f64; 2]>, decimals: usize) -> String {
    match (value, range) {
        (None, Some([low, high])) => {
            format!("{}–{}", decimal(Some(low), decimals), decimal(Some(high), decimals))
        }
        _ => decimal(value, decimals),
    }
}

/// A number with so many decimals and a true minus sign; [`NONE`] where there is none.
pub fn decimal(value: Option<f64>, decimals: usize) -> String {
    match value {
        Some(v) if v.is_finite() => {
            let text = format!("{v:.decimals$}");
            let zero = text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.'));
            if zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
        }
        _ => NONE.to_owned(),
    }
}

/// A probability or ε with two significant digits, as short as it can be: `0.0029`.
pub fn small(p: f64) -> String {
    let decimals = if p > 0.0 { (1.0 - p.log10().floor()).clamp(2.0, 6.0) as usize } else { 2 };
    format!("{p:.decimals$}")
}

/// As [`small`], with three significant digits: where two close figures stand side by side.
pub fn precise(p: f64) -> String {
    let decimals = if p > 0.0 { (2.0 - p.log10().floor()).clamp(3.0, 8.0) as usize } else { 3 };
    format!("{p:.decimals$}")
}

/// A p-value with two significant digits: `0.039`, `< 0.001`; [`NONE`] where there is none.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        None => NONE.to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) => decimal(Some(p), if p < 0.1 { 3 } else { 2 }),
    }
}

/// A share as a percentage of six columns: ` 18.1%`.
pub fn percent(hits: u32, of: u32) -> String {
    if of == 0 {
        return format!("{NONE:>6}");
    }
    format!("{:>5.1}%", 100.0 * f64::from(hits) / f64::from(of))
}

/// A rate a second in at most five columns: `14.2k`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if !r.is_finite() || r < 0.0 => NONE.to_owned(),
        r if r < 999.5 => format!("{r:.0}"),
        r if r < 999_950.0 => format!("{:.1}k", r / 1e3),
        r => format!("{:.1}M", r / 1e6),
    }
}

/// The columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` cut to at most `columns`, with `…` for what is missing.
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for g in text.graphemes(true) {
        let w = width(g);
        if used + w + 1 > columns {
            break;
        }
        used += w;
        out.push_str(g);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// As [`fit`], but the end of `text` stays.
pub fn tail(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for g in text.graphemes(true).rev() {
        if width(&out) + width(g) + 1 > columns {
            break;
        }
        out.insert_str(0, g);
    }
    if columns > 0 { format!("…{out}") } else { out }
}

/// `text` in exactly `columns`, cut or padded on the right.
pub fn left(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&out))));
    out
}

/// `text` in exactly `columns`, cut or padded on the left.
pub fn right(text: &str, columns: usize) -> String {
    let cut = fit(text, columns);
    let mut out = " ".repeat(columns.saturating_sub(width(&cut)));
    out.push_str(&cut);
    out
}

/// Where `text` breaks into lines of at most `columns` (at least 2 are used): after
/// spaces where there are any, else between graphemes. The ranges leave out line feeds and
/// nothing else.
pub fn wrap(text: &str, columns: usize) -> Vec<Range<usize>> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    let mut offset = 0;
    for line in text.split('\n') {
        wrap_line(line, offset, columns, &mut lines);
        offset += line.len() + 1;
    }
    lines
}

fn wrap_line(line: &str, offset: usize, columns: usize, lines: &mut Vec<Range<usize>>) {
    let (mut start, mut used, mut space) = (0, 0, None);
    for (at, g) in line.grapheme_indices(true) {
        let w = width(g);
        while used + w > columns && at > start {
            let end = space.filter(|s| *s > start && g != " ").unwrap_or(at);
            lines.push(offset + start..offset + end);
            start = end;
            used = width(&line[start..at]);
            space = None;
        }
        used += w;
        if g == " " {
            space = Some(at + 1);
        }
    }
    lines.push(offset + start..offset + line.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1024), "1\u{2009}024");
        assert_eq!(grouped(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(decimal(Some(-0.565), 2), "−0.56");
        assert_eq!(decimal(Some(-0.001), 2), "0.00");
        assert_eq!(bounded(None, Some([0.2, 0.345]), 2), "0.20–0.34");
        assert_eq!(
            (bounded(Some(0.5), Some([0.5; 2]), 2), bounded(None, None, 2)),
            ("0.50".into(), "–".into())
        );
        assert_eq!((decimal(None, 2), decimal(Some(f64::NAN), 2)), ("–".into(), "–".into()));
        assert_eq!(
            (small(0.002_925), small(0.03), small(2.994)),
            ("0.0029".into(), "0.030".into(), "2.99".into())
        );
        assert_eq!(
            (p_value(None), p_value(Some(1e-9)), p_value(Some(0.0391))),
            ("–".into(), "< 0.001".into(), "0.039".into())
        );
        assert_eq!(
            (percent(185, 1024), percent(7, 7), percent(0, 0)),
            (" 18.1%".into(), "100.0%".into(), "     –".into())
        );
        assert_eq!((rate(14_231.0), rate(12.4), rate(f64::NAN)), ("14.2k".into(), "12".into(), "–".into()));
    }

    #[test]
    fn text_is_cut_and_padded_by_columns() {
        assert_eq!(fit("running total", 8), "running…");
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(
            (left("ab", 4), right("ab", 4), right("abcdef", 4)),
            ("ab  ".into(), "  ab".into(), "abc…".into())
        );
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn lines_break_after_spaces_and_long_words_between_graphemes() {
        let lines = |t: &str, w| wrap(t, w).into_iter().map(|r| t[r].to_owned()).collect::<Vec<_>>();
        assert_eq!(lines("one two three", 8), ["one two ", "three"]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("a\n\nb", 9), ["a", "", "b"]);
        assert_eq!(lines("漢字漢", 4), ["漢字", "漢"]);
    }

    proptest! {
        #[test]
        fn wrapping_keeps_the_text(text in "[a-z 漢é👍🏽\n]{0,60}", columns in 0usize..20) {
            let lines = wrap(&text, columns);
            let joined: String = lines.iter().map(|r| &text[r.clone()]).collect();
            prop_assert_eq!(joined, text.replace('\n', ""));
            for r in lines {
                let line = &text[r];
                prop_assert!(width(line) <= columns.max(2) || line.graphemes(true).count() == 1, "{:?}", line);
            }
        }

        #[test]
        fn a_cut_text_never_takes_more_columns(text in "\\PC{0,30}", columns in 0usize..20) {
            prop_assert!(width(&fit(&text, columns)) <= columns);
            prop_assert!(width(&left(&text, columns)) == columns);
        }
    }
}
