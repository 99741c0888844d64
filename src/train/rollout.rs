//! Completions to learn from: drawn by the sampling engine, judged by the verifier.

use super::network::Batch;
use super::parallel;
use super::{Ground, TrainError};
use crate::completion::{Completion, Finish, Token};
use crate::model::{self, Generated, Generator, ModelError, Observer, Running, Sampling};
use crate::problem::{Problem, Verdict, judge};
use crate::random::Stream;
use std::ops::{ControlFlow, Range};

/// The completions of one problem with their verdicts.
pub struct Group {
    /// The problem's number in the course; any where it has none.
    pub number: u64,
    pub problem: Problem,
    pub prompt: Vec<u32>,
    pub completions: Vec<Vec<Token>>,
    pub finishes: Vec<Finish>,
    pub verdicts: Vec<Verdict>,
}

impl Group {
    /// A problem that nothing is drawn of yet.
    ///
    /// # Errors
    /// A prompt that the tokenizer has no tokens for.
    pub fn new(number: u64, problem: Problem, ground: &Ground<'_>) -> Result<Self, ModelError> {
        let mut prompt: Vec<u32> = ground.network.config().bos.into_iter().collect();
        prompt.extend(ground.tokenizer.encode(&problem.prompt)?);
        Ok(Self { number, problem, prompt, completions: vec![], finishes: vec![], verdicts: vec![] })
    }

    /// The 0/1 verdicts.
    pub fn rewards(&self) -> Vec<f32> {
        self.verdicts.iter().map(|v| f32::from(u8::from(v.correct))).collect()
    }

    /// Log-probability of each whole completion, nats, when drawn.
    pub fn logprobs(&self) -> Vec<f32> {
        self.completions.iter().map(|c| c.iter().map(|t| t.logprob).sum()).collect()
    }

    /// The prompt once, and each completion as its continuation.
    pub fn batch(&self) -> Batch {
        let texts = self.completions.iter().map(|c| c.iter().map(|t| t.id).collect());
        continued(&self.prompt, texts)
    }

    /// What belongs to each completion, once for each target of [`Group::batch`].
    pub fn spread<T: Copy>(&self, each: &[T]) -> Vec<T> {
        self.completions.iter().zip(each).flat_map(|(c, x)| std::iter::repeat_n(*x, c.len())).collect()
    }

    /// The completions as the ledger takes them, with their verdicts.
    pub fn judged(self, ground: &Ground<'_>) -> impl Iterator<Item = (Completion, Verdict)> {
        let texts = texts(&self.completions, ground);
        let drawn = self.completions.into_iter().zip(self.finishes).zip(texts).enumerate();
        let completion = |(i, ((tokens, finish), text)): (usize, ((Vec<Token>, Finish), String))| {
            Completion::traced(i as u32, text, tokens, finish)
        };
        drawn.map(completion).zip(self.verdicts)
    }
}

/// A prompt and continuations of it that are all asked for, in their order. Where some agree
/// they share rows.
pub fn continued(prompt: &[u32], texts: impl Iterator<Item = Vec<u32>>) -> Batch {
    let texts: Vec<Vec<u32>> = texts.filter(|ids| !ids.is_empty()).collect();
    let mut tree = Tree { token: 0, row: 0, branches: Vec::new() };
    for ids in &texts {
        // The last token is asked for and never read.
        ids[..ids.len() - 1].iter().fold(&mut tree, |node, id| node.branch(*id));
    }
    let mut batch = Batch::default();
    let prompt = batch.push(prompt, &[]);
    tree.row = prompt.end - 1;
    tree.lay(&mut batch, &mut vec![prompt]);
    for ids in &texts {
        let mut node = &tree;
        for (i, id) in ids.iter().enumerate() {
            batch.targets.push((node.row, *id));
            if i + 1 < ids.len() {
                node = node.branches.iter().find(|b| b.token == *id).expect("it was laid");
            }
        }
    }
    batch
}

/// Texts by what they agree in.
struct Tree {
    token: u32,
    /// Of the batch.
    row: usize,
    branches: Vec<Tree>,
}

impl Tree {
    fn branch(&mut self, token: u32) -> &mut Self {
        let at = self.branches.iter().position(|b| b.token == token).unwrap_or(self.branches.len());
        if at == self.branches.len() {
            self.branches.push(Self { token, row: 0, branches: Vec::new() });
        }
        &mut self.branches[at]
    }

    /// Lays its branches into a batch, behind the rows of `prefix`.
    fn lay(&mut self, batch: &mut Batch, prefix: &mut Vec<Range<usize>>) {
        for branch in &mut self.branches {
            // What does not fork is one run of rows.
            let (mut tokens, mut last) = (vec![branch.token], &mut *branch);
            last.row = batch.tokens.len();
            while last.branches.len() == 1 {
                let row = last.row + 1;
                last = &mut last.branches[0];
                last.row = row;
                tokens.push(last.token);
            }
            let rows = batch.push(&tokens, prefix);
            if !last.branches.is_empty() {
                prefix.push(rows);
                last.lay(batch, prefix);
                prefix.pop();
            }
        }
    }
}

/// Draws `n` completions of each group's problem and judges them. Completion i of a problem
/// is a function of the stream, the problem's id and i alone. `false` where `watch` said
/// stop: the groups are then not whole.
///
/// # Errors
/// What the generator reports.
pub fn draw(
    generator: &dyn Generator,
    ground: &Ground<'_>,
    sampling: &Sampling,
    stream: Stream,
    n: usize,
    groups: &mut [Group],
) -> Result<bool, TrainError> {
    let failed = std::sync::Mutex::new(None);
    parallel::each(ground.threads, groups.iter_mut(), |group| {
        let request = model::Request {
            prompt: &group.prompt,
            indices: 0..n as u32,
            stream: stream.with(&group.problem.id),
            sampling,
            stop: &ground.network.config().eos,
        };
        let mut collector = Collector { drawn: Vec::new(), ground };
        if let Err(error) = generator.generate(&request, &mut collector) {
            *failed.lock().expect("no thread panics here") = Some(error);
            return;
        }
        collector.drawn.sort_by_key(|g| g.index);
        (group.completions, group.finishes) =
            collector.drawn.into_iter().map(|g| (g.tokens, g.finish)).unzip();
        let texts = texts(&group.completions, ground);
        group.verdicts = texts.iter().map(|text| judge(&group.problem, text)).collect();
    });
    match failed.into_inner().expect("no thread panicked") {
        Some(error) => Err(error.into()),
        None => Ok(!ground.stopped()),
    }
}

fn texts(completions: &[Vec<Token>], ground: &Ground<'_>) -> Vec<String> {
    let text = |tokens: &Vec<Token>| {
        let ids: Vec<u32> = tokens.iter().map(|t| t.id).collect();
        ground.tokenizer.decode(&ids)
    };
    completions.iter().map(text).collect()
}

struct Collector<'a> {
    drawn: Vec<Generated>,
    ground: &'a Ground<'a>,
}

impl Observer for Collector<'_> {
    fn finished(&mut self, completion: Generated) {
        self.drawn.push(completion);
    }

    fn stepped(&mut self, _: usize, _: Option<Running<'_>>) -> ControlFlow<()> {
        if self.ground.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_tokens_line_up_with_the_batch() {
        let token = |id| Token { id, logprob: -(id as f32), entropy: 0.0 };
        let verdict = |correct| Verdict { correct, ..Verdict::default() };
        let group = Group {
            number: 0,
            problem: Problem {
                id: String::new(),
                task: None,
                prompt: String::new(),
                reference: None,
                metadata: serde_json::Map::new(),
            },
            prompt: vec![9, 8],
            completions: [&[4, 5, 0][..], &[6], &[4, 5, 7, 0], &[4, 0], &[4, 5, 0]]
                .map(|ids| ids.iter().map(|id| token(*id)).collect())
                .to_vec(),
            finishes: vec![Finish::Stop; 5],
            verdicts: [true, false, false, false, true].map(verdict).to_vec(),
        };
        let batch = group.batch();
        assert_eq!(batch.tokens, [9, 8, 4, 5, 7]);
        assert_eq!(batch.positions, [0, 1, 2, 3, 4]);
        assert_eq!(batch.segments.len(), 2);
        let each = [
            &[(1, 4), (2, 5), (3, 0)][..],
            &[(1, 6)],
            &[(1, 4), (2, 5), (3, 7), (4, 0)],
            &[(1, 4), (2, 0)],
            &[(1, 4), (2, 5), (3, 0)],
        ];
        assert_eq!(batch.targets, each.concat());
        let spread = group.spread(&group.rewards());
        assert_eq!(spread, [&[1.0; 3][..], &[0.0; 7], &[1.0; 3]].concat());
        assert_eq!(group.logprobs(), [-9.0, -6.0, -16.0, -4.0, -9.0]);
    }
}
