//! Suite: every problem by task as the paper's tables, with aggregates, published rows
//! beside them, and what the selected row rests on.

use crate::app::figures::{Line, epsilon};
use crate::app::state::suite::Entry;
use crate::app::study::{Noise, distinct};
use crate::app::{State, Target};
use crate::support::change::{Bound, Certainty, Change};
use crate::support::entropy::Regime;
use crate::support::noise::FloorSource;
use crate::support::paper::Published;
use crate::support::{Counts, Status, Unit};
use crate::ui::canvas::{inset, put, put_right, row};
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use crate::ui::widgets::support::{Interval, RATES, Rate, bracketed, ranged};
use crate::ui::widgets::{self, first_shown, footer, header};
use crate::ui::{Seen, layout, text};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer, seen: &mut Seen) {
    let panes = layout::large(area, if area.height >= 24 { 8 } else { 6 });
    header::header(state, theme, panes.header, buf);
    header::statement(state, theme, panes.statement, buf);
    let entries = state.entries();
    let selected = state.selected_entry(&entries);
    table(state, &entries, selected, theme, panes.main, buf, seen);
    if panes.below.height > 0 {
        detail(state, entries.get(selected).copied().unwrap_or_default(), theme, panes.below, buf);
    }
    footer::footer(state, theme, panes.footer, buf);
}

/// Where the columns end, from the right; 0 is left out.
struct Columns {
    name: usize,
    k: u16,
    counts: [u16; 4],
    rates: [u16; 4],
    /// Intervals stand beside the rates.
    wide: bool,
    /// pass@1 of base and RLVR.
    pass: [u16; 2],
    chance: u16,
    decided: u16,
}

impl Columns {
    fn new(width: u16) -> Self {
        let mut end = width.saturating_sub(1);
        let mut take = |columns: u16, least: u16| {
            let here = if width >= least { end } else { 0 };
            end -= if width >= least { columns.min(end) } else { 0 };
            here
        };
        let decided = take(11, 118);
        let chance = take(13, 134);
        let pass = {
            let rlvr = take(7, 100);
            [take(7, 100), rlvr]
        };
        let wide = width >= 156;
        let step = if wide { 7 + 15 } else { 7 };
        let mut rates = [0; 4];
        for (i, least) in [(3, 54), (2, 62), (1, 54), (0, 44)] {
            let wide = wide && matches!(i, 0 | 3);
            rates[i] = take(if wide { step } else { 7 }, least);
        }
        let mut counts = [0; 4];
        (0..4).rev().for_each(|i| counts[i] = take(5, 0));
        let k = take(7, 70);
        Columns { name: usize::from(end.saturating_sub(2)), k, counts, rates, wide, pass, chance, decided }
    }
}

fn table(
    state: &State,
    entries: &[Entry],
    selected: usize,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
    seen: &mut Seen,
) {
    let title = format!(" Suite  {} ", state.lens.unit.name());
    let filter = &state.explore.filter;
    let filter = if filter.is_empty() { String::new() } else { format!(" /{filter} ") };
    let title = [(title.as_str(), theme.style(Role::Title)), (filter.as_str(), theme.style(Role::Accent))];
    let note =
        format!(" {} of {}, {} ", state.figures.shown.len(), state.problems.len(), state.suite.sort.words());
    let inner = frame(buf, area, theme, true, &title, &note);
    let columns = Columns::new(inner.width);
    heads(state, &columns, theme, row(inner, 0), buf);
    let below = inner.height.min(1);
    let list = Rect { y: inner.y + below, height: inner.height - below, ..inner };
    let height = usize::from(list.height);
    let first = first_shown(selected, entries.len(), height);
    seen.target(list, Target::Entry(selected));
    for (y, (at, entry)) in entries.iter().enumerate().skip(first).take(height).enumerate() {
        let line = row(list, y as u16);
        seen.target(line, Target::Entry(at));
        if at == selected {
            buf.set_style(line, theme.selection());
            put(buf, line, 0, 0, "▸", theme.style(Role::Accent));
        }
        entry_row(state, *entry, &columns, theme, line, buf);
    }
}

fn heads(state: &State, columns: &Columns, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let style = theme.style(Role::Muted);
    let mut head = |end: u16, words: &str| {
        if end > 0 {
            put_right(buf, area, end, 0, words, style);
        }
    };
    head(columns.k, "k");
    for (end, status) in columns.counts.into_iter().zip(Status::ALL) {
        head(end, &status.letter().to_string());
    }
    for (end, (name, ..)) in columns.rates.into_iter().zip(RATES) {
        let beside = columns.wide && matches!(name, "SRR" | "NSCR");
        head(if beside { end.saturating_sub(15) } else { end }, name);
        if beside {
            head(end, "95 %");
        }
    }
    for (side, end) in columns.pass.into_iter().enumerate() {
        head(end, &text::fit(state.name(side), 6));
    }
    head(columns.chance, "S by chance");
    head(columns.decided, "decided");
}

/// What a line says.
struct Cells<'a> {
    name: String,
    indent: u16,
    role: Role,
    letter: Option<Status>,
    k: Option<u64>,
    counts: Option<Counts>,
    rates: [Option<f64>; 4],
    noise: Option<&'a Noise>,
    pass: [Option<f64>; 2],
    decided: String,
}

fn entry_row(state: &State, entry: Entry, columns: &Columns, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let cells = cells(state, entry);
    let style = theme.style(cells.role);
    let quiet = theme.style(if cells.role == Role::Title { Role::Title } else { Role::Muted });
    let mut x = 1 + cells.indent;
    if let Some(status) = cells.letter {
        x = put(buf, area, x, 0, &status.letter().to_string(), theme.style(widgets::role(Some(status)))) + 1;
    }
    let room = columns.name.saturating_sub(usize::from(x) - 1);
    put(buf, area, x, 0, &text::fit(&cells.name, room), style);
    let mut cell = |end: u16, words: &str, style| {
        if end > 0 {
            put_right(buf, area, end, 0, words, style);
        }
    };
    cell(columns.k, &cells.k.map_or(String::new(), text::grouped), quiet);
    for (end, status) in columns.counts.into_iter().zip(Status::ALL) {
        let n = cells.counts.map(|c| c.of(status));
        let role = match n {
            Some(0) => Role::Faint,
            Some(_) if matches!(status, Status::Shrunk | Status::Expanded) => widgets::role(Some(status)),
            _ => cells.role,
        };
        cell(
            end,
            &n.map_or(String::new(), |n| if n == 0 { "·".to_owned() } else { text::grouped(n) }),
            theme.style(role),
        );
    }
    // One problem has no rates: how often each policy solves it says more.
    if let (Entry::Problem(problem), Unit::Problem) = (entry, state.lens.unit) {
        let line = &state.figures.lines[problem];
        let end = columns.rates.into_iter().max().unwrap_or(0);
        let words = format!(
            "{} → {} correct",
            text::grouped(line.hits[0].into()),
            text::grouped(line.hits[1].into())
        );
        cell(end, if cells.counts.is_some() { words.as_str() } else { "" }, quiet);
    }
    let one = matches!(entry, Entry::Problem(_)) && state.lens.unit == Unit::Problem;
    for (i, end) in columns.rates.into_iter().enumerate().filter(|_| !one) {
        let beside = columns.wide && matches!(i, 0 | 3);
        let words = if cells.counts.is_some() { text::decimal(cells.rates[i], 3) } else { String::new() };
        cell(if beside { end.saturating_sub(15) } else { end }, &words, style);
        let interval = cells.noise.and_then(|n| RATES[i].2(&n.intervals));
        if let (true, Some(interval)) = (beside, interval) {
            cell(end, &bracketed(interval), theme.style(Role::Muted));
        }
    }
    for (end, pass) in columns.pass.into_iter().zip(cells.pass) {
        cell(end, &pass.map_or(String::new(), |p| text::decimal(Some(p), 3)), quiet);
    }
    let chance = cells.noise.and_then(|n| n.floor.as_ref()).map_or(String::new(), |f| ranged(&f.s));
    cell(columns.chance, &chance, theme.style(Role::Muted));
    cell(columns.decided, &cells.decided, theme.style(Role::Muted));
}

fn cells(state: &State, entry: Entry) -> Cells<'_> {
    let rates = |counts: &Counts| RATES.map(|(_, rate, _)| rate(counts));
    match entry {
        Entry::Total | Entry::Task(_) => {
            let counts = counts(state, entry);
            let name = match entry {
                Entry::Task(task) => {
                    let mark = if state.suite.folded.contains(&task) { "+" } else { "−" };
                    format!("{mark} {}", state.tasks.names[task])
                }
                _ => match &state.tasks.names[..] {
                    [one] => format!("{one}, all"),
                    all => format!("all {} tasks", all.len()),
                },
            };
            let lines = || lines(state, entry).filter(|l| l.k > 0);
            let mean = |side: usize| {
                let n = lines().count();
                let sum: f64 = lines().map(|l| f64::from(l.hits[side]) / f64::from(l.k)).sum();
                (n > 0).then(|| sum / n as f64)
            };
            let ks = || lines().map(|l| u64::from(l.k));
            Cells {
                name,
                indent: 1,
                role: Role::Title,
                letter: None,
                k: ks().min(),
                rates: rates(&counts),
                counts: Some(counts),
                noise: noise(state, entry),
                pass: [mean(0), mean(1)],
                decided: String::new(),
            }
        }
        Entry::Published { task, row } => {
            let p = &state.tasks.published[task][row];
            let counts = p.row.counts();
            Cells {
                name: format!("{}, {}", p.rlvr, p.source),
                indent: 3,
                role: Role::Muted,
                letter: None,
                k: p.row.k.map(u64::from),
                rates: [p.row.srr, p.row.ndr, p.row.sds, p.row.nscr].map(Some),
                counts: Some(counts),
                noise: None,
                pass: [None; 2],
                decided: "published".to_owned(),
            }
        }
        Entry::Problem(problem) => {
            let line = &state.figures.lines[problem];
            let known = line.status.is_some();
            let rate = |side: usize| known.then(|| f64::from(line.hits[side]) / f64::from(line.k.max(1)));
            Cells {
                name: name(state, problem),
                indent: 3,
                role: Role::Text,
                letter: line.status,
                k: known.then_some(line.k.into()),
                rates: rates(&line.counts),
                counts: known.then_some(line.counts),
                noise: None,
                pass: [rate(0), rate(1)],
                decided: decided(line),
            }
        }
    }
}

/// A problem's number and what it asks.
fn name(state: &State, problem: usize) -> String {
    let digits = state.problems.len().to_string().len();
    format!("{:>digits$} {}", problem + 1, state.statement(problem))
}

fn decided(line: &Line) -> String {
    if line.format {
        return "by format?".to_owned();
    }
    match line.certainty {
        None => String::new(),
        Some(Certainty::Certain) => "certain".to_owned(),
        Some(Certainty::Undecided { k: Some(k) }) => format!("k ≈ {}", text::grouped(k.into())),
        Some(Certainty::Undecided { k: None }) => "undecided".to_owned(),
    }
}

/// The problems that a line sums up.
fn lines(state: &State, entry: Entry) -> impl Iterator<Item = &Line> {
    let inside = move |p: usize| match entry {
        Entry::Task(task) => state.tasks.of[p] == task,
        _ => true,
    };
    state.figures.lines.iter().enumerate().filter(move |(p, _)| inside(*p)).map(|(_, l)| l)
}

fn counts(state: &State, entry: Entry) -> Counts {
    lines(state, entry).map(|l| l.counts).sum()
}

fn noise(state: &State, entry: Entry) -> Option<&Noise> {
    let study = state.study_all()?;
    match entry {
        Entry::Total => Some(&study.noise),
        Entry::Task(task) => study.groups.get(task),
        Entry::Published { .. } | Entry::Problem(_) => None,
    }
}

/// What the selected line rests on, in sentences.
fn detail(state: &State, entry: Entry, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (title, words) = match entry {
        Entry::Total => (" All problems ".to_owned(), sums(state, entry)),
        Entry::Task(task) => (format!(" {} ", state.tasks.names[task]), sums(state, entry)),
        Entry::Published { task, row } => {
            (" Published ".to_owned(), printed(state, &state.tasks.published[task][row]))
        }
        Entry::Problem(problem) => (format!(" Problem {} ", problem + 1), problem_words(state, problem)),
    };
    let inner = inset(frame(buf, area, theme, false, &[(&title, theme.style(Role::Title))], ""), 1, 1);
    let mut y = 0;
    for words in &words {
        for line in text::wrap(words, usize::from(inner.width)) {
            put(buf, row(inner, y), 0, 0, words[line].trim_start(), theme.style(Role::Text));
            y = y.saturating_add(1);
        }
    }
}

fn sums(state: &State, entry: Entry) -> Vec<String> {
    let counts = counts(state, entry);
    let Some(noise) = noise(state, entry) else {
        return vec!["intervals, chance and p-value come once both policies have drawn".to_owned()];
    };
    let rate = |(name, rate, interval): (&str, Rate, Interval)| {
        let range = interval(&noise.intervals).map_or(String::new(), |i| format!(" {}", bracketed(i)));
        format!("{name} {}{range}", text::decimal(rate(&counts), 3))
    };
    let mut out = vec![RATES.map(rate).join("   ")];
    if let Some(floor) = &noise.floor {
        let nscr = floor.nscr.map_or(String::new(), |r| format!(", NSCR {}", bracketed((r.low, r.high))));
        let source = match floor.source {
            FloorSource::Split => "the base's draws split in two",
            FloorSource::Formula => "from the base's pass rates",
        };
        let both = [&floor.e, &floor.s].map(ranged);
        out.push(format!(
            "two bases would show: E {}, S {}{nscr} ({source}); p of NSCR {}",
            both[0],
            both[1],
            text::p_value(noise.p_value)
        ));
    }
    let regime = Regime::of(&counts).map(|r| format!("{} ({})", r.name(), r.thresholds()));
    let (flipped, certain) = state.decided();
    let plural = if flipped == 1 { "" } else { "s" };
    let flips = format!("{flipped} problem{plural} lost or gained, {certain} certain");
    out.push(regime.map_or(flips.clone(), |r| format!("{r}; {flips}")));
    if let (Entry::Total, Some(study)) = (entry, state.study_all()) {
        let items = format!("{}s", distinct(state.lens.unit).name());
        let unseen = [0, 1].map(|side| study.unseen[side].map(|u| u.sentence(state.name(side), &items)));
        out.extend(unseen.into_iter().flatten());
    }
    out
}

fn printed(state: &State, p: &Published) -> Vec<String> {
    let k = p.row.k.map_or(String::new(), |k| format!(" at k = {}", text::grouped(k.into())));
    let mut out = vec![format!(
        "{} → {}{k}, {}; T {}, top-p {}",
        p.base,
        p.rlvr,
        p.source,
        crate::support::paper::paper().sampling.temperature,
        crate::support::paper::paper().sampling.top_p
    )];
    if let Some(both) = p.row.pass_at_k {
        out.push(format!("pass@k {} % → {} %", both.base, both.rlvr));
    }
    let c = p.row.counts();
    if let Some(regime) = Regime::of(&c) {
        out.push(format!("{} ({})", regime.name(), regime.thresholds()));
    }
    let s = &state.settings.sampling;
    out.push(format!("this run: T {}, top-p {}; unit problem is the paper's", s.temperature, s.top_p));
    out
}

fn problem_words(state: &State, problem: usize) -> Vec<String> {
    let line = &state.figures.lines[problem];
    let mut out = vec![state.statement(problem)];
    let Some(change) = Change::of(line.hits, [line.k; 2], state.zeta()).filter(|_| line.status.is_some())
    else {
        out.push("nothing drawn by both yet".to_owned());
        return out;
    };
    let k = text::grouped(line.k.into());
    let hits = [0, 1].map(|side| format!("{} {} of {k}", state.name(side), line.hits[side]));
    let certainty = line.certainty.map_or(String::new(), Certainty::words);
    let status = line.status.map_or("", Status::word);
    out.push(format!(
        "{status}: {}, p {}; {certainty}",
        hits.join(", "),
        text::p_value(Some(change.p_value))
    ));
    for side in [0, 1] {
        if let Some(bound) = change.bounds[side] {
            out.push(format!("{} below {}", state.name(side), bound_words(bound)));
        }
    }
    if line.format {
        out.push("lost or gained by the rules that read the answers: a change of format".to_owned());
    }
    let m = line.methods;
    if state.lens.unit == Unit::Problem && m.total() > 0 {
        out.push(format!("methods: {} kept, {} gained, {} lost", m.p, m.e, m.s));
    }
    out.push(format!("ε at this k {}", text::small(epsilon(line.k))));
    out
}

/// `0.0116 (1 − ζ^(1/k)), ε 0.0117`.
pub fn bound_words(bound: Bound) -> String {
    format!("{} = 1 − ζ^(1/k); ε = −ln ζ/k = {}", text::precise(bound.exact), text::precise(bound.epsilon))
}
