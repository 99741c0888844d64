//! What the user has set: theme, characters, mouse, motion, keys. Pure: text in, text out.
//!
//! ```toml
//! theme = "colour-blind"      # auto, dark, light, high-contrast, colour-blind
//! characters = "ascii"        # auto, unicode, ascii
//! mouse = false
//! reduced_motion = true
//!
//! [keys.screens]
//! quit = ["ctrl-q"]           # instead of the default; a space parts the keys of a sequence
//! ```
//!
//! The command line overrides this file, and this file the environment. A word that is not
//! known is an error with its line: a setting with a slip in its name must not be silently
//! the default.

use crate::app::bindings::{Bindings, contexts, kebab, parse, text};
use crate::app::keymap::TABLE;
use crate::ui::theme::Choice;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use toml::Spanned;

/// The settings that hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub theme: Choice,
    /// Only ASCII, or not; `None` leaves it to the locale.
    pub ascii: Option<bool>,
    pub mouse: bool,
    /// At most a frame a second while completions come in.
    pub reduced_motion: bool,
    pub bindings: Bindings,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}, line {line}: {reason}")]
pub struct ConfigError {
    pub origin: String,
    /// From 1.
    pub line: usize,
    pub reason: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            theme: Choice::Auto,
            ascii: None,
            mouse: true,
            reduced_motion: false,
            bindings: Bindings::default(),
        }
    }
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    theme: Option<Spanned<String>>,
    characters: Option<Spanned<String>>,
    mouse: Option<bool>,
    reduced_motion: Option<bool>,
    #[serde(default)]
    keys: BTreeMap<String, BTreeMap<String, Spanned<Vec<String>>>>,
}

impl Config {
    /// Reads the text of a configuration; `origin` is what an error calls it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn from_toml(source: &str, origin: &str) -> Result<Self, ConfigError> {
        let at = |offset: usize, reason: String| {
            let before = source.as_bytes().get(..offset).unwrap_or(source.as_bytes());
            let line = 1 + before.iter().filter(|b| **b == b'\n').count();
            ConfigError { origin: origin.to_owned(), line, reason }
        };
        let file: File = toml::from_str(source)
            .map_err(|e| at(e.span().map_or(0, |s| s.start), e.message().replace('\n', "; ")))?;
        let mut config = Config::default();
        if let Some(theme) = file.theme {
            let known = Choice::ALL.map(Choice::name).join(", ");
            let wrong = || at(theme.span().start, format!("no theme `{}`; write {known}", theme.get_ref()));
            config.theme = Choice::named(theme.get_ref()).ok_or_else(wrong)?;
        }
        if let Some(characters) = file.characters {
            config.ascii = match characters.get_ref().as_str() {
                "auto" => None,
                "unicode" => Some(false),
                "ascii" => Some(true),
                other => {
                    let reason = format!("no characters `{other}`; write auto, unicode or ascii");
                    return Err(at(characters.span().start, reason));
                }
            };
        }
        config.mouse = file.mouse.unwrap_or(config.mouse);
        config.reduced_motion = file.reduced_motion.unwrap_or(config.reduced_motion);
        for (context, actions) in &file.keys {
            for (action, keys) in actions {
                let offset = keys.span().start;
                let parsed: Result<Vec<_>, _> = keys.get_ref().iter().map(|k| parse(k)).collect();
                let keys = parsed.map_err(|e| at(offset, e.to_string()))?;
                config.bindings.set(context, action, keys).map_err(|e| at(offset, e.to_string()))?;
                // At once, for the line.
                config.bindings.check().map_err(|e| at(offset, e.to_string()))?;
            }
        }
        Ok(config)
    }

    /// The whole configuration as a text that [`Config::from_toml`] reads.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let characters = match self.ascii {
            None => "auto",
            Some(true) => "ascii",
            Some(false) => "unicode",
        };
        let themes = Choice::ALL.map(Choice::name).join(", ");
        let mut line = |text: std::fmt::Arguments<'_>| {
            let _ = writeln!(out, "{text}");
        };
        line(format_args!("theme = \"{}\" # {themes}", self.theme.name()));
        line(format_args!("characters = \"{characters}\" # auto, unicode, ascii"));
        line(format_args!("mouse = {}", self.mouse));
        line(format_args!("reduced_motion = {}", self.reduced_motion));
        for name in contexts() {
            line(format_args!("\n[keys.{name}]"));
            if let Some(context) = TABLE.iter().map(|b| b.context).find(|c| kebab(c) == name) {
                for (binding, keys) in self.bindings.of(context) {
                    let keys: Vec<String> = keys.iter().map(|k| format!("{:?}", text(k))).collect();
                    line(format_args!(
                        "{} = [{}] # {}",
                        kebab(binding.action),
                        keys.join(", "),
                        binding.words
                    ));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Action;
    use crate::app::bindings::Found;
    use crate::app::key::Key;
    use crate::app::keymap::Context;

    #[test]
    fn what_is_printed_is_read_as_it_was() {
        let default = Config::default();
        assert_eq!(Config::from_toml(&default.to_toml(), "c").as_ref(), Ok(&default));
        let text = "theme = 'light'\ncharacters = 'ascii'\nmouse = false\nreduced_motion = true\n\
                    [keys.screens]\nquit = ['Q', 'ctrl-q']\n[keys.explore]\nnext-flip = ['z n']\n";
        let config = Config::from_toml(text, "c").unwrap();
        assert_eq!(Config::from_toml(&config.to_toml(), "c").as_ref(), Ok(&config));
        assert_eq!((config.theme, config.ascii, config.mouse), (Choice::Light, Some(true), false));
        let found = |keys: &[Key]| config.bindings.find(Context::Explore, keys);
        assert_eq!(found(&[Key::Ctrl('q')]), Found::Action(Action::Quit));
        assert_eq!(found(&[Key::Char('z'), Key::Char('n')]), Found::Action(Action::NextFlip));
        assert_eq!(found(&[Key::Char('q')]), Found::Nothing);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, says) in [
            ("\nthemes = 'dark'", 2, "unknown field `themes`"),
            ("theme = 'blue'", 1, "high-contrast"),
            ("mouse = 3", 1, "boolean"),
            ("mouse = true\n\ncharacters = 'x'", 3, "unicode"),
            ("[keys.screens]\nfly = ['x']", 2, "no action `fly`"),
            ("[keys.screen]\nquit = ['x']", 2, "no context `screen`"),
            ("[keys.screens]\nquit = ['xy']", 2, "`xy` is no key"),
            ("[keys.screens]\n\nquit = ['j']", 3, "`j` is bound to `down` and to `quit`"),
            ("x = [", 1, ""),
        ] {
            let error = Config::from_toml(text, "config.toml").unwrap_err();
            let said = error.to_string();
            assert!(said.contains(says) && said.starts_with("config.toml, line "), "{text}: {said}");
            assert_eq!(error.line, line, "{text}: {said}");
        }
    }
}
