//! What a user can ask for.

/// What a user can ask for; how, is in [`keymap`](super::keymap).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PreviousPane,
    /// The problem after this one, or the cluster after this one where one is open.
    Next,
    Previous,
    NextFlip,
    PreviousFlip,
    Open,
    Back,
    Unit,
    Criterion,
    Sound,
    Scope,
    Filter,
    Pause,
    More,
    Less,
    Restart,
    Copy,
    Theme,
    Mouse,
    Help,
    Quit,
    Suspend,
    /// Yes to a question; done with what is typed.
    Accept,
    /// No to a question; what is typed is thrown away.
    Cancel,
    /// Takes back the last character typed.
    Erase,
    Runs,
    Rename,
    Delete,
}
