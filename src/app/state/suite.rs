//! The Suite screen: every problem, by task.

use crate::app::State;
use crate::completion::clean;
use crate::problem::{Problem, tasks};
use crate::support::Status;
use crate::support::change::Certainty;
use crate::support::paper::{Published, published};
use std::collections::BTreeSet;

/// What is selected, sorted and folded on Suite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    /// The selected line; the total until the user has moved.
    pub selected: Entry,
    pub sort: Sort,
    /// Tasks whose problems are not listed.
    pub folded: BTreeSet<usize>,
}

/// A line of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    #[default]
    Total,
    /// A task's aggregate.
    Task(usize),
    /// A published row for a task.
    Published {
        task: usize,
        row: usize,
    },
    Problem(usize),
}

/// The order of the problems within a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As they stand in the run.
    #[default]
    Order,
    /// What lost most first.
    Lost,
    /// What gained most first.
    Gained,
    /// The largest change of the pass rate first.
    Change,
    /// The hardest for the base first.
    Hard,
}

impl Sort {
    const ALL: [Sort; 5] = [Sort::Order, Sort::Lost, Sort::Gained, Sort::Change, Sort::Hard];

    /// The order after this one, around the end.
    pub fn next(self) -> Sort {
        let at = Sort::ALL.iter().position(|s| *s == self).unwrap_or(0);
        Sort::ALL[(at + 1) % Sort::ALL.len()]
    }

    pub fn words(self) -> &'static str {
        match self {
            Sort::Order => "in order",
            Sort::Lost => "most lost first",
            Sort::Gained => "most gained first",
            Sort::Change => "largest change of pass@1 first",
            Sort::Hard => "hardest for the base first",
        }
    }
}

/// The problems by task.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Titles, in order of appearance.
    pub names: Vec<String>,
    /// The task of each problem.
    pub of: Vec<usize>,
    /// What the paper prints for each.
    pub published: Vec<Vec<Published>>,
}

impl Tasks {
    pub(super) fn of(problems: &[Problem]) -> Self {
        let mut out = Tasks::default();
        for problem in problems {
            let name = name(problem);
            let at = out.names.iter().position(|n| *n == name).unwrap_or_else(|| {
                out.published.push(published(&name));
                out.names.push(name);
                out.names.len() - 1
            });
            out.of.push(at);
        }
        out
    }
}

/// The title of a problem's task; without one, the part of its id before its number.
fn name(problem: &Problem) -> String {
    // Several data sets share the verifier of mathematics: there the id says which.
    let known = problem.task.as_deref().filter(|t| *t != "mathematics");
    if let Some(task) = known.and_then(tasks::find) {
        return task.title().to_owned();
    }
    let id = clean(&problem.id).replace('\n', " ");
    let stem = id.trim_end_matches(|c: char| c.is_ascii_digit());
    match stem.trim_end_matches(['/', '-', '_', ':', '#', ' ', '.']) {
        "" => known.map_or_else(|| "problems".to_owned(), clean),
        stem if stem == id => known.map_or_else(|| "problems".to_owned(), clean),
        stem => stem.to_owned(),
    }
}

impl State {
    /// The lines of the table as they stand, from the newest figures.
    pub fn entries(&self) -> Vec<Entry> {
        let mut out = vec![Entry::Total];
        let one = self.tasks.names.len() == 1;
        let mut by_task: Vec<Vec<usize>> = vec![Vec::new(); self.tasks.names.len()];
        self.figures.shown.iter().for_each(|&p| by_task[self.tasks.of[p]].push(p));
        for (task, mut problems) in by_task.into_iter().enumerate() {
            if !one && !problems.is_empty() {
                out.push(Entry::Task(task));
            }
            let rows = 0..self.tasks.published[task].len();
            out.extend(rows.map(|row| Entry::Published { task, row }));
            if self.suite.folded.contains(&task) {
                continue;
            }
            self.sort(&mut problems);
            out.extend(problems.into_iter().map(Entry::Problem));
        }
        out
    }

    /// The place of the selected line.
    pub fn selected_entry(&self, entries: &[Entry]) -> usize {
        entries.iter().position(|e| *e == self.suite.selected).unwrap_or(0)
    }

    pub(in crate::app) fn sort(&self, problems: &mut [usize]) {
        let line = |p: usize| &self.figures.lines[p];
        let rate = |p: usize, side: usize| f64::from(line(p).hits[side]) / f64::from(line(p).k.max(1));
        let key = |p: usize| -> f64 {
            let weight = |s: Status| if line(p).status == Some(s) { 1e6 } else { 0.0 };
            match self.suite.sort {
                Sort::Order => 0.0,
                Sort::Lost => {
                    -(weight(Status::Shrunk) + line(p).counts.s as f64 * 1e3 + line(p).methods.s as f64)
                }
                Sort::Gained => {
                    -(weight(Status::Expanded) + line(p).counts.e as f64 * 1e3 + line(p).methods.e as f64)
                }
                Sort::Change => -(rate(p, 1) - rate(p, 0)).abs(),
                Sort::Hard => rate(p, 0),
            }
        };
        problems.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
    }

    /// How many problems flipped, and of how many of these the draws decide.
    pub fn decided(&self) -> (usize, usize) {
        let flipped =
            self.figures.lines.iter().filter(|l| matches!(l.status, Some(Status::Shrunk | Status::Expanded)));
        let certain = flipped.clone().filter(|l| l.certainty == Some(Certainty::Certain)).count();
        (flipped.count(), certain)
    }
}
