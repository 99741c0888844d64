use super::*;
use crate::problem::file::Grader;
use crate::problem::{Rule, Verdict};
use proptest::prelude::*;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use tempfile::TempDir;

/// A data set with nested columns, written by `tests/fixtures/dataset_cases.py`.
fn dataset() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dataset")
}

fn query(mappings: &[&str], split: Option<&str>) -> Query {
    let mut query = Query { split: split.map(str::to_owned), ..Query::default() };
    mappings.iter().for_each(|m| query.fields.map(m).unwrap());
    query
}

fn ids(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|p| p.id.as_str()).collect()
}

fn wrong(from: &Path, query: &Query) -> String {
    problems(from.to_str().unwrap(), query).unwrap_err().to_string()
}

#[test]
fn a_file_is_read_by_what_it_is() {
    let folder = TempDir::new().unwrap();
    let read = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        problems(path.to_str().unwrap(), &Query { count: Some(2), ..Query::default() })
    };
    let line = |q: &str| format!("{{\"question\":\"{q}\",\"answer\":\"4\"}}\n");
    let lines = line("a") + &line("b") + &line("c");
    for name in ["aime.jsonl", "aime", "aime.json"] {
        let all = read(name, &lines).unwrap();
        assert_eq!(ids(&all), ["aime/0", "aime/1"], "{name}");
        assert_eq!(all[0].task.as_deref(), Some("mathematics"));
    }
    assert_eq!(ids(&read("b.json", &format!("[{},{}]", line("a"), line("b"))).unwrap()), ["b/0", "b/1"]);
    let asked = Query { wording: Some("Q: {prompt}\nA:".into()), ..Query::default() };
    let all = problems(folder.path().join("aime").to_str().unwrap(), &asked).unwrap();
    assert_eq!(all[2].prompt, "Q: c\nA:");
    assert_eq!(read("c.csv", "question,answer\n\"a, b\",4").unwrap()[0].prompt, "a, b");
    assert_eq!(read("c.tsv", "question\tanswer\na, b\t4").unwrap()[0].prompt, "a, b");
    let recording = "{\"kind\":\"run\",\"version\":1,\"policies\":[{\"name\":\"base\",\"role\":\"base\"}]}\n\
                     {\"kind\":\"problem\",\"id\":\"x\",\"prompt\":\"p\",\"task\":\"dice\"}\n\
                     {\"kind\":\"completion\",\"problem\":\"x\",\"policy\":\"base\",\"text\":\"t\"}\n";
    let all = read("run.jsonl", recording).unwrap();
    assert_eq!((ids(&all), all[0].task.as_deref()), (vec!["x"], Some("dice")));
    assert!(read("d.jsonl", "{}\n").unwrap_err().to_string().contains("d.jsonl, line 1: there is no field"));
    assert!(wrong(&folder.path().join("none"), &Query::default()).contains("cannot be read"));
    fs::write(folder.path().join("e.bin"), [0xff, 0xfe, b'\n']).unwrap();
    assert!(wrong(&folder.path().join("e.bin"), &Query::default()).contains("line 1 is no UTF-8"));
}

#[test]
fn a_folder_gives_the_split_that_is_asked_for() {
    let all = problems(dataset().to_str().unwrap(), &query(&["choices="], None)).unwrap();
    assert_eq!(ids(&all), ["main/test/0", "main/test/1", "main/test/2"]);
    assert_eq!(all[1].reference.as_deref(), Some("\\frac{3}{2}"));
    assert_eq!((all[1].prompt.as_str(), &all[1].metadata["share"]), ("Half of 3?", &serde_json::json!(0.1)));
    let train = problems(dataset().to_str().unwrap(), &query(&["answer=place"], Some("train"))).unwrap();
    assert_eq!((ids(&train), train[0].reference.as_deref()), (vec!["main/train/0"], Some("B")));
    let counted = Query { count: Some(1), ..query(&[], Some("main/test")) };
    assert_eq!(problems(dataset().to_str().unwrap(), &counted).unwrap().len(), 1);
    let said = wrong(&dataset(), &query(&[], Some("dev")));
    assert!(said.ends_with("it has no split `dev`; it has main/test, main/train"), "{said}");
    let said = wrong(&dataset(), &query(&["answer=gold"], Some("test")));
    assert!(said.contains("test-00000-of-00002.parquet, row 1: there is no field `gold`; it has"), "{said}");

    let folder = TempDir::new().unwrap();
    assert!(wrong(folder.path(), &Query::default()).contains("no parquet, JSON or CSV file"));
    fs::write(folder.path().join("data.arrow"), "").unwrap();
    assert!(wrong(folder.path(), &Query::default()).contains("to_parquet"));
    fs::write(folder.path().join("dataset_info.json"), "{}").unwrap();
    for (name, q) in [("a/test.jsonl", "1"), ("b/test.jsonl", "2"), ("b/0000.jsonl", "3")] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{{\"prompt\":\"{q}\"}}")).unwrap();
    }
    assert!(
        wrong(folder.path(), &Query::default()).ends_with("it has a/test, b, b/test; name one with --split")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever bytes of a file are others, or are missing, it is read or refused.
    #[test]
    fn a_damaged_parquet_file_is_refused(
        changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 1..6), cut in 0usize..40, name in 0usize..3,
    ) {
        let names = ["test-00000-of-00002", "test-00001-of-00002", "train-00000-of-00001"];
        let mut bytes = fs::read(dataset().join(format!("main/{}.parquet", names[name]))).unwrap();
        for (at, byte) in changes {
            let at = (at * bytes.len() as f64) as usize;
            bytes[at] = byte;
        }
        if cut > 20 {
            bytes.drain(50..50 + cut);
        }
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.parquet");
        fs::write(&path, bytes).unwrap();
        let _ = problems(path.to_str().unwrap(), &Query::default());
    }
}

/// A footer whose schema is `depth` groups inside of each other.
fn deep(depth: u32) -> Vec<u8> {
    // Thrift, compact: FileMetaData { 1: version, 2: schema, 3: rows, 4: groups }.
    let mut footer = vec![0x15, 0x02, 0x19, 0xfc];
    let mut n = depth;
    while n >= 0x80 {
        footer.push(n as u8 | 0x80);
        n >>= 7;
    }
    footer.push(n as u8);
    for _ in 0..depth {
        // SchemaElement { 3: repetition = required, 4: name = "", 5: one child }.
        footer.extend([0x35, 0x00, 0x18, 0x00, 0x15, 0x02, 0x00]);
    }
    footer.extend([0x16, 0x00, 0x19, 0x0c, 0x00]);
    footer
}

/// However deep a schema is, it is refused, and does not end the program.
#[test]
fn a_deep_schema_is_refused() {
    let refused = |depth| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("deep.parquet");
        let footer = deep(depth);
        let length = (footer.len() as u32).to_le_bytes();
        fs::write(&path, [b"PAR1", &footer[..], &length, b"PAR1"].concat()).unwrap();
        wrong(&path, &Query::default())
    };
    assert!(refused(400_000).contains("it has too many columns"));
    let said = refused(9_999);
    assert!(said.contains("it is damaged: ") && said.contains("9999"), "{said}");
}

fn asked() -> Problem {
    let metadata = serde_json::json!({ "entry_id": "0.1", "n": 4 });
    Problem {
        id: "p".into(),
        task: None,
        prompt: "2 + 2?".into(),
        reference: Some("4".into()),
        metadata: metadata.as_object().unwrap().clone(),
    }
}

/// A verifier written in the shell's language; started as any other program, with its text
/// as one argument.
fn shell(script: &str, limit_ms: u64) -> Command {
    let line = format!("sh -c '{script}'");
    Command::new(&line, Duration::from_millis(limit_ms)).unwrap()
}

#[cfg(unix)]
#[test]
fn a_command_judges_what_it_is_told() {
    let one = |script: &str, text: &str| shell(script, 20_000).judge(&asked(), &[text]).remove(0);
    // It sees the object, on one line.
    let sees = r#"grep -q "\"prompt\":\"2 + 2?\",\"reference\":\"4\",\"metadata\":{\"entry_id\":\"0.1\",\"n\":4},\"text\":\"it is 4\"" && echo "{\"correct\":true}""#;
    let verdict = one(sees, "it is 4").unwrap();
    // What it does not say is ours.
    assert_eq!((verdict.answer.as_deref(), verdict.rule), (Some("4"), Some(Rule::LastNumber)));
    assert!(verdict.correct);
    let says = r#"echo "{\"correct\":false,\"answer\":5,\"method\":\"guess\",\"sound\":true}""#;
    let verdict = one(says, "4").unwrap();
    assert_eq!((verdict.answer.as_deref(), verdict.rule), (Some("5"), Some(Rule::Verifier)));
    assert_eq!(
        (verdict.correct, verdict.method.as_deref(), verdict.sound),
        (false, Some("guess"), Some(false))
    );

    // Many side by side come back in their order.
    let length = r#"n=$(wc -c); echo "{\"correct\":true,\"answer\":$n}""#;
    let texts: Vec<String> = (0..9).map(|n| "x".repeat(n)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let answers = shell(length, 20_000).judge(&asked(), &texts);
    let answers: Vec<i64> =
        answers.into_iter().map(|v| v.unwrap().answer.unwrap().parse().unwrap()).collect();
    assert!(answers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{answers:?}");
}

#[cfg(unix)]
#[test]
fn a_command_that_fails_gives_no_verdict_and_says_why() {
    let said =
        |script: &str, limit| shell(script, limit).judge(&asked(), &["4"]).remove(0).unwrap_err().to_string();
    assert!(said("echo gone wrong >&2; exit 3", 20_000).ends_with("gone wrong, at problem p"));
    assert!(said("echo yes", 20_000).contains("wrote no verdict"));
    assert!(said("echo {}", 20_000).contains("missing field `correct`"));
    assert!(
        said("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", 60_000)
            .contains("wrote more than 65536 bytes")
    );
    // It ends also where what it started holds on to its output.
    assert!(said("sleep 1000 & sleep 1000", 100).contains("took longer than 0.1 s, at problem p"));
    let unread = "x".repeat(1 << 20);
    let verdict = shell(r#"echo "{\"correct\":true}""#, 20_000).judge(&asked(), &[&unread]).remove(0);
    assert!(verdict.unwrap().correct);
}

#[test]
fn a_verifier_that_is_not_there_is_said_at_once() {
    let said = |line: &str| judge(line, Duration::from_secs(1)).err().unwrap().to_string();
    assert!(said("no-such-program-here x").contains("there is no program \"no-such-program-here\""));
    assert!(said("./not/here").contains("there is no program"));
    assert!(said("sh -c 'x").contains("a quote without an end"));
    assert!(said("").contains("names no program"));
}

/// A server that answers `requests` requests as Reasoning Gym's does, with a family that
/// is not known here; the last element of a path chooses what is wrong with its answers.
fn server(requests: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || (0..requests).map(|_| answered(&listener)).collect();
    (address, std::thread::spawn(serve))
}

/// Answers one request and gives its first line and body.
fn answered(listener: &TcpListener) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut from = BufReader::new(&stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(from.read_line(&mut head).unwrap() > 0);
    }
    let length = head
        .to_lowercase()
        .split("content-length: ")
        .nth(1)
        .map_or(0, |n| n.lines().next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    from.read_exact(&mut body).unwrap();
    let line = head.lines().next().unwrap().to_owned();
    let (status, answer) = answer(&line, &body);
    let reply =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len());
    (&stream).write_all(reply.as_bytes()).unwrap();
    format!("{line} {}", String::from_utf8(body).unwrap())
}

fn answer(line: &str, body: &[u8]) -> (&'static str, String) {
    let path = line.split(' ').nth(1).unwrap();
    let parameter = |name: &str| -> Option<u64> { path.split(name).nth(1)?.split('&').next()?.parse().ok() };
    if path == "/experiments" {
        return ("200 OK", r#"{"experiments":["sums","odd"]}"#.into());
    }
    if path.starts_with("/experiments/none/") {
        return ("404 Not Found", r#"{"detail":"Experiment 'none' not found"}"#.into());
    }
    if let (Some(base), Some(size)) = (parameter("base_index="), parameter("batch_size=")) {
        let entry = |i| {
            serde_json::json!({ "question": format!("{i} + 1?"), "entry_id": format!("0.{i}"),
                "metadata": { "source_dataset": "sums", "source_index": i } })
        };
        let entries: Vec<_> = (base..base + size).map(entry).collect();
        return ("200 OK", serde_json::json!({ "entries": entries }).to_string());
    }
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
    let asked = asked["answers"].as_array().unwrap();
    let score = |a: &serde_json::Value| match a["answer"].as_str().unwrap() {
        "4" => 1.0,
        _ => 0.1,
    };
    let mut scores: Vec<f64> = asked.iter().map(score).collect();
    if path.contains("/odd/") {
        scores.pop();
    }
    let ids: Vec<_> = asked.iter().map(|a| a["entry_id"].clone()).collect();
    ("200 OK", serde_json::json!({ "scores": scores, "entry_ids": ids }).to_string())
}

#[test]
fn a_server_gives_problems_and_verdicts_in_batches() {
    let (address, served) = server(3);
    let url = format!("{address}/experiments/sums");
    let all = problems(&url, &Query { count: Some(51), ..Query::default() }).unwrap();
    assert_eq!((all.len(), all[50].id.as_str(), all[50].task.as_deref()), (51, "sums/0.50", Some("sums")));
    let gym = judge(&url, Duration::from_secs(1)).unwrap();
    let verdicts = gym.judge(&all[3], &["<answer>4</answer>", "so\n5", " "]);
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(Result::unwrap).collect();
    let short = |v: &Verdict| (v.correct, v.answer.clone(), v.rule);
    assert_eq!(short(&verdicts[0]), (true, Some("4".into()), Some(Rule::Tag)));
    // Part of a point is wrong.
    assert_eq!(short(&verdicts[1]), (false, Some("5".into()), Some(Rule::LastLine)));
    assert_eq!(verdicts[2], Verdict::default());
    let requests = served.join().unwrap();
    assert!(
        requests[1].starts_with("GET /experiments/sums/batch?base_index=50&batch_size=1 "),
        "{requests:?}"
    );
    assert!(
        requests[2]
            .ends_with(r#"{"answers":[{"entry_id":"0.3","answer":"4"},{"entry_id":"0.3","answer":"5"}]}"#),
        "{requests:?}"
    );
}

#[test]
fn what_a_server_refuses_is_said() {
    let (address, served) = server(4);
    let said = |path: &str| problems(&format!("{address}{path}"), &Query::default()).unwrap_err().to_string();
    let none = said("/experiments/none");
    assert!(none.ends_with("Experiment 'none' not found. The server has sums, odd"), "{none}");
    assert!(said("/experiments").contains("/experiments/NAME. The server has sums, odd"));
    let odd = judge(&format!("{address}/experiments/odd"), Duration::from_secs(1)).unwrap();
    let said = odd.judge(&asked(), &["4", "5"]).remove(1).unwrap_err().to_string();
    assert!(said.ends_with("it gave other scores than the 2 asked for, at problem p"), "{said}");
    served.join().unwrap();
    let unknown = odd.judge(&Problem { metadata: Default::default(), ..asked() }, &["4"]).remove(0);
    assert!(unknown.unwrap_err().to_string().contains("it has no entry_id"));
    let gone = odd.judge(&asked(), &["4"]).remove(0).unwrap_err().to_string();
    assert!(gone.contains("the server does not answer"), "{gone}");
}

#[test]
fn a_grader_speaks_for_a_folder_too() {
    let mut query = query(&["answer=reward_model.ground_truth", "choices="], Some("test"));
    query.fields.grader = Grader::parse("exact").unwrap();
    let all = problems(dataset().to_str().unwrap(), &query).unwrap();
    assert_eq!(all[0].task.as_deref(), Some("exact_match"));
}
