//! Every screen at the sizes that matter, cell by cell.

#[path = "screens/inspect.rs"]
mod inspect;
#[path = "screens/keys.rs"]
mod keys;
mod stage;
#[path = "screens/training.rs"]
mod training;

use insta::assert_snapshot;
use leash::app::state::explore::Pane;
use leash::app::{Key, Message, State, Target, update};
use leash::completion::{Completion, Finish};
use leash::policy::Setting;
use leash::problem::Verdict;
use leash::run::{Drawn, Event, EventKind};
use leash::ui::theme::{Depth, Ground, Role, Theme};
use leash::ui::{View, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const THEME: Theme = Theme::new(Depth::True, Ground::Dark);
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (160, 50)];

fn frame(state: &mut State, width: u16, height: u16) -> Buffer {
    frame_with(state, &mut View::new(THEME, false), width, height)
}

fn frame_with(state: &mut State, view: &mut View, width: u16, height: u16) -> Buffer {
    state.settle();
    state.refresh();
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(state, view, &mut buf);
    buf
}

fn lines(buf: &Buffer) -> Vec<String> {
    let line = |y| (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..buf.area.height).map(|y| line(y).trim_end().to_owned()).collect()
}

fn screen(state: &mut State, width: u16, height: u16) -> String {
    lines(&frame(state, width, height)).join("\n")
}

fn press(state: &mut State, keys: &str) {
    for c in keys.chars() {
        let key = match c {
            '⏎' => Key::Enter,
            '⎋' => Key::Esc,
            '⇥' => Key::Tab,
            c => Key::Char(c),
        };
        update(state, Message::Key(key));
    }
}

/// In the middle of a run, on the third problem.
fn running() -> State {
    let mut state = stage::state(50, 1024);
    for (problem, n) in [(2, 600), (3, 256), (1, 128), (4, 32), (0, 32)] {
        stage::draw(&mut state, problem, 0..n);
    }
    stage::gauge(&mut state, 14_231.0);
    press(&mut state, "jju");
    press(&mut state, "u");
    state
}

#[test]
fn explore_while_sampling() {
    for (width, height) in SIZES {
        let mut state = running();
        assert_snapshot!(format!("explore_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn explore_of_all_problems() {
    let mut state = running();
    press(&mut state, "a");
    assert_snapshot!(screen(&mut state, 120, 36));
}

#[test]
fn both_policies_in_one_list() {
    for (width, height) in SIZES {
        let mut state = running();
        press(&mut state, "⇥jv");
        assert_snapshot!(format!("over_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = running();
    press(&mut state, "v");
    assert_snapshot!("over_40x12", screen(&mut state, 40, 12));
    // Each half of a bar has its policy's colour, and its place where there are no colours.
    let buf = frame(&mut state, 120, 36);
    let colour = |role: Role| THEME.style(role).fg.unwrap();
    let both = |c: &&ratatui::buffer::Cell| {
        c.symbol() == "▀" && c.fg == colour(Role::Base) && c.bg == colour(Role::Rlvr)
    };
    assert!(buf.content.iter().filter(both).count() > 3);
    let mono = Theme::new(Depth::Mono, Ground::Dark);
    let bare = lines(&frame_with(&mut state, &mut View::new(mono, false), 120, 36)).join("\n");
    assert!(bare.contains("█▄") && bare.contains('▀'), "{bare}");
    let ascii = lines(&frame_with(&mut state, &mut View::new(mono, true), 120, 36)).join("\n");
    assert!(ascii.is_ascii() && ascii.contains("#."), "{ascii}");
    let mut state = stage::state(3, 64);
    press(&mut state, "v");
    assert!(screen(&mut state, 80, 24).contains("drawing the first completions"));
}

#[test]
fn explore_before_anything_is_drawn() {
    for (width, height) in SIZES {
        let mut state = stage::state(50, 1024);
        assert_snapshot!(format!("empty_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = stage::state(0, 1);
    assert_snapshot!("no_problems", screen(&mut state, 80, 24));
}

#[test]
fn explore_with_one_completion() {
    for (width, height) in SIZES {
        let mut state = stage::state(50, 1024);
        stage::draw(&mut state, 0, 0..1);
        assert_snapshot!(format!("one_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn explore_with_little_room() {
    for (width, height) in [(40, 12), (60, 20), (70, 16)] {
        let mut state = running();
        assert_snapshot!(format!("little_{width}x{height}"), screen(&mut state, width, height));
    }
}

#[test]
fn an_open_cluster() {
    for (width, height) in SIZES {
        let mut state = running();
        press(&mut state, "⇥jj⏎jj");
        assert_snapshot!(format!("completions_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = running();
    press(&mut state, "⇥jj⏎");
    assert_snapshot!("completions_40x12", screen(&mut state, 40, 12));
}

/// All of a small suite of two tasks, the second with published rows.
fn suite() -> State {
    let mut state = stage::two_tasks(12, 256);
    for problem in 0..24 {
        stage::draw(&mut state, problem, 0..256);
    }
    update(&mut state, Message::Run(Event { generation: 0, kind: EventKind::Finished }));
    state
}

#[test]
fn curves_in_every_state() {
    for (width, height) in SIZES {
        let mut state = stage::state(20, 256);
        press(&mut state, "3");
        assert_snapshot!(format!("curves_empty_{width}x{height}"), screen(&mut state, width, height));
        stage::draw(&mut state, 0, 0..1);
        assert_snapshot!(format!("curves_one_{width}x{height}"), screen(&mut state, width, height));
        (0..20).for_each(|problem| stage::draw(&mut state, problem, 0..256));
        press(&mut state, "alll");
        assert_snapshot!(format!("curves_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = suite();
    press(&mut state, "3u");
    press(&mut state, "u\thh\n".replace('\t', "⇥").replace('\n', "⏎").as_str());
    assert_snapshot!("curves_maximised", screen(&mut state, 80, 24));
    press(&mut state, "hhhzz");
    assert_snapshot!("curves_zoomed", screen(&mut state, 80, 24));
    let mut view = View::new(THEME, true);
    let ascii = lines(&frame_with(&mut state, &mut view, 80, 24)).join("\n");
    assert!(ascii.is_ascii());
}

#[test]
fn the_crosshair_goes_where_the_mouse_points() {
    let mut state = suite();
    press(&mut state, "3");
    let mut view = View::new(THEME, false);
    frame_with(&mut state, &mut view, 120, 36);
    let Some(target @ Target::Curve { .. }) = view.seen.at(90, 8) else { panic!("no chart there") };
    update(&mut state, Message::Click(target));
    let at = state.curves.cursor.unwrap();
    assert_eq!(state.curves.tile, leash::app::state::curves::Tile::Cover);
    assert!((0.3..0.9).contains(&at), "{at}");
    let shown = screen(&mut state, 120, 36);
    assert!(shown.contains("τ 0.") && shown.contains("k "), "every chart reads out");
}

#[test]
fn two_policies_are_told_apart_without_colour() {
    let mut state = suite();
    press(&mut state, "3⏎");
    let mono = Theme::new(Depth::Mono, Ground::Dark);
    let buf = frame_with(&mut state, &mut View::new(mono, false), 80, 24);
    // The names stand at the lines' ends, and the RLVR policy's line is bold.
    let text = lines(&buf).join("\n");
    assert!(text.contains("base") && text.contains("rlvr"));
    let dots =
        |cell: &&ratatui::buffer::Cell| matches!(cell.symbol().chars().next(), Some('\u{2801}'..='\u{28ff}'));
    let bold = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(ratatui::style::Modifier::BOLD);
    let (heavy, light): (Vec<_>, Vec<_>) = buf.content.iter().filter(dots).partition(bold);
    assert!(heavy.len() > 20 && light.len() > 20);
}

#[test]
fn suite_in_every_state() {
    for (width, height) in SIZES {
        let mut state = stage::state(20, 256);
        press(&mut state, "4");
        assert_snapshot!(format!("suite_empty_{width}x{height}"), screen(&mut state, width, height));
        stage::draw(&mut state, 0, 0..1);
        assert_snapshot!(format!("suite_one_{width}x{height}"), screen(&mut state, width, height));
        let mut state = suite();
        press(&mut state, "4gg");
        assert_snapshot!(format!("suite_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = suite();
    press(&mut state, "4uus/lost⏎jj");
    assert_snapshot!("suite_methods_lost", screen(&mut state, 120, 36));
    press(&mut state, "⎋gg");
    let entries = state.entries();
    let published =
        entries.iter().position(|e| matches!(e, leash::app::state::suite::Entry::Published { .. }));
    update(&mut state, Message::Click(Target::Entry(published.unwrap())));
    assert_snapshot!("suite_published", screen(&mut state, 80, 24));
}

#[test]
fn a_row_opens_on_its_problem_and_a_task_folds() {
    let mut state = suite();
    press(&mut state, "4ggj");
    let before = state.entries().len();
    press(&mut state, "⏎");
    assert_eq!(state.entries().len(), before - 12);
    press(&mut state, "⏎jj⏎");
    assert_eq!((state.screen, state.current), (leash::app::state::Screen::Explore, 1));
}

#[test]
fn every_figure_in_view_explains_itself() {
    for keys in ["", "3", "4gg"] {
        for (width, height) in SIZES {
            let mut state = suite();
            press(&mut state, keys);
            press(&mut state, "i");
            let name =
                ["explore", "curves", "suite"][keys.chars().next().map_or(0, |c| c as usize - '2' as usize)];
            assert_snapshot!(format!("explain_{name}_{width}x{height}"), screen(&mut state, width, height));
        }
    }
    let mut state = suite();
    press(&mut state, "i");
    let all = screen(&mut state, 120, 200);
    for name in [
        "SRR",
        "NDR",
        "SDS",
        "NSCR",
        "noise floor",
        "pass@k",
        "Crossing",
        "Luck floor",
        "Not seen yet",
        "Token entropy",
        "Answer entropy",
        "Divergence",
        "Regime",
    ] {
        assert!(all.contains(name), "{name}");
    }
    assert!(!all.contains("NaN"));
}

#[test]
fn the_whole_run_is_judged_by_other_rules() {
    let mut state = suite();
    let correct = |s: &State| (0..24).map(|i| s.graded().correct(0, i)).sum::<u32>();
    let usual = correct(&state);
    press(&mut state, "R");
    state.settle();
    assert!(correct(&state) >= usual, "any rule finds at least as much");
    // No completion has a tag.
    press(&mut state, "R");
    state.settle();
    assert_eq!(correct(&state), 0);
    assert!(state.usual().is_some());
    assert_snapshot!("regraded", screen(&mut state, 120, 36));
    (0..7).for_each(|_| press(&mut state, "R"));
    state.settle();
    assert_eq!((correct(&state), state.usual().is_none()), (usual, true));
}

#[test]
fn help_lists_every_key() {
    for (width, height) in SIZES {
        let mut state = running();
        press(&mut state, "?");
        assert_snapshot!(format!("help_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = running();
    press(&mut state, "?");
    let all = screen(&mut state, 160, 250);
    for binding in leash::app::keymap::TABLE {
        assert!(all.contains(binding.words), "{}", binding.words);
    }
}

#[test]
fn every_action_has_a_key() {
    let source = include_str!("../src/app/action.rs");
    let actions = source.split("pub enum Action {").nth(1).unwrap().lines();
    let actions =
        actions.map(|l| l.trim().trim_end_matches(',')).filter(|l| l.starts_with(char::is_uppercase));
    let bound: Vec<String> = leash::app::keymap::TABLE.iter().map(|b| format!("{:?}", b.action)).collect();
    let actions: Vec<&str> = actions.collect();
    assert!(actions.len() > 70, "{actions:?}");
    for action in actions {
        assert!(bound.iter().any(|b| b == action), "{action} cannot be reached");
    }
}

#[test]
fn the_palette_finds_actions_by_their_words() {
    for (width, height) in [(80, 24), (120, 36), (40, 12)] {
        let mut state = running();
        press(&mut state, ":");
        assert_snapshot!(format!("palette_{width}x{height}"), screen(&mut state, width, height));
    }
    let mut state = running();
    press(&mut state, ":lost g");
    assert_snapshot!("palette_found", screen(&mut state, 80, 24));
    press(&mut state, "⏎");
    assert!(state.overlay.is_none() && state.current != 2, "it went to the next flip");
    press(&mut state, ":zzz");
    assert!(screen(&mut state, 80, 24).contains("no action has these words"));
    press(&mut state, "⏎");
    assert!(state.overlay.is_none());
}

#[test]
fn every_action_of_a_screen_is_in_its_palette() {
    use leash::app::Action;
    use leash::app::keymap::{Context, TABLE};
    let mut state = running();
    for (keys, context) in [("", Context::Explore), ("⏎", Context::Completions)] {
        press(&mut state, keys);
        let found: Vec<Action> = state.palette("").into_iter().map(|(b, _)| b.action).collect();
        for b in TABLE.iter().filter(|b| [context, Context::Screens, Context::Always].contains(&b.context)) {
            assert!(b.action == Action::Palette || found.contains(&b.action), "{:?}", b.action);
        }
    }
}

#[test]
fn the_log_keeps_what_was_said() {
    let mut state = running();
    press(&mut state, "L");
    assert_snapshot!("log_empty", screen(&mut state, 80, 24));
    press(&mut state, "⎋mm");
    let message = "weights.safetensors: no such file, ".repeat(5);
    update(&mut state, Message::Run(Event { generation: 0, kind: EventKind::Failed { policy: 1, message } }));
    press(&mut state, "L");
    assert_snapshot!("log", screen(&mut state, 80, 24));
}

#[test]
fn the_settings_of_both_policies_stand_side_by_side() {
    let mut state = running();
    press(&mut state, "P");
    assert!(screen(&mut state, 80, 24).contains("Nothing is known of the settings here."));
    let of = |endpoint: &str, temperature: &str, probabilities: &str| {
        vec![
            Setting::new("temperature", temperature),
            Setting::new("top-p", "1"),
            Setting::new("endpoint", endpoint),
            Setting::new("probabilities", probabilities),
        ]
    };
    state.parity = vec![
        of("embedded:base", "1", "before temperature and truncation, all tokens: entropy exact"),
        of("http://gpu-3:8000/v1, http://gpu-4:8000/v1", "0.6", "after temperature and truncation: not used"),
    ];
    assert_snapshot!("parity_120x36", screen(&mut state, 120, 36));
    assert_snapshot!("parity_80x24", screen(&mut state, 80, 24));
    press(&mut state, "⎋");
    assert!(state.overlay.is_none());
}

#[test]
fn an_entropy_that_is_only_bounded_is_shown_as_an_interval() {
    let mut state = stage::state(2, 64);
    for policy in [0, 1] {
        for index in 0..8 {
            let mut completion = Completion::traced(index, "#### 4".into(), Vec::new(), Finish::Stop);
            completion.entropy_range = Some([0.2 - 0.1 * policy as f64, 0.35 - 0.2 * policy as f64]);
            let drawn = Drawn { policy, problem: 0, completion, verdict: Verdict::default(), given: None };
            update(&mut state, Message::Run(Event { generation: 0, kind: EventKind::Drawn(vec![drawn]) }));
        }
    }
    let shown = screen(&mut state, 160, 50);
    assert!(shown.contains("0.20–0.35 → 0.10–0.15 ▼"), "{shown}");
    // Against k there is a line for each bound, and nothing where nothing is known.
    let dots = |entropy_range: Option<[f64; 2]>| {
        let mut state = stage::state(2, 64);
        for index in 0..8 {
            let mut completion = Completion::traced(index, "#### 4".into(), Vec::new(), Finish::Stop);
            completion.entropy_range = entropy_range;
            let drawn = Drawn { policy: 0, problem: 0, completion, verdict: Verdict::default(), given: None };
            update(&mut state, Message::Run(Event { generation: 0, kind: EventKind::Drawn(vec![drawn]) }));
        }
        // The last of the tiles, alone.
        press(&mut state, "3⇥⇥⇥⏎");
        let shown = screen(&mut state, 120, 50);
        let chart: Vec<&str> = shown.lines().skip_while(|l| !l.contains("token entropy against k")).collect();
        assert!(chart.len() > 6, "{shown}");
        let braille =
            |c: char| u32::from(c).checked_sub(0x2800).filter(|d| *d < 256).map_or(0, u32::count_ones);
        chart.concat().chars().map(braille).sum::<u32>()
    };
    let (bounded, narrow, unknown) = (dots(Some([0.12, 0.28])), dots(Some([0.28; 2])), dots(None));
    assert!(bounded > narrow && narrow > unknown, "{bounded} {narrow} {unknown}");
}

#[test]
fn questions_filters_and_failures() {
    let mut state = running();
    press(&mut state, "r");
    assert_snapshot!("restart", screen(&mut state, 80, 24));
    press(&mut state, "n/spider");
    assert_snapshot!("filter", screen(&mut state, 80, 24));
    press(&mut state, "⎋");
    let message = "weights.safetensors: no such file".to_owned();
    update(&mut state, Message::Run(Event { generation: 0, kind: EventKind::Failed { policy: 1, message } }));
    assert_snapshot!("failed", screen(&mut state, 80, 24));
}

#[test]
fn a_window_that_is_too_small_says_so() {
    let mut state = running();
    assert_snapshot!(screen(&mut state, 30, 6));
    assert_eq!(screen(&mut state, 1, 1), "l");
}

#[test]
fn ascii_screens_hold_only_ascii() {
    let mut state = running();
    let mut view = View::new(THEME, true);
    let all = lines(&frame_with(&mut state, &mut view, 120, 36)).join("\n");
    assert!(all.is_ascii());
    assert_snapshot!(all);
}

#[test]
fn colour_says_what_marks_say() {
    let mut state = running();
    let buf = frame(&mut state, 120, 36);
    let mut marks = 0;
    for (i, cell) in buf.content.iter().enumerate() {
        let (x, y) = buf.pos_of(i);
        // The rows of the clusters.
        if !(28..119).contains(&x) || !(3..19).contains(&y) {
            continue;
        }
        let role = match cell.symbol() {
            "✓" => Role::Correct,
            "✗" => Role::Wrong,
            "▼" => Role::Lost,
            "▲" => Role::Gained,
            _ => continue,
        };
        marks += 1;
        assert_eq!(Some(cell.fg), THEME.style(role).fg, "{} at {x}, {y}", cell.symbol());
    }
    assert!(marks > 10);
    let blocks = |role: Role| {
        let style = THEME.style(role).fg;
        buf.content.iter().filter(|c| c.symbol() == "█" && Some(c.fg) == style).count()
    };
    assert!(blocks(Role::Base) > 3 && blocks(Role::Rlvr) > 3);
}

#[test]
fn the_light_ground_changes_colours_and_nothing_else() {
    let mut state = running();
    let dark = frame(&mut state, 120, 36);
    press(&mut state, "T");
    state.notice = None;
    let light = frame(&mut state, 120, 36);
    assert_eq!(lines(&dark), lines(&light));
    assert!(dark.content.iter().zip(&light.content).any(|(a, b)| a.fg != b.fg));
}

#[test]
fn without_colour_the_screen_reads_the_same() {
    let mut state = running();
    state.explore.pane = Pane::Clusters(1);
    let mono = Theme::new(Depth::Mono, Ground::Dark);
    let buf = frame_with(&mut state, &mut View::new(mono, false), 120, 36);
    assert_eq!(lines(&buf), lines(&frame(&mut state, 120, 36)));
    use ratatui::style::{Color, Modifier};
    assert!(buf.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
    assert!(buf.content.iter().any(|c| c.modifier.contains(Modifier::REVERSED)));
}

#[test]
fn columns_do_not_move_while_numbers_change() {
    let mut state = stage::state(50, 1024);
    let edges = |state: &mut State| -> Vec<Vec<usize>> {
        let at = |l: &String| {
            l.chars().enumerate().filter(|(_, c)| "│╭╮╰╯".contains(*c)).map(|(i, _)| i).collect()
        };
        lines(&frame(state, 120, 36)).iter().map(at).collect()
    };
    stage::draw(&mut state, 0, 0..8);
    let before = edges(&mut state);
    for from in [8, 100, 500] {
        stage::draw(&mut state, 0, from..from + 90);
        stage::gauge(&mut state, f64::from(from) * 321.0);
        assert_eq!(edges(&mut state), before);
    }
}

#[test]
fn a_click_goes_where_it_points() {
    let mut state = running();
    let mut view = View::new(THEME, false);
    frame_with(&mut state, &mut view, 120, 36);
    assert_eq!(view.seen.at(5, 3), Some(Target::Problem(0)));
    assert_eq!(view.seen.at(40, 4), Some(Target::Cluster { row: 1, side: 0 }));
    assert_eq!(view.seen.at(100, 4), Some(Target::Cluster { row: 1, side: 1 }));
    assert_eq!(view.seen.at(0, 0), None);
    update(&mut state, Message::Click(Target::Cluster { row: 1, side: 1 }));
    assert_eq!((state.explore.pane, state.selected_row()), (Pane::Clusters(1), 1));
}
