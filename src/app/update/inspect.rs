//! What the keys of Completions do to tokens, branches and the diff.

use crate::app::action::Action;
use crate::app::branch::Branch;
use crate::app::effect::Effect;
use crate::app::state::{Overlay, State, Words};
use crate::app::weigh::Subject;

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Heat => heat(state),
        Action::NextFork => fork(state, true),
        Action::PreviousFork => fork(state, false),
        Action::Branch => return branch(state),
        Action::Force => force(state),
        Action::Diff => diff(state),
        Action::NextContinuation => continuation(state, true),
        Action::PreviousContinuation => continuation(state, false),
        _ => {}
    }
    Vec::new()
}

/// Moves the cursor over the tokens, or to another pane where the list has the keys.
pub(super) fn cursor(state: &mut State, by: i32) -> Vec<Effect> {
    if !state.completions.reading {
        return super::pane(state, by);
    }
    let last = state.tokens().map_or(0, |t| t.len().saturating_sub(1));
    let at = state.completions.cursor.saturating_add_signed(by as isize).min(last);
    point(state, at);
    Vec::new()
}

/// One level back: a continuation in full, the panel of a branch, then a diff.
pub(super) fn back(state: &mut State) -> Option<Vec<Effect>> {
    if state.open_branch().is_some() {
        let branch = state.inspect.branch.as_mut()?;
        if branch.close() {
            state.completions.scroll = 0;
            return Some(Vec::new());
        }
        state.inspect.branch = None;
        return Some(vec![Effect::EndBranch]);
    }
    state.inspect.partner.take().map(|_| Vec::new())
}

/// Continuations of what was typed.
pub(super) fn forced(state: &mut State, words: Words) -> Vec<Effect> {
    state.branch(words.text, words.tokens)
}

pub(super) fn point(state: &mut State, at: usize) {
    state.completions.cursor = at;
    state.completions.follow = true;
}

fn heat(state: &mut State) {
    // The first press opens the models of a recording that is only read.
    if state.subject().is_some() && state.tokens().is_none() && !state.inspect.asked {
        state.inspect.asked = true;
        return;
    }
    state.inspect.heat = state.inspect.heat.next();
}

fn fork(state: &mut State, forward: bool) {
    let Some(tokens) = state.tokens() else { return };
    match tokens.fork_from(state.completions.cursor, forward) {
        Some(at) => {
            state.completions.reading = true;
            point(state, at);
        }
        None => {
            let where_to = if forward { "after" } else { "before" };
            state.notice = Some(format!("no fork {where_to} this token"));
        }
    }
}

/// Continuations of what stands before the cursor's token.
fn branch(state: &mut State) -> Vec<Effect> {
    match before(state, false) {
        Some(Words { text, tokens }) => state.branch(text, tokens),
        None => {
            state.notice = Some("its tokens are not known yet".to_owned());
            Vec::new()
        }
    }
}

/// Asks for the first words, beginning with those up to the cursor's token.
fn force(state: &mut State) {
    let known = before(state, true);
    let first = || Some(Words { text: state.first_word()?, tokens: Vec::new() });
    let words = known.or_else(first).unwrap_or_default();
    state.overlay = Some(Overlay::Words(words));
}

/// The text and the tokens before the cursor's token, or up to and with it.
fn before(state: &State, with: bool) -> Option<Words> {
    let (subject, tokens) = (state.subject()?, state.tokens()?);
    let entry = state.archive.get(subject.policy, subject.problem, subject.index)?;
    let at = state.completions.cursor.min(tokens.len().checked_sub(1)?);
    let range = tokens.range(at);
    let end = if with { range.end } else { range.start };
    let text = entry.completion.text.get(..end)?.to_owned();
    // The end of a text begins nothing.
    let taken = if with && !range.is_empty() { at + 1 } else { at };
    Some(Words { text, tokens: tokens.ids.get(..taken)?.to_vec() })
}

/// Another continuation in full; after the last one the completion again.
fn continuation(state: &mut State, forward: bool) {
    if state.open_branch().is_none_or(Branch::is_empty) {
        state.notice = Some("no continuation yet: b or f draws some".to_owned());
        return;
    }
    if let Some(branch) = &mut state.inspect.branch {
        branch.show(forward);
    }
    let open = &mut state.completions;
    (open.reading, open.scroll, open.follow) = (true, 0, false);
}

/// Marks the selected completion as the one that others are held against, or drops the mark.
fn diff(state: &mut State) {
    let selected: Option<Subject> = state.subject();
    match (state.inspect.partner.take(), selected) {
        (None, Some(subject)) => {
            state.inspect.partner = Some(subject);
            state.notice = Some("go to another completion to see both word by word; d ends it".to_owned());
        }
        _ => state.notice = Some("no longer compared".to_owned()),
    }
}
