//! Answers a second, on one core, of each verifier on its own fixtures, and the longest
//! time that one text of a megabyte takes. Both in time of the processor, so that what else
//! runs on the machine counts little.
//!
//! Run with `cargo bench --profile release --bench verifiers`.

use leash::problem::{Problem, file, tasks};
use serde_json::Value;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

/// Texts that break parsers, each repeated to a megabyte.
const HOSTILE: [&str; 24] = [
    "answ\n",
    "answer\n",
    "\\boxed{",
    "<answer>",
    "[",
    "{\"a\":",
    "\\frac{",
    "9^64 ",
    "1,000,",
    "answer is ",
    "answer ",
    "#### 1\n",
    "move(a, ",
    "Ann is the mother of ",
    "1 x 1 = ",
    "3: 1 ",
    "```",
    "{\"0\":1},",
    "a",
    "0 ",
    "=",
    "(",
    "\n",
    " ",
];

fn main() {
    let asked = |name: &str| if ["boxnet", "advanced_geometry"].contains(&name) { 5e3 } else { 50e3 };
    println!("{:<24}{:>12}{:>12}{:>16}", "", "answers/s", "of asked", "1 MB, worst");
    for name in tasks::names() {
        let Some(cases) = cases(name) else { continue };
        let task = tasks::find(name).expect("a name of the list");
        let start = worked();
        let mut count = 0;
        while worked() - start < Duration::from_millis(400) {
            for (problem, text) in &cases {
                black_box(task.judge(problem, text));
            }
            count += cases.len();
        }
        let rate = count as f64 / (worked() - start).as_secs_f64();
        let times = HOSTILE.iter().map(|part| (hostile(task, &cases[0].0, part), *part));
        let (worst, part) = times.max().unwrap_or_default();
        println!(
            "{name:<24}{rate:>12.0}{:>11.1}x{:>13.1} ms  {part:?}",
            rate / asked(name),
            worst.as_secs_f64() * 1e3
        );
    }
}

fn hostile(task: &dyn tasks::Task, problem: &Problem, part: &str) -> Duration {
    let text = part.repeat(1_000_000 / part.len());
    let start = worked();
    black_box(task.judge(problem, &text));
    worked() - start
}

/// What this thread has had of a processor.
fn worked() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to `time` alone.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Completions of a task's fixtures with their problems; `None` where it has none.
fn cases(name: &str) -> Option<Vec<(Problem, String)>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.jsonl"));
    let text = std::fs::read_to_string(path).ok()?;
    let mut all = Vec::new();
    for line in text.lines() {
        let item: Value = serde_json::from_str(line).ok()?;
        if let Some(pair) = item.as_array() {
            let record = serde_json::json!({ "prompt": "?", "answer": pair[0], "task": name });
            all.push((read(&record)?, format!("<answer>{}</answer>", pair[1].as_str()?)));
            continue;
        }
        let mut record = item.clone();
        record.as_object_mut()?.remove("cases");
        record.as_object_mut()?.entry("question").or_insert_with(|| "?".into());
        let problem = read(&record)?;
        for case in item["cases"].as_array()? {
            all.push((problem.clone(), format!("<answer>{}</answer>", case[0].as_str()?)));
        }
    }
    Some(all)
}

fn read(record: &Value) -> Option<Problem> {
    file::json_lines(&record.to_string(), &file::Fields::default(), "fixture").ok()?.pop()
}
