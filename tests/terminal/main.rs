//! End to end: the real binary in a pseudo-terminal, keys sent and the screen read.

mod inspect;
mod pictures;
mod recording;
mod session;

use session::Session;
use std::process::{Command, Stdio};

/// Completions of the problem on screen, as the header says it: `k   600/1 024`.
fn drawn(screen: &str) -> Option<u32> {
    let header = screen.lines().next()?;
    let after = &header[header.find(" k ")? + 3..];
    let digits = after.split('/').next()?.replace(|c: char| !c.is_ascii_digit(), "");
    digits.parse().ok()
}

/// A pair of scripted policies, written where the test can find it: the folder and the
/// arguments that open them.
fn scripted(rlvr: &str) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("script:{}", path.display())
    };
    let base = write(
        "base.json",
        r##"{"texts": [{"text": " I see it.\n#### {reference}", "weight": 2}, {"text": " No idea.\n#### 1"}], "batch": 4, "step_ms": 20}"##,
    );
    let rlvr = write("rlvr.json", rlvr);
    let arguments = ["--base", &base, "--rlvr", &rlvr, "--k", "4096"].map(str::to_owned).to_vec();
    (folder, arguments)
}

const STEADY: &str = r##"{"texts": [{"text": " Sure.\n#### {reference}"}], "batch": 4, "step_ms": 20}"##;

fn start(columns: u16, rows: u16, arguments: &[String]) -> Session {
    Session::start(columns, rows, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_embedded_pair_is_explored() {
    let mut session = Session::start(120, 36, &[]);
    session.wait("completions come in", |s| drawn(s) > Some(0));
    let before = drawn(&session.screen());
    session.wait("counts grow", |s| drawn(s) > before);
    let screen = session.wait("both policies have clusters", |s| s.matches('✓').count() >= 2);
    assert!(screen.contains("embedded:base") && screen.contains("embedded:rlvr"), "{screen}");

    session.keys("j");
    session.wait_for(" 2/50 ");
    session.keys("k");
    session.wait_for(" 1/50 ");

    // Open a cluster, and come back.
    session.keys("\t\r");
    session.wait_for("Completion");
    session.keys("\x1b");
    session.wait_for("Problems");

    session.keys("?");
    session.wait_for("esc closes");
    session.keys("\x1b");

    session.resize(20, 6);
    session.wait("a word on the size", |s| s.contains("40") && !s.contains("Problems"));
    session.resize(120, 36);
    session.wait_for("Problems");
    // Back before the program has looked: what the window lost is drawn again.
    for _ in 0..5 {
        session.resize(60, 20);
        session.resize(120, 36);
    }
    session.wait("the whole screen", |s| s.lines().next().is_some_and(|l| l.chars().count() > 100));

    session.keys("q");
    let (status, screen) = session.end();
    assert!(status.success(), "{status:?}");
    assert!(screen.contains("SRR"), "a summary stays on the normal screen:\n{screen}");
}

#[test]
fn a_panic_in_a_sampling_thread_is_told_and_the_rest_goes_on() {
    let trouble = r##"{"texts": [{"text": " Sure.\n#### {reference}"}], "batch": 4, "step_ms": 20,
                      "trouble": {"index": 40, "problem": "leg_counting/heldout/0", "how": "panic"}}"##;
    let (_folder, arguments) = scripted(trouble);
    let mut session = start(120, 36, &arguments);
    session.wait_for("panicked");
    session.keys("j");
    session.wait_for(" 2/50 ");
    session.wait("the next problem is drawn", |s| drawn(s) > Some(40));
    session.resize(20, 6);
    session.wait("a word on the size", |s| !s.contains("Problems"));
    session.resize(80, 24);
    session.wait_for("Problems");
    session.keys("q");
    assert!(session.end().0.success());
}

#[test]
fn signals_leave_the_terminal_as_it_was_found() {
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let (_folder, arguments) = scripted(STEADY);
        let mut session = start(80, 24, &arguments);
        session.wait("completions come in", |s| drawn(s) > Some(0));
        session.signal(signal);
        let (status, _) = session.end();
        assert_eq!(status.exit_code(), code, "{signal}");
    }
}

#[test]
fn control_c_always_quits() {
    let (_folder, arguments) = scripted(STEADY);
    let mut session = start(80, 24, &arguments);
    session.wait_for("Problems");
    session.keys("?");
    session.keys("\x03");
    session.end();
}

#[test]
fn control_z_hands_the_terminal_back_and_comes_again() {
    let (_folder, arguments) = scripted(STEADY);
    let mut session = start(80, 24, &arguments);
    session.wait("completions come in", |s| drawn(s) > Some(0));
    session.keys("\x1a");
    session.wait("the normal screen", |_| !session.look(|t| t.parser.screen().alternate_screen()));
    session.wait("the process is stopped", |_| state_of(session.pid()) == 'T');
    session.signal("CONT");
    session.wait("the screen is back", |s| {
        session.look(|t| t.parser.screen().alternate_screen()) && s.contains("Problems")
    });
    session.keys("q");
    assert!(session.end().0.success());
}

/// A process's state letter, as the kernel gives it.
fn state_of(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next()).unwrap_or('?')
}

#[test]
fn at_rest_the_process_sleeps() {
    let (_folder, mut arguments) = scripted(STEADY);
    let last = arguments.len() - 1;
    arguments[last] = "8".into();
    arguments.extend(["--count".into(), "2".into()]);
    let mut session = start(80, 24, &arguments);
    session.wait("all is drawn", |s| drawn(s) == Some(8));
    session.keys("j");
    session.wait("all is drawn", |s| s.contains(" 2/2 ") && drawn(s) == Some(8));
    // Whatever follows the last completion, an animation's end for example, is over soon.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let (bytes, wakes) = (session.look(|t| t.bytes.len()), wakes(session.pid()));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(session.look(|t| t.bytes.len()), bytes, "nothing is drawn at rest");
    assert!(self::wakes(session.pid()) <= wakes + 1, "nothing wakes at rest");
    session.keys("q");
    assert!(session.end().0.success());
}

/// How often the threads of a process went to sleep by themselves so far.
fn wakes(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of = |status: String| {
        let line = status.lines().find(|l| l.starts_with("voluntary_ctxt_switches"))?;
        line.split_whitespace().last()?.parse::<u64>().ok()
    };
    threads.filter_map(|t| of(std::fs::read_to_string(t.ok()?.path().join("status")).ok()?)).sum()
}

#[test]
fn the_screen_is_readable_without_colour() {
    let (_folder, arguments) = scripted(STEADY);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut session = Session::start_with(80, 24, &arguments, |c| c.env("NO_COLOR", "1"));
    session.wait("clusters", |s| s.matches('✓').count() >= 2);
    session.look(|t| {
        let text = String::from_utf8_lossy(&t.bytes).into_owned();
        let coloured = regex::Regex::new("\x1b\\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|38;|48;)[0-9;]*m").unwrap();
        assert!(!coloured.is_match(&text), "{:?}", coloured.find(&text));
    });
    session.keys("q");
    session.end();
}

#[test]
fn without_a_terminal_a_sentence_names_the_command_that_works() {
    let output = Command::new(env!("CARGO_BIN_EXE_leash"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("leash sample") && said.trim().lines().count() <= 2, "{said}");
}

#[test]
fn a_configuration_changes_keys_and_theme() {
    let (_folder, mut arguments) = scripted(STEADY);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "theme = 'light'\n[keys.screens]\nquit = ['X']\n").unwrap();
    arguments.extend(["--config".to_owned(), file.display().to_string()]);
    let mut session = start(120, 36, &arguments);
    session.wait_for("X quit");
    session.keys("q:theme");
    session.wait_for("the next theme");
    session.keys("\r");
    session.wait_for("theme: the other ground");
    session.keys("X");
    assert!(session.end().0.success());

    std::fs::write(&file, "mouse = true\ncolour = 'blue'\n").unwrap();
    let leash = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_leash"))
            .args(arguments)
            .env("XDG_CONFIG_HOME", folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("it starts")
    };
    let file = file.display().to_string();
    let wrong = leash(&["--print-config", "--config", &file]);
    let said = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success() && said.contains("config.toml, line 2"), "{said}");
    let printed = leash(&["--print-config"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("[keys.explore]"));
}

#[test]
fn the_terminal_is_asked_for_its_background() {
    let (_folder, arguments) = scripted(STEADY);
    let mut session = start(100, 30, &arguments);
    session.wait_for("Problems");
    session.look(|terminal| {
        let asked = b"\x1b]11;?";
        assert!(terminal.bytes.windows(asked.len()).any(|w| w == asked));
    });
    session.keys("q");
    session.end();
}

#[test]
fn shells_and_man_know_the_command_line() {
    for arguments in
        [&["completions", "bash"][..], &["completions", "zsh"], &["completions", "fish"], &["man"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_leash")).args(arguments).output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("sample"), "{arguments:?}");
    }
}
