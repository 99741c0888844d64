//! One request and its answer, bounded in time and size, with what goes wrong in words.

use crate::calendar::Moment;
use crate::completion::clean;
use serde_json::Value;
use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ureq::http::Response;
use ureq::{Agent, Body, Error};

/// Characters of a server's own words that are passed on.
const WORDS: usize = 300;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// The server is away or busy: it may come back, after this time if it said so.
    Away { reason: String, after: Option<Duration> },
    /// The answer is broken in a way that may pass.
    Broken(String),
    /// Asking again would give the same.
    Final(String),
}

impl Fault {
    pub fn reason(&self) -> &str {
        match self {
            Fault::Away { reason, .. } | Fault::Broken(reason) | Fault::Final(reason) => reason,
        }
    }
}

/// A key for a server. It is never shown: it has no `Display`, and its `Debug` hides it.
#[derive(Clone)]
pub(super) struct Key(String);

impl Key {
    /// From LEASH_API_KEY, else OPENAI_API_KEY. An empty one is none.
    pub fn from_environment() -> Option<Self> {
        let var = |name| std::env::var(name).ok().filter(|key| !key.trim().is_empty());
        var("LEASH_API_KEY").or_else(|| var("OPENAI_API_KEY")).map(|key| Self(key.trim().to_owned()))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// Asks servers. [`Client::hang_up`] ends every request that is under way.
#[derive(Clone, Debug)]
pub(super) struct Client {
    agent: Agent,
    key: Option<Key>,
}

impl Client {
    /// `connect` is the time to reach the server, `answer` the time for a whole request.
    pub fn new(key: Option<Key>, connect: Duration, answer: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A key is for the server that was named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("leash/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(connect))
            .timeout_global(Some(answer))
            .max_idle_connections_per_host(64)
            .build();
        Self { agent: config.new_agent(), key }
    }

    /// Ends every request of this client at once, which the servers see as a closed
    /// connection and stop computing.
    pub fn hang_up(&self) {
        self.agent.clone().shutdown();
    }

    /// GET, with an answer of at most `limit` bytes.
    pub fn get(&self, url: &str, limit: u64) -> Result<Value, Fault> {
        let mut request = self.agent.get(url);
        if let Some(Key(key)) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        self.answer(request.call(), limit)
    }

    /// POST of a JSON body, with an answer of at most `limit` bytes.
    pub fn post(&self, url: &str, body: &Value, limit: u64) -> Result<Value, Fault> {
        let mut request = self.agent.post(url);
        if let Some(Key(key)) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        self.answer(request.send_json(body), limit)
    }

    fn answer(&self, response: Result<Response<Body>, Error>, limit: u64) -> Result<Value, Fault> {
        let response = response.map_err(|e| self.failed(&e))?;
        let status = response.status().as_u16();
        let after = retry_after(&response);
        let mut bytes = Vec::new();
        let read = response.into_body().into_reader().take(limit + 1).read_to_end(&mut bytes);
        let broke_off = match read {
            Ok(_) => None,
            Err(e) => match e.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
                Some(error @ Error::Timeout(_)) => return Err(self.failed(error)),
                _ => Some(e),
            },
        };
        if bytes.len() as u64 > limit {
            return Err(Fault::Final(format!(
                "it answers with more than {} MB, which no answer to this request needs",
                limit.div_ceil(1 << 20)
            )));
        }
        if status != 200 {
            return Err(self.refused(status, after, &bytes));
        }
        if let Some(e) = broke_off {
            let said = self.hidden(&e.to_string());
            return Err(Fault::Broken(format!("its answer broke off after {} bytes: {said}", bytes.len())));
        }
        self.parsed(&bytes)
    }

    /// The JSON of an answer that says it is fine.
    fn parsed(&self, bytes: &[u8]) -> Result<Value, Fault> {
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(_) if is_page(bytes) => {
                return Err(Fault::Final(
                    "it answers with a web page, not with JSON: is this the address of a model's server? \
                     It usually ends in /v1"
                        .into(),
                ));
            }
            Err(e) if e.is_eof() => {
                return Err(Fault::Broken(format!(
                    "its answer ends in the middle, after {} bytes",
                    bytes.len()
                )));
            }
            Err(e) => {
                let said = self.hidden(&excerpt(bytes, 60));
                return Err(Fault::Broken(format!("its answer is no JSON ({e}): {said:?}")));
            }
        };
        // Some servers, and gateways in front of them, say 200 and mean an error.
        match value.get("error") {
            None | Some(Value::Null) => Ok(value),
            Some(error) => {
                let words = self.hidden(&words(&value).unwrap_or_else(|| error.to_string()));
                let reason = format!("it answers with an error: {words}");
                match error.get("code").and_then(Value::as_u64) {
                    Some(429 | 503) => Err(Fault::Away { reason, after: None }),
                    Some(500..) => Err(Fault::Broken(reason)),
                    _ => Err(Fault::Final(reason)),
                }
            }
        }
    }

    /// An answer with another status than 200, in words.
    fn refused(&self, status: u16, after: Option<Duration>, bytes: &[u8]) -> Fault {
        let value: Option<Value> = serde_json::from_slice(bytes).ok();
        let said = value.as_ref().and_then(words).map(|w| self.hidden(&w));
        let said = said.map(|w| format!(": {w}")).unwrap_or_default();
        match status {
            401 | 403 if self.key.is_none() => {
                Fault::Final(format!("it wants a key ({status}): set LEASH_API_KEY or OPENAI_API_KEY{said}"))
            }
            401 | 403 => Fault::Final(format!("it refuses the key from the environment ({status}){said}")),
            404 => Fault::Final(format!("it has no such address or model (404){said}")),
            400 | 422 => Fault::Final(format!("it refuses the request ({status}){said}")),
            413 => Fault::Final(format!("the request is too large for it (413){said}")),
            408 | 425 | 429 => Fault::Away { reason: format!("it is busy ({status}){said}"), after },
            502..=504 => Fault::Away { reason: format!("it is not available ({status}){said}"), after },
            500.. => Fault::Broken(format!("it failed ({status}){said}")),
            300..400 => Fault::Final(format!("it sends us elsewhere ({status}): name that address itself")),
            _ => Fault::Final(format!("it answers with status {status}{said}")),
        }
    }

    /// No answer at all, in words.
    fn failed(&self, error: &Error) -> Fault {
        let away = |reason: String| Fault::Away { reason, after: None };
        match error {
            Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                away("it cannot be reached in time".into())
            }
            Error::Timeout(_) => away("it does not answer in time".into()),
            Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
                away("connection refused: nothing listens there".into())
            }
            Error::Io(e) => away(format!("the connection failed: {}", self.hidden(&e.to_string()))),
            Error::HostNotFound => away("there is no such host".into()),
            Error::Protocol(e) => {
                Fault::Broken(format!("it does not speak HTTP: {}", self.hidden(&e.to_string())))
            }
            Error::LargeResponseHeader(..) => Fault::Final("its answer's header has no end".into()),
            other => Fault::Final(self.hidden(&other.to_string())),
        }
    }

    /// A server's words, cleaned, on one line, with the key blotted out should it repeat it.
    fn hidden(&self, words: &str) -> String {
        let words = match &self.key {
            Some(Key(key)) => words.replace(key.as_str(), "(key)"),
            None => words.to_owned(),
        };
        let words = clean(&words).split_whitespace().collect::<Vec<_>>().join(" ");
        match words.char_indices().nth(WORDS) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        }
    }
}

/// What a server says went wrong: `error.message` of OpenAI's interface, `message` of
/// SGLang's, `detail` of FastAPI's.
fn words(value: &Value) -> Option<String> {
    let error = value.get("error");
    let message = error.and_then(|e| e.get("message")).or(error).or_else(|| value.get("message"));
    let said = message.or_else(|| value.get("detail"))?;
    Some(said.as_str().map_or_else(|| said.to_string(), str::to_owned))
}

/// How long `Retry-After` asks to wait. A date there is held against the server's own clock,
/// where it tells the time, else against ours.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    let ours = || Moment(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()));
    let now = || header("date").and_then(Moment::of_http).unwrap_or_else(ours);
    waited(header("retry-after")?.trim(), now)
}

/// Seconds, or those from now to a date; at most an hour.
fn waited(value: &str, now: impl Fn() -> Moment) -> Option<Duration> {
    let seconds = match value.parse::<f64>() {
        Ok(seconds) => seconds,
        Err(_) => Moment::of_http(value)?.0.saturating_sub(now().0) as f64,
    };
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(3600.0)))
}

fn is_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}

fn excerpt(bytes: &[u8], most: usize) -> String {
    String::from_utf8_lossy(bytes).chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_in_seconds_or_by_a_date_how_long_to_wait() {
        let wait = |value: &str| waited(value, || Moment(784_111_700)).map(|d| d.as_secs_f64());
        assert_eq!((wait("120"), wait("0.5"), wait("0")), (Some(120.0), Some(0.5), Some(0.0)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(77.0));
        // A time that is over, and one that is far.
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0.0));
        assert_eq!((wait("Sun, 06 Nov 1999 08:00:00 GMT"), wait("1e300")), (Some(3600.0), Some(3600.0)));
        for value in ["", "-1", "soon", "NaN"] {
            assert_eq!(wait(value), None, "{value}");
        }
    }
}
