//! The clusters of the problem in view as rows, both policies' columns side by side.

use crate::app::state::State;
use crate::app::state::explore::Order;
use crate::completion::clean;
use crate::support::change::{Certainty, Change};
use crate::support::{ClusterKey, Status};

/// A cluster's row in both columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub key: ClusterKey,
    /// What stands for its answer, cleaned.
    pub answer: String,
    /// Its method, cleaned; empty if it has none.
    pub method: String,
    pub hits: [u32; 2],
    pub correct: bool,
    /// `None` for wrong ones, and for correct ones that the lens leaves out.
    pub status: Option<Status>,
    /// Whether the draws decide; `None` for what is wrong, or was shown by both.
    pub change: Option<Change>,
}

impl State {
    /// The clusters as rows: correct ones first, then wrong ones, `NA` last; within each by
    /// hits, but a row overtakes another only by more than chance would, so that rows that
    /// are about equal do not keep changing places.
    pub(super) fn rows(&self) -> Vec<Row> {
        let min_hits = self.lens.criterion.min_hits();
        let k = self.graded().matched(self.pair, self.current);
        let make = |c: crate::support::Cluster| {
            let counted = if self.lens.sound { c.sound } else { c.hits };
            let status = (c.correct && counted != [0, 0])
                .then(|| Status::of(counted[0] >= min_hits, counted[1] >= min_hits));
            let change = match status {
                Some(Status::Shrunk | Status::Expanded) => Change::of_flip(counted, [k; 2], self.zeta()),
                _ => None,
            };
            Row {
                change,
                answer: c.key.answer.as_deref().map_or("NA".to_owned(), one_line),
                method: c.key.method.as_deref().map_or(String::new(), one_line),
                hits: if status.is_some() { counted } else { c.hits },
                correct: c.correct,
                status,
                key: c.key,
            }
        };
        let mut rows: Vec<Row> =
            self.graded().clusters(self.pair, self.current).into_iter().map(make).collect();
        let before = &self.figures.here;
        let place = |row: &Row| match before.problem == self.current {
            true => before.rows.iter().position(|b| b.key == row.key).unwrap_or(usize::MAX),
            false => usize::MAX,
        };
        let mut places: Vec<(usize, Row)> = rows.drain(..).map(|r| (place(&r), r)).collect();
        let order = self.explore.order;
        places.sort_by_key(|(place, r)| (rank(r, order), *place));
        let mut rows: Vec<Row> = places.into_iter().map(|(_, r)| r).collect();
        if before.order != order {
            rows.sort_by(|a, b| {
                rank(a, order).cmp(&rank(b, order)).then(weight(b, order).total_cmp(&weight(a, order)))
            });
        }
        settle(&mut rows, order);
        rows
    }
}

fn one_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Whether a cluster passes a filter, which is in lower case.
pub fn passes(row: &Row, filter: &str) -> bool {
    let has = |text: &str, part: &str| text.to_lowercase().contains(part.trim());
    match filter {
        "" => true,
        "lost" => row.status == Some(Status::Shrunk),
        "gained" => row.status == Some(Status::Expanded),
        "preserved" => row.status == Some(Status::Preserved),
        "undecided" => matches!(row.change.map(|c| c.certainty), Some(Certainty::Undecided { .. })),
        "wrong" => !row.correct,
        "correct" => row.correct,
        _ => match filter.split_once(':') {
            Some(("method", part)) => has(&row.method, part),
            Some(("answer", part)) => has(&row.answer, part),
            _ => has(&row.method, filter) || has(&row.answer, filter),
        },
    }
}

fn rank(row: &Row, order: Order) -> u8 {
    match row {
        Row { correct: true, status, .. } if order == Order::Lost => match status {
            Some(Status::Shrunk) => 0,
            Some(Status::Expanded) => 1,
            _ => 2,
        },
        Row { correct: true, .. } => 2,
        Row { key: ClusterKey { answer: Some(_), .. }, .. } => 3,
        _ => 4,
    }
}

/// By what rows of one rank are ordered.
fn weight(row: &Row, order: Order) -> f64 {
    let [base, rlvr] = row.hits.map(f64::from);
    if order == Order::Change { (rlvr - base).abs() } else { base + rlvr }
}

/// Insertion by weight: a row moves up past those that it clearly exceeds.
fn settle(rows: &mut [Row], order: Order) {
    let total = |r: &Row| f64::from(r.hits[0]) + f64::from(r.hits[1]);
    for i in 1..rows.len() {
        let mut at = i;
        while at > 0 {
            let (above, row) = (&rows[at - 1], &rows[at]);
            if rank(above, order) != rank(row, order)
                || weight(row, order) <= weight(above, order) + total(above).sqrt()
            {
                break;
            }
            rows.swap(at, at - 1);
            at -= 1;
        }
    }
}
