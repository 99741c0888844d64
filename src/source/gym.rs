//! Reasoning Gym's HTTP server: an experiment's items as problems, and its scores as
//! verdicts.

use super::SourceError;
use crate::completion::clean;
use crate::problem::tasks;
use crate::problem::{self, Judge, Problem, Rule, Unjudged, Verdict, extract};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use ureq::Agent;

/// One request takes so long at most: some families take long to make or score an item.
const LIMIT: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(10);

/// An answer of the server has so many bytes at most.
const BODY: u64 = 64 << 20;

/// Items, and answers, of one request.
const BATCH: u32 = 50;

/// Holds the server's key, as for the server itself.
const KEY: &str = "REASONING_GYM_API_KEY";

/// An experiment of a server.
#[derive(Debug)]
pub struct Gym {
    agent: Agent,
    /// `http://host:port`
    server: String,
    experiment: String,
    key: Option<String>,
}

impl Gym {
    /// The experiment at `http://host:port/experiments/NAME`. The key is that of the
    /// environment, `REASONING_GYM_API_KEY`.
    ///
    /// # Errors
    /// An address that names no experiment; it says which there are.
    pub fn new(url: &str) -> Result<Self, SourceError> {
        let config = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .timeout_connect(Some(CONNECT))
            .http_status_as_error(false)
            // The key is for this server alone.
            .max_redirects(0);
        let url = url.trim_end_matches('/');
        let (server, path) = url.split_once("/experiments").unwrap_or((url, ""));
        let gym = Self {
            agent: config.build().new_agent(),
            server: server.to_owned(),
            experiment: path.trim_start_matches('/').to_owned(),
            key: std::env::var(KEY).ok().filter(|k| !k.is_empty()),
        };
        if gym.experiment.is_empty() || gym.experiment.contains(['/', '?', '#']) {
            let there = gym.experiments().map_err(|reason| gym.wrong(reason))?;
            return Err(gym.wrong(format!(
                "the address names no experiment; write {server}/experiments/NAME. {there}"
            )));
        }
        Ok(gym)
    }

    /// The experiment's first `count` items.
    ///
    /// # Errors
    /// A server that does not answer as it should, or that has no such experiment.
    pub fn problems(&self, count: u32) -> Result<Vec<Problem>, SourceError> {
        let mut problems = Vec::new();
        while (problems.len() as u32) < count {
            let base = problems.len() as u32;
            let size = BATCH.min(count - base);
            let path = format!("/experiments/{}/batch?base_index={base}&batch_size={size}", self.experiment);
            let batch: Batch = self.get(&path).map_err(|reason| self.wrong(reason))?;
            if batch.entries.len() != size as usize {
                let reason = format!("it gave {} items where {size} were asked for", batch.entries.len());
                return Err(self.wrong(reason));
            }
            problems.extend(batch.entries.into_iter().map(|e| e.problem(&self.experiment)));
        }
        let mut ids: Vec<&str> = problems.iter().map(|p| p.id.as_str()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(self.wrong(format!("two of its items have the id {}", pair[0]))),
            None => Ok(problems),
        }
    }

    fn wrong(&self, reason: String) -> SourceError {
        let url = format!("{}/experiments/{}", self.server, self.experiment);
        SourceError::Server { url: url.trim_end_matches('/').to_owned(), reason }
    }

    /// Which experiments the server has, as a sentence.
    fn experiments(&self) -> Result<String, String> {
        let list: Experiments = self.get("/experiments")?;
        Ok(match list.experiments.is_empty() {
            true => "The server has none yet".to_owned(),
            false => clean(&format!("The server has {}", list.experiments.join(", "))),
        })
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let request = self.agent.get(format!("{}{path}", self.server));
        let request = match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        };
        self.read(request.call())
    }

    fn scores(&self, answers: &[Answer<'_>]) -> Result<Vec<f64>, String> {
        let request = self.agent.post(format!("{}/experiments/{}/score", self.server, self.experiment));
        let request = match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        };
        let question = serde_json::to_vec(&Answers { answers }).map_err(|e| e.to_string())?;
        let request = request.content_type("application/json");
        let scores: Scores = self.read(request.send(&question[..]))?;
        let same = scores.entry_ids.iter().eq(answers.iter().map(|a| a.entry_id));
        if scores.scores.len() != answers.len() || !same {
            return Err(format!("it gave other scores than the {} asked for", answers.len()));
        }
        Ok(scores.scores)
    }

    fn read<T: DeserializeOwned>(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, String> {
        let mut response = response.map_err(|e| format!("the server does not answer ({e})"))?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(BODY).read_to_string();
        let body = body.map_err(|e| format!("the answer cannot be read ({e})"))?;
        if status.is_success() {
            return serde_json::from_str(&body)
                .map_err(|e| format!("this is no answer of Reasoning Gym's server ({e})"));
        }
        let detail = match serde_json::from_str::<Refusal>(&body) {
            Ok(Refusal { detail: Value::String(detail) }) => detail,
            Ok(Refusal { detail }) => detail.to_string(),
            Err(_) => body,
        };
        let detail: String = clean(&detail).chars().take(300).collect();
        Err(match (status.as_u16(), &self.key) {
            // Some versions answer a wrong key with an internal error.
            (401 | 403 | 500, None) => format!("it refused ({status}): give its key in {KEY}"),
            (401 | 403 | 500, Some(_)) => {
                format!("it answered {status}: {detail}; is the key in {KEY} right?")
            }
            (404, _) => match self.experiments() {
                Ok(there) => format!("{detail}. {there}"),
                Err(_) => detail,
            },
            _ => format!("it answered {status}: {detail}"),
        })
    }
}

impl Judge for Gym {
    /// Right is a score of 1. The server is asked about the answer that our rules extract;
    /// a text without one is wrong.
    fn judge(&self, problem: &Problem, texts: &[&str]) -> Vec<Result<Verdict, Unjudged>> {
        let failed = |reason: String| {
            Unjudged(format!(
                "{}/experiments/{}: {reason}, at problem {}",
                self.server, self.experiment, problem.id
            ))
        };
        let Some(entry_id) = problem.metadata.get("entry_id").and_then(Value::as_str) else {
            let unknown = failed("the problem is none of this server's; it has no entry_id".to_owned());
            return texts.iter().map(|_| Err(unknown.clone())).collect();
        };
        let mut verdicts: Vec<Result<Verdict, Unjudged>> = Vec::with_capacity(texts.len());
        let mut asked: Vec<(usize, String)> = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            let (verdict, answer) = extracted(problem, text);
            asked.extend(answer.map(|answer| (i, answer)));
            verdicts.push(Ok(verdict));
        }
        for batch in asked.chunks(BATCH as usize) {
            let answers: Vec<Answer<'_>> =
                batch.iter().map(|(_, answer)| Answer { entry_id, answer }).collect();
            let scores = self.scores(&answers).map_err(failed);
            for (at, (i, _)) in batch.iter().enumerate() {
                match (&scores, &mut verdicts[*i]) {
                    (Err(error), verdict) => *verdict = Err(error.clone()),
                    (Ok(scores), Ok(verdict)) => {
                        verdict.correct = scores[at] >= 1.0;
                        verdict.sound = verdict.sound.map(|s| s && verdict.correct);
                    }
                    (Ok(_), Err(_)) => {}
                }
            }
        }
        verdicts
    }
}

/// What we can say of a text without the server, and the answer to ask it about.
fn extracted(problem: &Problem, text: &str) -> (Verdict, Option<String>) {
    const RULES: [Rule; 4] = [Rule::Tag, Rule::Box, Rule::Marker, Rule::LastLine];
    let task = problem.task.as_deref().and_then(tasks::find);
    let ours = task.map_or_else(Verdict::default, |_| problem::judge(problem, text));
    let rules =
        ours.rule.map_or_else(|| task.map_or(RULES.to_vec(), |t| t.rules().to_vec()), |rule| vec![rule]);
    let Some((answer, rule)) = extract::extract_with(text, &rules) else {
        return (Verdict { correct: false, sound: None, ..ours }, None);
    };
    let form = ours.answer.unwrap_or_else(|| answer.clone());
    let verdict = Verdict {
        answer: Some(form),
        rule: Some(rule),
        correct: false,
        method: ours.method,
        ..Verdict::default()
    };
    (verdict, Some(answer))
}

#[derive(Deserialize)]
struct Experiments {
    experiments: Vec<String>,
}

#[derive(Deserialize)]
struct Batch {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    question: String,
    entry_id: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl Entry {
    fn problem(self, experiment: &str) -> Problem {
        let mut metadata = self.metadata;
        let task = metadata.get("source_dataset").and_then(Value::as_str).map(str::to_owned);
        let id = format!("{experiment}/{}", self.entry_id);
        metadata.insert("entry_id".into(), self.entry_id.into());
        Problem { id, task, prompt: self.question, reference: None, metadata }
    }
}

#[derive(Serialize)]
struct Answers<'a> {
    answers: &'a [Answer<'a>],
}

#[derive(Serialize)]
struct Answer<'a> {
    entry_id: &'a str,
    answer: &'a str,
}

#[derive(Deserialize)]
struct Scores {
    scores: Vec<f64>,
    entry_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Refusal {
    detail: Value,
}
