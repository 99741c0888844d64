//! `leash snapshot`: a screen of a recording as a picture.

use super::screen;
use crate::app::key::Key;
use crate::app::{Effect, Message, State, update};
use crate::cli::SnapshotArgs;
use crate::record::{Index, News};
use crate::terminal;
use crate::ui::theme::{Depth, Ground, Theme};
use crate::ui::{self, View, picture};
use anyhow::{Context, Result};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::ops::ControlFlow;
use std::path::Path;

/// Draws the explorer as it stands after the recording's completions and the given keys,
/// and writes it as SVG.
///
/// # Errors
/// A file that cannot be read or is no recording of a pair; a picture that cannot be written.
pub fn run(args: &SnapshotArgs) -> Result<()> {
    let recording = super::open(&args.files, &args.import)?;
    let mut state = state(&recording.path)?;
    let (ground, palette) = match args.theme.ground().unwrap_or_default() {
        Ground::Dark => (Ground::Dark, picture::Palette::DARK),
        Ground::Light => (Ground::Light, picture::Palette::LIGHT),
    };
    let theme = Theme { depth: Depth::True, ground, scheme: args.theme.scheme() };
    let mut view = View::new(theme, false);
    let mut screen = Buffer::empty(Rect::new(0, 0, args.size.0, args.size.1));
    // A frame between two keys, as on a terminal: what a key does can depend on what fits.
    let mut draw = |state: &mut State, screen: &mut Buffer| {
        screen.reset();
        state.refresh();
        for effect in state.settle() {
            aside(state, effect);
        }
        state.refresh();
        ui::draw(state, &mut view, screen);
        update(state, Message::Overflow(view.seen.overflow));
        if let Some(first) = view.seen.first {
            update(state, Message::Scrolled(first));
        }
    };
    draw(&mut state, &mut screen);
    for key in args.keys.chars().map(key) {
        // What it asks of the campaign has nobody to carry it out: the recording is drawn.
        for effect in update(&mut state, Message::Key(key)) {
            aside(&mut state, effect);
        }
        draw(&mut state, &mut screen);
    }
    std::fs::write(&args.output, picture::to_svg(&screen, palette))
        .with_context(|| format!("{} could not be written", args.output.display()))
}

/// Carries out what concerns a single completion: its tokens, its continuations.
fn aside(state: &mut State, effect: Effect) {
    for message in terminal::answer(effect, state) {
        update(state, message);
    }
}

/// The explorer's state when everything of the recording is read.
fn state(file: &Path) -> Result<State> {
    let mut index = Index::open(file)?;
    let mut state = screen::shown(&index, false)?;
    let _ = index.read(&mut |batch| {
        update(&mut state, Message::Record(News::Read(batch)));
        ControlFlow::Continue(())
    })?;
    update(&mut state, Message::Record(News::Complete { wrong: 0, first: None }));
    Ok(state)
}

/// The key that a character stands for: a line feed is Enter, `^` is Escape.
fn key(c: char) -> Key {
    match c {
        '\n' => Key::Enter,
        '\t' => Key::Tab,
        '^' => Key::Esc,
        c => Key::Char(c),
    }
}
