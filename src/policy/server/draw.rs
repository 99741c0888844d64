//! Completions from a server: many requests at once, each tried again while the server is
//! away, all of them ended when the sink says so.

use super::Server;
use super::client::{Client, Fault};
use super::dialect::Prompt;
use crate::completion::Completion;
use crate::policy::{PolicyError, Request, Sink};
use crate::random::Stream;
use serde_json::Value;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often it is asked whether to go on.
const LOOK: Duration = Duration::from_millis(40);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Broken answers to one request, one after the other, that are taken for a server's last word.
const BROKEN: u32 = 4;

enum News {
    Finished(Vec<Completion>),
    Said(String),
    Failed(String),
}

/// Draws what `request` asks for.
///
/// # Errors
/// What the server says that will not change by asking again, or a server that is away for
/// longer than the options' patience.
pub(super) fn draw(server: &Server, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError> {
    if server.dialect.chat && !request.prefix.text.is_empty() {
        let reason = "its chat template ends a prompt: it cannot go on from given words (use --raw)";
        return Err(server.failed(reason.to_owned()));
    }
    let groups = groups(&request.indices, server.options.concurrency, server.dialect.kind.most_at_once());
    let client = server.client(request.sampling.max_tokens);
    let ended = AtomicBool::new(false);
    let next = AtomicU32::new(0);
    let mut failure = None;
    std::thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        for _ in 0..server.options.concurrency.clamp(1, groups.len().max(1)) {
            let (tell, client, groups) = (tell.clone(), client.clone(), &groups);
            let errand = Errand { server, request, client, ended: &ended };
            let next = &next;
            scope.spawn(move || errand.run(groups, next, &tell));
        }
        drop(tell);
        loop {
            let drawn = match hear.recv_timeout(LOOK) {
                Ok(News::Finished(all)) => {
                    let tokens = all.iter().map(|c| c.length.unwrap_or(0) as usize).sum();
                    all.into_iter().for_each(|c| sink.finished(c));
                    tokens
                }
                Ok(News::Said(words)) => {
                    sink.noted(&words);
                    0
                }
                Ok(News::Failed(reason)) => {
                    failure.get_or_insert(reason);
                    0
                }
                Err(RecvTimeoutError::Timeout) => 0,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if sink.stepped(drawn, &|| None).is_break() || failure.is_some() {
                ended.store(true, Ordering::Relaxed);
                client.hang_up();
                break;
            }
        }
        // What was finished in the meantime is not lost.
        while let Ok(news) = hear.recv() {
            if let News::Finished(all) = news {
                all.into_iter().for_each(|c| sink.finished(c));
            }
        }
    });
    match failure {
        Some(reason) => Err(server.failed(reason)),
        None => Ok(()),
    }
}

/// The requests for `indices`: some completions each where the server draws several at once,
/// but never so many that there are fewer requests than may be in flight.
fn groups(indices: &Range<u32>, concurrency: usize, most: u32) -> Vec<Range<u32>> {
    let size = (indices.len() as u32 / concurrency.max(1) as u32).clamp(1, most.max(1));
    indices.clone().step_by(size as usize).map(|start| start..(start + size).min(indices.end)).collect()
}

/// What one thread does.
struct Errand<'a> {
    server: &'a Server,
    request: &'a Request<'a>,
    client: Client,
    ended: &'a AtomicBool,
}

impl Errand<'_> {
    fn run(&self, groups: &[Range<u32>], next: &AtomicU32, tell: &Sender<News>) {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
            let news = match self.fetch(group, tell) {
                Ok(Some(all)) => News::Finished(all),
                Ok(None) => return,
                Err(reason) => News::Failed(reason),
            };
            let failed = matches!(news, News::Failed(_));
            if tell.send(news).is_err() || failed {
                return;
            }
        }
    }

    /// The completions of one group; `None` where the request was ended.
    fn fetch(&self, group: &Range<u32>, tell: &Sender<News>) -> Result<Option<Vec<Completion>>, String> {
        let Request { problem, sampling, prefix, .. } = self.request;
        let (server, dialect) = (self.server, &self.server.dialect);
        let seed = server.seed(sampling, &problem.id).wrapping_add(group.start);
        let prompt = format!("{}{}", problem.prompt, prefix.text);
        let body = dialect.request(Prompt::Text(&prompt), sampling, group, seed);
        let limit = dialect.most_bytes(sampling.max_tokens, group.len());
        let jitter = Stream::new(sampling.seed).with(&server.name).with(&problem.id).at(group.start.into());
        let mut tries = Tries::new(jitter);
        loop {
            let Some(permit) = server.permits.take(&|| !self.is_ended()) else { return Ok(None) };
            let pause = tries.pause(server.options.pause);
            let answer = server.ask(&self.client, dialect.path(), &body, limit, pause);
            drop(permit);
            if self.is_ended() && answer.is_err() {
                return Ok(None);
            }
            let fault = match answer.and_then(|answer| self.read(&answer, group)) {
                Ok(all) => return Ok(Some(all)),
                Err(fault) => fault,
            };
            let reason = fault.reason().to_owned();
            let pause = tries.again(fault, pause, server.options.patience)?;
            if server.may_say() {
                let whom = server.whom();
                let words = format!("{whom}{reason}; asking again in {:.1} s", pause.as_secs_f64());
                if tell.send(News::Said(words)).is_err() {
                    return Ok(None);
                }
            }
            if !self.wait(pause) {
                return Ok(None);
            }
        }
    }

    fn read(&self, answer: &Value, group: &Range<u32>) -> Result<Vec<Completion>, Fault> {
        let exact = self.server.reports_exactly(self.request.sampling);
        let mut all = self.server.dialect.completions(answer, group, exact).map_err(Fault::Broken)?;
        all.iter_mut().for_each(|c| c.text.insert_str(0, self.request.prefix.text));
        Ok(all)
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Waits; false where the request was ended meanwhile.
    fn wait(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        while !self.is_ended() {
            match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => std::thread::sleep(left.min(LOOK)),
                _ => return true,
            }
        }
        false
    }
}

/// How often one request was tried.
pub(super) struct Tries {
    jitter: Stream,
    since: Instant,
    count: u32,
    broken: u32,
}

impl Tries {
    pub fn new(jitter: Stream) -> Self {
        Self { jitter, since: Instant::now(), count: 0, broken: 0 }
    }

    /// The pause after the next try, if it fails: twice as long each time, give or take a
    /// half, so that requests that failed together do not come back together.
    pub fn pause(&mut self, first: Duration) -> Duration {
        let longest = LONGEST_PAUSE.max(first);
        let pause = first.saturating_mul(1 << self.count.min(16)).min(longest);
        pause.mul_f64(0.5 + self.jitter.unit())
    }

    /// How long to wait before asking again.
    ///
    /// # Errors
    /// The reason, where there is no point in asking again.
    pub fn again(&mut self, fault: Fault, pause: Duration, patience: Duration) -> Result<Duration, String> {
        self.count += 1;
        match fault {
            Fault::Final(reason) => Err(reason),
            Fault::Broken(reason) => {
                self.broken += 1;
                if self.broken >= BROKEN {
                    return Err(format!("{reason}, {BROKEN} times"));
                }
                Ok(pause)
            }
            Fault::Away { reason, after } => {
                let pause = after.map_or(pause, |after| after + pause);
                if self.since.elapsed() + pause > patience {
                    let waited = self.since.elapsed().as_secs();
                    return Err(format!("{reason}; given up after {waited} s and {} tries", self.count));
                }
                Ok(pause)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_every_place_busy_and_cover_the_range() {
        assert_eq!(groups(&(0..3), 32, 8), [0..1, 1..2, 2..3]);
        assert_eq!(groups(&(5..25), 4, 8), [5..10, 10..15, 15..20, 20..25]);
        assert_eq!(groups(&(0..512), 32, 8).len(), 64);
        assert_eq!(groups(&(0..512), 32, 1).len(), 512);
        assert!(groups(&(7..7), 32, 8).is_empty());
    }

    #[test]
    fn pauses_grow_to_a_bound_and_what_is_final_is_not_asked_again() {
        let patience = Duration::from_secs(60);
        let mut tries = Tries::new(Stream::new(1));
        let mut longest = Duration::ZERO;
        let away = || Fault::Away { reason: "away".into(), after: None };
        for n in 0..10 {
            let pause = tries.pause(Duration::from_millis(250));
            let middle = Duration::from_millis(250 << n).min(LONGEST_PAUSE);
            assert!(pause >= middle / 2 && pause <= middle * 3 / 2, "{n}: {pause:?}");
            longest = longest.max(pause);
            assert_eq!(tries.again(away(), pause, patience), Ok(pause));
        }
        let pause = Duration::from_secs(1);
        let told = Fault::Away { reason: "busy".into(), after: Some(Duration::from_secs(30)) };
        assert_eq!(tries.again(told, pause, patience), Ok(Duration::from_secs(31)));
        let long = Fault::Away { reason: "busy".into(), after: Some(Duration::from_secs(3600)) };
        assert!(tries.again(long, pause, patience).unwrap_err().starts_with("busy; given up"));
        assert_eq!(tries.again(Fault::Final("no".into()), pause, patience), Err("no".into()));
        for _ in 1..BROKEN {
            assert_eq!(tries.again(Fault::Broken("half".into()), pause, patience), Ok(pause));
        }
        assert!(tries.again(Fault::Broken("half".into()), pause, patience).is_err());
    }
}
