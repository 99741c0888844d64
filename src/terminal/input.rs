//! What the terminal sends, as messages.

use crate::app::{Key, Message};
use crate::ui::Seen;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

/// The message of an event, if it is one for us. `seen` is what the last frame showed.
pub fn message(event: &Event, seen: &Seen) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => self::key(key).map(Message::Key),
        Event::Mouse(mouse) => {
            let target = seen.at(mouse.column, mouse.row)?;
            match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Some(Message::Click(target)),
                MouseEventKind::ScrollDown => Some(Message::Scroll(target, 1)),
                MouseEventKind::ScrollUp => Some(Message::Scroll(target, -1)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn key(event: &KeyEvent) -> Option<Key> {
    if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(c.to_ascii_lowercase())
        }
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_their_modifiers() {
        let read = |code, modifiers| key(&KeyEvent::new(code, modifiers));
        assert_eq!(read(KeyCode::Char('G'), KeyModifiers::SHIFT), Some(Key::Char('G')));
        assert_eq!(read(KeyCode::Char('C'), KeyModifiers::CONTROL), Some(Key::Ctrl('c')));
        assert_eq!(read(KeyCode::Char('q'), KeyModifiers::ALT), None);
        assert_eq!(read(KeyCode::F(1), KeyModifiers::NONE), None);
        assert_eq!(message(&Event::FocusGained, &Seen::default()), None);
    }
}
