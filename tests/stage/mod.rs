//! A state with made-up completions by known methods, the same on every run.

use leash::app::state::Named;
use leash::app::{Message, State, update};
use leash::completion::{Completion, Finish, Token};
use leash::model::Sampling;
use leash::problem::tasks::leg_counting::{Suite, animals::Animal};
use leash::problem::{Problem, judge};
use leash::random::Stream;
use leash::run::{Drawn, Event, EventKind, Gauge, Settings};

/// Leg Counting under two made-up policies; nothing is drawn yet.
pub fn state(problems: usize, k: u32) -> State {
    let problems: Vec<Problem> = Suite::HeldOut.problems().into_iter().take(problems).collect();
    let named = |name: &str| Named { name: name.to_owned(), spec: format!("embedded:{name}") };
    let settings = Settings { k, sampling: Sampling::default(), threads: 1 };
    State::new(vec![named("base"), named("rlvr")], problems.into(), settings)
}

/// Two tasks of so many problems each, the second one the paper has rows of.
pub fn two_tasks(each: usize, k: u32) -> State {
    let mut problems: Vec<Problem> = Suite::HeldOut.problems().into_iter().take(2 * each).collect();
    for (i, problem) in problems.iter_mut().enumerate().skip(each) {
        // The paper's data set by name, our herds by content.
        problem.id = format!("AIME2024/{i}");
        problem.task = None;
    }
    let named = |name: &str| Named { name: name.to_owned(), spec: format!("embedded:{name}") };
    let settings = Settings { k, sampling: Sampling::default(), threads: 1 };
    State::new(vec![named("base"), named("rlvr")], problems.into(), settings)
}

/// Draws completions `from..to` of a problem under both policies.
pub fn draw(state: &mut State, problem: usize, indices: std::ops::Range<u32>) {
    let drawn = indices.flat_map(|index| [0, 1].map(|policy| (policy, index)));
    let batch = drawn.map(|(policy, index)| completion(&state.problems[problem], policy, problem, index));
    let event = Event { generation: state.generation, kind: EventKind::Drawn(batch.collect()) };
    update(state, Message::Run(event));
}

/// What the run says of its pace.
pub fn gauge(state: &mut State, tokens_per_second: f64) {
    let gauge =
        Gauge { generation: state.generation, tokens: 0, tokens_per_second, partials: vec![None, None] };
    update(state, Message::Gauge(gauge));
}

fn completion(problem: &Problem, policy: usize, number: usize, index: u32) -> Drawn {
    let mut stream = Stream::new(policy as u64).with(&problem.id).at(index.into());
    // The second policy knows two methods, and a third one on every other problem.
    let weights = [
        [0.30, 0.22, 0.10, 0.06, 0.30, 0.02],
        [0.80, 0.06, f64::from(number as u32 % 2) * 0.01, 0.0, 0.13, 0.0],
    ];
    let method = stream.weighted(&weights[policy]);
    let slip = if stream.chance([0.5, 0.1][policy]) { stream.below(12) as i64 - 6 } else { 0 };
    let text = solution(problem, method, slip);
    let trace: Vec<Token> = (0..text.split(' ').count().max(1))
        .map(|id| {
            let entropy = (stream.exponential([0.3, 0.1][policy]) as f32).min(3.0);
            Token { id: id as u32, logprob: -entropy * stream.unit() as f32, entropy }
        })
        .collect();
    let verdict = judge(problem, &text);
    Drawn {
        policy,
        problem: number,
        completion: Completion::traced(index, text, trace, Finish::Stop),
        verdict,
        given: None,
    }
}

fn solution(problem: &Problem, method: usize, slip: i64) -> String {
    let animals = problem.metadata["animals"].as_object().unwrap();
    let herd: Vec<(i64, i64, &str)> = animals
        .iter()
        .map(|(name, n)| (n.as_i64().unwrap(), i64::from(Animal::named(name).unwrap().legs), name.as_str()))
        .collect();
    let total = herd.iter().map(|(n, legs, _)| n * legs).sum::<i64>() + slip;
    let products: Vec<String> =
        herd.iter().map(|(n, legs, name)| format!("{n} {name} x {legs} = {}", n * legs)).collect();
    let work = match method {
        0 => format!("Multiply: {}.", products.join(", ")),
        1 => {
            let mut sum = 0;
            let mut step = |(n, legs, name): &(i64, i64, &str)| {
                let before = sum;
                sum += n * legs;
                format!("{before} + {n} {name} x {legs} = {sum}")
            };
            format!("Running total: {}.", herd.iter().map(&mut step).collect::<Vec<_>>().join(", "))
        }
        2 => format!("{} legs: {}. {}.", herd[0].1, herd[0].0, products.join(", ")),
        3 => {
            let half: Vec<String> = herd
                .iter()
                .map(|(n, legs, name)| format!("{n} {name} x {} = {}", legs / 2, n * legs / 2))
                .collect();
            format!("Pairs: {}. {} x 2 = {total}.", half.join(", "), total / 2)
        }
        4 => "At a glance.".to_owned(),
        _ => return " I do not know how many that are, \u{1b}[31mlet me think again".to_owned(),
    };
    format!(" {work}\n#### {total}")
}
