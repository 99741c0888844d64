//! In which order finished completions are handed out.

use crate::model::{Generated, Observer};
use std::collections::BTreeMap;
use std::ops::Range;

/// Hands out finished completions as if each had a row of its own and some were drawn side
/// by side, the next index always taking the place of one that ended. Else those that agree
/// with an early one would come before their turn, and who counts while completions come in
/// would find too many of the common ones.
pub struct Turns<'a> {
    pub observer: &'a mut dyn Observer,
    /// Indices whose turn has not come.
    left: Range<u32>,
    /// How many indices have their turn and are not finished, and how many may.
    open: usize,
    side_by_side: usize,
    /// Finished before their turn.
    early: BTreeMap<u32, Generated>,
}

impl<'a> Turns<'a> {
    pub fn new(observer: &'a mut dyn Observer, indices: Range<u32>, side_by_side: usize) -> Self {
        let mut turns = Self { observer, left: indices, open: 0, side_by_side, early: BTreeMap::new() };
        turns.advance();
        turns
    }

    /// Takes a finished completion; hands it out when its turn has come.
    pub fn finished(&mut self, completion: Generated) {
        if completion.index >= self.left.start {
            self.early.insert(completion.index, completion);
            return;
        }
        self.observer.finished(completion);
        self.open -= 1;
        self.advance();
    }

    fn advance(&mut self) {
        while self.open < self.side_by_side
            && let Some(index) = self.left.next()
        {
            match self.early.remove(&index) {
                Some(completion) => self.observer.finished(completion),
                None => self.open += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::Finish;
    use crate::model::Running;
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    #[derive(Default)]
    struct Handed(Vec<u32>);

    impl Observer for Handed {
        fn finished(&mut self, completion: Generated) {
            self.0.push(completion.index);
        }

        fn stepped(&mut self, _: usize, _: Option<Running<'_>>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    fn finished(index: u32) -> Generated {
        Generated { index, tokens: Vec::new(), finish: Finish::Stop }
    }

    proptest! {
        #[test]
        fn each_is_handed_out_once_and_as_if_it_had_its_own_row(
            order in Just((3..40).collect::<Vec<u32>>()).prop_shuffle(), rows in 1usize..6,
        ) {
            let mut handed = Handed::default();
            let mut turns = Turns::new(&mut handed, 3..40, rows);
            for index in &order {
                turns.finished(finished(*index));
            }
            // Rows that each hold one index: of those that stand in a row, the one that is
            // finished first leaves it to the next index.
            let finish = |index: u32| order.iter().position(|o| *o == index);
            let (mut expected, mut standing, mut left) = (Vec::new(), Vec::new(), 3..40);
            let mut now = 0;
            loop {
                standing.extend(left.by_ref().take(rows - standing.len()));
                let Some(at) = (0..standing.len()).min_by_key(|i| finish(standing[*i]).map(|f| (f.max(now), *i)))
                else { break };
                now = now.max(finish(standing[at]).unwrap());
                expected.push(standing.remove(at));
            }
            prop_assert_eq!(&handed.0, &expected);
        }
    }
}
