//! A recording as a policy: it gives the completions that were drawn.

use super::{Policy, PolicyError, Request, Sink};
use crate::completion::Completion;
use crate::record::{RecordError, Recording};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The completions of one policy of a recording, in memory. The sampling that is asked
/// for is not looked at: what was drawn was drawn.
#[derive(Clone, Debug)]
pub struct Recorded {
    name: String,
    spec: String,
    /// By problem id and index.
    completions: HashMap<String, BTreeMap<u32, Completion>>,
}

impl Recorded {
    /// Reads one policy of the recording at `path`, to be called `name`: the one that the
    /// recording calls `which`; without it the one called `name`, else the first of the
    /// role `base` or `rlvr` that the name begins with, else the only one.
    ///
    /// # Errors
    /// A file that cannot be read, a wrong line, or no such policy.
    pub fn open(path: &Path, which: Option<&str>, name: &str) -> Result<Self, PolicyError> {
        let failed = |reason: String| PolicyError::Source { policy: name.to_owned(), reason };
        let unread = |e: RecordError| failed(e.to_string());
        let recording = Recording::open(path).map_err(unread)?;
        let all = &recording.run.policies;
        let chosen = match which {
            Some(which) => all.iter().position(|p| p.name == which),
            None => all
                .iter()
                .position(|p| p.name == name)
                .or_else(|| all.iter().position(|p| name.starts_with(&p.role)))
                .or_else(|| (all.len() == 1).then_some(0)),
        };
        let Some(chosen) = chosen else {
            let names: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
            let path = path.display();
            return Err(failed(format!(
                "{path} has no such policy; write {path}#NAME with one of: {}",
                names.join(", ")
            )));
        };
        let mut completions: HashMap<String, BTreeMap<u32, Completion>> = HashMap::new();
        for drawn in recording.completions().map_err(unread)? {
            let drawn = drawn.map_err(unread)?;
            if drawn.policy == chosen {
                let id = recording.problems[drawn.problem].id.clone();
                let index = drawn.completion.index;
                completions.entry(id).or_default().entry(index).or_insert(drawn.completion);
            }
        }
        let spec = format!("{}#{}", path.display(), all[chosen].name);
        Ok(Self { name: name.to_owned(), spec, completions })
    }
}

impl Policy for Recorded {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> &str {
        &self.spec
    }

    fn sample(&self, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError> {
        let failed = |reason: String| PolicyError::Source { policy: self.name.clone(), reason };
        if !request.prefix.text.is_empty() {
            return Err(failed(format!("{} is a recording: it holds no model that could go on", self.spec)));
        }
        let id = &request.problem.id;
        let Some(recorded) = self.completions.get(id) else {
            return Err(failed(format!("{} has no completion of problem {id}", self.spec)));
        };
        for index in request.indices.clone() {
            let Some(completion) = recorded.get(&index) else {
                return Err(failed(format!(
                    "{} has {} completions of problem {id}, and number {index} is not among them",
                    self.spec,
                    recorded.len()
                )));
            };
            let tokens = completion.length.unwrap_or(0) as usize;
            sink.finished(completion.clone());
            if sink.stepped(tokens, &|| None).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sampling;
    use crate::policy::Partial;
    use std::ops::ControlFlow;

    struct Keep(Vec<String>);

    impl Sink for Keep {
        fn finished(&mut self, completion: Completion) {
            self.0.push(completion.text);
        }
        fn stepped(&mut self, _: usize, _: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
            if self.0.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
    }

    const FILE: &str = r##"{"kind":"run","version":1,"policies":[{"name":"q","role":"base"},{"name":"late","role":"rlvr"}]}
{"kind":"problem","id":"p","prompt":"?"}
{"kind":"completion","problem":"p","policy":"q","index":1,"text":"b"}
{"kind":"completion","problem":"p","policy":"q","index":0,"text":"a"}
{"kind":"completion","problem":"p","policy":"q","index":2,"text":"c"}
{"kind":"completion","problem":"p","policy":"late","index":0,"text":"z"}
"##;

    #[test]
    fn a_recording_gives_what_it_has_and_says_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        std::fs::write(&path, FILE).unwrap();
        let problem = crate::record::read_problems(&path).unwrap().remove(0);
        let sampling = Sampling::default();
        let ask = |policy: &Recorded, indices| {
            let mut keep = Keep(Vec::new());
            let result = policy.sample(&Request::new(&problem, indices, &sampling), &mut keep);
            (keep.0, result.map_err(|e| e.to_string()))
        };
        let base = Recorded::open(&path, None, "base").unwrap();
        assert_eq!(ask(&base, 0..3), (vec!["a".into(), "b".into()], Ok(())));
        let (got, error) = ask(&base, 2..9);
        assert_eq!(got, ["c"]);
        assert!(error.unwrap_err().contains("number 3 is not among them"));
        let rlvr = Recorded::open(&path, None, "rlvr").unwrap();
        assert_eq!(ask(&rlvr, 0..1).0, ["z"]);
        assert_eq!(ask(&Recorded::open(&path, Some("q"), "rlvr").unwrap(), 0..1).0, ["a"]);
        let lacking = Recorded::open(&path, Some("x"), "rlvr").unwrap_err().to_string();
        assert!(lacking.contains("q, late"), "{lacking}");
    }
}
