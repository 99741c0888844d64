//! Training: RLVR live, knob by knob and pull by pull.

mod charts;
mod pulls;

use crate::app::State;
use crate::app::state::training::{Pane, Pull, named};
use crate::train::knobs::{KNOBS, Knobs};
use crate::train::session::Ended;
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::layout::middle;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::{first_shown, footer, frame::frame};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    header(state, theme, row(area, 0), buf);
    footer::footer(state, theme, row(area, area.height.saturating_sub(1)), buf);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    let below = if body.height >= 34 { 11 } else { 6.min(body.height / 2) };
    let above = Rect { height: body.height - below, ..body };
    let below = Rect { y: above.y + above.height, height: below, ..body };
    let width = match area.width {
        120.. => 30,
        64.. => 25,
        _ => 0,
    };
    if width > 0 {
        knobs(state, theme, Rect { width, ..above }, buf);
    }
    charts::draw(state, theme, inset(above, width, 0), buf);
    // With little room the pane that keys go to is the one that is shown.
    if area.width >= 120 {
        let half = area.width * 3 / 5;
        pulls::draw(state, theme, Rect { width: half, ..below }, buf);
        knob(state, theme, inset(below, half, 0), buf);
    } else if state.training.pane == Pane::Knobs && !state.training.all {
        knob(state, theme, below, buf);
    } else {
        pulls::draw(state, theme, below, buf);
    }
    if state.training.pulls.is_empty() && state.timeline().is_empty() {
        invitation(theme, inset(above, width, 0), buf);
    }
}

/// What can be done before there is anything to show.
fn invitation(theme: &Theme, area: Rect, buf: &mut Buffer) {
    const LINES: [(&str, &str); 5] = [
        ("s", "pull: RLVR from the base, with the verdict as its only reward"),
        ("p", "another preset: as the paper, pull hard, loosen, sft"),
        ("h l", "turn the selected knob"),
        ("b", "the embedded checkpoints as a timeline: [ and ] go through it"),
        ("esc", "back to Explore"),
    ];
    let area = middle(area, 72, LINES.len() as u16 + 2);
    ratatui::widgets::Widget::render(ratatui::widgets::Clear, area, buf);
    let inner = frame(buf, area, theme, false, &[(" No pull yet ", theme.style(Role::Title))], "");
    for (y, (key, words)) in LINES.iter().enumerate() {
        let line = row(inner, y as u16);
        put(buf, line, 1, 0, key, theme.style(Role::Accent));
        put(
            buf,
            line,
            6,
            0,
            &text::fit(words, usize::from(line.width.saturating_sub(7))),
            theme.style(Role::Text),
        );
    }
}

/// Base, pull, step, pace.
fn header(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let training = &state.training;
    let shown = training.running().or(training.pull());
    let (right, role) = match shown {
        None => ("no pull yet".to_owned(), Role::Muted),
        Some(pull) => pace(pull, training.paused),
    };
    let right = text::fit(&right, usize::from(area.width / 2));
    put_right(buf, area, area.width.saturating_sub(1), 0, &right, theme.style(role));
    let room = usize::from(area.width).saturating_sub(text::width(&right) + 3);
    let base = state.policies.first().map_or("", |p| p.spec.as_str());
    let mut parts = vec![("leash", Role::Accent), ("Training", Role::Title)];
    let from = format!("from {base}");
    let words = shown.map(|p| format!("pull {} {}", p.id, p.name)).unwrap_or_default();
    parts.extend([(from.as_str(), Role::Base), (words.as_str(), Role::Rlvr)]);
    let mut x = 1;
    for (words, role) in parts.into_iter().filter(|(w, _)| !w.is_empty()) {
        let left = room.saturating_sub(usize::from(x));
        if left < 8 {
            break;
        }
        x = put(buf, area, x, 0, &text::fit(words, left), theme.style(role)) + 3;
    }
}

/// How a pull goes, in words.
fn pace(pull: &Pull, paused: bool) -> (String, Role) {
    let step = pull.stepped.last().map_or(pull.from.map_or(0, |f| f.1), |s| s.step);
    match &pull.ended {
        Some((step, Ended::Finished)) => (format!("done at step {step} ✓"), Role::Correct),
        Some((step, Ended::Stopped)) => (format!("stopped at step {step} ■"), Role::Muted),
        Some((step, Ended::Failed(_))) => (format!("failed at step {step} ✗"), Role::Lost),
        None if paused => (format!("paused at step {step}/{} ■", pull.last), Role::Muted),
        None if pull.stepped.is_empty() => ("asking the base first ▶".to_owned(), Role::Accent),
        None => {
            let rate = text::rate(pull.tokens_per_second);
            let words =
                format!("step {step}/{}   {rate} tok/s   {} left ▶", pull.last, time(pull.seconds_left));
            (words, Role::Accent)
        }
    }
}

/// Minutes and seconds.
fn time(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return text::NONE.to_owned();
    }
    let whole = seconds.round() as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

/// Every knob with its value; those that differ from the recipe stand out.
fn knobs(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let training = &state.training;
    let focused = training.pane == Pane::Knobs;
    let title =
        format!(" {} ", text::fit(&named(&training.knobs), usize::from(area.width.saturating_sub(6))));
    let inner = frame(buf, area, theme, focused, &[(&title, theme.style(Role::Title))], "");
    let defaults = Knobs::default();
    let last = format!(" {} steps, seed {} ", training.steps, training.seed);
    if area.height > 1 {
        put(buf, row(area, area.height - 1), 2, 0, &last, theme.style(Role::Muted));
    }
    let height = usize::from(inner.height);
    let first = first_shown(training.knob, KNOBS.len(), height);
    for (y, (at, knob)) in KNOBS.iter().enumerate().skip(first).take(height).enumerate() {
        let line = row(inner, y as u16);
        let selected = at == training.knob;
        if selected {
            buf.set_style(line, theme.selection());
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        put(buf, line, 1, 0, knob.name, theme.style(if selected { Role::Title } else { Role::Text }));
        let value = knob.value(&training.knobs);
        let role = if value == knob.value(&defaults) { Role::Muted } else { Role::Rlvr };
        put_right(buf, line, line.width.saturating_sub(1), 0, &value, theme.style(role));
    }
}

/// What the selected knob is, where it comes from, and what to expect.
fn knob(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let knob = state.training.selected();
    let title = format!(" {} ", knob.name);
    let range = format!(" {} ", knob.range());
    let inner = frame(buf, area, theme, false, &[(&title, theme.style(Role::Title))], &range);
    let inner = inset(inner, 1, 1);
    let parts = [(knob.what, Role::Text), (knob.expect, Role::Accent), (knob.source, Role::Muted)];
    let mut y = 0;
    for (words, role) in parts {
        for line in text::wrap(words, usize::from(inner.width)) {
            put(buf, row(inner, y), 0, 0, &words[line], theme.style(role));
            y += 1;
        }
    }
}
