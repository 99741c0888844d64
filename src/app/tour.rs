//! The guided tour for an audience: steps through the live explorer, each with a caption
//! whose figures are those on screen.

use super::branch::{Branch, Lead};
use super::effect::Effect;
use super::figures::Row;
use super::state::explore::Pane;
use super::state::{Completions, Curves, Scope, Screen, State};
use crate::support::{ClusterKey, Criterion, Crossing, Status, Unit};

/// Where the tour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tour {
    pub step: usize,
    /// Goes on by itself.
    pub auto: bool,
    /// Seconds that this step has been shown, where it goes on by itself.
    pub shown: u32,
    /// Words of a caption that are read in a second, at least 1.
    pub pace: u32,
}

/// Words that are read in a second, aloud.
pub const ALOUD: u32 = 3;

impl Default for Tour {
    fn default() -> Self {
        Self { step: 0, auto: false, shown: 0, pace: ALOUD }
    }
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
            let share = percent(Some(f64::from(top.hits[1]) / f64::from(total.max(1))));
            let lost = ways(state, |r| r.status == Some(Status::Shrunk));
            let lost = match lost.len() {
                0 => "None of the base's ways is lost on this problem so far.".to_owned(),
                n => format!("{} of the base did not come once: {}.", capital(&many(n, "way")), list(&lost)),
            };
            format!("{share} of its correct solutions now go one way: {}. {lost}", top.method)
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
        title: "Suppressed, not erased",
        enter: force,
        caption: |state| {
            let Some((row, branch)) = state.completions.cluster.as_ref().zip(state.open_branch()) else {
                return "None of the base's ways is lost on this problem so far; where one is, f on a \
                        completion forces first words and shows whether RLVR can still finish it."
                    .to_owned();
            };
            let method = row.method.as_deref().unwrap_or("this way");
            let same = |l: &&&Lead| l.correct && l.method == method;
            let again = branch.leads().iter().find(same).map_or(0, |l| l.hits[1]);
            let said = match again {
                _ if branch.is_running() => "Both are writing.".to_owned(),
                0 => "It does not find back onto it: here more is gone than the habit.".to_owned(),
                _ => "It still knows the way that it no longer begins: suppressed, not erased.".to_owned(),
            };
            format!(
                "“{}” By itself the RLVR model no longer solves this by “{method}”. We put the first word into \
                 both mouths: “{}”. Of {} continuations each, the base gets {} right and RLVR {}. {said}",
                state.statement(state.current),
                branch.prefix.trim(),
                branch.asked,
                branch.correct[0],
                branch.correct[1],
            )
        },
        ready: |state| state.open_branch().is_none_or(|b| !b.is_running()),
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
        title: "Many tries: the curves cross",
        enter: |state| {
            let effects = explore(state, Scope::All, Pane::Problems, state.current);
            state.screen = Screen::Curves;
            state.curves = Curves { maximised: true, ..Curves::default() };
            effects
        },
        caption: |state| {
            let crossing = match state.figures.all.crossing {
                Crossing::At { k, .. } => {
                    format!("At k = {k} they cross: who may try that often is better served by the base.")
                }
                Crossing::NoneUpTo(k) => format!("Up to k = {k} they have not crossed yet."),
                Crossing::Unknown => "There is too little to compare yet.".to_owned(),
            };
            let [base, rlvr] = [0, 1].map(|side| percent(state.figures.all.measures[side].pass_1()));
            format!(
                "Now all problems, {} of {} so far. In one try pass@1 goes from {base} to {rlvr}. But let each try \
                 k times, and count a problem as solved if any try is right: both curves rise, the base's \
                 faster, its many ways pay off. {crossing}",
                begun(state),
                state.problems.len()
            )
        },
        ready: |state| {
            matches!(state.figures.all.crossing, Crossing::At { .. })
                && 4 * begun(state) >= 3 * state.problems.len()
        },
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
        title: "Is it more than luck?",
        enter: |state| {
            state.lens.unit = Unit::Method;
            explore(state, Scope::All, Pane::Problems, state.current)
        },
        caption: |state| {
            let lost = state.figures.all.counts.s;
            let noise = state.study_all().map(|s| &s.noise);
            let Some((noise, floor)) = noise.and_then(|n| Some((n, n.floor.as_ref()?))) else {
                return format!(
                    "{lost} methods look lost. Draws differ by luck alone, so how many would look lost if \
                     both columns were the same model? There is too little to say yet."
                );
            };
            let chance = match noise.p_value {
                Some(p) if p < 0.001 => "less than one time in a thousand".to_owned(),
                Some(p) => format!("with probability {p:.3}"),
                None => "with a probability that is not known yet".to_owned(),
            };
            format!(
                "{lost} methods look lost. But draws differ by luck alone: the base against itself would seem to \
                 lose about {:.0} ({:.0} to {:.0}). Were it luck, a difference like this would come {chance}.",
                floor.s.value, floor.s.low, floor.s.high
            )
        },
        ready: |state| state.study_all().is_some_and(|s| s.noise.floor.is_some()),
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
    let Some(tour) = &mut state.tour else { return Vec::new() };
    tour.shown += 1;
    let Tour { step, shown, pace, .. } = *tour;
    state.refresh();
    let words = (STEPS[step].caption)(state).split_whitespace().count();
    let read = shown as usize >= 2 + words / pace.max(1) as usize;
    let branching = state.open_branch().is_some_and(Branch::is_running);
    // Where all is drawn there is nothing to wait for.
    let ready = (STEPS[step].ready)(state) || state.progress.finished;
    if read && (ready && !branching || shown >= PATIENCE) {
        let effects = go(state, 1);
        return if state.tour.is_none() { vec![Effect::Quit] } else { effects };
    }
    Vec::new()
}

fn explore(state: &mut State, scope: Scope, pane: Pane, problem: usize) -> Vec<Effect> {
    state.screen = Screen::Explore;
    state.overlay = None;
    state.explore.clusters.clear();
    state.scope = scope;
    state.explore.pane = pane;
    if problem == state.current {
        return Vec::new();
    }
    state.current = problem;
    state.explore.cluster = None;
    vec![Effect::Focus(problem)]
}

/// Forces the first word of a lost way and lets both go on from there.
fn force(state: &mut State) -> Vec<Effect> {
    let Some((problem, key)) = lost_way(state) else {
        state.completions.cluster = None;
        return explore(state, Scope::Problem, Pane::Problems, state.current);
    };
    let mut effects = explore(state, Scope::Problem, Pane::Clusters(0), problem);
    state.explore.cluster = Some(key.clone());
    state.completions = Completions::open(key, 0);
    state.screen = Screen::Completions;
    state.inspect.partner = None;
    state.refresh();
    // One whose steps derive the answer, where there is one.
    let policy = state.policy(0);
    let derived = |i: &&u32| {
        let outcome = state.graded().outcome(policy, problem, **i);
        outcome.is_some_and(|o| o.verdict.sound == Some(true))
    };
    state.completions.index = state.figures.members.iter().find(derived).copied();
    if let Some(words) = state.first_word() {
        effects.extend(state.branch(words, Vec::new()));
    }
    effects
}

/// Among the problems that were drawn most, the way that the base goes most often, by sound
/// steps where these are known, and RLVR not once.
fn lost_way(state: &State) -> Option<(usize, ClusterKey)> {
    let most = state.figures.lines.iter().map(|l| l.k).max()?;
    let begun = state.figures.lines.iter().enumerate().filter(|(_, l)| l.k > 0 && 2 * l.k >= most);
    let ways = begun.flat_map(|(problem, _)| {
        let lost = state.graded().clusters(state.pair, problem).into_iter();
        lost.filter(|c| c.correct && c.hits[0] > 0 && c.hits[1] == 0 && c.key.method.is_some())
            .map(move |c| ((c.sound[0], c.hits[0]), problem, c.key))
    });
    // Of equal ones the first.
    let better = |a: ((u32, u32), usize, ClusterKey), b: ((u32, u32), usize, ClusterKey)| {
        if b.0 > a.0 { b } else { a }
    };
    ways.reduce(better).map(|(_, problem, key)| (problem, key))
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
    let Some(share) = share else { return "–".to_owned() };
    // Almost all is not all, and little is not nothing.
    match 100.0 * share {
        p if p > 99.95 && p < 100.0 => "more than 99.9 %".to_owned(),
        p if p > 0.0 && p < 0.05 => "less than 0.1 %".to_owned(),
        p if p > 0.0 && p < 1.0 || p > 99.0 && p < 100.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
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
