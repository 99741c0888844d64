//! Figures that are too heavy for a frame: intervals, noise floors, p-values, what was not
//! seen, curves over all problems.
//!
//! The loop gathers what they are made from a few problems at a time ([`Message::Step`]),
//! a thread beside it makes a [`Study`] of it ([`Effect::Study`]), and that comes back as
//! [`Message::Studied`]. Studies are kept by what they were asked: lens, pair, grading and
//! whose; an older one stands until a newer one is there.
//!
//! [`Message::Step`]: super::Message::Step
//! [`Message::Studied`]: super::Message::Studied
//! [`Effect::Study`]: super::Effect::Study

use super::effect::Effect;
use super::state::State;
use crate::random::Stream;
use crate::support::audit::Grading;
use crate::support::luck::{Luck, References, luck_curve};
use crate::support::noise::{Intervals, NoiseFloor, Sample};
use crate::support::pass::{distinct_at, grid};
use crate::support::unseen::Unseen;
use crate::support::{Counts, Ledger, Lens, Pair, Point, Unit};

/// Resamples behind an interval and deals behind a p-value, on screen.
const RESAMPLES: u32 = 999;

/// Completions whose items are gathered in one step, about a millisecond of work.
const STEP: u32 = 1 << 13;

/// Studies that are kept.
const KEPT: usize = 24;

/// Whose figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Problem(usize),
    All,
}

/// What a study answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    pub subject: Subject,
    pub lens: Lens,
    pub pair: Pair,
    pub grading: Grading,
    pub generation: u64,
    /// Completions that had been drawn.
    pub drawn: u64,
}

/// What a study is made from: plain numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub question: Question,
    parts: Vec<Part>,
    /// The group (task) of each problem, and how many there are.
    groups: (Vec<usize>, usize),
}

/// One problem's numbers.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    problem: usize,
    matched: u32,
    items: Vec<[u32; 2]>,
    drawn: [u32; 2],
    hits: [Vec<u32>; 2],
    /// As `hits`, in [`distinct`] items.
    found: [Vec<u32>; 2],
    rate: [Option<f64>; 2],
    luck: [Option<Luck>; 2],
}

/// The answer. Those with two values have the base's first.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    pub question: Question,
    pub noise: Noise,
    /// By group of problems, where all are studied and there are several.
    pub groups: Vec<Noise>,
    pub unseen: [Option<Unseen>; 2],
    /// Distinct correct items against k.
    pub coverage: [Vec<Point>; 2],
    /// (τ, share of problems with at least this pass rate), by rising τ.
    pub cover: [Vec<(f64, f64)>; 2],
    pub luck: [Vec<Point>; 2],
}

/// How much of the counts is noise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise {
    pub counts: Counts,
    pub intervals: Intervals,
    pub floor: Option<NoiseFloor>,
    /// Of NSCR.
    pub p_value: Option<f64>,
}

/// The studies that are there, and the one that is being made.
#[derive(Debug, Default)]
pub struct Studies {
    kept: Vec<Study>,
    gathering: Option<Job>,
    running: Option<Question>,
    references: Option<References>,
}

impl Job {
    /// Makes the study. Takes up to about a second where there are thousands of problems.
    pub fn run(&self) -> Study {
        let all: Vec<&Part> = self.parts.iter().collect();
        let (of, groups) = &self.groups;
        let group = |g: usize| {
            let parts: Vec<&Part> = self.parts.iter().filter(|p| of.get(p.problem) == Some(&g)).collect();
            self.noise(&parts, g as u64 + 1)
        };
        let groups = if *groups > 1 { (0..*groups).map(group).collect() } else { Vec::new() };
        let each = |of: &dyn Fn(usize) -> Vec<Point>| [of(0), of(1)];
        Study {
            noise: self.noise(&all, 0),
            groups,
            unseen: [0, 1].map(|side| {
                let hits: Vec<u32> = self.parts.iter().flat_map(|p| p.found[side].iter().copied()).collect();
                Unseen::of(&hits)
            }),
            coverage: each(&|side| self.coverage(side)),
            cover: [0, 1].map(|side| self.cover(side)),
            luck: each(&|side| {
                luck_curve(&self.parts.iter().filter_map(|p| p.luck[side].clone()).collect::<Vec<_>>())
            }),
            question: self.question.clone(),
        }
    }

    fn noise(&self, parts: &[&Part], number: u64) -> Noise {
        let lens = &self.question.lens;
        let compared = || parts.iter().filter(|p| p.matched > 0);
        let sample = Sample {
            unit: lens.unit,
            min_hits: lens.criterion.min_hits(),
            problems: compared().map(|p| (p.matched, p.items.clone())).collect(),
        };
        let base: Vec<(u32, Vec<u32>)> = compared().map(|p| (p.drawn[0], p.hits[0].clone())).collect();
        let stream = Stream::new(0).with("study").with(lens.unit.name()).at(number);
        Noise {
            counts: sample.counts(),
            intervals: sample.intervals(RESAMPLES, stream),
            floor: sample.noise_floor(&base),
            p_value: sample.permutation(RESAMPLES, stream),
        }
    }

    /// As [`Ledger::coverage_curve`].
    fn coverage(&self, side: usize) -> Vec<Point> {
        let each = || self.parts.iter().filter(|p| p.drawn[side] > 0);
        let least = each().map(|p| p.drawn[side]).min().unwrap_or(0);
        let point = |k: u32| {
            let shown = each().map(|p| distinct_at(p.drawn[side], &p.found[side], k)).sum::<Option<f64>>()?;
            let value = shown / each().count() as f64;
            Some(Point { k, value, low: value, high: value })
        };
        grid(least).into_iter().filter_map(point).collect()
    }

    /// The steps of Cover@τ: at each pass rate that occurs, and at 0 and 1.
    fn cover(&self, side: usize) -> Vec<(f64, f64)> {
        let mut rates: Vec<f64> = self.parts.iter().filter_map(|p| p.rate[side]).collect();
        rates.sort_by(f64::total_cmp);
        let n = rates.len();
        let share = |tau: f64| (n - rates.partition_point(|r| *r < tau)) as f64 / n as f64;
        let mut taus: Vec<f64> = [0.0, 1.0].into_iter().chain(rates.iter().copied()).collect();
        taus.sort_by(f64::total_cmp);
        taus.dedup();
        if n == 0 { Vec::new() } else { taus.into_iter().map(|tau| (tau, share(tau))).collect() }
    }
}

impl State {
    /// Whether there is something to do beside drawing: the loop sends
    /// [`Message::Step`](super::Message::Step) while this holds and nothing else waits.
    pub fn has_work(&self) -> bool {
        self.regrade.is_behind()
            || self.unweighed().is_some()
            || self.studies.running.is_none() && (self.studies.gathering.is_some() || self.wanted().is_some())
    }

    /// Does a little of it, at most about two milliseconds.
    pub(super) fn work(&mut self) -> Vec<Effect> {
        if let Some(subject) = self.unweighed() {
            return self.weigh(subject);
        }
        if self.regrade.is_behind() {
            self.regrade_some();
            return Vec::new();
        }
        if self.studies.running.is_some() {
            return Vec::new();
        }
        // What is gathered for a lens that the user has left is of no use.
        let wanted = self.wanted();
        let fits = |job: &Job| wanted.as_ref().is_some_and(|w| job.question.asks_as(w));
        if !self.studies.gathering.as_ref().is_some_and(fits) {
            let Some(question) = wanted else {
                self.studies.gathering = None;
                return Vec::new();
            };
            let groups = (self.tasks.of.clone(), self.tasks.names.len());
            self.studies.gathering = Some(Job { question, parts: Vec::new(), groups });
        }
        self.gather()
    }

    /// A study that has come back.
    pub(super) fn studied(&mut self, study: Study) {
        self.studies.running = None;
        if study.question.generation == self.generation {
            self.studies.kept.retain(|s| !s.question.asks_as(&study.question));
            if self.studies.kept.len() >= KEPT {
                self.studies.kept.remove(0);
            }
            self.studies.kept.push(study);
        }
    }

    /// Whatever there is to do, done here and now: for pictures and tests, where no loop
    /// runs. What cannot be done without the world is given back.
    pub fn settle(&mut self) -> Vec<Effect> {
        let mut left = Vec::new();
        while self.has_work() {
            for effect in self.work() {
                match effect {
                    Effect::Study(job) => self.studied(job.run()),
                    other => left.push(other),
                }
            }
        }
        left
    }

    /// The newest study of all problems through the present lens.
    pub fn study_all(&self) -> Option<&Study> {
        self.study(Subject::All)
    }

    /// The newest study of the problem on screen through the present lens.
    pub fn study_here(&self) -> Option<&Study> {
        self.study(Subject::Problem(self.current))
    }

    fn study(&self, subject: Subject) -> Option<&Study> {
        let question = self.question(subject);
        self.studies.kept.iter().find(|s| s.question.asks_as(&question))
    }

    fn question(&self, subject: Subject) -> Question {
        let drawn = match subject {
            Subject::All => self.figures.came() as u64,
            Subject::Problem(i) => {
                [0, 1].map(|side| u64::from(self.graded().drawn(self.policy(side), i))).iter().sum()
            }
        };
        Question {
            subject,
            lens: self.lens,
            pair: self.pair,
            grading: self.regrade.grading,
            generation: self.generation,
            drawn,
        }
    }

    /// What should be studied next: the problem on screen first, then all. A study is made
    /// again when there is a quarter more to look at, or at rest.
    fn wanted(&self) -> Option<Question> {
        [Subject::Problem(self.current), Subject::All].into_iter().map(|s| self.question(s)).find(|q| {
            let known = self.study(q.subject).map_or(0, |s| s.question.drawn);
            let at_rest = self.progress.finished || self.progress.paused;
            q.drawn > if at_rest { known } else { known + known / 4 }
        })
    }

    /// Reads a few problems more from the ledger; asks for the study once all are read.
    fn gather(&mut self) -> Vec<Effect> {
        let Some(mut job) = self.studies.gathering.take() else { return Vec::new() };
        if self.studies.references.is_none() {
            self.studies.references = Some(References::of(&self.problems));
        }
        let range = match job.question.subject {
            Subject::Problem(i) => i..(i + 1).min(self.problems.len()),
            Subject::All => 0..self.problems.len(),
        };
        let mut left = STEP;
        while left > 0 {
            let problem = range.start + job.parts.len();
            if problem >= range.end {
                self.studies.running = Some(job.question.clone());
                return vec![Effect::Study(Box::new(job))];
            }
            let part = self.part(problem, &job.question);
            let cost = match job.question.lens.unit {
                Unit::Completion => part.drawn[0] + part.drawn[1],
                _ => 256,
            };
            left = left.saturating_sub(cost.max(256));
            job.parts.push(part);
        }
        self.studies.gathering = Some(job);
        Vec::new()
    }

    fn part(&self, problem: usize, question: &Question) -> Part {
        let (ledger, lens) = (self.graded(), &question.lens);
        let policies = [question.pair.base, question.pair.rlvr];
        let sorted = |mut all: Vec<u32>| {
            all.sort_unstable();
            all
        };
        let mut items = ledger.items(question.pair, problem, lens);
        // In an order that does not depend on which text came first.
        items.sort_unstable();
        let right = |p: usize| right(ledger, p, problem, lens.sound);
        Part {
            problem,
            matched: ledger.matched(question.pair, problem),
            items,
            drawn: policies.map(|p| ledger.drawn(p, problem)),
            hits: policies.map(|p| sorted(ledger.hits(p, problem, lens))),
            found: policies
                .map(|p| sorted(ledger.hits(p, problem, &Lens { unit: distinct(lens.unit), ..*lens }))),
            rate: policies.map(|p| {
                let n = ledger.drawn(p, problem);
                (n > 0).then(|| f64::from(right(p)) / f64::from(n))
            }),
            luck: policies.map(|p| ledger.luck(p, problem, self.studies.references.as_ref()?)),
        }
    }
}

/// The unit in which a policy's different solutions are counted: of problems there is one.
pub fn distinct(unit: Unit) -> Unit {
    match unit {
        Unit::Problem => Unit::Method,
        other => other,
    }
}

fn right(ledger: &Ledger, policy: usize, problem: usize, sound: bool) -> u32 {
    if sound { ledger.sound(policy, problem) } else { ledger.correct(policy, problem) }
}

impl Question {
    /// Whether it asks the same, be it of more or of fewer completions.
    fn asks_as(&self, other: &Question) -> bool {
        let of = |q: &Question| (q.subject, q.lens, q.pair, q.grading, q.generation);
        of(self) == of(other)
    }
}
