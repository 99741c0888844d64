//! The paper's published figures, as data (arXiv:2507.14843v4).

use super::counts::Counts;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::marker::PhantomData;
use std::sync::LazyLock;

/// The published figures.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Paper {
    /// Authors, title and version.
    pub paper: String,
    pub sampling: Sampling,
    /// By RLVR model: appendix A, tables 6 to 13.
    pub support_tables: Listed<Table>,
    pub training_timeline: Timeline,
    pub entropy: Entropies,
}

/// How the paper sampled.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Sampling {
    pub temperature: f64,
    pub top_p: f64,
    pub max_tokens: u32,
    pub zeta: f64,
}

/// The support dynamics of one RLVR model.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Table {
    pub rlvr: String,
    pub base: String,
    /// `Table 6`.
    pub source: String,
    pub rows: Vec<Row>,
    /// Printed sums over domains. They are rounded more freely than the rows.
    #[serde(default)]
    pub aggregate: Vec<Row>,
}

/// Counts and rates as printed: of one data set, one domain, or one training step.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Row {
    #[serde(default)]
    pub dataset: Option<String>,
    /// `math`, `non_math` or `overall`.
    #[serde(default)]
    pub domain: Option<String>,
    #[serde(default)]
    pub k: Option<u32>,
    /// Percent.
    #[serde(default)]
    pub pass_at_k: Option<Both>,
    /// Training step.
    #[serde(default)]
    pub step: Option<u32>,
    /// Percent, of the RLVR policy at that step.
    #[serde(default)]
    pub pass_at_256: Option<f64>,
    pub srr: f64,
    pub ndr: f64,
    pub sds: f64,
    pub nscr: f64,
    p: u64,
    e: u64,
    s: u64,
    o: u64,
}

/// One figure of the base and of the RLVR model.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
pub struct Both {
    pub base: f64,
    pub rlvr: f64,
}

/// Support dynamics along RLVR training: table 4.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Timeline {
    pub source: String,
    pub algorithm: String,
    pub base: String,
    pub datasets: Listed<Steps>,
    /// What is wrong in the paper itself.
    pub note: String,
}

/// The steps on one data set.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Steps {
    /// Percent.
    pub base_pass_at_256: f64,
    pub rows: Vec<Row>,
}

/// Entropies, accuracy and length: table 5. Each by model, then by data set.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Entropies {
    pub source: String,
    pub k: u32,
    /// (base, RLVR).
    pub pairs: Vec<(String, String)>,
    /// Percent.
    #[serde(rename = "avg@32")]
    pub average: Listed<Listed<f64>>,
    /// Nats.
    #[serde(rename = "token_entropy_nats")]
    pub token: Listed<Listed<f64>>,
    /// Nats.
    #[serde(rename = "answer_entropy_nats")]
    pub answer: Listed<Listed<f64>>,
    /// Tokens.
    #[serde(rename = "response_length_tokens")]
    pub length: Listed<Listed<f64>>,
}

/// A map in the order in which the paper prints it.
#[derive(Clone, Debug)]
pub struct Listed<T>(pub Vec<(String, T)>);

/// The published figures, read once.
pub fn paper() -> &'static Paper {
    static PAPER: LazyLock<Paper> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../assets/paper.json"))
            .expect("the embedded figures are read in a test")
    });
    &PAPER
}

/// A published row with the models that it is of.
#[derive(Clone, Debug)]
pub struct Published {
    pub base: &'static str,
    pub rlvr: &'static str,
    /// `Table 6`.
    pub source: &'static str,
    pub row: &'static Row,
}

/// The rows of the appendix on a data set, however its name is written: `AIME2024` is
/// `aime_24`.
pub fn published(dataset: &str) -> Vec<Published> {
    let wanted = plain(dataset);
    let of = |table: &'static Table| {
        let rows = table.rows.iter().filter(|r| r.dataset.as_deref().is_some_and(|d| plain(d) == wanted));
        rows.map(|row| Published { base: &table.base, rlvr: &table.rlvr, source: &table.source, row })
            .collect::<Vec<_>>()
    };
    if wanted.is_empty() {
        Vec::new()
    } else {
        paper().support_tables.0.iter().flat_map(|(_, t)| of(t)).collect()
    }
}

/// A data set's name in lower-case letters and digits, years as two digits.
fn plain(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match name.len().checked_sub(4).and_then(|at| name.get(at..)) {
        Some(year) if year.starts_with("20") && year.chars().all(|c| c.is_ascii_digit()) => {
            name[..name.len() - 4].to_owned() + &year[2..]
        }
        _ => name,
    }
}

impl Row {
    /// The printed counts.
    pub fn counts(&self) -> Counts {
        Counts { p: self.p, e: self.e, s: self.s, o: self.o }
    }
}

impl<T> Listed<T> {
    /// The entry of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, t)| t)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Listed<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Listed(all))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rates of the counts, and the same as printed. Where the paper prints 0 for an
    /// undefined rate, nothing in these tables is undefined.
    fn rates(row: &Row) -> [(f64, f64); 4] {
        let c = row.counts();
        let of = |rate: Option<f64>| rate.expect("defined in every published row");
        [(of(c.srr()), row.srr), (of(c.ndr()), row.ndr), (of(c.sds()), row.sds), (of(c.nscr()), row.nscr)]
    }

    /// Whether a printed figure is what its counts give, to `decimals`.
    fn printed(figure: f64, print: f64, decimals: i32) -> bool {
        (figure - print).abs() <= 0.5 * 10f64.powi(-decimals) + 1e-12
    }

    #[test]
    fn every_published_row_is_reproduced_to_its_decimals() {
        let mut rows = 0;
        for (model, table) in &paper().support_tables.0 {
            for row in &table.rows {
                rows += 1;
                assert!(rates(row).iter().all(|&(f, p)| printed(f, p, 3)), "{model}: {row:?}");
            }
        }
        for (dataset, steps) in &paper().training_timeline.datasets.0 {
            for row in &steps.rows {
                if (dataset.as_str(), row.step) == ("AIME25", Some(300)) {
                    continue;
                }
                rows += 1;
                assert!(rates(row).iter().all(|&(f, p)| printed(f, p, 3)), "{dataset}: {row:?}");
            }
        }
        assert_eq!(rows, 69 + 49);
    }

    #[test]
    fn the_row_that_contradicts_itself_does_so_as_its_note_says() {
        let timeline = &paper().training_timeline;
        let steps = timeline.datasets.get("AIME25").unwrap();
        let row = steps.rows.iter().find(|r| r.step == Some(300)).unwrap();
        assert_eq!(row.counts(), Counts { p: 18, e: 2, s: 3, o: 7 });
        assert!(timeline.note.contains("AIME25 row at step 300"));
        let said = [0.857, 0.100, 0.179, -0.043];
        for ((figure, print), said) in rates(row).into_iter().zip(said) {
            assert!(printed(figure, said, 3) && !printed(figure, print, 3), "{figure} {print} {said}");
            assert!(timeline.note.contains(&format!("{said:.3}")));
        }
        // The printed rates are those of one item more preserved.
        let other = Row { p: 19, ..row.clone() };
        assert!(rates(&other).iter().all(|&(f, p)| printed(f, p, 3)));
    }

    #[test]
    fn sums_over_domains_are_reproduced_as_freely_as_they_are_rounded() {
        for (model, table) in &paper().support_tables.0 {
            for sum in &table.aggregate {
                let decimals = if model == "ProRL-1.5B-v2" { 2 } else { 3 };
                // Three printed sums are off by one or two in the last digit.
                let slack = 1.5 * 10f64.powi(-decimals);
                assert!(rates(sum).iter().all(|(f, p)| (f - p).abs() <= slack), "{model}: {sum:?}");
                let all: Counts = table
                    .rows
                    .iter()
                    .filter(|r| sum.domain.as_deref() == Some("overall") || r.domain == sum.domain)
                    .map(Row::counts)
                    .sum();
                // Of ProRL-1.5B-v2 the paper prints the sums only.
                assert!(table.rows.is_empty() || all == sum.counts(), "{model}");
            }
        }
    }

    #[test]
    fn rows_are_found_by_any_spelling() {
        let of = |name| published(name).len();
        assert_eq!((of("AIME2024"), of("aime_24"), of("Leg Counting"), of("")), (6, 6, 0, 0));
        let first = &published("math-500")[0];
        assert_eq!((first.rlvr, first.row.counts().p), ("ProRL-1.5B-v1", 497));
    }

    #[test]
    fn every_pair_of_table_5_has_its_figures() {
        let entropy = &paper().entropy;
        for (base, rlvr) in &entropy.pairs {
            for table in [&entropy.average, &entropy.token, &entropy.answer, &entropy.length] {
                assert!(table.get(base).is_some() && table.get(rlvr).is_some());
            }
        }
        let token = |model| entropy.token.get(model).unwrap().get("Avg").copied();
        assert_eq!((token("DeepSeek-1.5B"), token("ProRL-1.5B")), (Some(0.44), Some(0.52)));
        let order: Vec<&str> = entropy.token.0[0].1.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(order, ["AIME24", "AMC23", "MATH500", "Minerva", "Olympiad", "Avg"]);
    }
}
