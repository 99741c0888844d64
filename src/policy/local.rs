//! A model in this process as a policy.

use super::options::PromptStyle;
use super::{Partial, Policy, PolicyError, Request, Sink};
use crate::completion::{Completion, Token};
use crate::model::{
    self, ChatTemplate, Generated, Generator, LocalModel, ModelError, Observer, Running, Tokenizer,
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
    /// With a system prompt or none; without a template the problem's text is sent.
    chat: Option<(ChatTemplate, Option<String>)>,
}

impl LocalPolicy {
    /// The policy `name` that draws from `model` with `generator`, asked with the model's
    /// chat template where it has one.
    pub fn new(name: &str, spec: &str, model: LocalModel, generator: Box<dyn Generator>) -> Self {
        let LocalModel { config, tokenizer, template, .. } = model;
        Self {
            name: name.to_owned(),
            spec: spec.to_owned(),
            tokenizer,
            generator,
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
    fn tokens(&self, problem: &Problem) -> Result<Vec<u32>, ModelError> {
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
        let prompt = self.tokens(request.problem).map_err(failed)?;
        let asked = model::Request {
            prompt: &prompt,
            indices: request.indices.clone(),
            stream: Stream::new(request.sampling.seed).with(&self.name).with(&request.problem.id),
            sampling: request.sampling,
            stop: &self.stop,
        };
        let mut reader = Reader { tokenizer: &self.tokenizer, sink };
        self.generator.generate(&asked, &mut reader).map_err(failed)
    }
}

/// Turns tokens into text on their way to the sink.
struct Reader<'a> {
    tokenizer: &'a Tokenizer,
    sink: &'a mut dyn Sink,
}

fn text(tokenizer: &Tokenizer, tokens: &[Token]) -> String {
    let ids: Vec<u32> = tokens.iter().map(|t| t.id).collect();
    tokenizer.decode(&ids)
}

impl Observer for Reader<'_> {
    fn finished(&mut self, Generated { index, tokens, finish }: Generated) {
        let text = text(self.tokenizer, &tokens);
        self.sink.finished(Completion::traced(index, text, tokens, finish));
    }

    fn stepped(&mut self, drawn: usize, running: Option<Running<'_>>) -> ControlFlow<()> {
        let tokenizer = self.tokenizer;
        let partial = || running.map(|r| Partial { index: r.index, text: text(tokenizer, r.tokens) });
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
                .map(|p| (p.prompt(&problem).unwrap(), p.tokens(&problem).unwrap()))
        };
        use PromptStyle::{Auto, Chat, Raw};
        assert_eq!(sent(template, Auto, None).unwrap(), ("w1w3w9".into(), vec![1, 3, 9]));
        assert_eq!(sent(template, Chat, Some("w7")).unwrap(), ("w1w7w3w9".into(), vec![1, 7, 3, 9]));
        assert_eq!(sent(template, Raw, None).unwrap(), ("w3".into(), vec![3]));
        assert_eq!(sent(None, Auto, None).unwrap(), ("w3".into(), vec![3]));
        for (template, style, system) in
            [(None, Chat, None), (None, Auto, Some("w7")), (template, Raw, Some("w7"))]
        {
            assert!(sent(template, style, system).unwrap_err().to_string().contains("leave out --"));
        }
    }
}
