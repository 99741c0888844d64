//! Completions from the reference decoder, the plain way: one prefill, and a batch that
//! shrinks as its completions end.

use super::{Cache, Decoder};
use crate::completion::{Finish, Token};
use crate::model::engine::Level;
use crate::model::{Generated, Generator, ModelError, Observer, Request, Running, Sampler};
use crate::random::Stream;
use candle_core::Tensor;

/// Completions drawn side by side.
const BATCH: u32 = 64;

struct Slot {
    index: u32,
    stream: Stream,
    tokens: Vec<Token>,
}

impl Generator for Decoder {
    fn generate(&self, request: &Request<'_>, observer: &mut dyn Observer) -> Result<(), ModelError> {
        let limit = request.limit(self.config())?;
        let mut indices = request.indices.clone();
        if limit == 0 {
            for index in indices {
                observer.finished(Generated { index, tokens: Vec::new(), finish: Finish::Length });
            }
            return Ok(());
        }
        let prompt = Tensor::new(request.prompt, self.device())?.unsqueeze(0)?;
        let mut prefilled = Cache::new(request.prompt.len() + limit);
        let logits = self.forward(&prompt, &mut prefilled)?;
        let first: Vec<f32> = logits.squeeze(0)?.get(request.prompt.len() - 1)?.to_vec1()?;
        let mut sampler = Sampler::new(Level::best(), self.config().vocab_size);
        while !indices.is_empty() {
            let chunk = indices.by_ref().take(BATCH as usize);
            let new = |index| Slot { index, stream: request.stream.at(u64::from(index)), tokens: vec![] };
            let mut active: Vec<Slot> = chunk.map(new).collect();
            let mut cache = prefilled.rows(&vec![0; active.len()])?;
            let mut logits = vec![first.clone(); active.len()];
            loop {
                let drawn = active.len();
                let (mut kept, mut rows) = (Vec::with_capacity(drawn), Vec::with_capacity(drawn));
                for (row, (mut slot, logits)) in active.into_iter().zip(&logits).enumerate() {
                    let unit = slot.stream.unit();
                    let token = sampler
                        .draw(logits, request.sampling, unit)
                        .ok_or_else(|| candle_core::Error::Msg("no logit is a number".into()))?;
                    slot.tokens.push(token);
                    let finish = if request.stop.contains(&token.id) {
                        Finish::Stop
                    } else if slot.tokens.len() >= limit {
                        Finish::Length
                    } else {
                        kept.push(slot);
                        rows.push(row as u32);
                        continue;
                    };
                    observer.finished(Generated { index: slot.index, tokens: slot.tokens, finish });
                }
                active = kept;
                let running = active.first().map(|s| Running { index: s.index, tokens: &s.tokens });
                if observer.stepped(drawn, running).is_break() {
                    return Ok(());
                }
                let Some(last) = active.iter().map(|s| s.tokens.last()).collect::<Option<Vec<_>>>() else {
                    break;
                };
                if last.is_empty() {
                    break;
                }
                if rows.len() < drawn {
                    cache = cache.rows(&rows)?;
                }
                let ids: Vec<u32> = last.iter().map(|t| t.id).collect();
                let next = Tensor::new(ids, self.device())?.unsqueeze(1)?;
                logits = self.forward(&next, &mut cache)?.squeeze(1)?.to_vec2()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decoder::log_softmax;
    use crate::model::{Sampling, config::tests::tiny, weights::tests::random};
    use candle_core::Device;
    use std::ops::ControlFlow;

    #[derive(Default)]
    struct Collector {
        finished: Vec<Generated>,
        steps_left: usize,
    }

    impl Observer for Collector {
        fn finished(&mut self, completion: Generated) {
            self.finished.push(completion);
        }

        fn stepped(&mut self, _: usize, _: Option<Running<'_>>) -> ControlFlow<()> {
            if self.steps_left == 0 {
                return ControlFlow::Break(());
            }
            self.steps_left -= 1;
            ControlFlow::Continue(())
        }
    }

    fn drawn(decoder: &Decoder, indices: std::ops::Range<u32>, steps_left: usize) -> Vec<Generated> {
        let sampling = Sampling { max_tokens: 20, ..Sampling::default() };
        let (prompt, stream) = ([3, 1, 20], Stream::new(4));
        let request = Request { prompt: &prompt, indices, stream, sampling: &sampling, stop: &[0, 5] };
        let mut collector = Collector { steps_left, ..Collector::default() };
        decoder.generate(&request, &mut collector).unwrap();
        collector.finished.sort_by_key(|g| g.index);
        collector.finished
    }

    #[test]
    fn figures_of_a_completion_are_those_of_a_fresh_forward_pass() {
        let decoder = Decoder::new(&tiny(), &random(&tiny(), 7)).unwrap();
        let all = drawn(&decoder, 0..70, usize::MAX);
        assert_eq!(all.len(), 70);
        assert!(all.iter().any(|g| g.finish == Finish::Stop) && all.iter().any(|g| g.tokens.len() > 5));
        for g in all {
            assert_eq!(g.finish == Finish::Stop, [0, 5].contains(&g.tokens.last().unwrap().id));
            let mut tokens = vec![3, 1, 20];
            tokens.extend(g.tokens.iter().map(|t| t.id));
            let row = Tensor::new(tokens, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
            let lp = log_softmax(&decoder.forward(&row, &mut Cache::default()).unwrap()).unwrap();
            let lp: Vec<Vec<f32>> = lp.squeeze(0).unwrap().to_vec2().unwrap();
            for (i, token) in g.tokens.iter().enumerate() {
                let row = &lp[2 + i];
                assert!((token.logprob - row[token.id as usize]).abs() < 1e-4);
                let entropy: f32 = row.iter().map(|lp| -lp * lp.exp()).sum();
                assert!((token.entropy - entropy).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn a_completion_depends_on_its_index_and_a_break_is_obeyed() {
        let decoder = Decoder::new(&tiny(), &random(&tiny(), 7)).unwrap();
        let (all, some) = (drawn(&decoder, 0..70, usize::MAX), drawn(&decoder, 60..66, usize::MAX));
        let ids = |g: &Generated| g.tokens.iter().map(|t| t.id).collect::<Vec<_>>();
        assert!(some.iter().zip(&all[60..66]).all(|(a, b)| a.index == b.index && ids(a) == ids(b)));
        assert!(drawn(&decoder, 0..70, 0).iter().all(|g| g.tokens.len() == 1));
    }
}
