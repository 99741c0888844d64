//! A thread that reads a recording, and goes on reading while it grows.

use super::foreign::Live;
use super::index::Index;
use super::news::News;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often a recording that another process writes is looked at.
const PAUSE: Duration = Duration::from_millis(250);

/// News that wait for the reader at most.
const CAPACITY: usize = 8;

/// Whether a recording is read on as it grows.
#[derive(Debug)]
pub enum Follow {
    No,
    Yes,
    /// It is a copy of files that grow, and is first made to catch up with them.
    Copy(Box<Live>),
}

/// A thread that reads. Dropping it ends it.
#[derive(Debug)]
pub struct Follower {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Reads what is there, and by `follow` also what is added from then on. After each
    /// part comes [`News::Complete`].
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(index: Index, follow: Follow) -> std::io::Result<(Self, mpsc::Receiver<News>)> {
        let (send, receive) = mpsc::channel(CAPACITY);
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("leash-reader".into())
            .spawn(move || read(index, follow, &send, &stopped))?;
        Ok((Self { stop, thread: Some(thread) }, receive))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // What it panicked with, its own hook has told.
            let _ = thread.join();
        }
    }
}

fn read(mut index: Index, mut follow: Follow, to: &mpsc::Sender<News>, stop: &(Mutex<bool>, Condvar)) {
    let is_stopped = || *stop.0.lock().unwrap_or_else(PoisonError::into_inner);
    let mut first = true;
    loop {
        let mut new = std::mem::take(&mut first);
        let read = index.read(&mut |batch| {
            new = true;
            match is_stopped() || !send(to, News::Read(batch), &is_stopped) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let told = match read {
            Err(error) => {
                send(to, News::Unreadable(error.to_string()), &is_stopped);
                return;
            }
            Ok(ControlFlow::Break(())) => return,
            Ok(ControlFlow::Continue(())) if new => {
                let mut first = index.errors().next().map(|e| e.to_string());
                let mut wrong = index.wrong().count;
                if let Follow::Copy(live) = &follow {
                    let imported = live.imported();
                    wrong += imported.wrong_count;
                    first = imported.wrong.into_iter().next().or(first);
                }
                send(to, News::Complete { wrong, first }, &is_stopped)
            }
            Ok(ControlFlow::Continue(())) => true,
        };
        if !told || matches!(follow, Follow::No) {
            return;
        }
        let mut stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !*stopped {
            stopped = stop.1.wait_timeout(stopped, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        }
        if *stopped {
            return;
        }
        drop(stopped);
        if let Follow::Copy(live) = &mut follow
            && let Err(error) = live.catch_up()
        {
            send(to, News::Unreadable(error.to_string()), &is_stopped);
            return;
        }
    }
}

/// Waits for room; false when there is nobody to tell any more.
fn send(to: &mpsc::Sender<News>, mut news: News, is_stopped: &dyn Fn() -> bool) -> bool {
    loop {
        match to.try_send(news) {
            Ok(()) => return true,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(_)) if is_stopped() => return false,
            Err(mpsc::error::TrySendError::Full(back)) => {
                news = back;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
