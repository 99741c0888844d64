//! Asks the terminal for its background, before the screen is taken.

use super::guard::handle;
use crate::ui::theme::Ground;
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How long an answer may take. Waiting rarely comes to this: after the colour the terminal
/// is asked for its kind, which every terminal answers at once, so that one that does not
/// know the first question is known by answering the second. Whatever came later would be
/// read as keys.
const PATIENCE: Duration = Duration::from_secs(1);

/// OSC 11, the background; then the primary device attributes.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\\x1b[c";

/// Dark or light, as the terminal says; `None` if it does not.
pub fn ground() -> Option<Ground> {
    enable_raw_mode().ok()?;
    let answer = asked();
    let _ = disable_raw_mode();
    parse(&answer.ok()?)
}

fn asked() -> io::Result<Vec<u8>> {
    let mut out = handle()?;
    out.write_all(QUESTION)?;
    out.flush()?;
    let until = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    while !is_complete(&answer) {
        let left = until.saturating_duration_since(Instant::now());
        let mut fd = libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
        // SAFETY: `fd` is one valid entry.
        let ready = unsafe { libc::poll(&mut fd, 1, left.as_millis() as i32) };
        if ready <= 0 {
            break;
        }
        let mut buffer = [0u8; 256];
        // SAFETY: at most the buffer's length is written.
        let n = unsafe { libc::read(libc::STDIN_FILENO, buffer.as_mut_ptr().cast(), buffer.len()) };
        match n {
            1.. => answer.extend_from_slice(&buffer[..n as usize]),
            _ => break,
        }
    }
    Ok(answer)
}

/// Whether the device attributes are in: `ESC [ ? … c`.
fn is_complete(answer: &[u8]) -> bool {
    let start = answer.windows(3).position(|w| w == b"\x1b[?");
    start.is_some_and(|at| answer[at..].contains(&b'c'))
}

/// By the luminance of `rgb:RRRR/GGGG/BBBB`, each of one to four hexadecimal digits.
fn parse(answer: &[u8]) -> Option<Ground> {
    let text = String::from_utf8_lossy(answer);
    let color = text.split("rgb:").nth(1)?;
    let mut parts = color.split('/').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_hexdigit).take(4).collect();
        let most = 16_u32.checked_pow(digits.len() as u32)? - 1;
        Some(f64::from(u32::from_str_radix(&digits, 16).ok()?) / f64::from(most))
    });
    let mut next = || parts.next().flatten();
    let (r, g, b) = (next()?, next()?, next()?);
    let light = 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.5;
    Some(if light { Ground::Light } else { Ground::Dark })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_say_their_background_in_several_ways() {
        for (answer, ground) in [
            ("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\\x1b[?62;c", Some(Ground::Dark)),
            ("\x1b]11;rgb:ff/fb/f0\x07\x1b[?1;2c", Some(Ground::Light)),
            ("jj\x1b]11;rgb:f/f/f\x07", Some(Ground::Light)),
            ("\x1b[?62;4c", None),
            ("\x1b]11;rgb:zz/1/1\x07", None),
            ("\x1b]11;rgb:10/20", None),
            ("", None),
        ] {
            assert_eq!(parse(answer.as_bytes()), ground, "{answer:?}");
        }
        assert!(is_complete(b"x\x1b[?62;c"));
        assert!(!is_complete(b"\x1b]11;rgb:cc/cc/cc\x1b\\"));
    }
}
