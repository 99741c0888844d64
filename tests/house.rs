//! A room knows only the rooms above it: the directions of the house, read from the imports.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom, as in the table of `lib.rs`.
const ROOMS: [&str; 18] = [
    "random",
    "calendar",
    "problem",
    "completion",
    "support",
    "model",
    "record",
    "policy",
    "source",
    "train",
    "run",
    "report",
    "app",
    "ui",
    "config",
    "terminal",
    "cli",
    "commands",
];

/// Rooms that touch no file, socket, clock or thread.
const PURE: [&str; 8] = ["random", "calendar", "problem", "completion", "support", "app", "ui", "config"];

const EFFECTS: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::io",
    "std::env",
    "Instant",
    "SystemTime",
    "tokio::",
    "Mutex",
];

#[test]
fn a_room_knows_only_the_rooms_above_it() {
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for path in sources() {
        let Some(here) = room(&path) else { continue };
        for there in named(&code(&path)) {
            arrows += 1;
            if there > here {
                wrong.push(format!("{}: {} knows {}", path.display(), ROOMS[here], ROOMS[there]));
            }
        }
    }
    assert!(arrows > 10, "the imports were not read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_in_a_room() {
    for path in sources() {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap();
        assert!(room(&path).is_some() || matches!(name, "lib.rs" | "main.rs"), "{}", path.display());
    }
}

#[test]
fn pure_rooms_have_no_effects() {
    let mut wrong = Vec::new();
    for path in sources() {
        let Some(here) = room(&path) else { continue };
        if PURE.contains(&ROOMS[here]) {
            let code = code(&path);
            let found = EFFECTS.iter().filter(|e| code.contains(*e));
            wrong.extend(found.map(|e| format!("{}: {e}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }
    let mut out = Vec::new();
    walk(&root(), &mut out);
    out.sort();
    out
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The room that a file belongs to; `None` for `lib.rs` and `main.rs`.
fn room(path: &Path) -> Option<usize> {
    let inside = path.strip_prefix(root()).unwrap();
    let first = inside.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs");
    ROOMS.iter().position(|r| *r == first)
}

/// A file's text without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\n").next().unwrap();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The rooms that a text names as `crate::room`, also inside `crate::{…}`.
fn named(code: &str) -> BTreeSet<usize> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names: Vec<String> = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or("").split(',').map(|w| word(w.trim())).collect(),
            None => vec![word(rest)],
        };
        found.extend(names.iter().filter_map(|n| ROOMS.iter().position(|r| r == n)));
    }
    found
}
