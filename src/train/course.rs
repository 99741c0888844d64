//! What a policy is trained on: endless problems of a task, a teacher who solves them by
//! any of its methods, and problems that training never sees.

use super::corpus::{self, Care, SHARES};
use super::countdown::Countdown;
use super::vocabulary;
use crate::model::embedded;
use crate::problem::Problem;
use crate::problem::tasks::leg_counting::{Method, Suite, generator};
use crate::random::Stream;

/// A task to be trained on.
pub trait Course: Send + Sync {
    /// The name of its task.
    fn task(&self) -> &'static str;

    /// The problem number `number` of the training stream of `seed`; never one of
    /// [`Course::held_out`].
    fn problem(&self, seed: u64, number: u64) -> Problem;

    /// Problems that training never sees.
    fn held_out(&self) -> Vec<Problem>;

    /// Others that it never sees, to choose recipes on.
    fn development(&self) -> Vec<Problem>;

    /// The methods that the teacher masters, with their shares of a teacher's corpus.
    fn methods(&self) -> Vec<(&'static str, f64)>;

    /// A solution without mistakes of [`Course::problem`] by a method; `None` where the
    /// method does not fit the problem.
    fn clean(&self, seed: u64, number: u64, method: &str, stream: &mut Stream) -> Option<String>;

    /// The example number `index` of the base's corpus of `seed`, a problem and a worked
    /// solution with human-like mistakes: always the same, and never about a problem that is
    /// held out.
    fn example(&self, seed: u64, index: u64) -> (Problem, String);

    /// The words of its texts, for a tokenizer.
    fn words(&self) -> Vec<String>;

    /// Steps of its embedded RLVR policy.
    fn steps(&self) -> usize;
}

/// Every course.
pub const ALL: [&dyn Course; 2] = [&LegCounting, &Countdown];

/// The course of a task.
pub fn of_task(name: &str) -> Option<&'static dyn Course> {
    ALL.into_iter().find(|c| c.task() == name)
}

/// The course of the embedded model of a SPEC; Leg Counting's for any other model.
pub fn of_spec(spec: &str) -> &'static dyn Course {
    embedded::family(spec).and_then(of_task).unwrap_or(&LegCounting)
}

/// Leg Counting, as the embedded pair knows it.
pub struct LegCounting;

impl LegCounting {
    fn herd(seed: u64, number: u64) -> generator::Herd {
        corpus::training_herd(&mut Stream::new(seed).with("train/rlvr").at(number))
    }
}

impl Course for LegCounting {
    fn task(&self) -> &'static str {
        "leg_counting"
    }

    fn problem(&self, seed: u64, number: u64) -> Problem {
        generator::problem(format!("leg_counting/rlvr/{number}"), &Self::herd(seed, number))
    }

    fn held_out(&self) -> Vec<Problem> {
        Suite::HeldOut.problems()
    }

    fn development(&self) -> Vec<Problem> {
        Suite::Development.problems()
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

    fn example(&self, seed: u64, index: u64) -> (Problem, String) {
        let example = corpus::example(seed, index);
        (example.problem, example.solution)
    }

    fn words(&self) -> Vec<String> {
        vocabulary::leg_counting()
    }

    fn steps(&self) -> usize {
        150
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::judge;

    #[test]
    fn the_teacher_solves_by_the_method_asked_for() {
        for course in ALL {
            let mut stream = Stream::new(1);
            let mut solved = 0;
            for number in 0..200 {
                let problem = course.problem(5, number);
                for (method, _) in course.methods() {
                    let Some(text) = course.clean(5, number, method, &mut stream) else { continue };
                    let v = judge(&problem, &text);
                    assert!(v.correct && v.sound == Some(true), "{}{text}", problem.prompt);
                    assert_eq!(v.method.as_deref(), Some(method), "{text}");
                    solved += 1;
                }
                assert_eq!(course.clean(5, number, "by heart", &mut stream), None);
            }
            assert!(solved > 300, "{} {solved}", course.task());
        }
    }

    #[test]
    fn courses_are_found_by_task_and_by_model() {
        assert_eq!(of_task("countdown").map(|c| c.task()), Some("countdown"));
        assert!(of_task("dice").is_none());
        for course in ALL {
            let (base, rlvr) = embedded::pair(course.task()).unwrap();
            assert_eq!((embedded::step(base), embedded::step(rlvr)), (Some(0), Some(course.steps())));
            let model = embedded::open(base).unwrap().unwrap();
            assert_eq!(model.tokenizer.vocab_size(), vocabulary::tokens(course).len());
        }
        assert_eq!(of_spec("embedded:countdown-base").task(), "countdown");
        assert_eq!(
            (of_spec("embedded:base").task(), of_spec("a/folder").task()),
            ("leg_counting", "leg_counting")
        );
    }
}
