//! What the terminal can show: from the environment, and from what it answers.

use super::ask;
use crate::ui::View;
use crate::ui::theme::{Choice, Depth, Ground, Theme};

/// How to draw on this terminal, as far as the user has not chosen: `choice` of a theme,
/// `ascii` or not.
pub fn look(choice: Choice, ascii: Option<bool>) -> View {
    let env = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    from(choice, ascii, env, ask::ground)
}

fn from(
    choice: Choice,
    ascii: Option<bool>,
    env: impl Fn(&str) -> Option<String>,
    ask: impl FnOnce() -> Option<Ground>,
) -> View {
    let depth = depth(&env);
    let ask = || (depth != Depth::Mono).then(ask).flatten();
    let ground = choice.ground().or_else(|| said_ground(&env)).or_else(ask).unwrap_or_default();
    let theme = Theme { depth, ground, scheme: choice.scheme() };
    View::new(theme, ascii.unwrap_or_else(|| is_ascii(&env)))
}

fn depth(env: &impl Fn(&str) -> Option<String>) -> Depth {
    let term = env("TERM").unwrap_or_default();
    let color = env("COLORTERM").unwrap_or_default();
    if env("NO_COLOR").is_some() || matches!(term.as_str(), "dumb" | "vt100" | "vt220") {
        Depth::Mono
    } else if matches!(color.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::True
    } else if term.contains("256color") {
        Depth::Indexed
    } else {
        Depth::Sixteen
    }
}

/// By `COLORFGBG`, as set by many terminals: its last field is the background's number.
fn said_ground(env: &impl Fn(&str) -> Option<String>) -> Option<Ground> {
    match env("COLORFGBG")?.rsplit(';').next()?.parse::<u8>().ok()? {
        7 | 9..=15 => Some(Ground::Light),
        _ => Some(Ground::Dark),
    }
}

/// A locale that says it is not UTF-8. Where none is set the terminal most likely is.
fn is_ascii(env: &impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(env);
    locale.is_some_and(|l| !l.to_lowercase().replace('-', "").contains("utf8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(vars: &[(&str, &str)], ground: Option<Ground>) -> (Depth, Ground, bool) {
        let env = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let choice = match ground {
            None => Choice::Auto,
            Some(Ground::Dark) => Choice::Dark,
            Some(Ground::Light) => Choice::Light,
        };
        let view = from(choice, None, env, || None);
        (view.theme.depth, view.theme.ground, view.ascii)
    }

    #[test]
    fn the_environment_says_what_the_terminal_shows() {
        let xterm = ("TERM", "xterm-256color");
        assert_eq!(view(&[xterm], None), (Depth::Indexed, Ground::Dark, false));
        assert_eq!(view(&[xterm, ("COLORTERM", "truecolor")], None).0, Depth::True);
        assert_eq!(view(&[xterm, ("NO_COLOR", "1")], None).0, Depth::Mono);
        assert_eq!(view(&[("TERM", "xterm")], None).0, Depth::Sixteen);
        assert_eq!(view(&[("TERM", "dumb")], None).0, Depth::Mono);
        assert_eq!(view(&[("COLORFGBG", "0;15")], None).1, Ground::Light);
        assert_eq!(view(&[("COLORFGBG", "15;default;0")], None).1, Ground::Dark);
        assert_eq!(view(&[("COLORFGBG", "0;15")], Some(Ground::Dark)).1, Ground::Dark);
        let answered = |choice, vars: &[(&str, &str)]| {
            let env = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            from(choice, None, env, || Some(Ground::Light)).theme
        };
        assert_eq!(answered(Choice::Auto, &[xterm]).ground, Ground::Light);
        assert_eq!(answered(Choice::Auto, &[("COLORFGBG", "15;0")]).ground, Ground::Dark);
        assert_eq!(answered(Choice::Dark, &[xterm]).ground, Ground::Dark);
        let theme = answered(Choice::HighContrast, &[xterm]);
        assert_eq!((theme.ground, theme.scheme), (Ground::Light, Choice::HighContrast.scheme()));
        assert!(view(&[("LANG", "C")], None).2);
        assert!(!view(&[("LANG", "C"), ("LC_ALL", "en_GB.UTF-8")], None).2);
    }
}
