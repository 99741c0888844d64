use super::*;
use crate::completion::{Finish, Token};
use crate::model::{Config, LocalModel, Tokenizer, embedded};
use crate::problem::{Problem, Verdict};
use crate::train::advantage::k3;
use crate::train::course::Course;
use crate::train::course::LegCounting;
use crate::train::exam::Exam;
use crate::train::{Trainee, vocabulary};
use serde::Deserialize;
use std::sync::atomic::AtomicBool;

#[derive(Deserialize)]
struct Fixture {
    groups: Vec<GivenGroup>,
    seeds: Vec<GivenSeed>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct GivenGroup {
    prompt: Vec<u32>,
    completions: Vec<Vec<u32>>,
    rewards: Vec<u8>,
}

#[derive(Deserialize)]
struct GivenSeed {
    prompt: Vec<u32>,
    completion: Vec<u32>,
}

#[derive(Deserialize)]
struct Case {
    set: Vec<String>,
    /// Log-probability when drawn, by completion and token.
    old: Vec<Vec<f32>>,
    gradient: Vec<f32>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../tests/fixtures/grpo.json")).unwrap()
}

fn network() -> Network {
    Network::new(&Config {
        vocab_size: 11,
        hidden_size: 8,
        layers: 2,
        heads: 2,
        kv_heads: 1,
        head_dim: 4,
        intermediate_size: 12,
        ..crate::model::config::tests::tiny()
    })
}

/// As the fixture's script makes them.
fn weights(network: &Network, phase: f64) -> Vec<f32> {
    let mut flat = vec![0.0; network.parameters()];
    for (t, tensor) in network.tensors().iter().enumerate() {
        for (i, w) in flat[tensor.range.clone()].iter_mut().enumerate() {
            let wave = 0.5 * (0.37 * i as f64 + t as f64 + phase).sin();
            *w = if tensor.shape.len() == 1 { 1.0 + 0.2 * wave } else { wave } as f32;
        }
    }
    flat
}

/// What is never asked here: no test of gradients draws or encodes.
fn tokenizer() -> Tokenizer {
    Tokenizer::from_json(vocabulary::tokenizer_json(&LegCounting).unwrap().as_bytes(), "test").unwrap()
}

fn groups(fixture: &Fixture, case: &Case) -> Vec<Group> {
    let mut old = case.old.iter();
    let group = |g: &GivenGroup| Group {
        number: 0,
        problem: Problem {
            id: String::new(),
            task: None,
            prompt: String::new(),
            reference: None,
            metadata: serde_json::Map::new(),
        },
        prompt: g.prompt.clone(),
        completions: g
            .completions
            .iter()
            .map(|ids| {
                let token = |(id, lp): (&u32, &f32)| Token { id: *id, logprob: *lp, entropy: 0.0 };
                ids.iter().zip(old.next().unwrap()).map(token).collect()
            })
            .collect(),
        finishes: vec![Finish::Stop; g.completions.len()],
        verdicts: g.rewards.iter().map(|r| Verdict { correct: *r > 0, ..Verdict::default() }).collect(),
    };
    fixture.groups.iter().map(group).collect()
}

/// The gradient of a case at `at`, and the loss as a function of weights.
fn with_case<T>(case: &Case, at: &[f32], run: impl FnOnce(Vec<f32>, &dyn Fn(&[f32]) -> f64) -> T) -> T {
    let (fixture, network, tokenizer) = (fixture(), network(), tokenizer());
    let (course, stop) = (LegCounting, AtomicBool::new(false));
    let ground = Ground {
        network: &network,
        tokenizer: &tokenizer,
        course: &course,
        seed: 0,
        threads: 1,
        stop: &stop,
    };
    let mut knobs = Knobs::default();
    case.set.iter().for_each(|s| knobs.set(s).unwrap());
    let groups = groups(&fixture, case);
    let own: Vec<(&Group, Vec<f32>)> =
        groups.iter().map(|g| (g, advantages(&g.rewards(), &g.logprobs(), &knobs).unwrap())).collect();
    let clean: Vec<Batch> = match knobs.seeding > 0.0 {
        true => fixture
            .seeds
            .iter()
            .map(|s| continued(&s.prompt, std::iter::once(s.completion.clone())))
            .collect(),
        false => Vec::new(),
    };
    let base = weights(&network, 0.1);
    let mut pull = Pull::new(&network, base.as_slice().into(), at, 0, 1);
    pull.differentiate(&ground, &knobs, &own, &clean, knobs.seeding as f32);
    let loss = |w: &[f32]| {
        let mut sum = 0.0;
        let tokens: usize = own.iter().map(|(g, _)| g.batch().targets.len()).sum();
        for (g, a) in &own {
            let batch = [tempered(g.batch(), &knobs)];
            let (lp, q) = (logprobs(&ground, w, &batch), logprobs(&ground, &base, &batch));
            for (((old, a), lp), q) in drawn_at(g, a).into_iter().zip(&lp[0]).zip(&q[0]) {
                let (low, high) = (1.0 - knobs.clip_low as f32, 1.0 + knobs.clip_high as f32);
                let ratio = (lp - old).exp();
                let clipped = (ratio * a).min(ratio.clamp(low, high) * a);
                sum += f64::from(knobs.kl as f32 * k3(q - lp) - clipped) / tokens as f64;
            }
        }
        sum
    };
    run(pull.gradient.clone(), &loss)
}

#[test]
fn the_objectives_gradient_is_pytorchs() {
    for case in &fixture().cases {
        let at = weights(&network(), 0.0);
        with_case(case, &at, |gradient, _| {
            let largest = case.gradient.iter().fold(0.0f32, |m, g| m.max(g.abs()));
            assert!(largest > 1e-4 && gradient.len() == case.gradient.len());
            for (i, (ours, theirs)) in gradient.iter().zip(&case.gradient).enumerate() {
                assert!(
                    (ours - theirs).abs() < 2e-4 * largest,
                    "{:?}, {i}: {ours}, PyTorch {theirs}",
                    case.set
                );
            }
        });
    }
}

#[test]
fn the_objectives_gradient_is_its_slope() {
    let fixture = fixture();
    // Those whose loss is written out above.
    for case in fixture.cases.iter().filter(|c| c.set.iter().all(|s| !s.contains("entropy"))) {
        let at = weights(&network(), 0.0);
        with_case(case, &at, |gradient, loss| {
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let h = 2e-3;
            let moved = |sign: f64| -> Vec<f32> {
                let step = |(w, g): (&f32, &f32)| w + (sign * h * f64::from(*g) / norm) as f32;
                at.iter().zip(&gradient).map(step).collect()
            };
            let rise = (loss(&moved(1.0)) - loss(&moved(-1.0))) / (2.0 * h);
            assert!((rise - norm).abs() < 0.01 * norm, "{:?}: {rise}, the gradient says {norm}", case.set);
        });
    }
}

/// The embedded base, small groups.
fn pulled(steps: usize, seed: u64, settings: &[&str]) -> (Vec<Stepped>, Vec<f32>, Result<(), TrainError>) {
    let model = embedded::open("embedded:base").unwrap().unwrap();
    let trainee = Trainee::new(model, "embedded:base").unwrap();
    let mut knobs = Knobs::default();
    settings.iter().for_each(|s| knobs.set(s).unwrap());
    let (course, stop) = (LegCounting, AtomicBool::new(false));
    let ground = trainee.ground(&course, seed, 2, &stop);
    let mut pull = Pull::new(&trainee.network, Arc::clone(&trainee.weights), &trainee.weights, 0, 2);
    let mut all = Vec::new();
    let result = (0..steps).try_for_each(|_| {
        all.extend(pull.step(&ground, &knobs)?);
        Ok(())
    });
    (all, pull.weights().to_vec(), result)
}

#[test]
fn ten_steps_raise_the_reward_over_three_seeds() {
    let model = embedded::open("embedded:base").unwrap().unwrap();
    let trainee = Trainee::new(model, "embedded:base").unwrap();
    let (course, stop) = (LegCounting, AtomicBool::new(false));
    let ground = trainee.ground(&course, 1, 2, &stop);
    let problems = course.held_out().into_iter().take(24).collect();
    // The same problems before and after: between fresh ones the reward of one step and the
    // next differs by more than ten steps bring.
    let exam = Exam::new(&ground, &trainee.weights, problems, 64).unwrap().unwrap();
    let reward = |weights: &[f32]| exam.take(&ground, weights, 10, 0).unwrap().unwrap().pass_1;
    let before = reward(&trainee.weights);
    let gains = [1, 2, 3].map(|seed| {
        let (_, weights, result) = pulled(10, seed, &["prompts=8", "group=24"]);
        result.unwrap();
        reward(&weights) - before
    });
    assert!(gains.iter().all(|gain| *gain > 0.0), "{gains:?}");
}

#[test]
fn equal_seeds_give_equal_weights_and_every_knob_changes_them() {
    let small = ["prompts=3", "group=8", "updates=2"];
    let with = |knob: &str| pulled(2, 1, &[&small[..], &[knob]].concat()).1;
    let as_is = with("kl=0");
    assert!(as_is == with("kl=0"), "the same settings, other weights");
    for knob in [
        "data=teacher",
        "data=own",
        "rate=1e-4",
        "clip_low=0.0",
        "clip_high=0.0",
        "kl=0.3",
        "entropy=0.03",
        "advantage=dr-grpo",
        "advantage=rloo",
        "samples=positive",
        "samples=negative",
        "temperature=1.3",
        "seeding=0.5",
        "unlikely=0.5",
        "pass_k=4",
        "noise=0.05",
    ] {
        let weights = with(knob);
        assert!(weights != as_is, "{knob} changes nothing");
        assert!(weights.iter().all(|w| w.is_finite()), "{knob}");
    }
}

#[test]
fn a_loss_that_is_no_number_stops_in_words_and_keeps_the_last_good_weights() {
    let model = embedded::open("embedded:base").unwrap().unwrap();
    let trainee = Trainee::new(model, "embedded:base").unwrap();
    let (course, stop) = (LegCounting, AtomicBool::new(false));
    let ground = trainee.ground(&course, 1, 2, &stop);
    let mut pull = Pull::new(&trainee.network, Arc::clone(&trainee.weights), &trainee.weights, 0, 2);
    let good = Knobs { prompts: 2, group: 8, ..Knobs::default() };
    pull.step(&ground, &good).unwrap();
    let before = pull.weights().to_vec();
    let error = pull.step(&ground, &Knobs { rate: f64::INFINITY, ..good }).unwrap_err().to_string();
    assert!(error.contains("no longer a number") && error.contains("last good weights"), "{error}");
    assert!(pull.weights() == before);
    let folder = tempfile::tempdir().unwrap();
    trainee.write(folder.path(), pull.weights()).unwrap();
    LocalModel::from_folder(folder.path()).unwrap();
}
