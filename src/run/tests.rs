use super::*;
use crate::policy::script::{Script, Scripted};
use crate::problem::{Unjudged, Verdict};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

type Texts = BTreeMap<(usize, usize, u32), String>;

fn policies(script: &str) -> Vec<Arc<dyn Policy>> {
    let script: Script = serde_json::from_str(script).unwrap();
    let make = |name| Arc::new(Scripted::new(name, "script:", script.clone()).unwrap()) as Arc<dyn Policy>;
    vec![make("base"), make("rlvr")]
}

fn problems(n: usize) -> Arc<[Problem]> {
    let mut all = crate::problem::tasks::leg_counting::Suite::HeldOut.problems();
    all.truncate(n);
    all.into()
}

fn settings(k: u32, threads: usize) -> Settings {
    Settings { k, sampling: Sampling::default(), threads }
}

const QUICK: &str =
    r##"{"texts":[{"text":" a b #### {reference}"},{"text":" #### 7","weight":2}],"batch":5}"##;
const SLOW: &str = r##"{"texts":[{"text":" a b c #### {reference}"}],"batch":2,"step_ms":2}"##;

/// Reads events of `generation` until it is finished; panics on a completion given twice.
fn until_finished(lanes: &mut Lanes, generation: u64) -> (Texts, Vec<EventKind>) {
    let (mut texts, mut others) = (Texts::new(), Vec::new());
    while let Some(event) = lanes.events.blocking_recv() {
        match event.kind {
            _ if event.generation != generation => {}
            EventKind::Drawn(batch) => {
                for d in batch {
                    let key = (d.policy, d.problem, d.completion.index);
                    assert!(texts.insert(key, d.completion.text).is_none(), "{key:?} was drawn twice");
                }
            }
            EventKind::Finished => break,
            other => others.push(other),
        }
    }
    (texts, others)
}

fn run(script: &str, n: usize, settings: Settings) -> (Texts, Vec<EventKind>) {
    let (_campaign, mut lanes) = Campaign::start(policies(script), problems(n), settings);
    until_finished(&mut lanes, 0)
}

#[test]
fn everything_is_drawn_once_and_does_not_depend_on_the_number_of_threads() {
    let (one, _) = run(QUICK, 3, settings(300, 1));
    assert_eq!(one.len(), 2 * 3 * 300);
    let (four, _) = run(QUICK, 3, settings(300, 4));
    assert_eq!(one, four);
}

#[test]
fn completions_are_judged_where_they_are_drawn() {
    let (_campaign, mut lanes) = Campaign::start(policies(QUICK), problems(1), settings(40, 2));
    let mut seen = 0;
    while let Some(event) = lanes.events.blocking_recv() {
        let EventKind::Drawn(batch) = event.kind else { break };
        for d in batch {
            assert_eq!(d.verdict.correct, d.completion.text.contains(" a b"));
            seen += 1;
        }
    }
    assert_eq!(seen, 80);
}

/// Judges nothing of the second problem until it is mended, and panics at the third's.
#[derive(Default)]
struct Picky {
    mended: AtomicBool,
}

impl Judge for Picky {
    fn judge(&self, problem: &Problem, texts: &[&str]) -> Vec<Result<Verdict, Unjudged>> {
        let one = |text: &&str| match problem.id.as_str() {
            "leg_counting/heldout/1" if !self.mended.load(Ordering::Relaxed) => {
                Err(Unjudged("nobody knows".into()))
            }
            "leg_counting/heldout/2" => panic!("too much"),
            _ => Ok(crate::problem::judge(problem, text)),
        };
        texts.iter().map(one).collect()
    }
}

#[test]
fn what_cannot_be_judged_is_said_and_drawn_again_when_it_can() {
    let judge = Arc::new(Picky::default());
    let (campaign, mut lanes) = Campaign::judged(
        policies(QUICK),
        problems(3),
        settings(20, 2),
        &[],
        Arc::clone(&judge) as Arc<dyn Judge>,
    );
    let (texts, others) = until_finished(&mut lanes, 0);
    assert_eq!(texts.len(), 40);
    assert!(texts.keys().all(|(_, problem, _)| *problem == 0));
    let said = |what: &str| others.iter().any(|e| format!("{e:?}").contains(what));
    assert!(said("Failed") && said("nobody knows") && said("Panicked") && said("too much"), "{others:?}");
    judge.mended.store(true, Ordering::Relaxed);
    campaign.send(Command::Resume);
    let (texts, _) = until_finished(&mut lanes, 0);
    assert_eq!(texts.len(), 40);
    assert!(texts.keys().all(|(_, problem, _)| *problem == 1));
}

#[test]
fn what_is_drawn_already_is_not_drawn_again() {
    let done =
        [Item { policy: 0, problem: 0, indices: 0..50 }, Item { policy: 1, problem: 1, indices: 3..4 }];
    let (_campaign, mut lanes) = Campaign::resume(policies(QUICK), problems(2), settings(50, 2), &done);
    let (texts, _) = until_finished(&mut lanes, 0);
    assert_eq!(texts.len(), 4 * 50 - 51);
    assert!(!texts.contains_key(&(0, 0, 9)) && !texts.contains_key(&(1, 1, 3)));
}

#[test]
fn more_k_goes_on_where_it_ended() {
    let (campaign, mut lanes) = Campaign::start(policies(QUICK), problems(2), settings(10, 2));
    let (first, _) = until_finished(&mut lanes, 0);
    campaign.send(Command::SetK(25));
    let (second, _) = until_finished(&mut lanes, 0);
    assert_eq!((first.len(), second.len()), (40, 60));
    assert!(first.keys().all(|key| !second.contains_key(key)));
}

#[test]
fn a_pause_ends_the_flow_and_loses_nothing() {
    let (campaign, mut lanes) = Campaign::start(policies(SLOW), problems(2), settings(40, 2));
    let mut texts = Texts::new();
    let mut keep = |event: Event| {
        let EventKind::Drawn(batch) = event.kind else { return false };
        for d in batch {
            assert!(texts.insert((d.policy, d.problem, d.completion.index), d.completion.text).is_none());
        }
        true
    };
    for _ in 0..3 {
        keep(lanes.events.blocking_recv().unwrap());
    }
    campaign.send(Command::Pause);
    // In flight is at most one step a worker; after that the rate is 0 and stays so.
    while lanes.gauge.borrow().tokens_per_second > 0.0 {
        std::thread::yield_now();
    }
    while let Ok(event) = lanes.events.try_recv() {
        assert!(keep(event), "it is not finished");
    }
    assert!(lanes.events.try_recv().is_err());
    campaign.send(Command::Resume);
    while keep(lanes.events.blocking_recv().unwrap()) {}
    assert_eq!(texts.len(), 160);
}

#[test]
fn a_restart_begins_a_new_generation_with_other_settings() {
    let (campaign, mut lanes) = Campaign::start(policies(SLOW), problems(3), settings(500, 2));
    let first = lanes.events.blocking_recv().unwrap();
    assert_eq!(first.generation, 0);
    let other = Settings { sampling: Sampling { max_tokens: 2, ..Sampling::default() }, ..settings(12, 3) };
    campaign.send(Command::Restart(other));
    assert_eq!(campaign.generation(), 1);
    let (texts, _) = until_finished(&mut lanes, 1);
    assert_eq!(texts.len(), 2 * 3 * 12);
    assert!(texts.values().all(|t| t == " a "), "the new limit of tokens holds");
    assert_eq!(lanes.gauge.borrow().generation, 1);
}

#[test]
fn the_problem_in_focus_is_drawn_first() {
    let (campaign, mut lanes) = Campaign::start(policies(SLOW), problems(9), settings(8, 2));
    lanes.events.blocking_recv().unwrap();
    campaign.send(Command::Focus(6));
    let mut order = Vec::new();
    while let Some(Event { kind: EventKind::Drawn(batch), .. }) = lanes.events.blocking_recv() {
        order.extend(batch.into_iter().map(|d| d.problem));
    }
    // What was under way at the start may still come in; then the focus is whole before
    // anything further away begins.
    let whole = order.iter().rposition(|&p| p == 6).unwrap();
    let before: BTreeSet<usize> = order[..whole].iter().copied().collect();
    assert!(before.is_subset(&BTreeSet::from([0, 6, 7])), "{before:?}");
}

#[test]
fn a_failure_is_told_and_the_rest_goes_on() {
    let script = r##"{"texts":[{"text":" #### 7"}],"batch":4,
        "trouble":{"index":2,"problem":"leg_counting/heldout/0","how":"fail"}}"##;
    let (texts, others) = run(script, 2, settings(10, 1));
    assert!(
        matches!(&others[..], [EventKind::Failed { policy: 0, message }] if message.contains("completion 2"))
    );
    assert_eq!(texts.keys().filter(|(_, problem, _)| *problem == 1).count(), 20);
}

#[test]
fn a_panic_is_told_and_the_rest_goes_on() {
    let script = r##"{"texts":[{"text":" #### 7"}],
        "trouble":{"index":2,"problem":"leg_counting/heldout/0","how":"panic"}}"##;
    let (texts, others) = run(script, 2, settings(10, 1));
    let told = |kind: &EventKind| matches!(kind, EventKind::Panicked { message } if message.contains("panics at completion 2"));
    assert!(!others.is_empty() && others.iter().all(told), "{others:?}");
    assert!(texts.contains_key(&(0, 0, 1)), "what was finished before the panic is kept");
    assert_eq!(texts.keys().filter(|(_, problem, _)| *problem == 1).count(), 20);
}

#[test]
fn dropping_a_campaign_returns_even_when_nobody_reads() {
    let (campaign, lanes) = Campaign::start(policies(QUICK), problems(3), settings(100_000, 3));
    while lanes.events.len() < CAPACITY {
        std::thread::yield_now();
    }
    drop(campaign);
    drop(lanes);
    let (campaign, lanes) = Campaign::start(policies(QUICK), problems(3), settings(100_000, 3));
    drop(lanes);
    drop(campaign);
}

#[test]
fn the_gauge_shows_the_problem_in_focus_and_rests_at_the_end() {
    let (_campaign, mut lanes) = Campaign::start(policies(SLOW), problems(2), settings(20, 2));
    let mut seen = false;
    while let Some(Event { kind: EventKind::Drawn(_), .. }) = lanes.events.blocking_recv() {
        let gauge = lanes.gauge.borrow();
        seen |= gauge.partials.iter().flatten().any(|(problem, p)| *problem == 0 && p.text.starts_with(' '));
    }
    assert!(seen);
    while lanes.gauge.borrow().tokens_per_second > 0.0 {
        std::thread::yield_now();
    }
    assert_eq!(lanes.gauge.borrow().partials, [None, None]);
    assert_eq!(lanes.gauge.borrow().tokens, 2 * 2 * 20 * 7);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_sequence_of_commands_loses_or_doubles_a_completion(
        commands in proptest::collection::vec((0usize..5, 0u32..6), 0..30), threads in 1usize..4,
    ) {
        let (campaign, mut lanes) = Campaign::start(policies(QUICK), problems(4), settings(40, threads));
        let reader = std::thread::spawn(move || {
            let mut texts = Texts::new();
            while let Some(event) = lanes.events.blocking_recv() {
                let EventKind::Drawn(batch) = event.kind else { continue };
                for d in batch {
                    let key = (d.policy, d.problem, d.completion.index);
                    assert!(texts.insert(key, d.completion.text).is_none(), "{key:?} was drawn twice");
                }
                if texts.keys().filter(|k| k.2 < 64).count() == 2 * 4 * 64 {
                    break;
                }
            }
            texts
        });
        for (what, n) in commands {
            campaign.send(match what {
                0 => Command::Pause,
                1 => Command::Resume,
                2 => Command::SetK(n * 12),
                _ => Command::Focus(n as usize),
            });
        }
        campaign.send(Command::SetK(64));
        campaign.send(Command::Resume);
        prop_assert_eq!(reader.join().unwrap().len(), 2 * 4 * 64);
    }
}
