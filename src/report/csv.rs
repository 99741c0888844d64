//! The report for spreadsheets: one table at a time, comma-separated, figures in full; what
//! is undefined is empty.

use super::grid::Grid;
use super::{PassReport, PolicyReport, Report, ValueReport};
use crate::support::Unit;

impl Report {
    /// One row a problem.
    pub fn csv(&self) -> String {
        let mut headings = ["id", "reference", "k", "status"].map(str::to_owned).to_vec();
        for policy in &self.policies {
            headings.extend(["n", "hits", "pass_rate"].map(|what| format!("{} {what}", policy.name)));
        }
        let mut grid = Grid::new(headings);
        for problem in &self.problems {
            let mut row = vec![
                problem.id.clone(),
                problem.reference.clone().unwrap_or_default(),
                problem.k.to_string(),
                cell(problem.status),
            ];
            for ((n, hits), rate) in problem.n.iter().zip(&problem.hits).zip(&problem.pass_rate) {
                row.extend([n.to_string(), hits.to_string(), cell(*rate)]);
            }
            grid.row(row);
        }
        grid.csv()
    }

    /// One row a cluster of a problem, of the first pair.
    pub fn clusters_csv(&self) -> String {
        let mut grid = Grid::new([
            "problem",
            "answer",
            "method",
            "correct",
            "status",
            "base hits",
            "rlvr hits",
            "base sound",
            "rlvr sound",
            "certain",
            "deciding k",
            "p",
        ]);
        for problem in &self.problems {
            for cluster in &problem.clusters {
                let change = cluster.change.as_ref();
                grid.row([
                    problem.id.clone(),
                    cluster.answer.clone().unwrap_or_default(),
                    cluster.method.clone().unwrap_or_default(),
                    cluster.correct.to_string(),
                    cluster.status.to_string(),
                    cluster.hits[0].to_string(),
                    cluster.hits[1].to_string(),
                    cluster.sound[0].to_string(),
                    cluster.sound[1].to_string(),
                    cell(change.map(|c| c.certain)),
                    cell(change.and_then(|c| c.deciding_k)),
                    cell(change.map(|c| c.p_value)),
                ]);
            }
        }
        grid.csv()
    }

    /// One row a policy and k: every curve.
    pub fn curves_csv(&self) -> String {
        let mut grid = Grid::new([
            "policy",
            "k",
            "pass@k",
            "low",
            "high",
            "sound pass@k",
            "maj@k",
            "pass^k",
            "luck",
            "answers",
            "methods",
            "completions",
        ]);
        let value = |points: &[ValueReport], k| cell(points.iter().find(|p| p.k == k).map(|p| p.value));
        let pass = |points: &[PassReport], k| cell(points.iter().find(|p| p.k == k).map(|p| p.value));
        for p in &self.policies {
            for point in &p.pass_at_k {
                let k = point.k;
                grid.row([
                    p.name.clone(),
                    k.to_string(),
                    point.value.to_string(),
                    point.low.to_string(),
                    point.high.to_string(),
                    pass(&p.sound_pass_at_k, k),
                    pass(&p.maj_at_k, k),
                    value(&p.pass_hat_k, k),
                    pass(&p.luck_floor, k),
                    value(&p.coverage.answer, k),
                    value(&p.coverage.method, k),
                    value(&p.coverage.completion, k),
                ]);
            }
        }
        grid.csv()
    }

    /// One row a pair and unit: P, E, S, O and the rates.
    pub fn support_csv(&self) -> String {
        let mut headings = ["base", "rlvr", "k", "unit", "P", "E", "S", "O"].map(str::to_owned).to_vec();
        for rate in ["SRR", "NDR", "SDS", "NSCR"] {
            headings.extend([rate.to_owned(), format!("{rate} low"), format!("{rate} high")]);
        }
        headings.extend(["E by chance", "S by chance", "p of NSCR"].map(str::to_owned));
        let mut grid = Grid::new(headings);
        for pair in &self.pairs {
            for unit in Unit::ALL {
                let r = pair.dynamics.of(unit);
                let mut row =
                    vec![pair.base.clone(), pair.rlvr.clone(), cell(pair.k), unit.name().to_owned()];
                row.extend([r.p, r.e, r.s, r.o].map(|n| n.to_string()));
                let i = &r.intervals;
                for (rate, range) in [(r.srr, i.srr), (r.ndr, i.ndr), (r.sds, i.sds), (r.nscr, i.nscr)] {
                    row.extend([cell(rate), cell(range.map(|r| r[0])), cell(range.map(|r| r[1]))]);
                }
                let floor = r.noise_floor.as_ref();
                row.extend([cell(floor.map(|f| f.e)), cell(floor.map(|f| f.s)), cell(r.p_value)]);
                grid.row(row);
            }
        }
        grid.csv()
    }

    /// One row a policy.
    pub fn policies_csv(&self) -> String {
        let mut grid = Grid::new([
            "policy",
            "from",
            "completions",
            "correct",
            "token entropy",
            "answer entropy",
            "mean tokens",
            "token entropy low",
            "token entropy high",
        ]);
        let row = |p: &PolicyReport| {
            let range = p.token_entropy_range;
            [
                p.name.clone(),
                p.spec.clone().unwrap_or_default(),
                p.n.to_string(),
                p.correct.to_string(),
                cell(p.token_entropy),
                cell(p.answer_entropy),
                cell(p.mean_tokens),
                cell(range.map(|[low, _]| low)),
                cell(range.map(|[_, high]| high)),
            ]
        };
        self.policies.iter().for_each(|p| grid.row(row(p)));
        grid.csv()
    }
}

fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}
