//! The entropy panel: token and answer entropy under both policies, and against k.

use super::frame::frame;
use crate::app::State;
use crate::app::figures::Measures;
use crate::support::Entropies;
use crate::support::entropy::Divergence;
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::chart::{Chart, Point, Series, axis};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn entropy(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let title = [(" Entropy ", theme.style(Role::Title)), (" nats ", theme.style(Role::Muted))];
    let inner = frame(buf, area, theme, false, &title, "");
    let inner = inset(inner, 1, u16::from(inner.width > 24));
    let (here, all) = (&state.figures.here.measures, &state.figures.all.measures);
    let mut y = 0;
    for (name, measures) in [("this problem", here), ("all problems", all)] {
        let style = theme.style(Role::Muted);
        put(buf, row(inner, y), 0, 0, name, style);
        if inner.width >= 30 {
            put_right(
                buf,
                row(inner, y),
                inner.width.saturating_sub(10),
                0,
                &text::fit(state.name(0), 6),
                theme.style(Role::Base),
            );
            put_right(
                buf,
                row(inner, y),
                inner.width.saturating_sub(2),
                0,
                &text::fit(state.name(1), 6),
                theme.style(Role::Rlvr),
            );
        }
        token(measures, theme, row(inner, y + 1), buf);
        change("answer", measures, |m| m.answer_entropy, 2, theme, row(inner, y + 2), buf);
        y += 3;
        if inner.height >= 14 {
            change("length", measures, |m| m.mean_tokens, 1, theme, row(inner, y), buf);
            y += 1;
        }
    }
    y += divergence(
        state,
        theme,
        Rect { y: inner.y.saturating_add(y), height: inner.height.saturating_sub(y), ..inner },
        buf,
    );
    let left = Rect { y: inner.y.saturating_add(y), height: inner.height.saturating_sub(y), ..inner };
    curves(state, theme, left, buf);
}

/// Token entropy: its values, or the intervals where only bounds are known.
fn token(measures: &[Measures; 2], theme: &Theme, area: Rect, buf: &mut Buffer) {
    if measures.iter().all(|m| m.token_entropy.is_some() || m.token_entropy_range.is_none()) {
        return change("token", measures, |m| m.token_entropy, 2, theme, area, buf);
    }
    let shown = measures.each_ref().map(|m| text::bounded(m.token_entropy, m.token_entropy_range, 2));
    let words = format!("{} → {}", shown[0], shown[1]);
    let end = area.width.saturating_sub(2);
    // An interval takes the room of its name where there is no other.
    let width = words.chars().count() as u16;
    if width + 7 <= end {
        put(buf, area, 0, 0, "token", theme.style(Role::Text));
    }
    put_right(buf, area, end, 0, &words, theme.style(Role::Text));
    // Intervals that meet do not say which way it went.
    if let [Some([a, b]), Some([c, d])] = measures.each_ref().map(|m| m.token_entropy_range) {
        let arrow = if d < a {
            "▼"
        } else if c > b {
            "▲"
        } else {
            ""
        };
        put_right(buf, area, area.width, 0, arrow, theme.style(Role::Muted));
    }
}

/// The paper's divergence reading over all problems; a quadrant where there is room, else a
/// line. Returns the rows taken.
pub fn divergence(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) -> u16 {
    let Some(reading) = reading(state) else { return 0 };
    let words = reading.words();
    if area.height < 10 || area.width < 24 {
        if area.height < 5 {
            return 0;
        }
        let fits = text::width(words) <= usize::from(area.width);
        put(buf, area, 0, 0, if fits { words } else { reading.brief() }, theme.style(Role::Muted));
        return 1;
    }
    quadrant(reading, theme, area, buf);
    let fits = text::width(words) <= usize::from(area.width);
    put(buf, row(area, 3), 0, 0, if fits { words } else { reading.brief() }, theme.style(Role::Text));
    4
}

/// Token entropy up or down against answer entropy up or down, in three rows.
pub fn quadrant(reading: Divergence, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let rows = [
        ("token ▲", [Divergence::Exploration, Divergence::LocalOnly]),
        ("token ▼", [Divergence::GlobalOnly, Divergence::Collapse]),
    ];
    let heads = row(area, 0);
    put(buf, heads, 8, 0, "answer ▲", theme.style(Role::Muted));
    put(buf, heads, 18, 0, "▼", theme.style(Role::Muted));
    for (y, (name, cells)) in (1..).zip(rows) {
        let line = row(area, y);
        put(buf, line, 0, 0, name, theme.style(Role::Muted));
        for (cell, x) in cells.into_iter().zip([11, 18]) {
            let (mark, role) = if cell == reading { ("◆", Role::Title) } else { ("·", Role::Faint) };
            put(buf, line, x, 0, mark, theme.style(role));
        }
    }
}

/// How token and answer entropy moved, over all problems; where only bounds of the token
/// entropy are known, if every value between them says the same.
pub fn reading(state: &State) -> Option<Divergence> {
    let [base, rlvr] = &state.figures.all.measures;
    let answer = base.answer_entropy.zip(rlvr.answer_entropy)?;
    let ([a, b], [c, d]) = (base.token_entropy_range?, rlvr.token_entropy_range?);
    let [least, most] = [(b, c), (a, d)].map(|token| Divergence::of(token, answer));
    (least == most).then_some(least)
}

/// A line: the base's value, the RLVR policy's, and which way it went.
fn change(
    name: &str,
    measures: &[Measures; 2],
    of: fn(&Measures) -> Option<f64>,
    decimals: usize,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let [base, rlvr] = [of(&measures[0]), of(&measures[1])];
    let shown = [base, rlvr].map(|v| text::decimal(v, decimals));
    put(buf, area, 0, 0, name, theme.style(Role::Text));
    let end = area.width;
    put_right(buf, area, end.saturating_sub(10), 0, &shown[0], theme.style(Role::Text));
    put_right(buf, area, end.saturating_sub(8), 0, "→", theme.style(Role::Muted));
    put_right(buf, area, end.saturating_sub(2), 0, &shown[1], theme.style(Role::Title));
    let arrow = match (base, rlvr) {
        // Equal as shown is equal.
        _ if shown[0] == shown[1] => "",
        (Some(b), Some(r)) if r < b => "▼",
        (Some(b), Some(r)) if r > b => "▲",
        _ => "",
    };
    put_right(buf, area, end, 0, arrow, theme.style(Role::Muted));
}

/// Answer entropy against k, and token entropy where there is room.
fn curves(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let two = area.height >= 16;
    let height = if two { area.height / 2 } else { area.height };
    let answer = Rect { height, ..area };
    curve(state, "answer entropy against k", |p| [p.answer; 2], theme, answer, buf);
    if two {
        let token = Rect { y: area.y + height, height: area.height - height, ..area };
        token_curve(state, theme, token, buf);
    }
}

/// Token entropy of this problem against k; where only bounds are known, both.
pub fn token_curve(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    curve(state, "token entropy against k", |p| p.token, theme, area, buf);
}

fn curve(
    state: &State,
    title: &str,
    of: fn(&Entropies) -> [f64; 2],
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let history = &state.figures.here.history;
    // Where only bounds are known, a line for each of them and the band between.
    let points = |side: usize, bound: usize| -> Vec<Point> {
        let point = |p: &Entropies| {
            let [low, high] = of(p);
            let band = (bound == 0 && low < high).then_some((low, high));
            Point { x: p.k.into(), value: of(p)[bound], band }
        };
        history[side].iter().map(point).collect()
    };
    let is_bounded = |side: usize| history[side].iter().any(|p| of(p)[0] < of(p)[1]);
    let mut lines = Vec::new();
    for (side, role, dashed) in [(0, Role::Base, true), (1, Role::Rlvr, false)] {
        if is_bounded(side) {
            lines.push(("", points(side, 1), role, dashed));
        }
        lines.push((state.name(side), points(side, 0), role, dashed));
    }
    let all = lines.iter().flat_map(|(_, points, ..)| points);
    let highest = all.map(|p| p.value).filter(|v| v.is_finite()).fold(0.0, f64::max);
    let series: Vec<Series<'_>> = lines
        .iter()
        .map(|(name, points, role, dashed)| Series {
            name,
            points,
            role: *role,
            dashed: *dashed,
            steps: false,
        })
        .collect();
    let max_k = state.settings.k.max(history.iter().flatten().map(|p| p.k).max().unwrap_or(1));
    let chart = Chart {
        series: &series,
        y: (0.0, axis::ceiling(highest, 0.1)),
        x: axis::Axis::k(max_k),
        mark: None,
        cursor: None,
        marks: &[],
    };
    if area.height < 5 {
        chart.render(Rect { height: area.height.min(2), ..area }, buf, theme);
        return;
    }
    put(buf, area, 0, 0, &text::fit(title, usize::from(area.width)), theme.style(Role::Muted));
    chart.render(Rect { y: area.y + 1, height: area.height - 1, ..area }, buf, theme);
}
