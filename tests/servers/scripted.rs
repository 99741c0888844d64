//! A small HTTP server that does what a test tells it: it serves a tiny made-up model, or
//! answers with any fault.

use leash::random::Stream;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub key: Option<String>,
    pub body: Value,
    /// Its number among the requests for completions, from 0; the probe's are counted too.
    pub number: usize,
}

/// What comes back.
pub enum Reply {
    /// What the made-up model answers.
    Model,
    Json(u16, Value),
    /// Status, a header line, a body.
    Plain(u16, &'static str, String),
    /// These bytes and the end of the connection.
    Raw(Vec<u8>),
    /// A body without an end.
    Endless,
    /// Nothing, until the other side hangs up; then the channel hears of it.
    Silence,
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A running server; dropped, it listens no more and its connections are closed.
pub struct Scripted {
    pub address: SocketAddr,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    /// Hears of every [`Reply::Silence`] that the other side ended.
    pub hung_up: mpsc::Receiver<()>,
    closing: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

/// The made-up model: at each place one of these tokens, whatever came before; the last ends
/// the completion.
pub const TOKENS: [(&str, f64); 6] =
    [(" two", 0.4), (" 4", 0.25), (" legs", 0.15), (" x", 0.1), ("\n####", 0.06), ("", 0.04)];

/// Its entropy, nats.
pub fn entropy() -> f64 {
    TOKENS.iter().map(|(_, p)| -p * p.ln()).sum()
}

impl Scripted {
    /// Serves at any free port; `script` says what a request for completions gets.
    pub fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), "vllm", script)
    }

    /// As the server of this owner, at this address.
    pub fn at(
        address: SocketAddr,
        owner: &'static str,
        script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (hung_up, hears) = mpsc::channel();
        let server = Self {
            address,
            asked: Arc::default(),
            hung_up: hears,
            closing: Arc::default(),
            open: Arc::default(),
        };
        let (asked, closing, open) = (server.asked.clone(), server.closing.clone(), server.open.clone());
        let script: Arc<Script> = Arc::new(script);
        let count = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if closing.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (asked, script, count, hung_up) =
                    (asked.clone(), script.clone(), count.clone(), hung_up.clone());
                std::thread::spawn(move || {
                    let _ = converse(stream, owner, &*script, &asked, &count, &hung_up);
                });
            }
        });
        server
    }

    pub fn spec(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests for completions, without the probe's.
    pub fn draws(&self) -> Vec<Asked> {
        let all = self.asked.lock().unwrap().clone();
        all.into_iter().filter(is_draw).collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        // The listener wakes up, sees that it is over and goes.
        let _ = TcpStream::connect(self.address);
    }
}

/// Whether it asks for completions of a run: the probe asks for one token.
pub fn is_draw(asked: &Asked) -> bool {
    asked.path.ends_with("completions") && asked.body["max_tokens"].as_u64() > Some(1)
}

fn converse(
    mut stream: TcpStream,
    owner: &str,
    script: &Script,
    asked: &Mutex<Vec<Asked>>,
    count: &AtomicUsize,
    hung_up: &mpsc::Sender<()>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut key) = (0, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => key = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let draws = path.ends_with("completions");
        let number = if draws { count.fetch_add(1, Ordering::SeqCst) } else { 0 };
        let request = Asked { path, key, body, number };
        asked.lock().unwrap().push(request.clone());
        let reply = match request.path.as_str() {
            "/tokenize" if request.body["messages"].is_null() => {
                let text = request.body["prompt"].as_str().unwrap_or_default();
                Reply::Json(200, json!({"tokens": tokens(text)}))
            }
            "/detokenize" => {
                let ids = request.body["tokens"].as_array().unwrap();
                let text = |id: &Value| TOKENS.get(id.as_u64().unwrap() as usize).map_or("?", |t| t.0);
                Reply::Json(200, json!({"prompt": ids.iter().map(text).collect::<String>()}))
            }
            _ => script(&request),
        };
        match reply {
            Reply::Model if request.path == "/v1/models" => {
                let model =
                    json!({"id": "tiny", "owned_by": owner, "root": "org/tiny", "max_model_len": 4096});
                send(&mut stream, 200, "", &json!({"object": "list", "data": [model]}).to_string())?;
            }
            Reply::Model if request.path == "/tokenize" => {
                let tokens = json!({"tokens": templated(&request.body)});
                send(&mut stream, 200, "", &tokens.to_string())?;
            }
            Reply::Model => send(&mut stream, 200, "", &answer(&request.body).to_string())?,
            Reply::Json(status, value) => send(&mut stream, status, "", &value.to_string())?,
            Reply::Plain(status, header, body) => send(&mut stream, status, header, &body)?,
            Reply::Raw(bytes) => {
                stream.write_all(&bytes)?;
                return stream.shutdown(std::net::Shutdown::Both);
            }
            Reply::Endless => {
                stream.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"choices\": [\"",
                )?;
                loop {
                    stream.write_all(&[b'x'; 65536])?;
                }
            }
            Reply::Silence => {
                let mut rest = [0; 1];
                // Nothing more is sent on this connection: it ends here, one way or another.
                let _ = reader.read(&mut rest);
                let _ = hung_up.send(());
                return Ok(());
            }
        }
    }
}

fn send(stream: &mut TcpStream, status: u16, header: &str, body: &str) -> std::io::Result<()> {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} Said\r\n{header}Content-Length: {length}\r\n\r\n{body}")
}

/// The tokens of a text: those of the model where they fit, else one a character.
pub fn tokens(text: &str) -> Vec<u32> {
    let mut rest = text;
    let mut ids = Vec::new();
    while let Some(first) = rest.chars().next() {
        let known = TOKENS.iter().position(|(t, _)| !t.is_empty() && rest.starts_with(t));
        ids.push(known.map_or(100 + first as u32, |id| id as u32));
        rest = &rest[known.map_or(first.len_utf8(), |id| TOKENS[id].0.len())..];
    }
    ids
}

/// The tokens of messages under the template of the made-up model.
pub fn templated(body: &Value) -> Vec<u32> {
    let turn = |m: &Value| format!("<{}>{}", m["role"].as_str().unwrap(), m["content"].as_str().unwrap());
    let turns: String = body["messages"].as_array().unwrap().iter().map(turn).collect();
    tokens(&format!("{turns}<assistant>"))
}

/// ln p of a token that was given; of one that the model has not, nearly nothing.
fn given(id: &Value) -> f64 {
    TOKENS.get(id.as_u64().unwrap() as usize).map_or(-20.0, |t| t.1.ln())
}

/// The answer of the made-up model, with the fields of vLLM's; and what SGLang's own
/// interface says of given tokens.
fn answer(body: &Value) -> Value {
    if let Some(ids) = body["input_ids"].as_array() {
        let from = body["logprob_start_len"].as_u64().unwrap() as usize;
        let mut own: Vec<Value> = ids[from..].iter().map(|id| json!([given(id), id, null])).collect();
        own[0][0] = Value::Null;
        return json!({"text": "", "meta_info": {"input_token_logprobs": own}});
    }
    if body["prompt_logprobs"].as_u64().is_some() {
        let entry = |id: &Value| json!({id.to_string(): {"logprob": given(id), "decoded_token": "t"}});
        let mut all: Vec<Value> = body["prompt"].as_array().unwrap().iter().map(entry).collect();
        all[0] = Value::Null;
        return json!({"choices": [{"index": 0, "text": "", "prompt_logprobs": all}]});
    }
    let n = body["n"].as_u64().unwrap_or(1);
    let most = body["max_tokens"].as_u64().unwrap_or(16) as usize;
    let chat = !body["messages"].is_null();
    let top = body[if chat { "top_logprobs" } else { "logprobs" }].as_u64().unwrap_or(0) as usize;
    let ids_as_text = body["return_tokens_as_token_ids"] == true;
    let text = |id: usize| if ids_as_text { format!("token_id:{id}") } else { TOKENS[id].0.to_owned() };
    let choice = |i: u64| {
        let mut stream = Stream::new(body["seed"].as_u64().unwrap_or(0) + i);
        let mut ids = Vec::new();
        while ids.len() < most && ids.last() != Some(&5) {
            ids.push(stream.weighted(&TOKENS.map(|t| t.1)));
        }
        let tops = |id: &usize| -> Map<String, Value> {
            // vLLM gives the drawn one besides the top ones.
            let known = (0..TOKENS.len()).filter(|t| *t < top || t == id);
            known.map(|t| (text(t), TOKENS[t].1.ln().into())).collect()
        };
        let finish = if ids.last() == Some(&5) { "stop" } else { "length" };
        let said = ids.iter().map(|id| TOKENS[*id].0).collect::<String>();
        if chat {
            let entry = |id: usize| json!({"token": text(id), "logprob": TOKENS[id].1.ln(), "bytes": [id]});
            let place = |id: &usize| {
                let mut place = entry(*id);
                place["top_logprobs"] = (0..top.min(TOKENS.len())).map(entry).collect();
                place
            };
            return json!({
                "index": i,
                "message": {"role": "assistant", "content": said},
                "finish_reason": finish,
                "token_ids": ids,
                "prompt_token_ids": templated(body),
                "logprobs": {"content": ids.iter().map(place).collect::<Vec<_>>()},
            });
        }
        json!({
            "index": i,
            "text": said,
            "finish_reason": finish,
            "token_ids": ids,
            "logprobs": {
                "tokens": ids.iter().map(|id| text(*id)).collect::<Vec<_>>(),
                "token_logprobs": ids.iter().map(|id| TOKENS[*id].1.ln()).collect::<Vec<_>>(),
                "top_logprobs": ids.iter().map(tops).collect::<Vec<_>>(),
            },
        })
    };
    json!({"choices": (0..n).map(choice).collect::<Vec<_>>()})
}
