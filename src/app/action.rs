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
    Log,
    /// The settings of the policies side by side.
    Parity,
    Palette,
    TourNext,
    TourBack,
    TourLeave,
    Help,
    Quit,
    Suspend,
    /// Yes to a question; done with what is typed.
    Accept,
    /// No to a question; what is typed is thrown away.
    Cancel,
    /// Takes back the last character typed.
    Erase,
    /// The Training screen.
    Training,
    /// The RLVR column shows the next policy: the next checkpoint of a timeline.
    NextPolicy,
    PreviousPolicy,
    /// A knob one rung up, or the slider a step on.
    TurnUp,
    TurnDown,
    Preset,
    /// Begin a pull from the base.
    Pull,
    /// The next pull begins where the slider stands.
    Fork,
    StopPull,
    /// The knobs hold in the pull that runs.
    Apply,
    /// The weights where the slider stands become a policy.
    Keep,
    /// They are written as a folder.
    Save,
    /// The next charts.
    Charts,
    /// The embedded checkpoints become policies.
    Checkpoints,
    ToExplore,
    ToCompletions,
    ToCurves,
    ToSuite,
    /// What the figures in view mean.
    Explain,
    /// The whole run judged by other rules.
    Regrade,
    CursorLeft,
    CursorRight,
    ZoomIn,
    ZoomOut,
    Sort,
    Runs,
    Rename,
    Delete,
    /// What the colours of a completion's tokens say.
    Heat,
    /// The next token at which the model was unsure.
    NextFork,
    PreviousFork,
    /// Continuations from the cursor's token on, under both policies.
    Branch,
    /// Continuations of words that are typed.
    Force,
    /// Two completions word by word.
    Diff,
    /// Both policies' clusters side by side, or over each other.
    Layout,
    /// A continuation in full, in the place of the completion.
    NextContinuation,
    PreviousContinuation,
}
