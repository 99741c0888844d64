//! What is left on the normal screen: a small table of what was seen.

use super::text::{bounded, decimal, grouped, left, right};
use crate::app::State;
use crate::support::{Crossing, Lens, Unit};
use std::fmt::Write;

/// The run in a few lines; empty if nothing was drawn.
pub fn summary(state: &State) -> String {
    let ledger = &state.ledger;
    let drawn = |i: usize| ledger.matched(state.pair, i);
    let seen: Vec<u32> = (0..state.problems.len()).map(drawn).filter(|k| *k > 0).collect();
    let (Some(least), Some(most)) = (seen.iter().min(), seen.iter().max()) else { return String::new() };
    let policies = [state.pair.base, state.pair.rlvr];
    let mut out = String::new();
    // Writing to a string does not fail.
    let mut line = |words: String| {
        let _ = writeln!(out, "{}", words.trim_end());
    };
    let k = if least == most {
        grouped((*most).into())
    } else {
        format!("{} to {}", grouped((*least).into()), grouped((*most).into()))
    };
    let problems = if seen.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", seen.len()) };
    line(format!("leash   {problems}, k {k}, seed {}", state.settings.sampling.seed));
    let row = |name: &str, cells: [String; 2]| {
        format!("{}{}{}", left(name, 16), right(&cells[0], 12), right(&cells[1], 12))
    };
    line(row("", [0, 1].map(|side| state.name(side).to_owned())));
    line(row("pass@1", policies.map(|p| decimal(ledger.pass_at(p, 1), 3))));
    let last = policies.map(|p| ledger.least_drawn(p)).into_iter().min().unwrap_or(0);
    if last > 1 {
        line(row(&format!("pass@{last}"), policies.map(|p| decimal(ledger.pass_at(p, last), 3))));
    }
    line(row(
        "token entropy",
        policies.map(|p| bounded(ledger.token_entropy(p), ledger.token_entropy_range(p), 3)),
    ));
    line(row("answer entropy", policies.map(|p| decimal(ledger.answer_entropy(p), 3))));
    match ledger.crossing(state.pair) {
        Crossing::At { k, low, high } => line(format!("the curves cross at k = {k} [{low}, {high}]")),
        Crossing::NoneUpTo(k) => line(format!("the curves do not cross up to k = {k}")),
        Crossing::Unknown => {}
    }
    line(String::new());
    line(cells("unit", ["P", "E", "S", "O", "SRR", "NDR"].map(str::to_owned)));
    for unit in Unit::ALL {
        let c = ledger.counts(state.pair, &Lens { unit, ..state.lens });
        let [p, e, s, o] = [c.p, c.e, c.s, c.o].map(grouped);
        line(cells(unit.name(), [p, e, s, o, decimal(c.srr(), 3), decimal(c.ndr(), 3)]));
    }
    out
}

fn cells(name: &str, cells: [String; 6]) -> String {
    cells.iter().fold(left(name, 12), |line, cell| line + &right(cell, 8))
}
