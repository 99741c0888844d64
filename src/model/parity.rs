//! Both decoders against transformers, and the tokenizer against `tokenizers`, on what
//! `tests/parity/models.py` wrote.

use super::decoder::Cache;
use super::engine::Level;
use super::*;
use crate::random::Stream;
use candle_core::{Device, Tensor};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Expected {
    tokens: Vec<u32>,
    /// After the token of each position.
    logits: BTreeMap<usize, Vec<f32>>,
    prompt: Vec<u32>,
    greedy: Vec<u32>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

fn models() -> Vec<(String, LocalModel, Expected)> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder().join("models")).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let expected = std::fs::read(path.join("expected.json")).unwrap();
        let tokenizer = local::tests::tiny_tokenizer();
        let config = local::read(&path, "config.json").unwrap();
        let model = LocalModel::from_files(&path, &config, tokenizer.as_bytes()).unwrap();
        (name, model, serde_json::from_slice(&expected).unwrap())
    };
    all.into_iter().map(read).collect()
}

fn close(name: &str, found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len());
    let off = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off < 1e-3, "{name}: {off} off");
}

/// Keeps the tokens of the one completion.
#[derive(Default)]
struct Keep(Vec<u32>);

impl Observer for Keep {
    fn finished(&mut self, completion: Generated) {
        self.0 = completion.tokens.iter().map(|t| t.id).collect();
    }

    fn stepped(&mut self, _: usize, _: Option<Running<'_>>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn greedy(generator: &dyn Generator, expected: &Expected) -> Vec<u32> {
    let sampling = Sampling { temperature: 0.0, max_tokens: expected.greedy.len(), ..Sampling::default() };
    let request = Request {
        prompt: &expected.prompt,
        indices: 0..1,
        stream: Stream::new(0),
        sampling: &sampling,
        stop: &[],
    };
    let mut keep = Keep::default();
    generator.generate(&request, &mut keep).unwrap();
    keep.0
}

#[test]
fn logits_and_greedy_tokens_equal_those_of_transformers() {
    let models = models();
    assert!(models.len() >= 12, "{} models", models.len());
    for (name, model, expected) in models {
        let decoder = Decoder::new(&model.config, &model.weights).unwrap();
        let row = Tensor::new(expected.tokens.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let logits = decoder.forward(&row, &mut Cache::default()).unwrap().squeeze(0).unwrap();
        let logits: Vec<Vec<f32>> = logits.to_vec2().unwrap();
        for (at, wanted) in &expected.logits {
            close(&format!("{name}, candle"), &logits[*at], wanted);
        }
        assert_eq!(greedy(&decoder, &expected), expected.greedy, "{name}, candle");
        for level in Level::all() {
            let engine = Engine::with_level(&model.config, &model.weights, level).unwrap();
            let extent = expected.tokens.len();
            for (at, wanted) in &expected.logits {
                let name = format!("{name}, {}", level.name());
                close(&name, &engine.logits_after(&expected.tokens[..=*at], extent), wanted);
            }
            assert_eq!(greedy(&engine, &expected), expected.greedy, "{name}, {}", level.name());
        }
    }
}

#[test]
fn every_family_and_scaling_is_among_them() {
    let models = models();
    for architecture in config::Architecture::ALL {
        assert!(models.iter().any(|(_, m, _)| m.config.architecture == architecture), "{architecture:?}");
    }
    use config::Scaling;
    let scaled = |is: fn(&Scaling) -> bool| models.iter().any(|(_, m, _)| is(&m.config.rope_scaling));
    assert!(scaled(|s| matches!(s, Scaling::Llama3 { .. })));
    assert!(scaled(|s| matches!(s, Scaling::Yarn { .. })));
    assert!(scaled(|s| matches!(s, Scaling::Linear { .. })));
    assert!(scaled(|s| matches!(s, Scaling::LongRope { .. })));
    assert!(models.iter().any(|(_, m, _)| m.config.window(0).is_none() && m.config.window(1).is_some()));
}

#[test]
fn texts_become_the_tokens_of_tokenizers_and_come_back() {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        tokenizer: serde_json::Value,
        texts: Vec<Text>,
    }
    #[derive(Deserialize)]
    struct Text {
        text: String,
        ids: Vec<u32>,
        decoded: String,
    }
    let file = std::fs::read(folder().join("tokenizers.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&file).unwrap();
    assert_eq!(cases.len(), 3);
    for Case { name, tokenizer, texts } in cases {
        let tokenizer = Tokenizer::from_json(tokenizer.to_string().as_bytes(), &name).unwrap();
        for Text { text, ids, decoded } in texts {
            assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{name}: {text:?}");
            assert_eq!(tokenizer.decode(&ids), decoded, "{name}: {text:?}");
        }
    }
}

mod gguf;
