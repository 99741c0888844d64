//! The grader's audit: is a change one of ability, or only of the form of the answer?

use super::ledger::Ledger;
use super::unit::{Lens, Pair, Status};
use crate::problem::{Problem, Rule, Verdict, judge, judge_by};
use std::collections::BTreeSet;

/// What became of a problem by its rules, and if every rule could speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// By the first rule that finds an answer.
    pub status: Status,
    /// If a completion is right as soon as any rule finds the right answer in it.
    pub by_any_rule: Status,
}

impl Audit {
    /// Audits a problem from the texts of both policies, the same number of each.
    pub fn of(problem: &Problem, base: &[&str], rlvr: &[&str], min_hits: u32) -> Audit {
        let (mut first, mut any) = ([false; 2], [false; 2]);
        for (side, texts) in [base, rlvr].into_iter().enumerate() {
            let hits = |right: &dyn Fn(&&&str) -> bool| texts.iter().filter(|t| right(t)).count() as u32;
            first[side] = hits(&|t| judge(problem, t).correct) >= min_hits.max(1);
            any[side] = hits(&|t| by_any_rule(problem, t)) >= min_hits.max(1);
        }
        Audit { status: Status::of(first[0], first[1]), by_any_rule: Status::of(any[0], any[1]) }
    }

    /// Whether an expansion or a shrinkage exists only through a difference of rules.
    pub fn is_format(&self) -> bool {
        matches!(self.status, Status::Expanded | Status::Shrunk) && self.by_any_rule != self.status
    }
}

/// By which rules answers are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Grading {
    /// The task's own, the first that finds an answer.
    #[default]
    Usual,
    /// Every rule: a completion is right as soon as any finds the right answer in it.
    Any,
    /// This rule alone.
    Only(Rule),
}

impl Grading {
    /// Every grading, in the order in which a user turns through them.
    pub const ALL: [Grading; 9] = [
        Grading::Usual,
        Grading::Any,
        Grading::Only(Rule::Tag),
        Grading::Only(Rule::Box),
        Grading::Only(Rule::Marker),
        Grading::Only(Rule::AfterThinking),
        Grading::Only(Rule::LastNumber),
        Grading::Only(Rule::Fence),
        Grading::Only(Rule::LastLine),
    ];

    /// The grading after this one, around the end.
    pub fn next(self) -> Grading {
        let at = Grading::ALL.iter().position(|g| *g == self).unwrap_or(0);
        Grading::ALL[(at + 1) % Grading::ALL.len()]
    }

    /// The words for people.
    pub fn words(self) -> String {
        match self {
            Grading::Usual => "the task's rules".to_owned(),
            Grading::Any => "any rule".to_owned(),
            Grading::Only(rule) => format!("{} alone", rule.name().replace('-', " ")),
        }
    }

    /// Judges a completion.
    pub fn judge(self, problem: &Problem, text: &str) -> Verdict {
        match self {
            Grading::Usual => judge(problem, text),
            Grading::Only(rule) => regrade(problem, text, &[rule]),
            Grading::Any => {
                let usual = judge(problem, text);
                if usual.correct {
                    return usual;
                }
                let any = Rule::ALL.iter().map(|rule| regrade(problem, text, &[*rule]));
                any.into_iter().find(|v| v.correct).unwrap_or(usual)
            }
        }
    }
}

/// Judges a completion as its task does, but with these rules only, tried in this order.
/// The task's own reader reads what they find; whether the steps are sound is asked of the
/// answer so found.
pub fn regrade(problem: &Problem, text: &str, rules: &[Rule]) -> Verdict {
    judge_by(problem, text, rules)
}

impl Ledger {
    /// A sign of a change of format that needs no texts: the problem is lost or gained, and
    /// no completion of the policy without it was read by any rule by which the other's
    /// right answers were. Gives those rules. Within matched k, whatever the lens's unit.
    pub fn format_sign(&self, pair: Pair, problem: usize, lens: &Lens) -> Option<BTreeSet<Rule>> {
        let holder = match self.status(pair, problem, lens)? {
            Status::Shrunk => 0,
            Status::Expanded => 1,
            _ => return None,
        };
        let (mut right, mut read) = (BTreeSet::new(), BTreeSet::new());
        for class in &self.desk(problem)?.classes {
            let matched = class.matched[pair.rlvr - 1];
            let Some(rule) = class.id.rule else { continue };
            if class.id.correct && (!lens.sound || class.id.is_sound()) && matched[holder] > 0 {
                right.insert(rule);
            }
            if matched[1 - holder] > 0 {
                read.insert(rule);
            }
        }
        (!right.is_empty() && right.is_disjoint(&read)).then_some(right)
    }

    /// How often each rule read a policy's drawn answers, over all problems; `None` for
    /// those without an answer.
    pub fn rules(&self, policy: usize) -> Vec<(Option<Rule>, u64)> {
        let all = [None].into_iter().chain(Rule::ALL.map(Some));
        all.map(|rule| {
            let classes = (0..self.problems()).filter_map(|i| self.desk(i)).flat_map(|d| &d.classes);
            let of = classes.filter(|c| c.id.rule == rule && c.id.answer.is_some() == rule.is_some());
            (rule, of.filter_map(|c| c.drawn.get(policy)).map(|n| u64::from(*n)).sum())
        })
        .filter(|(_, n)| *n > 0)
        .collect()
    }
}

/// Whether some rule finds the right answer in the text.
fn by_any_rule(problem: &Problem, text: &str) -> bool {
    Grading::Any.judge(problem, text).correct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::{Completion, Finish};
    use crate::problem::tasks::leg_counting;

    fn problem() -> Problem {
        leg_counting::generate(&leg_counting::Difficulty::default(), 1, 1)
    }

    fn ledger(problem: &Problem, texts: [&[&str]; 2], grade: &dyn Fn(&Problem, &str) -> Verdict) -> Ledger {
        let mut ledger = Ledger::new(2, 1);
        for (policy, texts) in texts.into_iter().enumerate() {
            for (index, text) in (0..).zip(texts) {
                let completion = Completion::traced(index, text.to_string(), Vec::new(), Finish::Stop);
                ledger.add(policy, 0, &completion, &grade(problem, text));
            }
        }
        ledger
    }

    #[test]
    fn a_loss_by_format_is_flagged_and_a_real_one_is_not() {
        let problem = problem();
        let right = problem.reference.clone().unwrap();
        let marked = format!("so\n#### {right}");
        // The right answer stands last, but a tag with something else speaks first.
        let hidden = format!("<answer>7001</answer> I mean {right}");
        let wrong = "#### 7001".to_owned();
        let audit = |other: &str| Audit::of(&problem, &[&marked, &wrong], &[other, other], 1);
        assert_eq!(audit(&hidden), Audit { status: Status::Shrunk, by_any_rule: Status::Preserved });
        assert!(audit(&hidden).is_format());
        assert_eq!(audit(&wrong), Audit { status: Status::Shrunk, by_any_rule: Status::Shrunk });
        assert!(!audit(&wrong).is_format() && !audit(&marked).is_format());

        let (pair, lens) = (Pair::with_base(1), Lens::default());
        let sign = |other: &str| {
            ledger(&problem, [&[&marked, &wrong], &[other, other]], &judge).format_sign(pair, 0, &lens)
        };
        assert_eq!(sign(&hidden), Some(BTreeSet::from([Rule::Marker])));
        assert_eq!((sign(&wrong), sign(&marked)), (None, None));
    }

    #[test]
    fn other_rules_give_other_verdicts() {
        let problem = problem();
        let right = problem.reference.clone().unwrap();
        let text = format!("<answer>7001</answer> I mean {right}.");
        assert_eq!(regrade(&problem, &text, &Rule::ALL), judge(&problem, &text));
        let last = regrade(&problem, &text, &[Rule::LastNumber]);
        assert!(last.correct && last.rule == Some(Rule::LastNumber));
        assert_eq!(Grading::Only(Rule::LastNumber).judge(&problem, &text), last);
        assert!(
            Grading::Any.judge(&problem, &text).correct && !Grading::Usual.judge(&problem, &text).correct
        );
        let boxed = regrade(&problem, &text, &[Rule::Box]);
        assert_eq!((boxed.answer, boxed.rule, boxed.correct), (None, None, false));
        let texts: [&[&str]; 2] = [&[&text], &[&text]];
        let last = |p: &Problem, t: &str| regrade(p, t, &[Rule::LastNumber]);
        assert_eq!(ledger(&problem, texts, &judge).rules(1), [(Some(Rule::Tag), 1)]);
        assert_eq!(ledger(&problem, texts, &last).rules(1), [(Some(Rule::LastNumber), 1)]);
        assert_eq!(ledger(&problem, texts, &last).correct(1, 0), 1);
        assert_eq!(ledger(&problem, [&["none"], &[]], &judge).rules(0), [(None, 1)]);
    }

    #[test]
    fn the_tasks_own_reader_reads_what_another_rule_finds() {
        let problem = Problem {
            id: "p".into(),
            task: Some("mathematics".into()),
            prompt: "?".into(),
            reference: Some("1/2".into()),
            metadata: Default::default(),
        };
        let text = "\\boxed{\\frac{2}{4}}\n#### 7";
        let by = |rule| Grading::Only(rule).judge(&problem, text).correct;
        assert_eq!((by(Rule::Box), by(Rule::Marker)), (true, false));
        let turned = Grading::ALL.iter().fold(Grading::Usual, |g, _| g.next());
        assert_eq!(turned, Grading::Usual);
    }

    #[test]
    fn a_reference_that_is_no_number_is_compared_as_text() {
        let problem = Problem {
            id: "p".into(),
            task: None,
            prompt: "?".into(),
            reference: Some("x + 1".into()),
            metadata: Default::default(),
        };
        let verdict = regrade(&problem, "\\boxed{x + 1}", &Rule::NUMBER);
        assert_eq!((verdict.answer.as_deref(), verdict.correct), (Some("x + 1"), true));
        assert!(!regrade(&problem, "\\boxed{x + 2}", &Rule::ALL).correct);
    }
}
