//! Chat templates: from what is asked to the text that a model was trained to see.
//!
//! They are Jinja, written for Python's: its methods, `tojson` as it spells it,
//! `raise_exception` and `strftime_now` are there.

mod date;

use super::ModelError;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value, context, filters};

/// A model's chat template.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatTemplate {
    source: String,
    /// The tokens that templates name.
    bos: String,
    eos: String,
}

impl ChatTemplate {
    /// A template's text, with the tokens that begin and end a text.
    ///
    /// # Errors
    /// A text that is no template.
    pub fn new(source: &str, bos: &str, eos: &str, origin: &str) -> Result<Self, ModelError> {
        let template = Self { source: source.to_owned(), bos: bos.to_owned(), eos: eos.to_owned() };
        template.environment().map_err(|e| failed(origin, &e))?;
        Ok(template)
    }

    /// What a folder's files say: `chat_template.jinja`, else the one in
    /// `tokenizer_config.json`. `None` where there is none.
    ///
    /// # Errors
    /// JSON that is none, or a text that is no template.
    pub fn from_files(
        config: Option<&[u8]>,
        jinja: Option<&str>,
        origin: &str,
    ) -> Result<Option<Self>, ModelError> {
        let config: serde_json::Value = match config {
            Some(bytes) => serde_json::from_slice(bytes).map_err(|e| ModelError::Template {
                origin: origin.to_owned(),
                reason: format!("tokenizer_config.json: {e}"),
            })?,
            None => serde_json::Value::Null,
        };
        // A token is a text, or an object that holds it.
        let token = |name: &str| {
            let token = &config[name];
            token.as_str().or_else(|| token["content"].as_str()).unwrap_or_default().to_owned()
        };
        let listed = || {
            let all = config["chat_template"].as_array()?;
            let named = |name: &str| all.iter().find(|t| t["name"] == name);
            named("default").or(all.first())?["template"].as_str()
        };
        let source = jinja.or_else(|| config["chat_template"].as_str()).or_else(listed);
        source.map(|s| Self::new(s, &token("bos_token"), &token("eos_token"), origin)).transpose()
    }

    /// Its text, to tell it from others.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text up to where the model's answer begins.
    ///
    /// # Errors
    /// What the template itself objects to.
    pub fn render(&self, system: Option<&str>, user: &str) -> Result<String, ModelError> {
        let turn = |role: &str, content: &str| context! { role, content };
        let system = system.map(|content| turn("system", content));
        let messages: Vec<Value> = system.into_iter().chain([turn("user", user)]).collect();
        let render = || {
            let environment = self.environment()?;
            environment.get_template("chat")?.render(context! {
                messages,
                add_generation_prompt => true,
                bos_token => self.bos.clone(),
                eos_token => self.eos.clone(),
                tools => (),
                documents => (),
            })
        };
        render().map_err(|e| failed("the chat template", &e))
    }

    fn environment(&self) -> Result<Environment<'_>, Error> {
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |reason: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, reason))
        });
        environment.add_function("strftime_now", |format: String| date::strftime(date::now(), &format));
        environment.add_filter("tojson", to_json);
        environment.add_template("chat", &self.source)?;
        Ok(environment)
    }
}

fn failed(origin: &str, error: &Error) -> ModelError {
    let line = error.line().map_or(String::new(), |line| format!("line {line}: "));
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    ModelError::Template { origin: origin.to_owned(), reason: format!("{line}{reason}") }
}

/// JSON as Python's `json.dumps` writes it: nothing is escaped for HTML.
fn to_json(value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<Value> = options.get("indent")?;
    let ascii: Option<bool> = options.get("ensure_ascii")?;
    let json = filters::tojson(value, indent, Kwargs::from_iter(std::iter::empty::<(&str, Value)>()))?;
    let json = json.as_str().unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out += &rest[..at];
        let escapes = [("\\u003c", '<'), ("\\u003e", '>'), ("\\u0026", '&'), ("\\u0027", '\'')];
        let found = escapes.into_iter().find(|(escape, _)| rest[at..].starts_with(escape));
        // Any other escape is two characters at least, of which the second may be a backslash.
        let length = found.map_or(2, |(escape, _)| escape.len());
        match found {
            Some((_, character)) => out.push(character),
            None => out += &rest[at..at + length],
        }
        rest = &rest[at + length..];
    }
    out += rest;
    if ascii == Some(true) {
        let mut units = [0; 2];
        let spelt = |c: char| match c.is_ascii() {
            true => c.to_string(),
            false => c.encode_utf16(&mut units).iter().map(|u| format!("\\u{u:04x}")).collect(),
        };
        out = out.chars().map(spelt).collect();
    }
    Ok(Value::from_safe_string(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        template: String,
        bos: String,
        eos: String,
        system: Option<String>,
        user: String,
        expected: Option<String>,
        says: Option<String>,
    }

    #[test]
    fn prompts_equal_those_of_transformers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/templates.json");
        let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(cases.len() >= 10);
        for case in cases {
            let template = ChatTemplate::new(&case.template, &case.bos, &case.eos, "t").unwrap();
            let rendered = template.render(case.system.as_deref(), &case.user);
            match case.expected {
                Some(expected) => assert_eq!(rendered.unwrap(), expected, "{}", case.name),
                None => {
                    let error = rendered.unwrap_err().to_string();
                    assert!(error.contains(case.says.as_deref().unwrap()), "{}: {error}", case.name);
                }
            }
        }
    }

    #[test]
    fn a_template_is_found_where_a_folder_keeps_it() {
        let config = |template: serde_json::Value| {
            serde_json::json!({"chat_template": template, "bos_token": {"content": "<s>"}, "eos_token": "</s>"})
                .to_string()
        };
        let found = |config: &str, jinja: Option<&str>| {
            let template = ChatTemplate::from_files(Some(config.as_bytes()), jinja, "t").unwrap();
            template.map(|t| t.render(None, "x").unwrap())
        };
        let one = config("{{bos_token}}{{messages[0].content}}{{eos_token}}".into());
        assert_eq!(found(&one, None).unwrap(), "<s>x</s>");
        assert_eq!(found(&one, Some("jinja")).unwrap(), "jinja");
        let several =
            serde_json::json!([{"name": "tool", "template": "a"}, {"name": "default", "template": "b"}]);
        assert_eq!(found(&config(several), None).unwrap(), "b");
        assert_eq!(found("{}", None), None);
        let error = ChatTemplate::from_files(None, Some("a\n{% if %}"), "folder").unwrap_err().to_string();
        assert!(error.starts_with("folder: chat template: line 2: "), "{error}");
    }
}
