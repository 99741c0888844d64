//! A model in this process as a policy.

use super::options::PromptStyle;
use super::settings::UNKNOWN;
use super::{FINGERPRINT_TEXT, PROMPT, SENT, fingerprint_of, sampling_settings};
use super::{
    Partial, Policy, PolicyError, Prefix, Request, ScoreRequest, Scored, ScoredToken, Setting, Sink,
};
use crate::completion::{Completion, Token};
use crate::model::{
    self, ChatTemplate, Generated, Generator, LocalModel, ModelError, Observer, Running, Sampling, Tokenizer,
};
use crate::problem::Problem;
use crate::random::Stream;
use std::ops::ControlFlow;

/// A local model: text in, text out.
pub struct LocalPolicy {
    name: String,
    spec: String,
    tokenizer: Tokenizer,
    generator: Box<dyn Generator>,
    stop: Vec<u32>,
    positions: usize,
    dtype: String,
    /// With a system prompt or none; without a template the problem's text is sent.
    chat: Option<(ChatTemplate, Option<String>)>,
}

impl LocalPolicy {
    /// The policy `name` that draws from `model` with `generator`, asked with the model's
    /// chat template where it has one.
    pub fn new(name: &str, spec: &str, model: LocalModel, generator: Box<dyn Generator>) -> Self {
        let LocalModel { config, weights, tokenizer, template, .. } = model;
        Self {
            name: name.to_owned(),
            spec: spec.to_owned(),
            tokenizer,
            generator,
            positions: config.max_positions,
            dtype: weights.dtype(),
            stop: config.eos,
            chat: template.map(|template| (template, None)),
        }
    }

    /// The same, asked in this way.
    ///
    /// # Errors
    /// A chat or a system prompt that is asked of a model without a template.
    pub fn asked(mut self, style: PromptStyle, system: Option<&str>) -> Result<Self, PolicyError> {
        self.chat = self.chat.filter(|_| style != PromptStyle::Raw);
        if self.chat.is_none() && (style == PromptStyle::Chat || system.is_some()) {
            let reason = match style {
                PromptStyle::Raw => "a system prompt needs the chat template: leave out --raw",
                _ => "the model has no chat template: leave out --chat and --system",
            };
            return Err(PolicyError::Source { policy: self.name, reason: reason.to_owned() });
        }
        if let Some((_, own)) = &mut self.chat {
            *own = system.map(str::to_owned);
        }
        Ok(self)
    }

    fn text(&self, problem: &Problem) -> Result<String, ModelError> {
        match &self.chat {
            Some((template, system)) => template.render(system.as_deref(), &problem.prompt),
            None => Ok(problem.prompt.clone()),
        }
    }

    /// The tokens of a problem. A template writes its special tokens itself.
    fn prompt_tokens(&self, problem: &Problem) -> Result<Vec<u32>, ModelError> {
        let text = self.text(problem)?;
        if self.chat.is_some() { self.tokenizer.encode(&text) } else { self.tokenizer.encode_prompt(&text) }
    }
}

impl Policy for LocalPolicy {
    fn name(&self) -> &str {
        &self.name
    }

    fn spec(&self) -> &str {
        &self.spec
    }

    fn prompt(&self, problem: &Problem) -> Result<String, PolicyError> {
        self.text(problem).map_err(|source| PolicyError::Model { policy: self.name.clone(), source })
    }

    fn sample(&self, request: &Request<'_>, sink: &mut dyn Sink) -> Result<(), PolicyError> {
        let failed = |source: ModelError| PolicyError::Model { policy: self.name.clone(), source };
        let mut prompt = self.prompt_tokens(request.problem).map_err(failed)?;
        let Prefix { text, tokens } = request.prefix;
        let (prefix, _) = self.read(text, tokens, false).map_err(failed)?;
        prompt.extend_from_slice(&prefix);
        let mut sampling = request.sampling.clone();
        // Prefix and what is drawn share the length of a completion.
        sampling.max_tokens = sampling.max_tokens.saturating_sub(prefix.len()).max(1);
        let asked = model::Request {
            prompt: &prompt,
            indices: request.indices.clone(),
            stream: Stream::new(sampling.seed).with(&self.name).with(&request.problem.id),
            sampling: &sampling,
            stop: &self.stop,
        };
        let mut reader =
            Reader { words: Words { tokenizer: &self.tokenizer, prefix: (text, &prefix) }, sink };
        self.generator.generate(&asked, &mut reader).map_err(failed)
    }

    fn score(&self, request: &ScoreRequest<'_>) -> Result<Scored, PolicyError> {
        let failed = |source: ModelError| PolicyError::Model { policy: self.name.clone(), source };
        let prompt = self.prompt_tokens(request.problem).map_err(failed)?;
        let ScoreRequest { text, tokens, ended, .. } = *request;
        let (tokens, retokenised) = self.read(text, tokens, ended).map_err(failed)?;
        let weighed = self.generator.score(&prompt, &tokens, request.top).map_err(failed)?;
        let ended = tokens.last().is_some_and(|t| self.stop.contains(t));
        let piece = |id: u32| self.tokenizer.decode(&[id]);
        // A token is what it adds to the text, read after the token before it; the first part
        // of a character that is cut in two adds nothing.
        let (mut start, mut read) = (0, 0);
        let token = |(i, w): (usize, model::Weighed)| {
            let before = self.tokenizer.decode(&tokens[start..read]);
            let with = self.tokenizer.decode(&tokens[start..=i]);
            let added = with.strip_prefix(&before).filter(|t| !t.is_empty() && !t.ends_with('\u{fffd}'));
            let text = added.unwrap_or("").to_owned();
            if !text.is_empty() {
                (start, read) = (read, i + 1);
            }
            let top = w.top.into_iter().map(|(id, l)| (piece(id), l)).collect();
            ScoredToken { id: w.id, text, logprob: w.logprob, entropy: Some(w.entropy), top }
        };
        let tokens = weighed.into_iter().enumerate().map(token).collect();
        Ok(Scored { tokens, retokenised, ended })
    }

    fn settings(&self, sampling: &Sampling) -> Vec<Setting> {
        let tokenizer = self.tokenizer.encode(FINGERPRINT_TEXT);
        let stop: Vec<String> = self.stop.iter().map(|id| self.tokenizer.name(*id)).collect();
        let (template, system) = match &self.chat {
            Some((template, system)) => {
                let letters: Vec<u32> = template.source().chars().map(u32::from).collect();
                (format!("chat, {}", fingerprint_of(&letters)), system.as_deref())
            }
            None => ("none: the prompt as it is".to_owned(), None),
        };
        let mut all = sampling_settings(sampling);
        all.extend([
            Setting::new(SENT, self.sent()),
            Setting::new("template", template),
            Setting::new("system prompt", system.unwrap_or("none")),
            Setting::new("stop tokens", stop.join(" ")),
            Setting::new("dtype", self.dtype.as_str()),
            Setting::new("tokenizer", tokenizer.map_or(UNKNOWN.to_owned(), |t| fingerprint_of(&t))),
            Setting::new("engine", "this process"),
            Setting::new("endpoint", self.spec.as_str()),
            Setting::new("longest context", self.positions.to_string()),
            Setting::new("probabilities", "before temperature and truncation, all tokens: entropy exact"),
        ]);
        all
    }
}

impl LocalPolicy {
    /// What is sent of a problem, with a sign for its text.
    fn sent(&self) -> String {
        let Some((template, system)) = &self.chat else { return PROMPT.to_owned() };
        // Templates either take the text as it is or trim it.
        let asked = format!(" {PROMPT} ");
        match template.render(system.as_deref(), &asked) {
            Ok(text) if text.contains(&asked) => text.replace(&asked, PROMPT),
            Ok(text) if text.contains(PROMPT) => text.replace(PROMPT, "{prompt, trimmed}"),
            _ => UNKNOWN.to_owned(),
        }
    }

    /// The tokens of a text, with the end where it `ended`, and whether they are new ones:
    /// those that it was drawn in are taken where our tokenizer reads them as this very text.
    fn read(&self, text: &str, tokens: &[u32], ended: bool) -> Result<(Vec<u32>, bool), ModelError> {
        let known = |id: &u32| (*id as usize) < self.tokenizer.vocab_size();
        if !tokens.is_empty() && tokens.iter().all(known) && self.tokenizer.decode(tokens) == text {
            return Ok((tokens.to_vec(), false));
        }
        let mut tokens = self.tokenizer.encode(text)?;
        if ended {
            tokens.extend(self.stop.first());
        }
        Ok((tokens, true))
    }
}

/// Turns tokens into text on their way to the sink.
struct Reader<'a> {
    words: Words<'a>,
    sink: &'a mut dyn Sink,
}

/// Reads the tokens of completions.
#[derive(Clone, Copy)]
struct Words<'a> {
    tokenizer: &'a Tokenizer,
    /// What every text begins with, and its tokens.
    prefix: (&'a str, &'a [u32]),
}

impl Words<'_> {
    /// A text with its prefix. It is read as one, since a token can mean something else at
    /// the beginning of a text.
    fn text(&self, tokens: &[Token]) -> String {
        let (text, prefix) = self.prefix;
        let all: Vec<u32> = prefix.iter().copied().chain(tokens.iter().map(|t| t.id)).collect();
        let whole = self.tokenizer.decode(&all);
        match whole.strip_prefix(&self.tokenizer.decode(prefix)) {
            Some(drawn) => format!("{text}{drawn}"),
            None => whole,
        }
    }
}

impl Observer for Reader<'_> {
    fn finished(&mut self, Generated { index, tokens, finish }: Generated) {
        let text = self.words.text(&tokens);
        self.sink.finished(Completion::traced(index, text, tokens, finish));
    }

    fn stepped(&mut self, drawn: usize, running: Option<Running<'_>>) -> ControlFlow<()> {
        let words = self.words;
        let partial = || running.map(|r| Partial { index: r.index, text: words.text(r.tokens) });
        self.sink.stepped(drawn, &partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Engine, config, weights};

    fn policy(
        template: Option<&str>,
        style: PromptStyle,
        system: Option<&str>,
    ) -> Result<LocalPolicy, PolicyError> {
        let config = config::tests::tiny();
        let weights = weights::tests::random(&config, 2);
        let engine = Engine::new(&config, &weights).unwrap();
        let json = model::local::tests::tiny_tokenizer();
        let tokenizer = Tokenizer::from_json(json.as_bytes(), "x").unwrap();
        let mut model = LocalModel::new("x", config, weights, tokenizer);
        model.template = template.map(|t| ChatTemplate::new(t, "w1", "w2", "x").unwrap());
        LocalPolicy::new("base", "x", model, Box::new(engine)).asked(style, system)
    }

    #[test]
    fn what_is_sent_is_the_template_or_the_text_as_it_is() {
        let problem = Problem {
            id: "p".into(),
            task: None,
            prompt: "w3".into(),
            reference: None,
            metadata: serde_json::Map::new(),
        };
        let template = Some("{{bos_token}}{% for m in messages %}{{m.content}}{% endfor %}w9");
        let sent = |template, style, system| {
            policy(template, style, system)
                .map(|p| (p.prompt(&problem).unwrap(), p.prompt_tokens(&problem).unwrap()))
        };
        use PromptStyle::{Auto, Chat, Raw};
        assert_eq!(sent(template, Auto, None).unwrap(), ("w1w3w9".into(), vec![1, 3, 9]));
        assert_eq!(sent(template, Chat, Some("w7")).unwrap(), ("w1w7w3w9".into(), vec![1, 7, 3, 9]));
        assert_eq!(sent(template, Raw, None).unwrap(), ("w3".into(), vec![3]));
        assert_eq!(sent(None, Auto, None).unwrap(), ("w3".into(), vec![3]));
        let told = |template, style, system| {
            let settings = policy(template, style, system).unwrap().settings(&Sampling::default());
            settings.into_iter().find(|s| s.name == SENT).unwrap().value
        };
        assert_eq!(told(template, Chat, Some("w7")), "w1w7{prompt}w9");
        assert_eq!(told(template, Raw, None), "{prompt}");
        let trims = Some("{% for m in messages %}<{{m.content|trim}}>{% endfor %}");
        assert_eq!(told(trims, Auto, None), "<{prompt, trimmed}>");
        for (template, style, system) in
            [(None, Chat, None), (None, Auto, Some("w7")), (template, Raw, Some("w7"))]
        {
            assert!(sent(template, style, system).unwrap_err().to_string().contains("leave out --"));
        }
    }

    struct Keep(Vec<Completion>);

    impl Sink for Keep {
        fn finished(&mut self, completion: Completion) {
            self.0.push(completion);
        }
        fn stepped(&mut self, _: usize, _: &dyn Fn() -> Option<Partial>) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    #[test]
    fn given_words_are_gone_on_from_and_are_not_drawn() {
        let policy = policy(None, PromptStyle::Raw, None).unwrap();
        let problem = Problem {
            id: "p".into(),
            task: None,
            prompt: "w3".into(),
            reference: None,
            metadata: serde_json::Map::new(),
        };
        let sampling = Sampling { max_tokens: 12, ..Sampling::default() };
        let drawn = |text: &str, tokens: &[u32]| {
            let request =
                Request { prefix: Prefix { text, tokens }, ..Request::new(&problem, 0..20, &sampling) };
            let mut keep = Keep(Vec::new());
            policy.sample(&request, &mut keep).unwrap();
            keep.0.sort_by_key(|c| c.index);
            keep.0
        };
        let given = policy.tokenizer.decode(&[5, 8]);
        let all = drawn(&given, &[5, 8]);
        assert_eq!(all, drawn(&given, &[]));
        for c in &all {
            assert!(c.text.starts_with(&given) && c.trace.len() <= 10, "{c:?}");
            // What was drawn is as likely as it is behind prompt and prefix.
            let tokens: Vec<u32> = [5, 8].into_iter().chain(c.trace.iter().map(|t| t.id)).collect();
            let text = &policy.tokenizer.decode(&tokens);
            let request = ScoreRequest { problem: &problem, text, tokens: &tokens, ended: false, top: 0 };
            let scored = policy.score(&request).unwrap();
            let after: f64 = scored.tokens[2..].iter().map(|t| t.logprob).sum();
            assert!((after - c.logprob.unwrap()).abs() < 1e-3);
        }
        assert_ne!(drawn("", &[])[0].text, all[0].text);
    }
}
