//! `leash grade`: judges the completions of a recording, whatever verdicts it holds.

use super::print;
use crate::cli::GradeArgs;
use crate::problem::{Problem, judge};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};

/// A line as it is written: what it is first.
#[derive(Serialize)]
struct Line {
    kind: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Copies a recording with our verdicts in it: answer, rule, repairs, correct, method, sound.
///
/// # Errors
/// A file that cannot be read or written, or a line that is no JSON object.
pub fn run(args: &GradeArgs) -> Result<()> {
    let (from, to) = (args.file.display(), args.output.display());
    if args.output.exists() {
        bail!("{to} is there already; name a new file, nothing is written over");
    }
    let input = File::open(&args.file).with_context(|| format!("{from} cannot be read"))?;
    let output = File::create_new(&args.output).with_context(|| format!("{to} cannot be written"))?;
    let mut output = BufWriter::new(output);
    let mut grader = Grader::default();
    let mut input = BufReader::new(input);
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        let read =
            input.read_line(&mut text).with_context(|| format!("{from}, line {number} cannot be read"))?;
        if read == 0 {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        let line = match serde_json::from_str::<Map<String, Value>>(&text) {
            Ok(line) => line,
            // A recording may end in the middle of a line.
            Err(_) if !text.ends_with('\n') => break,
            Err(e) => return Err(e).with_context(|| format!("{from}, line {number} is no JSON object")),
        };
        let line = grader.grade(line);
        serde_json::to_writer(&mut output, &line).with_context(|| format!("{to} cannot be written"))?;
        output.write_all(b"\n")?;
    }
    output.flush().with_context(|| format!("{to} cannot be written"))?;
    print(&grader.summary())?;
    Ok(())
}

#[derive(Default)]
struct Grader {
    problems: HashMap<String, Problem>,
    judged: u64,
    correct: u64,
    changed: u64,
    stray: u64,
}

impl Grader {
    fn grade(&mut self, mut line: Map<String, Value>) -> Line {
        let kind = match line.remove("kind") {
            Some(Value::String(kind)) => kind,
            _ => String::new(),
        };
        match kind.as_str() {
            "problem" => {
                if let Ok(problem) = serde_json::from_value::<Problem>(Value::Object(line.clone())) {
                    self.problems.insert(problem.id.clone(), problem);
                }
            }
            "completion" => self.completion(&mut line),
            _ => {}
        }
        Line { kind, rest: line }
    }

    fn completion(&mut self, line: &mut Map<String, Value>) {
        let problem = line.get("problem").and_then(Value::as_str).and_then(|id| self.problems.get(id));
        let Some((problem, text)) = problem.zip(line.get("text").and_then(Value::as_str)) else {
            self.stray += 1;
            return;
        };
        let verdict = judge(problem, text);
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
        if self.stray > 0 {
            text += &format!(
                "{} completions have no text, or no problem before them: left as they were\n",
                self.stray
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completions_are_judged_again_by_the_problem_that_stands_before_them() {
        let mut grader = Grader::default();
        let mut line = |text: &str| {
            let line = grader.grade(serde_json::from_str(text).unwrap());
            serde_json::to_string(&line).unwrap()
        };
        let problem = r#"{"kind":"problem","id":"p","task":"dice","prompt":"?","reference":"1/6"}"#;
        assert!(line(problem).starts_with(r#"{"kind":"problem","id":"p""#));
        let graded = line(
            r#"{"kind":"completion","problem":"p","policy":"base","text":"\\boxed{\\frac{1}{6}}","correct":false}"#,
        );
        let graded: Value = serde_json::from_str(&graded).unwrap();
        assert_eq!((&graded["answer"], &graded["correct"]), (&"1/6".into(), &true.into()));
        assert_eq!(graded["repairs"], serde_json::json!(["latex-fraction"]));
        let stray = r#"{"kind":"completion","problem":"q","text":"x"}"#;
        assert!(line(stray).contains("\"text\":\"x\""));
        assert_eq!((grader.judged, grader.correct, grader.changed, grader.stray), (1, 1, 1, 1));
        assert!(grader.summary().starts_with("1 completions judged, 1 correct; 1 differ"));
    }
}
