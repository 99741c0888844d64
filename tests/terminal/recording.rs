//! What the screen calls saved is saved, whatever happens to the process.

use super::session::Session;
use leash::random::Stream;
use leash::record::Recording;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Killed so often here; `LEASH_KILLS` asks for more.
const ROUNDS: u64 = 20;

struct Place {
    folder: tempfile::TempDir,
    arguments: Vec<String>,
}

impl Place {
    fn new(step_ms: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script.json");
        let texts = r###"{"texts":[{"text":" Count: 8, 16.\n#### {reference}"},{"text":" #### 7"}],"batch":8,"step_ms":STEP}"###;
        std::fs::write(&script, texts.replace("STEP", &step_ms.to_string())).unwrap();
        let spec = format!("script:{}", script.display());
        let file = folder.path().join("run.jsonl").display().to_string();
        let arguments = ["--base", &spec, "--rlvr", &spec, "--k", "100000", "--record", &file];
        Self { arguments: arguments.map(str::to_owned).to_vec(), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("run.jsonl")
    }

    fn record(&self) -> Session {
        Session::start(160, 50, &self.arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn open(&self) -> Session {
        Session::start(160, 50, &["open", &self.file().display().to_string()])
    }
}

/// Completions that the header calls saved.
fn saved(screen: &str) -> Option<u64> {
    let header = screen.lines().next()?;
    let after = &header[header.find(" saved ")? + 7..];
    after.split('/').next()?.replace(|c: char| !c.is_ascii_digit(), "").parse().ok()
}

/// The completions of a file, each by itself; none may be there twice.
fn there(file: &Path) -> BTreeSet<(usize, usize, u32)> {
    let recording = Recording::open(file).unwrap();
    let mut all = BTreeSet::new();
    for drawn in recording.completions().unwrap() {
        let drawn = drawn.unwrap();
        let key = (drawn.policy, drawn.problem, drawn.completion.index);
        assert!(all.insert(key), "{key:?} is there twice");
    }
    all
}

#[test]
fn killed_at_any_moment_nothing_that_was_called_saved_is_missing() {
    let place = Place::new(2);
    let rounds = std::env::var("LEASH_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let mut stream = Stream::new(7);
    let mut before = BTreeSet::new();
    for round in 0..rounds {
        let session = if round % 2 == 0 || round < 2 { place.record() } else { place.open() };
        session.wait("more is saved", |s| saved(s) > Some(before.len() as u64));
        std::thread::sleep(Duration::from_millis(stream.below(120) as u64));
        let screen = session.screen();
        let said = saved(&screen).unwrap_or_else(|| panic!("round {round}: {screen}"));
        session.signal("KILL");
        drop(session);
        let now = there(&place.file());
        assert!(now.len() as u64 >= said, "round {round}: {} of {said} are there", now.len());
        assert!(now.is_superset(&before), "round {round}: what was there before is gone");
        before = now;
    }
}

#[test]
fn a_second_process_follows_the_first_and_writes_nothing() {
    let place = Place::new(20);
    let mut first = place.record();
    first.wait("something is saved", |s| saved(s) > Some(0));
    let mut second = place.open();
    let seen = second.wait("it is followed", |s| s.contains("following") && saved(s) > Some(0));
    second.wait("it grows", |s| saved(s) > saved(&seen));
    second.keys("q");
    assert!(second.end().0.success());
    first.keys("q");
    assert!(first.end().0.success());
    let all = there(&place.file()).len() as u64;
    // Nobody writes it now: it is gone on with, from where it stopped.
    let mut third = place.open();
    third.wait("it goes on", |s| saved(s) > Some(all));
    third.keys("q");
    assert!(third.end().0.success());
}

#[test]
fn files_of_another_tool_are_followed_as_they_grow() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let files = ["base.jsonl", "rlvr.jsonl"].map(|name| folder.path().join(name));
    let append = |file: &Path, problems: std::ops::Range<u32>, end: &str| {
        let mut file = std::fs::File::options().create(true).append(true).open(file).unwrap();
        for problem in problems {
            writeln!(file, r#"{{"id":"p{problem}","prompt":"{problem}?","text":"x","score":1.0}}"#).unwrap();
        }
        file.write_all(end.as_bytes()).unwrap();
    };
    files.iter().for_each(|file| append(file, 0..1, ""));
    let [base, rlvr] = files.each_ref().map(|f| f.display().to_string());
    let mut session = Session::start(160, 50, &["open", &base, &rlvr, "--follow"]);
    session.wait("what is there", |s| s.contains("following") && saved(s) == Some(2));
    // The last line is torn until its writer comes to its end.
    append(&files[0], 1..4, r#"{"id":"p4","prompt":"#);
    append(&files[1], 1..4, "");
    session.wait("what was added", |s| saved(s) == Some(8) && s.contains(" p0 1/4 "));
    append(&files[0], 0..0, "\"4?\",\"text\":\"x\",\"score\":1.0}\n");
    session.wait("the line that was torn", |s| saved(s) == Some(9) && s.contains(" p0 1/5 "));
    session.keys("q");
    assert!(session.end().0.success());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_pauses_and_is_said_and_room_goes_on() {
    let place = Place::new(5);
    let mut session = place.record();
    session.wait("something is saved", |s| saved(s) > Some(0));
    let limit = |bytes: u64| {
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: it reads `limit` alone.
        let set =
            unsafe { libc::prlimit(session.pid() as i32, libc::RLIMIT_FSIZE, &limit, std::ptr::null_mut()) };
        assert_eq!(set, 0);
    };
    limit(std::fs::metadata(place.file()).unwrap().len() + 2000);
    let full = session.wait("it is said", |s| s.contains("not written") && s.contains("run.jsonl"));
    assert!(!std::fs::read_to_string(place.file()).unwrap().is_empty());
    limit(libc::RLIM_INFINITY);
    session.wait("it goes on", |s| saved(s) > saved(&full) && !s.contains("not written"));
    session.keys("q");
    assert!(session.end().0.success());
    there(&place.file());
}

#[test]
fn runs_are_listed_renamed_opened_and_deleted() {
    let place = Place::new(5);
    let arguments: Vec<&str> = place
        .arguments
        .iter()
        .map(String::as_str)
        .filter(|a| *a != "--record" && !a.ends_with(".jsonl"))
        .collect();
    let mut session = Session::start(120, 36, &arguments);
    session.wait("something is drawn", |s| s.matches('✓').count() >= 2);
    session.keys("6");
    session.wait_for("leg-counting");
    session.keys("c");
    session.wait_for("name ");
    session.keys(&"\x7f".repeat(60));
    session.keys("first\r");
    session.wait("it has the name", |s| s.contains("▸ first"));
    session.keys("d");
    session.wait_for("cannot be brought back");
    session.keys("y");
    session.wait("it is in use", |s| s.contains("another process is writing") && s.contains("▸ first"));
    session.keys("\x1b");
    session.wait_for("Problems");
    session.keys("q");
    assert!(session.end().0.success());
}
