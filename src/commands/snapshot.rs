//! `leash snapshot`: a screen of a recording as a picture.

use crate::app::key::Key;
use crate::app::state::Named;
use crate::app::{Message, State, update};
use crate::cli::SnapshotArgs;
use crate::model::Sampling;
use crate::record::Recording;
use crate::run::{Event, EventKind, Settings};
use crate::ui::theme::{Depth, Ground, Theme};
use crate::ui::{self, View, picture};
use anyhow::{Context, Result, ensure};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the explorer as it stands after the recording's completions and the given keys,
/// and writes it as SVG.
///
/// # Errors
/// A file that cannot be read or is no recording of a pair; a picture that cannot be written.
pub fn run(args: &SnapshotArgs) -> Result<()> {
    let recording = Recording::open(&args.file)?;
    let mut state = state(&recording)?;
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
        state.settle();
        state.refresh();
        ui::draw(state, &mut view, screen);
        update(state, Message::Overflow(view.seen.overflow));
    };
    draw(&mut state, &mut screen);
    for key in args.keys.chars().map(key) {
        // What it asks of the campaign has nobody to carry it out: the recording is drawn.
        update(&mut state, Message::Key(key));
        draw(&mut state, &mut screen);
    }
    std::fs::write(&args.output, picture::to_svg(&screen, palette))
        .with_context(|| format!("{} could not be written", args.output.display()))
}

/// The explorer's state when everything of the recording is drawn.
fn state(recording: &Recording) -> Result<State> {
    let entries = &recording.run.policies;
    let file = recording.path.display();
    ensure!(entries.len() >= 2, "{file}: a base and an RLVR policy are needed, and it has {}", entries.len());
    ensure!(entries[0].role == "base", "{file}: its first policy is not the base");
    let named = |p: &crate::record::PolicyEntry| Named {
        name: p.name.clone(),
        spec: p.spec.clone().unwrap_or_default(),
    };
    let drawn = recording.completions()?.collect::<Result<Vec<_>, _>>()?;
    let k = drawn.iter().map(|d| d.completion.index + 1).max().unwrap_or(1);
    let known = recording.run.sampling.clone().unwrap_or_default();
    let default = Sampling::default();
    let sampling = Sampling {
        temperature: known.temperature.unwrap_or(default.temperature),
        top_p: known.top_p.unwrap_or(default.top_p),
        top_k: known.top_k,
        max_tokens: known.max_tokens.unwrap_or(default.max_tokens),
        seed: known.seed.unwrap_or(default.seed),
    };
    let settings = Settings { k, sampling, threads: 1 };
    let mut state =
        State::new(entries.iter().map(named).collect(), recording.problems.clone().into(), settings);
    for kind in [EventKind::Drawn(drawn), EventKind::Finished] {
        update(&mut state, Message::Run(Event { generation: 0, kind }));
    }
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
