//! What comes into the event loop, and where what is drawn goes.

use crate::app::State;
use crate::record::{Follower, News, Recorder, Target};
use crate::run::{Campaign, Event, EventKind, Item, Lanes, Settings};
use std::io;
use tokio::sync::mpsc;

/// A thread that writes, and what it says.
pub type Recording = (Recorder, mpsc::UnboundedReceiver<News>);

/// Starts drawing once a recording is read: what is there already need not be drawn.
pub type Begin = Box<dyn FnOnce(&State, &[Item]) -> io::Result<(Campaign, Lanes, Recording)>>;

/// Where the completions of a campaign that starts again are written.
pub type Again = Box<dyn Fn(&Settings) -> Target>;

/// What comes into the event loop, and where what is drawn goes.
#[derive(Default)]
pub struct Feeds {
    pub campaign: Option<Campaign>,
    pub lanes: Option<Lanes>,
    /// A recording that is read.
    pub reader: Option<(Follower, mpsc::Receiver<News>)>,
    /// The recording that is written.
    pub recording: Option<Recording>,
    pub begin: Option<Begin>,
    pub again: Option<Again>,
}

impl Feeds {
    /// The next event of the campaign, once there is room to write it.
    pub(super) async fn event(lanes: &mut Option<Lanes>, to: Option<&Recorder>) -> Option<Event> {
        let Some(lanes) = lanes else { return std::future::pending().await };
        if let Some(to) = to {
            to.room().await;
        }
        lanes.events.recv().await
    }

    /// The gauge, when it has changed.
    pub(super) async fn gauge(
        gauge: &mut Option<tokio::sync::watch::Receiver<crate::run::Gauge>>,
    ) -> Option<crate::run::Gauge> {
        let Some(from) = gauge else { return std::future::pending().await };
        match from.changed().await {
            Ok(()) => Some(from.borrow_and_update().clone()),
            Err(_) => None,
        }
    }

    /// What the recording that is read has, and what the one that is written has taken.
    pub(super) async fn news(
        reader: &mut Option<(Follower, mpsc::Receiver<News>)>,
        recording: &mut Option<mpsc::UnboundedReceiver<News>>,
    ) -> News {
        let read = async {
            if let Some((_, news)) = reader
                && let Some(news) = news.recv().await
            {
                return news;
            }
            std::future::pending().await
        };
        let written = async {
            if let Some(news) = recording
                && let Some(news) = news.recv().await
            {
                return news;
            }
            std::future::pending().await
        };
        tokio::select! {
            news = written => news,
            news = read => news,
        }
    }
}

/// Hands completions on to be written.
pub(super) async fn write(to: Option<&Recorder>, event: &Event) {
    if let (Some(to), EventKind::Drawn(all)) = (to, &event.kind) {
        to.write(event.generation, all.clone()).await;
    }
}
