//! `leash sample` and `leash report`, as a user runs them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const SCRIPT: &str = r###"{"texts":[
    {"text":" Count: 8, 16.\n#### {reference}"}, {"text":" #### 7","weight":2}, {"text":" hm"}],
    "batch":4,"step_ms":STEP}"###;

struct Place(tempfile::TempDir);

impl Place {
    fn new(step_ms: u64) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::write(place.at("script.json"), SCRIPT.replace("STEP", &step_ms.to_string())).unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn leash(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leash"));
        command.current_dir(self.0.path()).args(line.split(' ')).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.leash(line).output().unwrap()
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.at(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

const SAMPLE: &str =
    "sample --base script:script.json --rlvr script:script.json --count 3 --k 60 --threads 2 -o";

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_tokenizer_that_differs_is_taken_and_told() {
    let place = Place::new(0);
    let gguf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/gguf/tiny.gguf");
    std::fs::copy(gguf, place.at("tiny.gguf")).unwrap();
    let pair = "--base embedded:base --rlvr tiny.gguf --count 1 --k 2 --max-tokens 4";
    let drawn = place.run(&format!("sample {pair} -o run.jsonl"));
    let said = said(&drawn);
    assert!(drawn.status.success() && said.contains("the policies differ in"), "{said}");
    assert!(said.contains("tokenizer") && said.contains("`leash check` with the same flags"), "{said}");
    let shown = String::from_utf8(place.run(&format!("check {pair}")).stdout).unwrap();
    assert!(shown.lines().any(|l| l.starts_with("≠ tokenizer")), "{shown}");
    for name in
        ["temperature", "top-p", "top-k", "max tokens", "template", "system prompt", "stop tokens", "dtype"]
    {
        let is_its = |line: &str| line.trim_start_matches(['≠', ' ']).starts_with(name);
        assert!(shown.lines().any(is_its), "{name}: {shown}");
    }
}

/// Waits until the file holds more than `bytes`.
fn wait_for(path: &Path, bytes: u64) {
    while std::fs::metadata(path).map_or(0, |m| m.len()) <= bytes {
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_completions() {
    let quick = Place::new(0);
    let whole = quick.run(&format!("{SAMPLE} whole.jsonl"));
    assert!(whole.status.success(), "{}", said(&whole));
    let whole = quick.lines("whole.jsonl");
    assert_eq!(whole.len(), 1 + 3 + 2 * 3 * 60);

    let slow = Place::new(3);
    let mut grown = 0;
    for _ in 0..3 {
        let mut child = slow.leash(&format!("{SAMPLE} run.jsonl")).stderr(Stdio::null()).spawn().unwrap();
        wait_for(&slow.at("run.jsonl"), grown);
        child.kill().unwrap();
        child.wait().unwrap();
        grown = std::fs::metadata(slow.at("run.jsonl")).unwrap().len();
    }
    assert!(slow.lines("run.jsonl").len() < whole.len(), "it was killed before its end");
    let mut torn = std::fs::OpenOptions::new().append(true).open(slow.at("run.jsonl")).unwrap();
    std::io::Write::write_all(&mut torn, br#"{"kind":"compl"#).unwrap();
    drop(torn);

    let last = slow.run(&format!("{SAMPLE} run.jsonl"));
    // The kill may have torn a line of its own, which this one then lengthens.
    assert!(last.status.success() && said(&last).contains("bytes are cut off"), "{}", said(&last));
    let lines = slow.lines("run.jsonl");
    assert_eq!(lines.len(), whole.len(), "nothing is there twice");
    assert_eq!(lines.iter().collect::<BTreeSet<_>>(), whole.iter().collect::<BTreeSet<_>>());
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_saves_what_is_drawn_and_says_how_to_go_on() {
    let place = Place::new(3);
    let child = place.leash(&format!("{SAMPLE} run.jsonl")).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&place.at("run.jsonl"), 3000);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(said(&output).contains("the same command goes on from here"));
    let text = std::fs::read_to_string(place.at("run.jsonl")).unwrap();
    assert!(text.ends_with('\n'), "no line is torn");
}

#[test]
fn a_recording_of_other_settings_is_not_touched() {
    let place = Place::new(0);
    assert!(place.run(&format!("{SAMPLE} run.jsonl")).status.success());
    let before = place.lines("run.jsonl");
    for (flags, says) in [
        ("--seed 4", "its seed is 0, not 4"),
        ("--temperature 0.5 --top-k 3", "its temperature is 1, not 0.5, its top-k is none, not 3"),
        ("--suite development", "its problems are others"),
    ] {
        let refused = place.run(&format!("{SAMPLE} run.jsonl {flags}"));
        assert!(!refused.status.success() && said(&refused).contains(says), "{}", said(&refused));
    }
    let fewer = SAMPLE.replace("--count 3", "--count 2");
    assert!(said(&place.run(&format!("{fewer} run.jsonl"))).contains("it has 3 problems, not 2"));
    std::fs::copy(place.at("script.json"), place.at("other.json")).unwrap();
    let other = SAMPLE.replace("--rlvr script:script", "--rlvr script:other");
    assert!(said(&place.run(&format!("{other} run.jsonl"))).contains("rlvr from script:script.json"));
    assert_eq!(place.lines("run.jsonl"), before);

    let more = SAMPLE.replace("--k 60", "--k 70");
    assert!(place.run(&format!("{more} run.jsonl")).status.success());
    assert_eq!(place.lines("run.jsonl").len(), before.len() + 2 * 3 * 10);
}

#[test]
fn a_policy_that_fails_is_told_and_the_rest_is_saved() {
    let place = Place::new(0);
    let broken = SCRIPT.replace("STEP", "0").replace(
        "\"batch\"",
        r#""trouble":{"index":9,"problem":"leg_counting/heldout/1","how":"panic"},"batch""#,
    );
    std::fs::write(place.at("script.json"), broken).unwrap();
    let output = place.run(&format!("{SAMPLE} run.jsonl"));
    let said = said(&output);
    assert!(
        output.status.code() == Some(1) && said.contains("panicked at problem leg_counting/heldout/1"),
        "{said}"
    );
    assert!(!said.contains("leash-worker"), "the panic is told in our words only: {said}");
    assert!(place.lines("run.jsonl").len() > 1 + 3 + 2 * 2 * 60);
}

#[test]
fn a_report_is_read_from_any_format_and_a_reader_may_leave_early() {
    let place = Place::new(0);
    assert!(place.run(&format!("{SAMPLE} run.jsonl")).status.success());
    let json = place.run("report run.jsonl --format json");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["k"], &json["policies"][1]["n"]), (&60.into(), &180.into()));
    assert_eq!(json["dynamics"]["problem"]["p"], 3);
    let early = place.run("report run.jsonl --format json --k 16");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&early.stdout).unwrap()["k"], 16);
    let table = String::from_utf8(place.run("report run.jsonl").stdout).unwrap();
    assert!(table.contains("base → rlvr, at k = 60"), "{table}");
    assert_eq!(place.run("report run.jsonl --format csv").stdout.split(|b| *b == b'\n').count(), 5);

    let mut child = place
        .leash("report run.jsonl --format json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));

    let missing = place.run("report nowhere.jsonl");
    assert!(!missing.status.success() && said(&missing).starts_with("leash: nowhere.jsonl: "));
}

#[test]
fn a_recording_is_a_policy() {
    let place = Place::new(0);
    assert!(place.run(&format!("{SAMPLE} run.jsonl")).status.success());
    let again = "sample --base run.jsonl --rlvr run.jsonl#base --count 3 --k 40 -o again.jsonl";
    let output = place.run(again);
    assert!(output.status.success(), "{}", said(&output));
    let texts = |name: &str, k: u64| -> BTreeSet<(String, u64, String)> {
        let lines = place.lines(name);
        let all = lines.iter().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        all.filter(|l| l["kind"] == "completion" && l["policy"] == "base" && l["index"].as_u64() < Some(k))
            .map(|l| (l["problem"].to_string(), l["index"].as_u64().unwrap(), l["text"].to_string()))
            .collect()
    };
    assert_eq!(texts("again.jsonl", 40), texts("run.jsonl", 40));
    let beyond = place.run(&again.replace("--k 40", "--k 90").replace("again", "beyond"));
    assert!(said(&beyond).contains("number 60 is not among them"), "{}", said(&beyond));
}
