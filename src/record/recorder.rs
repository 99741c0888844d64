//! Writes a recording while it is drawn, on a thread of its own: nobody who draws or shows
//! waits for the disk.
//!
//! What is drawn goes into a bounded queue, and its lines to the operating system at most
//! 50 ms later: then they are said to be saved, and outlive a killed process. Every five
//! seconds, and at the end, the thread waits until they are on the disk (fsync): a loss of
//! power costs no more than that. Where the disk is full or the folder is gone, nothing is
//! lost: what could not be written is cut off the file, kept, and tried again every second.

use super::format::Run;
use super::news::{News, Place};
use super::writer::{Unwritten, Writer};
use super::{Drawn, FileTexts, RecordError};
use crate::problem::Problem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Lines wait for others so long.
const GATHER: Duration = Duration::from_millis(50);
/// How often the disk is waited for.
const SYNC: Duration = Duration::from_secs(5);
/// After so long without a completion it is waited for at once.
const IDLE: Duration = Duration::from_millis(500);
/// How often a full disk is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Batches in the queue at most.
const QUEUE: usize = 64;
/// Bytes that are gathered at most.
const MOST: usize = 1 << 20;

/// What a recorder is told.
#[derive(Debug)]
enum Job {
    Drawn(u64, Vec<Drawn>),
    Restart(u64, Box<Target>),
}

/// The file that a recorder writes.
#[derive(Debug)]
pub enum Target {
    /// One that is open, and whose completions belong to this generation from now on.
    Open(Writer),
    /// A new one, made when the first completion comes: nothing drawn, nothing left behind.
    /// If there is one of this name, a number is put behind it.
    New { path: PathBuf, run: Run, problems: Arc<[Problem]> },
}

/// A thread that writes. Dropping it without [`Recorder::finish`] does the same, and says
/// nothing.
#[derive(Debug)]
pub struct Recorder {
    to: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<Result<(), RecordError>>>,
}

impl Recorder {
    /// Starts with generation 0.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(target: Target) -> std::io::Result<(Self, mpsc::UnboundedReceiver<News>)> {
        let (to, jobs) = mpsc::channel(QUEUE);
        let (news, receive) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = std::thread::Builder::new().name("leash-recorder".into()).spawn(move || {
            let mut desk = Desk::new(target, news);
            runtime.block_on(desk.work(jobs));
            desk.end()
        })?;
        Ok((Self { to: Some(to), thread: Some(thread) }, receive))
    }

    /// Waits until there is room for one more batch.
    pub async fn room(&self) {
        if let Some(to) = &self.to {
            // Closed, it never has room; whoever waits has other things to listen to.
            if to.reserve().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether there is room now.
    pub fn has_room(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to.capacity() > 0)
    }

    /// Writes completions. Where there is no room this waits.
    pub async fn write(&self, generation: u64, drawn: Vec<Drawn>) {
        if let Some(to) = &self.to {
            // A thread that has gone says so when it is joined.
            let _ = to.send(Job::Drawn(generation, drawn)).await;
        }
    }

    /// Goes on in another file; what is in the queue still goes to this one.
    pub async fn restart(&self, generation: u64, target: Target) {
        if let Some(to) = &self.to {
            let _ = to.send(Job::Restart(generation, Box::new(target))).await;
        }
    }

    /// Writes what is left and waits for the disk.
    ///
    /// # Errors
    /// Why what is left could not be written.
    pub fn finish(mut self) -> Result<(), RecordError> {
        self.close().unwrap_or(Ok(()))
    }

    fn close(&mut self) -> Option<Result<(), RecordError>> {
        self.to = None;
        self.thread.take()?.join().ok()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

/// The thread's own.
struct Desk {
    generation: u64,
    target: Target,
    news: mpsc::UnboundedSender<News>,
    /// Lines that are not written, and what they are.
    lines: Unwritten,
    places: Vec<Place>,
    /// When the oldest of them came.
    since: Option<Instant>,
    synced: Instant,
    /// Written, and not waited for.
    loose: Option<Instant>,
    blocked: bool,
}

impl Desk {
    fn new(target: Target, news: mpsc::UnboundedSender<News>) -> Self {
        let desk = Self {
            generation: 0,
            target,
            news,
            lines: Unwritten::default(),
            places: Vec::new(),
            since: None,
            synced: Instant::now(),
            loose: None,
            blocked: false,
        };
        if let Target::Open(writer) = &desk.target {
            desk.say_where(writer.path());
        }
        desk
    }

    async fn work(&mut self, mut jobs: mpsc::Receiver<Job>) {
        loop {
            let job = match self.due() {
                // While nothing can be written nothing more is taken: who draws has to wait.
                Some(at) if self.blocked => {
                    tokio::time::sleep_until(at.into()).await;
                    if jobs.is_closed() {
                        return;
                    }
                    None
                }
                Some(at) => match tokio::time::timeout_at(at.into(), jobs.recv()).await {
                    Ok(Some(job)) => Some(job),
                    Ok(None) => return,
                    Err(_) => None,
                },
                None => match jobs.recv().await {
                    Some(job) => Some(job),
                    None => return,
                },
            };
            match job {
                Some(Job::Drawn(generation, drawn)) => self.take(generation, &drawn),
                Some(Job::Restart(generation, target)) => self.restart(generation, *target),
                None => {}
            }
            let now = Instant::now();
            let gathered = self.since.is_some_and(|since| now - since >= GATHER) || self.lines.len() >= MOST;
            if gathered || self.blocked {
                let _ = self.write();
            }
            if self.sync_due().is_some_and(|at| now >= at) {
                self.sync();
            }
        }
    }

    /// When there is something to do though nothing comes.
    fn due(&self) -> Option<Instant> {
        if self.blocked {
            return Some(Instant::now() + RETRY);
        }
        let write = self.since.map(|since| since + GATHER);
        [write, self.sync_due()].into_iter().flatten().min()
    }

    /// When the disk is waited for: now and then, and soon once nothing more comes.
    fn sync_due(&self) -> Option<Instant> {
        self.loose.map(|written| (self.synced + SYNC).min(written + IDLE))
    }

    fn take(&mut self, generation: u64, drawn: &[Drawn]) {
        if generation != self.generation {
            return;
        }
        self.since.get_or_insert_with(Instant::now);
        for d in drawn {
            let line = match &self.target {
                Target::Open(writer) => writer.line(d),
                Target::New { run, problems, .. } => Writer::line_of(run, problems, d),
            };
            if let Some(line) = line {
                let at = self.lines.push(&line);
                let (policy, problem, index) = (d.policy, d.problem, d.completion.index);
                self.places.push(Place { policy, problem, index, at });
            }
        }
    }

    /// Gives all lines to the operating system.
    fn write(&mut self) -> Result<(), RecordError> {
        if self.lines.len() == 0 {
            return Ok(());
        }
        let written = self.opened().and_then(|(writer, lines)| writer.put(lines));
        match written {
            Ok(start) => {
                self.lines.clear();
                self.since = None;
                self.loose = Some(Instant::now());
                if std::mem::take(&mut self.blocked) {
                    let _ = self.news.send(News::Unblocked);
                }
                let mut places = std::mem::take(&mut self.places);
                places.iter_mut().for_each(|p| p.at += start);
                let _ = self.news.send(News::Saved { generation: self.generation, places });
                Ok(())
            }
            Err(error) => {
                if !std::mem::replace(&mut self.blocked, true) {
                    let _ = self.news.send(News::Blocked(error.to_string()));
                }
                Err(error)
            }
        }
    }

    /// The writer, made now if the file is new, and the lines for it.
    fn opened(&mut self) -> Result<(&mut Writer, &Unwritten), RecordError> {
        if let Target::New { path, run, problems } = &self.target {
            let writer = create(path, run, problems)?;
            self.say_where(writer.path());
            self.target = Target::Open(writer);
        }
        match &mut self.target {
            Target::Open(writer) => Ok((writer, &self.lines)),
            Target::New { .. } => unreachable!("it was just opened"),
        }
    }

    fn say_where(&self, path: &Path) {
        if let Ok(texts) = FileTexts::open(path) {
            let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let _ = self.news.send(News::Writes { generation: self.generation, file, texts });
        }
    }

    fn restart(&mut self, generation: u64, target: Target) {
        let _ = self.write();
        self.sync();
        self.lines.clear();
        self.places.clear();
        (self.since, self.blocked) = (None, false);
        (self.generation, self.target) = (generation, target);
        if let Target::Open(writer) = &self.target {
            self.say_where(writer.path());
        }
    }

    fn sync(&mut self) {
        if let Target::Open(writer) = &mut self.target
            && let Err(error) = writer.sync()
        {
            let _ = self.news.send(News::Blocked(error.to_string()));
            let _ = self.news.send(News::Unblocked);
        }
        (self.loose, self.synced) = (None, Instant::now());
    }

    fn end(mut self) -> Result<(), RecordError> {
        self.write()?;
        match &mut self.target {
            Target::Open(writer) => writer.sync(),
            Target::New { .. } => Ok(()),
        }
    }
}

/// A new recording; if there is one of this name already, one with a number behind it.
fn create(path: &Path, run: &Run, problems: &[Problem]) -> Result<Writer, RecordError> {
    for n in 1.. {
        let path = if n == 1 { path.to_owned() } else { numbered(path, n) };
        match Writer::create(&path, run, problems, true) {
            Err(RecordError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {}
            result => return result,
        }
    }
    unreachable!("there are not so many files")
}

/// `run.jsonl` as `run-2.jsonl`.
fn numbered(path: &Path, n: u32) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ends) = name.split_once(".jsonl").unwrap_or((&name, ""));
    let ends = if name.contains(".jsonl") { format!(".jsonl{ends}") } else { String::new() };
    path.with_file_name(format!("{stem}-{n}{ends}"))
}
