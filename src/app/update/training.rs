//! What keys do on Training, and what training says.

use super::moved;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::state::training::{Pane, Pull, named};
use crate::app::state::{Named, Screen, State};
use crate::completion::clean;
use crate::model::embedded;
use crate::support::Pair;
use crate::train::drive::Plan;
use crate::train::knobs::{KNOBS, PRESETS};
use crate::train::session::{Begin, Ended, Event, EventKind, Order};

/// The most steps that a pull can be given.
const MOST: usize = 10_000;

/// What an action does on Training; `None` where it does what it does everywhere.
pub(super) fn act(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    let training = &mut state.training;
    Some(match action {
        Action::Up => step(state, -1),
        Action::Down => step(state, 1),
        Action::PageUp => step(state, -10),
        Action::PageDown => step(state, 10),
        Action::First => step(state, i64::MIN),
        Action::Last => step(state, i64::MAX),
        Action::TurnUp => turn(state, true),
        Action::TurnDown => turn(state, false),
        Action::NextPane | Action::PreviousPane => {
            training.pane = if training.pane == Pane::Knobs { Pane::Pulls } else { Pane::Knobs };
            Vec::new()
        }
        Action::Preset => {
            let at = PRESETS.iter().position(|p| p.knobs() == training.knobs);
            let preset = &PRESETS[at.map_or(0, |at| (at + 1) % PRESETS.len())];
            training.knobs = preset.knobs();
            state.notice = Some(format!("{}: {}", preset.name, preset.what));
            Vec::new()
        }
        Action::Scope => {
            training.all = !training.all;
            Vec::new()
        }
        Action::Charts => {
            training.page += 1;
            Vec::new()
        }
        Action::More => {
            training.steps = (training.steps + training.steps.div_ceil(5)).min(MOST);
            Vec::new()
        }
        Action::Less => {
            training.steps = (training.steps - training.steps / 6).max(1);
            Vec::new()
        }
        Action::Restart => {
            training.seed = training.seed.wrapping_add(1);
            Vec::new()
        }
        Action::Pause => pause(state),
        Action::Pull => begin(state, None),
        Action::Fork => match held(state) {
            Some(at) => begin(state, Some(at)),
            None => said(state, "there is no pull to fork"),
        },
        Action::StopPull => match state.training.running() {
            Some(_) => vec![Effect::Train(Order::Stop)],
            None => said(state, "no pull runs"),
        },
        Action::Apply => match state.training.running() {
            Some(_) => {
                let knobs = state.training.knobs.clone();
                state.notice = Some("these knobs hold from the next step on".to_owned());
                vec![Effect::Train(Order::Knobs(knobs))]
            }
            None => said(state, "no pull runs: s starts one with these knobs"),
        },
        Action::Keep => match held(state) {
            Some((pull, step)) => {
                let name = format!("pull{pull}@{step}");
                match state.policies.iter().position(|p| p.name == name) {
                    Some(policy) => show(state, policy),
                    None => vec![Effect::Keep { pull, step, name }],
                }
            }
            None => said(state, "there is nothing to keep yet"),
        },
        Action::Save => match held(state) {
            Some((pull, step)) => vec![Effect::Save { pull, step }],
            None => said(state, "there is nothing to write yet"),
        },
        Action::Checkpoints => checkpoints(state),
        Action::Back => {
            state.screen = Screen::Explore;
            Vec::new()
        }
        Action::Open | Action::Next | Action::Previous | Action::NextFlip | Action::PreviousFlip => {
            Vec::new()
        }
        _ => return None,
    })
}

/// The RLVR column shows the policy `by` places further on.
pub(super) fn policy(state: &mut State, by: i64) -> Vec<Effect> {
    let others = state.policies.len().saturating_sub(1);
    if others < 2 {
        return said(state, "there is one RLVR policy; b on Training brings the embedded checkpoints");
    }
    let at = moved(state.pair.rlvr.saturating_sub(1), by, others);
    show(state, at + 1)
}

fn show(state: &mut State, policy: usize) -> Vec<Effect> {
    state.pair = Pair::with_base(policy.max(1));
    let place = format!("{} of {}", policy, state.policies.len() - 1);
    state.notice = Some(format!("the RLVR column shows {} ({place})", state.name(1)));
    Vec::new()
}

/// One more policy is drawn from.
pub(super) fn adopted(state: &mut State, named: Named) {
    state.policies.push(Named { name: clean(&named.name), spec: clean(&named.spec) });
    state.ledger.add_policy();
    state.progress.finished = false;
    show(state, state.policies.len() - 1);
}

/// Takes news of training in.
pub(super) fn happened(state: &mut State, event: Event) {
    let training = &mut state.training;
    let Some(pull) = training.pulls.iter_mut().find(|p| p.id == event.pull) else { return };
    match event.kind {
        EventKind::Stepped { stepped, tokens_per_second, seconds_left } => {
            pull.stepped.push(stepped);
            (pull.tokens_per_second, pull.seconds_left) = (tokens_per_second, seconds_left);
        }
        EventKind::Examined(evaluation) => pull.examined.push(evaluation),
        EventKind::Ended { step, how } => {
            let words = match &how {
                Ended::Finished => {
                    format!("pull {} is done at step {step}: enter keeps it as a policy", pull.id)
                }
                Ended::Stopped => format!("pull {} stopped at step {step}", pull.id),
                Ended::Failed(why) => format!("pull {}: {}", pull.id, clean(why).replace('\n', " ")),
            };
            pull.ended = Some((step, how));
            training.paused = false;
            state.notice = Some(words);
        }
    }
}

fn said(state: &mut State, words: &str) -> Vec<Effect> {
    state.notice = Some(words.to_owned());
    Vec::new()
}

/// Pull and step where the slider stands; the very last step where it was not moved.
fn held(state: &State) -> Option<(u32, usize)> {
    let pull = state.training.pull()?;
    match (&pull.ended, state.training.step) {
        (Some((step, _)), None) if *step > 0 => Some((pull.id, *step)),
        _ => state.training.at().map(|e| (pull.id, e.step)),
    }
}

fn step(state: &mut State, by: i64) -> Vec<Effect> {
    let training = &mut state.training;
    match training.pane {
        Pane::Knobs => training.knob = moved(training.knob, by, KNOBS.len()),
        Pane::Pulls => {
            training.row = moved(training.row, by, training.pulls.len());
            training.step = None;
        }
    }
    Vec::new()
}

fn turn(state: &mut State, up: bool) -> Vec<Effect> {
    let training = &mut state.training;
    if training.pane == Pane::Knobs {
        training.selected().turn(&mut training.knobs, up);
        return Vec::new();
    }
    let (Some(pull), Some(now)) = (training.pull(), training.at()) else { return Vec::new() };
    let at = pull.examined.iter().position(|e| e.step == now.step).unwrap_or(0);
    let at = moved(at, if up { 1 } else { -1 }, pull.examined.len());
    // At its end the slider follows what comes.
    let step = (at + 1 < pull.examined.len()).then(|| pull.examined[at].step);
    training.step = step;
    Vec::new()
}

fn pause(state: &mut State) -> Vec<Effect> {
    if state.training.running().is_none() {
        return begin(state, None);
    }
    state.training.paused = !state.training.paused;
    vec![Effect::Train(if state.training.paused { Order::Pause } else { Order::Resume })]
}

/// Begins a pull. Sampling pauses for it: both want every core.
fn begin(state: &mut State, from: Option<(u32, usize)>) -> Vec<Effect> {
    let training = &mut state.training;
    let id = training.pulls.last().map_or(0, |p| p.id) + 1;
    let first = from.map_or(0, |(_, step)| step);
    // Some forty examinations, however long the pull.
    let every = Plan::default().every.max(training.steps / 40);
    let plan = Plan { steps: first + training.steps, every, seed: training.seed };
    training.pulls.push(Pull {
        id,
        name: named(&training.knobs),
        seed: training.seed,
        from,
        last: plan.steps,
        stepped: Vec::new(),
        examined: Vec::new(),
        tokens_per_second: 0.0,
        seconds_left: f64::NAN,
        ended: None,
    });
    training.row = training.pulls.len() - 1;
    training.step = None;
    training.paused = false;
    let knobs = training.knobs.clone();
    let mut effects = vec![Effect::Train(Order::Begin(Begin { pull: id, from, knobs, plan }))];
    if !state.progress.paused && !state.progress.finished {
        state.progress.paused = true;
        state.notice = Some("sampling pauses for the pull; space on Explore goes on".to_owned());
        effects.push(Effect::Pause);
    }
    effects
}

/// The embedded checkpoints that are not there yet.
fn checkpoints(state: &mut State) -> Vec<Effect> {
    let there = |spec: &str| state.policies.iter().any(|p| p.spec == spec);
    let family = state.policies.first().and_then(|p| embedded::family(&p.spec)).unwrap_or("leg_counting");
    let missing: Vec<Named> = embedded::along(family)
        .into_iter()
        .filter(|spec| !there(spec))
        .filter_map(|spec| Some(Named { name: embedded::name(spec)?.to_owned(), spec: spec.to_owned() }))
        .collect();
    if missing.is_empty() {
        return said(state, "all embedded checkpoints are there: [ and ] go through them");
    }
    vec![Effect::Adopt(missing)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Key, Message, update};
    use crate::model::Sampling;
    use crate::run::Settings;
    use crate::support::Counts;
    use crate::train::{Evaluation, Knobs, Stepped};

    fn state() -> State {
        let named = |name: &str| Named { name: name.to_owned(), spec: format!("embedded:{name}") };
        let settings = Settings { k: 8, sampling: Sampling::default(), threads: 1 };
        let mut state = State::new(vec![named("base"), named("rlvr")], Vec::new().into(), settings);
        keys(&mut state, "t");
        assert_eq!(state.screen, Screen::Training);
        state
    }

    fn keys(state: &mut State, keys: &str) -> Vec<Effect> {
        let key = |c| match c {
            '⏎' => Key::Enter,
            '⎋' => Key::Esc,
            '⇥' => Key::Tab,
            c => Key::Char(c),
        };
        keys.chars().flat_map(|c| update(state, Message::Key(key(c)))).collect()
    }

    fn news(state: &mut State, pull: u32, kind: EventKind) {
        assert_eq!(update(state, Message::Trained(Event { pull, kind })), []);
    }

    fn examined(step: usize) -> EventKind {
        EventKind::Examined(Evaluation {
            step,
            tokens: 0,
            k: 8,
            pass_1: 0.5,
            pass_k: 1.0,
            token_entropy: 0.1,
            answer_entropy: 1.0,
            length: 30.0,
            kl: 0.0,
            problems: Counts::default(),
            answers: Counts::default(),
            methods: Counts::default(),
            shares: Vec::new(),
        })
    }

    fn stepped(step: usize) -> EventKind {
        let stepped = Stepped { step, tokens: 9, drawn: None, groups: 1, clipped: 0.0, norm: 1.0 };
        EventKind::Stepped { stepped, tokens_per_second: 9.0, seconds_left: 1.0 }
    }

    #[test]
    fn a_pull_begins_with_the_knobs_on_screen_and_sampling_pauses() {
        let mut s = state();
        // The second preset, one knob turned, the next seed, more steps.
        let effects = keys(&mut s, "pjlr+s");
        let [Effect::Train(Order::Begin(begin)), Effect::Pause] = effects.as_slice() else {
            panic!("{effects:?}")
        };
        let want = Knobs { prompts: 32, ..PRESETS[1].knobs() };
        assert_eq!((&begin.knobs, begin.pull, begin.from), (&want, 1, None));
        assert_eq!((begin.plan.seed, begin.plan.steps), (2, 72));
        assert!(s.progress.paused);
        assert!(
            s.training.pull().unwrap().name.contains("samples=positive"),
            "a preset that was turned is none"
        );
    }

    #[test]
    fn a_pull_is_paused_stopped_forked_kept_and_written() {
        let mut s = state();
        assert_eq!(keys(&mut s, "fx⏎wA"), []);
        keys(&mut s, "s");
        assert_eq!(keys(&mut s, "  "), [Effect::Train(Order::Pause), Effect::Train(Order::Resume)]);
        for step in [0, 5, 10] {
            news(&mut s, 1, examined(step));
        }
        news(&mut s, 1, stepped(11));
        assert_eq!(keys(&mut s, "x"), [Effect::Train(Order::Stop)]);
        // The slider: two back, one on.
        let keep = |step| vec![Effect::Keep { pull: 1, step, name: format!("pull1@{step}") }];
        assert_eq!(keys(&mut s, "⇥⏎"), keep(10));
        assert_eq!(keys(&mut s, "hhl⏎"), keep(5));
        assert_eq!(keys(&mut s, "w"), [Effect::Save { pull: 1, step: 5 }]);
        let effects = keys(&mut s, "f");
        let [Effect::Train(Order::Begin(begin))] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((begin.pull, begin.from, begin.plan.steps), (2, Some((1, 5)), 65));
        // Where a pull has ended its very last step can be kept too.
        news(&mut s, 1, EventKind::Ended { step: 11, how: Ended::Stopped });
        assert_eq!(keys(&mut s, "k⏎"), vec![Effect::Keep { pull: 1, step: 11, name: "pull1@11".into() }]);
    }

    #[test]
    fn a_kept_policy_is_shown_and_brackets_go_through_all() {
        let mut s = state();
        assert_eq!(keys(&mut s, "]"), []);
        assert!(s.notice.take().unwrap().contains("one RLVR policy"));
        let named = Named { name: "pull1@5".into(), spec: "pull 1, step 5".into() };
        update(&mut s, Message::Adopted(named));
        assert_eq!((s.pair.rlvr, s.name(1), s.ledger.policies()), (2, "pull1@5", 3));
        keys(&mut s, "⎋[");
        assert_eq!((s.screen, s.pair.rlvr), (Screen::Explore, 1));
        keys(&mut s, "[");
        assert_eq!(s.pair.rlvr, 1);
        keys(&mut s, "]]");
        assert_eq!(s.pair.rlvr, 2);
        // It is not kept twice.
        keys(&mut s, "ts");
        news(&mut s, 1, examined(5));
        assert_eq!(keys(&mut s, "⏎"), []);
        assert_eq!(s.pair.rlvr, 2);
    }

    #[test]
    fn the_embedded_checkpoints_are_brought_once() {
        let mut s = state();
        let effects = keys(&mut s, "b");
        let [Effect::Adopt(all)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(
            (all.len(), all[0].name.as_str(), all[0].spec.as_str()),
            (5, "rlvr@10", "embedded:rlvr@10")
        );
        for named in all.clone() {
            update(&mut s, Message::Adopted(named));
        }
        assert_eq!(keys(&mut s, "b"), []);
        let steps: Vec<usize> = s.timeline().iter().map(|e| e.step).collect();
        assert_eq!(steps, [10, 20, 40, 70, 100, 150]);
    }

    #[test]
    fn what_fails_is_said_in_words_without_control_characters() {
        let mut s = state();
        keys(&mut s, "s");
        let how = Ended::Failed("it\x1b[2J broke\nhere".into());
        news(&mut s, 1, EventKind::Ended { step: 3, how });
        assert_eq!(s.notice.as_deref(), Some("pull 1: it[2J broke here"));
        news(&mut s, 9, stepped(1));
        assert_eq!(s.training.pulls.len(), 1);
    }
}
