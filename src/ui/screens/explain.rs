//! Every figure explains itself: what it is here, its definition, formula and source.

mod tokens;

use super::suite::bound_words;
use crate::app::State;
use crate::app::figures::Measures;
use crate::app::state::Screen;
use crate::app::study::{Study, distinct};
use crate::support::change::{Certainty, Change};
use crate::support::entropy::{Divergence, Regime};
use crate::support::{Counts, Crossing, Status, Unit};
use crate::ui::canvas::{inset, put, row};
use crate::ui::layout::middle;
use crate::ui::text;
use crate::ui::theme::{Role, Theme};
use crate::ui::widgets::entropy::reading;
use crate::ui::widgets::frame::frame;
use crate::ui::widgets::support::{Interval, RATES, Rate, bracketed, criterion, ranged};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// One figure.
struct Figure {
    name: String,
    /// What it is on this problem, and over all, in words.
    here: Vec<String>,
    formula: &'static str,
    source: &'static str,
}

/// The paper.
const PAPER: &str = "Wu et al., The Invisible Leash, arXiv:2507.14843";

/// Draws the figures in view over a screen from line `at` on; returns the lines that do not
/// fit.
pub fn draw(state: &State, at: usize, theme: &Theme, area: Rect, buf: &mut Buffer) -> usize {
    let area = middle(area, 100, area.height.saturating_sub(2));
    Clear.render(area, buf);
    let title = [(" What the figures say ", theme.style(Role::Title))];
    let inner = inset(frame(buf, area, theme, true, &title, " esc closes "), 1, 1);
    let lines = lines(state, usize::from(inner.width));
    let overflow = lines.len().saturating_sub(usize::from(inner.height));
    let shown = lines.iter().skip(at.min(overflow)).take(usize::from(inner.height));
    for (y, (indent, words, role)) in shown.enumerate() {
        put(buf, row(inner, y as u16), *indent, 0, words, theme.style(*role));
    }
    if overflow > 0 {
        let words = format!(" {} more lines ", overflow - at.min(overflow));
        put(buf, area, 2, area.height - 1, &words, theme.style(Role::Muted));
    }
    overflow
}

fn lines(state: &State, width: usize) -> Vec<(u16, String, Role)> {
    let mut out = Vec::new();
    for figure in figures(state) {
        if !out.is_empty() {
            out.push((0, String::new(), Role::Text));
        }
        let mut say = |indent: u16, words: &str, role| {
            for line in text::wrap(words, width.saturating_sub(indent.into())) {
                out.push((indent, words[line].trim_start().to_owned(), role));
            }
        };
        say(0, &figure.name, Role::Title);
        figure.here.iter().for_each(|words| say(2, words, Role::Text));
        say(2, figure.formula, Role::Accent);
        say(2, figure.source, Role::Muted);
    }
    out
}

/// The figures of the screen, the nearest to what is looked at first.
fn figures(state: &State) -> Vec<Figure> {
    let mut support = vec![counts(state)];
    support.extend(rates(state));
    support.extend([chance(state), p_value(state), regime(state)]);
    let curves = || vec![pass(state), crossing(state), luck(state), cover(), coverage(state)];
    match state.screen {
        Screen::Explore | Screen::Completions => {
            let open = state.screen == Screen::Completions;
            let tokens = if open { tokens::figures(state) } else { Vec::new() };
            let first = tokens.into_iter().chain(item(state)).chain([problem(state)]);
            let entropies = [token(state), answer(state), divergence(state)];
            first
                .chain(support)
                .chain([pass(state), crossing(state), luck(state), unseen(state)])
                .chain(entropies)
                .collect()
        }
        Screen::Curves => {
            let entropies = [answer(state), token(state), divergence(state), unseen(state)];
            curves().into_iter().chain(entropies).collect()
        }
        Screen::Suite | Screen::Training | Screen::Runs => {
            support.into_iter().chain([problem(state), unseen(state), pass(state)]).collect()
        }
    }
}

fn unit(state: &State) -> &'static str {
    match state.lens.unit {
        Unit::Problem => "a problem, solved or not",
        Unit::Answer => "a distinct correct answer",
        Unit::Method => "a distinct method of correct solutions",
        Unit::Completion => "a distinct correct text",
    }
}

/// The selected cluster.
fn item(state: &State) -> Option<Figure> {
    let row = state.figures.here.rows.get(state.selected_row())?;
    let k = state.figures.here.k;
    let name =
        if row.method.is_empty() { row.answer.clone() } else { format!("{}, {}", row.answer, row.method) };
    let change = Change::of(row.hits, [k; 2], state.zeta())?;
    let of =
        [0, 1].map(|side| format!("{} {} of {}", state.name(side), row.hits[side], text::grouped(k.into())));
    let mut here = vec![format!(
        "drawn by {}; p that both are as likely {}",
        of.join(", by "),
        text::p_value(Some(change.p_value))
    )];
    for side in [0, 1] {
        if let Some(bound) = change.bounds[side] {
            let rest = "with 95 % confidence";
            here.push(format!(
                "{} has it with a probability below {} {rest}",
                state.name(side),
                bound_words(bound)
            ));
        }
    }
    if row.correct {
        let certainty = row.change.map_or(change.certainty, |c| c.certainty);
        here.push(format!(
            "{}: {}",
            row.status.map_or("left out by the lens", Status::word),
            certainty.words()
        ));
    }
    Some(Figure {
        name: format!("The selected cluster: {name}"),
        here,
        formula: "certain: shown by both, or Fisher's exact test rejects equal rates at ζ = 0.05; k ≈ would decide if the rates stay",
        source: "ε = −ln ζ/k: the paper's appendix C.4; the exact bound solves (1 − p)^k = ζ",
    })
}

fn problem(state: &State) -> Figure {
    let Some(line) = state.figures.lines.get(state.current) else {
        return Figure { name: "This problem".to_owned(), here: Vec::new(), formula: "", source: "" };
    };
    let k = text::grouped(line.k.into());
    let here = match line.status {
        None => vec!["nothing drawn by both yet".to_owned()],
        Some(status) => {
            let certainty = line.certainty.map_or(String::new(), Certainty::words);
            let mut here = vec![format!(
                "{}: {} solves it in {} of {k}, {} in {}; {certainty}",
                status.word(),
                state.name(0),
                line.hits[0],
                state.name(1),
                line.hits[1]
            )];
            if line.format {
                here.push("the right answers were found by rules that never read the other policy, or other rules undo the flip: a change of format, not of ability".to_owned());
            }
            here
        }
    };
    Figure {
        name: format!("This problem at k = {k}"),
        here,
        formula: "P both solve it, E (gained) only the RLVR policy, S (lost) only the base, O neither; both at the same k",
        source: "definition 3.2 of the paper; the flip's test is Fisher's, two-sided",
    }
}

fn counts(state: &State) -> Figure {
    let words = |c: &Counts| format!("P {} kept, E {} gained, S {} lost, O {} neither", c.p, c.e, c.s, c.o);
    Figure {
        name: format!("P, E, S, O; counted is {}", unit(state)),
        here: [format!("in support now: {}", criterion(state))]
            .into_iter()
            .chain(both(state, words))
            .collect(),
        formula: "e switches: found once in k (the paper's tables); found 2 or 4 times, which luck does less easily; p̂ > ε = −ln ζ/k, 3 hits or more (the paper's definition)",
        source: PAPER,
    }
}

/// A sentence on this problem and one on all.
fn both(state: &State, words: impl Fn(&Counts) -> String) -> Vec<String> {
    vec![
        format!("this problem: {}", words(&state.figures.here.counts)),
        format!("all {}: {}", state.problems.len(), words(&state.figures.all.counts)),
    ]
}

fn rates(state: &State) -> Vec<Figure> {
    let says: [(&str, &str, &str); 4] = [
        ("SRR, support retention rate", "of what the base reaches, the RLVR policy keeps", "P/(P + S)"),
        ("NDR, net discovery rate", "of what the RLVR policy reaches is new", "E/(P + E)"),
        (
            "SDS, support dynamic score",
            "retention and discovery together",
            "2·SRR·NDR/(SRR + NDR); 0 where NDR is 0",
        ),
        (
            "NSCR, net support change rate",
            "of all that either reaches was gained, less what was lost",
            "(E − S)/(P + E + S)",
        ),
    ];
    let figure = |((name, means, formula), (_, rate, interval)): (
        (&str, &'static str, &'static str),
        (&str, Rate, Interval),
    )| {
        let one = |whose: String, counts: &Counts, study: Option<&Study>| match rate(counts) {
            None => format!("{whose}: – (undefined: nothing to divide by)"),
            Some(r) => {
                let range = study
                    .and_then(|s| interval(&s.noise.intervals))
                    .map_or(String::new(), |i| format!(" {}", bracketed(i)));
                let share = text::decimal(Some(100.0 * r), 1);
                format!("{whose}: {}{range}: {share} % {means}", text::decimal(Some(r), 3))
            }
        };
        Figure {
            name: name.to_owned(),
            here: vec![
                one("this problem".to_owned(), &state.figures.here.counts, state.study_here()),
                one(format!("all {}", state.problems.len()), &state.figures.all.counts, state.study_all()),
            ],
            formula,
            source: "definition 3.3 of the paper; 95 % interval by bootstrap over problems and completions, never narrower than Wilson's",
        }
    };
    says.into_iter().zip(RATES).map(figure).collect()
}

fn chance(state: &State) -> Figure {
    let one = |whose: String, study: Option<&Study>, counts: &Counts| {
        let floor = study.and_then(|s| s.noise.floor.as_ref());
        let Some(f) = floor else { return format!("{whose}: –") };
        let real = if counts.s as f64 > f.s.high {
            "more was lost than luck explains"
        } else {
            "luck alone may have lost as much"
        };
        format!(
            "{whose}: E {}, S {} by chance; seen E {}, S {}: {real}",
            ranged(&f.e),
            ranged(&f.s),
            counts.e,
            counts.s
        )
    };
    Figure {
        name: "By chance: the noise floor".to_owned(),
        here: vec![
            one("this problem".to_owned(), state.study_here(), &state.figures.here.counts),
            one(format!("all {}", state.problems.len()), state.study_all(), &state.figures.all.counts),
        ],
        formula: "what E and S would be if both policies were the base: its own draws split in two, else Σ (1 − (1 − p)^k)(1 − p)^k",
        source: "ours; the paper's tables do not say how much of E and S is luck",
    }
}

fn p_value(state: &State) -> Figure {
    let p = |study: Option<&Study>| text::p_value(study.and_then(|s| s.noise.p_value));
    Figure {
        name: "p of NSCR".to_owned(),
        here: vec![format!(
            "this problem {}, all {} {}",
            p(state.study_here()),
            state.problems.len(),
            p(state.study_all())
        )],
        formula: "how often |NSCR| is as large when the completions are dealt to the two policies at random",
        source: "permutation test, two-sided, 999 deals",
    }
}

fn regime(state: &State) -> Figure {
    let words = |c: &Counts| match Regime::of(c) {
        Some(r) => format!("{} ({})", r.name(), r.thresholds()),
        None => "– (SRR or NDR is undefined)".to_owned(),
    };
    Figure {
        name: "Regime".to_owned(),
        here: both(state, words),
        formula: "SRR high or low against NDR high or low; the thresholds are ours",
        source: "the four names of the paper's section 3.2",
    }
}

fn pass(state: &State) -> Figure {
    let ends = |m: &[Measures; 2]| {
        let of = |side: usize| {
            let (first, last) = (m[side].curve.first()?, m[side].curve.last()?);
            Some(format!(
                "{} {} at k = 1, {} at {}",
                state.name(side),
                text::decimal(Some(first.value), 3),
                text::decimal(Some(last.value), 3),
                last.k
            ))
        };
        [0, 1].map(|side| of(side).unwrap_or_else(|| format!("{} –", state.name(side)))).join("; ")
    };
    Figure {
        name: if state.lens.sound { "pass@k of sound completions".to_owned() } else { "pass@k".to_owned() },
        here: vec![
            format!("this problem: {}", ends(&state.figures.here.measures)),
            format!("all {}: {}", state.problems.len(), ends(&state.figures.all.measures)),
            "the small lines in the list of problems: base, then RLVR, from one draw to all of them; dots: never right".to_owned(),
        ],
        formula: "1 − C(n−c, k)/C(n, k): that at least one of k draws is correct; blank where n < k",
        source: "Chen et al. 2021, arXiv:2107.03374, eq. 1; bands: Wilson on the effective number of problems",
    }
}

fn crossing(state: &State) -> Figure {
    let here = match state.figures.all.crossing {
        Crossing::At { k, low, high } => {
            format!("from k = {k} on the base is not behind; it may as well lie anywhere in [{low}, {high}]")
        }
        Crossing::NoneUpTo(k) => format!("no crossing up to k = {}", text::grouped(k.into())),
        Crossing::Unknown => "–".to_owned(),
    };
    Figure {
        name: "Crossing k*".to_owned(),
        here: vec![here],
        formula: "the least k at which the base's mean pass@k reaches the RLVR policy's, after it was behind",
        source: "interval: where the paired difference over problems is not told from 0 at 95 %",
    }
}

fn luck(state: &State) -> Figure {
    let last = |side: usize| {
        let point = state.study_all()?.luck[side].last().copied()?;
        Some(format!("{} {} at k = {}", state.name(side), text::decimal(Some(point.value), 3), point.k))
    };
    let here = match (last(0), last(1)) {
        (Some(base), Some(rlvr)) => format!("over all problems: {base}, {rlvr}"),
        _ => "– (no other references of the same form)".to_owned(),
    };
    Figure {
        name: "Luck floor".to_owned(),
        here: vec![here],
        formula: "pass@k of the same completions judged against the references of the other problems of the task",
        source: "ours: what guessing alone reaches; only what lies above it is skill",
    }
}

fn cover() -> Figure {
    Figure {
        name: "Cover@τ".to_owned(),
        here: vec!["how many problems are solved reliably: at τ near 0 those solved at all, at 1 those always solved".to_owned()],
        formula: "the share of problems whose share of correct completions is at least τ",
        source: "a step curve over the observed pass rates",
    }
}

fn coverage(state: &State) -> Figure {
    Figure {
        name: format!("Distinct correct {}s against k", distinct(state.lens.unit).name()),
        here: vec![
            "how many different solutions k completions show on average; a flat end says that all were seen"
                .to_owned(),
        ],
        formula: "Σ over items of 1 − C(n−h, k)/C(n, k)",
        source: "rarefaction, Hurlbert 1971",
    }
}

fn unseen(state: &State) -> Figure {
    let items = format!("{}s", distinct(state.lens.unit).name());
    let say = |study: Option<&Study>| -> Vec<String> {
        let of = |side: usize| {
            let u = study?.unseen[side]?;
            let more = format!(
                "at least {} exist, {} seen, {} more with as many draws again",
                text::decimal(Some(u.richness), 0),
                u.seen,
                text::decimal(Some(u.next), 1)
            );
            Some(format!("{}; {more}", u.sentence(state.name(side), &items)))
        };
        [0, 1].into_iter().filter_map(of).collect()
    };
    let mut here: Vec<String> =
        say(state.study_here()).into_iter().map(|w| format!("this problem: {w}")).collect();
    here.extend(say(state.study_all()).into_iter().map(|w| format!("all: {w}")));
    Figure {
        name: format!("Not seen yet: {items}"),
        here: if here.is_empty() { vec!["–".to_owned()] } else { here },
        formula: "missing mass f1/n; at least S + f1(f1 − 1)/(2(f2 + 1)) exist; new ones −Σ (−1)^h f_h",
        source: "Good–Turing (Good 1953), Chao1 (Chao 1984), Good & Toulmin 1956",
    }
}

fn pair_words(state: &State, of: fn(&Measures) -> String) -> Vec<String> {
    let words =
        |m: &[Measures; 2]| format!("{} {} → {} {} nats", state.name(0), of(&m[0]), state.name(1), of(&m[1]));
    vec![
        format!("this problem: {}", words(&state.figures.here.measures)),
        format!("all {}: {}", state.problems.len(), words(&state.figures.all.measures)),
    ]
}

fn token(state: &State) -> Figure {
    Figure {
        name: "Token entropy".to_owned(),
        here: pair_words(state, |m| text::bounded(m.token_entropy, m.token_entropy_range, 3)),
        formula: "mean over completions of the mean over tokens of H of the full next-token distribution",
        source: "the paper's section 5 and table 5",
    }
}

fn answer(state: &State) -> Figure {
    Figure {
        name: "Answer entropy".to_owned(),
        here: pair_words(state, |m| text::decimal(m.answer_entropy, 3)),
        formula: "H of the distribution of the answers drawn, no answer as one class; mean over problems",
        source: "the paper's section 5 and table 5; plug-in, a little low where answers are many",
    }
}

fn divergence(state: &State) -> Figure {
    Figure {
        name: "Divergence".to_owned(),
        here: vec![reading(state).map_or(text::NONE, Divergence::words).to_owned()],
        formula: "token entropy up or down against answer entropy up or down; within 0.02 nats it has not moved",
        source: "the paper's section 5.2; over all problems",
    }
}
