//! What the README shows is what the program draws.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

/// The pictures of a run are made of its recording, which is committed, and of what the
/// embedded models say of one completion: the same on every machine but for the last bits of
/// a float, which can move a colour by a step.
#[test]
fn the_pictures_are_what_is_drawn_now() {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Command::new(root().join("tests/pictures/draw.sh"));
    script.arg("--into").arg(folder.path()).env("LEASH", env!("CARGO_BIN_EXE_leash"));
    let output = script.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let committed = files(&root().join("assets/pictures"), "svg");
    let name = |path: &PathBuf| path.file_name().unwrap().to_owned();
    let drawn = files(folder.path(), "svg");
    assert_eq!(committed.iter().map(name).collect::<Vec<_>>(), drawn.iter().map(name).collect::<Vec<_>>());
    assert!(drawn.len() > 3);
    for (was, is) in committed.iter().zip(&drawn) {
        let [was_text, is_text] = [was, is].map(|path| std::fs::read_to_string(path).unwrap());
        assert!(
            same(&was_text, &is_text),
            "{} is not what the program draws: run tests/pictures/draw.sh",
            was.display()
        );
    }
}

/// Whether two pictures are equal, colours to 4 of 255.
fn same(a: &str, b: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('#').collect(), b.split('#').collect());
    let close = |(a, b): (&&str, &&str)| match (colour(a), colour(b)) {
        (Some((x, rest)), Some((y, other))) => {
            x.iter().zip(y).all(|(x, y)| x.abs_diff(y) <= 4) && rest == other
        }
        (None, None) => a == b,
        _ => false,
    };
    a.len() == b.len() && a.iter().zip(&b).all(close)
}

/// A colour's channels, and what follows it.
fn colour(text: &str) -> Option<([u8; 3], &str)> {
    let (digits, rest) = text.split_at_checked(6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, rgb @ ..] = number.to_be_bytes();
    Some((rgb, rest))
}

#[test]
fn pictures_differ_by_more_than_a_shade() {
    let picture = r##"<text fill="#b4a2f0">leash</text>#### 20"##;
    assert!(same(picture, &picture.replace("b4a2f0", "b2a4f0")));
    assert!(!same(picture, &picture.replace("b4a2f0", "b4a2a0")));
    assert!(!same(picture, &picture.replace("leash", "leasH")));
    assert!(!same(picture, &picture.replace("20", "21")));
    assert!(!same(picture, &picture.replace("####", "###")));
}

#[test]
fn the_readme_shows_every_picture_and_no_other() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for path in readme.split(['(', ')', '"']).filter(|part| part.starts_with("assets/pictures/")) {
        assert!(root().join(path).is_file(), "{path}");
    }
    for extension in ["svg", "cast"] {
        for path in files(&root().join("assets/pictures"), extension) {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(readme.contains(&format!("assets/pictures/{name}")), "{name}");
        }
    }
}

#[test]
fn the_recorded_session_plays() {
    let text = std::fs::read_to_string(root().join("assets/pictures/session.cast")).unwrap();
    assert!(text.len() < 300_000, "{} bytes", text.len());
    let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!(header["version"], 2);
    let size = ["height", "width"].map(|name| header[name].as_u64().unwrap() as u16);
    let mut screen =
        vt100::Parser::new(super::session::nonzero(size[0]), super::session::nonzero(size[1]), 0);
    let (mut last, mut seen) = (0.0, Vec::new());
    for event in lines {
        let (time, kind, data) = (event[0].as_f64().unwrap(), &event[1], event[2].as_str().unwrap());
        assert!(time >= last && time < 120.0 && kind == "o" && event[3].is_null(), "{event}");
        last = time;
        screen.process(data.as_bytes());
        seen.push(screen.screen().contents());
    }
    for words in ["Problems", "Completion ", "after “Total:”", "Cover@τ", "most lost"] {
        assert!(seen.iter().any(|s| s.contains(words)), "{words}");
    }
    assert!(last > 10.0);
    assert!(!screen.screen().alternate_screen(), "it ends with the program");
    assert!(seen.last().unwrap().contains("pass@1"), "and with its summary");
}
