//! What the state asks of the world.

use super::state::Named;
use super::study::Job;
use super::{branch, weigh};
use crate::run::{Item, Settings};
use crate::train::session::Order;
use std::path::PathBuf;

/// Something to be done outside; the event loop carries it out.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Draw what is asked for, and not what these say is there already.
    Begin(Vec<Item>),
    /// Draw this problem first.
    Focus(usize),
    Pause,
    Resume,
    SetK(u32),
    /// Begin again with nothing drawn, under the state's new generation.
    Restart(Settings),
    /// Put a text on the clipboard.
    Copy(String),
    /// Take the mouse, or leave it to the terminal's own selection.
    Mouse(bool),
    /// Stop the process until the shell continues it.
    Suspend,
    Quit,
    /// Tell the trainer something.
    Train(Order),
    /// Draw from the weights of a pull's step too, as a policy of this name.
    Keep {
        pull: u32,
        step: usize,
        name: String,
    },
    /// Write the weights of a pull's step as a folder.
    Save {
        pull: u32,
        step: usize,
    },
    /// Draw from these policies too.
    Adopt(Vec<Named>),
    /// Make a study, beside the screen.
    Study(Box<Job>),
    /// Say which runs the user has.
    ListRuns,
    /// Leave this run for another one.
    OpenRun(PathBuf),
    RenameRun {
        path: PathBuf,
        name: String,
    },
    DeleteRun(PathBuf),
    /// Score a completion under both policies, beside the screen.
    Weigh(Box<weigh::Job>),
    /// Draw continuations under both policies, beside the screen and the campaign.
    Branch(Box<branch::Job>),
    /// What was begun by [`Effect::Branch`] is not wanted any more.
    EndBranch,
}
