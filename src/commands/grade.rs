//! `leash grade`: judges the completions of a recording, with our verifiers or another's.

use super::print;
use crate::cli::GradeArgs;
use crate::problem::{Judge, Problem, Unjudged, Verdict};
use crate::record::Recording;
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::sync::Arc;

/// Lines, and bytes of them, that are held to be judged together.
const LINES: usize = 512;
const BYTES: usize = 8 << 20;

/// Copies a recording with new verdicts in it: answer, rule, repairs, correct, method, sound.
///
/// # Errors
/// A file that cannot be read or written, a line that is no JSON object; at the end, that
/// some completions could not be judged: these are copied as they were.
pub fn run(args: &GradeArgs) -> Result<()> {
    let (from, to) = (args.file.display(), args.output.display());
    if args.output.exists() {
        bail!("{to} is there already; name a new file, nothing is written over");
    }
    let judge = args.judge.judge(None)?;
    let recording = Recording::open(&args.file)?;
    let input = File::open(&args.file).with_context(|| format!("{from} cannot be read"))?;
    let size = input.metadata().map_or(0, |m| m.len());
    let output = File::create_new(&args.output).with_context(|| format!("{to} cannot be written"))?;
    let mut output = BufWriter::new(output);
    let mut grader = Grader::new(recording.problems, judge, args.only_missing);
    let mut input = BufReader::new(input);
    let bar = bar(size);
    let mut text = String::new();
    let mut bytes = 0;
    for number in 1.. {
        text.clear();
        let read =
            input.read_line(&mut text).with_context(|| format!("{from}, line {number} cannot be read"))?;
        if read == 0 {
            break;
        }
        bar.inc(read as u64);
        bytes += read;
        match serde_json::from_str::<Map<String, Value>>(&text) {
            _ if text.trim().is_empty() => {}
            Ok(line) => grader.take(line),
            // A recording may end in the middle of a line.
            Err(_) if !text.ends_with('\n') => break,
            Err(e) => return Err(e).with_context(|| format!("{from}, line {number} is no JSON object")),
        }
        if grader.lines.len() >= LINES || bytes >= BYTES {
            grader.write(&mut output).with_context(|| format!("{to} cannot be written"))?;
            bytes = 0;
        }
    }
    let written = grader.write(&mut output).and_then(|()| output.flush());
    written.with_context(|| format!("{to} cannot be written"))?;
    bar.finish_and_clear();
    print(&grader.summary())?;
    match &grader.unjudged {
        None => Ok(()),
        Some((1, why)) => bail!("one completion could not be judged and was copied as it was: {why}"),
        Some((n, why)) => {
            bail!("{n} completions could not be judged and were copied as they were; the first: {why}")
        }
    }
}

fn bar(size: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}  {eta} left");
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A line as it is written: what it is first.
#[derive(Serialize)]
struct Line {
    kind: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

struct Grader {
    problems: HashMap<String, Problem>,
    judge: Arc<dyn Judge>,
    only_missing: bool,
    /// Read and not yet written.
    lines: Vec<Line>,
    judged: u64,
    correct: u64,
    changed: u64,
    kept: u64,
    stray: u64,
    /// How many could not be judged, and why the first could not.
    unjudged: Option<(u64, Unjudged)>,
}

impl Grader {
    fn new(problems: Vec<Problem>, judge: Arc<dyn Judge>, only_missing: bool) -> Self {
        Self {
            problems: problems.into_iter().map(|p| (p.id.clone(), p)).collect(),
            judge,
            only_missing,
            lines: Vec::new(),
            judged: 0,
            correct: 0,
            changed: 0,
            kept: 0,
            stray: 0,
            unjudged: None,
        }
    }

    fn take(&mut self, mut line: Map<String, Value>) {
        let kind = match line.remove("kind") {
            Some(Value::String(kind)) => kind,
            _ => String::new(),
        };
        self.lines.push(Line { kind, rest: line });
    }

    /// Judges the lines that are held and writes them, in their order.
    fn write(&mut self, output: &mut impl Write) -> io::Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        self.grade(&mut lines);
        for line in &lines {
            serde_json::to_writer(&mut *output, line)?;
            output.write_all(b"\n")?;
        }
        Ok(())
    }

    fn grade(&mut self, lines: &mut [Line]) {
        let mut of: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, line) in lines.iter().enumerate().filter(|(_, l)| l.kind == "completion") {
            let text = line.rest.get("text").and_then(Value::as_str);
            let id = line.rest.get("problem").and_then(Value::as_str);
            match id.and_then(|id| self.problems.get(id)).zip(text) {
                None => self.stray += 1,
                Some(_) if self.only_missing && line.rest.get("correct").is_some_and(Value::is_boolean) => {
                    self.kept += 1;
                }
                Some((problem, _)) => of.entry(problem.id.as_str()).or_default().push(i),
            }
        }
        let mut given = Vec::new();
        for (id, places) in of {
            let text = |i: &usize| lines[*i].rest.get("text").and_then(Value::as_str).unwrap_or_default();
            let texts: Vec<&str> = places.iter().map(text).collect();
            let verdicts = self.judge.judge(&self.problems[id], &texts);
            given.extend(places.into_iter().zip(verdicts));
        }
        given.sort_by_key(|(i, _)| *i);
        for (i, verdict) in given {
            match verdict {
                Ok(verdict) => self.fill(&mut lines[i].rest, verdict),
                Err(why) => self.unjudged.get_or_insert((0, why)).0 += 1,
            }
        }
    }

    fn fill(&mut self, line: &mut Map<String, Value>, verdict: Verdict) {
        let before = line.get("correct").and_then(Value::as_bool);
        self.judged += 1;
        self.correct += u64::from(verdict.correct);
        self.changed += u64::from(before.is_some_and(|b| b != verdict.correct));
        line.insert("answer".into(), verdict.answer.into());
        line.insert("correct".into(), verdict.correct.into());
        line.insert("rule".into(), verdict.rule.map(|r| r.name()).into());
        line.insert("method".into(), verdict.method.into());
        line.insert("sound".into(), verdict.sound.into());
        let repairs: Vec<&str> = verdict.repairs.iter().map(|r| r.name()).collect();
        match repairs.is_empty() {
            true => line.remove("repairs"),
            false => line.insert("repairs".into(), repairs.into()),
        };
    }

    fn summary(&self) -> String {
        let mut text = format!(
            "{} completions judged, {} correct; {} differ from the verdict that was recorded\n",
            self.judged, self.correct, self.changed
        );
        if self.kept > 0 {
            text += &format!("{} completions had a verdict and kept it\n", self.kept);
        }
        if self.stray > 0 {
            text += &format!("{} completions have no text, or no problem: left as they were\n", self.stray);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Verifiers;

    fn problems() -> Vec<Problem> {
        let p = serde_json::json!({ "id": "p", "task": "dice", "prompt": "?", "reference": "1/6" });
        vec![serde_json::from_value(p).unwrap()]
    }

    const LINES: [&str; 5] = [
        r#"{"kind":"problem","id":"p","task":"dice","prompt":"?","reference":"1/6"}"#,
        r#"{"kind":"completion","problem":"p","policy":"base","text":"\\boxed{\\frac{1}{6}}","correct":false}"#,
        r#"{"kind":"completion","problem":"q","text":"x"}"#,
        r#"{"kind":"completion","problem":"p","policy":"base","text":"1/5","correct":null}"#,
        r#"{"kind":"score","problem":"p"}"#,
    ];

    fn graded(grader: &mut Grader) -> Vec<Value> {
        LINES.iter().for_each(|line| grader.take(serde_json::from_str(line).unwrap()));
        let mut out = Vec::new();
        grader.write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(r#"{"kind":"problem","id":"p""#));
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    #[test]
    fn completions_are_judged_again_in_their_order() {
        let mut grader = Grader::new(problems(), Arc::new(Verifiers), false);
        let lines = graded(&mut grader);
        assert_eq!((&lines[1]["answer"], &lines[1]["correct"]), (&"1/6".into(), &true.into()));
        assert_eq!(lines[1]["repairs"], serde_json::json!(["latex-fraction"]));
        assert_eq!((&lines[2]["text"], &lines[2]["correct"]), (&"x".into(), &Value::Null));
        assert_eq!((&lines[3]["answer"], &lines[3]["correct"]), (&"1/5".into(), &false.into()));
        assert_eq!(lines[4]["kind"], "score");
        assert_eq!((grader.judged, grader.correct, grader.changed, grader.stray), (2, 1, 1, 1));
        assert!(grader.summary().starts_with("2 completions judged, 1 correct; 1 differ"));
    }

    #[test]
    fn only_what_is_missing_is_judged_where_that_is_asked() {
        let mut grader = Grader::new(problems(), Arc::new(Verifiers), true);
        let lines = graded(&mut grader);
        assert_eq!((&lines[1]["correct"], lines[1].get("answer")), (&false.into(), None));
        assert_eq!(lines[3]["answer"], "1/5");
        assert_eq!((grader.judged, grader.kept), (1, 1));
    }

    /// Judges only short texts.
    struct Short;

    impl Judge for Short {
        fn judge(&self, problem: &Problem, texts: &[&str]) -> Vec<Result<Verdict, Unjudged>> {
            let one = |text: &&str| match text.len() {
                0..5 => Ok(crate::problem::judge(problem, text)),
                n => Err(Unjudged(format!("{n} is too long"))),
            };
            texts.iter().map(one).collect()
        }
    }

    #[test]
    fn what_could_not_be_judged_is_copied_and_counted() {
        let mut grader = Grader::new(problems(), Arc::new(Short), false);
        let lines = graded(&mut grader);
        assert_eq!(lines[1], serde_json::from_str::<Value>(LINES[1]).unwrap());
        assert_eq!((grader.judged, grader.unjudged), (1, Some((1, Unjudged("19 is too long".into())))));
    }
}
