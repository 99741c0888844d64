//! The tokenizer of a GGUF file, as the `tokenizer.json` that it was made from.

use super::header::Header;
use crate::model::{ModelError, Tokenizer};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What ends a word in GPT-4's pattern, in front of which Llama 3, Qwen and others differ.
const LETTERS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|";
const REST: &str = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// GPT-4o's words, where upper case begins a new one.
const CASED: [&str; 2] = [
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
];

/// Kinds of tokens, `tokenizer.ggml.token_type`.
const UNKNOWN: u32 = 2;
const CONTROL: u32 = 3;
const USER_DEFINED: u32 = 4;

/// Builds the tokenizer that the file's metadata describes.
///
/// # Errors
/// Metadata that describes none, or one of a kind that is not known.
pub fn tokenizer(header: &Header, origin: &str) -> Result<Tokenizer, ModelError> {
    let tokens = header
        .texts("tokenizer.ggml.tokens")
        .ok_or_else(|| header.bad("has no tokenizer: put the model's tokenizer.json beside it"))?;
    let kinds: Vec<u32> = match header.numbers("tokenizer.ggml.token_type") {
        Some(kinds) if kinds.len() == tokens.len() => kinds.into_iter().map(|k| k as u32).collect(),
        _ => vec![1; tokens.len()],
    };
    let mut vocab = serde_json::Map::with_capacity(tokens.len());
    let mut ids = HashMap::with_capacity(tokens.len());
    for (id, token) in tokens.iter().enumerate() {
        // A token that is there twice keeps its first number.
        ids.entry(&**token).or_insert_with(|| {
            vocab.insert(token.to_string(), id.into());
            id
        });
    }
    let added: Vec<Value> = (tokens.iter().zip(&kinds).enumerate())
        .filter(|(_, (_, kind))| [CONTROL, USER_DEFINED].contains(kind))
        .map(|(id, (token, kind))| {
            json!({"id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                   "normalized": false, "special": *kind == CONTROL})
        })
        .collect();
    let model = header.text("tokenizer.ggml.model").unwrap_or_default();
    let (mut whole, adds_bos) = match &*model {
        "gpt2" => byte_level(header, vocab)?,
        "llama" => {
            let unknown = kinds.iter().position(|k| *k == UNKNOWN).map(|id| tokens[id].to_string());
            (sentence_piece(header, &tokens, &ids, vocab, unknown)?, true)
        }
        other => {
            return Err(header.bad(format!(
                "has a tokenizer of kind {other:?}, which is not supported: put the model's \
                 tokenizer.json beside it"
            )));
        }
    };
    whole["added_tokens"] = added.into();
    let bos = header.count("tokenizer.ggml.bos_token_id").filter(|id| *id < tokens.len());
    if let Some(bos) = bos.filter(|_| header.bool("tokenizer.ggml.add_bos_token").unwrap_or(adds_bos)) {
        let token = &tokens[bos];
        whole["post_processor"] = json!({
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {&**token: {"id": token, "ids": [bos], "tokens": [token]}},
        });
    }
    Tokenizer::from_json(whole.to_string().as_bytes(), origin)
}

fn frame() -> Value {
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
           "pre_tokenizer": null, "post_processor": null, "decoder": null, "model": null})
}

/// Byte-level BPE; and whether it begins texts with a token unless the file says otherwise.
fn byte_level(header: &Header, vocab: serde_json::Map<String, Value>) -> Result<(Value, bool), ModelError> {
    let merges =
        header.texts("tokenizer.ggml.merges").ok_or_else(|| header.bad("has no tokenizer.ggml.merges"))?;
    // No part holds a space: bytes have stand-ins.
    let merges: Vec<Value> =
        merges.iter().filter_map(|m| m.split_once(' ')).map(|(l, r)| json!([l, r])).collect();
    let pre = header.text("tokenizer.ggml.pre").unwrap_or_else(|| "default".into());
    let split = |pattern: String| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    // The splits before the bytes, whether GPT-2's pattern follows, and whether a word that
    // is a token is taken whole.
    let [a, b] = CASED;
    let (splits, gpt2, whole_words) = match &*pre {
        "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "pixtral" | "dbrx" | "smaug-bpe" => {
            (vec![split(format!(r"{LETTERS}\p{{N}}{{1,3}}{REST}"))], false, true)
        }
        "qwen2" | "deepseek-r1-qwen" | "stablelm2" | "megrez" | "hunyuan" => {
            (vec![split(format!(r"{LETTERS}\p{{N}}{REST}"))], false, false)
        }
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" => {
            (vec![json!({"type": "Digits", "individual_digits": true})], true, false)
        }
        "gpt-2" | "gpt2" | "olmo" | "phi-2" | "mpt" | "jais" | "default" => (vec![], true, false),
        "tekken" => (
            vec![split(format!(r"{a}|{b}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"))],
            false,
            true,
        ),
        "gpt-4o" | "llama4" => {
            let end = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
            let rest = r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
            (vec![split(format!("{a}{end}|{b}{end}{rest}"))], false, false)
        }
        other => {
            return Err(header.bad(format!(
                "has a tokenizer that splits words as {other:?} does, which is not known here: put the \
                 model's tokenizer.json beside it"
            )));
        }
    };
    let bytes = |regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex});
    let mut whole = frame();
    whole["pre_tokenizer"] = json!({
        "type": "Sequence",
        "pretokenizers": splits.into_iter().chain([bytes(gpt2)]).collect::<Vec<_>>(),
    });
    whole["decoder"] = bytes(true);
    whole["model"] = json!({
        "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": whole_words, "vocab": vocab, "merges": merges,
    });
    Ok((whole, matches!(&*pre, "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "tekken")))
}

/// SentencePiece's BPE: what merges first is the piece with the highest score.
fn sentence_piece(
    header: &Header,
    tokens: &[std::borrow::Cow<'_, str>],
    ids: &HashMap<&str, usize>,
    vocab: serde_json::Map<String, Value>,
    unknown: Option<String>,
) -> Result<Value, ModelError> {
    let scores = header
        .numbers("tokenizer.ggml.scores")
        .filter(|scores| scores.len() == tokens.len())
        .ok_or_else(|| header.bad("has no score for each token in tokenizer.ggml.scores"))?;
    let mut merges = Vec::new();
    for (piece, score) in tokens.iter().zip(&scores) {
        // No piece of a real vocabulary is as long; parts of one would be as many squared.
        if piece.len() > 256 {
            continue;
        }
        let mut parts: Vec<_> = piece
            .char_indices()
            .skip(1)
            .map(|(at, _)| piece.split_at(at))
            .filter_map(|(l, r)| Some((ids.get(l)?, ids.get(r)?, l, r)))
            .collect();
        parts.sort_by_key(|(l, r, ..)| (*l, *r));
        merges.extend(parts.into_iter().map(|(_, _, l, r)| (*score, l, r)));
    }
    let lengths = |l: &str, r: &str| (l.chars().count(), r.chars().count());
    merges.sort_by(|(a, l, r), (b, m, s)| b.total_cmp(a).then_with(|| lengths(m, s).cmp(&lengths(l, r))));
    let merges: Vec<Value> = merges.into_iter().map(|(_, l, r)| json!([l, r])).collect();
    let prefix = header.bool("tokenizer.ggml.add_space_prefix").unwrap_or(true);
    let spaces = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let mut whole = frame();
    whole["normalizer"] = match prefix {
        true => json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, spaces]}),
        false => spaces,
    };
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    whole["decoder"] = json!({"type": "Sequence", "decoders": decoders});
    whole["model"] = json!({
        "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
        "vocab": vocab, "merges": merges,
    });
    Ok(whole)
}
