//! The list of problems: what became of each.

use super::first_shown;
use super::frame::frame;
use super::spark;
use crate::app::figures::Line;
use crate::app::state::explore::Pane;
use crate::app::{State, Target};
use crate::support::change::Certainty;
use crate::support::pass::pass_at;
use crate::support::{Status, Unit};
use crate::ui::canvas::{put, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::{Seen, widgets};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn problems(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let focused = state.explore.pane == Pane::Problems;
    let filter = &state.explore.filter;
    let title = if filter.is_empty() { " Problems ".to_owned() } else { format!(" /{filter} ") };
    let shown = &state.figures.listed;
    let digits = state.problems.len().to_string().len();
    let points = Reach::points(usize::from(area.width.saturating_sub(2)), digits);
    let what = if points > 0 { "pass@k " } else { "" };
    let note = format!(" {} {what}", shown.len());
    let inner = frame(buf, area, theme, focused, &[(&title, theme.style(Role::Title))], &note);
    seen.target(inner, Target::Problem(state.current));
    if shown.is_empty() {
        let words = if state.problems.is_empty() { "no problems" } else { "no match" };
        put(buf, inner, 1, 0, words, theme.style(Role::Muted));
        return;
    }
    let selected = state.place_of(state.current);
    let first = first_shown(selected, shown.len(), usize::from(inner.height));
    let rows = &shown[first..shown.len().min(first + usize::from(inner.height))];
    let task = |i: usize| state.problems[i].task.as_deref();
    let mixed = rows.windows(2).any(|pair| task(pair[0]) != task(pair[1]));
    for (y, &problem) in rows.iter().enumerate() {
        let area = row(inner, y as u16);
        seen.target(area, Target::Problem(problem));
        let here = problem == state.current;
        if here {
            buf.set_style(area, theme.selection());
        }
        let line = &state.figures.lines[problem];
        let role = widgets::role(line.status);
        put(buf, area, 0, 0, if here { "▸" } else { " " }, theme.style(Role::Accent));
        let number = format!("{:>digits$}", problem + 1);
        let x = put(buf, area, 1, 0, &number, theme.style(if here { Role::Title } else { Role::Muted })) + 1;
        let letter = line.status.map_or('·', Status::letter).to_string();
        let x = put(buf, area, x, 0, &letter, theme.style(role)) + 1;
        if points > 0 {
            let end = inner.width.saturating_sub(Reach::width(points) as u16);
            Reach::of(line, points).draw(
                theme,
                Rect { x: area.x + end, width: inner.width - end, ..area },
                buf,
            );
        }
        let taken = if points > 0 { Reach::width(points) + 1 } else { 0 };
        let room = usize::from(inner.width.saturating_sub(x)).saturating_sub(taken);
        let (words, role) = match note_of(line, state.lens.unit, room) {
            _ if line.format => (if room < 10 { "format?" } else { "by format?" }.to_owned(), Role::Accent),
            // Where tasks are mixed, each problem says whose it is until there is more to say.
            (words, _) if words.is_empty() && mixed => (state.title_of(problem), Role::Muted),
            note => note,
        };
        put(buf, area, x, 0, &text::fit(&words, room), theme.style(role));
    }
}

/// How far each policy reaches on a problem: pass@k from one draw to all of them, as two small
/// lines, the base's on the left.
struct Reach {
    /// Completions of each policy.
    drawn: u32,
    lines: [Vec<f64>; 2],
}

impl Reach {
    /// Columns of each line in a list of so many; 0 where words need the room.
    fn points(columns: usize, digits: usize) -> usize {
        match columns.saturating_sub(digits + 4) {
            25.. => 5,
            18.. => 4,
            _ => 0,
        }
    }

    /// Columns of both lines, and of the space between them.
    fn width(points: usize) -> usize {
        2 * points + 1
    }

    /// Both policies at the same k, two of them a column: the first, evenly spaced powers, and
    /// the last.
    fn of(line: &Line, columns: usize) -> Reach {
        let points = 2 * columns;
        let at = |i: usize| {
            let share = i as f64 / (points.saturating_sub(1)).max(1) as f64;
            f64::from(line.k).powf(share).round() as u32
        };
        let lines = line.hits.map(|hits| {
            let pass = |k| pass_at(line.k, hits, k).unwrap_or(f64::NAN);
            if hits == 0 { Vec::new() } else { (0..points).map(at).map(pass).collect() }
        });
        Reach { drawn: line.k, lines }
    }

    /// Draws them; a policy that never was right has a line of dots.
    fn draw(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let points = usize::from(area.width) / 2;
        if self.drawn == 0 {
            return;
        }
        for (side, (values, role)) in self.lines.iter().zip([Role::Base, Role::Rlvr]).enumerate() {
            let (words, role) = match values.is_empty() {
                true => ("·".repeat(points), Role::Faint),
                false => (spark::thin(values), role),
            };
            put(buf, area, (side * (points + 1)) as u16, 0, &words, theme.style(role));
        }
    }
}

/// What is said of a problem: what was lost and gained in the unit, as long as fits.
fn note_of(line: &Line, unit: Unit, room: usize) -> (String, Role) {
    if line.status.is_none() {
        return (String::new(), Role::Muted);
    }
    let (counts, unit) = match (unit, line.status) {
        (Unit::Problem, Some(Status::Expanded | Status::Shrunk)) => {
            let undecided = matches!(line.certainty, Some(Certainty::Undecided { .. }));
            let word = line.status.map_or("", Status::word);
            let forms = [format!("{word}, undecided"), format!("{word}?")];
            let words = match undecided {
                true => forms.into_iter().find(|f| text::width(f) <= room).unwrap_or_default(),
                false => word.to_owned(),
            };
            return (words, widgets::role(line.status));
        }
        (Unit::Problem, Some(Status::OutOfSupport)) => {
            return (if room >= 8 { "unsolved" } else { "" }.to_owned(), widgets::role(line.status));
        }
        (Unit::Problem, _) => (&line.methods, Unit::Method),
        _ => (&line.counts, unit),
    };
    let (lost, gained) = (counts.s, counts.e);
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    let role = if lost > 0 { Role::Lost } else { Role::Gained };
    let name = unit.name();
    let forms = match (lost, gained) {
        (0, 0) => return (String::new(), Role::Muted),
        (lost, 0) => {
            [format!("{lost} {name}{} lost", plural(lost)), format!("{lost} lost"), format!("▼{lost}")]
        }
        (0, gained) => [
            format!("{gained} {name}{} gained", plural(gained)),
            format!("{gained} gained"),
            format!("▲{gained}"),
        ],
        _ => [
            format!("{lost} {name}{} lost, {gained} gained", plural(lost)),
            format!("{lost} lost, {gained} gained"),
            format!("▼{lost} ▲{gained}"),
        ],
    };
    let last = forms[2].clone();
    (forms.into_iter().find(|f| text::width(f) <= room).unwrap_or(last), role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{Depth, Ground};

    fn shown(k: u32, hits: [u32; 2], points: usize) -> String {
        let line = Line { k, hits, ..Line::default() };
        let area = Rect::new(0, 0, Reach::width(points) as u16, 1);
        let mut buf = Buffer::empty(area);
        Reach::of(&line, points).draw(&Theme::new(Depth::Mono, Ground::Dark), area, &mut buf);
        buf.content.iter().map(|c| c.symbol()).collect()
    }

    #[test]
    fn both_policies_reach_is_seen_at_a_glance() {
        assert_eq!(shown(1024, [512, 1024], 4), "⠊⠉⠉⠉ ⠉⠉⠉⠉");
        assert_eq!(shown(1024, [4, 0], 4), "⣀⣀⠤⠉ ····", "rare is not never");
        assert_eq!(shown(1, [1, 0], 5), "⠉⠉⠉⠉⠉ ·····");
        assert_eq!(shown(0, [0, 0], 4), "         ", "nothing is drawn yet");
    }

    #[test]
    fn words_come_before_lines() {
        assert_eq!([14, 22, 23, 25, 30, 32].map(|columns| Reach::points(columns, 1)), [0, 0, 4, 4, 5, 5]);
        assert!((0..60).all(|columns| {
            let points = Reach::points(columns, 3);
            points == 0 || Reach::width(points) + 1 + 8 + 7 <= columns
        }));
    }
}
