//! What comes from the terminal, without standing in line for it.

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use futures_util::task::AtomicWaker;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// The terminal's events. A look at crossterm's own stream tries for a lock that the thread
/// which reads the terminal holds nearly always, and gives the processor away while it tries:
/// on busy cores it comes back milliseconds later. So this one is looked at only where that
/// thread has called.
pub struct Keys {
    stream: EventStream,
    call: Arc<Call>,
}

struct Call {
    /// Whether the stream may have something.
    due: AtomicBool,
    /// Who waits for it.
    waiting: AtomicWaker,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.due.store(true, Ordering::Release);
        self.waiting.wake();
    }
}

impl Keys {
    pub fn new() -> Self {
        let call = Call { due: AtomicBool::new(true), waiting: AtomicWaker::new() };
        Self { stream: EventStream::new(), call: Arc::new(call) }
    }

    /// The next event; `None` where the terminal is gone.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        poll_fn(|context| {
            // Before the look, so that no call goes by between the two.
            self.call.waiting.register(context.waker());
            if !self.call.due.swap(false, Ordering::Acquire) {
                return Poll::Pending;
            }
            let call = Waker::from(Arc::clone(&self.call));
            let event = self.stream.poll_next_unpin(&mut Context::from_waker(&call));
            if event.is_ready() {
                self.call.due.store(true, Ordering::Release);
            }
            event
        })
        .await
    }
}
