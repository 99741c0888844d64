//! The close look at completions: token heat, branches, the word diff; and Explore's sorting
//! and filtering.

use super::{SIZES, THEME, frame, frame_with, lines, press, running, screen};
use insta::assert_snapshot;
use leash::app::{Effect, Message, State, Target, branch, update, weigh};
use leash::policy::{Scored, ScoredToken};
use leash::problem::Verdict;
use leash::random::Stream;
use leash::ui::View;
use leash::ui::theme::{Depth, Theme};
use ratatui::style::{Color, Modifier};

/// Scores what is asked for as two made-up policies would: the second is surer.
fn score(state: &mut State) {
    state.refresh();
    for effect in state.settle() {
        let Effect::Weigh(job) = effect else { continue };
        let sides = [0, 1].map(|side| Ok(scored(&job, side)));
        let weighed = weigh::Weighed { subject: job.subject, sides };
        update(state, Message::Weighed(Box::new(weighed)));
    }
}

fn scored(job: &weigh::Job, side: usize) -> Scored {
    let mut stream = Stream::new(side as u64).with(&job.text);
    let mut starts: Vec<usize> = job.text.match_indices(' ').map(|(at, _)| at).collect();
    starts.push(job.text.len());
    let pieces = starts.windows(2).map(|w| &job.text[w[0]..w[1]]).chain([""]);
    let token = |(i, text): (usize, &str)| {
        let p = if i % 7 == 3 { [0.4, 0.002][side] } else { 0.5 + stream.unit() / 2.0 };
        let entropy = if i % 7 == 3 { [1.2, 0.01][side] } else { stream.exponential([0.2, 0.05][side]) };
        let rest =
            [(" other", 0.9), (" third", 0.1)].map(|(t, share)| (t.to_owned(), (share * (1.0 - p)).ln()));
        let mut top = vec![(text.to_owned(), p.ln())];
        top.extend(rest);
        top.sort_by(|a, b| b.1.total_cmp(&a.1));
        ScoredToken { id: i as u32, text: text.to_owned(), logprob: p.ln(), entropy: Some(entropy), top }
    };
    Scored { tokens: pieces.enumerate().map(token).collect(), retokenised: false, ended: true }
}

/// A completion of a lost way, its text read, its cursor on a fork.
fn read() -> State {
    let mut state = running();
    press(&mut state, "⇥jj⏎");
    score(&mut state);
    press(&mut state, "⏎n");
    state
}

/// News of continuations: the base spreads, RLVR mostly misses.
fn branched(state: &mut State, keys: &str) {
    state.refresh();
    let mut jobs = Vec::new();
    for c in keys.chars() {
        let key = if c == '⏎' { leash::app::Key::Enter } else { leash::app::Key::Char(c) };
        jobs.extend(update(state, Message::Key(key)));
    }
    let Some(Effect::Branch(job)) = jobs.pop() else { panic!("nothing is drawn") };
    for side in [0, 1] {
        let verdict = |i: u32| {
            let correct = i.is_multiple_of([2, 9][side]);
            let answer = if correct { "44".to_owned() } else { (40 + i % 3).to_string() };
            let method = correct.then(|| ["pairs", "multiply"][(i % 4 / 2) as usize].to_owned());
            let text = format!("{} so\n#### {answer}", job.prefix);
            (Verdict { answer: Some(answer), correct, method, ..Verdict::default() }, text)
        };
        let drawn = branch::Kind::Drawn(job.indices.clone().map(verdict).collect());
        for kind in [drawn, branch::Kind::Ended(None)] {
            update(state, Message::Branched(branch::News { id: job.id, side, kind }));
        }
    }
}

#[test]
fn tokens_by_heat() {
    for (width, height) in SIZES {
        assert_snapshot!(format!("heat_{width}x{height}"), screen(&mut read(), width, height));
    }
    assert_snapshot!("heat_40x12", screen(&mut read(), 40, 12));
}

#[test]
fn a_branch_shows_where_both_go() {
    for (width, height) in SIZES {
        let mut state = read();
        branched(&mut state, "b");
        assert_snapshot!(format!("branch_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn a_continuation_in_full() {
    for (width, height) in SIZES {
        let mut state = read();
        branched(&mut state, "b");
        press(&mut state, "cc");
        assert_snapshot!(format!("continuation_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn a_click_chooses_a_token() {
    let mut state = read();
    let mut view = View::new(THEME, false);
    frame_with(&mut state, &mut view, 120, 36);
    let Some(target @ Target::Token(at)) = view.seen.at(60, 3) else { panic!("no token there") };
    assert_ne!(state.completions.cursor, at);
    update(&mut state, Message::Click(target));
    assert_eq!(state.completions.cursor, at);
    let buf = frame_with(&mut state, &mut view, 120, 36);
    assert!(buf[(60, 3)].modifier.contains(Modifier::REVERSED));
}

#[test]
fn first_words_are_typed() {
    let mut state = read();
    press(&mut state, "f");
    assert_snapshot!("words_80x24", screen(&mut state, 80, 24));
}

#[test]
fn two_completions_word_by_word() {
    for (width, height) in SIZES {
        let mut state = read();
        press(&mut state, "⎋d}");
        assert_snapshot!(format!("diff_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn heat_is_a_ground_and_forks_are_underlined_in_every_theme() {
    for depth in [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::Mono] {
        let mut state = read();
        // The cursor is away: it would turn the fork's colours round.
        press(&mut state, "h");
        let theme = Theme { depth, ..THEME };
        let buf = frame_with(&mut state, &mut View::new(theme, false), 120, 36);
        let cells = || buf.content.iter();
        let fork = cells().filter(|c| c.modifier.contains(Modifier::UNDERLINED)).count();
        assert!(fork > 4, "{depth:?}: forks are seen without colour");
        let grounds = cells().filter(|c| c.bg != Color::Reset).count();
        assert_eq!(grounds > 0, !matches!(depth, Depth::Sixteen | Depth::Mono), "{depth:?}");
        let weights = cells().filter(|c| c.modifier.contains(Modifier::DIM)).count();
        assert!(depth != Depth::Mono || weights > 0);
    }
}

#[test]
fn the_heat_is_another_one_with_each_press() {
    let mut state = read();
    let mut legends = Vec::new();
    for _ in 0..5 {
        let last = lines(&frame(&mut state, 120, 36));
        legends.push(last[34].clone());
        press(&mut state, "v");
    }
    for (legend, words) in
        legends.iter().zip(["entropy 0", "p under base", "p under rlvr", "likelier under base", ""])
    {
        assert!(legend.contains(words), "{legend}");
    }
    assert!(!legends[4].contains('▒'));
    assert_eq!(lines(&frame(&mut state, 120, 36))[34], legends[0]);
}

#[test]
fn a_long_text_is_followed_by_its_cursor() {
    let mut state = read();
    let mut view = View::new(THEME, false);
    for _ in 0..30 {
        press(&mut state, "l");
        let buf = frame_with(&mut state, &mut view, 64, 12);
        assert!(buf.content.iter().any(|c| c.modifier.contains(Modifier::REVERSED)), "the cursor is in view");
    }
}

#[test]
fn clusters_sorted_and_filtered() {
    let mut state = running();
    press(&mut state, "⇥ss/lost⏎");
    assert_snapshot!("clusters_lost", screen(&mut state, 120, 36));
    press(&mut state, "⎋⇥⇥s");
    assert_snapshot!("problems_by_loss", screen(&mut state, 120, 36));
}
