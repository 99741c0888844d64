//! Frames to the terminal: only what changed, each as one synchronised update.

use super::clipboard::osc52;
use super::guard::handle;
use crate::app::State;
use crate::ui::{self, View};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// The terminal's cells.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<File>>>,
}

impl Screen {
    /// # Errors
    /// The terminal's size cannot be read.
    pub fn new() -> io::Result<Self> {
        let out = BufWriter::with_capacity(1 << 16, handle()?);
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(out))? })
    }

    /// Draws the state.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn draw(&mut self, state: &mut State, view: &mut View) -> io::Result<()> {
        state.refresh();
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| ui::draw(state, view, frame.buffer_mut()))?;
        queue!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        self.terminal.backend_mut().flush()
    }

    /// Forgets what is on the screen: the next frame is drawn whole.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Puts a text on the terminal's clipboard.
    ///
    /// # Errors
    /// The terminal does not take it.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(osc52(text).as_bytes())?;
        out.flush()
    }
}
