//! How likely given texts are under servers, and under the program's own models.

use super::scripted::{self, Reply, Scripted};
use super::{open, options, problem};
use leash::policy::{self, ScoreRequest, ServerOptions};
use serde_json::json;
use std::time::Duration;

#[test]
fn a_text_is_scored_where_the_server_can_and_after_a_check() {
    let any = || "127.0.0.1:0".parse().unwrap();
    let (problem, ln) = (problem(), |p: f64| p.ln());
    let text = " two 4 two";
    let request = |tokens| ScoreRequest { problem: &problem, text, tokens, ended: true, top: 0 };
    for owner in ["vllm", "sglang"] {
        let server = Scripted::at(any(), owner, |_| Reply::Model);
        let policy = open(&server);
        let scored = policy.score(&request(&[])).unwrap();
        let want = 2.0 * ln(0.4) + ln(0.25);
        assert!((scored.logprob() - want).abs() < 1e-9 && scored.retokenised && !scored.ended, "{owner}");
        // The tokens that it was drawn in, the end among them.
        let scored = policy.score(&request(&[0, 1, 0, 5])).unwrap();
        assert!((scored.logprob() - want - ln(0.04)).abs() < 1e-9 && scored.ended && !scored.retokenised);
        // Tokens of another model are not taken.
        let scored = policy.score(&request(&[3, 3, 3, 3, 3])).unwrap();
        assert!(scored.retokenised && (scored.logprob() - want).abs() < 1e-9);
    }
    // What was drawn is not as likely when it is scored: stale figures of a cache.
    let stale = Scripted::start(|asked| match asked.body["prompt_logprobs"].is_null() {
        true => Reply::Model,
        false => {
            let n = asked.body["prompt"].as_array().unwrap().len();
            let entry = |id: u64| json!({id.to_string(): {"logprob": -9.0}});
            let ids = asked.body["prompt"].as_array().unwrap();
            let all: Vec<_> = (0..n).map(|i| entry(ids[i].as_u64().unwrap())).collect();
            Reply::Json(200, json!({"choices": [{"prompt_logprobs": all}]}))
        }
    });
    let said = open(&stale).score(&request(&[])).unwrap_err().to_string();
    assert!(said.contains("the self-check of scoring failed") && said.contains("prefix caching"), "{said}");
}

#[test]
fn a_text_is_scored_under_the_servers_chat_template() {
    let any = || "127.0.0.1:0".parse().unwrap();
    let chat = |server: &Scripted| {
        let options = ServerOptions { chat: true, system: Some("Be brief.".into()), top: 6, ..options() };
        policy::open_with(&server.spec(), "base", &options.into()).unwrap()
    };
    let (problem, ln) = (problem(), |p: f64| p.ln());
    let request =
        |tokens| ScoreRequest { problem: &problem, text: " two 4 two", tokens, ended: true, top: 2 };
    // The tokens that the model is given before the text.
    let seen = scripted::templated(&json!({"messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": problem.prompt},
    ]}));
    for (owner, knows_messages) in [("vllm", true), ("sglang", true), ("sglang", false)] {
        let server = Scripted::at(any(), owner, move |asked| match asked.path.as_str() {
            "/tokenize" if !knows_messages => Reply::Json(422, json!({"detail": "Field required: prompt"})),
            _ => Reply::Model,
        });
        let policy = chat(&server);
        let want = 2.0 * ln(0.4) + ln(0.25);
        let scored = policy.score(&request(&[0, 1, 0, 5])).unwrap();
        assert!((scored.logprob() - want - ln(0.04)).abs() < 1e-9 && scored.ended, "{owner}");
        let scored = policy.score(&request(&[])).unwrap();
        assert!((scored.logprob() - want).abs() < 1e-9 && scored.retokenised && !scored.ended);
        // The server took the thinking out when it was drawn.
        let thought = ScoreRequest { text: "<think>two</think>4 two", ..request(&[0, 1, 0, 5]) };
        let scored = policy.score(&thought).unwrap();
        assert!((scored.logprob() - want - ln(0.04)).abs() < 1e-9 && !scored.retokenised);
        let field = if owner == "vllm" { "prompt" } else { "input_ids" };
        let asked = server.asked.lock().unwrap().clone();
        let given = asked.iter().rev().find_map(|a| a.body[field].as_array().cloned()).unwrap();
        let whole: Vec<u32> = seen.iter().copied().chain([0, 1, 0, 5]).collect();
        assert_eq!(json!(given), json!(whole), "{owner}");
        // One prompt is asked for once, however many texts follow it.
        let prompts = asked.iter().filter(|a| a.path == "/tokenize" && a.body["messages"].is_array());
        assert_eq!(prompts.count(), 1, "{owner}");
    }
    // Neither way tells the tokens of the prompt.
    let mute = Scripted::at(any(), "sglang", |asked| match asked.path.as_str() {
        "/v1/models" => Reply::Model,
        "/tokenize" => Reply::Json(422, json!({"detail": "Field required: prompt"})),
        _ => {
            let choice = json!({"index": 0, "message": {"content": " two"}, "finish_reason": "stop"});
            Reply::Json(200, json!({"choices": [choice]}))
        }
    });
    let said = chat(&mute).score(&request(&[])).unwrap_err().to_string();
    assert!(
        said.starts_with("policy base cannot score: http://") && said.contains("chat template"),
        "{said}"
    );
    // It tokenises with another template than it asks its model with.
    let other = Scripted::at(any(), "vllm", |asked| match asked.path.as_str() {
        "/tokenize" => Reply::Json(200, json!({"tokens": [7, 8, 9]})),
        _ => Reply::Model,
    });
    let said = chat(&other).score(&request(&[])).unwrap_err().to_string();
    assert!(said.contains("the self-check of scoring failed") && said.contains("makes 3"), "{said}");
}

#[test]
fn scoring_asks_again_what_passes_and_ends_where_a_server_stays_away() {
    let (problem, text) = (problem(), " two 4 two");
    let request = ScoreRequest { problem: &problem, text, tokens: &[], ended: false, top: 0 };
    let busy = || Reply::Plain(503, "Retry-After: 0.01", "{}".into());
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let server = Scripted::start(move |asked| {
        let every_second = || tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2);
        if asked.body["prompt_logprobs"].is_number() && every_second() { busy() } else { Reply::Model }
    });
    let scored = open(&server).score(&request).unwrap();
    assert!((scored.logprob() - (2.0 * 0.4f64.ln() + 0.25f64.ln())).abs() < 1e-9);
    let server = Scripted::start(move |asked| match asked.body["prompt_logprobs"].is_number() {
        true => busy(),
        false => Reply::Model,
    });
    let hasty = ServerOptions { patience: Duration::from_millis(200), ..options() };
    let policy = policy::open_with(&server.spec(), "base", &hasty.into()).unwrap();
    let said = policy.score(&request).unwrap_err().to_string();
    assert!(said.starts_with("policy base cannot score: http://127"), "{said}");
    assert!(said.contains("it is not available (503); given up after"), "{said}");
}

#[test]
fn tokens_that_read_as_the_text_are_scored_as_they_were_drawn() {
    let problem = problem();
    let server = Scripted::start(|_| Reply::Model);
    let policy = open(&server);
    // " two" is token 0 to the tokenizer; here it was drawn in tokens that are no words of it.
    let request = |text, tokens, ended| ScoreRequest { problem: &problem, text, tokens, ended, top: 0 };
    let drawn = [0, 5, 1];
    let scored = policy.score(&request(" two 4", &drawn, false)).unwrap();
    assert!(!scored.retokenised && !scored.ended && scored.tokens.len() == 3);
    let scored = policy.score(&request(" two 4", &[0, 5, 1, 5], true)).unwrap();
    assert!(!scored.retokenised && scored.ended && scored.tokens.len() == 4);
    assert!(policy.score(&request(" two x", &drawn, false)).unwrap().retokenised);
}

#[test]
fn a_recording_is_scored_under_another_policy_and_scoring_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (folder.path().join("run.jsonl"), folder.path().join("scores.jsonl"));
    let leash = |args: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_leash")).args(args).output().unwrap();
        (
            String::from_utf8(done.stdout).unwrap(),
            String::from_utf8(done.stderr).unwrap(),
            done.status.success(),
        )
    };
    let (file, to) = (run.to_str().unwrap(), out.to_str().unwrap());
    assert!(leash(&["sample", "--count", "2", "--k", "48", "-o", file]).2);
    let score = ["score", file, "--under", "embedded:base", "embedded:rlvr", "-o", to];
    let (table, said, fine) = leash(&score);
    assert!(fine && table.starts_with("perplexity"), "{table}{said}");
    let lines = |text: &str| {
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let all = lines(&std::fs::read_to_string(&out).unwrap());
    assert_eq!(all.len(), 2 * 2 * 2 * 48);
    // Under the policy that drew it, a completion is as likely as when it was drawn.
    let drawn = lines(&std::fs::read_to_string(&run).unwrap());
    let mut compared = 0;
    for c in drawn.iter().filter(|l| l["kind"] == "completion") {
        let same = |s: &&serde_json::Value| {
            ["problem", "policy", "index"].iter().all(|f| s[f] == c[f])
                && s["under"] == format!("embedded:{}", c["policy"].as_str().unwrap())
        };
        let score = all.iter().find(same).unwrap();
        let difference = score["logprob"].as_f64().unwrap() - c["logprob"].as_f64().unwrap();
        // It was drawn with its keys and values in 16 bits, and is scored in 32.
        assert!(difference.abs() < 1e-3, "{score} {c}");
        assert_eq!(
            score["token_texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect::<String>(),
            c["text"].as_str().unwrap()
        );
        compared += 1;
    }
    assert_eq!(compared, 192);
    // Half of it is lost; the same command brings it back, and nothing twice.
    let text = std::fs::read_to_string(&out).unwrap();
    std::fs::write(&out, &text[..text.len() / 2]).unwrap();
    assert_eq!(leash(&score).0, table);
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 384);
    // What was lost is suppressed or gone; the recording itself takes the scores.
    let (lost, said, fine) = leash(&["score", file, "--lost", "--under", "embedded:rlvr", "-o", file]);
    assert!(
        fine && lost.contains("lost by rlvr, under embedded:rlvr") && lost.contains("suppressed, "),
        "{lost}{said}"
    );
    assert!(leash(&["report", file]).2);
    // Reference solutions.
    let traces = folder.path().join("traces.jsonl");
    std::fs::write(&traces, "{\"problem\": \"leg_counting/heldout/0\", \"text\": \" Total: 4.\"}\n").unwrap();
    let (table, said, fine) = leash(&[
        "score",
        traces.to_str().unwrap(),
        "--problems",
        file,
        "--under",
        "embedded:base",
        "-o",
        folder.path().join("t.jsonl").to_str().unwrap(),
    ]);
    assert!(fine && table.contains("reference"), "{table}{said}");
    let (_, said, fine) = leash(&["score", file, "--under", &format!("{file}#base"), "-o", to]);
    assert!(!fine && said.contains("cannot score"), "{said}");
}
