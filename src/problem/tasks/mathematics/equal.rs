//! When two answers are one.
//!
//! Rational expressions, variables and all, are compared exactly but for chance: as rational
//! functions at three points of a field of 2⁶¹ − 1 elements (Schwartz–Zippel). What holds
//! roots, π or functions is compared at fixed real points.

use super::parse::{Expr, Value};

/// Whether `a` and `b` are the same answer.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    use Value::{Expr, Matrix, Percent, Relation, Sequence, Set, Union};
    match (a, b) {
        (Expr(a), Expr(b)) => same(a, b),
        (Percent(a), Percent(b)) => same(a, b),
        // `10 %` is a tenth, and what was asked for in percent is often given without the sign.
        (Percent(p), Expr(x)) | (Expr(x), Percent(p)) => same(p, x) || same(&hundredth(p), x),
        (Sequence(o, a, c), Sequence(p, b, d)) => (o, c) == (p, d) && in_order(a, b),
        (Sequence('(', a, ')'), Set(b)) | (Set(a), Sequence('(', b, ')')) => {
            in_order(a, b) || in_any_order(a, b)
        }
        (Set(a), Set(b)) | (Union(a), Union(b)) => in_any_order(a, b),
        (Set(one), other) | (other, Set(one)) if one.len() == 1 => equal(&one[0], other),
        (Matrix(a), Matrix(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| in_order(a, b)),
        (Relation(a, s, b), Relation(c, t, d)) => s == t && same_relation((a, b), (c, d), *s),
        (Relation(_, '=', _), _) => equal(&right_side(a), b),
        (_, Relation(_, '=', _)) => equal(a, &right_side(b)),
        _ => false,
    }
}

/// What `x = 5` says that x is: its last right side; other values as they are.
pub(super) fn right_side(value: &Value) -> Value {
    match value {
        Value::Relation(_, '=', right) => Value::Expr(right.clone()),
        other => other.clone(),
    }
}

fn hundredth(e: &Expr) -> Expr {
    Expr::Quotient(Box::new(e.clone()), Box::new(Expr::Number("100".into(), String::new())))
}

fn in_order(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
}

/// Sets of more elements than this are compared in order only.
const LARGEST: usize = 64;

fn in_any_order(a: &[Value], b: &[Value]) -> bool {
    if a.len() > LARGEST || b.len() > LARGEST {
        return in_order(a, b);
    }
    let held = |one: &Value, all: &[Value]| all.iter().any(|x| equal(one, x));
    a.iter().all(|x| held(x, b)) && b.iter().all(|x| held(x, a))
}

/// Two equations say the same if one is a multiple of the other; two inequalities if it is
/// a positive one.
fn same_relation((a, b): (&Expr, &Expr), (c, d): (&Expr, &Expr), sign: char) -> bool {
    if same(a, c) && same(b, d) {
        return true;
    }
    let difference = |x: &Expr, y: &Expr| Expr::Sum(vec![x.clone(), Expr::Negative(Box::new(y.clone()))]);
    let (first, second) = (difference(a, b), difference(c, d));
    let ratio = |point: u64| Some(real(&first, point)? / real(&second, point)?);
    let ratios: Vec<f64> = (0..POINTS).filter_map(ratio).filter(|r| r.is_finite() && *r != 0.0).collect();
    let steady = ratios.windows(2).all(|w| close(w[0], w[1]));
    ratios.len() >= 2 && steady && (sign == '=' || sign == '≠' || ratios[0] > 0.0)
}

/// Whether two expressions are equal wherever both are defined.
pub(super) fn same(a: &Expr, b: &Expr) -> bool {
    if a == b {
        return true;
    }
    let mut known = 0;
    for point in 0..3 {
        match (field(a, point), field(b, point)) {
            (Some(x), Some(y)) if x == y => known += 1,
            (Some(_), Some(_)) => return rounded(a, b),
            _ => break,
        }
    }
    known == 3 || alike(a, b)
}

/// Points for real probing.
const POINTS: u64 = 6;

fn alike(a: &Expr, b: &Expr) -> bool {
    let mut seen = 0;
    for point in 0..POINTS {
        if let (Some(x), Some(y)) = (real(a, point), real(b, point)) {
            // Infinity is a number here: it bounds intervals.
            if x.is_nan() || y.is_nan() {
                continue;
            }
            if x != y && !close(x, y) {
                return rounded(a, b);
            }
            seen += 1;
        }
    }
    seen >= 2
}

fn close(x: f64, y: f64) -> bool {
    (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1e-3)
}

/// A decimal number equals what it is rounded from, to 6 decimals.
fn rounded(a: &Expr, b: &Expr) -> bool {
    if !(is_decimal(a) || is_decimal(b)) || has_variable(a) || has_variable(b) {
        return false;
    }
    let form = |e: &Expr| real(e, 0).filter(|x| x.is_finite()).map(|x| (x * 1e6).round_ties_even());
    matches!((form(a), form(b)), (Some(x), Some(y)) if x == y)
}

/// Whether a number with a decimal point is in it.
fn is_decimal(e: &Expr) -> bool {
    any(e, &|e| matches!(e, Expr::Number(_, part) if !part.is_empty()))
}

pub(super) fn has_variable(e: &Expr) -> bool {
    any(e, &|e| matches!(e, Expr::Variable(_)))
}

fn any(e: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    test(e)
        || match e {
            Expr::Sum(all) | Expr::Product(all) => all.iter().any(|x| any(x, test)),
            Expr::Negative(x) | Expr::Function(_, x) => any(x, test),
            Expr::Quotient(x, y) | Expr::Power(x, y) => any(x, test) || any(y, test),
            _ => false,
        }
}

/// A Mersenne prime.
const P: u64 = (1 << 61) - 1;

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(P)) as u64
}

fn to_the(mut base: u64, mut power: u64) -> u64 {
    let mut result = 1;
    while power > 0 {
        if power & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        power >>= 1;
    }
    result
}

/// A variable's value at a point: a hash of both (FNV-1a, SplitMix64's mix).
fn hash(name: &str, point: u64) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ point.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut z = name.bytes().fold(start, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The value in the field of [`P`] elements; `None` where it has none: roots, π, functions,
/// a division by zero.
fn field(e: &Expr, point: u64) -> Option<u64> {
    match e {
        Expr::Number(whole, part) => {
            let digits = whole.bytes().chain(part.bytes());
            let n = digits.fold(0, |n, d| (times(n, 10) + u64::from(d - b'0')) % P);
            Some(times(n, to_the(to_the(10, part.len() as u64), P - 2)))
        }
        Expr::Variable(name) => Some(hash(name, point) % P),
        Expr::Sum(all) => all.iter().try_fold(0, |n, x| Some((n + field(x, point)?) % P)),
        Expr::Product(all) => all.iter().try_fold(1, |n, x| Some(times(n, field(x, point)?))),
        Expr::Negative(x) => Some((P - field(x, point)?) % P),
        Expr::Quotient(x, y) => {
            let y = field(y, point)?;
            (y != 0).then_some(())?;
            Some(times(field(x, point)?, to_the(y, P - 2)))
        }
        Expr::Power(x, y) => {
            let power = whole(y)?;
            let x = field(x, point)?;
            if power < 0 && x == 0 {
                return None;
            }
            let raised = to_the(x, power.unsigned_abs());
            Some(if power < 0 { to_the(raised, P - 2) } else { raised })
        }
        Expr::Function("factorial", x) => match whole(x)? {
            n @ 0..=1000 => Some((1..=n as u64).fold(1, times)),
            _ => None,
        },
        _ => None,
    }
}

/// An expression that is a whole number as it stands, or its negative.
fn whole(e: &Expr) -> Option<i64> {
    match e {
        Expr::Number(whole, part) if part.is_empty() => whole.parse().ok(),
        Expr::Negative(x) => Some(-whole(x)?),
        _ => None,
    }
}

/// The value as a real number, variables at positive values between ½ and 2½; `None` where
/// it is not real.
pub(super) fn real(e: &Expr, point: u64) -> Option<f64> {
    let value = match e {
        Expr::Number(whole, part) => format!("{whole}.{part}0").parse().ok()?,
        Expr::Variable(name) => 0.5 + 2.0 * (hash(name, point) >> 11) as f64 / (1u64 << 53) as f64,
        Expr::Pi => std::f64::consts::PI,
        Expr::E => std::f64::consts::E,
        Expr::Infinity => f64::INFINITY,
        Expr::Sum(all) => all.iter().try_fold(0.0, |n, x| Some(n + real(x, point)?))?,
        Expr::Product(all) => all.iter().try_fold(1.0, |n, x| Some(n * real(x, point)?))?,
        Expr::Negative(x) => -real(x, point)?,
        Expr::Quotient(x, y) => real(x, point)? / real(y, point)?,
        Expr::Power(x, y) => {
            let (base, power) = (real(x, point)?, real(y, point)?);
            // Odd roots of negative numbers are real in answers.
            let odd = (1.0 / power).round();
            if base < 0.0 && power.abs() < 1.0 && odd % 2.0 != 0.0 && (odd * power - 1.0).abs() < 1e-12 {
                -(-base).powf(power)
            } else {
                base.powf(power)
            }
        }
        Expr::Function(name, x) => {
            let x = real(x, point)?;
            match *name {
                "sqrt" => x.sqrt(),
                "cbrt" => x.cbrt(),
                "sin" => x.sin(),
                "cos" => x.cos(),
                "tan" => x.tan(),
                "cot" => 1.0 / x.tan(),
                "sinh" => x.sinh(),
                "cosh" => x.cosh(),
                "tanh" => x.tanh(),
                "arcsin" => x.asin(),
                "arccos" => x.acos(),
                "arctan" => x.atan(),
                "ln" => x.ln(),
                "exp" => x.exp(),
                "abs" => x.abs(),
                "factorial" if x.fract() == 0.0 && (0.0..=170.0).contains(&x) => {
                    (1..=x as u64).map(|n| n as f64).product()
                }
                _ => return None,
            }
        }
    };
    (!value.is_nan()).then_some(value)
}
