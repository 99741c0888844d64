//! The palette: actions found by their words.

use super::State;
use crate::app::Action;
use crate::app::bindings::kebab;
use crate::app::keymap::Binding;

/// What is typed, and the row that is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    pub query: String,
    pub at: usize,
}

impl State {
    /// What can be done on the screen in view and has every word of the palette's query,
    /// with its keys.
    pub fn palette(&self, query: &str) -> Vec<(&'static Binding, String)> {
        let query = query.to_lowercase();
        let matches = |b: &Binding| {
            let words = format!("{} {} {}", kebab(b.action), b.brief, b.words).to_lowercase();
            query.split_whitespace().all(|w| words.contains(w))
        };
        let all = self.bindings.actions(self.screen_context());
        all.filter(|(b, _)| b.action != Action::Palette && matches(b)).collect()
    }
}
