//! Which completions are in the batch: as one ends, the next takes its place.

use super::Engine;
use super::step::{Row, Workspace};
use crate::completion::{Finish, Token};
use crate::model::{Generated, ModelError, Observer, Request, Running, Sampler};
use crate::random::Stream;

/// A completion that is being drawn.
struct Slot {
    index: u32,
    stream: Stream,
    tokens: Vec<Token>,
    /// Its place in the private cache.
    sequence: usize,
}

/// Draws what `request` asks for, completions of at most `limit` tokens.
pub fn run(
    engine: &Engine,
    workspace: &mut Workspace,
    request: &Request<'_>,
    limit: usize,
    observer: &mut dyn Observer,
) -> Result<(), ModelError> {
    let mut indices = request.indices.clone();
    if limit == 0 {
        for index in indices {
            observer.finished(Generated { index, tokens: Vec::new(), finish: Finish::Length });
        }
        return Ok(());
    }
    workspace.read_prompt(engine, request.prompt);
    let mut active: Vec<Slot> = Vec::with_capacity(workspace.batch);
    let mut rows: Vec<Row> = Vec::with_capacity(workspace.batch);
    let mut free: Vec<usize> = (0..indices.len().min(workspace.batch)).rev().collect();
    let draw = Draw { request, limit, vocab_size: engine.config.vocab_size };
    let mut drawn = 0;
    loop {
        // One token of a new completion comes from the prompt itself. A bounded number at a
        // time, since all of them may end at once.
        for index in indices.by_ref().take(free.len()) {
            let sequence = free.pop().expect("as many as are taken");
            let tokens = Vec::with_capacity(limit.min(256));
            let mut slot = Slot { index, stream: request.stream.at(u64::from(index)), tokens, sequence };
            drawn += 1;
            match draw.token(&mut slot, &workspace.first_logits, &mut workspace.sampler)? {
                Some(finish) => {
                    free.push(slot.sequence);
                    observer.finished(slot.end(finish));
                }
                None => active.push(slot),
            }
        }
        let running = active.first().map(|s| Running { index: s.index, tokens: &s.tokens });
        if observer.stepped(drawn, running).is_break() {
            return Ok(());
        }
        if active.is_empty() {
            if indices.is_empty() {
                return Ok(());
            }
            drawn = 0;
            continue;
        }
        rows.clear();
        rows.extend(active.iter().map(|slot| Row {
            sequence: slot.sequence,
            past: slot.tokens.len() - 1,
            token: slot.tokens[slot.tokens.len() - 1].id,
        }));
        workspace.step(engine, &rows, request.prompt.len());
        drawn = active.len();
        let width = engine.output.columns();
        // From the last: whoever is moved into the place of one that ended is drawn already.
        for row in (0..active.len()).rev() {
            let logits = &workspace.logits[row * width..][..width];
            if let Some(finish) = draw.token(&mut active[row], logits, &mut workspace.sampler)? {
                let slot = active.swap_remove(row);
                free.push(slot.sequence);
                observer.finished(slot.end(finish));
            }
        }
    }
}

impl Slot {
    fn end(self, finish: Finish) -> Generated {
        Generated { index: self.index, tokens: self.tokens, finish }
    }
}

struct Draw<'a> {
    request: &'a Request<'a>,
    limit: usize,
    vocab_size: usize,
}

impl Draw<'_> {
    /// Draws the next token of a completion, and says whether it ends it.
    fn token(
        &self,
        slot: &mut Slot,
        logits: &[f32],
        sampler: &mut Sampler,
    ) -> Result<Option<Finish>, ModelError> {
        let unit = slot.stream.unit();
        let token = sampler
            .draw(&logits[..self.vocab_size], self.request.sampling, unit)
            .ok_or_else(|| candle_core::Error::Msg("no logit is a number".into()))?;
        slot.tokens.push(token);
        Ok(if self.request.stop.contains(&token.id) {
            Some(Finish::Stop)
        } else {
            (slot.tokens.len() >= self.limit).then_some(Finish::Length)
        })
    }
}
