//! Any keys, clicks and sizes, in any order.

use super::{THEME, frame_with, stage};
use leash::app::{Key, Message, Target, update};
use leash::ui::View;
use proptest::prelude::*;

fn any_message() -> impl Strategy<Value = Message> {
    let keys = [
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::BackTab,
        Key::Backspace,
        Key::Ctrl('d'),
        Key::Ctrl('z'),
    ];
    let targets = [
        Target::Problem(1),
        Target::Problem(99),
        Target::Cluster { row: 3, side: 1 },
        Target::Cluster { row: 999, side: 0 },
        Target::Completion(2),
        Target::Completion(9999),
        Target::Tab(1),
        Target::Text,
        Target::Token(3),
        Target::Token(9999),
        Target::Support,
        Target::Chart,
        Target::Curve { tile: leash::app::state::curves::Tile::Coverage, thousandth: 700 },
        Target::Entry(2),
        Target::Entry(9999),
    ];
    prop_oneof![
        6 => "[jkhlgGn N/?ueoSa+=r\\-ytmq\\[\\]x漢1234isRzZvbfcCd{}]".prop_map(|c| Message::Key(Key::Char(c.chars().next().unwrap()))),
        4 => prop::sample::select(keys.to_vec()).prop_map(Message::Key),
        1 => prop::sample::select(targets.to_vec()).prop_map(Message::Click),
        1 => (prop::sample::select(targets.to_vec()), -3i32..4).prop_map(|(t, by)| Message::Scroll(t, by)),
        1 => (0usize..99).prop_map(Message::Overflow),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_keys_at_any_size_never_panic(
        problems in 0usize..4,
        drawn in 0u32..40,
        steps in prop::collection::vec((any_message(), 0u16..130, 0u16..50), 0..40),
    ) {
        let mut state = stage::state(problems, 64);
        for problem in 0..problems {
            stage::draw(&mut state, problem, 0..drawn >> problem);
        }
        let mut view = View::new(THEME, false);
        for (message, width, height) in steps {
            update(&mut state, message);
            frame_with(&mut state, &mut view, width, height);
            prop_assert!(state.current < problems.max(1));
        }
    }
}
