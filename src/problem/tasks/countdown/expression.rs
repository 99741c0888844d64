//! Expressions of whole numbers, `+ - * /` and brackets: their value, and one form for all
//! ways of writing the same calculation.

use crate::problem::repair::gcd;
use std::cmp::Reverse;
use std::fmt;

/// An expression as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    Number(u64),
    Negative(Box<Expr>),
    Two(Box<Expr>, Op, Box<Expr>),
}

/// What two numbers are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Plus,
    Minus,
    Times,
    Over,
}

impl Op {
    /// Every operation.
    pub const ALL: [Op; 4] = [Op::Plus, Op::Minus, Op::Times, Op::Over];

    /// How it is written.
    pub fn sign(self) -> char {
        match self {
            Op::Plus => '+',
            Op::Minus => '-',
            Op::Times => '*',
            Op::Over => '/',
        }
    }

    fn is_sum(self) -> bool {
        matches!(self, Op::Plus | Op::Minus)
    }
}

/// More numbers than this are no answer to any problem of the task.
const MOST_NUMBERS: usize = 32;
/// Brackets within brackets.
const DEEPEST: usize = 32;

impl Expr {
    /// Reads an expression that takes up the whole text.
    pub fn parse(text: &str) -> Option<Expr> {
        let mut reader = Reader { text: text.trim().as_bytes(), at: 0, numbers: 0, depth: 0 };
        let expr = reader.sum()?;
        (reader.at == reader.text.len()).then_some(expr)
    }

    pub fn two(left: Expr, op: Op, right: Expr) -> Expr {
        Expr::Two(Box::new(left), op, Box::new(right))
    }

    /// Its numbers, from left to right.
    pub fn numbers(&self) -> Vec<u64> {
        match self {
            Expr::Number(n) => vec![*n],
            Expr::Negative(of) => of.numbers(),
            Expr::Two(left, _, right) => [left.numbers(), right.numbers()].concat(),
        }
    }

    /// Its value; `None` for a division by 0 and for what is too large.
    pub fn value(&self) -> Option<Ratio> {
        match self {
            Expr::Number(n) => Some(Ratio::whole((*n).into())),
            Expr::Negative(of) => Some(of.value()?.negated()),
            Expr::Two(left, op, right) => left.value()?.then(*op, right.value()?),
        }
    }

    /// The form that it shares with every expression that differs only in the order of its
    /// sums and products, in its brackets, or in where its minus signs stand. `None` where
    /// it has no value.
    pub fn form(&self) -> Option<String> {
        // Put in order, `0 / (1 / 0)` would lose what makes it nothing.
        self.value()?;
        let (negative, form) = Form::of(self)?;
        Some(if negative { format!("-({})", form.text) } else { form.text })
    }
}

impl fmt::Display for Expr {
    /// With the brackets that it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = |inner: &Expr, needed: bool, f: &mut fmt::Formatter<'_>| match needed {
            true => write!(f, "({inner})"),
            false => write!(f, "{inner}"),
        };
        match self {
            Expr::Number(n) => write!(f, "{n}"),
            Expr::Negative(of) => {
                write!(f, "-")?;
                bracketed(of, !matches!(**of, Expr::Number(_)), f)
            }
            Expr::Two(left, op, right) => {
                let of_sum = |e: &Expr| match e {
                    Expr::Two(_, op, _) => op.is_sum(),
                    other => matches!(other, Expr::Negative(_)),
                };
                bracketed(left, !op.is_sum() && of_sum(left), f)?;
                write!(f, " {} ", op.sign())?;
                let needed = match op {
                    Op::Plus => matches!(**right, Expr::Negative(_)),
                    Op::Minus | Op::Times => of_sum(right),
                    Op::Over => !matches!(**right, Expr::Number(_)),
                };
                bracketed(right, needed, f)
            }
        }
    }
}

/// A fraction in lowest terms; the sign stands above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    num: i128,
    den: i128,
}

impl Ratio {
    pub fn whole(n: i128) -> Ratio {
        Ratio { num: n, den: 1 }
    }

    fn new(num: i128, den: i128) -> Option<Ratio> {
        if den == 0 {
            return None;
        }
        let (num, den) = if den < 0 { (num.checked_neg()?, den.checked_neg()?) } else { (num, den) };
        let d = gcd(num.unsigned_abs(), den.unsigned_abs()).max(1) as i128;
        Some(Ratio { num: num / d, den: den / d })
    }

    fn negated(self) -> Ratio {
        // A numerator is a product or sum that was checked, never the least number there is.
        Ratio { num: -self.num, den: self.den }
    }

    fn then(self, op: Op, other: Ratio) -> Option<Ratio> {
        let (a, b) = (self, other);
        let times = |x: i128, y: i128| x.checked_mul(y).filter(|p| *p != i128::MIN);
        match op {
            Op::Plus => {
                Ratio::new(times(a.num, b.den)?.checked_add(times(b.num, a.den)?)?, times(a.den, b.den)?)
            }
            Op::Minus => a.then(Op::Plus, b.negated()),
            Op::Times => Ratio::new(times(a.num, b.num)?, times(a.den, b.den)?),
            Op::Over => Ratio::new(times(a.num, b.den)?, times(a.den, b.num)?),
        }
        .filter(|r| r.num != i128::MIN)
    }

    fn size(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

/// Reads bytes from left to right.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    numbers: usize,
    depth: usize,
}

impl Reader<'_> {
    fn sum(&mut self) -> Option<Expr> {
        let mut left = self.product()?;
        while let Some(op) = self.operator([(b'+', Op::Plus), (b'-', Op::Minus)]) {
            left = Expr::two(left, op, self.product()?);
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Expr> {
        let mut left = self.signed()?;
        while let Some(op) = self.operator([(b'*', Op::Times), (b'/', Op::Over)]) {
            left = Expr::two(left, op, self.signed()?);
        }
        Some(left)
    }

    fn signed(&mut self) -> Option<Expr> {
        let mut negative = false;
        while let Some(op) = self.operator([(b'+', Op::Plus), (b'-', Op::Minus)]) {
            negative ^= op == Op::Minus;
        }
        let atom = self.atom()?;
        Some(if negative { Expr::Negative(Box::new(atom)) } else { atom })
    }

    fn atom(&mut self) -> Option<Expr> {
        if self.take(b'(') {
            self.depth += 1;
            let inner = (self.depth <= DEEPEST).then(|| self.sum())??;
            self.depth -= 1;
            return self.take(b')').then_some(inner);
        }
        self.number()
    }

    /// Up to 9 digits, without a 0 in front.
    fn number(&mut self) -> Option<Expr> {
        self.blanks();
        let digits = self.text[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.text[self.at..self.at + digits]).ok()?;
        self.at += digits;
        self.numbers += 1;
        let written = (1..=9).contains(&digits) && (digits == 1 || !text.starts_with('0'));
        (written && self.numbers <= MOST_NUMBERS).then(|| text.parse().ok().map(Expr::Number))?
    }

    fn operator(&mut self, of: [(u8, Op); 2]) -> Option<Op> {
        of.into_iter().find(|(sign, _)| self.take(*sign)).map(|(_, op)| op)
    }

    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let there = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    fn blanks(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }
}

/// The form of an expression without its sign: its value is never below 0.
#[derive(Clone, Debug)]
struct Form {
    value: Ratio,
    text: String,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Number,
    Sum,
    Product,
}

impl Form {
    /// The sign (true: negative) and the form.
    fn of(expr: &Expr) -> Option<(bool, Form)> {
        let (negative, form) = match expr {
            Expr::Number(n) => {
                let value = Ratio::whole((*n).into());
                (false, Form { value, text: n.to_string(), shape: Shape::Number })
            }
            Expr::Negative(of) => Form::of(of).map(|(negative, form)| (!negative, form))?,
            Expr::Two(_, op, _) if op.is_sum() => {
                let mut terms = Vec::new();
                Form::terms(expr, false, &mut terms)?;
                Form::sum(terms)?
            }
            Expr::Two(..) => {
                let (mut factors, mut negative) = (Vec::new(), false);
                Form::factors(expr, false, &mut negative, &mut factors)?;
                (negative, Form::product(factors)?)
            }
        };
        Some((negative && form.value.num != 0, form))
    }

    /// What is added and taken away, whatever the brackets.
    fn terms(expr: &Expr, negative: bool, out: &mut Vec<(bool, Form)>) -> Option<()> {
        match expr {
            Expr::Two(left, op, right) if op.is_sum() => {
                Form::terms(left, negative, out)?;
                Form::terms(right, negative ^ (*op == Op::Minus), out)
            }
            Expr::Negative(of) => Form::terms(of, !negative, out),
            other => {
                let (own, form) = Form::of(other)?;
                out.push((negative ^ own, form));
                Some(())
            }
        }
    }

    /// What is multiplied and divided by, whatever the brackets.
    fn factors(expr: &Expr, under: bool, negative: &mut bool, out: &mut Vec<(bool, Form)>) -> Option<()> {
        match expr {
            Expr::Two(left, op, right) if !op.is_sum() => {
                Form::factors(left, under, negative, out)?;
                Form::factors(right, under ^ (*op == Op::Over), negative, out)
            }
            Expr::Negative(of) => {
                *negative = !*negative;
                Form::factors(of, under, negative, out)
            }
            other => {
                let (own, form) = Form::of(other)?;
                *negative ^= own;
                out.push((under, form));
                Some(())
            }
        }
    }

    fn sum(mut terms: Vec<(bool, Form)>) -> Option<(bool, Form)> {
        // Nothing is the same whether it is added or taken away.
        terms.iter_mut().filter(|(_, t)| t.value.num == 0).for_each(|(negative, _)| *negative = false);
        let total = terms.iter().try_fold(Ratio::whole(0), |sum, (negative, t)| {
            sum.then(if *negative { Op::Minus } else { Op::Plus }, t.value)
        })?;
        let turned = |terms: &[(bool, Form)]| -> Vec<(bool, Form)> {
            terms.iter().map(|(negative, t)| (negative ^ (t.value.num != 0), t.clone())).collect()
        };
        let negative = total.num < 0;
        let value = if negative { total.negated() } else { total };
        let other = (total.num <= 0).then(|| Form::joined(turned(&terms), Shape::Sum, value));
        Some(match other {
            Some(form) if negative => (true, form),
            // Nothing has no sign: of its two ways of writing one is taken.
            other => {
                let form = Form::joined(terms, Shape::Sum, value);
                (false, other.filter(|o| o.text < form.text).unwrap_or(form))
            }
        })
    }

    fn product(factors: Vec<(bool, Form)>) -> Option<Form> {
        let value = factors.iter().try_fold(Ratio::whole(1), |product, (under, f)| {
            product.then(if *under { Op::Over } else { Op::Times }, f.value)
        })?;
        Some(Form::joined(factors, Shape::Product, value))
    }

    /// What is added or multiplied first, the larger before the smaller.
    fn joined(mut parts: Vec<(bool, Form)>, shape: Shape, value: Ratio) -> Form {
        parts.sort_by(|(a, x), (b, y)| {
            a.cmp(b)
                .then_with(|| Reverse(Magnitude(x.value.size())).cmp(&Reverse(Magnitude(y.value.size()))))
                .then_with(|| x.text.cmp(&y.text))
        });
        let is_sum = shape == Shape::Sum;
        let mut text = String::new();
        for (i, (second, part)) in parts.iter().enumerate() {
            let op = match (is_sum, second) {
                (true, false) => Op::Plus,
                (true, true) => Op::Minus,
                (false, false) => Op::Times,
                (false, true) => Op::Over,
            };
            if i > 0 {
                text += &format!(" {} ", op.sign());
            }
            match part.shape {
                Shape::Sum => text += &format!("({})", part.text),
                _ => text += &part.text,
            }
        }
        Form { value, text, shape }
    }
}

/// A size that can be sorted by.
#[derive(PartialEq)]
struct Magnitude(f64);

impl Eq for Magnitude {}

impl PartialOrd for Magnitude {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Magnitude {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(text: &str) -> Option<String> {
        Expr::parse(text)?.form()
    }

    #[test]
    fn expressions_are_read_and_valued() {
        let case = |text: &str, value: Option<i128>| {
            assert_eq!(Expr::parse(text).and_then(|e| e.value()), value.map(Ratio::whole), "{text}");
        };
        case("5 + 7 * 4 - 7", Some(26));
        case(" (5+7)*4 ", Some(48));
        case("7 / 2 * 4", Some(14));
        case("--3 - -4", Some(7));
        case("5 / (3 - 3)", None);
        for text in ["", "5 7", "5 +", "(5", "5)", "5 ** 2", "05", "5(3)", "1.5", "5x3", "1234567890"] {
            assert_eq!(Expr::parse(text), None, "{text}");
        }
        let deep = format!("{}1{}", "(".repeat(99), ")".repeat(99));
        assert_eq!(Expr::parse(&deep), None);
        let long = vec!["999999999"; 32].join(" * ");
        assert!(Expr::parse(&long).is_some_and(|e| e.value().is_none() && e.form().is_none()));
        assert_eq!(Expr::parse(&vec!["1"; 33].join("+")), None);
    }

    #[test]
    fn ways_of_writing_one_calculation_share_a_form() {
        let same = |of: &[&str], want: &str| {
            of.iter().for_each(|text| assert_eq!(form(text).as_deref(), Some(want), "{text}"));
        };
        same(&["5 * 7 + 7 - 7", "7 + 5 * 7 - 7", "7 * 5 - (7 - 7)", "7 - (7 - 7 * 5)"], "7 * 5 + 7 - 7");
        same(&["(5 + 7) * 4", "4 * (7 + 5)", "((7) + 5) * 4"], "(7 + 5) * 4");
        same(&["10 - 2 * (3 - 5)", "10 + 2 * (5 - 3)", "2 * (5 - 3) - -10"], "10 + 2 * (5 - 3)");
        same(&["8 / (4 / 2)", "8 / 4 * 2", "2 * 8 / 4"], "8 * 2 / 4");
        same(&["3 - 3 + (5 - 5)", "3 - 5 + 5 - 3"], "5 + 3 - 5 - 3");
        same(&["3 - 8"], "-(8 - 3)");
        assert_ne!(form("7 * 5 + 7 - 7"), form("7 * 5 * 7 / 7"));
        assert_ne!(form("2 * 2"), form("2 + 2"));
    }

    /// An expression of small numbers.
    fn any() -> impl Strategy<Value = Expr> {
        let leaf = (0u64..10).prop_map(Expr::Number);
        leaf.prop_recursive(4, 12, 2, |inner| {
            let op = prop::sample::select(Op::ALL.to_vec());
            prop_oneof![
                6 => (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| Expr::two(a, op, b)),
                1 => inner.prop_map(|e| Expr::Negative(Box::new(e))),
            ]
        })
    }

    /// The same calculation with its sums and products turned round.
    fn turned(expr: &Expr) -> Expr {
        match expr {
            Expr::Two(a, op @ (Op::Plus | Op::Times), b) => Expr::two(turned(b), *op, turned(a)),
            Expr::Two(a, op, b) => Expr::two(turned(a), *op, turned(b)),
            Expr::Negative(of) => Expr::Negative(Box::new(turned(of))),
            Expr::Number(n) => Expr::Number(*n),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(expr in any()) {
            let again = Expr::parse(&expr.to_string()).unwrap();
            prop_assert_eq!(again.value(), expr.value(), "{}", expr);
            prop_assert_eq!(again.form(), expr.form(), "{}", expr);
        }

        #[test]
        fn a_form_keeps_value_and_numbers_and_is_its_own_form(expr in any()) {
            let Some(form) = expr.form() else {
                prop_assert_eq!(expr.value(), None);
                return Ok(());
            };
            let read = Expr::parse(&form).unwrap();
            prop_assert_eq!(read.value(), expr.value(), "{} {}", expr, &form);
            let sorted = |e: &Expr| { let mut n = e.numbers(); n.sort_unstable(); n };
            prop_assert_eq!(sorted(&read), sorted(&expr));
            prop_assert_eq!(read.form().unwrap(), form, "{}", expr);
        }

        #[test]
        fn order_does_not_matter_to_a_form(expr in any()) {
            prop_assert_eq!(turned(&expr).form(), expr.form(), "{}", expr);
        }
    }
}
