//! A close look at completions with the embedded pair, and the guided tour.

use super::session::Session;
use leash::app::tour::STEPS;

#[test]
fn a_completion_is_looked_at_token_by_token_and_branched_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let arguments = ["--k", "64", "--count", "1", "--record", &file.display().to_string()];
    let mut session = Session::start(120, 36, &arguments);
    session.wait_for("all drawn");
    session.keys("\t\r\r");
    session.wait_for("token 1 of");
    session.keys("l");
    session.wait_for("token 2 of");
    session.keys("n");
    session.wait_for(", a fork");
    session.keys("b");
    session.wait_for("branch: 64 each");
    session.keys("b");
    session.wait_for("branch: 128 each");
    session.keys("f");
    session.wait_for("first words");
    session.keys("\r");
    session.wait_for("branch: 64 each");
    session.keys("q");
    assert!(session.end().0.success());
    let recorded = std::fs::read_to_string(&file).unwrap();
    let completions = recorded.lines().filter(|l| l.contains(r#""kind":"completion""#)).count();
    assert_eq!(completions, 128, "two policies at k = 64, and nothing of what was branched");
}

#[test]
fn a_reader_of_a_recording_can_look_at_tokens_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl").display().to_string();
    let mut session = Session::start(100, 30, &["--k", "8", "--count", "1", "--record", &file]);
    session.wait_for("all drawn");
    session.keys("q");
    assert!(session.end().0.success());
    let mut session = Session::start(100, 30, &["open", &file, "--read-only"]);
    session.wait("both policies have clusters", |s| s.matches('✓').count() >= 2);
    // The first row is one that only the other policy has.
    session.keys("\tj\r\r");
    session.wait_for("entropy, nats");
    session.keys("b");
    session.wait_for("branch: 64 each");
    session.keys("q");
    assert!(session.end().0.success());
}

#[test]
fn the_tour_goes_by_itself_from_start_to_end() {
    let arguments = ["demo", "--auto", "--pace", "1000", "--no-record", "--k", "64", "--count", "4"];
    let mut session = Session::start(120, 36, &arguments);
    for (at, step) in STEPS.iter().enumerate() {
        session.wait_for(&format!("{}. {}", at + 1, step.title));
    }
    assert!(session.end().0.success());
}
