//! The figures on screen, kept from frame to frame: only what has changed is computed.

mod rows;

pub use rows::Row;

use super::state::explore::Order;
use super::state::suite::Sort;
use super::state::{Screen, State};
use crate::problem::Verdict;
use crate::support::change::{Certainty, Change};
use crate::support::{
    ClusterKey, Counts, Criterion, Crossing, Entropies, Ledger, Lens, Pair, Point, Status, Unit,
};
use rows::passes;

/// The figures on screen. Those with two values have the base's first.
#[derive(Clone, Debug)]
pub struct Figures {
    pub here: Here,
    pub all: All,
    /// One a problem.
    pub lines: Vec<Line>,
    /// The problems that pass the filter.
    pub shown: Vec<usize>,
    /// The same by problem.
    passing: Vec<bool>,
    /// The same in the chosen order, for the list.
    pub listed: Vec<usize>,
    /// The completions of the open cluster, by index.
    pub members: Vec<u32>,
    view: Option<View>,
    stale: Vec<bool>,
    /// Completions that came in.
    came: usize,
    /// Those that came since the figures of all problems were computed.
    unread: usize,
}

/// Of the problem on screen.
#[derive(Clone, Debug, Default)]
pub struct Here {
    pub problem: usize,
    /// Both policies are compared at this k.
    pub k: u32,
    /// The clusters that pass the filter.
    pub rows: Vec<Row>,
    /// How many do not.
    pub hidden: usize,
    order: Order,
    pub counts: Counts,
    /// The counts by the task's own rules, where others are shown.
    pub usual: Option<Counts>,
    pub measures: [Measures; 2],
    /// Distinct correct clusters.
    pub distinct: [usize; 2],
    pub history: [Vec<Entropies>; 2],
}

/// Of all problems.
#[derive(Clone, Debug)]
pub struct All {
    pub counts: Counts,
    pub measures: [Measures; 2],
    pub crossing: Crossing,
    /// The counts by the task's own rules, where others are shown.
    pub usual: Option<Counts>,
}

/// What is measured of one policy.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    pub curve: Vec<Point>,
    /// Nats.
    pub token_entropy: Option<f64>,
    /// Between which bounds it lies, nats, where a server gave the likeliest tokens only.
    pub token_entropy_range: Option<[f64; 2]>,
    /// Nats.
    pub answer_entropy: Option<f64>,
    pub mean_tokens: Option<f64>,
}

impl Measures {
    /// pass@1, where anything was drawn.
    pub fn pass_1(&self) -> Option<f64> {
        self.curve.first().map(|p| p.value)
    }
}

/// A problem in the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    pub status: Option<Status>,
    /// In the lens's unit.
    pub counts: Counts,
    /// In unit `method`: a problem that stays solved has often lost most of its ways.
    pub methods: Counts,
    pub k: u32,
    /// Correct completions of base and RLVR within k.
    pub hits: [u32; 2],
    /// Whether the draws decide what became of it; `None` before any.
    pub certainty: Option<Certainty>,
    /// It is lost or gained only through a difference of the rules that read the answers.
    pub format: bool,
}

impl Line {
    /// Whether anything was lost or gained.
    pub fn flipped(&self) -> bool {
        self.counts.e + self.counts.s > 0 || matches!(self.status, Some(Status::Expanded | Status::Shrunk))
    }
}

/// What the figures depend on beside the completions.
#[derive(Clone, Debug, PartialEq)]
struct View {
    current: usize,
    lens: Lens,
    pair: Pair,
    filter: String,
    open: Option<(ClusterKey, usize)>,
    sort: Sort,
    clusters: (String, Order),
}

impl Figures {
    pub(super) fn new(problems: usize) -> Self {
        Self {
            here: Here::default(),
            all: All {
                counts: Counts::default(),
                measures: Default::default(),
                crossing: Crossing::Unknown,
                usual: None,
            },
            lines: vec![Line::default(); problems],
            shown: (0..problems).collect(),
            passing: vec![true; problems],
            listed: (0..problems).collect(),
            members: Vec::new(),
            view: None,
            stale: vec![true; problems],
            came: 0,
            unread: 1,
        }
    }

    /// Completions that came in.
    pub(super) fn came(&self) -> usize {
        self.came
    }

    /// Another ledger is shown.
    pub(super) fn touch_all(&mut self) {
        self.stale.fill(true);
        self.unread = self.unread.max(1);
    }

    /// What is shown of a problem has changed, without a new completion.
    pub(super) fn touch_shown(&mut self, problem: usize) {
        if let Some(stale) = self.stale.get_mut(problem) {
            *stale = true;
            self.unread += 1;
        }
    }

    /// There are more problems now.
    pub(super) fn grow(&mut self, problems: usize) {
        self.shown.extend(self.lines.len()..problems);
        self.listed.extend(self.lines.len()..problems);
        self.lines.resize(problems, Line::default());
        self.passing.resize(problems, true);
        self.stale.resize(problems, true);
    }

    /// A completion of a problem came in.
    pub(super) fn touch(&mut self, problem: usize) {
        if let Some(stale) = self.stale.get_mut(problem) {
            *stale = true;
            self.came += 1;
            self.unread += 1;
        }
    }
}

impl State {
    /// Brings the figures up to date. Costs nothing where nothing has changed; the figures
    /// of all problems cost work for each problem and so, once there are many completions,
    /// wait for as many more, unless the run is at rest.
    pub fn refresh(&mut self) {
        let open = self.completions.cluster.clone().filter(|_| self.screen == Screen::Completions);
        let view = View {
            current: self.current,
            lens: self.lens,
            pair: self.pair,
            filter: self.explore.filter.to_lowercase(),
            open: open.map(|key| (key, self.completions.side)),
            sort: self.suite.sort,
            clusters: (self.explore.clusters.trim().to_lowercase(), self.explore.order),
        };
        let before = self.figures.view.replace(view.clone());
        let before = before.as_ref();
        let lens_changed = before.is_none_or(|b| (b.lens, b.pair) != (view.lens, view.pair));
        let moved = before.is_none_or(|b| b.current != view.current);
        let here_stale = self.figures.stale.get(self.current).copied().unwrap_or(false);
        if lens_changed {
            self.figures.stale.fill(true);
        }
        let any_stale = self.figures.stale.contains(&true);
        let other_rows = before.is_none_or(|b| b.clusters != view.clusters);
        if moved || lens_changed || here_stale || other_rows {
            self.figures.here = self.measured_here();
        }
        if moved || here_stale || before.is_none_or(|b| b.open != view.open) {
            let members = view
                .open
                .as_ref()
                .map(|(key, side)| self.graded().members(self.policy(*side), self.current, key));
            self.figures.members = members.unwrap_or_default();
        }
        let at_rest = self.progress.finished || self.progress.paused;
        let mut sort = before.is_none_or(|b| b.sort != view.sort);
        let wait = if at_rest { 1 } else { self.problems.len().min(self.figures.came / 8) };
        if lens_changed || self.figures.unread >= wait.max(1) {
            self.figures.all = self.measured_all();
            self.figures.unread = 0;
            sort = true;
        }
        let other_filter = before.is_none_or(|b| b.filter != view.filter);
        if any_stale || other_filter {
            for i in 0..self.problems.len() {
                let stale = std::mem::take(&mut self.figures.stale[i]);
                if stale {
                    self.figures.lines[i] = self.line(i);
                }
                if stale || other_filter {
                    self.figures.passing[i] = self.matches(i, &view.filter);
                }
            }
            self.figures.shown = (0..self.problems.len()).filter(|&i| self.figures.passing[i]).collect();
            sort |= other_filter;
            self.list(sort);
        } else if sort {
            self.list(true);
        }
    }

    /// Brings the list into the chosen order; without `anew` each problem keeps its place, so
    /// that the list does not move under the eye with every completion.
    fn list(&mut self, anew: bool) {
        let mut listed = self.figures.shown.clone();
        if self.suite.sort != Sort::Order {
            if anew {
                self.sort(&mut listed);
            } else {
                let mut place = vec![usize::MAX; self.problems.len()];
                for (at, &problem) in self.figures.listed.iter().enumerate() {
                    place[problem] = at;
                }
                listed.sort_by_key(|&p| place[p]);
            }
        }
        self.figures.listed = listed;
    }

    /// The place of a problem in the list; where the filter hides it, that of the next one.
    pub fn place_of(&self, problem: usize) -> usize {
        let listed = &self.figures.listed;
        let next = || match self.suite.sort {
            Sort::Order => listed.partition_point(|&p| p < problem),
            _ => 0,
        };
        listed.iter().position(|p| *p == problem).unwrap_or_else(next)
    }

    fn line(&self, i: usize) -> Line {
        let (ledger, pair, lens) = (self.graded(), self.pair, &self.lens);
        let status = ledger.status(pair, i, lens);
        let solved = Lens { unit: Unit::Problem, ..*lens };
        let k = ledger.matched(pair, i);
        let hits = ledger.items(pair, i, &solved).first().copied().unwrap_or_default();
        let flipped = matches!(status, Some(Status::Shrunk | Status::Expanded));
        // Only what flipped takes a test; what both solved is certain.
        let change = if flipped { Change::of_flip(hits, [k; 2], self.zeta()) } else { None };
        let other_rules = self.usual().and_then(|usual| usual.status(pair, i, lens));
        let by_rules = other_rules.is_some_and(|s| {
            matches!(s, Status::Shrunk | Status::Expanded) && status.is_some() && status != Some(s)
        });
        Line {
            status,
            counts: ledger.problem_counts(pair, i, lens),
            methods: ledger.problem_counts(pair, i, &Lens { unit: Unit::Method, ..*lens }),
            k,
            hits,
            certainty: change.map(|c| c.certainty).or(status.map(|s| match s {
                Status::OutOfSupport => Certainty::Undecided { k: None },
                _ => Certainty::Certain,
            })),
            format: by_rules || ledger.format_sign(pair, i, lens).is_some(),
        }
    }

    /// ζ at which absence and change are judged.
    pub fn zeta(&self) -> f64 {
        match self.lens.criterion {
            Criterion::Threshold { zeta } => zeta,
            Criterion::Found { .. } => 0.05,
        }
    }

    fn matches(&self, problem: usize, filter: &str) -> bool {
        let line = &self.figures.lines[problem];
        match filter.trim() {
            "" => true,
            "lost" => line.counts.s > 0 || line.status == Some(Status::Shrunk),
            "gained" => line.counts.e > 0 || line.status == Some(Status::Expanded),
            "preserved" => line.status == Some(Status::Preserved),
            "undecided" => matches!(line.certainty, Some(Certainty::Undecided { .. })),
            "format" => line.format,
            "wrong" => line.status == Some(Status::OutOfSupport),
            text => match text.split_once(':') {
                Some(("method", part)) => self.has(problem, part, |v| v.method.as_deref()),
                Some(("answer", part)) => {
                    self.has(problem, part, |v| Some(v.answer.as_deref().unwrap_or("NA")))
                }
                _ => {
                    let p = &self.problems[problem];
                    p.id.to_lowercase().contains(text) || p.prompt.to_lowercase().contains(text)
                }
            },
        }
    }

    /// Whether a completion of either policy in the columns has the part in what is asked of
    /// its verdict.
    fn has(&self, problem: usize, part: &str, of: fn(&Verdict) -> Option<&str>) -> bool {
        let part = part.trim();
        [self.pair.base, self.pair.rlvr].into_iter().any(|policy| {
            let verdicts = self.graded().verdicts(policy, problem);
            verdicts.iter().filter_map(|(v, _)| of(v)).any(|text| text.to_lowercase().contains(part))
        })
    }

    fn measured_here(&self) -> Here {
        let (ledger, problem) = (self.graded(), self.current);
        let of = |side: usize| {
            let policy = self.policy(side);
            let curve = if self.lens.sound { Ledger::problem_sound_curve } else { Ledger::problem_curve };
            Measures {
                curve: curve(ledger, policy, problem),
                token_entropy: ledger.problem_token_entropy(policy, problem),
                token_entropy_range: ledger.problem_token_entropy_range(policy, problem),
                answer_entropy: ledger.problem_answer_entropy(policy, problem),
                mean_tokens: ledger.problem_mean_tokens(policy, problem),
            }
        };
        let mut rows = self.rows();
        let distinct = |side: usize| rows.iter().filter(|r| r.status.is_some() && r.hits[side] > 0).count();
        let distinct = [distinct(0), distinct(1)];
        let all = rows.len();
        let filter = self.explore.clusters.trim().to_lowercase();
        let open = self.completions.cluster.as_ref().filter(|_| self.screen == Screen::Completions);
        rows.retain(|r| passes(r, &filter) || Some(&r.key) == open);
        Here {
            problem,
            order: self.explore.order,
            hidden: all - rows.len(),
            k: ledger.matched(self.pair, problem),
            counts: ledger.problem_counts(self.pair, problem, &self.lens),
            usual: self.usual().map(|l| l.problem_counts(self.pair, problem, &self.lens)),
            measures: [of(0), of(1)],
            distinct,
            history: [0, 1].map(|side| ledger.entropy_history(self.policy(side), problem)),
            rows,
        }
    }

    fn measured_all(&self) -> All {
        let ledger = self.graded();
        let sound = self.lens.sound;
        let of = |side: usize| {
            let policy = self.policy(side);
            let curve = if sound { Ledger::sound_curve } else { Ledger::pass_curve };
            Measures {
                curve: curve(ledger, policy),
                token_entropy: ledger.token_entropy(policy),
                token_entropy_range: ledger.token_entropy_range(policy),
                answer_entropy: ledger.answer_entropy(policy),
                mean_tokens: ledger.mean_tokens(policy),
            }
        };
        All {
            counts: ledger.counts(self.pair, &self.lens),
            measures: [of(0), of(1)],
            crossing: if sound { ledger.sound_crossing(self.pair) } else { ledger.crossing(self.pair) },
            usual: self.usual().map(|l| l.counts(self.pair, &self.lens)),
        }
    }

    /// The selected cluster's row.
    pub fn selected_row(&self) -> usize {
        let rows = &self.figures.here.rows;
        let wanted = self.explore.cluster.as_ref();
        wanted.and_then(|key| rows.iter().position(|r| r.key == *key)).unwrap_or(0)
    }

    /// The place of the selected completion in its list.
    pub fn selected_member(&self) -> usize {
        let wanted = self.completions.index;
        wanted.and_then(|index| self.figures.members.iter().position(|m| *m == index)).unwrap_or(0)
    }
}

/// ε at which absence is judged on screen: ζ = 0.05.
pub fn epsilon(k: u32) -> f64 {
    Ledger::epsilon(k, 0.05)
}
