//! Continuations from given words: where both policies go from there.
//!
//! They are drawn beside the campaign ([`super::Effect::Branch`]), judged, and
//! counted here alone: they are no draws of the campaign and never enter the ledger or a
//! recording.

use super::effect::Effect;
use super::state::State;
use crate::completion::clean;
use crate::model::Sampling;
use crate::problem::{Problem, Verdict};
use crate::random::Stream;
use std::ops::Range;

/// Continuations that are drawn at once under each policy.
pub const CONTINUATIONS: u32 = 64;

/// What is to be drawn under both policies.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// News of another one is dropped.
    pub id: u64,
    pub problem: Problem,
    /// Base, RLVR.
    pub policies: [usize; 2],
    pub prefix: String,
    /// The prefix as tokens, where known, else empty.
    pub tokens: Vec<u32>,
    pub indices: Range<u32>,
    pub sampling: Sampling,
}

/// News of a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    pub id: u64,
    /// 0 the base's.
    pub side: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Verdicts, and the texts with their prefix.
    Drawn(Vec<(Verdict, String)>),
    /// Nothing more comes of what was asked for; why, if it went wrong.
    Ended(Option<String>),
}

/// Where continuations lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub id: u64,
    pub generation: u64,
    pub problem: usize,
    /// Base, RLVR.
    pub policies: [usize; 2],
    /// As the model wrote it.
    pub prefix: String,
    /// Continuations asked for under each policy.
    pub asked: u32,
    /// Those that came, of base and RLVR.
    pub drawn: [u32; 2],
    pub correct: [u32; 2],
    pub ended: [bool; 2],
    pub failed: [Option<String>; 2],
    leads: Vec<Lead>,
    texts: Vec<Continuation>,
    /// The one that is read, by its place.
    shown: Option<usize>,
}

/// Texts that are kept of each end under each policy.
const KEPT: usize = 8;

/// One continuation in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuation {
    /// 0 the base's.
    pub side: usize,
    /// Cleaned, prefix included.
    pub text: String,
    /// Bytes of the text that were given.
    pub given: usize,
    lead: usize,
}

/// Continuations that end alike: correct ones by answer and method, wrong ones by answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Lead {
    pub correct: bool,
    /// Cleaned, on one line; `NA` for none.
    pub answer: String,
    /// Empty where there is none.
    pub method: String,
    pub hits: [u32; 2],
}

impl Branch {
    /// The ends, correct ones first, the most frequent under either policy first.
    pub fn leads(&self) -> Vec<&Lead> {
        self.order().into_iter().map(|at| &self.leads[at]).collect()
    }

    /// The continuation that is read, and its end.
    pub fn shown(&self) -> Option<(&Continuation, &Lead)> {
        let text = self.texts.get(self.shown?)?;
        Some((text, &self.leads[text.lead]))
    }

    /// The place of what is read among the texts that are kept, from 1, and their number.
    pub fn place(&self) -> (usize, usize) {
        let at = self.reading_order().into_iter().position(|at| Some(at) == self.shown);
        (at.map_or(0, |at| at + 1), self.texts.len())
    }

    /// Whether there is no text to be read.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The next text is read, or the one before; past the ends none is.
    pub(super) fn show(&mut self, forward: bool) {
        let order = self.reading_order();
        let at = self.shown.and_then(|shown| order.iter().position(|at| *at == shown));
        let to = match (at, forward) {
            (None, true) => Some(0),
            (None, false) => order.len().checked_sub(1),
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
        };
        self.shown = to.and_then(|to| order.get(to).copied());
    }

    /// No text is read any more; whether one was.
    pub(super) fn close(&mut self) -> bool {
        self.shown.take().is_some()
    }

    /// The texts by their ends, each the base's first.
    fn reading_order(&self) -> Vec<usize> {
        let order = self.order();
        let place = |text: &Continuation| order.iter().position(|lead| *lead == text.lead);
        let mut all: Vec<usize> = (0..self.texts.len()).collect();
        all.sort_by_key(|&at| (place(&self.texts[at]), self.texts[at].side, at));
        all
    }

    fn order(&self) -> Vec<usize> {
        let share =
            |l: &Lead| [0, 1].map(|side| f64::from(l.hits[side]) / f64::from(self.drawn[side].max(1)));
        let most = |l: &Lead| share(l).into_iter().fold(0.0, f64::max);
        let mut all: Vec<usize> = (0..self.leads.len()).collect();
        all.sort_by(|&a, &b| {
            let (a, b) = (&self.leads[a], &self.leads[b]);
            b.correct
                .cmp(&a.correct)
                .then(most(b).total_cmp(&most(a)))
                .then_with(|| (&a.answer, &a.method).cmp(&(&b.answer, &b.method)))
        });
        all
    }

    /// Whether continuations still come.
    pub fn is_running(&self) -> bool {
        self.ended != [true; 2]
    }

    fn take(&mut self, side: usize, kind: Kind) {
        match kind {
            Kind::Drawn(all) => all.into_iter().for_each(|(verdict, text)| self.count(side, verdict, &text)),
            Kind::Ended(why) => {
                self.ended[side] = true;
                self.failed[side] = why.map(|why| clean(&why).replace('\n', " "));
            }
        }
    }

    fn count(&mut self, side: usize, verdict: Verdict, text: &str) {
        let one_line = |text: &str| clean(text).replace('\n', " ");
        let answer = verdict.answer.as_deref().map_or("NA".to_owned(), one_line);
        let method = verdict.method.as_deref().filter(|_| verdict.correct).map_or(String::new(), one_line);
        let correct = verdict.correct;
        self.drawn[side] += 1;
        self.correct[side] += u32::from(correct);
        let same = |l: &Lead| l.correct == correct && l.answer == answer && l.method == method;
        let at = match self.leads.iter().position(same) {
            Some(at) => at,
            None => {
                self.leads.push(Lead { correct, answer, method, hits: [0; 2] });
                self.leads.len() - 1
            }
        };
        self.leads[at].hits[side] += 1;
        if self.leads[at].hits[side] as usize <= KEPT {
            let given = text.strip_prefix(self.prefix.as_str()).map_or(0, |_| clean(&self.prefix).len());
            self.texts.push(Continuation { side, text: clean(text), given, lead: at });
        }
    }
}

impl State {
    /// Draws continuations of a prefix under both policies; more of them if that is what the
    /// open panel shows.
    pub(super) fn branch(&mut self, prefix: String, tokens: Vec<u32>) -> Vec<Effect> {
        let Some(problem) = self.problems.get(self.current).cloned() else { return Vec::new() };
        let policies = [self.pair.base, self.pair.rlvr];
        let of = (self.generation, self.current, policies);
        let open = self.inspect.branch.as_mut();
        let again = open.filter(|b| (b.generation, b.problem, b.policies) == of && b.prefix == prefix);
        let (id, from) = match again {
            Some(branch) if branch.is_running() => return Vec::new(),
            Some(branch) => {
                let from = branch.asked;
                branch.asked += CONTINUATIONS;
                branch.ended = [false; 2];
                branch.failed = [None, None];
                (branch.id, from)
            }
            None => {
                self.inspect.branches += 1;
                let id = self.inspect.branches;
                self.inspect.branch = Some(Branch {
                    id,
                    generation: self.generation,
                    problem: self.current,
                    policies,
                    prefix: prefix.clone(),
                    asked: CONTINUATIONS,
                    drawn: [0; 2],
                    correct: [0; 2],
                    ended: [false; 2],
                    failed: [None, None],
                    leads: Vec::new(),
                    texts: Vec::new(),
                    shown: None,
                });
                (id, 0)
            }
        };
        // Streams of its own: what is drawn here says nothing of the campaign's draws.
        let mut stream = Stream::new(self.settings.sampling.seed).with("branch").with(&prefix);
        let sampling = Sampling { seed: stream.next_u64(), ..self.settings.sampling.clone() };
        let indices = from..from + CONTINUATIONS;
        vec![Effect::Branch(Box::new(Job { id, problem, policies, prefix, tokens, indices, sampling }))]
    }

    /// The first word of the selected completion, with the space before it.
    pub(super) fn first_word(&self) -> Option<String> {
        let subject = self.subject()?;
        let entry = self.archive.get(subject.policy, subject.problem, subject.index)?;
        let text = entry.written();
        let begun = text.len() - text.trim_start().len();
        let end = text[begun..].find(char::is_whitespace).map_or(text.len(), |at| begun + at);
        Some(text[..end].to_owned())
    }

    /// News of a branch; of one that is not open any more it is dropped.
    pub(super) fn branched(&mut self, news: News) {
        if let Some(branch) = self.inspect.branch.as_mut().filter(|b| b.id == news.id) {
            branch.take(news.side, news.kind);
        }
    }

    /// The open branch, where it is of the problem on screen.
    pub fn open_branch(&self) -> Option<&Branch> {
        let here = |b: &&Branch| b.generation == self.generation && b.problem == self.current;
        self.inspect.branch.as_ref().filter(here)
    }
}
