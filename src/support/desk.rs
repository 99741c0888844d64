//! What the ledger knows of one problem.

use super::counted::Counted;
use super::slots::{Arrival, Shelf, Slot, UNKNOWN};
use super::table::{Names, Tally, Texts, hash};
use crate::completion::Completion;
use crate::problem::{Rule, Verdict};
use std::collections::HashMap;

/// One problem: its outcomes, and the hits of every item, kept up to date.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub answers: Names,
    pub methods: Names,
    pub classes: Vec<Class>,
    class_of: HashMap<ClassId, u32>,
    /// Distinct correct texts: those not known to be sound, and the sound ones.
    pub texts: [Texts; 2],
    pub shelves: Vec<Shelf>,
    /// The base against each other policy, from policy 1.
    pub matches: Vec<Matched>,
}

/// All completions on which the verifier said the same.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub id: ClassId,
    /// For each policy, within its prefix.
    pub drawn: Box<[u32]>,
    /// For each pair, base and other within their matched k.
    pub matched: Box<[[u32; 2]]>,
}

/// A verdict in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClassId {
    pub answer: Option<u32>,
    pub method: Option<u32>,
    pub correct: bool,
    pub sound: Option<bool>,
    pub rule: Option<Rule>,
}

impl ClassId {
    pub fn is_sound(&self) -> bool {
        self.sound == Some(true)
    }
}

/// What a pair has hit within its matched k.
#[derive(Clone, Debug, Default)]
pub(super) struct Matched {
    pub k: u32,
    /// Each as [all correct, sound only].
    pub problem: [Tally; 2],
    pub answers: [Tally; 2],
    pub methods: [Tally; 2],
    /// As [`Desk::texts`]: [not known to be sound, sound].
    pub texts: [Tally; 2],
}

impl Desk {
    pub fn new(policies: usize) -> Self {
        Self {
            answers: Names::default(),
            methods: Names::default(),
            classes: Vec::new(),
            class_of: HashMap::new(),
            texts: Default::default(),
            shelves: vec![Shelf::default(); policies],
            matches: vec![Matched::default(); policies.saturating_sub(1)],
        }
    }

    /// Makes room for one more policy.
    pub fn grow(&mut self) {
        self.shelves.push(Shelf::default());
        let pairs = self.shelves.len().saturating_sub(1);
        self.matches.resize_with(pairs, Matched::default);
        for class in &mut self.classes {
            let (mut drawn, mut matched) = (class.drawn.to_vec(), class.matched.to_vec());
            drawn.push(0);
            matched.resize(pairs, [0; 2]);
            (class.drawn, class.matched) = (drawn.into(), matched.into());
        }
    }

    /// Takes a completion in; a duplicate index is ignored.
    pub fn add(&mut self, policy: usize, completion: &Completion, verdict: &Verdict) {
        if self.shelves[policy].has(completion.index) {
            return;
        }
        let class = self.class(verdict);
        let text = if verdict.correct {
            self.texts[usize::from(verdict.sound == Some(true))].intern(hash(&completion.text))
        } else {
            UNKNOWN
        };
        self.place(policy, completion.index, Arrival::new(class, text, completion));
    }

    /// As [`Desk::add`], of what is kept of a completion; `class` must be one of this desk's.
    pub fn count(&mut self, policy: usize, class: u32, of: &Counted) {
        if self.shelves[policy].has(of.index) {
            return;
        }
        let id = &self.classes[class as usize].id;
        let text = match id.correct {
            true => self.texts[usize::from(id.is_sound())].intern(of.text),
            false => UNKNOWN,
        };
        let Counted { length, token_entropy, logprob, .. } = *of;
        let slot = Slot { class, text, length, token_entropy, logprob };
        self.place(policy, of.index, Arrival { slot, entropy_high: of.entropy_high });
    }

    /// This problem with each policy's first k completions only.
    pub fn at(&self, k: u32) -> Desk {
        let mut desk = Desk::new(self.shelves.len());
        desk.answers = self.answers.clone();
        desk.methods = self.methods.clone();
        desk.class_of = self.class_of.clone();
        desk.classes = self.classes.iter().map(|c| desk.unseen(c.id)).collect();
        for (policy, shelf) in self.shelves.iter().enumerate() {
            for (index, slot) in shelf.slots.iter().take(k as usize).enumerate() {
                let mut slot = *slot;
                if slot.text != UNKNOWN {
                    let sound = usize::from(self.classes[slot.class as usize].id.is_sound());
                    slot.text = desk.texts[sound].intern(self.texts[sound].hash(slot.text));
                }
                desk.place(policy, index as u32, Arrival { slot, entropy_high: shelf.entropy_high(index) });
            }
        }
        desk
    }

    pub fn class(&mut self, verdict: &Verdict) -> u32 {
        let id = ClassId {
            answer: verdict.answer.as_deref().map(|a| self.answers.intern(a)),
            method: verdict.method.as_deref().map(|m| self.methods.intern(m)),
            correct: verdict.correct,
            sound: verdict.sound,
            rule: verdict.rule,
        };
        if let Some(&class) = self.class_of.get(&id) {
            return class;
        }
        let class = self.classes.len() as u32;
        self.classes.push(self.unseen(id));
        self.class_of.insert(id, class);
        class
    }

    fn unseen(&self, id: ClassId) -> Class {
        Class {
            id,
            drawn: vec![0; self.shelves.len()].into(),
            matched: vec![[0; 2]; self.matches.len()].into(),
        }
    }

    fn place(&mut self, policy: usize, index: u32, arrival: Arrival) {
        let mut next = self.shelves[policy].offer(index, arrival);
        while let Some(arrival) = next {
            let class = &mut self.classes[arrival.slot.class as usize];
            class.drawn[policy] += 1;
            self.shelves[policy].push(arrival, &class.id);
            next = self.shelves[policy].next();
        }
        let pairs = if policy == 0 { 1..self.shelves.len() } else { policy..policy + 1 };
        pairs.for_each(|other| self.catch_up(other));
    }

    /// Matches what both the base and `other` have drawn and was not matched yet.
    fn catch_up(&mut self, other: usize) {
        let matched = &mut self.matches[other - 1];
        let k = self.shelves[0].slots.len().min(self.shelves[other].slots.len());
        for index in matched.k as usize..k {
            for (side, policy) in [0, other].into_iter().enumerate() {
                let slot = self.shelves[policy].slots[index];
                let class = &mut self.classes[slot.class as usize];
                class.matched[other - 1][side] += 1;
                matched.hit(&class.id, slot.text, side);
            }
        }
        matched.k = k as u32;
    }
}

impl Matched {
    fn hit(&mut self, class: &ClassId, text: u32, side: usize) {
        if !class.correct {
            return;
        }
        for view in 0..=usize::from(class.is_sound()) {
            self.problem[view].hit(0, side);
            class.answer.into_iter().for_each(|a| self.answers[view].hit(a, side));
            class.method.into_iter().for_each(|m| self.methods[view].hit(m, side));
        }
        self.texts[usize::from(class.is_sound())].hit(text, side);
    }
}
