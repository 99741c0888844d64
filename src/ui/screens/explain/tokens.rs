//! The figures of an open completion: its tokens, forks and branches.

use super::Figure;
use crate::app::State;
use crate::ui::screens::completions::readout::{probability, shown};
use crate::ui::text;

/// What is known of the completion that is open; nothing where its tokens are not known.
pub(super) fn figures(state: &State) -> Vec<Figure> {
    let mut out = Vec::new();
    out.extend(probability_of(state));
    out.extend(entropy(state));
    out.extend(branch(state));
    out
}

fn probability_of(state: &State) -> Option<Figure> {
    let tokens = state.tokens().filter(|t| !t.is_empty())?;
    let at = state.completions.cursor.min(tokens.len() - 1);
    let subject = state.subject()?;
    let entry = state.archive.get(subject.policy, subject.problem, subject.index)?;
    let token = shown(entry.completion.text.get(tokens.range(at)).unwrap_or_default());
    let [base, rlvr] = [0, 1].map(|side| tokens.logprob[side][at]);
    let of = |side: usize, l: f64| format!("{} {}", state.name(side), probability(l.exp()));
    let mut here = vec![format!("“{token}”, token {}: {}, {}.", at + 1, of(0, base), of(1, rlvr))];
    if (rlvr - base).is_finite() {
        let made = if rlvr >= base { "likelier" } else { "less likely" };
        let difference = text::decimal(Some(rlvr - base), 2);
        here.push(format!("ln p differs by {difference} nats: RLVR made this token {made}."));
    }
    Some(Figure {
        name: "Probability of a token".to_owned(),
        here,
        formula: "p of the token after the prompt and the tokens before it, T = 1, nothing cut off",
        source: "exact for a model in this process; of a server the likeliest tokens that it gives",
    })
}

fn entropy(state: &State) -> Option<Figure> {
    let tokens = state.tokens().filter(|t| !t.is_empty())?;
    let at = state.completions.cursor.min(tokens.len() - 1);
    let [base, rlvr] = [0, 1].map(|side| text::decimal(Some(tokens.entropy[side][at]), 2));
    let forks = (0..tokens.len()).filter(|i| tokens.is_fork(*i)).count();
    Some(Figure {
        name: "Entropy of a token, and forks".to_owned(),
        here: vec![
            format!("Here {base} nats under {} and {rlvr} under {}.", state.name(0), state.name(1)),
            format!(
                "{forks} of {} tokens are forks: where {} was least sure.",
                tokens.len(),
                state.name(tokens.own)
            ),
        ],
        formula: "H = −Σ p ln p over the next token; forks: the fifth of the tokens with the highest H",
        source: "Wang et al. 2025, Beyond the 80/20 Rule, arXiv:2506.01939",
    })
}

fn branch(state: &State) -> Option<Figure> {
    let branch = state.open_branch()?;
    let of = |side: usize| {
        format!("{} is right in {} of {}", state.name(side), branch.correct[side], branch.drawn[side])
    };
    Some(Figure {
        name: "Branch".to_owned(),
        here: vec![format!("From there on {}, {}.", of(0), of(1))],
        formula: "shares of continuations of the same given words, with random streams of their own",
        source: "in no other figure, and in no recording: they are no draws of the campaign",
    })
}
