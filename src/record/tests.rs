use super::format::VERSION;
use super::*;
use crate::completion::{Finish, Token};
use crate::model::Sampling;
use crate::problem::tasks::leg_counting::Suite;
use crate::problem::{Problem, Rule};
use proptest::prelude::*;
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;

fn run() -> Run {
    let policy = |name: &str, role: &str| PolicyEntry {
        name: name.into(),
        role: role.into(),
        spec: Some(format!("script:{name}")),
        settings: Default::default(),
    };
    Run {
        version: VERSION,
        policies: vec![policy("base", "base"), policy("rlvr", "rlvr")],
        sampling: Some((&Sampling::default()).into()),
        k: None,
    }
}

fn problems() -> Vec<Problem> {
    Suite::HeldOut.problems()[..2].to_vec()
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    (folder, path)
}

fn read(path: &std::path::Path) -> Vec<Result<Drawn, String>> {
    let recording = Recording::open(path).unwrap();
    let all = recording.completions().unwrap();
    all.map(|d| d.map_err(|e| e.to_string().replace(path.to_str().unwrap(), "FILE"))).collect()
}

/// A recording with this text after its run line and problem "p" with reference 42.
fn with(lines: &str) -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = scratch();
    let head = r#"{"kind":"run","version":1,"policies":[{"name":"base","role":"base"}]}
{"kind":"problem","id":"p","prompt":"?","reference":42}
"#;
    std::fs::write(&path, [head.as_bytes(), lines.as_bytes()].concat()).unwrap();
    (folder, path)
}

fn drawn(policy: usize, problem: usize, index: u32) -> Drawn {
    let token = Token { id: 5, logprob: -0.125, entropy: 0.5 };
    let completion = Completion::traced(index, format!(" {index}.\n#### 42"), vec![token; 3], Finish::Stop);
    let verdict = crate::problem::judge(&problems()[problem], &completion.text);
    Drawn { policy, problem, completion, verdict, given: None }
}

#[test]
fn the_lines_are_as_designed() {
    let (_folder, path) = scratch();
    let mut writer = Writer::create(&path, &run(), &problems(), false).unwrap();
    writer.append(&drawn(1, 0, 7)).unwrap();
    writer.sync().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        r#"{"kind":"run","version":1,"policies":[{"name":"base","role":"base","spec":"script:base"},{"name":"rlvr","role":"rlvr","spec":"script:rlvr"}],"sampling":{"temperature":1.0,"top_p":1.0,"top_k":null,"max_tokens":100,"seed":0}}"#
    );
    assert!(lines[1].starts_with(
        r#"{"kind":"problem","id":"leg_counting/heldout/0","task":"leg_counting","prompt":"Q: "#
    ));
    let correct = problems()[0].reference.as_deref() == Some("42");
    assert_eq!(
        lines[3],
        format!(
            r#"{{"kind":"completion","problem":"leg_counting/heldout/0","policy":"rlvr","index":7,"text":" 7.\n#### 42","answer":"42","correct":{correct},"rule":"marker","method":"at a glance","sound":false,"tokens":3,"logprob":-0.375,"token_entropy":0.5,"finish":"stop"}}"#
        )
    );
}

#[test]
fn a_torn_last_line_is_skipped_and_cut_when_writing_goes_on() {
    let (_folder, path) = scratch();
    let mut writer = Writer::create(&path, &run(), &problems(), true).unwrap();
    writer.append(&drawn(0, 0, 0)).unwrap();
    drop(writer);
    let whole = std::fs::read(&path).unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"kind":"completion","problem":"leg_c"#).unwrap();
    drop(file);
    assert_eq!(Recording::open(&path).unwrap().torn, 37);
    assert_eq!(read(&path).len(), 1);

    let (mut writer, cut) = Writer::resume(&path, &run(), &problems(), true).unwrap();
    assert_eq!(cut, 37);
    writer.append(&drawn(0, 0, 1)).unwrap();
    drop(writer);
    assert!(std::fs::read(&path).unwrap().starts_with(&whole));
    assert_eq!(read(&path), [Ok(drawn(0, 0, 0)), Ok(drawn(0, 0, 1))]);
}

#[test]
fn a_whole_last_line_without_a_line_feed_is_kept() {
    let (_folder, path) = scratch();
    let mut writer = Writer::create(&path, &run(), &problems(), true).unwrap();
    writer.append(&drawn(0, 0, 0)).unwrap();
    drop(writer);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.pop();
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read(&path).len(), 1);
    let (mut writer, cut) = Writer::resume(&path, &run(), &problems(), true).unwrap();
    assert_eq!(cut, 0);
    writer.append(&drawn(0, 0, 1)).unwrap();
    drop(writer);
    assert_eq!(read(&path).len(), 2);
}

#[test]
fn one_process_writes_at_a_time_and_nothing_is_overwritten() {
    let (_folder, path) = scratch();
    let writer = Writer::create(&path, &run(), &problems(), true).unwrap();
    let second = Writer::resume(&path, &run(), &problems(), true);
    assert!(matches!(second, Err(RecordError::Locked { .. })));
    drop(writer);
    assert!(Writer::resume(&path, &run(), &problems(), true).is_ok());
    assert!(matches!(Writer::create(&path, &run(), &problems(), true), Err(RecordError::File { .. })));
}

#[test]
fn missing_verdicts_are_filled_and_given_ones_are_kept() {
    let (_folder, path) = with(
        r#####"{"kind":"completion","problem":"p","policy":"base","text":"#### 42"}
{"kind":"score","problem":"p","policy":"base","index":0,"under":"x","logprob":-1}
{"policy":"base","problem":"p","kind":"completion","text":"#### 42","correct":false,"new":{"a":[1]}}
{"kind":"completion","problem":"p","policy":"base","text":"#### 7","answer":42,"correct":true,"method":"m","rule":"?"}
{"kind":"completion","problem":"p","policy":"base","text":"none","answer":null,"correct":false,"method":null,"finish":"length"}
"#####,
    );
    let all: Vec<Drawn> = read(&path).into_iter().map(Result::unwrap).collect();
    let verdicts: Vec<_> =
        all.iter().map(|d| (d.verdict.answer.as_deref(), d.verdict.correct, d.verdict.rule)).collect();
    assert_eq!(
        verdicts,
        [
            (Some("42"), true, Some(Rule::Marker)),
            (Some("42"), false, Some(Rule::Marker)),
            (Some("42"), true, None),
            (None, false, None)
        ]
    );
    assert_eq!(all.iter().map(|d| d.completion.index).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(all[2].verdict.method.as_deref(), Some("m"));
    assert_eq!(all[3].completion.finish, Finish::Length);
}

#[test]
fn a_wrong_line_is_named_and_the_rest_is_read() {
    let (_folder, path) = with(
        r#####"{"kind":"completion","problem":"p","policy":"other","text":""}
{"kind":"completion","problem":"q","policy":"base","text":""}
{"kind":"completion","problem":"p","policy":"base"}
{"kind":"completion","problem":"p","policy":"base","text":"","index":-1}
{"kind":"completion","problem":"p","policy":"base","text":"","logprob":NaN}
not json
[1,2]

{"kind":"completion","problem":"p","policy":"base","text":"#### 42"}
"#####,
    );
    let said: Vec<String> =
        read(&path).into_iter().map(|d| d.map_or_else(|e| e, |d| d.completion.text)).collect();
    let want = [
        "FILE: line 3: policy \"other\" is not in this recording",
        "FILE: line 4: problem \"q\" is not in this recording",
        "FILE: line 5: column 51: missing field `text`",
        "FILE: line 6: column 69: invalid value: integer `-1`, expected u32",
        "FILE: line 7: column 71: expected value",
        "FILE: line 8: column 2: expected ident",
        "FILE: line 9: column 1: invalid type: integer `1`, expected a string",
        "#### 42",
    ];
    assert_eq!(said.len(), want.len(), "{said:#?}");
    for (said, want) in said.iter().zip(want) {
        let place = |s: &str| s.split_once(": column").map_or_else(|| s.to_owned(), |(at, _)| at.to_owned());
        assert_eq!(place(said), place(want), "{said}");
    }
    assert!(said[2].ends_with("missing field `text`") && said[3].contains("-1"), "{said:#?}");
}

#[test]
fn what_is_no_recording_is_refused_with_the_reason() {
    let (_folder, path) = scratch();
    let says = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Recording::open(&path).unwrap_err().to_string().replace(path.to_str().unwrap(), "FILE")
    };
    assert!(says(b"").contains("FILE: this is no recording: it is empty"));
    assert!(says(b"hello\n").contains("does not begin with a line of kind \"run\""));
    assert!(says(b"{\"kind\":\"problem\",\"id\":\"p\",\"prompt\":\"\"}\n").contains("does not begin"));
    assert!(says(b"\xff\xfe\n").contains("no recording"));
    assert!(says(b"{\"kind\":\"run\",\"version\":9,\"policies\":3}\n").contains("version 9"));
    assert!(says(b"{\"kind\":\"run\",\"version\":1,\"policies\":[]}\n").contains("line 1: policies"));
    assert!(says(b"{\"kind\":\"run\",\"version\":1}\n").contains("missing field `policies`"));
    let twice =
        r#"{"kind":"run","version":1,"policies":[{"name":"b","role":"base"},{"name":"b","role":"rlvr"}]}"#;
    assert!(says(format!("{twice}\n").as_bytes()).contains("two have the name \"b\""));
    let missing = Recording::open(std::path::Path::new("/nowhere/x.jsonl")).unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/x.jsonl: "));
}

#[test]
fn problems_are_read_with_or_without_a_kind() {
    let (_folder, path) = with("{\"id\":\"q\",\"prompt\":\"how?\",\"reference\":null}\n");
    let ids: Vec<String> = read_problems(&path).unwrap().into_iter().map(|p| p.id).collect();
    assert_eq!(ids, ["p", "q"]);
    std::fs::write(&path, "{\"id\":\"q\",\"prompt\":\"1\"}\n{\"id\":\"q\",\"prompt\":\"2\"}\n").unwrap();
    assert!(read_problems(&path).unwrap_err().to_string().contains("line 2: the id \"q\""));
}

fn any_drawn() -> impl Strategy<Value = Drawn> {
    let tokens = proptest::collection::vec((0u32..90, -20.0f32..0.0, 0.0f32..5.0), 0..6);
    let text = "(?s).{0,30}";
    let options = (proptest::option::of("[0-9]{1,3}|\\PC{0,5}"), proptest::option::of("\\PC{0,9}"));
    (
        0usize..2,
        0usize..2,
        any::<u32>(),
        text,
        tokens,
        options,
        any::<bool>(),
        proptest::option::of(any::<bool>()),
        0usize..6,
    )
        .prop_map(|(policy, problem, index, text, tokens, (answer, method), correct, sound, rule)| {
            let token = |(id, logprob, entropy)| Token { id, logprob, entropy };
            let finish = if correct { Finish::Stop } else { Finish::Length };
            let mut completion =
                Completion::traced(index, text, tokens.into_iter().map(token).collect(), finish);
            if sound == Some(true) {
                (completion.length, completion.logprob, completion.token_entropy) = (None, None, None);
            }
            let rule = Rule::ALL.get(rule).copied();
            Drawn {
                policy,
                problem,
                completion,
                verdict: Verdict { answer, rule, correct, method, sound, ..Verdict::default() },
                given: None,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_back(all in proptest::collection::vec(any_drawn(), 0..20), traces: bool) {
        let (_folder, path) = scratch();
        let mut writer = Writer::create(&path, &run(), &problems(), traces).unwrap();
        all.iter().for_each(|d| writer.append(d).unwrap());
        drop(writer);
        let recording = Recording::open(&path).unwrap();
        prop_assert_eq!((&recording.run, &recording.problems, recording.torn), (&run(), &problems(), 0));
        let read = read(&path);
        prop_assert_eq!(read.len(), all.len());
        for (wrote, read) in all.iter().zip(read) {
            let mut read = read.unwrap();
            let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs(),
                (a, b) => a == b,
            };
            prop_assert!(near(wrote.completion.logprob, read.completion.logprob));
            prop_assert!(near(wrote.completion.token_entropy, read.completion.token_entropy));
            prop_assert_eq!(read.completion.trace.len(), if traces { wrote.completion.trace.len() } else { 0 });
            for (a, b) in wrote.completion.trace.iter().zip(&read.completion.trace) {
                prop_assert!(a.id == b.id && (a.logprob - b.logprob).abs() < 6e-5 && (a.entropy - b.entropy).abs() < 6e-5);
            }
            let known = &wrote.completion;
            read.completion.trace.clone_from(&known.trace);
            (read.completion.logprob, read.completion.token_entropy) = (known.logprob, known.token_entropy);
            prop_assert_eq!(wrote, &read);
        }
    }

    #[test]
    fn no_file_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), lines in "(\\{\"kind\":\"(run|problem|completion)\"(,\"(id|policies|text|index|problem)\":(1|\"p\"|null|\\[\\]|1e999))*\\}?\n?){0,6}") {
        let (_folder, path) = with(&lines);
        if let Ok(recording) = Recording::open(&path) {
            let _ = recording.completions().unwrap().count();
        }
        std::fs::write(&path, bytes).unwrap();
        let _ = Recording::open(&path);
        let _ = read_problems(&path);
    }
}

/// The next news of a recorder.
fn next(news: &mut tokio::sync::mpsc::UnboundedReceiver<News>) -> News {
    news.blocking_recv().expect("the recorder lives")
}

fn write(recorder: &Recorder, drawn: Vec<Drawn>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(recorder.write(0, drawn));
}

#[test]
fn what_is_called_saved_stands_in_the_file_at_its_place() {
    let (_folder, path) = scratch();
    let target = Target::New { path: path.clone(), run: run(), problems: problems().into() };
    let (recorder, mut news) = Recorder::start(target).unwrap();
    assert!(!path.exists(), "nothing drawn leaves nothing behind");
    write(&recorder, vec![drawn(0, 1, 4), drawn(1, 0, 5)]);
    assert!(matches!(next(&mut news), News::Writes { generation: 0, .. }));
    let News::Saved { places, .. } = next(&mut news) else { panic!("they are saved") };
    let texts = FileTexts::open(&path).unwrap();
    for (place, want) in places.iter().zip([drawn(0, 1, 4), drawn(1, 0, 5)]) {
        let (completion, verdict) = texts.read(place.at, &problems()[place.problem]).unwrap();
        assert_eq!((completion, verdict), (want.completion, want.verdict));
    }
    write(&recorder, vec![drawn(0, 0, 9)]);
    recorder.finish().unwrap();
    assert_eq!(read(&path).len(), 3);
}

#[test]
fn what_cannot_be_written_is_kept_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/there/run.jsonl");
    let target = Target::New { path: path.clone(), run: run(), problems: problems().into() };
    let (recorder, mut news) = Recorder::start(target).unwrap();
    write(&recorder, vec![drawn(0, 0, 0)]);
    let News::Blocked(why) = next(&mut news) else { panic!("there is no folder") };
    assert!(why.contains("run.jsonl"), "{why}");
    write(&recorder, vec![drawn(0, 0, 1)]);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let rest: Vec<News> = std::iter::from_fn(|| Some(next(&mut news)))
        .take_while(|n| !matches!(n, News::Saved { .. }))
        .collect();
    assert!(matches!(rest[..], [News::Writes { .. }, News::Unblocked]), "{rest:?}");
    recorder.finish().unwrap();
    assert_eq!(read(&path), [Ok(drawn(0, 0, 0)), Ok(drawn(0, 0, 1))]);
}

#[test]
fn every_line_that_is_written_is_one_of_the_schema() {
    let (_folder, path) = scratch();
    let run = Run { k: Some(8), ..run() };
    let mut writer = Writer::create(&path, &run, &problems(), true).unwrap();
    let mut repaired = drawn(0, 0, 0);
    repaired.verdict.repairs.insert(crate::problem::Repair::ALL[0]);
    let mut bare = drawn(1, 1, 1);
    bare.verdict = Verdict::default();
    bare.given = Some(Given { correct: Some(true), score: Some(0.5), answer: Some("7".into()) });
    let c = &mut bare.completion;
    (c.length, c.logprob, c.token_entropy, c.trace, c.finish) =
        (None, None, None, Vec::new(), Finish::Length);
    [repaired, bare].iter().for_each(|d| writer.append(d).unwrap());
    writer.sync().unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../assets/recording.schema.json")).unwrap();
    let mut used = std::collections::BTreeSet::new();
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let kind = value["kind"].as_str().unwrap();
        let of = &schema["$defs"][kind];
        check(&value, of, &schema, line);
        used.extend(value.as_object().unwrap().keys().map(|name| format!("{kind}.{name}")));
    }
    // And the schema says nothing of fields that nobody writes.
    let known = ["run", "problem", "completion"].into_iter().flat_map(|kind| {
        let names = schema["$defs"][kind]["properties"].as_object().unwrap().keys();
        names.map(move |name| format!("{kind}.{name}")).collect::<Vec<_>>()
    });
    assert_eq!(used, known.collect());
}

/// The part of JSON Schema that the schema uses.
fn check(value: &Value, schema: &Value, root: &Value, line: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return check(value, &root["$defs"][name.trim_start_matches("#/$defs/")], root, line);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |name: &&str| match *name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other} in the schema"),
    };
    assert!(types.is_empty() || types.iter().any(is), "{value} is no {types:?}: {line}");
    assert!(schema["const"].is_null() || schema["const"] == *value, "{value}: {line}");
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{value}: {line}");
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(name).is_some(), "{name} is missing: {line}");
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, value) in object {
            let of = properties.get(name).unwrap_or_else(|| panic!("{name} is not in the schema: {line}"));
            check(value, of, root, line);
        }
    }
    for item in value.as_array().into_iter().flatten() {
        check(item, &schema["items"], root, line);
    }
}

#[test]
fn a_packed_recording_is_read_and_gone_on_with_and_loses_no_more_than_its_last_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl.zst");
    let mut writer = Writer::create(&path, &run(), &problems(), true).unwrap();
    for index in 0..40 {
        writer.append(&drawn(0, 0, index)).unwrap();
        if index % 10 == 9 {
            writer.flush().unwrap();
        }
    }
    drop(writer);
    assert!(std::fs::read(&path).unwrap().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    assert_eq!(read(&path).len(), 40);
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 3).unwrap();
    assert_eq!(read(&path).len(), 30);
    let (mut writer, cut) = Writer::resume(&path, &run(), &problems(), true).unwrap();
    assert!(cut > 0);
    writer.append(&drawn(1, 1, 7)).unwrap();
    drop(writer);
    assert_eq!(read(&path).last(), Some(&Ok(drawn(1, 1, 7))));
    let mut index = Index::open(&path).unwrap();
    let (texts, mut at) = (index.texts(), Vec::new());
    let _ = index
        .read(&mut |batch| {
            at.extend(batch.records.iter().map(|r| (r.at(), r.problem)));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(at.len(), 31);
    for (at, problem) in at {
        texts.read(at, &problems()[problem as usize]).unwrap();
    }
}

#[test]
fn a_policy_that_was_asked_in_another_way_is_another() {
    let sent = |words: Option<&str>| {
        let mut run = run();
        run.policies[1].settings = words.map(|w| ("sent".to_owned(), w.to_owned())).into_iter().collect();
        run
    };
    let (chat, raw, silent) = (sent(Some("<user>{prompt}")), sent(Some("{prompt}")), sent(None));
    assert!(!chat.has_policies_of(&raw) && chat.has_policies_of(&chat));
    assert!(silent.has_policies_of(&raw) && chat.has_policies_of(&silent), "older files do not say");
    let text = serde_json::to_string(&chat).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), chat);
}
