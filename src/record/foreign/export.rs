//! A recording as verifiers' results: `results.jsonl` and `metadata.json`.

use crate::completion::Finish;
use crate::problem::Problem;
use crate::record::{Drawn, RecordError, Recording};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes each policy's completions as verifiers would have saved them, into a folder of
/// its name below `folder`, or into `folder` itself if there is one policy.
///
/// # Errors
/// A recording that cannot be read; files that are there already or cannot be written.
pub fn write_verifiers(recording: &Recording, folder: &Path) -> Result<(), RecordError> {
    let policies = &recording.run.policies;
    let mut results = Vec::new();
    for policy in policies {
        let own: String = policy
            .name
            .chars()
            .map(|c| if c.is_alphanumeric() || "-_.@ ".contains(c) { c } else { '_' })
            .collect();
        let own =
            if policies.len() > 1 { folder.join(own.trim_start_matches('.')) } else { folder.to_owned() };
        results.push(Results::create(own)?);
    }
    for drawn in recording.completions()? {
        match drawn {
            Ok(drawn) => results[drawn.policy].add(&recording.problems[drawn.problem], &drawn)?,
            // It is named by whoever opened the recording.
            Err(RecordError::Line { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    results.into_iter().zip(policies).try_for_each(|(results, policy)| {
        let model = policy.spec.as_deref().unwrap_or(&policy.name);
        results.finish(recording, model)
    })
}

struct Results {
    folder: PathBuf,
    out: BufWriter<File>,
    n: u64,
    reward: f64,
    correct: u64,
    most: u32,
    problems: std::collections::HashSet<usize>,
}

impl Results {
    fn create(folder: PathBuf) -> Result<Self, RecordError> {
        let failed = |source| RecordError::File { path: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let path = folder.join("results.jsonl");
        let out = File::create_new(&path).map_err(|source| RecordError::File { path, source })?;
        let out = BufWriter::new(out);
        Ok(Self { folder, out, n: 0, reward: 0.0, correct: 0, most: 0, problems: Default::default() })
    }

    fn add(&mut self, problem: &Problem, drawn: &Drawn) -> Result<(), RecordError> {
        let given = drawn.given.as_ref().and_then(|g| g.score);
        let correct = f64::from(u8::from(drawn.verdict.correct));
        let reward = given.unwrap_or(correct);
        let mut info = problem.metadata.clone();
        info.insert("id".into(), problem.id.clone().into());
        let mut line = json!({
            "example_id": drawn.problem,
            "prompt": [{"role": "user", "content": problem.prompt}],
            "completion": [{"role": "assistant", "content": drawn.completion.text}],
            "answer": problem.reference.clone().unwrap_or_default(),
            "info": info,
            "task": problem.task.clone().unwrap_or_else(|| "leash".to_owned()),
            "reward": reward,
            "error": null,
            "timing": {"generation_ms": 0.0, "scoring_ms": 0.0, "total_ms": 0.0},
            "is_completed": true,
            "is_truncated": drawn.completion.finish == Finish::Length,
            "stop_condition": null,
            "metrics": {"correct": correct},
            "tool_defs": null,
            "correct": correct,
        });
        if let Some(tokens) = drawn.completion.length {
            line["token_usage"] = json!({"input_tokens": 0.0, "output_tokens": f64::from(tokens)});
        }
        let written = serde_json::to_writer(&mut self.out, &line).map_err(std::io::Error::from);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| RecordError::File { path: self.folder.join("results.jsonl"), source })?;
        self.n += 1;
        self.reward += reward;
        self.correct += u64::from(drawn.verdict.correct);
        self.most = self.most.max(drawn.completion.index.saturating_add(1));
        self.problems.insert(drawn.problem);
        Ok(())
    }

    fn finish(mut self, recording: &Recording, model: &str) -> Result<(), RecordError> {
        let path = self.folder.join("metadata.json");
        let mean = |sum: f64| if self.n == 0 { 0.0 } else { sum / self.n as f64 };
        let known = recording.run.sampling.clone().unwrap_or_default();
        let mut sampling = Map::new();
        for (name, value) in [
            ("temperature", known.temperature.map(Value::from)),
            ("top_p", known.top_p.map(Value::from)),
            ("top_k", known.top_k.map(Value::from)),
            ("max_tokens", known.max_tokens.map(Value::from)),
            ("seed", known.seed.map(Value::from)),
        ] {
            sampling.extend(value.map(|value| (name.to_owned(), value)));
        }
        let metadata = json!({
            "env_id": "leash",
            "env_args": {},
            "model": model,
            "base_url": "",
            "num_examples": self.problems.len(),
            "rollouts_per_example": self.most,
            "sampling_args": sampling,
            "date": "",
            "time_ms": 0.0,
            "time": 0.0,
            "avg_reward": mean(self.reward),
            "avg_metrics": {"correct": mean(self.correct as f64)},
            "avg_error": 0.0,
            "pass_at_k": {},
            "pass_all_k": {},
            "pass_threshold": 1.0,
            "usage": null,
            "version_info": {},
            "state_columns": [],
            "tools": null,
        });
        let text = format!("{metadata:#}\n");
        let flushed = self.out.flush().and_then(|()| File::create_new(&path)?.write_all(text.as_bytes()));
        flushed.map_err(|source| RecordError::File { path, source })
    }
}
