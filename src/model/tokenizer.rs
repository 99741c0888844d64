//! Text to tokens and back: Hugging Face's `tokenizer.json`.

use super::ModelError;

/// A tokenizer, with nothing added that the text does not say.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads `tokenizer.json`; `origin` is what an error calls it.
    ///
    /// # Errors
    /// JSON that is no tokenizer.
    pub fn from_json(bytes: &[u8], origin: &str) -> Result<Self, ModelError> {
        let inner = tokenizers::Tokenizer::from_bytes(bytes)
            .map_err(|e| ModelError::Tokenizer { origin: origin.to_owned(), reason: e.to_string() })?;
        Ok(Self { inner })
    }

    /// The tokens of a text, without special tokens added.
    ///
    /// # Errors
    /// A text that the tokenizer has no tokens for.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.inner.encode_fast(text, false);
        encoding.map(|e| e.get_ids().to_vec()).map_err(|e| ModelError::Prompt(format!("has no tokens: {e}")))
    }

    /// The text of tokens, special tokens left out; tokens outside the vocabulary are left out too.
    pub fn decode(&self, tokens: &[u32]) -> String {
        self.inner.decode(tokens, true).unwrap_or_default()
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
