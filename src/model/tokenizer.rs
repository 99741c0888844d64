//! Text to tokens and back: Hugging Face's `tokenizer.json`.

use super::{ModelError, error};
use std::collections::HashSet;

/// A tokenizer, with nothing added that the text does not say.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Tokens that a text is read without.
    hidden: HashSet<u32>,
}

impl Tokenizer {
    /// Reads `tokenizer.json`; `origin` is what an error calls it.
    ///
    /// # Errors
    /// JSON that is no tokenizer.
    pub fn from_json(bytes: &[u8], origin: &str) -> Result<Self, ModelError> {
        let inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| {
            let reason = e.downcast_ref().map_or_else(|| e.to_string(), error::json);
            ModelError::Tokenizer { origin: origin.to_owned(), reason }
        })?;
        // What a model thinks is part of what it says, whatever its tokens are marked as.
        let thinks = |text: &str| text.to_lowercase().contains("think") || text.contains("thought");
        let added = inner.get_added_tokens_decoder();
        let hidden = added.iter().filter(|(_, t)| t.special && !thinks(&t.content)).map(|(id, _)| *id);
        Ok(Self { hidden: hidden.collect(), inner })
    }

    /// The tokens of a text, without special tokens added.
    ///
    /// # Errors
    /// A text that the tokenizer has no tokens for.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.map(|e| e.get_ids().to_vec()).map_err(|e| ModelError::Prompt(format!("has no tokens: {e}")))
    }

    /// The tokens of a prompt, begun as the tokenizer begins a text.
    ///
    /// # Errors
    /// A text that the tokenizer has no tokens for.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.inner.encode_fast(text, true);
        encoding.map(|e| e.get_ids().to_vec()).map_err(|e| ModelError::Prompt(format!("has no tokens: {e}")))
    }

    /// The text of tokens, special tokens but those of thinking left out; tokens outside the
    /// vocabulary are left out too.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let shown: Vec<u32> = tokens.iter().copied().filter(|t| !self.hidden.contains(t)).collect();
        self.inner.decode(&shown, false).unwrap_or_default()
    }

    /// A token as the tokenizer writes it; its number where it has none.
    pub fn name(&self, token: u32) -> String {
        self.inner.id_to_token(token).unwrap_or_else(|| token.to_string())
    }

    /// The text of a `tokenizer.json` that reads back as this one.
    ///
    /// # Errors
    /// A tokenizer that has no such form.
    pub fn to_json(&self) -> Result<String, ModelError> {
        let text = self.inner.to_string(true);
        text.map(|t| t + "\n")
            .map_err(|e| ModelError::Tokenizer { origin: "the tokenizer".into(), reason: e.to_string() })
    }

    /// Tokens in the vocabulary, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_are_left_out_and_thinking_is_kept() {
        let token = |id: u32, content: &str| {
            serde_json::json!({"id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true})
        };
        let json = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
            "added_tokens": [token(1, "<end>"), token(2, "[THINK]")], "pre_tokenizer": null,
            "post_processor": null, "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": {"a": 0, "<end>": 1, "[THINK]": 2}, "unk_token": "a"},
        });
        let tokenizer = Tokenizer::from_json(json.to_string().as_bytes(), "x").unwrap();
        assert_eq!(tokenizer.decode(&[2, 0, 1, 9]), "[THINK]a");
    }
}
