//! What a policy is trained on: endless problems of a task, a teacher who solves them by
//! any of its methods, and problems that training never sees.

use super::corpus::{self, Care, SHARES};
use crate::problem::Problem;
use crate::problem::tasks::leg_counting::{Method, Suite, generator};
use crate::random::Stream;

/// A task to be trained on.
pub trait Course: Send + Sync {
    /// The problem number `number` of the training stream of `seed`; never one of
    /// [`Course::held_out`].
    fn problem(&self, seed: u64, number: u64) -> Problem;

    /// Problems that training never sees.
    fn held_out(&self) -> Vec<Problem>;

    /// The methods that the teacher masters, with their shares of a teacher's corpus.
    fn methods(&self) -> Vec<(&'static str, f64)>;

    /// A solution without mistakes of [`Course::problem`] by a method; `None` where the
    /// method does not fit the problem.
    fn clean(&self, seed: u64, number: u64, method: &str, stream: &mut Stream) -> Option<String>;
}

/// Leg Counting, as the embedded pair knows it.
pub struct LegCounting;

impl LegCounting {
    fn herd(seed: u64, number: u64) -> generator::Herd {
        corpus::training_herd(&mut Stream::new(seed).with("train/rlvr").at(number))
    }
}

impl Course for LegCounting {
    fn problem(&self, seed: u64, number: u64) -> Problem {
        generator::problem(format!("leg_counting/rlvr/{number}"), &Self::herd(seed, number))
    }

    fn held_out(&self) -> Vec<Problem> {
        Suite::HeldOut.problems()
    }

    /// All but the glance, which derives nothing.
    fn methods(&self) -> Vec<(&'static str, f64)> {
        SHARES.iter().filter(|(m, _)| *m != Method::Glance).map(|(m, share)| (m.name(), *share)).collect()
    }

    fn clean(&self, seed: u64, number: u64, method: &str, stream: &mut Stream) -> Option<String> {
        let herd = Self::herd(seed, number);
        let (method, _) = SHARES.iter().find(|(m, _)| m.name() == method)?;
        let fits = *method != Method::CountUp || corpus::is_countable(&herd);
        fits.then(|| corpus::write(&herd, *method, Care::Perfect, stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::judge;

    #[test]
    fn the_teacher_solves_by_the_method_asked_for() {
        let course = LegCounting;
        let mut stream = Stream::new(1);
        for number in 0..200 {
            let problem = course.problem(5, number);
            for (method, _) in course.methods() {
                let Some(text) = course.clean(5, number, method, &mut stream) else { continue };
                let v = judge(&problem, &text);
                assert!(v.correct && v.sound == Some(true), "{text}");
                assert_eq!(v.method.as_deref(), Some(method), "{text}");
            }
            assert_eq!(course.clean(5, number, "by heart", &mut stream), None);
        }
    }
}
