//! Recordings of any size: `cargo bench --profile release --bench recording`.
//!
//! Writes a recording of `LEASH_BENCH_GB` (0.2) with texts of about `LEASH_BENCH_TEXT` (600)
//! bytes, in `LEASH_BENCH_DIR` (the system's folder for temporary files), and measures the
//! index, opening, stepping and memory, beside `wc -l` and pandas or DuckDB on the same file
//! where they are installed (`LEASH_BENCH_PYTHON` names the interpreter). The file is deleted.

use leash::app::state::{Named, Recording};
use leash::app::{Message, State, update};
use leash::model::Sampling;
use leash::random::Stream;
use leash::record::{Index, News, index};
use leash::run::Settings;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PROBLEMS: u64 = 1547;

fn main() {
    let asked =
        |name: &str, default: f64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let bytes = (asked("LEASH_BENCH_GB", 0.2) * 1e9) as u64;
    let text = asked("LEASH_BENCH_TEXT", 600.0) as usize;
    let folder = std::env::var_os("LEASH_BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).expect("a folder for the recording");
    let path = folder.path().join("recording.jsonl");
    let completions = generate(&path, bytes, text);
    let size = std::fs::metadata(&path).expect("it was written").len();
    println!("{:.2} GB, {completions} completions, {PROBLEMS} problems, two policies\n", size as f64 / 1e9);
    let gb = |d: Duration| size as f64 / 1e6 / d.as_secs_f64();
    let wc = timed(|| {
        Command::new("wc").arg("-l").arg(&path).output().expect("wc is there");
    });
    row("wc -l, MB/s", format!("{:.0}", gb(wc.0)));
    // The first pass also fetches the file; both are measured.
    for pass in ["index, first", "index, again"] {
        let _ = std::fs::remove_file(index::index_file(&path));
        let (wall, cpu) = timed(|| {
            let mut index = Index::open(&path).expect("it is a recording");
            let flow = index.read(&mut |_| ControlFlow::Continue(()));
            assert!(flow.is_ok() && index.wrong().count == 0 && index.torn() == 0);
        });
        row(&format!("{pass}, MB/s"), format!("{:.0}", gb(wall)));
        row("  a core, MB/s (>= 400)", format!("{:.0}", gb(cpu)));
        row("  time of wc -l / this", format!("{:.2}", wc.0.as_secs_f64() / wall.as_secs_f64()));
    }
    for (name, code) in [
        (
            "pandas",
            "import pandas,sys\nn=0\nfor c in pandas.read_json(sys.argv[1],lines=True,chunksize=100000): n+=len(c)",
        ),
        (
            "duckdb",
            "import duckdb,sys\nduckdb.sql(f\"select policy,count(*),sum(correct::int) from read_json_auto('{sys.argv[1]}',format='newline_delimited',union_by_name=true) group by 1\").fetchall()",
        ),
    ] {
        let python = std::env::var("LEASH_BENCH_PYTHON").unwrap_or_else(|_| "python3".into());
        let found = Command::new(&python).args(["-c", &format!("import {name}")]).output();
        if !found.is_ok_and(|o| o.status.success()) {
            row(name, "not installed");
            continue;
        }
        let mut good = false;
        let (wall, _) = timed(|| {
            good = Command::new(&python)
                .args(["-c", code])
                .arg(&path)
                .output()
                .is_ok_and(|o| o.status.success());
        });
        row(&format!("{name}, MB/s"), if good { format!("{:.0}", gb(wall)) } else { "failed".into() });
    }

    let before = memory();
    let start = Instant::now();
    let mut index = Index::open(&path).expect("it is a recording");
    let mut state = state(&index);
    let first = start.elapsed();
    row("head to first frame, ms", format!("{:.1}", first.as_secs_f64() * 1e3));
    let _ = index.read(&mut |batch| {
        update(&mut state, Message::Record(News::Read(batch)));
        ControlFlow::Continue(())
    });
    drop(index);
    row("all counts, s", format!("{:.2}", start.elapsed().as_secs_f64()));
    update(&mut state, Message::Record(News::Complete { wrong: 0, first: None }));
    state.refresh();
    row("all figures, s", format!("{:.2}", start.elapsed().as_secs_f64()));
    let held = memory().saturating_sub(before);
    assert_eq!(state.archive.saved(), completions);
    row("memory, MB", format!("{:.0}", held as f64 / 1e6));
    row("  bytes a completion (<= 48)", format!("{:.1}", held as f64 / completions as f64));
    steps(&mut state);
}

/// Goes to problems here and there, and opens a completion of each.
fn steps(state: &mut State) {
    let mut stream = Stream::new(5);
    let mut took: Vec<Duration> = (0..60)
        .map(|_| {
            let problem = stream.below(PROBLEMS as usize);
            let start = Instant::now();
            state.current = problem;
            state.refresh();
            let index = stream.below(state.ledger.drawn(0, problem).max(1) as usize) as u32;
            assert!(state.archive.get(0, problem, index).is_some());
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    row("a step, median, ms", format!("{:.2}", took[30].as_secs_f64() * 1e3));
    row("  longest of 60, ms (<= 50)", format!("{:.2}", took[59].as_secs_f64() * 1e3));
}

fn state(index: &Index) -> State {
    let named = |name: &str| Named { name: name.to_owned(), spec: String::new() };
    let settings = Settings { k: 1, sampling: Sampling::default(), threads: 1 };
    let problems = index.first_problems().to_vec().into();
    let mut state = State::new(vec![named("base"), named("rlvr")], problems, settings);
    state.recording = Recording::opened("recording.jsonl".into(), vec![0, 1], true, false);
    state.archive.read_from(Box::new(index.texts()));
    state
}

/// Writes a recording of about so many bytes; how many completions.
fn generate(path: &Path, bytes: u64, text: usize) -> u64 {
    let mut to = BufWriter::with_capacity(1 << 20, std::fs::File::create(path).expect("room"));
    let mut written = 0u64;
    let mut line = String::new();
    let mut put = |line: &str| {
        to.write_all(line.as_bytes()).expect("room on the disk");
        written += line.len() as u64;
        written
    };
    put(
        "{\"kind\":\"run\",\"version\":1,\"policies\":[{\"name\":\"base\",\"role\":\"base\"},{\"name\":\"rlvr\",\"role\":\"rlvr\"}]}\n",
    );
    for p in 0..PROBLEMS {
        put(&format!(
            "{{\"kind\":\"problem\",\"id\":\"p/{p}\",\"prompt\":\"What is {p} + {p}?\",\"reference\":\"{}\"}}\n",
            2 * p
        ));
    }
    let mut stream = Stream::new(11);
    let filler = "We add the two numbers step by step, and check the sum. ".repeat(text / 50 + 1);
    let mut count = 0;
    for chunk in 0u32.. {
        // As a sampler writes them: a chunk of a problem's completions, then the other policy's.
        let lanes = (0..PROBLEMS).flat_map(|p| [(p, "base"), (p, "rlvr")]);
        let each = lanes.flat_map(|(p, policy)| (chunk * 64..(chunk + 1) * 64).map(move |i| (p, policy, i)));
        for (problem, policy, index) in each {
            let right = stream.chance(0.3);
            let answer = if right { 2 * problem } else { stream.below(12) as u64 };
            let from = stream.below(50);
            line.clear();
            let body = &filler[from..(from + text).min(filler.len())];
            let _ = writeln!(
                line,
                "{{\"kind\":\"completion\",\"problem\":\"p/{problem}\",\"policy\":\"{policy}\",\"index\":{index},\"text\":\"{index}. {body}\\n#### {answer}\",\"answer\":\"{answer}\",\"correct\":{},\"rule\":\"marker\",\"method\":{},\"sound\":null,\"tokens\":{},\"logprob\":-{}.25,\"token_entropy\":0.{},\"finish\":\"stop\"}}",
                answer == 2 * problem,
                if answer == 2 * problem {
                    ["\"sum\"", "\"count up\"", "\"in pairs\""][from % 3]
                } else {
                    "null"
                },
                text / 4 + from,
                text / 9,
                from + 10,
            );
            count += 1;
            if put(&line) >= bytes {
                to.flush().expect("room on the disk");
                return count;
            }
        }
    }
    count
}

/// Wall-clock and processor time.
fn timed(what: impl FnOnce()) -> (Duration, Duration) {
    let (start, cpu) = (Instant::now(), used());
    what();
    (start.elapsed(), used().saturating_sub(cpu))
}

/// Processor time of this process.
fn used() -> Duration {
    // SAFETY: `getrusage` fills the whole structure that it is given.
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Bytes of memory that this process holds by itself, where the system tells.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("RssAnon:"));
    let kb = line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse::<u64>().ok());
    kb.unwrap_or(0) * 1024
}

fn row(what: &str, value: impl std::fmt::Display) {
    println!("{what:<32}{value:>12}");
}
