//! The one table of actions, keys, contexts and words. Dispatch, help and footer read it.

use super::action::Action;
use super::key::Key::{self, *};

/// Where a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Explore,
    Completions,
    /// Every screen.
    Screens,
    Help,
    /// A question is asked.
    Confirm,
    /// A filter is typed.
    Filter,
    /// Always, whatever is open.
    Always,
    Curves,
    Suite,
}

impl Context {
    /// Where a key is looked up, the first match wins.
    fn layers(self) -> &'static [Context] {
        match self {
            Context::Explore => &[Context::Explore, Context::Screens, Context::Always],
            Context::Completions => &[Context::Completions, Context::Screens, Context::Always],
            Context::Curves => &[Context::Curves, Context::Screens, Context::Always],
            Context::Suite => &[Context::Suite, Context::Screens, Context::Always],
            Context::Help => &[Context::Help, Context::Always],
            Context::Confirm => &[Context::Confirm, Context::Always],
            Context::Filter => &[Context::Filter, Context::Always],
            Context::Screens | Context::Always => &[Context::Always],
        }
    }

    /// The heading in help.
    pub fn title(self) -> &'static str {
        match self {
            Context::Explore => "Explore",
            Context::Completions => "Completions",
            Context::Screens => "Every screen",
            Context::Help => "Help",
            Context::Confirm => "A question",
            Context::Filter => "Filter",
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

/// What keys pressed one after the other come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Action(Action),
    /// They begin a longer sequence.
    Prefix,
    Nothing,
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
    bind(Context::Explore, Action::Next, &[&[Char(']')]], "", "the next problem, whatever pane is focused"),
    bind(Context::Explore, Action::Previous, &[&[Char('[')]], "", "the problem before"),
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
        "only problems with: lost, gained, preserved, undecided, format, or a text",
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
    bind(Context::Completions, Action::Next, &[&[Char(']')]], "next cluster", "the next cluster"),
    bind(Context::Completions, Action::Previous, &[&[Char('[')]], "", "the cluster before"),
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
        "curves of this problem, or of all problems",
    ),
    bind(Context::Screens, Action::Pause, &[&[Char(' ')]], "pause", "pause sampling, or go on"),
    bind(Context::Screens, Action::More, &[&[Char('+')], &[Char('=')]], "", "twice as many completions"),
    bind(Context::Screens, Action::Less, &[&[Char('-')]], "", "half as many completions"),
    bind(Context::Screens, Action::Restart, &[&[Char('r')]], "", "start again with the next seed"),
    bind(
        Context::Screens,
        Action::Copy,
        &[&[Char('y')]],
        "",
        "copy the completion or the statement (OSC 52, over ssh too)",
    ),
    bind(Context::Screens, Action::Theme, &[&[Char('t')]], "", "dark or light ground"),
    bind(
        Context::Screens,
        Action::Mouse,
        &[&[Char('m')]],
        "",
        "take the mouse, or leave it to the terminal's own selection",
    ),
    bind(
        Context::Screens,
        Action::Explain,
        &[&[Char('i')]],
        "explain",
        "every figure in view: what it is here, its formula and source",
    ),
    bind(Context::Screens, Action::Help, &[&[Char('?')]], "help", "this help"),
    bind(Context::Screens, Action::Quit, &[&[Char('q')]], "quit", "leave"),
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
        "judge the whole run by other rules of where an answer stands",
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
    bind(Context::Curves, Action::Next, &[&[Char(']')]], "", "the next problem"),
    bind(Context::Curves, Action::Previous, &[&[Char('[')]], "", "the problem before"),
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
        "the order of problems: as is, most lost, gained, changed, hardest",
    ),
    bind(
        Context::Suite,
        Action::Filter,
        &[&[Char('/')]],
        "filter",
        "only problems with: lost, gained, preserved, undecided, format, or a text",
    ),
    bind(Context::Suite, Action::Back, &[&[Esc]], "back", "drop the filter, then back to Explore"),
];

/// What `pressed` comes to in a context.
pub fn find(context: Context, pressed: &[Key]) -> Found {
    let sequences = || {
        context.layers().iter().flat_map(|layer| {
            let rows = TABLE.iter().filter(move |b| b.context == *layer);
            rows.flat_map(|b| b.keys.iter().map(move |keys| (*keys, b.action)))
        })
    };
    if let Some((_, action)) = sequences().find(|(keys, _)| *keys == pressed) {
        return Found::Action(action);
    }
    if sequences().any(|(keys, _)| keys.starts_with(pressed)) { Found::Prefix } else { Found::Nothing }
}

/// (keys, words) of the footer in a context, most important first.
pub fn footer(context: Context) -> Vec<(String, &'static str)> {
    let rows = context.layers().iter().flat_map(|layer| TABLE.iter().filter(move |b| b.context == *layer));
    rows.filter(|b| !b.brief.is_empty()).map(|b| (footer_keys(b), b.brief)).collect()
}

/// All keys of a binding, for help.
pub fn labels(binding: &Binding) -> String {
    binding.keys.iter().map(|keys| label(keys)).collect::<Vec<_>>().join("  ")
}

fn label(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect()
}

/// The first keys of a binding, with those of its opposite: `j/k`.
fn footer_keys(binding: &Binding) -> String {
    let first = label(binding.keys[0]);
    let opposite = match binding.action {
        Action::Down => Action::Up,
        Action::Next => Action::Previous,
        Action::NextFlip => Action::PreviousFlip,
        Action::CursorRight => Action::CursorLeft,
        Action::ZoomIn => Action::ZoomOut,
        _ => return first,
    };
    let other = TABLE.iter().find(|b| b.context == binding.context && b.action == opposite);
    other.map_or(first.clone(), |b| format!("{first}/{}", label(b.keys[0])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const CONTEXTS: [Context; 7] = [
        Context::Explore,
        Context::Completions,
        Context::Curves,
        Context::Suite,
        Context::Help,
        Context::Confirm,
        Context::Filter,
    ];

    #[test]
    fn no_two_bindings_share_keys_where_both_hold() {
        for context in CONTEXTS {
            let mut seen = HashSet::new();
            for b in TABLE.iter().filter(|b| context.layers().contains(&b.context)) {
                for keys in b.keys {
                    assert!(seen.insert(*keys), "{context:?}: {keys:?} is bound twice");
                    let hidden = seen.iter().find(|s| s.len() < keys.len() && keys.starts_with(s));
                    assert_eq!(hidden, None, "{context:?}: {keys:?} can never be completed");
                }
            }
        }
    }

    #[test]
    fn every_binding_is_found_by_its_keys_and_has_words() {
        for b in TABLE {
            let context = match b.context {
                Context::Screens | Context::Always => Context::Explore,
                other => other,
            };
            for keys in b.keys {
                assert_eq!(find(context, keys), Found::Action(b.action), "{keys:?}");
                for n in 1..keys.len() {
                    assert_eq!(find(context, &keys[..n]), Found::Prefix);
                }
            }
            assert!(!b.words.is_empty() && !labels(b).is_empty());
        }
        assert_eq!(find(Context::Filter, &[Char('q')]), Found::Nothing);
    }

    #[test]
    fn one_can_always_leave_and_find_help() {
        for context in CONTEXTS {
            assert_eq!(find(context, &[Ctrl('c')]), Found::Action(Action::Quit));
        }
        for context in [Context::Explore, Context::Completions, Context::Curves, Context::Suite] {
            let words: Vec<&str> = footer(context).into_iter().map(|(_, words)| words).collect();
            assert!(words.contains(&"help") && words.contains(&"quit"), "{words:?}");
        }
        assert_eq!(footer(Context::Explore)[0], ("j/k".to_owned(), "problem"));
    }
}
