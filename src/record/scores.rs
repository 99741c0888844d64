//! The `score` lines of a recording: how likely recorded completions are under a policy.

use super::RecordError;
use super::reader::is_torn;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A `score` line. The first five fields are needed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The problem's id.
    pub problem: String,
    /// Who drew the completion.
    pub policy: String,
    pub index: u32,
    /// Who scores it: a SPEC.
    pub under: String,
    /// ln p of the whole text, nats; `null` where it is −∞.
    pub logprob: Option<f64>,
    /// Its tokens under the scoring policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
    /// Whether the end of the text is scored too.
    #[serde(default)]
    pub ended: bool,
    /// Whether the tokens may be others than those that the text was drawn in.
    #[serde(default)]
    pub retokenised: bool,
    /// Token by token, to four decimals: what each adds to the text, its log-probability, the
    /// entropy at its place, and the likeliest tokens there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_texts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_logprobs: Vec<Option<f64>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_entropies: Vec<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_tops: Vec<Vec<(String, Option<f64>)>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum LineOut<'a> {
    Score(&'a Score),
}

/// Appends `score` lines to a file, which it locks.
#[derive(Debug)]
pub struct ScoreWriter {
    path: PathBuf,
    to: BufWriter<File>,
}

impl ScoreWriter {
    /// Opens a file, makes it where there is none, and cuts off a torn last line. Also gives
    /// the scores that it holds; lines of other kinds, and wrong ones, are passed over.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that another process is writing.
    pub fn open(path: &Path) -> Result<(Self, Vec<Score>), RecordError> {
        let failed = |source| RecordError::File { path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RecordError::Locked { path: path.to_owned() }),
            // A file system without locks: one writer is then the user's care.
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (mut scores, mut seen) = (Vec::new(), HashSet::new());
        let (mut end, mut line) = (0, Vec::new());
        let mut from = BufReader::with_capacity(1 << 16, &file);
        loop {
            line.clear();
            let n = from.read_until(b'\n', &mut line).map_err(failed)?;
            if n == 0 || is_torn(&line) {
                break;
            }
            end += n as u64;
            if let Some(score) = parsed(&line)
                && seen.insert((
                    score.problem.clone(),
                    score.policy.clone(),
                    score.index,
                    score.under.clone(),
                ))
            {
                scores.push(score);
            }
        }
        let whole = line.is_empty() || line.ends_with(b"\n") || !is_torn(&line);
        if !whole {
            file.set_len(end).map_err(failed)?;
        }
        let last_is_open = end > 0 && !ends_a_line(&mut file, end).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        if last_is_open {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok((Self { path: path.to_owned(), to: BufWriter::with_capacity(1 << 16, file) }, scores))
    }

    /// Appends one score.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn append(&mut self, score: &Score) -> Result<(), RecordError> {
        let written = serde_json::to_vec(&LineOut::Score(score)).map_err(std::io::Error::from);
        let written = written.and_then(|mut line| {
            line.push(b'\n');
            self.to.write_all(&line)
        });
        written.map_err(|source| RecordError::File { path: self.path.clone(), source })
    }

    /// Gives what was appended to the operating system.
    ///
    /// # Errors
    /// A disk that is full or gone.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.to.flush().map_err(|source| RecordError::File { path: self.path.clone(), source })
    }
}

fn parsed(line: &[u8]) -> Option<Score> {
    #[derive(Deserialize)]
    struct Kind {
        kind: Option<String>,
    }
    // Most lines of a recording are of another kind, and long.
    memchr::memmem::find(line, b"\"score\"")?;
    let kind: Kind = serde_json::from_slice(line).ok()?;
    (kind.kind.as_deref() == Some("score")).then(|| serde_json::from_slice(line).ok())?
}

fn ends_a_line(file: &mut File, end: u64) -> std::io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::Start(end - 1))?;
    std::io::Read::read_exact(file, &mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(index: u32) -> Score {
        Score {
            problem: "p".into(),
            policy: "base".into(),
            index,
            under: "embedded:rlvr".into(),
            logprob: Some(-1.5),
            tokens: Some(1),
            ended: true,
            retokenised: false,
            token_texts: vec![" a".into()],
            token_logprobs: vec![Some(-1.5)],
            token_entropies: vec![0.25],
            token_tops: vec![vec![(" b".into(), Some(-0.5))]],
        }
    }

    #[test]
    fn scores_are_written_read_back_and_a_torn_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.jsonl");
        let (mut writer, none) = ScoreWriter::open(&path).unwrap();
        assert_eq!(none, []);
        writer.append(&score(0)).unwrap();
        writer.append(&score(1)).unwrap();
        writer.flush().unwrap();
        assert!(matches!(ScoreWriter::open(&path), Err(RecordError::Locked { .. })));
        drop(writer);
        let whole = std::fs::read(&path).unwrap();
        assert!(whole.starts_with(br#"{"kind":"score","problem":"p","policy":"base","index":0,"under":"#));
        for torn in [&b"{\"kind\":\"score\",\"pro"[..], b"", b"{\"kind\":\"other\"}"] {
            std::fs::write(&path, [&whole, torn].concat()).unwrap();
            let (mut writer, there) = ScoreWriter::open(&path).unwrap();
            assert_eq!(there, [score(0), score(1)]);
            writer.append(&score(2)).unwrap();
            drop(writer);
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.lines().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()), "{text}");
            assert_eq!(ScoreWriter::open(&path).unwrap().1.len(), 3);
        }
    }
}
