//! How quickly the program answers: `cargo bench --profile release --bench screen`.
//!
//! The real binary in a pseudo-terminal, on the embedded pair: from the start to the first
//! frame and to the first completions, from a key to the changed screen while both policies
//! sample flat out, what it writes a second, what it uses at rest, and how long k = 1024 of
//! both policies on one problem takes.

#[path = "../terminal/session.rs"]
mod session;

use session::Session;
use std::time::{Duration, Instant};

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores, terminal 160x50, embedded pair\n");
    starts();
    keys();
    rest();
    one_problem();
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

    let mut times = Vec::new();
    for round in 0..300 {
        let (key, header) = if round % 2 == 0 { ("]", " 2/50 ") } else { ("[", " 1/50 ") };
        session.keys(key);
        times.push(until(&session, |s| s.lines().next().is_some_and(|l| l.contains(header))));
        // Out of step with the frames.
        std::thread::sleep(Duration::from_millis(20 + round % 37));
    }
    show("key to changed screen, flat out", &mut times);
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
