//! The last line: what the next key can do, what was just said, or what is being typed.

use crate::app::State;
use crate::app::state::Overlay;
use crate::ui::canvas::put;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

pub fn footer(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut x = 1;
    if let Some(Overlay::Filter { clusters, .. }) = state.overlay {
        let here = &state.figures.here;
        let (typed, found, of) = match clusters {
            true => (&state.explore.clusters, here.rows.len(), here.rows.len() + here.hidden),
            false => (&state.explore.filter, state.figures.shown.len(), state.problems.len()),
        };
        x = put(buf, area, x, 0, "filter /", theme.style(Role::Accent));
        x = put(buf, area, x, 0, typed, theme.style(Role::Title));
        x = put(buf, area, x, 0, "▏", theme.style(Role::Accent));
        let found = format!("  {found} of {of}");
        x = put(buf, area, x, 0, &found, theme.style(Role::Muted)) + 2;
    } else if let Some(Overlay::Rename(name)) = &state.overlay {
        x = put(buf, area, x, 0, "name ", theme.style(Role::Accent));
        x = put(buf, area, x, 0, &crate::completion::clean(name), theme.style(Role::Title));
        x = put(buf, area, x, 0, "▏", theme.style(Role::Accent)) + 2;
    } else if let Some(Overlay::Words(words)) = &state.overlay {
        x = put(buf, area, x, 0, "first words ", theme.style(Role::Accent));
        let typed = crate::completion::clean(&words.text).replace('\n', "↵");
        let room = usize::from(area.width.saturating_sub(x + 24));
        x = put(buf, area, x, 0, &text::tail(&typed, room), theme.style(Role::Title));
        x = put(buf, area, x, 0, "▏", theme.style(Role::Accent)) + 2;
    } else if let Some(words) = notice(state) {
        let well = state.progress.failures.is_empty() && state.recording.blocked.is_none();
        let role = if well { Role::Title } else { Role::Lost };
        let room = usize::from(area.width.saturating_sub(2));
        put(buf, area, x, 0, &text::fit(words, room), theme.style(role));
        return;
    }
    for (keys, words) in
        fitting(state.bindings.footer(state.context()), usize::from(area.width.saturating_sub(x)))
    {
        x = put(buf, area, x, 0, &keys, theme.style(Role::Accent).add_modifier(Modifier::BOLD)) + 1;
        x = put(buf, area, x, 0, words, theme.style(Role::Muted)) + 2;
    }
}

/// The user's last word, or the last failure while none of its keys hides it.
fn notice(state: &State) -> Option<&str> {
    let blocked = state.recording.blocked.as_deref();
    let failed = || state.progress.failures.last().map(String::as_str);
    state.notice.as_deref().or(blocked).or_else(failed)
}

/// As many hints as fit; the last two, help and quit, stay the longest.
fn fitting(mut hints: Vec<(String, &'static str)>, room: usize) -> Vec<(String, &'static str)> {
    let width = |hints: &[(String, &str)]| -> usize {
        hints.iter().map(|(k, w)| text::width(k) + text::width(w) + 3).sum()
    };
    while width(&hints) > room && !hints.is_empty() {
        let last = hints.len().saturating_sub(3).min(hints.len() - 1);
        hints.remove(last);
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Bindings;
    use crate::app::keymap::Context;

    #[test]
    fn help_and_quit_are_the_last_hints_to_go() {
        let hints = || Bindings::default().footer(Context::Explore);
        for room in 0..200 {
            let shown: Vec<&str> = fitting(hints(), room).into_iter().map(|(_, w)| w).collect();
            assert!(room < 20 || shown.ends_with(&["help", "quit"]), "{room}: {shown:?}");
        }
        assert_eq!(fitting(hints(), 200).len(), hints().len());
        assert!(fitting(hints(), 0).is_empty());
    }
}
