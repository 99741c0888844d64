use super::*;
use crate::record::{Recording, Texts};
use std::io::Write as _;

const HEAD: &str = r#"{"kind":"run","version":1,"policies":[{"name":"rlvr","role":"rlvr"},{"name":"base","role":"base"}]}
{"kind":"problem","id":"p","prompt":"?","reference":"42"}
"#;

fn with(lines: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    std::fs::write(&path, [HEAD.as_bytes(), lines].concat()).unwrap();
    (folder, path)
}

/// Everything that an index gives, as one batch.
#[derive(Debug, Default, PartialEq)]
struct All {
    problems: Vec<String>,
    /// Policy, problem, index, verdict, place, text.
    completions: Vec<(usize, String, u32, Verdict, u64, u64)>,
    wrong: Vec<(u64, String)>,
}

fn read(index: &mut Index, all: &mut All) {
    let mut classes = Vec::new();
    read_with(index, all, &mut classes);
}

fn read_with(index: &mut Index, all: &mut All, classes: &mut Vec<(u32, Verdict)>) {
    let flow = index.read(&mut |batch| {
        all.problems.extend(batch.problems.into_iter().map(|p| p.id));
        classes.extend(batch.classes);
        for r in batch.records {
            let (problem, verdict) = &classes[r.class as usize];
            assert_eq!(*problem, r.problem);
            let counted = r.counted();
            let (id, text) =
                (all.problems[r.problem as usize].clone(), if verdict.correct { counted.text } else { 0 });
            all.completions.push((r.policy(), id, counted.index, verdict.clone(), r.at(), text));
        }
        ControlFlow::Continue(())
    });
    assert_eq!(flow.unwrap(), ControlFlow::Continue(()));
    all.wrong = index.wrong().lines.clone();
}

fn indexed(path: &Path, stretch: u64, worth: u64) -> All {
    let mut index = Index::open(path).unwrap();
    (index.stretch, index.worth) = (stretch, worth);
    let mut all = All::default();
    read(&mut index, &mut all);
    all
}

/// Every shape of line: judged and not, with and without an index, wrong in many ways, and
/// a problem that comes after its completions.
fn mixed() -> Vec<u8> {
    let mut lines = Vec::new();
    for i in 0..60 {
        let n = i / 10;
        let line = match i % 10 {
            0 => format!(r#"{{"kind":"completion","problem":"p","policy":"base","index":{n},"text":"so\n#### 42","answer":"42","correct":true,"method":null,"tokens":{i},"logprob":-1.5}}"#),
            1 => r#####"{"kind":"completion","problem":"p","policy":"rlvr","text":"#### 42"}"#####.to_owned(),
            2 => r#####"{"policy":"rlvr","problem":"late","kind":"completion","text":"#### 7","extra":[{}]}"#####.to_owned(),
            3 => r#"{"kind":"completion","problem":"nobody","policy":"base","text":""}"#.to_owned(),
            4 => r#"{"kind":"completion","problem":"p","policy":"other","text":"x","answer":null,"correct":false,"method":null}"#.to_owned(),
            5 => r#"{"kind":"completion","problem":"p","policy":"base","index":3,"text":"x","logprob":NaN}"#.to_owned(),
            6 => "[".repeat(3000),
            7 => r#"{"kind":"completion","problem":"p","policy":"base","index":"three","text":"x"}"#.to_owned(),
            8 => String::new(),
            _ => r#"{"kind":"score","problem":"p","policy":"base","index":0,"under":"x","logprob":-1}"#.to_owned(),
        };
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
    }
    lines.extend_from_slice(
        b"{\"kind\":\"completion\",\"problem\":\"p\",\"policy\":\"base\",\"text\":\"\xff\"}\n",
    );
    lines
        .extend_from_slice(b"{\"kind\":\"problem\",\"id\":\"late\",\"prompt\":\"??\",\"reference\":\"7\"}\n");
    lines
}

#[test]
fn it_gives_what_the_reader_gives_whatever_the_stretches() {
    let (_folder, path) = with(&mixed());
    let recording = Recording::open(&path).unwrap();
    let (mut want, mut wrong) = (Vec::new(), Vec::new());
    for drawn in recording.completions().unwrap() {
        match drawn {
            Ok(d) => {
                let verdict = Verdict { repairs: Default::default(), ..d.verdict };
                want.push((d.policy, recording.problems[d.problem].id.clone(), d.completion.index, verdict));
            }
            Err(RecordError::Line { line, reason, .. }) => wrong.push((line, reason)),
            Err(other) => panic!("{other}"),
        }
    }
    let whole = indexed(&path, 1 << 20, u64::MAX);
    assert_eq!(whole.problems, ["p", "late"]);
    let sorted = |mut all: Vec<(usize, String, u32, Verdict)>| {
        all.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
        all
    };
    let got: Vec<_> = whole.completions.iter().cloned().map(|(p, q, i, v, ..)| (p, q, i, v)).collect();
    assert_eq!(got, want);
    assert_eq!(whole.wrong, wrong);
    let texts = Index::open(&path).unwrap().texts();
    for (at, problem) in whole.completions.iter().map(|c| (c.4, &c.1)) {
        let asked = recording.problems.iter().find(|p| p.id == *problem).unwrap();
        assert!(texts.read(at, asked).is_ok());
    }
    for stretch in [64, 100, 777, 5000] {
        let parts = indexed(&path, stretch, u64::MAX);
        let known =
            |all: &[(u64, String)]| all.iter().filter(|w| !w.1.contains("late")).cloned().collect::<Vec<_>>();
        assert_eq!(known(&parts.wrong), known(&wrong), "{stretch}");
        // A problem that comes late is known only once its stretch was read.
        let known = |c: &(usize, String, u32, Verdict, u64, u64)| c.1 == "p";
        let (a, b): (Vec<_>, Vec<_>) = (
            parts.completions.iter().filter(|c| known(c)).collect(),
            whole.completions.iter().filter(|c| known(c)).collect(),
        );
        assert_eq!(a, b, "{stretch}");
    }
    assert_eq!(sorted(got.clone()), sorted(want));
}

#[test]
fn what_was_found_is_kept_beside_the_file_and_extended() {
    let (_folder, path) = with(&mixed());
    let fresh = indexed(&path, 500, u64::MAX);
    let first = indexed(&path, 500, 0);
    let beside = index_file(&path);
    let kept = std::fs::read(&beside).unwrap();
    assert_eq!((&first, &indexed(&path, 500, 0)), (&fresh, &fresh));
    assert_eq!(std::fs::read(&beside).unwrap(), kept, "it was believed");

    let more = r#"{"kind":"completion","problem":"p","policy":"base","index":77,"text":"x","answer":null,"correct":false,"method":null}"#;
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(format!("{more}\n{{\"kind\":\"compl").as_bytes()).unwrap();
    let grown = indexed(&path, 500, 0);
    assert_eq!(grown.completions.len(), fresh.completions.len() + 1);
    assert_eq!(grown, indexed(&path, 500, u64::MAX));
    let longer = std::fs::read(&beside).unwrap();
    assert!(longer.starts_with(&kept) && longer.len() > kept.len());

    // Whatever byte of it is spoiled, the figures are right.
    for at in (0..longer.len()).step_by(97) {
        let mut spoiled = longer.clone();
        spoiled[at] ^= 0x55;
        std::fs::write(&beside, &spoiled[..]).unwrap();
        assert_eq!(indexed(&path, 500, 0), grown, "byte {at}");
        std::fs::write(&beside, &longer[..at]).unwrap();
        assert_eq!(indexed(&path, 500, 0), grown, "cut at {at}");
    }
    // Another recording under the same name.
    std::fs::write(&beside, &longer).unwrap();
    let other = HEAD.replace("42", "43");
    std::fs::write(&path, format!("{other}{more}\n")).unwrap();
    assert_eq!(indexed(&path, 500, 0).completions.len(), 1);
}

#[test]
fn a_file_that_grows_is_read_on_and_nothing_twice() {
    let (_folder, path) = with(b"");
    let mut index = Index::open(&path).unwrap();
    let (mut all, mut classes) = (All::default(), Vec::new());
    read_with(&mut index, &mut all, &mut classes);
    let bytes = mixed();
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    for part in bytes.chunks(333) {
        file.write_all(part).unwrap();
        read_with(&mut index, &mut all, &mut classes);
    }
    // Completions of a problem that is not known yet cannot be counted as they come.
    let late = |c: &&(usize, String, u32, Verdict, u64, u64)| c.1 == "p";
    let whole = indexed(&path, 1 << 20, u64::MAX);
    let kept = |all: &All| all.completions.iter().filter(late).cloned().collect::<Vec<_>>();
    assert_eq!(kept(&all), kept(&whole));
    assert_eq!(all.problems, whole.problems);
    assert_eq!(index.torn(), 0);
    std::fs::write(&path, HEAD).unwrap();
    let shorter = index.read(&mut |_| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(shorter.contains("shorter"), "{shorter}");
}

#[test]
fn a_long_line_is_read_and_a_whole_last_one_needs_no_line_feed() {
    let long = "x".repeat(100 << 20);
    let line = |index: u32, text: &str| {
        format!(
            r#"{{"kind":"completion","problem":"p","policy":"base","index":{index},"text":"{text}","answer":null,"correct":false,"method":null}}"#
        )
    };
    let (_folder, path) = with(format!("{}\n{}\n{}", line(0, "a"), line(1, &long), line(2, "b")).as_bytes());
    let mut index = Index::open(&path).unwrap();
    let (mut all, mut classes) = (All::default(), Vec::new());
    read_with(&mut index, &mut all, &mut classes);
    assert_eq!(all.completions.iter().map(|c| c.2).collect::<Vec<_>>(), [0, 1, 2]);
    let asked = Problem { id: "p".into(), ..index.first_problems()[0].clone() };
    let (completion, _) = index.texts().read(all.completions[1].4, &asked).unwrap();
    assert_eq!(completion.text.len(), long.len());
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(format!("\n{}\nbroken\n", line(3, "c")).as_bytes()).unwrap();
    read_with(&mut index, &mut all, &mut classes);
    assert_eq!(all.completions.len(), 4);
    assert_eq!(all.wrong[0].0, 7, "lines are counted as an editor does");
}
