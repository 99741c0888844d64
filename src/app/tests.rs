use super::state::explore::{Layout, Pane};
use super::state::{Named, Overlay, Scope, Screen};
use super::*;
use crate::completion::{Completion, Finish};
use crate::model::Sampling;
use crate::problem::{Problem, Verdict};
use crate::run::{Drawn, Event, EventKind, Gauge, Settings};
use crate::support::{Criterion, Status, Unit};

fn state(problems: usize) -> State {
    let problem = |i: usize| Problem {
        id: format!("p/{i}"),
        task: None,
        prompt: format!("Q: What is {i} + {i}?\nA:"),
        reference: Some((2 * i).to_string()),
        metadata: serde_json::Map::new(),
    };
    let named = |name: &str| Named { name: name.to_owned(), spec: String::new() };
    let settings = Settings { k: 8, sampling: Sampling::default(), threads: 1 };
    let problems: Vec<Problem> = (0..problems).map(problem).collect();
    State::new(vec![named("base"), named("rlvr")], problems.into(), settings)
}

/// Draws answers on a problem; `!` marks correct ones.
fn draw(state: &mut State, policy: usize, problem: usize, answers: &str) {
    let drawn = |(index, answer): (usize, &str)| {
        let correct = answer.ends_with('!');
        let answer = answer.trim_end_matches('!');
        let text = format!("\x1b[2Jit is {answer}");
        let completion = Completion {
            index: index as u32,
            text,
            length: None,
            logprob: None,
            token_entropy: None,
            entropy_range: None,
            trace: Vec::new(),
            finish: Finish::Stop,
        };
        let method = correct.then(|| answer.to_owned());
        let verdict = Verdict { answer: Some(answer.to_owned()), correct, method, ..Verdict::default() };
        Drawn { policy, problem, completion, verdict, given: None }
    };
    let all = answers.split_whitespace().enumerate().map(drawn).collect();
    run(state, EventKind::Drawn(all));
}

fn run(state: &mut State, kind: EventKind) {
    let event = Event { generation: state.generation, kind };
    assert_eq!(update(state, Message::Run(event)), []);
}

fn keys(state: &mut State, keys: &str) -> Vec<Effect> {
    let key = |c| match c {
        '⏎' => Key::Enter,
        '⎋' => Key::Esc,
        '⇥' => Key::Tab,
        '⌫' => Key::Backspace,
        c => Key::Char(c),
    };
    keys.chars().flat_map(|c| update(state, Message::Key(key(c)))).collect()
}

#[test]
fn stepping_to_a_problem_asks_for_it_first() {
    let mut s = state(3);
    assert_eq!(keys(&mut s, "jj"), [Effect::Focus(1), Effect::Focus(2)]);
    assert_eq!(keys(&mut s, "j"), [], "it stays on the last");
    assert_eq!(keys(&mut s, "gg"), [Effect::Focus(0)]);
    assert_eq!(keys(&mut s, "G{"), [Effect::Focus(2), Effect::Focus(1)]);
    assert_eq!(keys(&mut s, "gj"), [Effect::Focus(2)], "a sequence broken off swallows no key");
}

#[test]
fn late_news_of_an_old_generation_is_dropped() {
    let mut s = state(1);
    draw(&mut s, 0, 0, "1!");
    assert!(matches!(keys(&mut s, "r")[..], []));
    assert_eq!(s.overlay, Some(Overlay::Restart(1)));
    let effects = keys(&mut s, "y");
    assert!(matches!(&effects[0], Effect::Restart(settings) if settings.sampling.seed == 1));
    assert_eq!((s.generation, s.ledger.drawn(0, 0)), (1, 0));
    let late = Event { generation: 0, kind: EventKind::Finished };
    update(&mut s, Message::Run(late));
    update(&mut s, Message::Gauge(Gauge { tokens: 5, ..Gauge::default() }));
    assert!(!s.progress.finished && s.progress.gauge.tokens == 0);
    draw(&mut s, 0, 0, "1!");
    assert_eq!(s.ledger.drawn(0, 0), 1);
}

#[test]
fn both_columns_share_their_rows_and_say_what_was_lost() {
    let mut s = state(1);
    draw(&mut s, 0, 0, "a! a! b! x");
    draw(&mut s, 1, 0, "a! a! a! y");
    s.refresh();
    let rows = &s.figures.here.rows;
    let row = |at: usize| (rows[at].answer.as_str(), rows[at].hits, rows[at].status);
    assert_eq!(row(0), ("a", [2, 3], Some(Status::Preserved)));
    assert_eq!(row(1), ("b", [1, 0], Some(Status::Shrunk)));
    assert_eq!(rows.len(), 4);
    assert!(rows[2..].iter().all(|r| r.status.is_none() && !r.correct));
    assert_eq!(s.figures.here.distinct, [2, 1]);
}

#[test]
fn rows_keep_their_places_while_they_are_about_equal() {
    let mut s = state(1);
    let order = |s: &mut State| -> String {
        s.refresh();
        s.figures.here.rows.iter().map(|r| r.answer.clone()).collect()
    };
    draw(&mut s, 0, 0, "a! a! b!");
    draw(&mut s, 1, 0, "a! b! b!");
    assert_eq!(order(&mut s), "ab");
    draw(&mut s, 0, 0, "- - - b!");
    draw(&mut s, 1, 0, "- - - x");
    assert_eq!(order(&mut s), "abx", "four to three is no lead");
    let many = format!("- - - - {}", "b! ".repeat(9));
    draw(&mut s, 0, 0, &many);
    draw(&mut s, 1, 0, &many);
    assert_eq!(order(&mut s), "bax");
}

#[test]
fn a_selected_cluster_stays_selected_and_the_top_one_until_then() {
    let mut s = state(1);
    draw(&mut s, 0, 0, "a! b! b!");
    draw(&mut s, 1, 0, "b! b! b!");
    keys(&mut s, "⇥j");
    assert_eq!((s.explore.pane, s.selected_row()), (Pane::Clusters(0), 1));
    let chosen = s.explore.cluster.clone();
    let many = format!("- - - {}", "a! ".repeat(20));
    draw(&mut s, 0, 0, &many);
    draw(&mut s, 1, 0, &many);
    s.refresh();
    assert_eq!(s.explore.cluster, chosen);
    assert_eq!(s.selected_row(), 0, "it has overtaken the other");
}

#[test]
fn a_cluster_opens_to_its_completions_and_closes_level_by_level() {
    let mut s = state(2);
    draw(&mut s, 0, 0, "a! x a!");
    draw(&mut s, 1, 0, "x x x");
    keys(&mut s, "⏎");
    s.refresh();
    assert_eq!((s.screen, s.completions.side), (Screen::Completions, 0));
    assert_eq!(s.figures.members, [0, 2]);
    let text = s.archive.get(0, 0, 2).map(|e| e.completion.text.clone());
    assert_eq!(text.as_deref(), Some("[2Jit is a"), "what would steer the terminal is gone");
    keys(&mut s, "j");
    assert_eq!(s.completions.index, Some(2));
    assert_eq!(keys(&mut s, "y"), [Effect::Copy("[2Jit is a".to_owned())]);
    keys(&mut s, "⇥");
    s.refresh();
    assert!(s.figures.members.is_empty(), "the other policy has none");
    keys(&mut s, "}");
    s.refresh();
    assert_eq!(s.figures.members, [0, 1, 2]);
    keys(&mut s, "⇥⎋");
    assert_eq!(s.screen, Screen::Completions);
    keys(&mut s, "⎋");
    assert_eq!(s.screen, Screen::Explore);
    assert_eq!(keys(&mut s, "q"), [Effect::Quit]);
}

#[test]
fn the_lens_and_the_scope_turn_with_their_keys() {
    let mut s = state(1);
    let units: Vec<Unit> = (0..4)
        .map(|_| {
            keys(&mut s, "u");
            s.lens.unit
        })
        .collect();
    assert_eq!(units, [Unit::Answer, Unit::Method, Unit::Completion, Unit::Problem]);
    let found = [2, 4].map(|min_hits| Criterion::Found { min_hits });
    assert_eq!(
        found.map(|_| {
            keys(&mut s, "e");
            s.lens.criterion
        }),
        found
    );
    keys(&mut s, "eoa");
    assert!(matches!(s.lens.criterion, Criterion::Threshold { zeta } if zeta == 0.05));
    assert!(s.lens.sound && s.scope == Scope::All);
    keys(&mut s, "eSa");
    assert!(s.lens.criterion == Criterion::default() && !s.lens.sound && s.scope == Scope::Problem);
}

#[test]
fn pausing_and_asking_for_more_reaches_the_run() {
    let mut s = state(1);
    assert_eq!(keys(&mut s, "  "), [Effect::Pause, Effect::Resume]);
    assert_eq!(keys(&mut s, "+-"), [Effect::SetK(16), Effect::SetK(8)]);
    assert_eq!(keys(&mut s, "----").last(), Some(&Effect::SetK(1)));
    assert_eq!(keys(&mut s, "-"), []);
    s.progress.finished = true;
    keys(&mut s, "+");
    assert!(!s.progress.finished);
}

#[test]
fn flips_are_found_around_the_end() {
    let mut s = state(4);
    for (problem, rlvr) in [(0, "x"), (2, "a!")] {
        draw(&mut s, 0, problem, "a!");
        draw(&mut s, 1, problem, rlvr);
    }
    draw(&mut s, 0, 3, "x");
    draw(&mut s, 1, 3, "a!");
    assert_eq!(keys(&mut s, "n"), [Effect::Focus(3)]);
    assert_eq!(keys(&mut s, "nN"), [Effect::Focus(0), Effect::Focus(3)]);
    let mut s = state(2);
    assert_eq!(keys(&mut s, "n"), []);
    assert!(s.notice.is_some());
}

#[test]
fn a_filter_shows_what_matches_and_escape_drops_it() {
    let mut s = state(12);
    draw(&mut s, 0, 5, "a!");
    draw(&mut s, 1, 5, "x");
    assert_eq!(keys(&mut s, "/lost⏎"), [Effect::Focus(5)]);
    assert_eq!(s.figures.shown, [5]);
    assert_eq!(keys(&mut s, "j"), []);
    keys(&mut s, "/⌫⌫⌫⌫is 1⏎");
    assert_eq!(s.figures.shown, [1, 10, 11]);
    keys(&mut s, "/zzz⎋");
    s.refresh();
    assert_eq!(s.explore.filter, "is 1");
    for (filter, shown) in
        [("answer:a", &[5][..]), ("answer: X", &[5]), ("answer:q", &[]), ("answer:", &[5]), ("method:q", &[])]
    {
        keys(&mut s, "⎋/");
        keys(&mut s, filter);
        keys(&mut s, "⏎");
        assert_eq!(s.figures.shown, shown, "{filter}");
    }
    // What comes in joins what matches.
    keys(&mut s, "⎋/answer:late⏎");
    draw(&mut s, 1, 7, "later");
    s.refresh();
    assert_eq!(s.figures.shown, [7]);
    keys(&mut s, "⎋");
    s.refresh();
    assert_eq!(s.figures.shown.len(), 12);
}

#[test]
fn failures_are_kept_once_and_forgiven_when_the_run_goes_on() {
    let mut s = state(1);
    for _ in 0..3 {
        run(&mut s, EventKind::Failed { policy: 1, message: "no\nmodel\x1b[2J".to_owned() });
    }
    run(&mut s, EventKind::Panicked { message: "oh".to_owned() });
    assert_eq!(s.progress.failures, ["rlvr: no model[2J", "a sampling thread panicked: oh"]);
    keys(&mut s, "  ");
    assert!(s.progress.failures.is_empty());
}

#[test]
fn figures_of_all_problems_wait_for_as_many_completions_once_there_are_many() {
    let mut s = state(6);
    let pass_1 = |s: &mut State| {
        s.refresh();
        s.figures.all.measures[0].pass_1()
    };
    draw(&mut s, 0, 0, "a! x");
    assert_eq!(pass_1(&mut s), Some(0.5));
    draw(&mut s, 1, 0, &"a! ".repeat(100));
    assert_eq!(pass_1(&mut s), Some(0.5));
    draw(&mut s, 0, 1, "a!");
    assert_eq!(pass_1(&mut s), Some(0.5), "one completion more says little");
    run(&mut s, EventKind::Finished);
    assert_eq!(pass_1(&mut s), Some(0.75), "at rest nothing waits");
}

/// A run of three problems, at rest.
fn at_rest() -> State {
    let mut s = state(3);
    for (problem, base, rlvr) in
        [(0, "a! a! b! x", "a! a! a! a!"), (1, "a! x x x", "x x x x"), (2, "x x y y", "x x x x")]
    {
        draw(&mut s, 0, problem, base);
        draw(&mut s, 1, problem, rlvr);
    }
    run(&mut s, EventKind::Finished);
    s
}

#[test]
fn studies_are_made_of_the_ledgers_own_numbers_and_then_all_is_quiet() {
    let mut s = at_rest();
    assert!(s.has_work());
    for unit in Unit::ALL {
        s.lens.unit = unit;
        s.settle();
        assert!(!s.has_work(), "at rest nothing is left to do");
        let (study, lens, pair) = (s.study_all().unwrap(), s.lens, s.pair);
        assert_eq!(study.noise.counts, s.ledger.counts(pair, &lens));
        assert_eq!(study.noise.floor, s.ledger.noise_floor(pair, &lens));
        if unit != Unit::Problem {
            assert_eq!(study.coverage[0], s.ledger.coverage_curve(0, &lens));
            assert_eq!(study.unseen[0], s.ledger.unseen(0, &lens));
        }
        let cover = |tau: f64| study.cover[0].iter().find(|c| c.0 >= tau).map(|c| c.1);
        for tau in [0.0, 0.1, 0.25, 0.5, 0.75, 0.9] {
            assert_eq!(cover(tau), s.ledger.cover_at(0, tau), "{tau}");
        }
        assert_eq!(s.study_here().unwrap().noise.counts, s.ledger.problem_counts(pair, 0, &lens));
    }
    // What was asked before is at hand.
    s.lens.unit = Unit::Problem;
    assert!(s.study_all().is_some() && !s.has_work());
}

#[test]
fn a_study_asks_for_a_thread_once_and_an_old_one_is_dropped() {
    let mut s = at_rest();
    let effects: Vec<Effect> = (0..9).flat_map(|_| update(&mut s, Message::Step)).collect();
    let [Effect::Study(job)] = &effects[..] else { panic!("{effects:?}") };
    assert!(!s.has_work(), "it waits for the answer");
    let study = job.run();
    keys(&mut s, "ry");
    update(&mut s, Message::Studied(Box::new(study)));
    assert!(s.study_here().is_none() && !s.has_work());
}

#[test]
fn lost_problems_are_certain_or_say_which_k_decides() {
    let mut s = at_rest();
    s.refresh();
    use crate::support::change::Certainty;
    let certainty = |i: usize| s.figures.lines[i].certainty;
    assert_eq!(certainty(0), Some(Certainty::Certain));
    assert!(matches!(certainty(1), Some(Certainty::Undecided { k: Some(k) }) if k > 4));
    assert_eq!(certainty(2), Some(Certainty::Undecided { k: None }));
    keys(&mut s, "/undecided⏎");
    assert_eq!(s.figures.shown, [1, 2]);
}

#[test]
fn screens_are_a_digit_away() {
    let mut s = at_rest();
    for (key, screen) in
        [("3", Screen::Curves), ("4", Screen::Suite), ("2", Screen::Completions), ("1", Screen::Explore)]
    {
        keys(&mut s, key);
        assert_eq!(s.screen, screen);
    }
    keys(&mut s, "4i");
    assert_eq!(s.overlay, Some(Overlay::Explain(0)));
    keys(&mut s, "⎋⎋");
    assert_eq!((s.overlay.is_none(), s.screen), (true, Screen::Explore));
    keys(&mut s, "3l⏎z⎋⎋⎋⎋");
    assert_eq!((s.screen, s.curves.zoom, s.curves.cursor), (Screen::Explore, 0, None));
}

#[test]
fn what_other_rules_undo_is_flagged_as_format() {
    let mut s = state(1);
    let say = |policy: usize, texts: [&str; 2]| {
        let drawn = texts.into_iter().enumerate().map(|(index, text)| {
            let completion = Completion::traced(index as u32, text.to_owned(), Vec::new(), Finish::Stop);
            let problem = Problem { reference: Some("0".into()), ..state(1).problems[0].clone() };
            let verdict = crate::problem::judge(&problem, text);
            Drawn { policy, problem: 0, completion, verdict, given: None }
        });
        EventKind::Drawn(drawn.collect())
    };
    run(&mut s, say(0, ["#### 0", "#### 0"]));
    run(&mut s, say(1, ["<answer>zero</answer> 0", "<answer>zero</answer> 0"]));
    s.refresh();
    assert!(s.figures.lines[0].format, "no answer of the other was read by the marker");
    assert_eq!(s.figures.lines[0].status, Some(Status::Shrunk));
    keys(&mut s, "R");
    s.settle();
    s.refresh();
    assert_eq!(s.figures.lines[0].status, Some(Status::Preserved));
    assert!(s.figures.lines[0].format);
    assert_eq!(s.figures.here.usual.map(|c| (c.p, c.s)), Some((0, 1)));
    // What comes in later is judged by them too.
    let mut late = say(1, ["0", "0"]);
    if let EventKind::Drawn(all) = &mut late {
        all.iter_mut().for_each(|d| d.completion.index += 2);
    }
    run(&mut s, late);
    assert!(s.has_work());
    s.settle();
    assert_eq!(s.graded().drawn(1, 0), 4);
}

/// Tokens of the selected completion's text, one a word, as a policy would score them.
fn scores(text: &str, entropy: f64) -> Result<crate::policy::Scored, String> {
    let token = |(i, text): (usize, &str)| crate::policy::ScoredToken {
        id: i as u32,
        text: text.to_owned(),
        logprob: -0.5,
        entropy: Some(if i == 2 { entropy } else { 0.0 }),
        top: vec![(text.to_owned(), -0.5)],
    };
    let tokens = text.split_inclusive(' ').enumerate().map(token).collect();
    Ok(crate::policy::Scored { tokens, retokenised: false, ended: false })
}

#[test]
fn a_branch_begins_before_the_cursors_token_and_enters_no_ledger() {
    let mut s = state(3);
    draw(&mut s, 0, 0, "0! 0! 7");
    draw(&mut s, 1, 0, "0! 8 7");
    keys(&mut s, "⏎⏎");
    s.refresh();
    let Some(Effect::Weigh(job)) = update(&mut s, Message::Step).pop() else { panic!("nothing is scored") };
    // The model is given what it wrote, not what the screen may show.
    assert_eq!(job.text, "\x1b[2Jit is 0");
    let sides = [scores(&job.text, 0.9), scores(&job.text, 0.1)];
    let weighed = weigh::Weighed { subject: job.subject, sides };
    update(&mut s, Message::Weighed(Box::new(weighed)));
    assert!(!s.has_work() || s.unweighed().is_none());
    keys(&mut s, "n");
    assert_eq!(s.completions.cursor, 2);
    let Some(Effect::Branch(job)) = keys(&mut s, "b").pop() else { panic!("nothing is drawn") };
    assert_eq!((job.tokens.as_slice(), job.indices.clone()), (&[0, 1][..], 0..branch::CONTINUATIONS));
    assert_ne!(job.sampling.seed, s.settings.sampling.seed);
    let before = [0, 1].map(|policy| s.ledger.drawn(policy, 0));
    let verdict = |answer: &str| Verdict {
        answer: Some(answer.to_owned()),
        correct: answer == "0",
        method: Some("adds".to_owned()),
        ..Verdict::default()
    };
    for (side, answers) in [(0, vec!["0", "7", "0"]), (1, vec!["7"])] {
        let drawn = answers.into_iter().map(|a| (verdict(a), format!("{} {a}", job.prefix)));
        let kind = branch::Kind::Drawn(drawn.collect());
        update(&mut s, Message::Branched(branch::News { id: job.id, side, kind }));
        let kind = branch::Kind::Ended(None);
        update(&mut s, Message::Branched(branch::News { id: job.id, side, kind }));
    }
    let open = s.open_branch().unwrap();
    let leads: Vec<_> = open.leads().into_iter().map(|l| (l.answer.as_str(), l.hits)).collect();
    assert_eq!(leads, [("0", [2, 0]), ("7", [1, 1])]);
    assert_eq!((open.correct, open.is_running()), ([2, 0], false));
    assert_eq!([0, 1].map(|policy| s.ledger.drawn(policy, 0)), before);
    // The same again asks for more; news of an older branch is dropped.
    let Some(Effect::Branch(more)) = keys(&mut s, "b").pop() else { panic!("no more is drawn") };
    assert_eq!((more.id, more.indices.start), (job.id, branch::CONTINUATIONS));
    let kind = branch::Kind::Drawn(vec![(verdict("0"), String::new())]);
    update(&mut s, Message::Branched(branch::News { id: job.id + 7, side: 0, kind }));
    assert_eq!(s.open_branch().unwrap().drawn, [3, 1]);
    // Each can be read, those that end right first, and past the last one the completion.
    let read: Vec<(usize, String, usize)> = (0..4)
        .map(|_| {
            keys(&mut s, "c");
            let (text, _) = s.open_branch().unwrap().shown().unwrap();
            (text.side, text.text[text.given..].to_owned(), s.open_branch().unwrap().place().0)
        })
        .collect();
    let read: Vec<_> = read.iter().map(|(side, text, at)| (*side, text.as_str(), *at)).collect();
    assert_eq!(read, [(0, " 0", 1), (0, " 0", 2), (0, " 7", 3), (1, " 7", 4)]);
    keys(&mut s, "c");
    assert!(s.open_branch().unwrap().shown().is_none());
    keys(&mut s, "C");
    assert_eq!(s.open_branch().unwrap().place(), (4, 4));
    assert_eq!(keys(&mut s, "⎋"), []);
    assert!(s.open_branch().unwrap().shown().is_none());
    assert_eq!(keys(&mut s, "⎋"), [Effect::EndBranch]);
    assert!(s.open_branch().is_none() && s.completions.reading);
}

#[test]
fn first_words_are_typed_and_forced() {
    let mut s = state(1);
    draw(&mut s, 0, 0, "0!");
    draw(&mut s, 1, 0, "0!");
    keys(&mut s, "⏎f");
    let Some(Overlay::Words(words)) = &s.overlay else { panic!("nothing is asked") };
    assert_eq!(words.text, "\x1b[2Jit");
    for _ in 0..9 {
        keys(&mut s, "⌫");
    }
    let Some(Effect::Branch(job)) = keys(&mut s, " by q⏎").pop() else { panic!("nothing is drawn") };
    assert_eq!((job.prefix.as_str(), job.tokens.len()), (" by q", 0));
    keys(&mut s, "f⎋");
    assert!(s.overlay.is_none() && s.open_branch().is_some());
}

#[test]
fn clusters_are_sorted_and_filtered() {
    let mut s = state(2);
    draw(&mut s, 0, 0, "0! 00! 00! 00! 7 7 7 8 8 8 8 8");
    draw(&mut s, 1, 0, "0! 0! 0! 0! 0! 0! 0! 0! 0! 0! 7 7");
    s.pair = crate::support::Pair::with_base(1);
    keys(&mut s, "u⇥");
    let rows = |s: &mut State| -> Vec<String> {
        s.refresh();
        s.figures.here.rows.iter().map(|r| r.answer.clone()).collect()
    };
    assert_eq!(rows(&mut s)[..2], ["0", "00"]);
    keys(&mut s, "s");
    assert_eq!(rows(&mut s), ["0", "00", "8", "7"], "the largest change first");
    keys(&mut s, "s");
    s.lens.unit = Unit::Answer;
    assert_eq!(rows(&mut s)[0], "00", "lost first");
    for (filter, listed) in [
        ("lost", vec!["00"]),
        ("wrong", vec!["7", "8"]),
        ("answer:7", vec!["7"]),
        ("method: 00", vec!["00"]),
        ("8", vec!["8"]),
        ("gained", vec![]),
    ] {
        keys(&mut s, "/");
        keys(&mut s, filter);
        keys(&mut s, "⏎");
        // Rows that are about equal keep their places, whichever these are.
        let mut found = rows(&mut s);
        found.sort();
        assert_eq!(found, listed, "{filter}");
        assert_eq!(s.figures.here.hidden, 4 - listed.len());
        assert_eq!(s.figures.shown.len(), 2, "problems are another list");
        keys(&mut s, "⎋");
        assert_eq!(rows(&mut s).len(), 4);
    }
}

#[test]
fn problems_are_listed_by_what_they_lost() {
    let mut s = state(4);
    draw(&mut s, 0, 0, "0! 0!");
    draw(&mut s, 1, 0, "0! 0!");
    draw(&mut s, 0, 2, "4! 4!");
    draw(&mut s, 1, 2, "1 1");
    run(&mut s, EventKind::Finished);
    s.refresh();
    assert_eq!(s.figures.listed, [0, 1, 2, 3]);
    keys(&mut s, "s");
    s.refresh();
    assert_eq!(s.figures.listed, [2, 0, 1, 3]);
    // Down goes to the next one of the list, and the other lists stay in order.
    keys(&mut s, "j");
    assert_eq!((s.current, s.figures.shown.clone()), (1, vec![0, 1, 2, 3]));
    keys(&mut s, "kk");
    assert_eq!(s.current, 2);
}

#[test]
fn both_columns_in_one_list() {
    let mut s = state(1);
    draw(&mut s, 0, 0, "0! 7");
    draw(&mut s, 1, 0, "0! 8");
    let pane = |s: &State| s.explore.pane;
    keys(&mut s, "⇥⇥v");
    assert_eq!((s.explore.layout, pane(&s)), (Layout::Over, Pane::Clusters(1)));
    keys(&mut s, "⇥");
    assert_eq!(pane(&s), Pane::Problems, "there are two panes now");
    keys(&mut s, "⇥");
    assert_eq!(pane(&s), Pane::Clusters(0));
    // A cluster opens on the side that has any of it.
    let at = s.figures.here.rows.iter().position(|r| r.hits[0] == 0).unwrap();
    keys(&mut s, &"j".repeat(at));
    keys(&mut s, "⏎");
    assert_eq!(s.completions.side, 1);
    keys(&mut s, "⎋v");
    assert_eq!(s.explore.layout, Layout::Beside);
}
