//! Frames to the terminal: only what changed, each as one synchronised update.
//!
//! Not `ratatui::Terminal`: its clearing asks the terminal where the cursor is, which
//! waits for an answer on the input that the event stream reads.

use super::clipboard::osc52;
use super::guard::handle;
use crate::app::State;
use crate::ui::{self, View};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// The terminal's cells.
pub struct Screen {
    backend: CrosstermBackend<BufWriter<File>>,
    /// What the terminal shows; `None` if that is not known.
    shown: Option<Buffer>,
    /// Room for the next frame.
    next: Buffer,
}

impl Screen {
    /// # Errors
    /// There is no standard output.
    pub fn new() -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 16, handle()?);
        Ok(Self { backend: CrosstermBackend::new(out), shown: None, next: Buffer::default() })
    }

    /// Draws the state at the window's present size.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn draw(&mut self, state: &mut State, view: &mut View) -> io::Result<()> {
        let area = Rect::from(((0, 0).into(), self.backend.size()?));
        state.refresh();
        self.next.resize(area);
        self.next.reset();
        ui::draw(state, view, &mut self.next);
        let shown = self.shown.take().filter(|s| s.area == area);
        queue!(self.backend, BeginSynchronizedUpdate)?;
        let shown = match shown {
            Some(shown) => shown,
            None => {
                self.backend.clear_region(ClearType::All)?;
                Buffer::empty(area)
            }
        };
        self.backend.draw(shown.diff_iter(&self.next))?;
        queue!(self.backend, EndSynchronizedUpdate)?;
        Write::flush(&mut self.backend)?;
        self.shown = Some(std::mem::replace(&mut self.next, shown));
        Ok(())
    }

    /// Forgets what is on the screen: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// Puts a text on the terminal's clipboard.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        self.backend.write_all(osc52(text).as_bytes())?;
        Write::flush(&mut self.backend)
    }
}
