//! A policy's clusters. Both columns have the same rows and one scale.

use super::bar::bar;
use super::first_shown;
use super::frame::frame;
use crate::app::figures::{Row, epsilon};
use crate::app::state::explore::Pane;
use crate::app::{State, Target};
use crate::support::Status;
use crate::support::change::Certainty;
use crate::ui::canvas::{put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::{Seen, widgets};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// The column of the policy on a side, 0 the base.
pub fn clusters(state: &State, side: usize, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let here = &state.figures.here;
    let policy = if side == 0 { Role::Base } else { Role::Rlvr };
    let name = format!(" {} ", state.name(side));
    let pass = format!(" pass@1 {} ", text::decimal(here.measures[side].pass_1(), 2));
    let distinct = format!(" {:>2} distinct correct ", here.distinct[side]);
    let mut title = vec![(name.as_str(), theme.style(policy).add_modifier(Modifier::BOLD))];
    if usize::from(area.width) >= text::width(&name) + text::width(&pass) + 4 {
        title.push((pass.as_str(), theme.style(Role::Text)));
    }
    let inner_height = usize::from(area.height.saturating_sub(2));
    if usize::from(area.width) >= text::width(&name) + text::width(&pass) + text::width(&distinct) + 14 {
        title.push((distinct.as_str(), theme.style(Role::Muted)));
    }
    let rows = &here.rows;
    let (first, note) = window(state, inner_height);
    let focused = state.explore.pane == Pane::Clusters(side);
    let inner = frame(buf, area, theme, focused, &title, &note);
    seen.target(inner, Target::Cluster { row: state.selected_row(), side });
    if rows.is_empty() {
        empty(state, side, theme, inner, buf);
        return;
    }
    let columns = Columns::new(rows, inner.width, 1 + 6, here.k);
    for (y, (at, item)) in rows.iter().enumerate().skip(first).take(inner_height).enumerate() {
        let area = row(inner, y as u16);
        seen.target(area, Target::Cluster { row: at, side });
        let selected = at == state.selected_row();
        if selected && state.explore.pane != Pane::Problems {
            buf.set_style(area, theme.selection());
        }
        if selected && focused {
            put(buf, area, 0, 0, "▸", theme.style(Role::Accent));
        }
        columns.draw(item, side, theme, area, buf);
    }
}

/// The first row in view of so many, and what the border says of the list.
pub(super) fn window(state: &State, height: usize) -> (usize, String) {
    let here = &state.figures.here;
    let rows = here.rows.len();
    let first = first_shown(state.selected_row(), rows, height);
    let filter = match state.explore.clusters.as_str() {
        "" => String::new(),
        filter => format!("/{filter} "),
    };
    let note = if rows > height {
        format!(" {filter}{}–{} of {rows} ", first + 1, rows.min(first + height))
    } else if filter.is_empty() {
        String::new()
    } else {
        format!(" {filter}{rows} of {} ", rows + here.hidden)
    };
    (first, note)
}

/// How a row is divided; the same in both columns.
pub(super) struct Columns {
    answer: usize,
    method: usize,
    /// The problem has several right answers: a right cluster is told by its own too.
    several: bool,
    pub bar: usize,
    /// The share that fills the bar.
    pub scale: f64,
    pub k: u32,
}

impl Columns {
    /// Mark and spaces before the words, and before the bar.
    const FIXED: usize = 3 + 1;

    /// For rows of so many columns, `after` of them behind the bar.
    pub fn new(rows: &[Row], width: u16, after: usize, k: u32) -> Self {
        let room = usize::from(width).saturating_sub(Self::FIXED + after);
        let longest = |of: fn(&Row) -> &str, correct_only: bool| {
            let rows = rows.iter().filter(|r| !correct_only || r.correct);
            rows.map(|r| text::width(of(r))).max().unwrap_or(0)
        };
        let mut right = rows.iter().filter(|r| r.correct).map(|r| &r.answer);
        let several = right.next().is_some_and(|first| right.any(|other| other != first));
        let method = longest(|r| &r.method, true);
        let answer = longest(|r| &r.answer, false).clamp(2, if several { 24 } else { 12 });
        let words = (room * 3 / 4).min(answer + 2 + method);
        // With little room a correct cluster is told by its method, and a wrong one by its
        // answer.
        let answer = if words >= answer + 2 + method.min(12) && method > 0 { answer } else { 0 };
        let most = rows.iter().flat_map(|r| r.hits).max().unwrap_or(0);
        // In steps of a tenth, so that bars do not all move with each completion.
        let scale = (f64::from(most) / f64::from(k.max(1)) * 10.0).ceil().max(1.0) / 10.0;
        let method = words - if answer > 0 { answer + 2 } else { 0 };
        Self { answer, method, several, bar: room.saturating_sub(words), scale, k }
    }

    fn draw(&self, item: &Row, side: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let hits = item.hits[side];
        let missing = item.status.is_some() && (hits == 0 || note_of(item, side).is_some());
        let (mark, role) = match (item.status, note_of(item, side)) {
            (Some(Status::Shrunk), Some(_)) => ("▼", Role::Lost),
            (Some(Status::Expanded), Some(_)) => ("▲", Role::Gained),
            (Some(_), _) if hits == 0 => ("·", Role::Muted),
            (Some(_), _) => ("✓", Role::Correct),
            // Correct, but not by its steps.
            (None, _) if item.correct => ("≈", Role::Muted),
            (None, _) if hits == 0 => ("·", Role::Faint),
            (None, _) => ("✗", Role::Wrong),
        };
        let words = if hits > 0 && item.correct { Role::Text } else { Role::Muted };
        let quiet = if hits == 0 && !missing { Role::Faint } else { words };
        put(buf, area, 1, 0, mark, theme.style(role));
        let label_end = self.words(item, theme.style(quiet), area, buf);
        if let Some(note) = note_of(item, side) {
            self.note(&note, label_end, theme.style(role), area, buf);
            return;
        }
        let share = f64::from(hits) / f64::from(self.k.max(1));
        let colour = match (item.correct, side) {
            (true, 0) => Role::Base,
            (true, _) => Role::Rlvr,
            (false, _) => Role::Faint,
        };
        let bar = bar(share / self.scale, self.bar);
        put(buf, area, label_end as u16 + 1, 0, &bar, theme.style(colour));
        let percent = if hits == 0 { "0".to_owned() } else { text::percent(hits, self.k) };
        put_right(buf, area, area.width, 0, &percent, theme.style(quiet));
    }

    /// What names the cluster. Returns the column after it.
    pub fn words(&self, item: &Row, style: Style, area: Rect, buf: &mut Buffer) -> usize {
        let x = 3;
        if self.answer > 0 {
            let answer = match self.several {
                true => text::fit(&item.answer, self.answer),
                false => text::right(&item.answer, self.answer),
            };
            put(buf, area, x, 0, &answer, style);
            let x = x + self.answer as u16 + 2;
            put(buf, area, x, 0, &text::fit(&item.method, self.method), style);
        } else {
            let label = match (item.method.is_empty(), self.several && item.correct) {
                (true, _) => item.answer.clone(),
                (false, true) => format!("{}  {}", item.answer, item.method),
                (false, false) => item.method.clone(),
            };
            put(buf, area, x, 0, &text::fit(&label, self.method), style);
        }
        usize::from(x) + self.answer + if self.answer > 0 { 2 } else { 0 } + self.method
    }

    /// What was lost or gained, in the place of the bar, or of the whole row.
    fn note(&self, note: &Note, label_end: usize, style: Style, area: Rect, buf: &mut Buffer) {
        let forms = note.forms(self.k);
        let whole = usize::from(area.width).saturating_sub(3);
        let beside = whole.saturating_sub(label_end - 2);
        let fits = |room: usize| forms.iter().find(|f| text::width(f) <= room).map(String::as_str);
        if let Some(words) = fits(beside) {
            put_right(buf, area, area.width, 0, words, style);
            return;
        }
        // The other column has the same row, and says which cluster it is.
        put(buf, area, 3, 0, &text::left(fits(whole).unwrap_or(note.word), whole), style);
    }
}

/// What is said of a row in the column of the policy that does not have it.
pub(super) struct Note {
    pub word: &'static str,
    hits: u32,
    /// `None` if the draws decide, else about the k that would.
    decided: Option<Option<u32>>,
}

impl Note {
    /// The ways to say it, the longest first.
    pub fn forms(&self, k: u32) -> Vec<String> {
        let e = text::small(epsilon(k));
        let k = text::grouped(k.into());
        let Note { word, hits, decided } = self;
        let bound = if *hits == 0 { format!("p < {e}") } else { format!("at most ε {e}") };
        // A loss that luck may have made is a question, with the k that would answer it.
        match decided {
            None => vec![
                format!("{word}: {hits} of {k}, {bound}, certain"),
                format!("{word}: {hits} of {k}, {bound}"),
                format!("{word}, {bound}"),
            ],
            Some(deciding) => {
                let until = match deciding {
                    Some(k) => format!("undecided, k ≈ {}", text::grouped((*k).into())),
                    None => "undecided".to_owned(),
                };
                vec![
                    format!("{word}? {hits} of {k}, {bound}, {until}"),
                    format!("{word}? {bound}, {until}"),
                    format!("{word}? {until}"),
                    deciding.map_or(until, |k| format!("{word}? k ≈ {}", text::grouped(k.into()))),
                    format!("{word}? {bound}"),
                ]
            }
        }
    }
}

pub(super) fn note_of(item: &Row, side: usize) -> Option<Note> {
    let status = item.status?;
    let here = matches!((status, side), (Status::Shrunk, 1) | (Status::Expanded, 0));
    let decided = match item.change.map(|c| c.certainty) {
        Some(Certainty::Undecided { k }) => Some(k),
        Some(Certainty::Certain) | None => None,
    };
    here.then(|| Note { word: status.word(), hits: item.hits[side], decided })
}

/// Before the first pair of completions: what the policy is writing.
pub(super) fn empty(state: &State, side: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let partials = &state.progress.gauge.partials;
    let partial = partials.get(state.policy(side)).and_then(|p| p.as_ref());
    let partial = partial.filter(|(problem, _)| *problem == state.current);
    let words = match partial {
        Some((_, partial)) => crate::completion::clean(&partial.text),
        _ if state.figures.here.hidden > 0 => "no cluster matches: esc drops the filter".to_owned(),
        None if state.problems.is_empty() => "nothing to draw".to_owned(),
        None if state.progress.paused => "paused before the first completion: space goes on".to_owned(),
        None => "drawing the first completions …".to_owned(),
    };
    let room = usize::from(area.width.saturating_sub(2));
    for (y, line) in text::wrap(&words, room).iter().take(usize::from(area.height)).enumerate() {
        put(buf, row(area, y as u16), 1, 0, &words[line.clone()], theme.style(widgets::role(None)));
    }
}
