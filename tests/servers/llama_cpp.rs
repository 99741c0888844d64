//! llama.cpp's own server, with one of the embedded models in it: what it says is held
//! against the same model in this process.

use super::{Gather, draw};
use leash::completion::Completion;
use leash::model::Sampling;
use leash::policy::{self, Policy, Request, ScoreRequest, ServerOptions};
use leash::problem::Problem;
use leash::problem::tasks::leg_counting::Suite;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

struct Running {
    process: Child,
    spec: String,
}

impl Running {
    fn start() -> Self {
        let python =
            std::env::var("LEASH_LLAMA_PYTHON").expect("LEASH_LLAMA_PYTHON: a Python with xllamacpp");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new(python)
            .arg(root.join("tests/servers/llama_cpp.py"))
            .arg(root.join("assets/models/leg_counting/base"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut address).unwrap();
        Self { process, spec: format!("{}/v1", address.trim()) }
    }

    fn policy(&self, top: usize) -> Arc<dyn Policy> {
        let options = ServerOptions { top, concurrency: 4, ..ServerOptions::default() };
        policy::open_with(&self.spec, "base", &options.into()).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Mean entropy and log-probability of a completion's tokens under the model in this process.
fn local(problem: &Problem, c: &Completion) -> (f64, f64) {
    let tokens: Vec<u32> = c.trace.iter().map(|t| t.id).collect();
    let base = policy::open("embedded:base", "base").unwrap();
    let request = ScoreRequest { problem, text: &c.text, tokens: &tokens, ended: true, top: 0 };
    let scored = base.score(&request).unwrap();
    assert!(!scored.retokenised, "{:?}", c.text);
    let entropy: f64 = scored.tokens.iter().map(|t| t.entropy.unwrap()).sum();
    (entropy / scored.tokens.len() as f64, scored.logprob())
}

#[test]
#[ignore = "needs llama.cpp's server: .ci/run sets it up"]
fn a_served_model_is_the_model_in_this_process() {
    let server = Running::start();
    let problem = Suite::HeldOut.problems().remove(0);
    let sampling = Sampling { max_tokens: 40, ..Sampling::default() };
    let ask = |policy: &dyn Policy, indices| {
        let mut gather = Gather::default();
        policy.sample(&Request::new(&problem, indices, &sampling), &mut gather).unwrap();
        gather.finished
    };
    // All 78 tokens are asked for: the entropy is exact.
    let exact = server.policy(20);
    let told = |policy: &dyn Policy| {
        let all = policy.settings(&sampling);
        all.into_iter().find(|s| s.name == "probabilities").unwrap().value
    };
    assert_eq!(told(&*exact), "before temperature and truncation, all tokens: entropy exact");
    let drawn = ask(&*exact, 0..12);
    assert_eq!(drawn.len(), 12);
    for c in &drawn {
        let (entropy, logprob) = local(&problem, c);
        assert!((c.token_entropy.unwrap() - entropy).abs() < 2e-3, "{entropy} {c:?}");
        assert!((c.logprob.unwrap() - logprob).abs() < 0.02, "{logprob} {c:?}");
    }
    // With 4 of them it is an interval, which contains the value from this process.
    let bounded = server.policy(4);
    assert!(told(&*bounded).contains("top 4 of 78 tokens: entropy as an interval"));
    for c in &ask(&*bounded, 0..12) {
        let (entropy, _) = local(&problem, c);
        let [low, high] = c.entropy_range.unwrap();
        assert!(low - 2e-3 < entropy && entropy < high + 2e-3 && low < high, "{low} {entropy} {high}");
    }
    // An ended request leaves its places to the next.
    let mut gather = Gather { stop: true, ..Gather::default() };
    let request = Request::new(&problem, 0..400, &sampling);
    exact.sample(&request, &mut gather).unwrap();
    assert!(gather.finished.len() < 400);
    let (after, done) = draw(&*exact, 0..1, &sampling);
    assert_eq!((after.finished.len(), done), (1, Ok(())));
    // It cannot score a text, and says so.
    let request = ScoreRequest { problem: &problem, text: " x", tokens: &[], ended: false, top: 0 };
    let said = exact.score(&request).unwrap_err().to_string();
    assert!(said.contains("llama.cpp gives no log-probabilities of a prompt"), "{said}");
}
