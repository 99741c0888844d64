//! One completion token by token under both policies: the heat map and what stands under its
//! cursor.
//!
//! The loop asks for it while a completion is read ([`super::Effect::Weigh`]),
//! a thread beside it scores the text under both policies, and that comes back as
//! [`Message::Weighed`](super::Message::Weighed).

use super::effect::Effect;
use super::state::{Screen, State};
use crate::completion::{Token, clean};
use crate::policy::{Policy, ScoreRequest, Scored, ScoredToken};
use crate::problem::Problem;
use crate::support::Pair;
use std::ops::Range;

/// Which completion, and under which policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    pub generation: u64,
    pub problem: usize,
    /// Whose completion it is.
    pub policy: usize,
    pub index: u32,
    pub pair: Pair,
}

/// What is to be scored under both policies of the subject's pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub subject: Subject,
    pub problem: Problem,
    /// As the model wrote it.
    pub text: String,
    pub tokens: Vec<u32>,
    pub ended: bool,
    /// The most likely tokens to give at each place.
    pub top: usize,
}

/// What came of it, the base's first: scores, or why there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    pub subject: Subject,
    pub sides: [Result<Scored, String>; 2],
}

/// A completion's tokens under both policies. Those with two values have the base's first;
/// what is not known is NaN.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub subject: Subject,
    /// Where each token ends in the text on screen.
    ends: Vec<usize>,
    pub ids: Vec<u32>,
    /// The entropy at each place, nats.
    pub entropy: [Vec<f64>; 2],
    /// ln p of each token, nats.
    pub logprob: [Vec<f64>; 2],
    /// The likeliest tokens at each place, cleaned, with their log-probabilities.
    top: [Vec<Vec<(String, f64)>>; 2],
    forks: Vec<bool>,
    /// Which side's entropy marks the forks: that of the policy that wrote the text.
    pub own: usize,
    /// What is not known, and why.
    pub notes: [Option<String>; 2],
}

/// A token that could stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Cleaned; empty for the end.
    pub text: String,
    /// Base, RLVR.
    pub chance: [Chance; 2],
    /// Whether it is the one that stands there.
    pub chosen: bool,
}

/// How likely a token is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chance {
    Known(f64),
    /// Not among the likeliest: at most this.
    Below(f64),
    Unknown,
}

/// What the colours say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heat {
    #[default]
    Entropy,
    /// −ln p under the base.
    Base,
    /// −ln p under the RLVR policy.
    Rlvr,
    /// ln p under the RLVR policy less that under the base.
    Difference,
    Off,
}

/// Share of the tokens that are forks: those at which the model is least sure (Wang et al.
/// 2025, "Beyond the 80/20 rule").
const FORKS: f64 = 0.2;

/// Below so many nats a place is no fork, however sure the model is elsewhere.
const SURE: f64 = 0.01;

const UNREAD: &str = "the completion cannot be read any more";

impl Heat {
    const ALL: [Heat; 5] = [Heat::Entropy, Heat::Base, Heat::Rlvr, Heat::Difference, Heat::Off];

    /// The one after this, around the end.
    pub fn next(self) -> Heat {
        let at = Heat::ALL.iter().position(|h| *h == self).unwrap_or(0);
        Heat::ALL[(at + 1) % Heat::ALL.len()]
    }
}

impl Job {
    /// The scores under one policy, or why there are none.
    pub fn run(&self, policy: &dyn Policy) -> Result<Scored, String> {
        let request = ScoreRequest {
            problem: &self.problem,
            text: &self.text,
            tokens: &self.tokens,
            ended: self.ended,
            top: self.top,
        };
        policy.score(&request).map_err(|e| e.to_string())
    }
}

impl Tokens {
    /// The tokens of `text`, as it is on screen. `trace` is what was recorded when it was drawn.
    pub fn new(weighed: Weighed, text: &str, trace: &[Token]) -> Self {
        let Weighed { subject, sides } = weighed;
        let wrote = usize::from(subject.policy != subject.pair.base);
        let usable = |side: usize| sides[side].as_ref().ok().filter(|s| reads_as(s, text));
        let own = if usable(wrote).is_some() { wrote } else { 1 - wrote };
        let mut notes = [0, 1].map(|side| match &sides[side] {
            Err(why) => Some(clean(why)),
            Ok(_) if usable(side).is_none() => Some("its tokens do not read as this text".to_owned()),
            Ok(scored) if side == wrote && scored.retokenised && !trace.is_empty() => {
                Some("not the tokens that it was drawn in".to_owned())
            }
            Ok(_) => None,
        });
        let main = usable(own).map_or(&[][..], |s| &s.tokens);
        let n = main.len();
        let mut out = Tokens {
            subject,
            ends: main
                .iter()
                .scan(0, |end, t| {
                    *end += clean(&t.text).len();
                    Some(*end)
                })
                .collect(),
            ids: main.iter().map(|t| t.id).collect(),
            entropy: [vec![f64::NAN; n], vec![f64::NAN; n]],
            logprob: [vec![f64::NAN; n], vec![f64::NAN; n]],
            top: [vec![Vec::new(); n], vec![Vec::new(); n]],
            forks: Vec::new(),
            own,
            notes: [None, None],
        };
        for side in [0, 1] {
            let Some(scored) = usable(side) else { continue };
            let alike = |(a, b): (&ScoredToken, &ScoredToken)| a.text == b.text;
            if scored.tokens.len() != n || !scored.tokens.iter().zip(main).all(alike) {
                notes[side] = Some("it cuts this text into other tokens".to_owned());
                continue;
            }
            for (at, token) in scored.tokens.iter().enumerate() {
                out.logprob[side][at] = token.logprob;
                out.entropy[side][at] = token.entropy.unwrap_or(f64::NAN);
                out.top[side][at] = token.top.iter().map(|(text, l)| (clean(text), *l)).collect();
            }
        }
        // What was known when it was drawn stands where the scores do not say.
        if own == wrote && trace.len() == n {
            for (entropy, token) in out.entropy[own].iter_mut().zip(trace) {
                if entropy.is_nan() {
                    *entropy = f64::from(token.entropy);
                }
            }
        }
        out.forks = forks(&out.entropy[own]);
        out.notes = notes;
        out
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Where a token stands in the text on screen; the end of the text stands behind it.
    pub fn range(&self, at: usize) -> Range<usize> {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        start..self.ends.get(at).copied().unwrap_or(start)
    }

    /// The token at a place of the text on screen.
    pub fn at(&self, place: usize) -> usize {
        self.ends.partition_point(|end| *end <= place)
    }

    /// Whether the model was least sure here.
    pub fn is_fork(&self, at: usize) -> bool {
        self.forks.get(at).copied().unwrap_or(false)
    }

    /// The fork after a place, or before it; none beyond the last.
    pub fn fork_from(&self, at: usize, forward: bool) -> Option<usize> {
        match forward {
            true => (at + 1..self.len()).find(|i| self.is_fork(*i)),
            false => (0..at.min(self.len())).rev().find(|i| self.is_fork(*i)),
        }
    }

    /// What the colours say of a token: for [`Heat::Difference`] with its sign, else at least
    /// 0, in nats; `None` where it is not known.
    pub fn heat(&self, at: usize, heat: Heat) -> Option<f64> {
        let value = match heat {
            Heat::Entropy => *self.entropy[self.own].get(at)?,
            Heat::Base => -self.logprob[0].get(at)?,
            Heat::Rlvr => -self.logprob[1].get(at)?,
            Heat::Difference => self.logprob[1].get(at)? - self.logprob[0].get(at)?,
            Heat::Off => return None,
        };
        (!value.is_nan()).then_some(value)
    }

    /// Nats at which a colour is full.
    pub fn scale(&self, heat: Heat) -> f64 {
        match heat {
            // Of most models' entropies few are above one nat.
            Heat::Entropy => {
                self.entropy[self.own].iter().copied().filter(|v| v.is_finite()).fold(1.0, f64::max)
            }
            Heat::Base | Heat::Rlvr => 4.0,
            Heat::Difference | Heat::Off => 3.0,
        }
    }

    /// What stands or could have stood at a place, the likeliest under either policy first;
    /// the token that stands there is always among them. `text` is that on screen.
    pub fn alternatives(&self, at: usize, text: &str) -> Vec<Alternative> {
        let Some(own) = self.top[self.own].get(at) else { return Vec::new() };
        let chosen = text.get(self.range(at)).unwrap_or_default();
        let mut out: Vec<Alternative> = Vec::new();
        for token in own.iter().chain(&self.top[1 - self.own][at]) {
            if out.iter().any(|a| a.text == token.0) {
                continue;
            }
            let chance = [0, 1].map(|side| self.chance(side, at, &token.0));
            out.push(Alternative { text: token.0.clone(), chance, chosen: false });
        }
        // A tokenizer may write a token alone without the space before it.
        let known = self.logprob[self.own][at].exp();
        let same = |a: &Alternative| {
            let close = matches!(a.chance[self.own], Chance::Known(p) if (p - known).abs() <= 1e-9);
            a.text == chosen || close && a.text.trim() == chosen.trim()
        };
        let exact = out.iter().position(|a| a.text == chosen).or_else(|| out.iter().position(same));
        match exact {
            Some(i) => {
                out[i].chosen = true;
                out[i].text = chosen.to_owned();
            }
            None => {
                let chance = [0, 1].map(|side| match self.logprob[side][at] {
                    l if l.is_nan() => Chance::Unknown,
                    l => Chance::Known(l.exp()),
                });
                out.push(Alternative { text: chosen.to_owned(), chance, chosen: true });
            }
        }
        let most = |a: &Alternative| a.chance.iter().map(Chance::least).fold(0.0, f64::max);
        out.sort_by(|a, b| most(b).total_cmp(&most(a)));
        out
    }

    fn chance(&self, side: usize, at: usize, text: &str) -> Chance {
        let top = &self.top[side][at];
        match (top.iter().find(|t| t.0 == text), top.last()) {
            (Some((_, l)), _) => Chance::Known(l.exp()),
            (None, Some((_, least))) => Chance::Below(least.exp()),
            (None, None) => Chance::Unknown,
        }
    }
}

impl Chance {
    /// A probability that it has at least, as far as known.
    fn least(&self) -> f64 {
        match self {
            Chance::Known(p) => *p,
            Chance::Below(_) | Chance::Unknown => 0.0,
        }
    }
}

/// Whether scored tokens together are the text on screen.
fn reads_as(scored: &Scored, text: &str) -> bool {
    let mut rest = text;
    scored.tokens.iter().all(|t| match rest.strip_prefix(clean(&t.text).as_str()) {
        Some(after) => {
            rest = after;
            true
        }
        None => false,
    }) && rest.is_empty()
}

/// The fifth of the places with the highest entropy.
fn forks(entropy: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..entropy.len()).filter(|i| entropy[*i] > SURE).collect();
    order.sort_by(|a, b| entropy[*b].total_cmp(&entropy[*a]));
    order.truncate((entropy.len() as f64 * FORKS).ceil() as usize);
    let mut out = vec![false; entropy.len()];
    order.into_iter().for_each(|i| out[i] = true);
    out
}

impl State {
    /// The completion that is selected on Completions.
    pub fn subject(&self) -> Option<Subject> {
        let index = *self.figures.members.get(self.selected_member())?;
        Some(Subject {
            generation: self.generation,
            problem: self.current,
            policy: self.policy(self.completions.side),
            index,
            pair: self.pair,
        })
    }

    /// Its tokens under both policies, once they are known.
    pub fn tokens(&self) -> Option<&Tokens> {
        self.inspect.tokens_of(self.subject()?)
    }

    /// What is to be scored: the completion that is read. Models that are in this program
    /// are quick, so with them the selected one is enough; models that are not loaded yet
    /// are opened only when the user asks.
    pub(super) fn unweighed(&self) -> Option<Subject> {
        if self.screen != Screen::Completions || self.inspect.weighing.is_some() {
            return None;
        }
        let subject = self.subject().filter(|s| self.inspect.tokens_of(*s).is_none())?;
        let at_hand = [0, 1].iter().all(|side| {
            let spec = self.policies.get(self.policy(*side)).map_or("", |p| p.spec.as_str());
            spec.starts_with("embedded:")
        });
        let read = self.completions.reading && self.draws();
        (at_hand || read || self.inspect.asked).then_some(subject)
    }

    pub(super) fn weigh(&mut self, subject: Subject) -> Vec<Effect> {
        let Some(entry) = self.archive.get(subject.policy, subject.problem, subject.index) else {
            self.weighed(Weighed { subject, sides: [UNREAD, UNREAD].map(|why| Err(why.to_owned())) });
            return Vec::new();
        };
        let trace = &entry.completion.trace;
        let job = Job {
            subject,
            problem: self.problems[subject.problem].clone(),
            text: entry.written().to_owned(),
            tokens: trace.iter().map(|t| t.id).collect(),
            ended: entry.completion.finish == crate::completion::Finish::Stop,
            // Of very long texts fewer, for the room they take.
            top: if entry.completion.length.unwrap_or(0) > 4096 { 8 } else { 24 },
        };
        self.inspect.weighing = Some(subject);
        vec![Effect::Weigh(Box::new(job))]
    }

    /// Scores that have come back.
    pub(super) fn weighed(&mut self, weighed: Weighed) {
        self.inspect.weighing = None;
        let subject = weighed.subject;
        if subject.generation != self.generation {
            return;
        }
        let entry = self.archive.get(subject.policy, subject.problem, subject.index);
        self.inspect.keep(match entry {
            Some(entry) => Tokens::new(weighed, &entry.completion.text, &entry.completion.trace),
            None => Tokens::new(weighed, "", &[]),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, logprob: f64, entropy: f64, top: &[(&str, f64)]) -> ScoredToken {
        let top = top.iter().map(|(t, p): &(&str, f64)| ((*t).to_owned(), p.ln())).collect();
        ScoredToken { id: 7, text: text.to_owned(), logprob, entropy: Some(entropy), top }
    }

    fn scored(tokens: Vec<ScoredToken>) -> Result<Scored, String> {
        Ok(Scored { tokens, retokenised: false, ended: true })
    }

    fn subject(policy: usize) -> Subject {
        Subject { generation: 0, problem: 0, policy, index: 3, pair: Pair::with_base(1) }
    }

    fn two() -> Tokens {
        let half = 0.5f64.ln();
        let base = vec![
            token(" a\u{1b}", half, 0.9, &[(" a", 0.5), (" b", 0.4)]),
            token("漢", 0.25f64.ln(), 0.2, &[("x", 0.6), ("y", 0.3)]),
            token("", 0.0, 0.0, &[("", 1.0)]),
        ];
        let rlvr = vec![
            token(" a\u{1b}", 0.99f64.ln(), 0.05, &[(" a", 0.99), (" c", 0.005)]),
            token("漢", 0.75f64.ln(), 0.1, &[("漢", 0.75), ("x", 0.2)]),
            token("", 0.0, 0.0, &[("", 1.0)]),
        ];
        Tokens::new(Weighed { subject: subject(0), sides: [scored(base), scored(rlvr)] }, " a漢", &[])
    }

    #[test]
    fn tokens_stand_where_the_text_has_them() {
        let t = two();
        assert_eq!((t.len(), t.range(0), t.range(1), t.range(2)), (3, 0..2, 2..5, 5..5));
        assert_eq!([0, 1, 2, 4, 5].map(|place| t.at(place)), [0, 0, 1, 1, 3]);
        assert_eq!(t.notes, [None, None]);
        assert_eq!(t.heat(0, Heat::Entropy), Some(0.9));
        assert!((t.heat(1, Heat::Difference).unwrap() - 3f64.ln()).abs() < 1e-12);
        assert_eq!(t.heat(9, Heat::Base), None);
    }

    #[test]
    fn alternatives_of_both_policies_stand_side_by_side() {
        let all = two().alternatives(0, " a漢");
        assert_eq!(all.iter().map(|a| a.text.as_str()).collect::<Vec<_>>(), [" a", " b", " c"]);
        assert!(all[0].chosen && !all[1].chosen);
        let near = |c: Chance, p: f64| matches!(c, Chance::Known(q) if (p - q).abs() < 1e-12);
        assert!(near(all[0].chance[0], 0.5) && near(all[0].chance[1], 0.99));
        // What RLVR no longer ranks is below the least that it does.
        assert!(matches!(all[1].chance[1], Chance::Below(p) if (p - 0.005).abs() < 1e-12));
        // The base's list lacks what stands there; its own probability is known all the same.
        let second = two().alternatives(1, " a漢");
        let chosen = second.iter().find(|a| a.chosen).unwrap();
        assert_eq!((chosen.text.as_str(), second.len()), ("漢", 3));
        assert!(near(chosen.chance[1], 0.75));
        assert!(two().alternatives(5, " a漢").is_empty());
    }

    #[test]
    fn a_fifth_of_the_places_are_forks() {
        let entropy: Vec<f64> = (0..10).map(|i| f64::from(i) / 10.0).collect();
        let at = forks(&entropy);
        assert_eq!(at.iter().filter(|f| **f).count(), 2);
        assert!(at[8] && at[9]);
        assert!(forks(&[0.0, f64::NAN, 0.001]).iter().all(|f| !f));
        let t = two();
        assert_eq!((t.fork_from(2, false), t.fork_from(0, true)), (Some(0), None));
    }

    #[test]
    fn what_cannot_be_scored_or_is_cut_otherwise_is_said() {
        let fine = || scored(vec![token("ab", -1.0, 0.5, &[])]);
        let of = |base, rlvr, policy| {
            Tokens::new(Weighed { subject: subject(policy), sides: [base, rlvr] }, "ab", &[])
        };
        let t = of(fine(), Err("no \u{1b}server".into()), 1);
        assert_eq!((t.own, t.len(), t.notes[1].as_deref()), (0, 1, Some("no server")));
        assert_eq!(t.heat(0, Heat::Difference), None);
        let t = of(fine(), scored(vec![token("a", -1.0, 0.1, &[]), token("b", -1.0, 0.1, &[])]), 0);
        assert_eq!((t.len(), t.notes[1].as_deref()), (1, Some("it cuts this text into other tokens")));
        let t = of(scored(vec![token("xy", -1.0, 0.1, &[])]), Err("away".into()), 0);
        assert!(t.is_empty() && t.notes[0].is_some());
    }
}
