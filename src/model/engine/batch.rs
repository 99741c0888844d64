//! Which completions are in the batch. Completions of one prompt that agree so far have the
//! same keys, values and logits to the bit, so they are one row, a [`Branch`], until their
//! own random numbers part them. A policy that has concentrated on few texts is drawn at
//! the cost of these few.

use super::Engine;
use super::cache::Private;
use super::step::{Row, Workspace};
use super::turns::Turns;
use crate::completion::{Finish, Token};
use crate::model::sampler::Distribution;
use crate::model::{Generated, ModelError, Observer, Request, Running};
use crate::random::Stream;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;

/// A completion that is being drawn.
#[derive(Clone, Copy)]
struct Member {
    index: u32,
    /// The token drawn last.
    token: u32,
    stream: Stream,
}

/// Completions that agree so far.
struct Branch {
    /// Where they stand in the list of all, by index.
    members: Range<usize>,
    tokens: Vec<Token>,
}

/// A branch with a place in the private cache.
struct Seat {
    branch: Branch,
    place: usize,
    /// Tokens whose keys and values the cache holds.
    read: usize,
}

struct Tree<'a> {
    request: &'a Request<'a>,
    limit: usize,
    members: Vec<Member>,
    seats: Vec<Seat>,
    /// Branches without a place, by their first completion. Where one gets it, its tokens are
    /// read again.
    waiting: BTreeMap<u32, Branch>,
    free: Vec<usize>,
    turns: Turns<'a>,
}

/// Draws what `request` asks for, completions of at most `limit` tokens.
pub fn run(
    engine: &Engine,
    workspace: &mut Workspace,
    request: &Request<'_>,
    limit: usize,
    observer: &mut dyn Observer,
) -> Result<(), ModelError> {
    if limit == 0 {
        for index in request.indices.clone() {
            observer.finished(Generated { index, tokens: Vec::new(), finish: Finish::Length });
        }
        return Ok(());
    }
    let new = |index| Member { index, token: 0, stream: request.stream.at(u64::from(index)) };
    let mut tree = Tree {
        request,
        limit,
        members: request.indices.clone().map(new).collect(),
        seats: Vec::with_capacity(workspace.private.sequences()),
        waiting: BTreeMap::new(),
        free: (0..workspace.private.sequences()).rev().collect(),
        turns: Turns::new(observer, request.indices.clone(), workspace.batch),
    };
    let mut drawn = tree.members.len();
    if drawn > 0 {
        workspace.read_prompt(engine, request.prompt);
        let Workspace { first_logits, sampler, private, .. } = workspace;
        let logits = &first_logits[..engine.config.vocab_size];
        let distribution = sampler.read(logits, request.sampling).ok_or_else(no_number)?;
        tree.draw(0..drawn, &distribution);
        tree.part(Branch { members: 0..drawn, tokens: Vec::new() }, None, &distribution, private);
    }
    let mut rows: Vec<Row> = Vec::with_capacity(workspace.batch);
    loop {
        tree.seat(workspace.batch);
        let running = tree.seats.iter().min_by_key(|seat| tree.lead(&seat.branch));
        let running =
            running.map(|seat| Running { index: tree.lead(&seat.branch), tokens: &seat.branch.tokens });
        if tree.turns.observer.stepped(drawn, running).is_break() || tree.seats.is_empty() {
            return Ok(());
        }
        tree.choose(workspace.batch, &mut rows);
        engine.rows.fetch_add(rows.len() as u64, Ordering::Relaxed);
        workspace.step(engine, &rows, request.prompt.len());
        drawn = 0;
        let Workspace { logits, sampler, private, .. } = &mut *workspace;
        // From the last: whatever is moved into the place of one that parted is done already.
        for row in (0..rows.len()).rev() {
            tree.seats[row].read += 1;
            let Seat { branch, read, .. } = &tree.seats[row];
            if *read < branch.tokens.len() {
                continue;
            }
            drawn += branch.members.len();
            let logits = &logits[row * engine.output.columns()..][..engine.config.vocab_size];
            let distribution = sampler.read(logits, request.sampling).ok_or_else(no_number)?;
            tree.grow(row, &distribution, private);
        }
    }
}

fn no_number() -> ModelError {
    candle_core::Error::Msg("no logit is a number".into()).into()
}

impl Tree<'_> {
    /// The first completion of a branch.
    fn lead(&self, branch: &Branch) -> u32 {
        self.members[branch.members.start].index
    }

    /// Gives places to branches that wait, as long as the batch is not full.
    fn seat(&mut self, batch: usize) {
        while self.seats.len() < batch
            && let Some(place) = self.free.pop()
        {
            let Some((_, branch)) = self.waiting.pop_first() else { return self.free.push(place) };
            self.seats.push(Seat { branch, place, read: 0 });
        }
    }

    /// The rows of the next step: the seats of the first completions, which are put to the
    /// front.
    fn choose(&mut self, batch: usize, rows: &mut Vec<Row>) {
        if self.seats.len() > batch {
            let members = &self.members;
            self.seats.select_nth_unstable_by_key(batch - 1, |s| members[s.branch.members.start].index);
        }
        rows.clear();
        rows.extend(self.seats.iter().take(batch).map(|seat| Row {
            sequence: seat.place,
            past: seat.read,
            token: seat.branch.tokens[seat.read].id,
        }));
    }

    /// Draws the next token of each completion of a seat whose tokens are all read.
    fn grow(&mut self, seat: usize, distribution: &Distribution<'_>, cache: &mut Private) {
        let branch = &self.seats[seat].branch;
        let (members, length) = (branch.members.clone(), branch.tokens.len() + 1);
        let first = self.draw(members, distribution);
        match first.filter(|token| self.finish(*token, length).is_none()) {
            Some(token) => self.seats[seat].branch.tokens.push(distribution.token(token)),
            None => {
                let Seat { branch, place, .. } = self.seats.swap_remove(seat);
                self.part(branch, Some(place), distribution, cache);
            }
        }
    }

    /// Draws the next token of each of `members` and puts those that drew the same side by
    /// side; gives the token that all of them drew, if they did.
    fn draw(&mut self, members: Range<usize>, distribution: &Distribution<'_>) -> Option<u32> {
        let members = &mut self.members[members];
        for member in members.iter_mut() {
            member.token = distribution.draw(member.stream.unit());
        }
        let first = members[0].token;
        if members.iter().all(|m| m.token == first) {
            return Some(first);
        }
        members.sort_unstable_by_key(|m| (m.token, m.index));
        None
    }

    /// Replaces a branch by one for each token that its members drew. The first that goes on
    /// keeps its place.
    fn part(
        &mut self,
        trunk: Branch,
        mut place: Option<usize>,
        distribution: &Distribution<'_>,
        cache: &mut Private,
    ) {
        let (from, read) = (place, trunk.tokens.len());
        let mut rest = trunk.members;
        while let Some(Member { token, .. }) = self.members[rest.clone()].first().copied() {
            let count = self.members[rest.clone()].iter().take_while(|m| m.token == token).count();
            let members = rest.start..rest.start + count;
            rest.start += count;
            let tokens = || [&trunk.tokens[..], &[distribution.token(token)]].concat();
            if let Some(finish) = self.finish(token, read + 1) {
                for member in members {
                    let index = self.members[member].index;
                    self.turns.finished(Generated { index, tokens: tokens(), finish });
                }
                continue;
            }
            let branch = Branch { members, tokens: tokens() };
            let kept = place.take();
            match (kept.or_else(|| from.and_then(|_| self.free.pop())), from) {
                (Some(to), Some(from)) => {
                    if kept.is_none() {
                        cache.copy(from, to, read);
                    }
                    self.seats.push(Seat { branch, place: to, read });
                }
                _ => _ = self.waiting.insert(self.lead(&branch), branch),
            }
        }
        self.free.extend(place);
    }

    /// Whether a completion ends with `token`, which is the last of `length`.
    fn finish(&self, token: u32, length: usize) -> Option<Finish> {
        if self.request.stop.contains(&token) {
            return Some(Finish::Stop);
        }
        (length >= self.limit).then_some(Finish::Length)
    }
}
