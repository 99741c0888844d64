//! How quickly the program answers: `cargo bench --profile release --bench screen`.
//!
//! How long a frame takes to draw, with 500 problems of 8192 completions under each policy.
//! Then the real binary in a pseudo-terminal, on the embedded pair: from the start to the first
//! frame and to the first completions, from a key to the changed screen while both policies
//! sample flat out, what it writes a second, what it uses at rest, and how long k = 1024 of
//! both policies on one problem takes.

#[path = "../terminal/session.rs"]
mod session;

use leash::app::state::Named;
use leash::app::{Key, Message, State, update};
use leash::completion::{Completion, Finish, Token};
use leash::model::Sampling;
use leash::problem::tasks::leg_counting::Suite;
use leash::problem::{Problem, Rule, Verdict};
use leash::random::Stream;
use leash::run::{Drawn, Event, EventKind, Settings};
use leash::ui::theme::{Depth, Ground, Theme};
use leash::ui::{View, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use session::Session;
use std::ops::Range;
use std::time::{Duration, Instant};

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, terminal 160x50, embedded pair\n");
    frames();
    starts();
    keys();
    training();
    rest();
    one_problem();
}

const PROBLEMS: usize = 500;
const K: u32 = 8192;

/// A frame of each screen while completions come in: the figures that have changed, and every
/// cell. On Explore also with a step to the next problem before each frame.
fn frames() {
    let mut state = full();
    let theme = Theme::new(Depth::True, Ground::Dark);
    let mut view = View::new(theme, false);
    let mut screen = Buffer::empty(Rect::new(0, 0, 160, 50));
    let mut index = K;
    for (what, keys, each) in [
        ("frame of Explore", "", ""),
        ("  by method", "uu", ""),
        ("  both policies in one list", "v", ""),
        ("  another problem each", "v", "}"),
        ("frame of Completions", "2", ""),
        ("frame of Curves, all problems", "3a", ""),
        ("frame of Suite", "4", ""),
    ] {
        press(&mut state, keys);
        let mut times: Vec<Duration> = (0..300)
            .map(|_| {
                let current = state.current;
                // At 30 frames a second, more than both models draw on two cores.
                come(&mut state, current, index..index + 20);
                index += 20;
                press(&mut state, each);
                let start = Instant::now();
                state.refresh();
                screen.reset();
                draw(&state, &mut view, &mut screen);
                start.elapsed()
            })
            .collect();
        show(what, &mut times);
    }
    println!();
}

fn press(state: &mut State, keys: &str) {
    for c in keys.chars() {
        update(state, Message::Key(Key::Char(c)));
    }
}

/// Every problem at K completions of each policy.
fn full() -> State {
    let few: Vec<Problem> = Suite::HeldOut.problems();
    let problems: Vec<Problem> = (0..PROBLEMS)
        .map(|i| Problem { id: format!("leg_counting/many/{i}"), ..few[i % few.len()].clone() })
        .collect();
    let named = |name: &str| Named { name: name.to_owned(), spec: format!("embedded:{name}") };
    let settings = Settings { k: 2 * K, sampling: Sampling::default(), threads: 2 };
    let mut state = State::new(vec![named("base"), named("rlvr")], problems.into(), settings);
    // The last ones come as they do in a run, so that its pace of figures is that of a long one.
    for problem in 0..PROBLEMS {
        for policy in [0, 1] {
            for index in 0..K - 32 {
                let Drawn { completion, verdict, .. } = made_up(policy, problem, index);
                state.ledger.add(policy, problem, &completion, &verdict);
            }
        }
        come(&mut state, problem, K - 32..K);
    }
    state
}

fn come(state: &mut State, problem: usize, indices: Range<u32>) {
    let drawn = indices.flat_map(|index| [0, 1].map(|policy| made_up(policy, problem, index))).collect();
    let event = Event { generation: state.generation, kind: EventKind::Drawn(drawn) };
    update(state, Message::Run(event));
}

/// As spread as what the embedded pair draws: 6 methods, 60 wrong answers, a quarter of the
/// texts new.
fn made_up(policy: usize, problem: usize, index: u32) -> Drawn {
    let mut stream = Stream::new(policy as u64).at(problem as u64).at(index.into());
    let correct = stream.chance([0.25, 0.8][policy]);
    let method =
        stream.weighted(&[[0.3, 0.3, 0.2, 0.1, 0.05, 0.05], [0.99, 0.01, 0.0, 0.0, 0.0, 0.0]][policy]);
    let answer = if correct { "64".to_owned() } else { stream.below(60).to_string() };
    let verdict = Verdict {
        answer: Some(answer),
        correct,
        rule: Some(Rule::Marker),
        method: correct.then(|| format!("method {method}")),
        sound: Some(correct),
        ..Verdict::default()
    };
    let text = format!(" {}", stream.below(K as usize / 4));
    let trace = vec![Token { id: 1, logprob: -0.1, entropy: stream.unit() as f32 }; 3];
    let completion = Completion::traced(index, text, trace, Finish::Stop);
    Drawn { policy, problem, completion, verdict, given: None }
}

/// Waits for a change of the screen without the coarse pauses of a test.
fn until(session: &Session, is: impl Fn(&str) -> bool) -> Duration {
    let start = Instant::now();
    while !is(&session.screen()) {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not come:\n{}", session.screen());
        std::thread::sleep(Duration::from_micros(300));
    }
    start.elapsed()
}

fn starts() {
    let mut frames = Vec::new();
    let mut completions = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        let mut session = Session::start(160, 50, &[]);
        until(&session, |s| s.contains("Problems"));
        frames.push(start.elapsed());
        until(&session, |s| s.contains('✓') || s.contains('✗'));
        completions.push(start.elapsed());
        session.keys("q");
        session.end();
    }
    show("start to first frame", &mut frames);
    show("start to first completions", &mut completions);
}

/// From a key to the screen that it changes, both policies sampling flat out.
fn keys() {
    let mut session = Session::start(160, 50, &["--k", "1000000"]);
    until(&session, |s| s.contains('✓'));
    let bytes = session.look(|t| t.bytes.len());
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    let written = session.look(|t| t.bytes.len()) - bytes;
    let a_second = written as f64 / start.elapsed().as_secs_f64() / 1000.0;

    show("key to changed screen, flat out", &mut steps(&mut session));
    println!("{:<34} {a_second:.1} kB/s", "written while sampling");

    let mut times = Vec::new();
    for round in 0..40 {
        let columns = if round % 2 == 0 { 120 } else { 160 };
        session.resize(columns, 50);
        // The header has room for the sampling settings at the larger size only.
        times.push(until(&session, |s| s.contains("top-p") == (columns == 160)));
    }
    show("resize to redrawn screen, flat out", &mut times);
    session.keys("q");
    session.end();
}

/// From a key to the screen that it changes, to and fro between two problems.
fn steps(session: &mut Session) -> Vec<Duration> {
    let step = |round: u64| {
        let (key, header) = if round.is_multiple_of(2) { ("}", " 2/50 ") } else { ("{", " 1/50 ") };
        session.keys(key);
        let time = until(session, |s| s.lines().next().is_some_and(|l| l.contains(header)));
        // Out of step with the frames.
        std::thread::sleep(Duration::from_millis(20 + round % 37));
        time
    };
    (0..300).map(step).collect()
}

/// The same while a policy is trained on every core.
fn training() {
    let mut session = Session::start(160, 50, &["--k", "8"]);
    session.wait_for("all drawn");
    session.keys("ts");
    until(&session, |s| s.lines().next().is_some_and(|l| l.contains(" step ")));
    session.keys("\x1b");
    until(&session, |s| s.contains("Problems"));
    show("key to changed screen, training", &mut steps(&mut session));
    session.signal("TERM");
    session.end();
}

fn rest() {
    let mut session = Session::start(160, 50, &["--k", "64", "--count", "1"]);
    session.wait_for("64/64");
    std::thread::sleep(Duration::from_secs(1));
    let before = ticks(session.pid());
    std::thread::sleep(Duration::from_secs(5));
    println!("{:<34} {} ms in 5 s", "processor time at rest", (ticks(session.pid()) - before) * 10);
    session.signal("TERM");
    session.end();
}

/// User and system time of a process, in hundredths of a second.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<u64>().ok()).sum()
}

/// Both policies at k = 1024 and k = 8192 on one problem, into a recording.
fn one_problem() {
    for k in ["1024", "8192"] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("run.jsonl");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_leash"));
        command.args(["sample", "--count", "1", "--k", k, "-o"]).arg(&file);
        command.stderr(std::process::Stdio::null());
        let start = Instant::now();
        assert!(command.status().is_ok_and(|s| s.success()));
        println!(
            "{:<34} {:.2} s",
            format!("both policies, one problem, k = {k}"),
            start.elapsed().as_secs_f64()
        );
    }
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1000.0;
    println!("{what:<34} median {:.1} ms, p99 {:.1} ms, worst {:.1} ms", at(0.5), at(0.99), at(1.0));
}
