//! The Completions screen: one cluster, open.

use crate::support::ClusterKey;

/// The open cluster and what is selected in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completions {
    /// `None` until a cluster was opened.
    pub cluster: Option<ClusterKey>,
    /// Whose completions are listed, 0 the base's.
    pub side: usize,
    /// The selected completion, by its index; the first until the user has moved.
    pub index: Option<u32>,
    /// Whether keys scroll the text.
    pub reading: bool,
    /// Lines of the text above the window.
    pub scroll: usize,
    /// The token under the cursor.
    pub cursor: usize,
    /// Whether the window follows the cursor.
    pub follow: bool,
}

impl Completions {
    /// The completions of a cluster under a policy, from the first.
    pub fn open(cluster: ClusterKey, side: usize) -> Self {
        Self { cluster: Some(cluster), side, ..Self::default() }
    }

    /// Another text, from its first line and token.
    pub(in crate::app) fn begin(&mut self) {
        (self.scroll, self.cursor, self.follow) = (0, 0, false);
    }
}
