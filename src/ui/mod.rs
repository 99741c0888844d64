//! State to cells. Pure: no file, no socket, no clock, no thread.
//!
//! [`draw`] fills a buffer from the [`State`] and says what lies where, for the mouse
//! alone: keys never depend on what was drawn.

pub mod canvas;
pub mod chart;
pub mod layout;
pub mod picture;
pub mod screens;
pub mod summary;
pub mod text;
pub mod theme;
pub mod widgets;

use crate::app::state::{Look, Overlay, Screen};
use crate::app::{State, Target};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use screens::completions::Wrapped;
use theme::{Scheme, Theme};

/// How the terminal shows things, and what is kept from frame to frame.
#[derive(Debug)]
pub struct View {
    pub theme: Theme,
    /// Only ASCII.
    pub ascii: bool,
    /// Little motion: at most a frame a second while completions come in.
    pub calm: bool,
    pub seen: Seen,
    wrapped: Option<Wrapped>,
}

/// What the last frame showed where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The later ones lie on top.
    targets: Vec<(Rect, Target)>,
    /// Lines of the text or the help that do not fit.
    pub overflow: usize,
    /// The first line of the text, where the window followed the cursor to it.
    pub first: Option<usize>,
}

impl Seen {
    /// What lies under a cell.
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        let at = Position::new(column, row);
        self.targets.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, target)| *target)
    }

    fn target(&mut self, area: Rect, target: Target) {
        if area.area() > 0 {
            self.targets.push((area, target));
        }
    }
}

impl View {
    pub fn new(theme: Theme, ascii: bool) -> Self {
        Self { theme, ascii, calm: false, seen: Seen::default(), wrapped: None }
    }
}

/// Fills `buf` with the state's screen. The state's figures are shown as they are: call
/// [`State::refresh`] before.
pub fn draw(state: &State, view: &mut View, buf: &mut Buffer) {
    let area = buf.area;
    let mut seen = Seen::default();
    let theme = theme(state, view.theme);
    if area.width < layout::LEAST.0 || area.height < layout::LEAST.1 {
        screens::too_small(area, buf, &theme);
    } else {
        let area = match state.tour {
            Some(tour) if area.height >= 2 * layout::LEAST.1 => {
                screens::tour::draw(state, tour, &theme, area, buf)
            }
            _ => area,
        };
        match state.screen {
            Screen::Explore => screens::explore::draw(state, &theme, area, buf, &mut seen),
            Screen::Training => screens::training::draw(state, &theme, area, buf),
            Screen::Curves => screens::curves::draw(state, &theme, area, buf, &mut seen),
            Screen::Suite => screens::suite::draw(state, &theme, area, buf, &mut seen),
            Screen::Completions => {
                screens::completions::draw(state, &theme, area, buf, &mut seen, &mut view.wrapped);
            }
            Screen::Runs => screens::runs::draw(state, &theme, area, buf, &mut seen),
        }
        match &state.overlay {
            Some(Overlay::Help(at)) => seen.overflow = screens::help::draw(state, *at, &theme, area, buf),
            Some(Overlay::Explain(at)) => {
                seen.overflow = screens::explain::draw(state, *at, &theme, area, buf);
            }
            Some(Overlay::Restart(seed)) => screens::restart(*seed, &theme, area, buf),
            Some(Overlay::Palette(palette)) => screens::palette::draw(state, palette, &theme, area, buf),
            Some(Overlay::Log(at)) => seen.overflow = screens::log::draw(state, *at, &theme, area, buf),
            Some(Overlay::Parity(at)) => {
                seen.overflow = screens::parity::draw(state, *at, &theme, area, buf);
            }
            Some(Overlay::Delete(name)) => screens::runs::delete(name, &theme, area, buf),
            Some(Overlay::Filter { .. } | Overlay::Rename(_) | Overlay::Words(_)) | None => {}
        }
    }
    if view.ascii {
        canvas::to_ascii(buf);
    }
    view.seen = seen;
}

/// The theme that the user has chosen while looking.
fn theme(state: &State, theme: Theme) -> Theme {
    match state.look {
        Look::Given => theme,
        Look::OtherGround => Theme { ground: theme.ground.other(), ..theme },
        Look::HighContrast => Theme { scheme: Scheme::HighContrast, ..theme },
        Look::ColourBlind => Theme { scheme: Scheme::ColourBlind, ..theme },
    }
}
