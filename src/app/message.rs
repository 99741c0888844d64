//! What comes in.

use super::action::Action;
use super::branch;
use super::key::Key;
use super::state::Named;
use super::state::curves::Tile;
use super::study::Study;
use super::weigh::Weighed;
use crate::record::{Listed, News};
use crate::run::{Event, Gauge};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Key(Key),
    Action(Action),
    /// The mouse was pressed on something.
    Click(Target),
    /// The wheel was turned over something, by so many notches; down is positive.
    Scroll(Target, i32),
    /// News of the run.
    Run(Event),
    /// News of the recording.
    Record(News),
    /// The user's runs.
    Runs(Vec<Listed>),
    /// What the run is doing now.
    Gauge(Gauge),
    /// The last frame showed a text that can be scrolled by so many lines.
    Overflow(usize),
    /// A second has passed; sent only while a tour goes on by itself.
    Second,
    /// Something went wrong, or well, outside: a sentence for the user.
    Notice(String),
    /// News of training.
    Trained(crate::train::session::Event),
    /// One more policy is drawn from.
    Adopted(Named),
    /// Nothing else waits: a little of what there is to do beside drawing.
    Step,
    /// A study that was asked for.
    Studied(Box<Study>),
    /// A completion's scores that were asked for.
    Weighed(Box<Weighed>),
    /// News of continuations.
    Branched(branch::News),
    /// The last frame brought the cursor's token into view: the text begins at this line.
    Scrolled(usize),
}

/// What lies under the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A problem, by its number.
    Problem(usize),
    /// A cluster's row, and the policy's side, 0 the base.
    Cluster { row: usize, side: usize },
    /// A completion, by its place in the list.
    Completion(usize),
    /// The tab of a policy over the list of completions.
    Tab(usize),
    /// The text of a completion.
    Text,
    /// A token of it, by its place.
    Token(usize),
    /// The support panel.
    Support,
    /// The chart of pass@k.
    Chart,
    /// A chart of Curves, at a thousandth of its axis.
    Curve { tile: Tile, thousandth: u16 },
    /// A line of Suite, by its place.
    Entry(usize),
    /// A run, by its place in the list.
    Run(usize),
}
