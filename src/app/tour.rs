//! The guided tour for an audience: steps through the live explorer, each with a caption
//! whose figures are those on screen.

use super::effect::Effect;
use super::figures::Row;
use super::state::explore::Pane;
use super::state::{Scope, Screen, State};
use crate::support::{Criterion, Crossing, Status, Unit};

/// Where the tour is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tour {
    pub step: usize,
    /// Goes on by itself.
    pub auto: bool,
    /// Seconds that this step has been shown, where it goes on by itself.
    pub shown: u32,
}

/// One step.
pub struct Step {
    pub title: &'static str,
    /// Brings on screen what the caption speaks of.
    enter: fn(&mut State) -> Vec<Effect>,
    /// In words, with the figures of the moment.
    pub caption: fn(&State) -> String,
    /// Whether there is enough to see.
    ready: fn(&State) -> bool,
}

/// The tour, from first to last.
pub const STEPS: &[Step] = &[
    Step {
        title: "One problem, two models",
        enter: |state| {
            state.explore.filter.clear();
            explore(state, Scope::Problem, Pane::Problems, 0)
        },
        caption: |state| {
            format!(
                "“{}” On the left a base model answers, on the right the same model after RLVR: it was \
                 rewarded when a verifier found its final number right, and told nothing else. Both are \
                 writing on this machine right now: {} solutions each so far.",
                state.statement(state.current),
                state.figures.here.k
            )
        },
        ready: |state| state.figures.here.k >= 64,
    },
    Step {
        title: "One try: pass@1",
        enter: |state| explore(state, Scope::Problem, Pane::Problems, state.current),
        caption: |state| {
            let [base, rlvr] = pass_1(state);
            format!(
                "Give each model one try. The base is right in {base} of its tries, the RLVR model in \
                 {rlvr}. This is pass@1, and it is what a leaderboard shows: RLVR works."
            )
        },
        ready: |state| state.figures.here.k >= 64,
    },
    Step {
        title: "The base knows many ways",
        enter: |state| {
            state.lens.unit = Unit::Method;
            state.lens.criterion = Criterion::default();
            state.lens.sound = false;
            explore(state, Scope::Problem, Pane::Clusters(0), state.current)
        },
        caption: |state| {
            let ways = ways(state, |r| r.hits[0] > 0);
            format!(
                "Look at how it gets there. Solutions by the same steps stand in one row. The base has {} \
                 here: {}.",
                many(ways.len(), "correct way"),
                list(&ways)
            )
        },
        ready: |state| state.figures.here.k >= 256,
    },
    Step {
        title: "RLVR pulls them into one",
        enter: |state| explore(state, Scope::Problem, Pane::Clusters(1), state.current),
        caption: |state| {
            let correct = || state.figures.here.rows.iter().filter(|r| r.status.is_some());
            let total: u32 = correct().map(|r| r.hits[1]).sum();
            let Some(top) = correct().max_by_key(|r| r.hits[1]).filter(|r| r.hits[1] > 0) else {
                return "The RLVR model has no correct solution here yet.".to_owned();
            };
            let share = 100.0 * f64::from(top.hits[1]) / f64::from(total.max(1));
            let lost = ways(state, |r| r.status == Some(Status::Shrunk));
            let lost = match lost.len() {
                0 => "None of the base's ways is lost on this problem so far.".to_owned(),
                n => format!("{} of the base did not come once: {}.", capital(&many(n, "way")), list(&lost)),
            };
            format!("{share:.0} % of its correct solutions now go one way: {}. {lost}", top.method)
        },
        ready: |state| state.figures.here.k >= 256,
    },
    Step {
        title: "Lost is a statement about probability",
        enter: |state| {
            let lost = state.figures.here.rows.iter().find(|r| r.status == Some(Status::Shrunk));
            state.explore.cluster = lost.map(|r| r.key.clone());
            explore(state, Scope::Problem, Pane::Clusters(1), state.current)
        },
        caption: |state| {
            let k = state.figures.here.k;
            format!(
                "Not seen in {k} tries does not mean impossible. It means: with 95 % confidence its \
                 probability is below ε = {:.4}. With more tries ε falls; press + later and watch it.",
                super::figures::epsilon(k.max(1))
            )
        },
        ready: |state| state.figures.here.k >= 256,
    },
    Step {
        title: "Fewer answers, fewer doubts: entropy",
        enter: |state| explore(state, Scope::Problem, Pane::Problems, state.current),
        caption: |state| {
            let of = |f: fn(&super::figures::Measures) -> Option<f64>| {
                [0, 1].map(|side| {
                    f(&state.figures.here.measures[side]).map_or("–".to_owned(), |v| format!("{v:.2}"))
                })
            };
            let [a, b] = of(|m| m.answer_entropy);
            let [c, d] = of(|m| m.token_entropy);
            format!(
                "Entropy measures how spread out a model's choices are. Over answers it goes from {a} to \
                 {b} nats; over single tokens from {c} to {d}. The model became sure, of right and wrong alike."
            )
        },
        ready: |state| state.figures.here.k >= 256,
    },
    Step {
        title: "Now all problems",
        enter: |state| explore(state, Scope::All, Pane::Problems, state.current),
        caption: |state| {
            let all = &state.figures.all.measures;
            let [base, rlvr] = [0, 1].map(|side| percent(all[side].pass_1()));
            format!(
                "Over all {} problems the same: pass@1 goes from {base} to {rlvr}. The dark list on the left \
                 fills as both models work through the problems, {} of them so far.",
                state.problems.len(),
                begun(state)
            )
        },
        ready: |state| 4 * begun(state) >= 3 * state.problems.len(),
    },
    Step {
        title: "Many tries: the curves cross",
        enter: |state| explore(state, Scope::All, Pane::Problems, state.current),
        caption: |state| {
            let crossing = match state.figures.all.crossing {
                Crossing::At { k, .. } => format!(
                    "At k = {k} the curves cross: who may try that often is better served by the base."
                ),
                Crossing::NoneUpTo(k) => format!("Up to k = {k} they have not crossed yet."),
                Crossing::Unknown => "There is too little to compare yet.".to_owned(),
            };
            format!(
                "Now each may try k times, and a problem counts as solved if any try is right. Both curves \
                 rise, the base's faster: its many ways pay off. {crossing}"
            )
        },
        ready: |state| matches!(state.figures.all.crossing, Crossing::At { .. }) || state.progress.finished,
    },
    Step {
        title: "A lost problem",
        enter: |state| match worst(state) {
            Some(problem) => explore(state, Scope::Problem, Pane::Problems, problem),
            None => explore(state, Scope::Problem, Pane::Problems, state.current),
        },
        caption: |state| {
            let hits = |side: usize| -> u32 {
                let correct = state.figures.here.rows.iter().filter(|r| r.status.is_some());
                correct.map(|r| r.hits[side]).sum()
            };
            let (base, rlvr, k) = (hits(0), hits(1), state.figures.here.k);
            let said = match (base, rlvr) {
                (1.., 0) => "The base reaches it; the RLVR model does not.",
                _ => "No problem as a whole is lost so far; this is the one on which most was lost.",
            };
            format!(
                "“{}” Right in {k} tries: base {base}, RLVR {rlvr}. {said}",
                state.statement(state.current)
            )
        },
        ready: |state| state.figures.here.k >= 256,
    },
    Step {
        title: "The leash",
        enter: |state| explore(state, Scope::All, Pane::Problems, state.current),
        caption: |state| {
            let c = &state.figures.all.counts;
            format!(
                "In methods over all problems: {} kept, {} lost, {} gained. RLVR mostly chose among what the \
                 base could already do: it did not leave the leash. This pair is a tiny model organism; the \
                 paper finds the same pattern from 1.5 to 14 billion parameters.",
                c.p, c.s, c.e
            )
        },
        ready: |_| true,
    },
    Step {
        title: "Your turn",
        enter: |state| explore(state, Scope::Problem, Pane::Problems, state.current),
        caption: |_| {
            "j and k go through the problems, n to the next one on which something was lost or gained, enter \
             opens what a model wrote, u counts something else, ? says every key. Space leaves the tour; \
             everything goes on running."
                .to_owned()
        },
        ready: |_| true,
    },
];

/// Goes `by` steps on; past the last one the tour is over.
pub(super) fn go(state: &mut State, by: isize) -> Vec<Effect> {
    let Some(tour) = &mut state.tour else { return Vec::new() };
    let step = tour.step.saturating_add_signed(by);
    if step >= STEPS.len() {
        state.tour = None;
        return Vec::new();
    }
    tour.step = step;
    tour.shown = 0;
    state.refresh();
    (STEPS[step].enter)(state)
}

/// A second has passed. A step that goes on by itself does so once it could be read and
/// there is enough to see, but waits for that no longer than `PATIENCE`.
pub(super) fn second(state: &mut State) -> Vec<Effect> {
    /// Seconds.
    const PATIENCE: u32 = 60;
    /// Words that are read in a second, aloud.
    const PACE: usize = 3;
    let Some(tour) = &mut state.tour else { return Vec::new() };
    tour.shown += 1;
    let Tour { step, shown, .. } = *tour;
    state.refresh();
    let words = (STEPS[step].caption)(state).split_whitespace().count();
    let read = shown as usize >= 2 + words / PACE;
    if read && ((STEPS[step].ready)(state) || shown >= PATIENCE) {
        let effects = go(state, 1);
        return if state.tour.is_none() { vec![Effect::Quit] } else { effects };
    }
    Vec::new()
}

fn explore(state: &mut State, scope: Scope, pane: Pane, problem: usize) -> Vec<Effect> {
    state.screen = Screen::Explore;
    state.overlay = None;
    state.scope = scope;
    state.explore.pane = pane;
    if problem == state.current {
        return Vec::new();
    }
    state.current = problem;
    state.explore.cluster = None;
    vec![Effect::Focus(problem)]
}

/// The methods of the rows on screen that pass, the most frequent first.
fn ways(state: &State, pass: impl Fn(&Row) -> bool) -> Vec<String> {
    let rows = state.figures.here.rows.iter().filter(|r| r.status.is_some() && !r.method.is_empty());
    let mut names: Vec<String> = Vec::new();
    for row in rows.filter(|r| pass(r)) {
        if !names.contains(&row.method) {
            names.push(row.method.clone());
        }
    }
    names
}

/// Among the problems begun, the one on which most methods were lost.
fn richest(state: &State) -> Option<usize> {
    let lines = state.figures.lines.iter().enumerate();
    lines.filter(|(_, l)| l.k >= 256).max_by_key(|(_, l)| l.methods.s).map(|(i, _)| i)
}

/// A lost problem, else the one on which most methods were lost.
fn worst(state: &State) -> Option<usize> {
    let lines = || state.figures.lines.iter().enumerate();
    let lost = lines().filter(|(_, l)| l.status == Some(Status::Shrunk));
    lost.max_by_key(|(_, l)| l.k).map(|(i, _)| i).or_else(|| richest(state))
}

fn begun(state: &State) -> usize {
    state.figures.lines.iter().filter(|l| l.k > 0).count()
}

fn pass_1(state: &State) -> [String; 2] {
    [0, 1].map(|side| percent(state.figures.here.measures[side].pass_1()))
}

fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |s| format!("{:.0} %", 100.0 * s))
}

fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// Some names; the rest as a number.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut out = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if names.len() > SHOWN {
        out += &format!("; and {} more", names.len() - SHOWN);
    }
    out
}
