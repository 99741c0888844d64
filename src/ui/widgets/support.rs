//! The support panel: P, E, S, O and the paper's rates, of this problem and of all, with
//! what chance alone would do.

use super::frame::frame;
use crate::app::State;
use crate::app::figures::epsilon;
use crate::app::state::Scope;
use crate::app::study::{Noise, Study};
use crate::support::audit::Grading;
use crate::support::entropy::Regime;
use crate::support::noise::{Intervals, Range};
use crate::support::{Counts, Criterion, Status};
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From this width on the panel has a column of intervals.
const WIDE: u16 = 42;

pub fn support(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let unit = state.lens.unit.name();
    let title = format!(" {unit} ");
    let inner = frame(buf, area, theme, false, &[(&title, theme.style(Role::Title))], "");
    let wide = area.width >= WIDE;
    let end = inner.width.saturating_sub(1);
    let (this, all) = if wide { (17, 24) } else { (end.saturating_sub(7), end) };
    // The heads of the columns stand in the border.
    for (words, end) in [(" this ", this), (" all ", all)] {
        put_right(buf, area, end + 2, 0, words, theme.style(Role::Muted));
    }
    let study = study(state);
    let noise = study.map(|s| &s.noise);
    let usual = match state.scope {
        Scope::Problem => state.figures.here.usual,
        Scope::All => state.figures.all.usual,
    };
    if wide {
        let words = match (usual, state.scope) {
            (Some(_), _) => " usual rules ",
            (None, Scope::Problem) => " 95 %, this ",
            (None, Scope::All) => " 95 %, all ",
        };
        put_right(buf, area, end + 2, 0, words, theme.style(Role::Muted));
    }
    let counts = [&state.figures.here.counts, &state.figures.all.counts];
    let mut y = 0;
    for status in Status::ALL {
        let line = row(inner, y);
        let letter = status.letter().to_string();
        let x = put(buf, line, 1, 0, &letter, theme.style(widgets::role(Some(status)))) + 1;
        let room = usize::from(this.saturating_sub(7));
        put(buf, line, x, 0, &text::fit(word(status), room), theme.style(Role::Text));
        for (counts, end) in counts.iter().zip([this, all]) {
            put_right(buf, line, end, 0, &text::grouped(counts.of(status)), theme.style(Role::Text));
        }
        let beside = match usual {
            Some(usual) => text::grouped(usual.of(status)),
            None => noise.map_or(String::new(), |n| by_chance(n, status)),
        };
        if wide {
            put_right(buf, line, end, 0, &beside, theme.style(Role::Muted));
        }
        y += 1;
    }
    if inner.height >= 13 {
        y += 1;
    }
    for (name, rate, interval) in RATES {
        let line = row(inner, y);
        put(buf, line, 1, 0, name, theme.style(Role::Text));
        for (counts, end) in counts.iter().zip([this, all]) {
            put_right(buf, line, end, 0, &text::decimal(rate(counts), 3), theme.style(Role::Title));
        }
        let beside = match usual {
            Some(usual) => text::decimal(rate(&usual), 3),
            None => noise.and_then(|n| interval(&n.intervals)).map_or(String::new(), bracketed),
        };
        if wide {
            put_right(buf, line, end, 0, &beside, theme.style(Role::Muted));
        }
        y += 1;
    }
    if inner.height > y {
        notes(state, noise, theme, Rect { y: inner.y + y, height: inner.height - y, ..inner }, buf);
    }
    foot(state, theme, area, buf);
}

/// A rate of the paper.
pub type Rate = fn(&Counts) -> Option<f64>;
/// Its interval.
pub type Interval = fn(&Intervals) -> Option<(f64, f64)>;

/// The paper's rates with their intervals.
pub const RATES: [(&str, Rate, Interval); 4] = [
    ("SRR", Counts::srr, |i| i.srr),
    ("NDR", Counts::ndr, |i| i.ndr),
    ("SDS", Counts::sds, |i| i.sds),
    ("NSCR", Counts::nscr, |i| i.nscr),
];

/// `[0.13, 0.28]`.
pub fn bracketed((low, high): (f64, f64)) -> String {
    format!("[{}, {}]", text::decimal(Some(low), 2), text::decimal(Some(high), 2))
}

/// `5.0 [1, 9]`.
pub fn ranged(range: &Range) -> String {
    let [low, high] = [range.low, range.high].map(|x| text::decimal(Some(x), 0));
    format!("{} [{low}, {high}]", text::decimal(Some(range.value), 1))
}

/// The study of what is in scope.
fn study(state: &State) -> Option<&Study> {
    match state.scope {
        Scope::Problem => state.study_here(),
        Scope::All => state.study_all(),
    }
}

/// What a count would be if both policies were the base.
fn by_chance(noise: &Noise, status: Status) -> String {
    let Some(floor) = &noise.floor else { return String::new() };
    match status {
        Status::Expanded => format!("~ {}", ranged(&floor.e)),
        Status::Shrunk => format!("~ {}", ranged(&floor.s)),
        Status::Preserved | Status::OutOfSupport => String::new(),
    }
}

/// As many as there is room for: the p-value, the regime with its thresholds, chance.
fn notes(state: &State, noise: Option<&Noise>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width.saturating_sub(2));
    let p = text::p_value(noise.and_then(|n| n.p_value));
    let counts = match state.scope {
        Scope::Problem => &state.figures.here.counts,
        Scope::All => &state.figures.all.counts,
    };
    let regime = Regime::of(counts);
    let chance = noise.and_then(|n| n.floor.as_ref()).map(|f| text::decimal(Some(f.s.value), 1));
    let chance = chance.unwrap_or_else(|| text::NONE.to_owned());
    let mut lines = match area.width < WIDE - 2 {
        true => vec![format!("E, S by chance {chance}"), format!("p of NSCR {p}")],
        false => vec![format!("~ by chance alone; p of NSCR {p}")],
    };
    if let Some(regime) = regime {
        lines.push(regime.name().to_owned());
        lines.push(regime.thresholds());
    }
    for (y, words) in lines.iter().take(usize::from(area.height)).enumerate() {
        put(buf, row(area, y as u16), 1, 0, &text::fit(words, room), theme.style(Role::Muted));
    }
}

/// When something counts as in support.
pub fn criterion(state: &State) -> String {
    let (k, lens) = (state.figures.here.k, &state.lens);
    let criterion = match lens.criterion {
        Criterion::Found { min_hits: 0 | 1 } => "found once".to_owned(),
        Criterion::Found { min_hits } => format!("found {min_hits} times"),
        Criterion::Threshold { .. } if k > 0 => format!("p > ε {}", text::small(epsilon(k))),
        Criterion::Threshold { .. } => "p > ε".to_owned(),
    };
    if lens.sound { format!("{criterion}, sound") } else { criterion }
}

/// How one looks, in the lower border.
fn foot(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let words = format!(" {} ", criterion(state));
    if area.height > 1 {
        let x = put(buf, area, 2, area.height - 1, &words, theme.style(Role::Muted));
        if state.regrade.grading != Grading::Usual {
            let words = format!(" by {} ", state.regrade.grading.words());
            let room = usize::from(area.width.saturating_sub(x + 1));
            put(buf, area, x, area.height - 1, &text::fit(&words, room), theme.style(Role::Accent));
        }
    }
}

/// The word for a status in the panel.
fn word(status: Status) -> &'static str {
    match status {
        Status::OutOfSupport => "neither",
        other => other.word(),
    }
}
