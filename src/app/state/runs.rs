//! The Runs screen: the user's recordings.

use crate::record::Listed;

/// What is listed and selected on Runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs {
    /// The one that was written last first.
    pub list: Vec<Listed>,
    pub selected: usize,
}

impl Runs {
    /// The selected run.
    pub fn current(&self) -> Option<&Listed> {
        self.list.get(self.selected)
    }

    /// Shows another list, the selection at the same place as far as there is one.
    pub fn show(&mut self, list: Vec<Listed>) {
        self.selected = self.selected.min(list.len().saturating_sub(1));
        self.list = list;
    }
}
