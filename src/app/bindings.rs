//! The key map's table with the keys that the user has chosen.

use super::action::Action;
use super::key::Key;
use super::keymap::{Binding, Context, TABLE};

/// The keys of each row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bindings {
    keys: Vec<Vec<Vec<Key>>>,
}

/// What keys pressed one after the other come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Action(Action),
    /// They begin a longer sequence.
    Prefix,
    Nothing,
}

/// Why keys cannot be bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    #[error("there is no context `{0}`; the contexts are {1}")]
    Context(String, String),
    #[error("there is no action `{action}` in `{context}`; the actions there are {known}")]
    Action { action: String, context: String, known: String },
    #[error(
        "`{0}` is no key: write a character, ctrl-c, or one of {1}; a space parts the keys of a sequence"
    )]
    Key(String, String),
    #[error("`{keys}` is bound to `{first}` and to `{second}`, which hold at the same time")]
    Double { keys: String, first: String, second: String },
    #[error("`{keys}` can never be completed: its beginning is bound to `{hidden}`")]
    Hidden { keys: String, hidden: String },
}

impl Default for Bindings {
    fn default() -> Self {
        let row = |b: &Binding| b.keys.iter().map(|keys| keys.to_vec()).collect();
        Self { keys: TABLE.iter().map(row).collect() }
    }
}

impl Bindings {
    /// What `pressed` comes to in a context.
    pub fn find(&self, context: Context, pressed: &[Key]) -> Found {
        let mut found = Found::Nothing;
        for layer in context.layers() {
            for (binding, keys) in self.of(*layer) {
                if keys.iter().any(|k| k == pressed) {
                    return Found::Action(binding.action);
                }
                if keys.iter().any(|k| k.starts_with(pressed)) {
                    found = Found::Prefix;
                }
            }
        }
        found
    }

    /// The rows of a context with their keys, in the table's order.
    pub fn of(&self, context: Context) -> impl Iterator<Item = (&'static Binding, &[Vec<Key>])> {
        let rows = TABLE.iter().zip(&self.keys).filter(move |(b, _)| b.context == context);
        rows.map(|(b, keys)| (b, keys.as_slice()))
    }

    /// (keys, words) of the footer in a context, most important first.
    pub fn footer(&self, context: Context) -> Vec<(String, &'static str)> {
        let rows = context.layers().iter().flat_map(|layer| self.of(*layer));
        let shown = rows.filter(|(b, keys)| !b.brief.is_empty() && !keys.is_empty());
        shown.map(|(b, keys)| (self.brief(b, keys), b.brief)).collect()
    }

    /// Everything that can be done in a context, with its keys.
    pub fn actions(&self, context: Context) -> impl Iterator<Item = (&'static Binding, String)> {
        let rows = context.layers().iter().flat_map(|layer| self.of(*layer));
        rows.map(|(b, keys)| (b, labels(keys)))
    }

    /// Gives a row other keys; an empty list takes them away.
    ///
    /// # Errors
    /// A context or an action that does not exist. Whether keys collide is said by
    /// [`Bindings::check`], once all are set.
    pub fn set(&mut self, context: &str, action: &str, keys: Vec<Vec<Key>>) -> Result<(), BindingError> {
        let contexts = contexts();
        if !contexts.contains(&context.to_owned()) {
            return Err(BindingError::Context(context.to_owned(), contexts.join(", ")));
        }
        let in_context = || TABLE.iter().enumerate().filter(|(_, b)| kebab(b.context) == context);
        match in_context().find(|(_, b)| kebab(b.action) == action) {
            Some((at, _)) => {
                self.keys[at] = keys;
                Ok(())
            }
            None => Err(BindingError::Action {
                action: action.to_owned(),
                context: context.to_owned(),
                known: in_context().map(|(_, b)| kebab(b.action)).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// # Errors
    /// The first two bindings that collide: keys of one that are keys of the other, or its
    /// beginning, where both hold.
    pub fn check(&self) -> Result<(), BindingError> {
        for context in TABLE.iter().map(|b| b.context) {
            let mut seen: Vec<(&[Key], Action)> = Vec::new();
            for (binding, keys) in context.layers().iter().flat_map(|layer| self.of(*layer)) {
                for keys in keys {
                    if let Some((_, first)) = seen.iter().find(|(k, _)| k == keys) {
                        let (first, second) = (kebab(first), kebab(binding.action));
                        return Err(BindingError::Double { keys: text(keys), first, second });
                    }
                    let covers = |(k, _): &&(&[Key], Action)| keys.starts_with(k) || k.starts_with(keys);
                    if let Some((other, action)) = seen.iter().find(covers) {
                        let (long, hidden) = match other.len() < keys.len() {
                            true => (keys.as_slice(), *action),
                            false => (*other, binding.action),
                        };
                        return Err(BindingError::Hidden { keys: text(long), hidden: kebab(hidden) });
                    }
                    seen.push((keys, binding.action));
                }
            }
        }
        Ok(())
    }

    /// The first keys of a binding, with those of its opposite: `j/k`.
    fn brief(&self, binding: &Binding, keys: &[Vec<Key>]) -> String {
        let first = label(&keys[0]);
        let opposite = match binding.action {
            Action::Down => Action::Up,
            Action::Next => Action::Previous,
            Action::NextFlip => Action::PreviousFlip,
            Action::TurnUp => Action::TurnDown,
            Action::CursorRight => Action::CursorLeft,
            Action::ZoomIn => Action::ZoomOut,
            Action::NextFork => Action::PreviousFork,
            _ => return first,
        };
        let other = self.of(binding.context).find(|(b, keys)| b.action == opposite && !keys.is_empty());
        other.map_or(first.clone(), |(_, keys)| format!("{first}/{}", label(&keys[0])))
    }
}

/// All keys of a binding, for help.
pub fn labels(keys: &[Vec<Key>]) -> String {
    keys.iter().map(|keys| label(keys)).collect::<Vec<_>>().join("  ")
}

fn label(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect()
}

/// A sequence as the configuration writes it: `g g`.
pub fn text(keys: &[Key]) -> String {
    keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ")
}

/// The reverse of [`text`].
///
/// # Errors
/// A word that is no key.
pub fn parse(text: &str) -> Result<Vec<Key>, BindingError> {
    let key = |word: &str| {
        Key::named(word)
            .ok_or_else(|| BindingError::Key(word.to_owned(), Key::NAMED.map(|(n, _)| n).join(", ")))
    };
    text.split_whitespace().map(key).collect()
}

/// The contexts that have rows, as the configuration names them, in the table's order.
pub fn contexts() -> Vec<String> {
    let mut names: Vec<String> = TABLE.iter().map(|b| kebab(b.context)).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// `NextFlip` as the configuration writes it: `next-flip`.
pub fn kebab(name: impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for c in format!("{name:?}").chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::key::Key::*;

    #[test]
    fn no_two_bindings_share_keys_where_both_hold() {
        assert_eq!(Bindings::default().check(), Ok(()));
    }

    #[test]
    fn every_binding_is_found_by_its_keys_and_has_words() {
        let bindings = Bindings::default();
        for b in TABLE {
            let context = match b.context {
                Context::Screens | Context::Always => Context::Explore,
                other => other,
            };
            for keys in b.keys {
                assert_eq!(bindings.find(context, keys), Found::Action(b.action), "{keys:?}");
                for n in 1..keys.len() {
                    assert_eq!(bindings.find(context, &keys[..n]), Found::Prefix);
                }
                assert_eq!(parse(&text(keys)).as_deref(), Ok(*keys));
            }
            assert!(!b.words.is_empty() && !b.keys.is_empty());
        }
        assert_eq!(bindings.find(Context::Filter, &[Char('q')]), Found::Nothing);
    }

    #[test]
    fn one_can_always_leave_and_find_help() {
        let bindings = Bindings::default();
        for context in TABLE.iter().map(|b| b.context) {
            assert_eq!(bindings.find(context, &[Ctrl('c')]), Found::Action(Action::Quit));
        }
        for context in [Context::Explore, Context::Completions] {
            let words: Vec<&str> = bindings.footer(context).into_iter().map(|(_, words)| words).collect();
            assert!(words.contains(&"help") && words.contains(&"quit"), "{words:?}");
        }
        assert_eq!(bindings.footer(Context::Explore)[0], ("j/k".to_owned(), "problem"));
    }

    #[test]
    fn a_user_has_other_keys() {
        let mut bindings = Bindings::default();
        bindings.set("explore", "next-flip", vec![parse("g n").unwrap()]).unwrap();
        assert_eq!(bindings.check(), Ok(()));
        assert_eq!(bindings.find(Context::Explore, &[Char('n')]), Found::Nothing);
        let keys = [Char('g'), Char('n')];
        assert_eq!(bindings.find(Context::Explore, &keys), Found::Action(Action::NextFlip));
        let shown: Vec<String> = bindings.footer(Context::Explore).into_iter().map(|(k, _)| k).collect();
        assert!(shown.contains(&"gn/N".to_owned()), "{shown:?}");
    }

    #[test]
    fn what_cannot_be_bound_is_said() {
        let mut bindings = Bindings::default();
        let said = |r: Result<(), BindingError>| r.unwrap_err().to_string();
        assert!(said(bindings.set("screen", "quit", vec![])).contains("explore, completions"));
        assert!(said(bindings.set("screens", "fly", vec![])).contains("page-down, page-up"));
        assert!(parse("meta-x").unwrap_err().to_string().contains("backspace"));
        bindings.set("screens", "quit", vec![vec![Char('j')]]).unwrap();
        assert!(said(bindings.check()).contains("`j` is bound to `down` and to `quit`"));
        bindings.set("screens", "quit", vec![vec![Char('g')]]).unwrap();
        assert!(said(bindings.check()).contains("`g g` can never be completed"));
    }
}
