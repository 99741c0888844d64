//! How Python reads numbers and blanks, as far as Reasoning Gym's scoring depends on it.

use std::borrow::Cow;
use std::cmp::Ordering;

/// `str.strip()`: white space and the four separators that Unicode does not count to it.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

/// `int()`: a sign, digits, single underscores between digits. Held at the ends of `i128`.
pub(crate) fn int(text: &str) -> Option<i128> {
    let text = ascii_digits(strip(text));
    let (negative, digits) = signed(&text);
    let digits = grouped(digits)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i128::MAX);
    Some(if negative { -size } else { size })
}

/// `float()`: also `inf`, `nan`, and single underscores between digits.
pub(crate) fn float(text: &str) -> Option<f64> {
    grouped(&ascii_digits(strip(text)))?.parse().ok()
}

/// Round half to even after `digits` decimals, as `numpy.round` does.
pub(crate) fn round(x: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (x * scale).round_ties_even() / scale
}

/// A decimal number rounded half to even to three significant digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rounded {
    negative: bool,
    /// 100..=999, or 0.
    digits: u32,
    /// Power of ten of the last of the three digits.
    exponent: i64,
}

impl Rounded {
    /// What `decimal.Decimal` reads, rounded; `None` where it reads no finite number.
    pub(crate) fn read(text: &str) -> Option<Rounded> {
        let text = ascii_digits(strip(text)).replace('_', "");
        let (negative, rest) = signed(&text);
        let (mantissa, power) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut all = whole.bytes().chain(part.bytes());
        if whole.len() + part.len() == 0 || !all.all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(part.bytes()).skip_while(|b| *b == b'0').collect();
        let last = power.checked_sub(part.len() as i64)?;
        Some(Self::of(negative, &digits, last))
    }

    /// Of the digits, the last of which counts 10^`last`.
    fn of(negative: bool, digits: &[u8], last: i64) -> Rounded {
        if digits.is_empty() {
            return Rounded { negative: false, digits: 0, exponent: 0 };
        }
        let at = |i: usize| digits.get(i).map_or(0, |b| u32::from(b - b'0'));
        let mut kept = at(0) * 100 + at(1) * 10 + at(2);
        let mut exponent = last + digits.len() as i64 - 3;
        let tail_is_zero = digits.iter().skip(4).all(|b| *b == b'0');
        let up = match at(3).cmp(&5) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => !tail_is_zero || kept % 2 == 1,
        };
        kept += u32::from(up);
        if kept == 1000 {
            (kept, exponent) = (100, exponent + 1);
        }
        Rounded { negative, digits: kept, exponent }
    }
}

impl std::fmt::Display for Rounded {
    /// `-1.23e+4`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let power = if self.digits == 0 { 0 } else { self.exponent + 2 };
        write!(f, "{sign}{}.{:02}e{power:+}", self.digits / 100, self.digits % 100)
    }
}

/// The decimal digits of other scripts count for Python: full width, Arabic, Indian.
fn ascii_digits(text: &str) -> Cow<'_, str> {
    const ZEROS: [u32; 5] = [0xff10, 0x660, 0x6f0, 0x966, 0x9e6];
    if text.is_ascii() {
        return text.into();
    }
    let digit = |c: char| {
        let value = ZEROS.iter().find_map(|z| u32::from(c).checked_sub(*z).filter(|d| *d < 10));
        value.and_then(|d| char::from_digit(d, 10)).unwrap_or(c)
    };
    text.chars().map(digit).collect()
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn exponent(text: &str) -> Option<i64> {
    let (negative, digits) = signed(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Far beyond any reference, and far from overflow.
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 60);
    Some(if negative { -size } else { size })
}

/// The text without its underscores, if each stands between two digits.
fn grouped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let lawful = |i: usize| digit(i.checked_sub(1)) && digit(Some(i + 1));
    let all = bytes.iter().enumerate().all(|(i, b)| *b != b'_' || lawful(i));
    all.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        assert_eq!(int(" +1_000\n"), Some(1000));
        assert_eq!((int("-7"), int("１٢")), (Some(-7), Some(12)));
        for text in ["", "1__0", "_1", "1_", "1.0", "0x1", "- 1", "--1"] {
            assert_eq!(int(text), None, "{text}");
        }
        assert_eq!(int(&"9".repeat(99)), Some(i128::MAX));
        assert_eq!(float(" 1_0.5e1 "), Some(105.0));
        assert!(float("NaN").is_some_and(f64::is_nan) && float("1,5").is_none() && float("1_.5").is_none());
        assert_eq!((round(0.125, 2), round(0.375, 2)), (0.12, 0.38));
    }

    #[test]
    fn three_significant_digits_round_half_to_even() {
        let shown = |t: &str| Rounded::read(t).map(|r| r.to_string());
        for (text, want) in [
            ("1.235", "1.24e+0"),
            ("1.225", "1.22e+0"),
            ("1.22500001", "1.23e+0"),
            ("-99950", "-1.00e+5"),
            ("0.000", "0.00e+0"),
            (" 12_3e-4 ", "1.23e-2"),
            (".5", "5.00e-1"),
            ("5.", "5.00e+0"),
            ("1e999999999999999999999", "1.00e+1152921504606846976"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(want), "{text}");
        }
        for text in ["", ".", "e5", "1e", "NaN", "Infinity", "1.2.3", "1,000", "1 0"] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(Rounded::read("-0"), Rounded::read("0.00"));
    }
}
