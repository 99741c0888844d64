//! Traces that others wrote, scored by the program itself.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What the program prints, and says; whether it is content.
fn leash(args: &[&str], cache: &Path) -> (String, String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leash"));
    let done = command.args(args).env("XDG_CACHE_HOME", cache).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr), done.status.success())
}

#[test]
fn any_file_of_traces_is_scored_by_who_wrote_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let run = |args: &[&str]| leash(args, folder.path());
    let traces = write(
        "traces.jsonl",
        concat!(
            r#"{"q": "Q: 1 dog. How many legs?\nA:", "solution": " 4\n#### 4", "author": "teacher"}"#,
            "\n",
            r#"{"q": "Q: 2 dogs. How many legs?\nA:", "solution": " 8\n#### 8", "author": "teacher"}"#,
            "\n",
            r#"{"q": "Q: 1 dog. How many legs?\nA:", "solution": " Total: 4.\n#### 4", "author": "other"}"#,
            "\n",
        ),
    );
    let map = ["--map", "prompt=q,text=solution,policy=author"];
    let score = ["score", &traces, map[0], map[1], "--under", "embedded:base", "embedded:rlvr"];
    let (json, said, fine) = run(&[&score[..], &["--format", "json"]].concat());
    assert!(fine && said.is_empty(), "{said}");
    let json: Value = serde_json::from_str(&json).unwrap();
    let texts = json["texts"].as_array().unwrap();
    assert_eq!(texts.len(), 6);
    for text in texts {
        let (l, n) = (text["logprob"].as_f64().unwrap(), text["tokens"].as_f64().unwrap());
        let perplexity = text["perplexity"].as_f64().unwrap();
        assert!((perplexity.ln() + l / n).abs() < 1e-9 && perplexity > 1.0, "{text}");
        assert_eq!((&text["ended"], &text["retokenised"]), (&Value::from(false), &Value::from(true)));
    }
    // The sums are of the texts.
    for sum in json["policies"].as_array().unwrap() {
        let own = || texts.iter().filter(|t| t["policy"] == sum["policy"] && t["under"] == sum["under"]);
        let total = |field: &str| own().map(|t| t[field].as_f64().unwrap()).sum::<f64>();
        let mean = total("perplexity") / own().count() as f64;
        let pooled = (-total("logprob") / total("tokens")).exp();
        assert!((sum["mean_perplexity"].as_f64().unwrap() / mean - 1.0).abs() < 1e-9, "{sum}");
        assert!((sum["perplexity"].as_f64().unwrap() / pooled - 1.0).abs() < 1e-9, "{sum}");
        assert_eq!(sum["mean_interval"].is_null(), sum["policy"] == "other");
    }
    let (csv, _, fine) = run(&[&score[..], &["--format", "csv"]].concat());
    assert!(fine && csv.starts_with("problem,policy,index,under,tokens,logprob,perplexity,"), "{csv}");
    assert_eq!(csv.lines().count(), 7);
    let (table, _, fine) = run(&score);
    assert!(fine && table.contains("teacher") && table.contains("mean of texts"), "{table}");
    // Into a file, from which the same command goes on.
    let out = folder.path().join("scores.jsonl");
    let kept = [&score[..], &["-o", out.to_str().unwrap()]].concat();
    assert_eq!(run(&kept).0, table);
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!((run(&kept).0, std::fs::read_to_string(&out).unwrap()), (table, written));

    // What cannot be meant is said.
    let refused = |name: &str, text: &str, says: &str| {
        let (_, said, fine) = run(&["score", &write(name, text), "--under", "embedded:base"]);
        assert!(!fine && said.contains(says), "{said}");
    };
    let known = "{\"problem\": \"leg_counting/heldout/0\", \"text\": \" 4\"}\n";
    refused(
        "ids.jsonl",
        known,
        "prompts look like ids of problems; name the file that holds these with --problems",
    );
    refused("strange.jsonl", "{\"a\": 1}\n", "its layout is not known; its fields are a");
    refused(
        "none.jsonl",
        "{\"prompt\": \"How many?\", \"answer\": \"4\"}\n",
        "it holds no text; say which field",
    );
    let (_, said, fine) = run(&["score", &traces, "--lost", "--under", "embedded:base"]);
    assert!(!fine && said.contains("--lost needs a recording of two policies"), "{said}");
}
