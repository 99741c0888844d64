//! Keys, as far as the key map knows them.

use std::fmt;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Char(char),
    Ctrl(char),
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
}

impl Key {
    /// The keys that have names, as the configuration writes them.
    pub const NAMED: [(&'static str, Key); 14] = [
        ("space", Key::Char(' ')),
        ("up", Key::Up),
        ("down", Key::Down),
        ("left", Key::Left),
        ("right", Key::Right),
        ("page-up", Key::PageUp),
        ("page-down", Key::PageDown),
        ("home", Key::Home),
        ("end", Key::End),
        ("enter", Key::Enter),
        ("esc", Key::Esc),
        ("tab", Key::Tab),
        ("shift-tab", Key::BackTab),
        ("backspace", Key::Backspace),
    ];

    /// The name in the configuration: `x`, `ctrl-x`, `page-down`.
    pub fn name(&self) -> String {
        match (Key::NAMED.iter().find(|(_, key)| key == self), self) {
            (Some((name, _)), _) => (*name).to_owned(),
            (None, Key::Ctrl(c)) => format!("ctrl-{c}"),
            (None, key) => key.to_string(),
        }
    }

    /// The key of a name.
    pub fn named(name: &str) -> Option<Key> {
        let one = |text: &str| {
            let mut chars = text.chars();
            chars.next().filter(|c| chars.next().is_none() && !c.is_control())
        };
        let named = Key::NAMED.iter().find(|(n, _)| *n == name).map(|(_, key)| *key);
        let ctrl = || name.strip_prefix("ctrl-").and_then(one).map(Key::Ctrl);
        named.or_else(ctrl).or_else(|| one(name).map(Key::Char))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Char(' ') => f.write_str("space"),
            Key::Char(c) => write!(f, "{c}"),
            Key::Ctrl(c) => write!(f, "ctrl-{c}"),
            Key::Up => f.write_str("↑"),
            Key::Down => f.write_str("↓"),
            Key::Left => f.write_str("←"),
            Key::Right => f.write_str("→"),
            Key::PageUp => f.write_str("pgup"),
            Key::PageDown => f.write_str("pgdn"),
            Key::Home => f.write_str("home"),
            Key::End => f.write_str("end"),
            Key::Enter => f.write_str("enter"),
            Key::Esc => f.write_str("esc"),
            Key::Tab => f.write_str("tab"),
            Key::BackTab => f.write_str("shift-tab"),
            Key::Backspace => f.write_str("backspace"),
        }
    }
}
