//! Servers as policies, against a small server that does what a test tells it.

mod llama_cpp;
mod scoring;
mod scripted;
mod traces;

use leash::completion::Completion;
use leash::model::Sampling;
use leash::policy::{self, Partial, Policy, Request, ServerOptions, Sink};
use leash::problem::Problem;
use leash::run::{Campaign, EventKind, Settings};
use scripted::{Asked, Reply, Scripted, entropy, is_draw};
use serde_json::json;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::Duration;

/// Short pauses and little patience, so that tests do not wait.
fn options() -> ServerOptions {
    ServerOptions {
        concurrency: 4,
        top: 3,
        connect: Duration::from_secs(5),
        patience: Duration::from_secs(20),
        pause: Duration::from_millis(5),
        ..ServerOptions::default()
    }
}

fn sampling() -> Sampling {
    Sampling { max_tokens: 12, ..Sampling::default() }
}

fn problem() -> Problem {
    let metadata = serde_json::Map::new();
    Problem { id: "p".into(), task: None, prompt: "Q: 2 x 2?\nA:".into(), reference: None, metadata }
}

#[derive(Default)]
struct Gather {
    finished: Vec<Completion>,
    noted: Vec<String>,
    stop: bool,
}

impl Sink for Gather {
    fn finished(&mut self, completion: Completion) {
        self.finished.push(completion);
    }
    fn stepped(&mut self, _: usize, _: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
        if self.stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
    fn noted(&mut self, words: &str) {
        self.noted.push(words.to_owned());
    }
}

fn draw(policy: &dyn Policy, indices: Range<u32>, sampling: &Sampling) -> (Gather, Result<(), String>) {
    let mut gather = Gather::default();
    let problem = problem();
    let done = policy.sample(&Request::new(&problem, indices, sampling), &mut gather);
    gather.finished.sort_by_key(|c| c.index);
    (gather, done.map_err(|e| e.to_string()))
}

fn open(server: &Scripted) -> Arc<dyn Policy> {
    policy::open_with(&server.spec(), "base", &options().into()).unwrap()
}

/// The model, but for the draws for which `fault` gives something else.
fn but(fault: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> Scripted {
    let draws = std::sync::atomic::AtomicUsize::new(0);
    Scripted::start(move |asked| {
        if !is_draw(asked) {
            return Reply::Model;
        }
        let number = draws.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        fault(number).unwrap_or(Reply::Model)
    })
}

#[test]
fn completions_are_tied_to_their_index_and_their_entropy_lies_in_its_interval() {
    let server = Scripted::start(|_| Reply::Model);
    let policy = open(&server);
    assert_eq!(policy.spec(), format!("{}#tiny", server.spec()));
    let (all, done) = draw(&*policy, 0..64, &sampling());
    done.unwrap();
    assert_eq!(all.finished.iter().map(|c| c.index).collect::<Vec<_>>(), (0..64).collect::<Vec<_>>());
    // Whatever they are asked for together with, they are the same.
    let (some, _) = draw(&*policy, 10..13, &sampling());
    let shown = |all: &[Completion]| -> Vec<_> {
        all.iter().map(|c| (c.index, c.text.clone(), c.logprob, c.entropy_range)).collect()
    };
    assert_eq!(shown(&some.finished), shown(&all.finished[10..13]));
    let texts: std::collections::HashSet<&str> = all.finished.iter().map(|c| c.text.as_str()).collect();
    assert!(texts.len() > 40);
    for c in &all.finished {
        let [low, high] = c.entropy_range.unwrap();
        assert!(low < entropy() && entropy() < high && high - low > 0.01, "{low} {high}");
        assert_eq!((c.length.unwrap() as usize, c.token_entropy), (c.trace.len(), None));
        assert!(c.logprob.unwrap() < 0.0);
    }
    let draws = server.draws();
    let first = &draws[0].body;
    assert!(draws.iter().any(|d| d.body["n"] == 8) && first["seed"].as_u64() < Some(1 << 31));
    for (field, value) in [("temperature", json!(1.0)), ("top_p", json!(1.0)), ("top_k", json!(0))] {
        assert_eq!(first[field], value);
    }
}

#[test]
fn what_passes_is_tried_again_and_nothing_is_lost() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"choices\": [{".to_vec();
    let whole = |code: u16| Reply::Json(200, json!({"error": {"message": "engine busy", "code": code}}));
    let server = but(move |number| match number {
        1 => Some(Reply::Plain(429, "Retry-After: 0.01", "{\"error\": {\"message\": \"slow down\"}}".into())),
        3 => Some(Reply::Json(500, json!({"error": {"message": "out of memory"}}))),
        4 => Some(Reply::Raw(half.clone())),
        6 => Some(Reply::Raw(Vec::new())),
        8 => Some(Reply::Raw(b"not http at all\r\n\r\n".to_vec())),
        9 => Some(whole(503)),
        11 => Some(Reply::Plain(200, "", "{\"choices\": [{\"index\"".into())),
        12 => Some(Reply::Plain(503, "", "<html>upstream</html>".into())),
        _ => None,
    });
    let policy = open(&server);
    let (all, done) = draw(&*policy, 0..40, &sampling());
    done.unwrap();
    assert_eq!(all.finished.len(), 40);
    assert!(all.noted.iter().any(|n| n.contains("asking again")), "{:?}", all.noted);
}

#[test]
fn what_does_not_pass_is_one_sentence_and_what_was_drawn_stays() {
    let page = "<!DOCTYPE html><title>Welcome to nginx!</title>";
    let long = "x".repeat(5000);
    let esc = "bad\u{1b}[2Jthing";
    /// How the server answers, given the text; the text; what the sentence says.
    type Case<'a> = (fn(&str) -> Reply, &'a str, &'a str);
    let cases: Vec<Case> = vec![
        (|body| Reply::Plain(200, "", body.into()), page, "answers with a web page"),
        (|body| Reply::Json(200, json!({"error": {"message": body}})), esc, "with an error: bad[2Jthing"),
        (|body| Reply::Json(200, json!({"error": body})), "no such lora", "with an error: no such lora"),
        (|body| Reply::Json(400, json!({"message": body})), &long, "refuses the request (400): xxx"),
        (|body| Reply::Json(401, json!({"detail": body})), "who are you", "wants a key (401)"),
        (
            |body| Reply::Json(404, json!({"error": {"message": body}})),
            "gone",
            "no such address or model (404): gone",
        ),
        (
            |body| Reply::Plain(302, "Location: http://elsewhere/", body.into()),
            "",
            "sends us elsewhere (302)",
        ),
        (|_| Reply::Endless, "", "more than"),
        (|_| Reply::Json(200, json!({"choices": []})), "", "0 completions where 1"),
        (|body| Reply::Plain(500, "", body.into()), "", "it failed (500), 4 times"),
        (|body| Reply::Plain(200, "", body.into()), "{]", "is no JSON"),
    ];
    for (reply, body, says) in cases {
        let body = body.to_owned();
        let server = but(move |number| (number >= 3).then(|| reply(&body)));
        let one_by_one = ServerOptions { concurrency: 1, ..options() };
        let policy = policy::open_with(&server.spec(), "rlvr", &one_by_one.into()).unwrap();
        // One completion a request, as SGLang is asked.
        let mut kept = 0;
        let mut error = None;
        for index in 0..6 {
            let (got, done) = draw(&*policy, index..index + 1, &sampling());
            kept += got.finished.len();
            error = error.or(done.err());
        }
        let error = error.unwrap();
        assert_eq!(kept, 3, "{error}");
        assert!(error.contains(says) && error.starts_with("policy rlvr: http://127"), "{error}");
        assert!(error.chars().count() < 600 && !error.contains('\u{1b}') && !error.contains('\n'), "{error}");
    }
}

#[test]
fn an_ended_request_hangs_up_on_the_server() {
    let server = but(|_| Some(Reply::Silence));
    let policy = open(&server);
    let mut gather = Gather { stop: true, ..Gather::default() };
    let (problem, sampling) = (problem(), sampling());
    let request = Request::new(&problem, 0..100, &sampling);
    policy.sample(&request, &mut gather).unwrap();
    assert!(gather.finished.is_empty());
    for _ in server.draws() {
        server.hung_up.recv_timeout(Duration::from_secs(30)).expect("the connection is closed");
    }
}

#[test]
fn a_silent_server_is_asked_again_after_the_time_out() {
    let server = but(|number| (number == 0).then_some(Reply::Silence));
    let options = ServerOptions { answer: Some(Duration::from_millis(300)), ..options() };
    let policy = policy::open_with(&server.spec(), "base", &options.into()).unwrap();
    let (all, done) = draw(&*policy, 0..4, &sampling());
    done.unwrap();
    assert_eq!(all.finished.len(), 4);
    assert!(server.draws().len() > 4);
}

#[test]
fn a_server_that_dies_and_comes_back_loses_nothing() {
    let server =
        Scripted::start(|asked| if asked.number < 8 { Reply::Model } else { Reply::Raw(Vec::new()) });
    let address = server.address;
    let policy = open(&server);
    let problems: Arc<[Problem]> = vec![problem(), Problem { id: "q".into(), ..problem() }].into();
    let settings = Settings { k: 64, sampling: sampling(), threads: 1 };
    let (_campaign, mut lanes) = Campaign::start(vec![policy], problems, settings);
    let mut server = Some(server);
    let mut seen = std::collections::HashSet::new();
    let mut noted = false;
    loop {
        match lanes.events.blocking_recv().unwrap().kind {
            EventKind::Drawn(batch) => {
                for d in batch {
                    assert!(seen.insert((d.problem, d.completion.index)));
                }
            }
            EventKind::Noted { .. } => {
                noted = true;
                // Gone, and there again.
                if server.take().is_some() {
                    std::thread::sleep(Duration::from_millis(50));
                    server = Some(Scripted::at(address, "vllm", |_| Reply::Model));
                }
            }
            EventKind::Finished => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(noted && seen.len() == 128);
}

#[test]
fn of_several_endpoints_the_living_ones_draw() {
    let alive = Scripted::start(|_| Reply::Model);
    let dying = Scripted::start(|asked| if is_draw(asked) { Reply::Raw(Vec::new()) } else { Reply::Model });
    let spec = format!("{},{}#tiny", dying.spec(), alive.spec());
    let policy = policy::open_with(&spec, "base", &options().into()).unwrap();
    assert_eq!(policy.spec(), spec);
    let (all, done) = draw(&*policy, 0..64, &sampling());
    done.unwrap();
    assert_eq!(all.finished.len(), 64);
    assert!(alive.draws().len() >= 8);
}

#[test]
fn a_server_that_cannot_be_a_policy_is_refused_at_once_and_in_words() {
    let refused = |spec: &str| policy::open_with(spec, "base", &options().into()).err().unwrap().to_string();
    let gone = {
        let server = Scripted::start(|_| Reply::Model);
        server.spec()
    };
    assert!(refused(&gone).contains("connection refused: nothing listens there"), "{}", refused(&gone));
    let server = Scripted::start(|_| Reply::Model);
    let said = refused(&format!("{}#other", server.spec()));
    assert!(said.contains("does not serve \"other\"; it serves: tiny"), "{said}");
    assert!(refused(&format!("{}/api", server.spec())).contains("lists no model"));
    let closed = Scripted::start(|_| Reply::Json(401, json!({"error": {"message": "no key"}})));
    let said = refused(&closed.spec());
    assert!(said.contains("set LEASH_API_KEY"), "{said}");
    assert!(refused("http://user:secret@h/v1").contains("set LEASH_API_KEY"));
}

#[test]
fn a_server_that_answers_with_anything_but_its_models_is_refused_in_one_sentence() {
    /// How it answers when it is asked for its models; what the sentence says.
    type Case = (fn() -> Reply, &'static str);
    let cases: [Case; 6] = [
        (|| Reply::Plain(200, "", "<!DOCTYPE html>".into()), "is this the address of a model's server?"),
        (|| Reply::Plain(200, "", "{\"data\": [{".into()), "ends in the middle, after 11 bytes, three times"),
        (
            || Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
            "broke off after 1 bytes",
        ),
        (|| Reply::Json(200, json!({"error": {"message": "engine is dead"}})), "an error: engine is dead"),
        (|| Reply::Json(200, json!({"data": []})), "lists no model"),
        (|| Reply::Endless, "more than 8 MB"),
    ];
    for (reply, says) in cases {
        let server = Scripted::start(move |_| reply());
        let said = policy::open_with(&server.spec(), "base", &options().into()).err().unwrap().to_string();
        assert!(said.starts_with("policy base: http://127") && said.contains(says), "{said}");
        assert!(!said.contains('\n') && said.chars().count() < 300, "{said}");
    }
}

#[test]
fn probabilities_after_truncation_are_recognised_and_only_used_where_they_are_the_models_own() {
    // Nothing but the drawn token is left at top-k 1.
    let cut = |asked: &Asked| match asked.body["top_k"].as_u64() {
        Some(1) => {
            let logprobs = json!({"tokens": ["token_id:0"], "token_logprobs": [0.0], "top_logprobs": [{"token_id:0": 0.0}]});
            let choice = json!({"index": 0, "text": " two", "finish_reason": "length", "logprobs": logprobs});
            Reply::Json(200, json!({"choices": [choice]}))
        }
        _ => Reply::Model,
    };
    let server = Scripted::start(cut);
    let policy = open(&server);
    let words = |sampling: &Sampling| {
        let all = policy.settings(sampling);
        all.into_iter().find(|s| s.name == "probabilities").unwrap().value
    };
    let warm = Sampling { temperature: 0.6, ..sampling() };
    assert!(words(&sampling()).starts_with("after temperature and truncation, top 3"));
    assert!(words(&warm).contains("not used at these settings"));
    assert!(draw(&*policy, 0..2, &sampling()).0.finished.iter().all(|c| c.entropy_range.is_some()));
    assert!(draw(&*policy, 0..2, &warm).0.finished.iter().all(|c| c.entropy_range.is_none()));
    let raw = open(&Scripted::start(|_| Reply::Model));
    let told = raw.settings(&warm).into_iter().find(|s| s.name == "probabilities").unwrap().value;
    assert!(told.starts_with("before temperature and truncation, top 3"), "{told}");
}

#[test]
fn the_key_is_sent_and_never_recorded_or_shown() {
    let server = Scripted::start(|asked| match asked.number {
        // It repeats what it was sent.
        50.. => Reply::Json(400, json!({"error": {"message": format!("bad key {:?}", asked.key)}})),
        _ => Reply::Model,
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_leash"))
        .args(["sample", "--count", "2", "--k", "200", "--threads", "1", "--base", &server.spec()])
        .args(["--rlvr", "embedded:rlvr", "-o"])
        .arg(&file)
        .env("LEASH_API_KEY", "hunter2-hunter2")
        .output()
        .unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("bad key Some(\"Bearer (key)\")") && !run.status.success(), "{said}");
    let recorded = std::fs::read_to_string(&file).unwrap();
    assert!(!said.contains("hunter2") && !recorded.contains("hunter2"));
    assert!(recorded.contains(r#""policy":"base""#) && recorded.contains("token_logprobs"));
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|a| a.key.as_deref() == Some("Bearer hunter2-hunter2")));
}

#[test]
fn one_long_text_again_and_again_is_said_when_it_is_drawn() {
    // As from a server that heeds no seed.
    let server = but(|_| {
        let text = " and so on".repeat(60);
        Some(Reply::Json(200, json!({"choices": [{"index": 0, "text": text, "finish_reason": "length"}]})))
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let leash = |args: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_leash")).args(args).arg(&file).output().unwrap()
    };
    let spec = server.spec();
    let sample = ["sample", "--count", "1", "--k", "4", "--base", &spec, "--rlvr", "embedded:rlvr", "-o"];
    let said = String::from_utf8(leash(&sample).stderr).unwrap();
    assert!(
        said.contains("more often than chance allows, as from one seed or one model twice: 1;"),
        "{said}"
    );
    let found = leash(&["check"]);
    let shown = String::from_utf8(found.stdout).unwrap();
    assert!(shown.contains("the same 600 characters at base") && !found.status.success(), "{shown}");
}
