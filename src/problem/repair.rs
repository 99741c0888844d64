//! Repairs of an extracted answer: what a strict verifier refuses for its dress alone.
//!
//! After the paper's Appendix B.3, which repaired the base's answers only. Here a repair is
//! tried on every policy's answers alike, only on an answer that is not right as it stands,
//! and which ones were needed is kept in the verdict.

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::LazyLock;

/// One repair. Each is linear in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// Marks of emphasis, mathematics and quotation around the answer, a closing full stop.
    Dress,
    /// `lhs = rhs` is cut to `rhs`.
    RightHandSide,
    /// `\frac{1}{6}` becomes `1/6`.
    LatexFraction,
    /// `\times`, `\cdot`, `*`, `·` and an `x` between numbers become `×`.
    TimesSign,
    /// `2^3` becomes `2 × 2 × 2`.
    Exponents,
    /// `1.23 × 10^4` becomes `1.23e4`.
    ScientificNotation,
    /// `4/24` becomes `1/6`.
    ReducedFraction,
    /// A decimal number is written with the decimals that were asked for.
    Decimals,
    /// Blanks, commas and brackets between letters or cells are made what was asked for.
    Spacing,
    /// A fenced block is cut to what it holds.
    JsonFence,
    /// One JSON object becomes a list of it.
    SingleDictionary,
    /// Of `expression = number` or `number = expression` the expression is kept.
    Equation,
}

impl Repair {
    /// Every repair.
    pub const ALL: [Repair; 12] = [
        Repair::Dress,
        Repair::RightHandSide,
        Repair::LatexFraction,
        Repair::TimesSign,
        Repair::Exponents,
        Repair::ScientificNotation,
        Repair::ReducedFraction,
        Repair::Decimals,
        Repair::Spacing,
        Repair::JsonFence,
        Repair::SingleDictionary,
        Repair::Equation,
    ];

    /// The repair's name as it is written in a recording.
    pub fn name(self) -> &'static str {
        match self {
            Repair::Dress => "dress",
            Repair::RightHandSide => "right-hand-side",
            Repair::LatexFraction => "latex-fraction",
            Repair::TimesSign => "times-sign",
            Repair::Exponents => "exponents",
            Repair::ScientificNotation => "scientific-notation",
            Repair::ReducedFraction => "reduced-fraction",
            Repair::Decimals => "decimals",
            Repair::Spacing => "spacing",
            Repair::JsonFence => "json-fence",
            Repair::SingleDictionary => "single-dictionary",
            Repair::Equation => "equation",
        }
    }

    /// The repair of a name.
    pub fn from_name(name: &str) -> Option<Repair> {
        Repair::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// A set of repairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Repairs(u16);

impl Repairs {
    /// Adds one.
    pub fn insert(&mut self, repair: Repair) {
        self.0 |= 1 << repair as u16;
    }

    /// Whether it is in the set.
    pub fn contains(self, repair: Repair) -> bool {
        self.0 & (1 << repair as u16) != 0
    }

    /// Whether nothing was repaired.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// The repairs in the set.
    pub fn iter(self) -> impl Iterator<Item = Repair> {
        Repair::ALL.into_iter().filter(move |r| self.contains(*r))
    }
}

impl Serialize for Repairs {
    /// As a list of names.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

impl FromIterator<Repair> for Repairs {
    fn from_iter<I: IntoIterator<Item = Repair>>(repairs: I) -> Self {
        let mut set = Self::default();
        repairs.into_iter().for_each(|r| set.insert(r));
        set
    }
}

macro_rules! regex {
    ($text:expr) => {{
        static COMPILED: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).expect("a valid expression"));
        &*COMPILED
    }};
}

/// The answer without what stands around it.
pub(crate) fn dress(text: &str) -> String {
    let text = regex!(r"\\(?:text|mathrm|mathbf|textbf|textrm)\s*\{([^{}]*)\}").replace_all(text, "$1");
    let text = text.replace("\\(", "").replace("\\)", "").replace("\\[", "").replace("\\]", "");
    let text = text.replace("\\,", "").replace("\\;", "").replace("\\!", "");
    let outer = |c: char| c.is_whitespace() || matches!(c, '$' | '*' | '`' | '"' | '\'' | '“' | '”');
    let mut rest = text.trim_matches(outer);
    while let Some(shorter) = rest.strip_suffix(['.', ',', ';', '!']) {
        rest = shorter.trim_end_matches(outer);
    }
    rest.to_owned()
}

/// What follows the last sign of equality.
pub(crate) fn right_hand_side(text: &str) -> String {
    let found = ["=", "≈", "\\approx", "\\equiv"].iter().filter_map(|s| Some(text.rfind(s)? + s.len())).max();
    text[found.unwrap_or(0)..].trim().to_owned()
}

/// `\frac{a}{b}` and its sisters as `a/b`.
pub(crate) fn latex_fraction(text: &str) -> String {
    regex!(r"\\[dt]?frac\s*(?:\{\s*([^{}]*?)\s*\}|(\d))\s*(?:\{\s*([^{}]*?)\s*\}|(\d))")
        .replace_all(text, |c: &Captures| {
            let part = |a, b| c.get(a).or(c.get(b)).map_or("", |m| m.as_str()).to_owned();
            format!("{}/{}", part(1, 2), part(3, 4))
        })
        .into_owned()
}

/// `\frac{a}{b}` as `(a)/(b)`, from the inside.
pub(crate) fn bracketed_fraction(text: &str) -> String {
    // An honest answer has no more of them within each other.
    const DEEPEST: usize = 4;
    (0..DEEPEST).fold(text.to_owned(), |text, _| {
        regex!(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}").replace_all(&text, "(($1)/($2))").into_owned()
    })
}

/// Of the sides of an equation the one with the most numbers in it, the first of equal ones.
pub(crate) fn without_result(text: &str) -> String {
    let numbers = |side: &&str| side.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).count();
    let sides = text.split('=').rev();
    sides.max_by_key(numbers).unwrap_or(text).trim().to_owned()
}

/// Every sign of multiplication as `×`.
pub(crate) fn times_sign(text: &str) -> String {
    let text = text.replace("\\times", "×").replace("\\cdot", "×").replace(['·', '⋅', '∙', '✕'], "×");
    let text = regex!(r"([^*])\*([^*])").replace_all(&text, "$1×$2");
    regex!(r"(\d\}?\s*)[xX](\s*\d)").replace_all(&text, "$1×$2").into_owned()
}

/// Powers up to the 64th, written out as products.
pub(crate) fn exponents(text: &str) -> String {
    let raised = regex!(r"(\d+)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)").replace_all(text, |c: &Captures| {
        let power: String = c[2].chars().filter_map(superscript).collect();
        format!("{}^{power}", &c[1])
    });
    regex!(r"(\d+)\s*(?:\^|\*\*)\s*(?:\{\s*(\d{1,2})\s*\}|(\d{1,2}))")
        .replace_all(&raised, |c: &Captures| match c.get(2).or(c.get(3)).map(|m| m.as_str().parse()) {
            Some(Ok(n @ 1..=64)) => vec![&c[1]; n].join(" × "),
            _ => c[0].to_owned(),
        })
        .into_owned()
}

fn superscript(c: char) -> Option<char> {
    let at = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|s| s == c)?;
    char::from_digit(at as u32, 10)
}

/// `a × 10^b` as `aeb`, and numbers without the commas between their thousands.
pub(crate) fn scientific_notation(text: &str) -> String {
    let text = regex!(r",(\d{3})\b").replace_all(text, "$1");
    let text =
        regex!(r"(?i)(\d)\s*(?:×|\\times|\\cdot|\*|·|x)\s*10\s*(?:\^|\*\*)\s*\{?\s*\(?([+-]?\d+)\)?\s*\}?")
            .replace_all(&text, "${1}e${2}");
    regex!(r"(^|[^\d.])10\s*(?:\^|\*\*)\s*\{?\s*([+-]?\d+)\s*\}?")
        .replace_all(&text, "${1}1e${2}")
        .into_owned()
}

/// A fraction of whole numbers in lowest terms; other texts as they are.
pub(crate) fn reduced_fraction(text: &str) -> String {
    let parts = text.split_once('/').and_then(|(a, b)| Some((whole(a)?, whole(b)?)));
    match parts {
        Some((a, b)) if b != 0 => {
            let d = gcd(a, b).max(1);
            format!("{}/{}", a / d, b / d)
        }
        _ => text.to_owned(),
    }
}

fn whole(text: &str) -> Option<u128> {
    text.trim().replace(',', "").parse().ok()
}

/// The greatest common divisor.
pub(crate) fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// What the last fenced block holds; other texts as they are.
pub(crate) fn json_fence(text: &str) -> String {
    fenced(text).unwrap_or(text).trim().to_owned()
}

/// The inside of the last fenced block, without the name of its language.
pub(crate) fn fenced(text: &str) -> Option<&str> {
    const FENCE: &str = "```";
    let end = text.rfind(FENCE)?;
    let start = text[..end].rfind(FENCE)? + FENCE.len();
    let inside = &text[start..end];
    Some(inside.trim_start_matches(|c: char| c.is_ascii_alphanumeric()))
}

/// One JSON object as a list of it.
pub(crate) fn single_dictionary(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('{') { format!("[{text}]") } else { text.to_owned() }
}

/// The letters of a text, without what stands between them.
pub(crate) fn joined_letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The whole numbers of a text with one blank between them.
pub(crate) fn spaced_cells(text: &str) -> String {
    let only = |c: char| c.is_ascii_digit() || c.is_whitespace() || ",;|[]()-".contains(c);
    if !text.chars().all(only) {
        return text.to_owned();
    }
    let cells: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|c| !c.is_empty()).collect();
    // `00110`: one digit a cell, nothing between them.
    if let [packed] = cells.as_slice() {
        return packed.chars().map(String::from).collect::<Vec<_>>().join(" ");
    }
    cells.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repair_mends_what_it_is_named_for() {
        let case = |f: fn(&str) -> String, text, want: &str| assert_eq!(f(text), want, "{text}");
        case(dress, " **$\\text{aunt}$**. ", "aunt");
        case(right_hand_side, "12 = 4 × 3 = 2 × 2 × 3", "2 × 2 × 3");
        case(right_hand_side, "r \\approx 2.5", "2.5");
        case(latex_fraction, "\\dfrac{ 1 }{60}", "1/60");
        case(latex_fraction, "\\frac12", "1/2");
        case(bracketed_fraction, "\\frac{\\dfrac{8}{2}}{3 - 1}", "((((8)/(2)))/(3 - 1))");
        case(without_result, "2 * 3 + 4 = 6 + 4 = 10", "2 * 3 + 4");
        case(without_result, "10 = 2 * 5", "2 * 5");
        case(times_sign, "2 \\times 3 * 5 x 7·11", "2 × 3 × 5 × 7×11");
        case(exponents, "2^3 × 3^{2} × 5²", "2 × 2 × 2 × 3 × 3 × 5 × 5");
        case(exponents, "2^99", "2^99");
        case(scientific_notation, "-1.23 \\times 10^{-4}", "-1.23e-4");
        case(scientific_notation, "1.5 × 10^(+7)", "1.5e+7");
        case(scientific_notation, "10^5", "1e5");
        case(scientific_notation, "1,234,567", "1234567");
        case(reduced_fraction, "4 / 24", "1/6");
        case(reduced_fraction, "4/0", "4/0");
        case(json_fence, "so\n```json\n[{}]\n```\n", "[{}]");
        case(single_dictionary, " {\"a\":1}", "[{\"a\":1}]");
        case(joined_letters, "a b, c-b a", "abcba");
        case(spaced_cells, "[0, 1, 1,  0]", "0 1 1 0");
        case(spaced_cells, "0110", "0 1 1 0");
        case(spaced_cells, "0 1 or 2", "0 1 or 2");
    }

    #[test]
    fn a_set_keeps_what_was_put_in() {
        let set: Repairs = [Repair::Dress, Repair::SingleDictionary].into_iter().collect();
        assert_eq!(set.iter().map(Repair::name).collect::<Vec<_>>(), ["dress", "single-dictionary"]);
        assert!(Repairs::default().is_empty() && !set.contains(Repair::Spacing));
        assert!(Repair::ALL.iter().enumerate().all(|(i, r)| *r as usize == i));
        assert!(Repair::ALL.iter().all(|r| Repair::from_name(r.name()) == Some(*r)));
    }
}
