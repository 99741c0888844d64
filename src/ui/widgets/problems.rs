//! The list of problems: what became of each.

use super::first_shown;
use super::frame::frame;
use crate::app::figures::Line;
use crate::app::state::explore::Pane;
use crate::app::{State, Target};
use crate::support::change::Certainty;
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
    let note = format!(" {} ", shown.len());
    let inner = frame(buf, area, theme, focused, &[(&title, theme.style(Role::Title))], &note);
    seen.target(inner, Target::Problem(state.current));
    if shown.is_empty() {
        let words = if state.problems.is_empty() { "no problems" } else { "no match" };
        put(buf, inner, 1, 0, words, theme.style(Role::Muted));
        return;
    }
    let selected = state.place_of(state.current);
    let first = first_shown(selected, shown.len(), usize::from(inner.height));
    let digits = state.problems.len().to_string().len();
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
        let room = usize::from(inner.width.saturating_sub(x));
        let (words, role) = match note_of(line, state.lens.unit, room) {
            _ if line.format => ("by format?".to_owned(), Role::Accent),
            // Where tasks are mixed, each problem says whose it is until there is more to say.
            (words, _) if words.is_empty() && mixed => (state.title_of(problem), Role::Muted),
            note => note,
        };
        put(buf, area, x, 0, &text::fit(&words, room), theme.style(role));
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
