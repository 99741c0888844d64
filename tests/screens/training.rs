//! The Training screen at the sizes that matter, with two made-up pulls.

use super::{press, screen};
use crate::stage;
use insta::assert_snapshot;
use leash::app::state::Named;
use leash::app::{Message, State, update};
use leash::support::Counts;
use leash::train::pull::Drawn;
use leash::train::session::{Ended, Event, EventKind};
use leash::train::{Evaluation, Stepped};

fn news(state: &mut State, pull: u32, kind: EventKind) {
    update(state, Message::Trained(Event { pull, kind }));
}

/// What a pull looks like that shrinks as the published one does; `hard` shrinks faster.
fn pull(state: &mut State, id: u32, steps: usize, hard: f64) {
    for step in 0..=steps {
        let done = 1.0 - (-(step as f64) * hard / 20.0).exp();
        let methods = ["multiply", "running total", "group", "count up", "pairs", "glance"];
        let first = 0.33 + 0.5 * done;
        let shares: Vec<(String, f64)> = methods
            .iter()
            .enumerate()
            .map(|(i, m)| ((*m).to_owned(), if i == 0 { first } else { (1.0 - first) / 5.0 }))
            .collect();
        if step > 0 {
            let drawn = Drawn {
                reward: 0.25 + 0.55 * done,
                token_entropy: 0.2 - 0.15 * done,
                length: 36.0 + 3.0 * done,
                methods: shares.clone(),
            };
            let tokens = 20_000 * step as u64;
            let stepped = Stepped { step, tokens, drawn: Some(drawn), groups: 14, clipped: 0.01, norm: 0.4 };
            news(state, id, EventKind::Stepped { stepped, tokens_per_second: 14_200.0, seconds_left: 83.0 });
        }
        if step % 5 == 0 {
            let lost = (40.0 * done) as u64;
            news(
                state,
                id,
                EventKind::Examined(Evaluation {
                    step,
                    tokens: 20_000 * step as u64,
                    k: 128,
                    pass_1: 0.25 + 0.5 * done,
                    pass_k: 1.0 - 0.1 * done,
                    token_entropy: 0.2 - 0.15 * done,
                    answer_entropy: 2.7 - 2.2 * done,
                    length: 36.0 + 3.0 * done,
                    kl: 0.3 * done,
                    problems: Counts { p: 16 - lost / 20, e: 0, s: lost / 20, o: 0 },
                    answers: Counts { p: 16 - lost / 20, e: 0, s: lost / 20, o: 0 },
                    methods: Counts { p: 60 - lost, e: 3, s: 6 + lost, o: 0 },
                    shares,
                }),
            );
        }
    }
}

fn two_pulls() -> State {
    let mut state = stage::state(50, 1024);
    stage::gauge(&mut state, 0.0);
    press(&mut state, "tps");
    pull(&mut state, 1, 60, 2.0);
    news(&mut state, 1, EventKind::Ended { step: 60, how: Ended::Finished });
    press(&mut state, "ps");
    pull(&mut state, 2, 32, 0.5);
    state
}

#[test]
fn two_pulls_from_one_base() {
    for (width, height) in [(80, 24), (120, 36), (160, 50)] {
        let mut state = two_pulls();
        assert_snapshot!(format!("training_{width}x{height}"), screen(&mut state, width, height));
        press(&mut state, "a");
        assert_snapshot!(format!("training_all_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn the_other_charts_and_the_slider() {
    let mut state = two_pulls();
    press(&mut state, "⇥chhh");
    assert_snapshot!("training_slider", screen(&mut state, 80, 24));
    assert!(state.training.step == Some(15), "{:?}", state.training.step);
}

#[test]
fn before_the_first_pull_it_says_what_can_be_done() {
    for (width, height) in [(80, 24), (160, 50)] {
        let mut state = stage::state(50, 1024);
        press(&mut state, "t");
        assert_snapshot!(format!("training_empty_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn the_embedded_checkpoints_are_a_timeline() {
    let mut state = stage::state(50, 1024);
    for step in [10, 20, 40] {
        let named = Named { name: format!("rlvr@{step}"), spec: format!("embedded:rlvr@{step}") };
        update(&mut state, Message::Adopted(named));
    }
    stage::draw(&mut state, 0, 0..64);
    press(&mut state, "t");
    let shown = screen(&mut state, 160, 50);
    assert!(shown.contains("embedded") && shown.contains("AIME24"), "{shown}");
}

#[test]
fn nothing_panics_at_any_size() {
    let mut state = two_pulls();
    for width in (1..170).step_by(7) {
        for height in (1..60).step_by(5) {
            screen(&mut state, width, height);
        }
        press(&mut state, if width % 2 == 0 { "ac" } else { "⇥lcj" });
    }
}
