//! The first lines of a screen: where one is, and how the run goes.

use crate::app::State;
use crate::app::state::progress::Phase;
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The line of the program, the problem, the policies and the run.
pub fn header(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let run = run(state);
    let room = usize::from(area.width).saturating_sub(text::width(&run) + 3);
    let mut x = 1;
    for (words, role) in parts(state, room) {
        x = put(buf, area, x, 0, &words, theme.style(role));
    }
    let role = match state.phase() {
        Phase::Sampling | Phase::Reading | Phase::Following => Role::Accent,
        Phase::Finished | Phase::Recorded => Role::Correct,
        Phase::Paused => Role::Muted,
        Phase::Failed | Phase::Blocked => Role::Lost,
    };
    put_right(buf, area, area.width.saturating_sub(1), 0, &run, theme.style(role));
}

/// The statement and the reference; on two lines where the area has them.
pub fn statement(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let reference = state.problems.get(state.current).and_then(|p| p.reference.as_deref());
    let reference = reference.map(|r| format!("reference {}", text::fit(&crate::completion::clean(r), 24)));
    let reference = reference.unwrap_or_default();
    let end = area.width.saturating_sub(1);
    put_right(buf, area, end, 0, &reference, theme.style(Role::Muted));
    let words = state.statement(state.current);
    let room = usize::from(area.width).saturating_sub(text::width(&reference) + 4);
    let style = theme.style(Role::Title);
    if area.height < 2 {
        put(buf, area, 1, 0, &text::fit(&words, room), style);
        return;
    }
    let lines = text::wrap(&words, room);
    for (y, line) in lines.iter().take(usize::from(area.height)).enumerate() {
        let last = y + 1 == usize::from(area.height);
        let words = if last { &words[line.start..] } else { &words[line.clone()] };
        put(buf, inset(row(area, y as u16), 1, 0), 0, 0, &text::fit(words, room), style);
    }
}

/// What stands at the left, with as much as there is room for.
fn parts(state: &State, room: usize) -> Vec<(String, Role)> {
    let gap = || ("   ".to_owned(), Role::Text);
    let place = match state.problems.len() {
        0 => "no problems".to_owned(),
        n => {
            let digits = n.to_string().len();
            format!("{} {:>digits$}/{n}", state.title(), state.current + 1)
        }
    };
    let brand = ("leash".to_owned(), Role::Accent);
    let place = (place, Role::Title);
    let policy = |side: usize, long: bool| {
        let spec = state.policies.get(state.policy(side)).map_or("", |p| p.spec.as_str());
        let name = state.name(side);
        let words =
            if long && !spec.is_empty() { format!("{name} {}", short(spec)) } else { name.to_owned() };
        (words, if side == 0 { Role::Base } else { Role::Rlvr })
    };
    let arrow = || (" ⇄ ".to_owned(), Role::Muted);
    let drawn = text::grouped(state.figures.here.k.into());
    let target = text::grouped(state.settings.k.into());
    let k = || (format!("k {drawn:>width$}/{target}", width = text::width(&target)), Role::Text);
    let s = &state.settings.sampling;
    let mut settings = format!("T {} top-p {}", s.temperature, s.top_p);
    if let Some(top_k) = s.top_k {
        settings += &format!(" top-k {top_k}");
    }
    settings += &format!(" seed {}", s.seed);
    let settings = || (settings.clone(), Role::Muted);
    let both = |long| vec![gap(), policy(0, long), arrow(), policy(1, long)];
    let start = || vec![brand.clone(), gap(), place.clone()];
    let lost = state.recording.file.is_empty() || state.recording.blocked.is_some();
    let saved = |long| vec![gap(), (saved(state, long), if lost { Role::Lost } else { Role::Muted })];
    let forms = [
        [start(), both(true), vec![gap(), k(), gap(), settings()], saved(true)].concat(),
        [start(), both(true), vec![gap(), k()], saved(true)].concat(),
        [start(), both(true), vec![gap(), k()], saved(false)].concat(),
        [start(), both(true), vec![gap(), k()]].concat(),
        [start(), both(false), vec![gap(), k()], saved(true)].concat(),
        [start(), both(false), vec![gap(), k()], saved(false)].concat(),
        [start(), both(false), vec![gap(), k()]].concat(),
        [start(), vec![gap(), k()]].concat(),
    ];
    let fits = |form: &Vec<(String, Role)>| form.iter().map(|(t, _)| text::width(t)).sum::<usize>() <= room;
    forms.into_iter().find(fits).unwrap_or_else(|| vec![(text::fit(&place.0, room), place.1)])
}

/// A policy's spec in at most 28 columns; of a path the last name alone.
fn short(spec: &str) -> String {
    let spec = crate::completion::clean(spec);
    let (scheme, path) = spec.split_at(spec.find(':').map_or(0, |colon| colon + 1));
    let short = match path.trim_end_matches('/').rsplit_once('/') {
        Some((_, name)) if text::width(&spec) > 28 && !path.starts_with("//") => format!("{scheme}…/{name}"),
        _ => spec.clone(),
    };
    text::fit(&short, 28)
}

/// How many completions are on disk, of those that are drawn.
fn saved(state: &State, long: bool) -> String {
    let (saved, drawn) = (state.archive.saved(), state.recording.drawn);
    if state.recording.file.is_empty() && saved == 0 {
        return "not recorded".to_owned();
    }
    let width = text::width(&text::grouped(drawn));
    match long {
        true => format!("saved {}/{}", text::right(&text::grouped(saved), width), text::grouped(drawn)),
        false if saved < drawn => "saving…".to_owned(),
        false => "saved ✓".to_owned(),
    }
}

/// What the run does, always of the same width.
fn run(state: &State) -> String {
    let words = match state.phase() {
        Phase::Sampling => {
            let rate = text::rate(state.progress.gauge.tokens_per_second);
            return format!("{rate:>6} tok/s ▶");
        }
        Phase::Reading => {
            let (read, of) = state.recording.reading.unwrap_or_default();
            let percent = (read * 100).checked_div(of).unwrap_or(0);
            return text::right(&format!("reading {percent:>3} %"), 14);
        }
        Phase::Paused => "paused ■",
        Phase::Finished => "all drawn ✓",
        Phase::Recorded => "recording ✓",
        Phase::Following => "following ▶",
        Phase::Blocked => "not written ✗",
        Phase::Failed => "failed ✗",
    };
    text::right(words, 14)
}

/// A line of the figures, where there is no room for their panels.
pub fn figures(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (here, counts) = (&state.figures.here, &state.figures.here.counts);
    let two = |a: Option<f64>, b: Option<f64>, decimals| {
        format!("{} → {}", text::decimal(a, decimals), text::decimal(b, decimals))
    };
    let [base, rlvr] = &here.measures;
    let parts = [
        format!("SRR {}", text::decimal(counts.srr(), 2)),
        format!("NDR {}", text::decimal(counts.ndr(), 2)),
        format!("pass@1 {}", two(base.pass_1(), rlvr.pass_1(), 2)),
        format!("H {}", two(base.answer_entropy, rlvr.answer_entropy, 2)),
    ];
    let mut x = 1;
    for part in parts {
        if x + text::width(&part) as u16 <= area.width {
            x = put(buf, area, x, 0, &part, theme.style(Role::Text)) + 2;
        }
    }
}
