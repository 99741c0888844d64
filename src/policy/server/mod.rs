//! A server as a policy: OpenAI's completions or chat interface, as vLLM, SGLang and
//! llama.cpp's server speak it.
//!
//! Completion i is asked for with a seed of its own, so that no completion depends on which
//! others were asked for beside it. Whether the same seed gives the same text again is the
//! server's affair: batches of other sizes round differently on a GPU, SGLang heeds a seed
//! only with deterministic inference turned on, and nothing is promised here.

mod address;
mod client;
mod dialect;
mod draw;
mod probe;
mod score;
mod tokens;

use super::settings::UNKNOWN;
use super::{Policy, PolicyError, Request, SENT, ScoreRequest, Scored, Setting, Sink};
use crate::model::Sampling;
use crate::random::Stream;
pub use address::Address;
use client::{Client, Fault, Key};
use dialect::Dialect;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokens::Tokenizer;

/// How a server is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerOptions {
    /// With the chat interface and the server's template, or the prompt as it is.
    pub chat: bool,
    pub system: Option<String>,
    /// Requests in flight, over all endpoints together.
    pub concurrency: usize,
    /// The most likely tokens that are asked for at each place.
    pub top: usize,
    /// To reach the server.
    pub connect: Duration,
    /// For a whole answer; `None` by the length that is asked for.
    pub answer: Option<Duration>,
    /// How long a server that is away is waited for, once the run has begun.
    pub patience: Duration,
    /// The first pause before asking again; each is twice the last, up to 15 s.
    pub pause: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            chat: false,
            system: None,
            concurrency: 32,
            top: 20,
            connect: Duration::from_secs(10),
            answer: None,
            patience: Duration::from_secs(600),
            pause: Duration::from_millis(250),
        }
    }
}

/// A served model.
pub struct Server {
    name: String,
    spec: String,
    dialect: Dialect,
    options: ServerOptions,
    endpoints: Vec<Endpoint>,
    key: Option<Key>,
    /// What the probe found.
    reports: probe::Reports,
    /// As the server says it: version, longest context.
    facts: Vec<(&'static str, String)>,
    /// A fingerprint of the tokenizer, where the server tokenises for others.
    tokenizer: Option<String>,
    permits: Permits,
    /// When it was last said that the server is away.
    said: Mutex<Option<Instant>>,
    /// What scoring found out.
    known: score::Known,
}

/// One address of a policy.
struct Endpoint {
    url: String,
    in_flight: AtomicUsize,
    /// Requests that found it away, one after the other.
    failures: AtomicU32,
    /// Until when it is thought to be away.
    away: Mutex<Option<Instant>>,
}

impl Server {
    /// Connects: asks who serves what, and probes what its probabilities mean.
    ///
    /// # Errors
    /// A server that does not answer, serves another model or refuses the request.
    pub fn open(address: &Address, name: &str, options: ServerOptions) -> Result<Self, PolicyError> {
        let key = Key::from_environment();
        let failed = |url: &str, reason: &str| PolicyError::Source {
            policy: name.to_owned(),
            reason: format!("{url}: {reason}"),
        };
        let client = Client::new(key.clone(), options.connect, Duration::from_secs(60));
        let mut found: Option<probe::Found> = None;
        for url in &address.endpoints {
            let here = probe::who(&client, url, address.model.as_deref()).map_err(|e| failed(url, &e))?;
            match &found {
                Some(first) if first.model != here.model => {
                    let reason = format!(
                        "it serves {:?}, and {} serves {:?}: the endpoints of a policy serve one model",
                        here.model, address.endpoints[0], first.model
                    );
                    return Err(failed(url, &reason));
                }
                Some(_) => {}
                None => found = Some(here),
            }
        }
        let found = found.ok_or_else(|| failed("", "no endpoint is named"))?;
        let mut dialect = Dialect {
            kind: found.kind,
            model: found.model.clone(),
            chat: options.chat,
            system: options.system.clone(),
            // All of a small vocabulary costs no more than a part of a large one.
            top: found.vocab_size.filter(|v| options.top >= 20 && *v <= 512).unwrap_or(options.top),
            plain: false,
            vocab_size: found.vocab_size,
        };
        let url = &address.endpoints[0];
        let reports = probe::probe(&client, url, &mut dialect).map_err(|e| failed(url, &e))?;
        let tokenizer = Tokenizer { client: &client, url, dialect: &dialect }.fingerprint();
        let endpoint = |url: &String| Endpoint {
            url: url.clone(),
            in_flight: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            away: Mutex::new(None),
        };
        Ok(Self {
            name: name.to_owned(),
            spec: address.spec(&found.model),
            permits: Permits::new(options.concurrency.max(1)),
            endpoints: address.endpoints.iter().map(endpoint).collect(),
            dialect,
            options,
            key,
            reports,
            facts: found.facts,
            tokenizer,
            said: Mutex::new(None),
            known: score::Known::default(),
        })
    }

    /// A client for one call, whose requests can be ended together.
    fn client(&self, max_tokens: usize) -> Client {
        // A slow server under load still gives some tokens a second to each request.
        let by_length = Duration::from_secs(120) + Duration::from_millis(250) * max_tokens as u32;
        Client::new(self.key.clone(), self.options.connect, self.options.answer.unwrap_or(by_length))
    }

    /// The endpoint with the fewest requests, those that are away last.
    fn endpoint(&self) -> &Endpoint {
        let now = Instant::now();
        let load = |e: &&Endpoint| {
            let away = lock(&e.away).is_some_and(|until| until > now);
            (away, e.in_flight.load(Ordering::Relaxed))
        };
        self.endpoints.iter().min_by_key(load).expect("an address has at least one endpoint")
    }

    /// One request to the best endpoint. An endpoint that is away is left alone for `rest`.
    fn ask(
        &self,
        client: &Client,
        path: &str,
        body: &Value,
        limit: u64,
        rest: Duration,
    ) -> Result<Value, Fault> {
        let endpoint = self.endpoint();
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        // A path from the root on lies beside OpenAI's interface.
        let url = match path.strip_prefix('/') {
            Some(path) => format!("{}/{path}", endpoint.url.strip_suffix("/v1").unwrap_or(&endpoint.url)),
            None => format!("{}/{path}", endpoint.url),
        };
        let answer = client.post(&url, body, limit);
        endpoint.in_flight.fetch_sub(1, Ordering::Relaxed);
        *lock(&endpoint.away) = match &answer {
            Err(Fault::Away { after, .. }) => {
                // Longer than the request waits, so that it goes elsewhere, and longer each time.
                let failures = endpoint.failures.fetch_add(1, Ordering::Relaxed).min(8);
                let rest = rest.saturating_mul(4 << failures).min(Duration::from_secs(60));
                Some(Instant::now() + after.unwrap_or(Duration::ZERO) + rest)
            }
            _ => {
                endpoint.failures.store(0, Ordering::Relaxed);
                None
            }
        };
        answer.map_err(|fault| match (fault, self.endpoints.len()) {
            (fault, 1) => fault,
            // Which of them.
            (Fault::Away { reason, after }, _) => {
                Fault::Away { reason: format!("{}: {reason}", endpoint.url), after }
            }
            (Fault::Broken(reason), _) => Fault::Broken(format!("{}: {reason}", endpoint.url)),
            (Fault::Final(reason), _) => Fault::Final(format!("{}: {reason}", endpoint.url)),
        })
    }

    /// The seed of completion 0 of a problem; completion i has the one i later. It fits what
    /// every server takes, 32 bits without the value that llama.cpp reads as "any".
    fn seed(&self, sampling: &Sampling, problem: &str) -> u32 {
        let mut stream = Stream::new(sampling.seed).with(&self.name).with(problem);
        (stream.next_u64() >> 34) as u32
    }

    /// The address before a sentence about it, where the sentence does not say which of
    /// several it is about.
    fn whom(&self) -> String {
        match &self.endpoints[..] {
            [only] => format!("{}: ", only.url),
            _ => String::new(),
        }
    }

    /// Whether to say once more that the server is away: every request finds it out, and one
    /// sentence every few seconds is enough.
    fn may_say(&self) -> bool {
        let mut said = lock(&self.said);
        let again = said.is_none_or(|at| at.elapsed() > Duration::from_secs(3));
        if again {
            *said = Some(Instant::now());
        }
        again
    }

    /// Whether what the server reports at these settings is the model's own distribution.
    fn reports_exactly(&self, sampling: &Sampling) -> bool {
        let untouched = sampling.temperature == 1.0 && sampling.top_p >= 1.0 && sampling.top_k.is_none();
        match self.reports {
            probe::Reports::Nothing => false,
            probe::Reports::Before => true,
            probe::Reports::After | probe::Reports::Unclear => untouched,
        }
    }

    fn failed(&self, reason: impl Into<String>) -> PolicyError {
        let address: Vec<&str> = self.endpoints.iter().map(|e| e.url.as_str()).collect();
        let reason = format!("{}: {}", address.join(","), reason.into());
        PolicyError::Source { policy: self.name.clone(), reason }
    }
}

impl Policy for Server {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> &str {
        &self.spec
    }

    fn sample(&self, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError> {
        draw::draw(self, request, sink)
    }

    fn waiting(&self) -> usize {
        // A chunk ends with its longest completion; the next one fills the gap.
        3
    }

    fn score(&self, request: &ScoreRequest<'_>) -> Result<Scored, PolicyError> {
        score::score(self, request)
    }

    fn settings(&self, sampling: &Sampling) -> Vec<Setting> {
        let mut all = super::sampling_settings(sampling);
        let template = match self.dialect.chat {
            true => "the server's own",
            false => "none: the prompt as it is",
        };
        all.push(Setting::new(SENT, self.dialect.sent()));
        all.push(Setting::new("template", template));
        all.push(Setting::new("system prompt", self.dialect.system.as_deref().unwrap_or("none")));
        // The server takes them from the checkpoint, and tells nobody.
        all.push(Setting::new("stop tokens", UNKNOWN));
        all.push(Setting::new("dtype", UNKNOWN));
        all.push(Setting::new("tokenizer", self.tokenizer.as_deref().unwrap_or(UNKNOWN)));
        all.push(Setting::new("engine", self.dialect.kind.name()));
        let endpoints: Vec<&str> = self.endpoints.iter().map(|e| e.url.as_str()).collect();
        all.push(Setting::new("endpoint", endpoints.join(", ")));
        all.push(Setting::new("model", self.dialect.model.as_str()));
        all.extend(self.facts.iter().map(|(name, value)| Setting::new(*name, value.as_str())));
        let words =
            self.reports.words(self.dialect.top, self.dialect.vocab_size, self.reports_exactly(sampling));
        all.push(Setting::new("probabilities", words));
        all
    }
}

/// Requests that may be in flight.
struct Permits {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Permits {
    fn new(n: usize) -> Self {
        Self { free: Mutex::new(n), freed: Condvar::new() }
    }

    /// Waits for one, as long as `wanted` says so.
    fn take(&self, wanted: &dyn Fn() -> bool) -> Option<Permit<'_>> {
        let mut free = lock(&self.free);
        while *free == 0 {
            if !wanted() {
                return None;
            }
            let (guard, _) = self
                .freed
                .wait_timeout(free, Duration::from_millis(50))
                .unwrap_or_else(PoisonError::into_inner);
            free = guard;
        }
        *free -= 1;
        Some(Permit(self))
    }
}

/// One request that may be in flight; dropped, it is another's.
struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *lock(&self.0.free) += 1;
        self.0.freed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned lock says only that another caller panicked; what is in it is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
