//! The report for people: tables of text.

use super::grid::Grid;
use super::{PairReport, Rates, Report};
use crate::support::Unit;

impl Report {
    /// Aligned tables with a line above each; of the units, only `unit` if one is given.
    pub fn table(&self, unit: Option<Unit>) -> String {
        let part = |(title, grid): &(String, Grid)| format!("{title}\n\n{}\n", grid.aligned());
        self.parts(unit).iter().map(part).collect::<String>() + &self.note() + "\n"
    }

    /// As [`Report::table`], in Markdown.
    pub fn markdown(&self, unit: Option<Unit>) -> String {
        let part = |(title, grid): &(String, Grid)| format!("## {title}\n\n{}\n", grid.markdown());
        self.parts(unit).iter().map(part).collect::<String>() + &self.note() + "\n"
    }

    /// One row a problem, comma-separated; what is undefined is empty.
    pub fn csv(&self) -> String {
        let mut headings = vec!["id".to_owned(), "reference".into(), "k".into(), "status".into()];
        for policy in &self.policies {
            headings.extend(["n", "hits", "pass_rate"].map(|what| format!("{} {what}", policy.name)));
        }
        let mut grid = Grid::new(headings);
        for problem in &self.problems {
            let mut row = vec![
                problem.id.clone(),
                problem.reference.clone().unwrap_or_default(),
                problem.k.to_string(),
                problem.status.map(String::from).unwrap_or_default(),
            ];
            for ((n, hits), rate) in problem.n.iter().zip(&problem.hits).zip(&problem.pass_rate) {
                row.extend([
                    n.to_string(),
                    hits.to_string(),
                    rate.map(|r| r.to_string()).unwrap_or_default(),
                ]);
            }
            grid.row(row);
        }
        grid.csv()
    }

    fn parts(&self, unit: Option<Unit>) -> Vec<(String, Grid)> {
        let mut parts =
            vec![("Policies".to_owned(), self.policies_grid()), ("pass@k".to_owned(), self.pass_grid())];
        for pair in &self.pairs {
            parts.push((pair.title(self.k_max), pair.grid(unit)));
        }
        parts.push(("Problems".to_owned(), self.problems_grid()));
        parts
    }

    fn policies_grid(&self) -> Grid {
        let mut grid = Grid::new([
            "policy",
            "from",
            "completions",
            "correct",
            "token entropy",
            "answer entropy",
            "mean tokens",
        ]);
        for p in &self.policies {
            grid.row([
                p.name.clone(),
                p.spec.clone().unwrap_or_else(|| UNDEFINED.into()),
                p.n.to_string(),
                p.correct.to_string(),
                figure(p.token_entropy),
                figure(p.answer_entropy),
                p.mean_tokens.map_or_else(|| UNDEFINED.into(), |m| format!("{m:.1}")),
            ]);
        }
        grid
    }

    fn pass_grid(&self) -> Grid {
        let mut grid = Grid::new(std::iter::once("k").chain(self.policies.iter().map(|p| p.name.as_str())));
        let mut ks: Vec<u32> = self.policies.iter().flat_map(|p| &p.pass_at_k).map(|p| p.k).collect();
        ks.sort_unstable();
        ks.dedup();
        for k in ks {
            let at = |point: Option<&super::PassReport>| match point {
                Some(p) => format!("{} {}", figure(Some(p.value)), interval(Some([p.low, p.high]))),
                None => UNDEFINED.into(),
            };
            let values = self.policies.iter().map(|p| at(p.pass_at_k.iter().find(|p| p.k == k)));
            grid.row(std::iter::once(k.to_string()).chain(values));
        }
        grid
    }

    fn problems_grid(&self) -> Grid {
        let mut headings = vec!["problem".to_owned(), "k".into(), "status".into()];
        headings.extend(self.policies.iter().map(|p| format!("{} hits", p.name)));
        let mut grid = Grid::new(headings);
        for problem in &self.problems {
            let status = problem.status.map_or_else(|| UNDEFINED.into(), String::from);
            let mut row = vec![problem.id.clone(), problem.k.to_string(), status];
            row.extend(problem.hits.iter().zip(&problem.n).map(|(hits, n)| format!("{hits}/{n}")));
            grid.row(row);
        }
        grid
    }

    /// What the figures rest on.
    fn note(&self) -> String {
        let hits = match self.criterion.min_hits {
            1 => "one hit".to_owned(),
            n => format!("{n} hits"),
        };
        let sound = if self.sound { ", sound completions only" } else { "" };
        format!("In support by {hits}{sound}. 95 % intervals; {UNDEFINED} is undefined.")
    }
}

impl PairReport {
    fn title(&self, k_max: Option<u32>) -> String {
        let k = match (self.k, k_max) {
            (Some(low), Some(high)) if low < high => format!("at k = {low} to {high}"),
            (Some(k), _) => format!("at k = {k}"),
            (None, _) => "nothing drawn by both yet".into(),
        };
        let crossing = match (self.crossing, self.crossing_interval, self.k) {
            (Some(at), Some([low, high]), _) => format!("; the curves cross at k = {at} [{low}, {high}]"),
            (_, _, Some(k)) => format!("; no crossing up to k = {k}"),
            _ => String::new(),
        };
        format!("{} → {}, {k}{crossing}", self.base, self.rlvr)
    }

    fn grid(&self, unit: Option<Unit>) -> Grid {
        let mut grid =
            Grid::new(["unit", "P", "E", "S", "O", "SRR", "NDR", "SDS", "NSCR", "E, S by chance", "p"]);
        for u in Unit::ALL.into_iter().filter(|u| unit.is_none_or(|only| only == *u)) {
            let r: &Rates = self.dynamics.of(u);
            let rate = |value: Option<f64>, range| {
                format!("{} {}", figure(value), interval(range)).trim_end().to_owned()
            };
            grid.row([
                u.name().to_owned(),
                r.p.to_string(),
                r.e.to_string(),
                r.s.to_string(),
                r.o.to_string(),
                rate(r.srr, r.intervals.srr),
                rate(r.ndr, r.intervals.ndr),
                rate(r.sds, r.intervals.sds),
                rate(r.nscr, r.intervals.nscr),
                r.noise_floor.as_ref().map_or_else(|| UNDEFINED.into(), |f| format!("{:.1}", f.e)),
                figure(r.p_value),
            ]);
        }
        grid
    }
}

/// How an undefined figure looks.
const UNDEFINED: &str = "–";

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| UNDEFINED.into(), |v| format!("{v:.3}"))
}

fn interval(range: Option<[f64; 2]>) -> String {
    range.map(|[low, high]| format!("[{low:.3}, {high:.3}]")).unwrap_or_default()
}
