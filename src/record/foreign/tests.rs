//! Every reader on files that the tools themselves wrote (see `tests/foreign`).

use super::*;
use crate::completion::Finish;
use crate::record::{Drawn, Recording, SamplingEntry};
use std::fs;

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/fixtures").join(name)
}

struct Read {
    recording: Recording,
    drawn: Vec<Drawn>,
    imported: Imported,
}

fn imported(files: &[PathBuf], options: &Options) -> Result<Read, RecordError> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    let imported = import(files, options, &out, &mut |_| ())?;
    let recording = Recording::open(&out)?;
    let drawn = recording.completions()?.collect::<Result<_, _>>()?;
    Ok(Read { recording, drawn, imported })
}

fn whole(name: &str) -> Read {
    let read = imported(&[fixture(name)], &Options::default()).unwrap();
    assert_eq!(read.imported.wrong, Vec::<String>::new(), "{name}");
    read
}

/// A file with these bytes, imported by itself.
fn bytes(name: &str, bytes: &[u8], options: &Options) -> Result<Read, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    imported(std::slice::from_ref(&path), options)
        .map_err(|e| e.to_string().replace(path.to_str().unwrap(), "FILE"))
}

/// Of the first two problems in the fixtures: which of the four completions are correct.
const CORRECT: [[bool; 4]; 2] = [[true, true, false, false], [true, true, false, true]];

fn correct(read: &Read) -> Vec<Vec<bool>> {
    let of = |problem| read.drawn.iter().filter(move |d| d.problem == problem).map(|d| d.verdict.correct);
    (0..read.recording.problems.len()).map(|p| of(p).collect()).collect()
}

fn is_sums(read: &Read) {
    let references: Vec<_> = read.recording.problems.iter().filter_map(|p| p.reference.as_deref()).collect();
    assert!(references.iter().zip(["44", "42"]).all(|(r, want)| r.ends_with(want)), "{references:?}");
    assert!(read.recording.problems[0].prompt.contains("How many legs do 4 spiders and 3 dogs have?"));
    assert_eq!(correct(read)[..2], CORRECT.map(|c| c.to_vec()));
    assert_eq!(read.drawn[0].completion.text.trim_end(), "4 * 8 = 32, 3 * 4 = 12.\n32 + 12 = 44.\n#### 44");
    let indices: Vec<u32> =
        read.drawn.iter().filter(|d| d.problem == 1).map(|d| d.completion.index).collect();
    assert_eq!(indices, [0, 1, 2, 3]);
}

#[test]
fn verifiers_results() {
    let read = whole("verifiers-results");
    is_sums(&read);
    assert_eq!(read.imported.from, ["results.jsonl (verifiers results)"]);
    assert_eq!(read.recording.run.policies[0].spec.as_deref(), Some("org/tiny"));
    let sampling = read.recording.run.sampling.clone().unwrap();
    assert_eq!((sampling.temperature, sampling.top_p, sampling.max_tokens), (Some(0.7), Some(0.9), Some(64)));
    assert!(read.recording.problems[0].prompt.starts_with("Think.\n\n"));
    assert_eq!(read.drawn[0].given.as_ref().unwrap().score, Some(1.0));
    assert_eq!(read.drawn[0].completion.length, Some(7));
    assert_eq!(read.recording.problems[0].metadata["source"], "sums");
}

#[test]
fn verifiers_traces() {
    let mut read = whole("verifiers-traces");
    assert_eq!(
        read.drawn[0].completion.text,
        "<think>Hm.</think>\n4 * 8 = 32, 3 * 4 = 12.\n32 + 12 = 44.\n#### 44"
    );
    read.drawn[0].completion.text = read.drawn[0].completion.text.replace("<think>Hm.</think>\n", "");
    is_sums(&read);
    assert_eq!(read.recording.problems[1].id, "sum-1");
    assert_eq!(read.recording.run.sampling.clone().unwrap().temperature, Some(0.7));
    assert_eq!((read.drawn[0].completion.length, read.drawn[0].completion.logprob), (Some(2), Some(-0.75)));
    assert_eq!(read.drawn[3].completion.finish, Finish::Length);
}

#[test]
fn inspect_archive_and_log_say_the_same() {
    for name in ["inspect.eval", "inspect.json"] {
        let read = whole(name);
        is_sums(&read);
        assert_eq!(read.recording.run.policies[0].spec.as_deref(), Some("mockllm/model"));
        assert_eq!(read.recording.run.sampling.clone().unwrap().max_tokens, Some(64));
        let third: Vec<&Drawn> = read.drawn.iter().filter(|d| d.problem == 2).collect();
        assert_eq!(third[0].completion.finish, Finish::Length);
        assert_eq!(read.recording.problems[2].id, "s2");
        // The second scorer gave NaN here; the first one's letter counts.
        let last = read.drawn.iter().find(|d| d.completion.text.contains('🐙')).unwrap();
        assert_eq!(last.given.as_ref().unwrap().score, Some(0.0));
    }
}

#[test]
fn a_log_that_is_still_written_is_read_by_its_journal() {
    use std::io::{Cursor, Read, Write};
    let mut from = zip::ZipArchive::new(fs::File::open(fixture("inspect.eval")).unwrap()).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..from.len() {
        let mut member = from.by_index(i).unwrap();
        let name = member.name().unwrap().to_string();
        if !["header.json", "summaries.json", "reductions.json"].contains(&name.as_str()) {
            let mut text = Vec::new();
            member.read_to_end(&mut text).unwrap();
            to.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            to.write_all(&text).unwrap();
        }
    }
    let read = bytes("running.eval", &to.finish().unwrap().into_inner(), &Options::default()).unwrap();
    is_sums(&read);
    assert_eq!((read.drawn.len(), read.imported.wrong_count), (12, 0));
    assert_eq!(read.recording.run.policies[0].spec.as_deref(), Some("mockllm/model"));
}

#[test]
fn files_without_a_common_problem_say_what_they_have() {
    let files = [fixture("inspect.eval"), fixture("verl.jsonl")];
    let said = imported(&files, &Options::default()).err().unwrap().to_string();
    assert!(said.contains("inspect.eval has s0, s1, s2; verl.jsonl has prompt/"), "{said}");
}

#[test]
fn harness_samples() {
    let read = whole("lm_eval_sums_many.jsonl");
    is_sums(&read);
    assert_eq!(read.drawn.len(), 12);
    assert_eq!(read.recording.run.sampling.clone().unwrap().max_tokens, Some(64));
    assert_eq!(read.recording.problems[0].metadata["metrics"]["exact_match"], 1.0);
    assert_eq!(read.drawn[0].given, None);
    // One response to a document: the metric is its score.
    let read = whole("lm_eval_sums.jsonl");
    assert_eq!(read.drawn.len(), 3);
    let given = read.drawn[0].given.clone().unwrap();
    assert_eq!((given.score, given.answer.as_deref()), (Some(1.0), Some("44")));
}

#[test]
fn lighteval_details() {
    let read = whole("lighteval.parquet");
    is_sums(&read);
    assert_eq!(read.drawn[0].completion.length, Some(3));
    assert_eq!(read.recording.problems[1].metadata["level"], 1);
    assert_eq!(read.recording.problems[1].metadata["metrics"]["pass@k:k=1"], 0.75);
}

#[test]
fn reasoning_gym_evaluations_and_items() {
    let read = whole("reasoning_gym_eval.json");
    assert_eq!(read.recording.problems[0].id, "leg_counting/7/0");
    assert_eq!(read.recording.problems[0].task.as_deref(), Some("leg_counting"));
    assert_eq!(correct(&read), vec![vec![true, false, false]; 2]);
    let read = whole("reasoning_gym_items.jsonl");
    assert_eq!((read.recording.problems.len(), read.drawn.len()), (2, 0));
    assert_eq!(read.recording.problems[1].id, "leg_counting/1");
    assert_eq!(read.recording.problems[0].reference.as_deref(), Some("188"));
}

#[test]
fn limit_of_rlvr() {
    let read = whole("test_qwen-boxed_-1_seed1_t0.6_s0_e-1.jsonl");
    is_sums(&read);
    let sampling = SamplingEntry { temperature: Some(0.6), seed: Some(1), ..SamplingEntry::default() };
    assert_eq!(read.recording.run.sampling, Some(sampling));
    assert_eq!(read.drawn[0].given.as_ref().unwrap().answer.as_deref(), Some("44"));
    assert_eq!(read.drawn[3].completion.finish, Finish::Length);
}

#[test]
fn verl_lines_are_grouped_by_input() {
    let read = whole("verl.jsonl");
    is_sums(&read);
    assert_eq!(read.recording.problems.len(), 3);
    assert!(read.recording.problems[0].id.starts_with("prompt/"));
    assert_eq!(read.drawn[2].given.as_ref().unwrap().score, Some(0.0));
}

#[test]
fn plain_rows_of_any_container() {
    let options =
        Options { mapping: Mapping::parse("prompt=q,text=out,score=r").unwrap(), ..Options::default() };
    let csv = b"q,out,r\n\"2, 3\",five,1\n\"2, 3\",six,0\n";
    let list = br#"[{"q":"2, 3","out":"five","r":1},{"q":"2, 3","out":"six","r":0}]"#;
    let lines = b"\xef\xbb\xbf{\"q\":\"2, 3\",\"out\":\"five\",\"r\":\"1\"}\n\n{\"q\":\"2, 3\",\"out\":\"six\",\"r\":false}";
    let packed = zstd::encode_all(&lines[..], 3).unwrap();
    for (name, file) in [("a.csv", &csv[..]), ("a.json", list), ("a.jsonl", lines), ("a.jsonl.zst", &packed)]
    {
        let read = bytes(name, file, &options).unwrap();
        assert_eq!(correct(&read), [[true, false]], "{name}");
        assert_eq!(read.recording.problems[0].prompt, "2, 3");
    }
}

#[test]
fn a_file_may_name_its_policies() {
    let file = br#"{"prompt":"?","text":"a","score":0.5,"policy":"late"}
{"prompt":"?","text":"b","score":0.4,"policy":"base"}
"#;
    let read = bytes("x.jsonl", file, &Options { threshold: Some(0.5), ..Options::default() }).unwrap();
    let entries: Vec<_> =
        read.recording.run.policies.iter().map(|p| (p.name.as_str(), p.role.as_str())).collect();
    assert_eq!(entries, [("late", "rlvr"), ("base", "base")]);
    assert_eq!(correct(&read), [[true, false]]);
}

#[test]
fn two_files_make_a_pair_by_id_else_by_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let [base, rlvr] = ["base.jsonl", "rlvr.jsonl"].map(|name| folder.path().join(name));
    fs::write(&base, "{\"id\":1,\"prompt\":\"a\",\"text\":\"x\"}\n{\"prompt\":\"b\",\"text\":\"x\"}\n{\"id\":3,\"prompt\":\"c\",\"text\":\"x\"}\n").unwrap();
    fs::write(&rlvr, "{\"id\":\"1\",\"prompt\":\"A\",\"text\":\"y\"}\n{\"id\":9,\"prompt\":\"b\",\"text\":\"y\"}\n{\"id\":4,\"prompt\":\"d\",\"text\":\"y\"}\n").unwrap();
    let files = [base, rlvr];
    let read = imported(&files, &Options::default()).unwrap();
    assert_eq!(read.recording.problems.len(), 2);
    let texts: Vec<_> =
        read.drawn.iter().map(|d| (d.problem, d.policy, d.completion.text.as_str())).collect();
    assert_eq!(texts, [(0, 0, "x"), (1, 0, "x"), (0, 1, "y"), (1, 1, "y")]);
    let names: Vec<_> =
        read.recording.run.policies.iter().map(|p| (p.name.as_str(), p.spec.as_deref())).collect();
    assert_eq!(names, [("base", Some("base.jsonl")), ("rlvr", Some("rlvr.jsonl"))]);
    let missing: Vec<_> =
        read.imported.unmatched.iter().map(|u| (u.file.as_str(), u.count, u.first[0].as_str())).collect();
    assert_eq!(missing, [("base.jsonl", 1, "3"), ("rlvr.jsonl", 1, "4")]);
    assert!(
        read.imported.notes[0].contains("1 problems of rlvr.jsonl have the id"),
        "{:?}",
        read.imported.notes
    );
    let kept = imported(&files, &Options { unmatched: true, ..Options::default() }).unwrap();
    assert_eq!((kept.recording.problems.len(), kept.drawn.len()), (4, 6));
}

#[test]
fn tools_and_recordings_of_ours_make_pairs_too() {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("ours.jsonl");
    import(&[fixture("verl.jsonl")], &Options::default(), &ours, &mut |_| ()).unwrap();
    assert_eq!(recognise(&ours, &Mapping::default()).unwrap(), None);
    let read = imported(&[ours, fixture("verl.jsonl")], &Options::default()).unwrap();
    assert_eq!((read.recording.problems.len(), read.drawn.len()), (3, 24));
    assert_eq!(read.imported.unmatched, []);
    let half = read.drawn.len() / 2;
    assert!(
        read.drawn[..half]
            .iter()
            .zip(&read.drawn[half..])
            .all(|(a, b)| a.verdict == b.verdict && a.given == b.given)
    );
}

#[test]
fn what_is_written_for_verifiers_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, out) = (folder.path().join("ours.jsonl"), folder.path().join("out"));
    let files = [fixture("verl.jsonl"), fixture("verl.jsonl")];
    import(&files, &Options::default(), &ours, &mut |_| ()).unwrap();
    write_verifiers(&Recording::open(&ours).unwrap(), &out).unwrap();
    let read = imported(&[out.join("base"), out.join("rlvr")], &Options::default()).unwrap();
    is_sums(&read_policy(read, 0));
    assert!(write_verifiers(&Recording::open(&ours).unwrap(), &out).is_err());
}

fn read_policy(mut read: Read, policy: usize) -> Read {
    read.drawn.retain(|d| d.policy == policy);
    read
}

#[test]
fn opening_keeps_a_copy_until_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cache) = (folder.path().join("x.jsonl"), folder.path().join("cache"));
    fs::copy(fixture("verl.jsonl"), &file).unwrap();
    let open_at = |path: &PathBuf| {
        let opened = open(std::slice::from_ref(path), &Options::default(), Some(&cache), &mut |_| ());
        opened.map(|o| (o.recording.path, o.imported)).unwrap()
    };
    let first = open_at(&file);
    let written = fs::metadata(&first.0).unwrap().modified().unwrap();
    assert_eq!(open_at(&file), first);
    assert_eq!(fs::metadata(&first.0).unwrap().modified().unwrap(), written);
    let mut text = fs::read_to_string(&file).unwrap();
    text += "{\"input\":\"new\",\"output\":\"x\",\"gts\":null,\"score\":NaN,\"step\":1}\n";
    fs::write(&file, text).unwrap();
    let (grown, _) = open_at(&file);
    assert_eq!(Recording::open(&grown).unwrap().problems.len(), 4);
    assert!(!first.0.exists());
    assert_eq!(open_at(&grown), (grown, None));
}

#[test]
fn bad_lines_are_named_and_the_rest_opens() {
    let deep = format!("{{\"id\":1,\"prompt\":\"a\",\"text\":{}{}}}", "[".repeat(999), "]".repeat(999));
    let file = [
        &b"{\"id\":1,\"prompt\":\"a\",\"text\":\"x\",\"score\":1}\n"[..],
        b"{\"id\":1,\"prompt\":\"a\",\"text\":\"\xff\"}\n",
        b"{\"id\":1,\"prompt\":\"a\",\"text\":\"x\",\"score\":NaN}\n",
        b"{\"id\":1,\"prompt\":\"b\",\"text\":\"x\",\"score\":1}\n",
        b"{\"id\":1,\"prompt\":7,\"text\":\"x\",\"score\":1}\n",
        b"{\"id\":1,\"prompt\":\"a\",\"text\":\"x\",\"score\":{}}\n",
        deep.as_bytes(),
        b"\n{\"id\":1,\"prompt\":\"a\",\"text\":\"\\u001b[2J\\u202e\",\"score\":\"1.0\"}\n",
        b"not json\n{\"id\":1,\"prompt\":\"a\",\"te",
    ]
    .concat();
    let read = bytes("x.jsonl", &file, &Options::default()).unwrap();
    assert_eq!(correct(&read), [[true, false, true]]);
    let said: Vec<String> =
        read.imported.wrong.iter().map(|w| w.rsplit_once("x.jsonl: ").unwrap().1.to_owned()).collect();
    let want = [
        ("line 2", "unicode"),
        ("line 4", "the id \"1\" stands here a second time with another prompt"),
        ("line 5", "prompt: a text or a list of messages is expected, and it is a number"),
        ("line 6", "score: a number is expected, and it is an object"),
        ("line 7", "recursion limit"),
        ("line 9", "column 2"),
        ("line 10", "EOF"),
    ];
    assert_eq!(said.len(), want.len(), "{said:#?}");
    assert!(
        said.iter().zip(want).all(|(s, (place, why))| s.starts_with(place) && s.contains(why)),
        "{said:#?}"
    );
    assert_eq!(read.imported.wrong_count, 7);
    assert!(read.imported.notes[0].contains("neither a score nor a reference"));
}

#[test]
fn what_cannot_be_read_at_all_says_why() {
    let says = |name: &str, file: &[u8]| match bytes(name, file, &Options::default()) {
        Ok(_) => panic!("{name} was read"),
        Err(said) => said,
    };
    assert!(says("a", b"").contains("FILE: this is no recording: it is empty"));
    let unknown = says("a.jsonl", b"{\"a\":1,\"b\":2}\n");
    assert!(unknown.contains("its fields are a, b") && unknown.contains("--map prompt=FIELD"), "{unknown}");
    assert!(says("a.csv", b"hello\n").contains("its fields are hello"));
    assert!(says("a.zip", b"PK\x03\x04rest").contains("the archive is damaged"));
    assert!(says("a.parquet", b"PAR1PAR1").contains("the parquet table is damaged"));
    assert!(says("a.json", b"[1, 2]").contains("no JSON object"));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("x", zip::write::SimpleFileOptions::default()).unwrap();
    assert!(says("b.zip", &zip.finish().unwrap().into_inner()).contains("header.json"));
}

#[test]
fn a_bomb_in_an_archive_is_refused_by_its_member() {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut add = |name: &str, text: &[u8]| {
        zip.start_file(name, options).unwrap();
        zip.write_all(text).unwrap();
    };
    add("header.json", br#"{"eval":{"model":"m","task":"t"}}"#);
    add("summaries.json", br#"[{"id":"a","epoch":1},{"id":"b","epoch":1},{"id":"c","epoch":1}]"#);
    add("samples/a_epoch_1.json", br#"{"id":"a","epoch":1,"input":"?","target":"1","output":{"completion":"1"},"scores":{"s":{"value":"C"}}}"#);
    add("samples/b_epoch_1.json", &[&b"{\"id\":\""[..], &vec![b' '; 80 << 20]].concat());
    let read = bytes("x.eval", &zip.finish().unwrap().into_inner(), &Options::default()).unwrap();
    assert_eq!(correct(&read), [[true]]);
    assert!(
        read.imported.wrong[0].contains("samples/b_epoch_1.json: ")
            && read.imported.wrong[0].contains("bomb")
    );
    assert!(read.imported.wrong[1].contains("samples/c_epoch_1.json: "), "{:?}", read.imported.wrong);
}

/// The file that a fixture is, and what else must stand beside it.
fn beside_of(name: &str) -> Option<PathBuf> {
    let metadata = fixture(name).with_file_name("metadata.json");
    metadata.is_file().then_some(metadata)
}

/// What a recording holds, by problem.
fn held(path: &Path) -> Vec<(String, usize, String, bool)> {
    let recording = Recording::open(path).unwrap();
    let drawn = recording.completions().unwrap().map(Result::unwrap);
    let of =
        |d: Drawn| (recording.problems[d.problem].id.clone(), d.policy, d.completion.text, d.verdict.correct);
    let mut held: Vec<_> = drawn.map(of).collect();
    held.sort();
    held
}

#[test]
fn what_grows_is_followed_wherever_its_writer_stands() {
    let fixtures = [
        "verifiers-results/results.jsonl",
        "verifiers-traces/traces.jsonl",
        "lm_eval_sums.jsonl",
        "lm_eval_sums_many.jsonl",
        "test_qwen-boxed_-1_seed1_t0.6_s0_e-1.jsonl",
        "verl.jsonl",
        "reasoning_gym_items.jsonl",
        "inspect.json",
    ];
    for name in fixtures {
        let folder = tempfile::tempdir().unwrap();
        let (growing, out) = (folder.path().join("growing.jsonl"), folder.path().join("whole.jsonl"));
        if let Some(metadata) = beside_of(name) {
            fs::copy(metadata, folder.path().join("metadata.json")).unwrap();
        }
        let bytes = fs::read(fixture(name)).unwrap();
        // A first whole line, or for a log that is one object all that tells what it is.
        let first = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
        let first = if name == "inspect.json" { bytes.len() / 2 } else { first };
        fs::write(&growing, &bytes[..first]).unwrap();
        let files = [growing.clone()];
        let mut live = Live::open(&files, &Options::default(), Some(folder.path()), &mut |_| ()).unwrap();
        let mut last = 0;
        for part in 1..=13 {
            let end = first + (bytes.len() - first) * part / 13;
            fs::write(&growing, &bytes[..end]).unwrap();
            live.catch_up().unwrap();
            let now = live.imported().completions;
            assert!(now >= last, "{name}: nothing is taken back");
            last = now;
        }
        let whole = import(&files, &Options::default(), &out, &mut |_| ()).unwrap();
        assert_eq!(held(live.path()), held(&out), "{name}");
        assert_eq!(live.imported().wrong, whole.wrong, "{name}");
        let copy = live.path().to_owned();
        drop(live);
        assert!(!copy.exists());
    }
}

#[test]
fn a_pair_that_grows_is_matched_by_id_or_else_by_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["base.jsonl", "rlvr.jsonl"].map(|name| folder.path().join(name));
    let line = |id: &str, prompt: &str, text: &str| {
        format!("{{\"id\": {id:?}, \"prompt\": {prompt:?}, \"text\": {text:?}, \"score\": 1.0}}\n")
    };
    fs::write(&files[0], line("a", "one", "x")).unwrap();
    fs::write(&files[1], line("a", "one", "y")).unwrap();
    let mut live = Live::open(&files, &Options::default(), Some(folder.path()), &mut |_| ()).unwrap();
    fs::write(&files[0], line("a", "one", "x") + &line("b", "two", "x") + &line("c", "three", "x")).unwrap();
    live.catch_up().unwrap();
    fs::write(&files[1], line("a", "one", "y") + &line("b", "two", "y") + &line("other", "three", "y"))
        .unwrap();
    live.catch_up().unwrap();
    let held = held(live.path());
    let of = |policy: usize| -> Vec<&str> {
        held.iter().filter(|(_, p, ..)| *p == policy).map(|(id, ..)| id.as_str()).collect()
    };
    assert_eq!((of(0), of(1)), (vec!["a", "b", "c"], vec!["a", "b", "c"]));
    fs::write(&files[0], "").unwrap();
    assert!(live.catch_up().unwrap_err().to_string().contains("shorter"));
    // Rows of such a table have no sure end.
    let table = folder.path().join("table.csv");
    fs::write(&table, "prompt,text\none,x\n").unwrap();
    let refused = Live::open(&[table], &Options::default(), Some(folder.path()), &mut |_| ());
    assert!(refused.unwrap_err().to_string().contains("--follow"));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.iter().filter(|n| n.to_string_lossy().ends_with(".followed.jsonl")).count(), 1);
}

#[test]
fn a_log_that_is_written_anew_is_followed_past_the_moments_when_it_is_not_whole() {
    for name in ["inspect.eval", "inspect.json", "lighteval.parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join(name);
        let bytes = fs::read(fixture(name)).unwrap();
        fs::write(&log, &bytes).unwrap();
        let files = [log.clone()];
        let mut live = Live::open(&files, &Options::default(), Some(folder.path()), &mut |_| ()).unwrap();
        let before = held(live.path());
        fs::write(&log, &bytes[..bytes.len() / 2]).unwrap();
        live.catch_up().unwrap();
        assert!(!live.imported().wrong.is_empty(), "{name}");
        fs::write(&log, &bytes).unwrap();
        live.catch_up().unwrap();
        assert_eq!(live.imported().wrong, Vec::<String>::new(), "{name}");
        assert_eq!(held(live.path()), before, "{name}");
    }
}
