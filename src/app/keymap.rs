//! The one table of actions, keys, contexts and words. Dispatch, help, footer, the palette
//! and the configuration read it, through [`Bindings`](super::Bindings).

use super::action::Action;
use super::key::Key::{self, *};

/// Where a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Explore,
    Completions,
    Training,
    /// Every screen.
    Screens,
    Help,
    /// A question is asked.
    Confirm,
    /// A filter is typed.
    Filter,
    /// An action is looked for by its words.
    Palette,
    /// The log is open.
    Log,
    /// Over every screen while the guided tour lasts.
    Tour,
    /// Always, whatever is open.
    Always,
    Curves,
    Suite,
}

impl Context {
    /// Where a key is looked up, the first match wins.
    pub(super) fn layers(self) -> &'static [Context] {
        match self {
            Context::Explore => &[Context::Explore, Context::Screens, Context::Always],
            Context::Completions => &[Context::Completions, Context::Screens, Context::Always],
            Context::Training => &[Context::Training, Context::Screens, Context::Always],
            Context::Curves => &[Context::Curves, Context::Screens, Context::Always],
            Context::Suite => &[Context::Suite, Context::Screens, Context::Always],
            Context::Help => &[Context::Help, Context::Always],
            Context::Confirm => &[Context::Confirm, Context::Always],
            Context::Filter => &[Context::Filter, Context::Always],
            Context::Palette => &[Context::Palette, Context::Always],
            Context::Log => &[Context::Log, Context::Always],
            Context::Tour => &[Context::Tour, Context::Always],
            Context::Screens | Context::Always => &[Context::Always],
        }
    }

    /// The heading in help.
    pub fn title(self) -> &'static str {
        match self {
            Context::Explore => "Explore",
            Context::Completions => "Completions",
            Context::Training => "Training",
            Context::Screens => "Every screen",
            Context::Help => "Help",
            Context::Confirm => "A question",
            Context::Filter => "Filter",
            Context::Palette => "Palette",
            Context::Log => "Log",
            Context::Tour => "Tour",
            Context::Always => "Always",
            Context::Curves => "Curves",
            Context::Suite => "Suite",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct Binding {
    pub action: Action,
    /// Each is a sequence of keys.
    pub keys: &'static [&'static [Key]],
    pub context: Context,
    /// A line for help.
    pub words: &'static str,
    /// A word for the footer; empty if it does not stand there.
    pub brief: &'static str,
}

const fn bind(
    context: Context,
    action: Action,
    keys: &'static [&'static [Key]],
    brief: &'static str,
    words: &'static str,
) -> Binding {
    Binding { action, keys, context, words, brief }
}

/// Every binding, in the order of help and footer.
pub const TABLE: &[Binding] = &[
    bind(
        Context::Explore,
        Action::Down,
        &[&[Char('j')], &[Down]],
        "problem",
        "the row below in the focused pane: problem or cluster",
    ),
    bind(Context::Explore, Action::Up, &[&[Char('k')], &[Up]], "", "the row above"),
    bind(
        Context::Explore,
        Action::NextPane,
        &[&[Tab], &[Char('l')], &[Right]],
        "pane",
        "the next pane: problems, base, RLVR",
    ),
    bind(Context::Explore, Action::PreviousPane, &[&[BackTab], &[Char('h')], &[Left]], "", "the pane before"),
    bind(
        Context::Explore,
        Action::Open,
        &[&[Enter]],
        "open",
        "open the selected cluster: its completions in full",
    ),
    bind(Context::Explore, Action::Next, &[&[Char('}')]], "", "the next problem, whatever pane is focused"),
    bind(Context::Explore, Action::Previous, &[&[Char('{')]], "", "the problem before"),
    bind(
        Context::Explore,
        Action::NextFlip,
        &[&[Char('n')]],
        "next flip",
        "the next problem on which something was lost or gained",
    ),
    bind(Context::Explore, Action::PreviousFlip, &[&[Char('N')]], "", "the flip before"),
    bind(
        Context::Explore,
        Action::Filter,
        &[&[Char('/')]],
        "filter",
        "show only problems with these words: lost, gained, preserved, undecided, format, or any text",
    ),
    bind(
        Context::Explore,
        Action::Back,
        &[&[Esc]],
        "",
        "drop the filter, then go back to the list of problems",
    ),
    bind(
        Context::Completions,
        Action::Down,
        &[&[Char('j')], &[Down]],
        "completion",
        "the next completion, or a line down in the text",
    ),
    bind(Context::Completions, Action::Up, &[&[Char('k')], &[Up]], "", "the completion before, or a line up"),
    bind(
        Context::Completions,
        Action::NextPane,
        &[&[Tab], &[Char('l')], &[Right]],
        "pane",
        "the next pane: base, RLVR, text",
    ),
    bind(
        Context::Completions,
        Action::PreviousPane,
        &[&[BackTab], &[Char('h')], &[Left]],
        "",
        "the pane before",
    ),
    bind(Context::Completions, Action::Open, &[&[Enter]], "read", "go to the text"),
    bind(Context::Completions, Action::Next, &[&[Char('}')]], "next cluster", "the next cluster"),
    bind(Context::Completions, Action::Previous, &[&[Char('{')]], "", "the cluster before"),
    bind(Context::Completions, Action::Back, &[&[Esc]], "back", "back to Explore"),
    bind(Context::Screens, Action::PageDown, &[&[PageDown], &[Ctrl('d')]], "", "ten rows down"),
    bind(Context::Screens, Action::PageUp, &[&[PageUp], &[Ctrl('u')]], "", "ten rows up"),
    bind(Context::Screens, Action::First, &[&[Char('g'), Char('g')], &[Home]], "", "the first row"),
    bind(Context::Screens, Action::Last, &[&[Char('G')], &[End]], "", "the last row"),
    bind(
        Context::Screens,
        Action::Unit,
        &[&[Char('u')]],
        "unit",
        "what is counted: problem, answer, method, completion",
    ),
    bind(
        Context::Screens,
        Action::Criterion,
        &[&[Char('e')]],
        "",
        "when it counts as in support: found once, or p̂ above ε",
    ),
    bind(
        Context::Screens,
        Action::Sound,
        &[&[Char('o')], &[Char('S')]],
        "",
        "count only solutions whose steps derive the answer, or all correct ones",
    ),
    bind(
        Context::Screens,
        Action::Scope,
        &[&[Char('a')]],
        "this/all",
        "curves of this problem, or of all problems; on Training of one pull, or of all pulls",
    ),
    bind(
        Context::Screens,
        Action::Pause,
        &[&[Char(' ')]],
        "pause",
        "pause sampling, or go on; on Training the pull",
    ),
    bind(
        Context::Screens,
        Action::More,
        &[&[Char('+')], &[Char('=')]],
        "",
        "twice as many completions; on Training more steps",
    ),
    bind(
        Context::Screens,
        Action::Less,
        &[&[Char('-')]],
        "",
        "half as many completions; on Training fewer steps",
    ),
    bind(
        Context::Screens,
        Action::Restart,
        &[&[Char('r')]],
        "",
        "start again with the next seed; on Training the next seed",
    ),
    bind(
        Context::Screens,
        Action::Copy,
        &[&[Char('y')]],
        "",
        "copy the completion or the statement (OSC 52, over ssh too)",
    ),
    bind(
        Context::Screens,
        Action::Theme,
        &[&[Char('T')]],
        "",
        "the next theme: other ground, high contrast, colour-blind safe",
    ),
    bind(
        Context::Screens,
        Action::Mouse,
        &[&[Char('m')]],
        "",
        "take the mouse, or leave it to the terminal's own selection",
    ),
    bind(
        Context::Screens,
        Action::Training,
        &[&[Char('t')], &[Char('5')]],
        "training",
        "the Training screen: RLVR live, from the base on",
    ),
    bind(
        Context::Screens,
        Action::NextPolicy,
        &[&[Char(']')]],
        "",
        "the next RLVR policy in the RLVR column: the next checkpoint of a timeline",
    ),
    bind(Context::Screens, Action::PreviousPolicy, &[&[Char('[')]], "", "the RLVR policy before"),
    bind(Context::Screens, Action::Log, &[&[Char('L')]], "", "what was said and what failed, in full"),
    bind(
        Context::Screens,
        Action::Parity,
        &[&[Char('P')]],
        "",
        "the settings of both policies side by side, what differs marked",
    ),
    bind(Context::Screens, Action::Palette, &[&[Char(':')]], "actions", "every action, found by its words"),
    bind(
        Context::Screens,
        Action::Explain,
        &[&[Char('i')]],
        "explain",
        "every figure in view: what it is here, its formula and source",
    ),
    bind(Context::Screens, Action::Help, &[&[Char('?')]], "help", "this help"),
    bind(Context::Screens, Action::Quit, &[&[Char('q')]], "quit", "leave"),
    bind(
        Context::Training,
        Action::Pull,
        &[&[Char('s')]],
        "pull",
        "start a pull from the base with these knobs; one that runs is stopped",
    ),
    bind(Context::Training, Action::Preset, &[&[Char('p')]], "preset", "the next preset of knobs"),
    bind(Context::Training, Action::Down, &[&[Char('j')], &[Down]], "row", "the knob or the pull below"),
    bind(Context::Training, Action::Up, &[&[Char('k')], &[Up]], "", "the knob or the pull above"),
    bind(
        Context::Training,
        Action::TurnUp,
        &[&[Char('l')], &[Right]],
        "turn",
        "the knob's next value, or the slider a step on",
    ),
    bind(
        Context::Training,
        Action::TurnDown,
        &[&[Char('h')], &[Left]],
        "",
        "the knob's value before, or the slider a step back",
    ),
    bind(Context::Training, Action::NextPane, &[&[Tab]], "pane", "knobs, or pulls with their slider"),
    bind(Context::Training, Action::PreviousPane, &[&[BackTab]], "", "the pane before"),
    bind(
        Context::Training,
        Action::Keep,
        &[&[Enter]],
        "keep",
        "keep the policy where the slider stands for all other screens",
    ),
    bind(Context::Training, Action::Fork, &[&[Char('f')]], "fork", "a new pull from where the slider stands"),
    bind(Context::Training, Action::StopPull, &[&[Char('x')]], "stop", "stop the pull that runs"),
    bind(
        Context::Training,
        Action::Apply,
        &[&[Char('A')]],
        "",
        "let these knobs hold in the pull that runs, from its next step on",
    ),
    bind(Context::Training, Action::Charts, &[&[Char('c')]], "charts", "the next charts"),
    bind(
        Context::Training,
        Action::Save,
        &[&[Char('w')]],
        "",
        "write the policy where the slider stands as a folder in Hugging Face layout",
    ),
    bind(
        Context::Training,
        Action::Checkpoints,
        &[&[Char('b')]],
        "",
        "bring all embedded checkpoints as policies: a timeline for [ and ]",
    ),
    bind(Context::Training, Action::Back, &[&[Esc]], "back", "back to Explore; the pull goes on"),
    bind(Context::Help, Action::Down, &[&[Char('j')], &[Down]], "scroll", "a line down"),
    bind(Context::Help, Action::Up, &[&[Char('k')], &[Up]], "", "a line up"),
    bind(Context::Help, Action::PageDown, &[&[PageDown], &[Char(' ')]], "", "ten lines down"),
    bind(Context::Help, Action::PageUp, &[&[PageUp]], "", "ten lines up"),
    bind(
        Context::Help,
        Action::Back,
        &[&[Esc], &[Char('?')], &[Char('q')], &[Enter]],
        "close",
        "close the help",
    ),
    bind(Context::Confirm, Action::Accept, &[&[Char('y')], &[Enter]], "yes", "yes"),
    bind(Context::Confirm, Action::Cancel, &[&[Char('n')], &[Esc], &[Char('q')]], "no", "no"),
    bind(Context::Filter, Action::Accept, &[&[Enter]], "keep", "keep the filter"),
    bind(Context::Filter, Action::Cancel, &[&[Esc]], "drop", "drop the filter"),
    bind(Context::Filter, Action::Erase, &[&[Backspace]], "", "take back a character"),
    bind(Context::Palette, Action::Accept, &[&[Enter]], "do it", "do what is selected"),
    bind(Context::Palette, Action::Cancel, &[&[Esc]], "close", "close the palette"),
    bind(Context::Palette, Action::Down, &[&[Down], &[Tab], &[Ctrl('n')]], "", "the action below"),
    bind(Context::Palette, Action::Up, &[&[Up], &[BackTab], &[Ctrl('p')]], "", "the action above"),
    bind(Context::Palette, Action::Erase, &[&[Backspace]], "", "take back a character"),
    bind(Context::Log, Action::Down, &[&[Char('j')], &[Down]], "scroll", "a line down"),
    bind(Context::Log, Action::Up, &[&[Char('k')], &[Up]], "", "a line up"),
    bind(Context::Log, Action::PageDown, &[&[PageDown], &[Char(' ')]], "", "ten lines down"),
    bind(Context::Log, Action::PageUp, &[&[PageUp]], "", "ten lines up"),
    bind(
        Context::Log,
        Action::Back,
        &[&[Esc], &[Char('L')], &[Char('q')], &[Enter]],
        "close",
        "close the log",
    ),
    bind(Context::Tour, Action::TourNext, &[&[Char(' ')]], "on", "the tour's next step"),
    bind(Context::Tour, Action::TourBack, &[&[Backspace]], "back", "the step before"),
    bind(Context::Tour, Action::TourLeave, &[&[Esc]], "leave", "leave the tour; everything goes on running"),
    bind(Context::Always, Action::Suspend, &[&[Ctrl('z')]], "", "to the shell, and back with fg"),
    bind(Context::Always, Action::Quit, &[&[Ctrl('c')]], "", "leave, whatever is open"),
    bind(
        Context::Screens,
        Action::ToExplore,
        &[&[Char('1')]],
        "",
        "Explore: one problem under both policies",
    ),
    bind(
        Context::Screens,
        Action::ToCompletions,
        &[&[Char('2')]],
        "",
        "Completions: the selected cluster, open",
    ),
    bind(
        Context::Screens,
        Action::ToCurves,
        &[&[Char('3')]],
        "",
        "Curves: pass@k, Cover@τ, coverage, entropy",
    ),
    bind(Context::Screens, Action::ToSuite, &[&[Char('4')]], "", "Suite: every problem and task as a table"),
    bind(
        Context::Screens,
        Action::Regrade,
        &[&[Char('R')]],
        "",
        "judge the whole run by other rules of where an answer stands: any, one alone, the task's own",
    ),
    bind(
        Context::Curves,
        Action::CursorRight,
        &[&[Char('l')], &[Right]],
        "crosshair",
        "the crosshair to the right, on every chart",
    ),
    bind(Context::Curves, Action::CursorLeft, &[&[Char('h')], &[Left]], "", "the crosshair to the left"),
    bind(Context::Curves, Action::NextPane, &[&[Tab], &[Char('j')], &[Down]], "chart", "the next chart"),
    bind(Context::Curves, Action::PreviousPane, &[&[BackTab], &[Char('k')], &[Up]], "", "the chart before"),
    bind(Context::Curves, Action::Open, &[&[Enter]], "maximise", "one chart alone, or all four"),
    bind(Context::Curves, Action::ZoomIn, &[&[Char('z')]], "zoom", "half of the axis, around the crosshair"),
    bind(Context::Curves, Action::ZoomOut, &[&[Char('Z')]], "", "twice as much of the axis"),
    bind(Context::Curves, Action::Next, &[&[Char('}')]], "", "the next problem"),
    bind(Context::Curves, Action::Previous, &[&[Char('{')]], "", "the problem before"),
    bind(
        Context::Curves,
        Action::Back,
        &[&[Esc]],
        "back",
        "drop the zoom, the crosshair, the maximised chart, then back to Explore",
    ),
    bind(Context::Suite, Action::Down, &[&[Char('j')], &[Down]], "row", "the row below"),
    bind(Context::Suite, Action::Up, &[&[Char('k')], &[Up]], "", "the row above"),
    bind(
        Context::Suite,
        Action::Open,
        &[&[Enter]],
        "open",
        "a problem: to Explore; a task: fold or unfold its problems",
    ),
    bind(
        Context::Suite,
        Action::Sort,
        &[&[Char('s')]],
        "sort",
        "the order of problems: as they stand, most lost, most gained, largest change, hardest",
    ),
    bind(
        Context::Suite,
        Action::Filter,
        &[&[Char('/')]],
        "filter",
        "only problems with these words: lost, gained, preserved, undecided, format, or any text",
    ),
    bind(Context::Suite, Action::Back, &[&[Esc]], "back", "drop the filter, then back to Explore"),
];
