//! The real binary in a pseudo-terminal: keys in, screen out.

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A running program and the terminal that it draws on.
pub struct Session {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    terminal: Arc<Mutex<Terminal>>,
    /// The user's own files, as long as the program runs.
    _home: tempfile::TempDir,
}

/// What the program has written.
pub struct Terminal {
    pub parser: vt100::Parser,
    pub bytes: Vec<u8>,
    pub changed: Instant,
}

/// The question for the primary device attributes.
const ATTRIBUTES: &[u8] = b"\x1b[c";

/// Far more than any step takes on a loaded machine; a step that works ends long before.
const PATIENCE: Duration = Duration::from_secs(60);

impl Session {
    /// Starts the program with these arguments on a terminal of this size.
    pub fn start(columns: u16, rows: u16, arguments: &[&str]) -> Session {
        Session::start_with(columns, rows, arguments, |_| {})
    }

    /// As [`Session::start`], with the command changed first.
    pub fn start_with(
        columns: u16,
        rows: u16,
        arguments: &[&str],
        change: impl FnOnce(&mut CommandBuilder),
    ) -> Session {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_leash"));
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        // Nothing that a test does reaches the user's own files.
        let home = tempfile::tempdir().expect("a folder");
        for name in ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(name, home.path());
        }
        change(&mut command);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let parser = vt100::Parser::new(nonzero(rows), nonzero(columns), 0);
        let terminal = Arc::new(Mutex::new(Terminal { parser, bytes: Vec::new(), changed: Instant::now() }));
        let mut output = pair.master.try_clone_reader().expect("the terminal can be read");
        let shared = terminal.clone();
        let keys = pair.master.take_writer().expect("the terminal can be written");
        let keys = Arc::new(Mutex::new(keys));
        let answers = keys.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(n @ 1..) = output.read(&mut buffer) {
                // As every terminal does when asked for its kind.
                if buffer[..n].windows(ATTRIBUTES.len()).any(|w| w == ATTRIBUTES) {
                    let mut answers = answers.lock().unwrap();
                    answers.write_all(b"\x1b[?62;22c").and_then(|()| answers.flush()).expect("an answer");
                }
                let mut terminal = shared.lock().unwrap();
                terminal.parser.process(&buffer[..n]);
                terminal.bytes.extend_from_slice(&buffer[..n]);
                terminal.changed = Instant::now();
            }
        });
        Session { child, master: pair.master, keys, terminal, _home: home }
    }

    /// Types `keys` as a terminal sends them.
    pub fn keys(&mut self, keys: &str) {
        let mut to = self.keys.lock().unwrap();
        to.write_all(keys.as_bytes()).and_then(|()| to.flush()).expect("keys are taken");
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        self.terminal.lock().unwrap().parser.screen().contents()
    }

    /// Looks at the terminal.
    pub fn look<T>(&self, at: impl FnOnce(&Terminal) -> T) -> T {
        at(&self.terminal.lock().unwrap())
    }

    /// Waits until the screen is as described and returns it.
    #[track_caller]
    pub fn wait(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(start.elapsed() < PATIENCE, "waited for: {what}\n{screen}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the screen shows `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Changes the terminal's size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.terminal.lock().unwrap().parser.screen_mut().set_size(nonzero(rows), nonzero(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("the terminal changes its size");
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Sends the process a signal by its name.
    pub fn signal(&self, name: &str) {
        let status =
            std::process::Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.is_ok_and(|s| s.success()));
    }

    /// Waits for the end, checks that the terminal was put back, and returns the exit status
    /// and what stands on the normal screen.
    #[track_caller]
    pub fn end(&mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        };
        // What it wrote last may still be on its way.
        self.wait("the normal screen", |_| !self.look(|t| t.parser.screen().alternate_screen()));
        let quiet = || self.look(|t| t.changed.elapsed() > Duration::from_millis(100));
        while !quiet() {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.look(|t| {
            let screen = t.parser.screen();
            assert!(!screen.hide_cursor(), "the cursor is shown again");
            assert_eq!(
                screen.mouse_protocol_mode(),
                vt100::MouseProtocolMode::None,
                "the mouse is free again"
            );
            assert!(!screen.bracketed_paste(), "pasting is as before");
        });
        (status, self.screen())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

pub fn nonzero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("a terminal has a size")
}
