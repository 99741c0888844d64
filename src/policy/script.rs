//! A scripted policy: given texts with given weights, at a given pace. For tests, and to
//! show the interface without a model.
//!
//! On the command line it is `script:FILE`, with a file like
//!
//! ```json
//! {"texts": [{"text": " #### {reference}", "weight": 3}, {"text": " #### 1"}],
//!  "batch": 8, "step_ms": 5, "trouble": {"index": 40, "how": "panic"}}
//! ```
//!
//! `{reference}` stands for the problem's reference answer. A text's words are its tokens;
//! the choice between the texts is made at the first token.

use super::{Partial, Policy, PolicyError, Request, Sink};
use crate::completion::{Completion, Finish, Token};
use crate::random::Stream;
use serde::Deserialize;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// What a scripted policy does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    pub texts: Vec<Line>,
    /// Completions drawn side by side, one token each a step.
    #[serde(default = "one_by_one")]
    pub batch: usize,
    /// How long a step takes, milliseconds.
    #[serde(default)]
    pub step_ms: u64,
    #[serde(default)]
    pub trouble: Option<Trouble>,
}

/// One text of a script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub text: String,
    /// Its probability, up to a common factor.
    #[serde(default = "even")]
    pub weight: f64,
}

/// Goes wrong instead of drawing one completion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// Which completion.
    pub index: u32,
    /// Of which problem, by id; of any if not said.
    #[serde(default)]
    pub problem: Option<String>,
    pub how: How,
}

/// The way in which it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// The policy reports an error.
    Fail,
    /// The thread panics.
    Panic,
}

/// A policy that follows a [`Script`].
#[derive(Clone, Debug)]
pub struct Scripted {
    name: String,
    spec: String,
    script: Script,
}

impl Script {
    /// Reads a script from a JSON file.
    ///
    /// # Errors
    /// A file that cannot be read or is no script.
    pub fn from_file(path: &Path) -> Result<Self, PolicyError> {
        let failed =
            |reason: String| PolicyError::Source { policy: format!("script:{}", path.display()), reason };
        let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
        serde_json::from_str(&text).map_err(|e| failed(format!("not a script: {e}")))
    }
}

impl Scripted {
    /// A policy of this name. `spec` is where it comes from, as on the command line.
    ///
    /// # Errors
    /// A script without texts, or with weights that are negative, not finite or all 0.
    pub fn new(name: &str, spec: &str, script: Script) -> Result<Self, PolicyError> {
        let weights = || script.texts.iter().map(|l| l.weight);
        if weights().any(|w| !w.is_finite() || w < 0.0) || weights().sum::<f64>() <= 0.0 {
            let reason = "a script needs texts whose weights are not negative and not all 0".to_owned();
            return Err(PolicyError::Source { policy: name.to_owned(), reason });
        }
        Ok(Self { name: name.to_owned(), spec: spec.to_owned(), script })
    }

    /// The whole of completion `index`, and its tokens' texts.
    fn draw(&self, request: &Request<'_>, index: u32) -> (Completion, Vec<String>) {
        let weights = self.weights(request);
        let total: f64 = weights.iter().sum();
        let key = Stream::new(request.sampling.seed).with(&self.name).with(&request.problem.id);
        let choice = key.at(u64::from(index)).weighted(&weights);
        let text = self.text(choice, request);
        let drawn = text.strip_prefix(request.prefix.text).unwrap_or(&text);
        let mut words: Vec<String> = drawn.split_inclusive(char::is_whitespace).map(str::to_owned).collect();
        words.push(String::new());
        let finish = if words.len() > request.sampling.max_tokens { Finish::Length } else { Finish::Stop };
        words.truncate(request.sampling.max_tokens);
        let surprise = |w: &f64| (w / total).ln();
        let entropy = -weights.iter().filter(|w| **w > 0.0).map(|w| w / total * surprise(w)).sum::<f64>();
        let token = |at: usize| match at {
            0 => Token {
                id: choice as u32,
                logprob: surprise(&weights[choice]) as f32,
                entropy: entropy as f32,
            },
            _ => Token { id: at as u32, logprob: 0.0, entropy: 0.0 },
        };
        let trace = (0..words.len()).map(token).collect();
        let whole = format!("{}{}", request.prefix.text, words.concat());
        (Completion::traced(index, whole, trace, finish), words)
    }

    /// A text of the script, filled in.
    fn text(&self, choice: usize, request: &Request<'_>) -> String {
        let reference = request.problem.reference.as_deref().unwrap_or("");
        self.script.texts[choice].text.replace("{reference}", reference)
    }

    /// The weights of the texts, given the prefix: 0 for those that do not begin with it.
    fn weights(&self, request: &Request<'_>) -> Vec<f64> {
        let begins = |i: usize| self.text(i, request).starts_with(request.prefix.text);
        let weight = |(i, line): (usize, &Line)| if begins(i) { line.weight } else { 0.0 };
        self.script.texts.iter().enumerate().map(weight).collect()
    }

    fn go_wrong(&self, request: &Request<'_>, index: u32) -> Result<(), PolicyError> {
        let due =
            |t: &&Trouble| t.index == index && t.problem.as_ref().is_none_or(|id| *id == request.problem.id);
        match self.script.trouble.as_ref().filter(due).map(|t| t.how) {
            None => Ok(()),
            Some(How::Fail) => Err(PolicyError::Source {
                policy: self.name.clone(),
                reason: format!("the script fails at completion {index}"),
            }),
            Some(How::Panic) => panic!("the script panics at completion {index}"),
        }
    }
}

impl Policy for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> &str {
        &self.spec
    }

    fn sample(&self, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError> {
        struct Row {
            completion: Completion,
            words: Vec<String>,
            written: usize,
        }
        if self.weights(request).iter().sum::<f64>() <= 0.0 {
            let reason = format!("no text of the script begins with {:?}", request.prefix.text);
            return Err(PolicyError::Source { policy: self.name.clone(), reason });
        }
        let mut waiting = request.indices.clone();
        let mut rows: Vec<Row> = Vec::new();
        loop {
            for index in waiting.by_ref().take(self.script.batch.max(1) - rows.len()) {
                self.go_wrong(request, index)?;
                let (completion, words) = self.draw(request, index);
                rows.push(Row { completion, words, written: 0 });
            }
            if rows.is_empty() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(self.script.step_ms));
            let drawn = rows.len();
            rows.iter_mut().for_each(|row| row.written += 1);
            for row in rows.extract_if(.., |row| row.written >= row.words.len()) {
                sink.finished(row.completion);
            }
            let partial = || {
                let row = rows.first()?;
                Some(Partial { index: row.completion.index, text: row.words[..row.written].concat() })
            };
            if sink.stepped(drawn, &partial) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
    }
}

fn one_by_one() -> usize {
    1
}

fn even() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sampling;
    use crate::problem::Problem;

    struct Keep(Vec<Completion>, usize);

    impl Sink for Keep {
        fn finished(&mut self, completion: Completion) {
            self.0.push(completion);
        }
        fn stepped(&mut self, drawn: usize, _: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
            self.1 += drawn;
            ControlFlow::Continue(())
        }
    }

    fn drawn(script: &str, indices: std::ops::Range<u32>, sampling: &Sampling) -> Keep {
        let policy = Scripted::new("base", "script:x", serde_json::from_str(script).unwrap()).unwrap();
        let problem = Problem {
            id: "p".into(),
            task: None,
            prompt: "?".into(),
            reference: Some("42".into()),
            metadata: serde_json::Map::new(),
        };
        let mut keep = Keep(Vec::new(), 0);
        policy.sample(&Request::new(&problem, indices, sampling), &mut keep).unwrap();
        keep.0.sort_by_key(|c| c.index);
        keep
    }

    const TWO: &str = r#"{"texts":[{"text":"so #### {reference}","weight":3},{"text":"no"}],"batch":BATCH}"#;

    #[test]
    fn texts_come_by_their_weights_whatever_the_batch() {
        let all = drawn(&TWO.replace("BATCH", "1"), 0..4000, &Sampling::default());
        let right = all.0.iter().filter(|c| c.text == "so #### 42").count();
        assert!((right as f64 / 4000.0 - 0.75).abs() < 0.03);
        assert_eq!(all.1, all.0.iter().map(|c| c.length.unwrap() as usize).sum::<usize>());
        let batched = drawn(&TWO.replace("BATCH", "7"), 0..4000, &Sampling::default());
        assert_eq!(all.0, batched.0);
        let tail = drawn(&TWO.replace("BATCH", "7"), 3000..4000, &Sampling::default());
        assert_eq!(all.0[3000..], tail.0);
    }

    #[test]
    fn a_trace_says_how_likely_the_text_was() {
        let all = drawn(&TWO.replace("BATCH", "1"), 0..50, &Sampling::default());
        for c in all.0 {
            let p: f64 = if c.text == "no" { 0.25 } else { 0.75 };
            assert!((c.logprob.unwrap() - p.ln()).abs() < 1e-6);
            assert_eq!(c.finish, Finish::Stop);
        }
        let cut =
            drawn(&TWO.replace("BATCH", "1"), 0..50, &Sampling { max_tokens: 2, ..Sampling::default() });
        assert!(cut.0.iter().any(|c| c.text == "so #### " && c.finish == Finish::Length));
    }

    #[test]
    fn given_words_are_gone_on_from() {
        let policy: Script =
            serde_json::from_str(r#"{"texts":[{"text":"one a"},{"text":"one b"},{"text":"two"}],"batch":4}"#)
                .unwrap();
        let policy = Scripted::new("base", "script:x", policy).unwrap();
        let problem = Problem {
            id: "p".into(),
            task: None,
            prompt: "?".into(),
            reference: None,
            metadata: serde_json::Map::new(),
        };
        let sampling = Sampling::default();
        let given = |text| Request {
            prefix: crate::policy::Prefix { text, tokens: &[] },
            ..Request::new(&problem, 0..200, &sampling)
        };
        let mut keep = Keep(Vec::new(), 0);
        policy.sample(&given("one "), &mut keep).unwrap();
        let ends = |with: &str| keep.0.iter().filter(|c| c.text == with).count();
        assert_eq!(ends("one a") + ends("one b"), 200);
        assert!(ends("one a") > 60 && ends("one b") > 60);
        // What was given was not drawn.
        assert!(keep.0.iter().all(|c| c.length == Some(2)));
        assert!(policy.sample(&given("three"), &mut keep).is_err());
    }

    #[test]
    fn a_script_that_cannot_be_followed_is_refused() {
        for text in [
            r#"{"texts":[]}"#,
            r#"{"texts":[{"text":"a","weight":0}]}"#,
            r#"{"texts":[{"text":"a","weight":-1}]}"#,
        ] {
            assert!(Scripted::new("base", "s", serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
        let missing = Script::from_file(Path::new("/nowhere/script.json")).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/script.json"));
    }
}
