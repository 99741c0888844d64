//! Plain JSON lines, CSV and parquet: which field is what is told on the command line, or
//! guessed by its name.

use super::json::{Object, completion, count, expected, number, plain, prompt};
use super::row::{Row, Sample};
use serde_json::Value;

/// Which field of a file is what, as `--map prompt=question,text=response` says. A name with
/// dots goes into objects, as in `meta.level`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mapping(Vec<(&'static str, String)>);

/// What can be mapped, with the names that are looked for where nothing is.
const KNOWN: [(&str, &[&str]); 10] = [
    ("prompt", &["prompt", "question", "problem", "input", "query"]),
    (
        "text",
        &[
            "text",
            "response",
            "completion",
            "output",
            "generation",
            "responses",
            "completions",
            "outputs",
            "generations",
        ],
    ),
    ("id", &["id", "problem_id", "task_id", "example_id", "idx"]),
    ("reference", &["reference", "target", "ground_truth", "gold", "expected_answer", "solution", "answer"]),
    ("score", &["score", "reward", "scores", "rewards"]),
    ("correct", &["correct", "is_correct", "passed"]),
    ("answer", &["pred", "prediction", "extracted_answer", "model_answer", "preds"]),
    ("policy", &["policy"]),
    ("task", &["task", "task_name"]),
    ("tokens", &["tokens", "num_tokens", "output_tokens"]),
];

impl Mapping {
    /// Reads `what=field,…`.
    ///
    /// # Errors
    /// What can not be mapped, is mapped twice, or lacks its field.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all: Vec<(&'static str, String)> = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (what, field) = pair.split_once('=').ok_or_else(|| {
                format!("{pair:?} is no mapping; write what=field, as in prompt=question,text=response")
            })?;
            let known = KNOWN.iter().find(|(name, _)| *name == what.trim()).map(|(name, _)| *name);
            let known = known.ok_or_else(|| {
                let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
                format!("{:?} can not be mapped; these can: {}", what.trim(), names.join(", "))
            })?;
            if all.iter().any(|(name, _)| *name == known) {
                return Err(format!("{known} is mapped twice"));
            }
            all.push((known, field.trim().to_owned()));
        }
        Ok(Self(all))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether lines with these fields can be read: one is the prompt, and one the text or,
    /// as far as problems alone are something, the reference.
    pub(super) fn fits(&self, fields: &[String]) -> bool {
        let has = |what: &str| {
            let names = KNOWN.iter().find(|(name, _)| *name == what).map(|(_, names)| *names);
            let told = self.told(what).is_some();
            told || names.unwrap_or_default().iter().any(|n| fields.iter().any(|f| f == n))
        };
        has("prompt") && (has("text") || has("reference"))
    }

    fn told(&self, what: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == what).map(|(_, field)| field.as_str())
    }

    /// The field that is `what`, with its name. `taken` are names that mean something else
    /// already.
    fn field<'a>(&'a self, line: &'a Object, what: &str, taken: &[&str]) -> (&'a str, Option<&'a Value>) {
        if let Some(name) = self.told(what) {
            let whole = line.get(name);
            let inside = || {
                let mut parts = name.split('.');
                let first = line.get(parts.next()?)?;
                parts.try_fold(first, |value, part| value.get(part))
            };
            return (name, whole.or_else(inside));
        }
        let names = KNOWN.iter().find(|(name, _)| *name == what).map_or(&[][..], |(_, names)| *names);
        let free = names.iter().filter(|n| !taken.contains(n) && !self.0.iter().any(|(_, f)| f == *n));
        free.filter_map(|name| Some((*name, line.get(*name)?))).find(|(_, v)| !v.is_null()).map_or_else(
            || (names.first().copied().unwrap_or_default(), None),
            |(name, value)| (name, Some(value)),
        )
    }

    /// A line: a problem with one completion, with a list of them, or with none.
    pub(super) fn row(&self, line: &Object) -> Result<Row, String> {
        let (prompt_name, asked) = self.field(line, "prompt", &[]);
        let (text_name, texts) = self.field(line, "text", &[prompt_name]);
        let (reference_name, reference) = self.field(line, "reference", &[prompt_name, text_name]);
        let pick = |what| self.field(line, what, &[prompt_name, text_name, reference_name]);
        let (score_name, scores) = pick("score");
        let (correct_name, corrects) = pick("correct");
        let (answer_name, answers) = pick("answer");
        let (tokens_name, tokens) = pick("tokens");
        let ([id, policy, task], mut used) = {
            let all = ["id", "policy", "task"].map(pick);
            let used: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            let read = |(name, value): (&str, Option<&Value>)| plain(name, value);
            let [id, policy, task] = all.map(read);
            ([id?, policy?, task?], used)
        };
        used.extend([
            prompt_name,
            text_name,
            reference_name,
            score_name,
            correct_name,
            answer_name,
            tokens_name,
        ]);
        let prompt = prompt(prompt_name, asked)?;
        let mut completions = Vec::new();
        for (i, text) in several(texts).iter().enumerate() {
            let nth = |value: Option<&'_ Value>| -> Option<Value> {
                match value {
                    Some(Value::Array(all)) => all.get(i).cloned(),
                    value => value.cloned(),
                }
            };
            completions.push(Sample {
                text: completion(text_name, Some(text))?,
                answer: plain(answer_name, nth(answers).as_ref())?,
                score: number(score_name, nth(scores).as_ref())?,
                correct: number(correct_name, nth(corrects).as_ref())?.map(|c| c >= 1.0),
                tokens: count(nth(tokens).as_ref()),
                ..Sample::default()
            });
        }
        if texts.is_none() && self.told("text").is_some() {
            return Err(expected(text_name, "a text", None));
        }
        let reference = match reference {
            Some(Value::Array(all)) => plain(reference_name, all.first())?,
            other => plain(reference_name, other)?,
        };
        let rest = line.iter().filter(|(k, v)| !used.contains(&k.as_str()) && !v.is_null());
        Ok(Row {
            id,
            prompt,
            reference,
            task,
            metadata: rest.map(|(k, v)| (k.clone(), v.clone())).collect(),
            policy,
            completions,
        })
    }

    /// Whether a line may name its policy.
    pub(super) fn has_policy(&self, fields: &[String]) -> bool {
        self.told("policy").is_some() || fields.iter().any(|f| f == "policy")
    }
}

/// The completions of a field: a list of texts is several; a list of messages is one.
fn several(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(all)) if !all.iter().all(Value::is_object) || all.is_empty() => all,
        Some(one) => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(map: &str, line: Value) -> Result<Row, String> {
        Mapping::parse(map).unwrap().row(line.as_object().unwrap())
    }

    #[test]
    fn fields_are_mapped_or_guessed() {
        let line =
            json!({"question": "2+2?", "response": ["4", "5"], "answer": 4, "scores": [1, 0], "level": 3});
        let guessed = row("", line).unwrap();
        assert_eq!((guessed.prompt.as_str(), guessed.reference.as_deref()), ("2+2?", Some("4")));
        let scores: Vec<_> = guessed.completions.iter().map(|c| (c.text.as_str(), c.score)).collect();
        assert_eq!(scores, [("4", Some(1.0)), ("5", Some(0.0))]);
        assert_eq!(guessed.metadata, json!({"level": 3}).as_object().unwrap().clone());
        let line = json!({"q": {"text": "2+2?"}, "out": "4", "gold": "4", "model": "m", "ok": "True"});
        let told = row("prompt=q.text, text=out,policy=model,correct=ok", line).unwrap();
        assert_eq!((told.prompt.as_str(), told.policy.as_deref()), ("2+2?", Some("m")));
        assert_eq!(told.completions[0].correct, Some(true));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(Mapping::parse("prompt").unwrap_err().contains("what=field"));
        assert!(Mapping::parse("pormpt=q").unwrap_err().contains("these can: prompt, text"));
        assert!(Mapping::parse("text=a,text=b").unwrap_err().contains("twice"));
        let lacking = row("text=out", json!({"prompt": "?"})).unwrap_err();
        assert_eq!(lacking, "out: a text is expected, and there is no such field");
        assert!(
            row("", json!({"prompt": 3, "text": "x"})).unwrap_err().starts_with("prompt: a text or a list")
        );
        assert!(
            row("", json!({"prompt": "?", "text": "x", "score": {"a": 1}}))
                .unwrap_err()
                .contains("a number is expected")
        );
    }
}
