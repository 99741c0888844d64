//! The commands: each takes its part of the command line and does it.

pub mod bench;
pub mod check;
pub mod convert;
pub mod explore;
pub mod grade;
pub mod open;
pub mod pull;
pub mod report;
pub mod sample;
pub mod score;
mod screen;
mod settings;
pub mod shell;
pub mod snapshot;
pub mod tasks;
pub mod train;

use crate::cli::ImportArgs;
use crate::completion::clean;
use crate::record::foreign::{self, Imported, Progress};
use crate::record::{RecordError, Recording};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// Writes to the standard output. Whoever reads it may stop at any time: `leash report … |
/// head` is no error.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Opens a recording, or other tools' files as one. What could not be read of them is said
/// on the standard error.
fn open(files: &[PathBuf], import: &ImportArgs) -> Result<Recording, RecordError> {
    let options = import.options();
    let opened = watched(|progress| foreign::open(files, &options, None, progress))?;
    if let Some(imported) = &opened.imported {
        told(imported);
    }
    Ok(opened.recording)
}

/// Says what an import could not read or match.
fn told(imported: &Imported) {
    const SHOWN: usize = 5;
    let say = |text: String| eprintln!("leash: {}", clean(&text).replace('\n', " "));
    imported.wrong.iter().take(SHOWN).for_each(|wrong| say(wrong.clone()));
    let more = imported.wrong_count.saturating_sub(SHOWN as u64);
    if more > 0 {
        say(format!("{more} more like these; none of them is counted"));
    }
    for unmatched in &imported.unmatched {
        let first: Vec<&str> = unmatched.first.iter().take(SHOWN).map(String::as_str).collect();
        say(format!(
            "{}: {} problems are not in every file: {}{}",
            unmatched.file,
            unmatched.count,
            first.join(", "),
            if unmatched.count > SHOWN as u64 { ", …" } else { "" }
        ));
    }
    imported.notes.iter().for_each(|note| say(note.clone()));
}

/// Does what takes long, with a bar on the standard error if that is a terminal.
fn watched<T>(work: impl FnOnce(&mut dyn FnMut(Progress)) -> T) -> T {
    let bar = match io::stderr().is_terminal() {
        true => indicatif::ProgressBar::no_length(),
        false => indicatif::ProgressBar::hidden(),
    };
    let done = work(&mut |Progress { read, of }| {
        bar.set_length(of);
        bar.set_position(read);
    });
    bar.finish_and_clear();
    done
}
