//! The charts of Training: of one pull, or one figure of all pulls.

use crate::app::State;
use crate::app::state::training::{K, Pull};
use crate::support::Counts;
use crate::support::paper::paper;
use crate::train::Evaluation;
use crate::ui::canvas::{inset, put, row};
use crate::ui::chart::axis;
use crate::ui::chart::steps::{Line, Stacked, Steps};
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::frame::frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The least columns and rows of a chart.
const LEAST: (u16, u16) = (24, 7);
/// Columns that a chart needs to be read with ease.
const EASE: u16 = 38;

/// Roles of lines, the first the boldest.
pub(super) const ROLES: [Role; 6] =
    [Role::Rlvr, Role::Base, Role::Gained, Role::Lost, Role::Accent, Role::Correct];

/// What a chart shows.
struct Panel {
    title: String,
    lines: Vec<Line>,
    /// Lowest and highest value of the axis.
    range: (f64, f64),
    last: usize,
    mark: Option<usize>,
    /// Shares, in the place of lines.
    stacked: Option<Shares>,
}

#[derive(Default)]
struct Shares {
    points: Vec<(usize, Vec<f64>)>,
    layers: Vec<(String, Role)>,
}

pub fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return;
    }
    let panels = if state.training.all { of_all(state) } else { of_one(state) };
    let columns = (area.width / EASE).clamp(1, 3).max(u16::from(area.width >= 2 * LEAST.0) * 2);
    let rows = (area.height / LEAST.1).clamp(1, (panels.len() as u16).div_ceil(columns));
    let shown = usize::from(columns * rows).min(panels.len());
    let pages = panels.len().div_ceil(shown.max(1));
    let first = (state.training.page % pages.max(1) * shown).min(panels.len() - shown);
    for (i, panel) in panels[first..first + shown].iter().enumerate() {
        let (x, y) = (i as u16 % columns, i as u16 / columns);
        let left = area.width * x / columns;
        let top = area.height * y / rows;
        let place = Rect {
            x: area.x + left,
            y: area.y + top,
            width: area.width * (x + 1) / columns - left,
            height: area.height * (y + 1) / rows - top,
        };
        panel.render(place, buf, theme);
    }
}

impl Panel {
    fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let inner = frame(buf, area, theme, false, &[(&self.title, theme.style(Role::Title))], "");
        let legend = row(inner, 0);
        let mut x = 0;
        let mut word = |words: String, role: Role| {
            if x + text::width(&words) as u16 <= legend.width {
                x = put(buf, legend, x, 0, &words, theme.style(role)) + 2;
            }
        };
        match &self.stacked {
            Some(shares) => {
                let at = self.mark.unwrap_or(usize::MAX);
                let now = shares.points.iter().rev().find(|(s, _)| *s <= at).map(|(_, all)| all);
                let mut known: Vec<_> = shares.layers.iter().enumerate().collect();
                let share = |i: usize| now.and_then(|all| all.get(i)).copied().unwrap_or(0.0);
                known.sort_by(|a, b| share(b.0).total_cmp(&share(a.0)));
                for (i, (name, role)) in known {
                    word(format!("{} {}", text::fit(name, 12), short(Some(share(i)))), *role);
                }
            }
            None => {
                for line in &self.lines {
                    let value = self.mark.map_or(line.newest(), |step| line.at(step));
                    let name = if line.dashed { format!("╌{}", line.name) } else { line.name.clone() };
                    word(format!("{name} {}", short(value)), line.role);
                }
            }
        }
        let plot = Rect { y: inner.y + 1.min(inner.height), height: inner.height.saturating_sub(1), ..inner };
        let plot = inset(plot, 0, 1);
        match &self.stacked {
            Some(shares) => {
                let Shares { points, layers } = shares;
                Stacked { points, layers, last: self.last, mark: self.mark }.render(plot, buf, theme);
            }
            None => {
                let Panel { lines, range, last, mark, .. } = self;
                Steps { lines, range: *range, last: *last, mark: *mark }.render(plot, buf, theme);
            }
        }
    }

    fn of_lines(title: &str, lines: Vec<Line>, last: usize, mark: Option<usize>) -> Self {
        let values = || lines.iter().flat_map(|l| &l.points).map(|p| p.1).filter(|v| v.is_finite());
        let low = if values().any(|v| v < 0.0) { -1.0 } else { 0.0 };
        let high = values().fold(0.0, f64::max);
        let high = if values().next().is_none() { 1.0 } else { high };
        let high = if high <= 1.0 && (low < 0.0 || high > 0.3) { 1.0 } else { axis::ceiling(high, 0.02) };
        Self { title: format!(" {title} "), lines, range: (low, high), last, mark, stacked: None }
    }
}

/// A value in few columns.
fn short(value: Option<f64>) -> String {
    let decimals = match value {
        Some(v) if v.abs() >= 10.0 => 0,
        Some(v) if v.abs() < 0.095 && v != 0.0 => 3,
        _ => 2,
    };
    text::decimal(value, decimals)
}

/// A figure of an evaluation.
type Read = fn(&Evaluation) -> f64;

fn rate(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

const PASS_1: Read = |e| e.pass_1;
const PASS_K: Read = |e| e.pass_k;
const TOKEN: Read = |e| e.token_entropy;
const ANSWER: Read = |e| e.answer_entropy;
const LENGTH: Read = |e| e.length;
const KL: Read = |e| e.kl;
const METHODS: [(&str, Read); 3] = [
    ("SRR", |e| rate(e.methods.srr())),
    ("NDR", |e| rate(e.methods.ndr())),
    ("NSCR", |e| rate(e.methods.nscr())),
];
const PROBLEMS: [(&str, Read); 3] = [
    ("SRR", |e| rate(e.problems.srr())),
    ("NDR", |e| rate(e.problems.ndr())),
    ("NSCR", |e| rate(e.problems.nscr())),
];

const ANSWERS: [(&str, Read); 3] = [
    ("SRR", |e| rate(e.answers.srr())),
    ("NDR", |e| rate(e.answers.ndr())),
    ("NSCR", |e| rate(e.answers.nscr())),
];

/// Whether problems have several right answers, so that there is something to see in them.
fn has_answers(all: &[Evaluation]) -> bool {
    let items = |c: &Counts| c.p + c.e + c.s;
    all.iter().any(|e| items(&e.answers) > items(&e.problems))
}

fn examined(name: &str, all: &[Evaluation], read: Read, at: usize) -> Line {
    let points = all.iter().map(|e| (e.step, read(e))).collect();
    Line { name: name.to_owned(), points, role: ROLES[at % ROLES.len()], dashed: at % 2 == 1 }
}

/// The selected pull; the timeline of the embedded checkpoints where there is none.
fn of_one(state: &State) -> Vec<Panel> {
    let training = &state.training;
    let timeline;
    let (all, pull): (&[Evaluation], Option<&Pull>) = match training.pull() {
        Some(pull) => (&pull.examined, Some(pull)),
        None => {
            timeline = state.timeline();
            (&timeline, None)
        }
    };
    let newest = all.last().map_or(1, |e| e.step);
    let last = pull.map_or(if all.is_empty() { training.steps } else { newest }, |p| p.last);
    let mark = match pull {
        Some(_) => training.step.and(training.at()).map(|e| e.step),
        None => {
            crate::model::embedded::step(state.policies.get(state.pair.rlvr).map_or("", |p| p.spec.as_str()))
        }
    };
    let mut reward = vec![
        examined("pass@1", all, PASS_1, 0),
        examined(&format!("pass@{}", all.last().map_or(K, |e| e.k)), all, PASS_K, 1),
    ];
    if let Some(pull) = pull {
        let points = pull.stepped.iter().filter_map(|s| Some((s.step, s.drawn.as_ref()?.reward))).collect();
        reward.insert(0, Line { name: "reward".into(), points, role: Role::Gained, dashed: false });
    }
    let three = |figures: &[(&str, Read); 3]| {
        figures.iter().enumerate().map(|(i, (name, read))| examined(name, all, *read, i)).collect()
    };
    let single =
        |title: &str, read: Read| Panel::of_lines(title, vec![examined("", all, read, 0)], last, mark);
    let mut panels = vec![
        Panel::of_lines("Reward", reward, last, mark),
        Panel::of_lines("Support, methods", three(&METHODS), last, mark),
        single("Answer entropy, nats", ANSWER),
        Panel { stacked: Some(shares(all, pull)), ..Panel::of_lines("Methods", Vec::new(), last, mark) },
        Panel::of_lines("Support, problems", three(&PROBLEMS), last, mark),
        single("Token entropy, nats", TOKEN),
        single("KL to the base, nats a token", KL),
        single("Length, tokens", LENGTH),
        published(),
    ];
    if has_answers(all) {
        panels.insert(1, Panel::of_lines("Support, answers", three(&ANSWERS), last, mark));
    }
    panels
}

/// The share of each method, step by step where that is known.
fn shares(all: &[Evaluation], pull: Option<&Pull>) -> Shares {
    let drawn = pull.into_iter().flat_map(|p| &p.stepped);
    let mut steps: Vec<(usize, &[(String, f64)])> =
        drawn.filter_map(|s| Some((s.step, s.drawn.as_ref()?.methods.as_slice()))).collect();
    if steps.is_empty() {
        steps = all.iter().map(|e| (e.step, e.shares.as_slice())).collect();
    }
    let Some((_, first)) = steps.first() else { return Shares::default() };
    let mut names: Vec<&(String, f64)> = first.iter().collect();
    names.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut names: Vec<&str> = names.into_iter().map(|(name, _)| name.as_str()).collect();
    for (name, _) in steps.iter().flat_map(|(_, shares)| *shares) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let share = |shares: &[(String, f64)], name: &str| {
        shares.iter().find(|(n, _)| n == name).map_or(0.0, |(_, share)| *share)
    };
    let points = steps
        .iter()
        .map(|(step, shares)| (*step, names.iter().map(|n| share(shares, n)).collect()))
        .collect();
    let role = |i: usize| if i < ROLES.len() { ROLES[i] } else { Role::Muted };
    let layers = names.iter().enumerate().map(|(i, name)| ((*name).to_owned(), role(i))).collect();
    Shares { points, layers }
}

/// One figure a chart, one line a pull; the timeline is one of them.
fn of_all(state: &State) -> Vec<Panel> {
    let timeline = state.timeline();
    let pulls = || state.training.pulls.iter();
    let last = pulls().map(|p| p.last).chain(timeline.last().map(|e| e.step)).max().unwrap_or(1);
    let mut figures: Vec<(&str, Read)> = vec![
        ("pass@1", PASS_1),
        ("SRR, methods", METHODS[0].1),
        ("Answer entropy, nats", ANSWER),
        ("NSCR, methods", METHODS[2].1),
        ("NDR, methods", METHODS[1].1),
        ("SRR, problems", PROBLEMS[0].1),
        ("pass@k", PASS_K),
        ("KL to the base, nats a token", KL),
        ("Length, tokens", LENGTH),
    ];
    if has_answers(&timeline) || pulls().any(|p| has_answers(&p.examined)) {
        figures.insert(1, ("SRR, answers", ANSWERS[0].1));
    }
    let panel = |(title, read): (&str, Read)| {
        let mut lines: Vec<Line> =
            pulls().enumerate().map(|(i, p)| examined(&p.id.to_string(), &p.examined, read, i)).collect();
        if !timeline.is_empty() {
            let line = examined("embedded", &timeline, read, 1);
            lines.insert(0, Line { role: Role::Muted, ..line });
        }
        Panel::of_lines(title, lines, last, None)
    };
    figures.into_iter().map(panel).collect()
}

/// The paper's own timeline: SRR against step on each of its data sets.
fn published() -> Panel {
    let timeline = &paper().training_timeline;
    let sets = timeline.datasets.0.iter().enumerate();
    let lines: Vec<Line> = sets
        .map(|(i, (name, steps))| {
            let points = steps.rows.iter().filter_map(|r| Some((r.step? as usize, r.srr))).collect();
            Line { name: name.clone(), points, role: ROLES[i % ROLES.len()], dashed: i % 2 == 1 }
        })
        .collect();
    let last = lines.iter().flat_map(|l| &l.points).map(|p| p.0).max().unwrap_or(1);
    let title = format!(
        "{}'s {}, {}: SRR, problems",
        "The paper",
        timeline.source.to_lowercase(),
        timeline.algorithm
    );
    // From 0.8 on, where all of it happens.
    Panel { range: (0.8, 1.0), ..Panel::of_lines(&title, lines, last, None) }
}
