//! The Explore screen.

use crate::support::ClusterKey;

/// What is focused, selected and shown on Explore.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explore {
    pub pane: Pane,
    /// The selected cluster; the top one until the user has moved.
    pub cluster: Option<ClusterKey>,
    /// Only problems that match are listed; empty lists all.
    pub filter: String,
    /// Only clusters that match are listed; empty lists all.
    pub clusters: String,
    pub order: Order,
    pub layout: Layout,
}

/// How the clusters of both policies stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A column for each policy.
    #[default]
    Beside,
    /// One list, both bars of a cluster in its row.
    Over,
}

impl Layout {
    pub fn other(self) -> Layout {
        match self {
            Layout::Beside => Layout::Over,
            Layout::Over => Layout::Beside,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Layout::Beside => "side by side",
            Layout::Over => "over each other, base above, RLVR below",
        }
    }
}

/// The order of the clusters. Correct ones come before wrong ones in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The most frequent first, both policies together.
    #[default]
    Mass,
    /// The largest difference between the policies first.
    Change,
    /// Lost ones first, then gained ones.
    Lost,
}

impl Order {
    /// The order after this one, around the end.
    pub fn next(self) -> Order {
        match self {
            Order::Mass => Order::Change,
            Order::Change => Order::Lost,
            Order::Lost => Order::Mass,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Order::Mass => "the most frequent first",
            Order::Change => "the largest change first",
            Order::Lost => "lost first",
        }
    }
}

/// The panes that keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Problems,
    /// A policy's clusters, 0 the base.
    Clusters(usize),
}

impl Pane {
    const ALL: [Pane; 3] = [Pane::Problems, Pane::Clusters(0), Pane::Clusters(1)];

    /// The pane `by` places further on, around the end; over each other the clusters are one
    /// pane.
    pub fn step(self, by: i32, layout: Layout) -> Pane {
        let panes = match layout {
            Layout::Beside => &Pane::ALL[..],
            Layout::Over => &Pane::ALL[..2],
        };
        let at = panes.iter().position(|p| *p == self).unwrap_or(panes.len() - 1) as i32;
        panes[(at + by).rem_euclid(panes.len() as i32) as usize]
    }
}
