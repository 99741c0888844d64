//! Which way a solution goes, and whether its steps lead to the target.

use super::expression::{Expr, Ratio};

/// The ways to find an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Each step goes on from the result before.
    OneByOne,
    /// Some step starts anew, and parts are put together.
    Parts,
    /// From the target, taking numbers away.
    Back,
    /// A single step with every number in it.
    AtOnce,
    /// No step is shown.
    Glance,
    /// Steps with numbers that were not given.
    Other,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 6] =
        [Method::OneByOne, Method::Parts, Method::Back, Method::AtOnce, Method::Glance, Method::Other];

    /// The method's name, as on screen and in recordings.
    pub fn name(self) -> &'static str {
        match self {
            Method::OneByOne => "one by one",
            Method::Parts => "parts, put together",
            Method::Back => "back from the target",
            Method::AtOnce => "in one expression",
            Method::Glance => "at a glance",
            Method::Other => "other steps",
        }
    }

    /// The method that `steps` follow.
    pub(super) fn of(steps: &[Step], numbers: &[u64], target: u64) -> Method {
        let Some(first) = steps.first() else { return Method::Glance };
        let mut left = numbers.to_vec();
        if !take(&mut left, &first.of.numbers()) {
            let from_target = first.of.numbers().contains(&target);
            return if from_target { Method::Back } else { Method::Other };
        }
        if steps.len() == 1 && left.is_empty() && numbers.len() > 2 {
            return Method::AtOnce;
        }
        let goes_on = |pair: &[Step]| pair[1].of.numbers().contains(&pair[0].result);
        if steps.windows(2).all(goes_on) { Method::OneByOne } else { Method::Parts }
    }
}

/// `7 - 4 = 3`: an expression of at least two numbers, and what the text says it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    of: Expr,
    result: u64,
}

/// So many steps are read.
const MOST: usize = 64;
/// A left side is looked for in so many bytes before its equals sign.
const REACH: usize = 160;

/// The steps of a text in order. Linear in its length.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let text = super::ascii_signs(text);
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    for at in memchr::memchr_iter(b'=', bytes) {
        if out.len() == MOST {
            break;
        }
        let of_step = |b: &u8| b.is_ascii_digit() || b" ()+-*/".contains(b);
        let back = bytes[at.saturating_sub(REACH)..at].iter().rev().take_while(|b| of_step(b)).count();
        let behind = text[at + 1..].trim_start_matches(' ');
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let of = Expr::parse(&text[at - back..at]);
        if let (Some(of @ Expr::Two(..)), Ok(result)) = (of, behind[..digits].parse()) {
            out.push(Step { of, result });
        }
    }
    out
}

/// Whether every step holds, and together they make the target of the numbers, each taken
/// once: forwards, or back from the target to what the numbers that are left come to.
pub(super) fn derives(steps: &[Step], numbers: &[u64], target: u64) -> bool {
    let mut left = numbers.to_vec();
    let mut goal = target;
    for step in steps {
        if step.of.value() != Some(Ratio::whole(step.result.into())) {
            return false;
        }
        let used = step.of.numbers();
        if take(&mut left, &used) {
            left.push(step.result);
            continue;
        }
        // `35 - 7 = 28`: what is still to be made. Of two numbers, so that it can be undone.
        let mut others = used.clone();
        if used.len() != 2 || step.result == 0 || !take(&mut others, &[goal]) || !take(&mut left, &others) {
            return false;
        }
        goal = step.result;
    }
    !steps.is_empty() && left == [goal]
}

/// Takes all of `what` out of `from`; leaves it as it is where something is not there.
fn take(from: &mut Vec<u64>, what: &[u64]) -> bool {
    let mut left = from.clone();
    for n in what {
        let Some(at) = left.iter().position(|l| l == n) else { return false };
        left.swap_remove(at);
    }
    *from = left;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_by_their_steps_and_checked() {
        let case = |text: &str, method: Method, sound: bool| {
            let (numbers, target) = ([6, 8, 3, 2], 36);
            let steps = steps(text);
            assert_eq!(Method::of(&steps, &numbers, target), method, "{text} {steps:?}");
            assert_eq!(derives(&steps, &numbers, target), sound, "{text} {steps:?}");
        };
        case(" 8 + 6 = 14, 14 - 2 = 12, 12 * 3 = 36.", Method::OneByOne, true);
        case("8 + 6 = 14 - 2 = 12 × 3 = 36", Method::OneByOne, true);
        case(" 8 + 6 = 14, 14 - 2 = 12, 12 * 3 = 35.", Method::OneByOne, false);
        case(" 8 + 6 = 14, 14 - 2 = 12, 12 * 2 = 24.", Method::OneByOne, false);
        case(" 6 - 2 = 4, 8 + 3 = 11, 4 * 11 = 44.", Method::Parts, false);
        case(" 8 - 2 = 6, 6 + 6 = 12, 12 * 3 = 36.", Method::OneByOne, true);
        case("6 * 2 = 12. 8 * 3 = 24. 12 + 24 = 36", Method::Parts, true);
        case(" 36 / 3 = 12, 12 + 2 = 14, 8 + 6 = 14.", Method::Back, true);
        case(" 36 / 3 = 12, 12 + 2 = 14, 8 + 6 = 15.", Method::Back, false);
        case(" 36 / 3 = 12, 12 + 2 = 14.", Method::Back, false);
        case("(8 + 6 - 2) x 3 = 36", Method::AtOnce, true);
        case("It is easy.", Method::Glance, false);
        case("9 + 9 = 18, 18 * 2 = 36", Method::Other, false);
        case(&"1=".repeat(9000), Method::Glance, false);
    }
}
