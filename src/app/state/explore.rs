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

    /// The pane `by` places further on, around the end.
    pub fn step(self, by: i32) -> Pane {
        let at = Pane::ALL.iter().position(|p| *p == self).unwrap_or(0) as i32;
        Pane::ALL[(at + by).rem_euclid(3) as usize]
    }
}
