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

    fn parts(&self, unit: Option<Unit>) -> Vec<(String, Grid)> {
        let mut parts = vec![
            ("Policies".to_owned(), self.policies_grid()),
            (
                "pass@k; luck is what the same completions reach on the references of other problems"
                    .to_owned(),
                self.pass_grid(),
            ),
            ("Shares of problems and of completions".to_owned(), self.shares_grid()),
            ("Distinct correct items, mean over problems".to_owned(), self.coverage_grid(unit)),
            ("Not seen yet".to_owned(), self.unseen_grid(unit)),
        ];
        parts.retain(|(_, grid)| !grid.is_empty());
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
                match (p.token_entropy, p.token_entropy_range) {
                    (None, Some(range)) => interval(Some(range)),
                    (value, _) => figure(value),
                },
                figure(p.answer_entropy),
                p.mean_tokens.map_or_else(|| UNDEFINED.into(), |m| format!("{m:.1}")),
            ]);
        }
        grid
    }

    fn pass_grid(&self) -> Grid {
        let luck = self.policies.iter().filter(|p| !p.luck_floor.is_empty());
        let names = self.policies.iter().map(|p| p.name.clone());
        let heads = names.chain(luck.clone().map(|p| format!("luck of {}", p.name)));
        let mut grid = Grid::new(std::iter::once("k".to_owned()).chain(heads));
        let mut ks: Vec<u32> = self.policies.iter().flat_map(|p| &p.pass_at_k).map(|p| p.k).collect();
        ks.sort_unstable();
        ks.dedup();
        for k in ks {
            let at = |point: Option<&super::PassReport>| match point {
                Some(p) => format!("{} {}", figure(Some(p.value)), interval(Some([p.low, p.high]))),
                None => UNDEFINED.into(),
            };
            let values = self.policies.iter().map(|p| at(p.pass_at_k.iter().find(|p| p.k == k)));
            let floors =
                luck.clone().map(|p| figure(p.luck_floor.iter().find(|p| p.k == k).map(|p| p.value)));
            grid.row(std::iter::once(k.to_string()).chain(values).chain(floors));
        }
        grid
    }

    /// avg@k, maj@k, pass^k at the last k, and Cover@τ.
    fn shares_grid(&self) -> Grid {
        let names = self.policies.iter().map(|p| p.name.as_str());
        let mut grid = Grid::new(std::iter::once("").chain(names));
        let k = self.policies.iter().filter_map(|p| p.avg_at_k.as_ref()).map(|p| p.k).min();
        let Some(k) = k else { return grid };
        let at = |points: &[super::PassReport]| match points.iter().find(|p| p.k == k) {
            Some(p) => format!("{} {}", figure(Some(p.value)), interval(Some([p.low, p.high]))),
            None => UNDEFINED.into(),
        };
        let mut line = |name: String, of: &dyn Fn(&super::PolicyReport) -> String| {
            grid.row(std::iter::once(name).chain(self.policies.iter().map(of)));
        };
        line(format!("avg@{k}"), &|p| {
            p.avg_at_k.as_ref().map_or_else(
                || UNDEFINED.into(),
                |p| at(std::slice::from_ref(&super::PassReport { k, ..p.clone() })),
            )
        });
        line(format!("maj@{k}"), &|p| at(&p.maj_at_k));
        line(format!("pass^{k}"), &|p| figure(p.pass_hat_k.iter().find(|p| p.k == k).map(|p| p.value)));
        for tau in [0.1, 0.5, 0.9] {
            let cover = |p: &super::PolicyReport| {
                figure(p.cover_at_tau.iter().find(|c| c.tau == tau).map(|c| c.value))
            };
            line(format!("Cover@{tau}"), &cover);
        }
        grid
    }

    fn coverage_grid(&self, unit: Option<Unit>) -> Grid {
        let unit = unit.filter(|u| *u != Unit::Problem).unwrap_or(Unit::Method);
        let of = |p: &super::PolicyReport| -> Vec<super::ValueReport> {
            match unit {
                Unit::Answer => p.coverage.answer.clone(),
                Unit::Method | Unit::Problem => p.coverage.method.clone(),
                Unit::Completion => p.coverage.completion.clone(),
            }
        };
        let curves: Vec<Vec<super::ValueReport>> = self.policies.iter().map(of).collect();
        let heads = self.policies.iter().map(|p| format!("{} {}s", p.name, unit.name()));
        let mut grid = Grid::new(std::iter::once("k".to_owned()).chain(heads));
        let mut ks: Vec<u32> = curves.iter().flatten().map(|p| p.k).collect();
        ks.sort_unstable();
        ks.dedup();
        for k in ks {
            let at = |c: &Vec<super::ValueReport>| {
                c.iter().find(|p| p.k == k).map_or_else(|| UNDEFINED.into(), |p| format!("{:.2}", p.value))
            };
            grid.row(std::iter::once(k.to_string()).chain(curves.iter().map(at)));
        }
        grid
    }

    fn unseen_grid(&self, unit: Option<Unit>) -> Grid {
        let mut grid =
            Grid::new(["policy", "unit", "seen", "at least", "as many draws again", "missing mass"]);
        for p in &self.policies {
            let each = [
                (Unit::Answer, &p.unseen.answer),
                (Unit::Method, &p.unseen.method),
                (Unit::Completion, &p.unseen.completion),
            ];
            for (u, unseen) in each {
                let Some(unseen) = unseen.as_ref().filter(|_| unit.is_none_or(|only| only == u)) else {
                    continue;
                };
                grid.row([
                    p.name.clone(),
                    u.name().to_owned(),
                    unseen.seen.to_string(),
                    format!("{:.1}", unseen.richness),
                    format!("+{:.1}", unseen.next),
                    format!("{:.2} %", 100.0 * unseen.missing_mass),
                ]);
            }
        }
        grid
    }

    fn problems_grid(&self) -> Grid {
        let mut headings = vec!["problem".to_owned(), "k".into(), "status".into(), "decided".into()];
        headings.extend(self.policies.iter().map(|p| format!("{} hits", p.name)));
        let mut grid = Grid::new(headings);
        for problem in &self.problems {
            let status = problem.status.map_or_else(|| UNDEFINED.into(), String::from);
            let decided = match (&problem.change, problem.status) {
                (None, _) | (_, None) => UNDEFINED.into(),
                (Some(c), _) if c.certain => "certain".to_owned(),
                (Some(super::ChangeReport { deciding_k: Some(k), .. }), _) => format!("at k ≈ {k}"),
                _ => "no".to_owned(),
            };
            let decided = if problem.format.is_some() { format!("{decided}, format?") } else { decided };
            let mut row = vec![problem.id.clone(), problem.k.to_string(), status, decided];
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
        let mut lines: Vec<String> = self.pairs.iter().flat_map(PairReport::sentences).collect();
        for p in &self.policies {
            lines
                .extend(p.unseen.method.as_ref().or(p.unseen.answer.as_ref()).map(|u| u.words.clone() + "."));
        }
        if self.problems.iter().any(|p| p.format.is_some()) {
            lines.push(
                "format?: the right answers of one policy were found by rules that never read the other."
                    .into(),
            );
        }
        lines.push(format!("In support by {hits}{sound}. 95 % intervals; {UNDEFINED} is undefined."));
        lines.join("\n")
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

    /// The regime and the divergence in words.
    fn sentences(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for unit in [Unit::Problem, Unit::Method] {
            if let Some(r) = &self.dynamics.of(unit).regime {
                lines.push(format!(
                    "{} → {}, by {}s: {} ({}).",
                    self.base,
                    self.rlvr,
                    unit.name(),
                    r.name,
                    r.because
                ));
            }
        }
        if let Some(d) = &self.divergence {
            let [t, a] = [d.token_entropy, d.answer_entropy].map(|[b, r]| format!("{b:.3} → {r:.3}"));
            lines.push(format!("Entropy of tokens {t}, of answers {a} nats: {}.", d.words));
        }
        lines
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
