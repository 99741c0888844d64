//! Help: every key from the one table, and the words of the screens.

use crate::app::State;
use crate::app::bindings::labels;
use crate::app::keymap::Context;
use crate::app::state::Screen;
use crate::ui::canvas::{inset, put, row};
use crate::ui::layout::middle;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// The marks and figures of the screens.
const WORDS: &[(&str, &str)] = &[
    ("P preserved", "in the support of both policies"),
    ("E gained", "in the RLVR policy's only (expanded)"),
    ("S lost", "in the base's only (shrunk)"),
    ("O neither", "out of support under both"),
    ("✓ ✗ · ≈", "correct, wrong, not seen, correct by steps that do not derive it"),
    ("p < ε", "not seen in k draws: below ε = −ln 0.05 / k with 95 % confidence"),
    ("SRR", "P/(P+S), how much of the base's support is kept"),
    ("NDR", "E/(P+E), how much of the RLVR policy's support is new"),
    ("SDS", "harmonic mean of SRR and NDR"),
    ("NSCR", "(E−S)/(P+E+S), the net change of support"),
    ("–", "undefined, or not known yet"),
    ("pass@k", "that at least one of k draws is correct: unbiased, with 95 % intervals"),
    ("token", "mean entropy of the next-token distribution, nats"),
    ("answer", "entropy of the answers drawn, nats"),
];

/// Draws help over a screen from line `at` on; returns the lines that do not fit.
pub fn draw(state: &State, at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) -> usize {
    let area = middle(area, 96, area.height.saturating_sub(2));
    Clear.render(area, buf);
    let title = [(" Help ", theme.style(Role::Title))];
    let inner = inset(frame(buf, area, theme, true, &title, " esc closes "), 1, 1);
    let lines = lines(state, usize::from(inner.width));
    let overflow = lines.len().saturating_sub(usize::from(inner.height));
    let shown = lines.iter().skip(at.min(overflow)).take(usize::from(inner.height));
    for (y, (left, right, role)) in shown.enumerate() {
        let line = row(inner, y as u16);
        put(buf, line, 0, 0, left, theme.style(*role));
        put(buf, line, LEFT as u16, 0, right, theme.style(Role::Text));
    }
    if overflow > 0 {
        let words = format!(" {} more lines ", overflow - at.min(overflow));
        put(buf, area, 2, area.height - 1, &words, theme.style(Role::Muted));
    }
    overflow
}

/// Columns of the keys.
const LEFT: usize = 18;

fn lines(state: &State, width: usize) -> Vec<(String, String, Role)> {
    let mut out = Vec::new();
    let heading = |out: &mut Vec<_>, words: &str| {
        if !out.is_empty() {
            out.push((String::new(), String::new(), Role::Text));
        }
        out.push((words.to_owned(), String::new(), Role::Title));
    };
    if !state.progress.failures.is_empty() {
        heading(&mut out, "Failed");
        for words in &state.progress.failures {
            entry(&mut out, "✗", words, Role::Lost, width);
        }
    }
    let first = match state.screen {
        Screen::Explore => Context::Explore,
        Screen::Completions => Context::Completions,
        Screen::Curves => Context::Curves,
        Screen::Suite => Context::Suite,
        Screen::Training => Context::Training,
        Screen::Runs => Context::Runs,
    };
    let others = [
        Context::Explore,
        Context::Completions,
        Context::Curves,
        Context::Suite,
        Context::Training,
        Context::Runs,
    ];
    let others = others.into_iter().filter(|c| *c != first);
    let rest = [
        Context::Always,
        Context::Tour,
        Context::Palette,
        Context::Filter,
        Context::Name,
        Context::Words,
        Context::Log,
        Context::Confirm,
        Context::Help,
    ];
    for context in [first, Context::Screens].into_iter().chain(others).chain(rest) {
        heading(&mut out, context.title());
        for (binding, keys) in state.bindings.of(context) {
            entry(&mut out, &labels(keys), binding.words, Role::Accent, width);
        }
    }
    heading(&mut out, "Words");
    for (word, meaning) in WORDS {
        entry(&mut out, word, meaning, Role::Accent, width);
    }
    out
}

fn entry(out: &mut Vec<(String, String, Role)>, left: &str, words: &str, role: Role, width: usize) {
    for (i, line) in text::wrap(words, width.saturating_sub(LEFT)).into_iter().enumerate() {
        let left = if i == 0 { text::fit(left, LEFT - 1) } else { String::new() };
        out.push((left, words[line].to_owned(), role));
    }
}
