//! JSON from other programs: bounded, with the constants that Python writes, and read
//! field by field with what was expected.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Values of one line or element at most: they take more memory than their text.
const MAX_VALUES: usize = 8 << 20;

/// The object of a line, without the fields named in `skip`. Python's `NaN` and `Infinity`
/// are read as `null`.
///
/// # Errors
/// What is wrong, with the column.
pub(super) fn object(bytes: &[u8], skip: &[&str]) -> Result<Object, String> {
    if memchr::memchr_iter(b',', bytes).count() > MAX_VALUES {
        return Err(format!("it holds more than {MAX_VALUES} values, which is more than is read"));
    }
    let parse = |bytes: &[u8]| {
        let mut from = serde_json::Deserializer::from_slice(bytes);
        let object = Without(skip).deserialize(&mut from)?;
        from.end().map(|()| object)
    };
    parse(bytes).or_else(|error| match finite(bytes) {
        Some(mended) => parse(&mended).map_err(|e| said(&e)),
        None => Err(said(&error)),
    })
}

/// An error of serde without its line number, which is of one line alone.
pub(super) fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (reason, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
    format!("column {}: {reason}", error.column())
}

/// Reads an object without some of its fields: they are passed over, not kept.
pub(super) struct Without<'a>(pub &'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Without<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Object, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Without<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object::new();
        while let Some(key) = map.next_key::<String>()? {
            if self.0.contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
            } else {
                object.insert(key, map.next_value()?);
            }
        }
        Ok(object)
    }
}

/// The bytes with `NaN`, `Infinity` and `-Infinity` outside strings as `null`; `None` if
/// there are none.
fn finite(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut constants = Constants::default();
    let mut out = Vec::with_capacity(bytes.len() + 16);
    bytes.iter().for_each(|&b| constants.push(b, &mut out));
    constants.end(&mut out);
    constants.found.then_some(out)
}

/// Replaces Python's constants that JSON lacks by `null`, byte by byte.
#[derive(Debug, Default)]
pub(super) struct Constants {
    in_string: bool,
    escaped: bool,
    /// A word that may become a constant.
    word: Vec<u8>,
    found: bool,
}

impl Constants {
    const WORDS: [&'static [u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

    pub fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return out.push(byte);
        }
        // Nearly every byte.
        if self.word.is_empty() && !b"NI-".contains(&byte) {
            self.in_string = byte == b'"';
            return out.push(byte);
        }
        self.word.push(byte);
        if Self::WORDS.contains(&self.word.as_slice()) {
            self.word.clear();
            self.found = true;
            out.extend(b"null");
        } else if !Self::WORDS.iter().any(|w| w.starts_with(&self.word)) {
            self.in_string = byte == b'"';
            out.append(&mut self.word);
        }
    }

    pub fn end(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.word);
    }
}

/// What a value is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The message of a field that is not what it should be.
pub(super) fn expected(field: &str, what: &str, value: Option<&Value>) -> String {
    match value {
        Some(value) => format!("{field}: {what} is expected, and it is {}", kind(value)),
        None => format!("{field}: {what} is expected, and there is no such field"),
    }
}

/// A text, or a number or truth value as it is written; `None` of null or nothing.
///
/// # Errors
/// A list or an object.
pub(super) fn plain(field: &str, value: Option<&Value>) -> Result<Option<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.clone())),
        Some(v @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(v.to_string())),
        Some(v) => Err(expected(field, "a text or a number", Some(v))),
    }
}

/// The first of a list, or the value itself, as [`plain`].
///
/// # Errors
/// A list of lists, or an object.
pub(super) fn first(field: &str, value: Option<&Value>) -> Result<Option<String>, String> {
    match value {
        Some(Value::Array(all)) => plain(field, all.first()),
        value => plain(field, value),
    }
}

/// A finite number: also a truth value, or a text that is one. `None` of null, nothing and
/// what is not finite.
///
/// # Errors
/// Anything else.
pub(super) fn number(field: &str, value: Option<&Value>) -> Result<Option<f64>, String> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Bool(b)) => Some(f64::from(u8::from(*b))),
        Some(Value::Number(n)) => n.as_f64(),
        Some(Value::String(s)) => match s.trim() {
            "true" | "True" => Some(1.0),
            "false" | "False" => Some(0.0),
            "" => return Ok(None),
            s => s.parse().ok(),
        },
        Some(_) => None,
    };
    let number = number.ok_or_else(|| expected(field, "a number", value))?;
    Ok(number.is_finite().then_some(number))
}

/// A whole number from 0; `None` of anything else.
pub(super) fn count(value: Option<&Value>) -> Option<u32> {
    let number = value?.as_f64()?;
    (number >= 0.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
}

/// A list; an empty one of null or nothing.
///
/// # Errors
/// Anything else.
pub(super) fn list<'a>(field: &str, value: Option<&'a Value>) -> Result<&'a [Value], String> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(all)) => Ok(all),
        other => Err(expected(field, "a list", other)),
    }
}

/// The text of a prompt: a text, or chat messages, whose contents are put together with
/// empty lines between them.
///
/// # Errors
/// Anything else.
pub(super) fn prompt(field: &str, value: Option<&Value>) -> Result<String, String> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(messages)) => {
            let texts = messages.iter().map(|m| content(field, m)).collect::<Result<Vec<_>, _>>()?;
            Ok(texts.into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n\n"))
        }
        other => Err(expected(field, "a text or a list of messages", other)),
    }
}

/// The text of a completion: a text, or chat messages. Of several, each is under its role,
/// as in `[tool]`.
///
/// # Errors
/// Anything else.
pub(super) fn completion(field: &str, value: Option<&Value>) -> Result<String, String> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(message @ Value::Object(_)) => content(field, message),
        Some(Value::Array(messages)) => match &messages[..] {
            [one] => content(field, one),
            several => {
                let block = |m: &Value| {
                    let role = m.get("role").and_then(Value::as_str).unwrap_or("?");
                    Ok(format!("[{role}]\n{}", content(field, m)?))
                };
                Ok(several.iter().map(block).collect::<Result<Vec<_>, String>>()?.join("\n\n"))
            }
        },
        other => Err(expected(field, "a text or a list of messages", other)),
    }
}

/// The text of one chat message, with its reasoning before it and its tool calls after it.
fn content(field: &str, message: &Value) -> Result<String, String> {
    let Value::Object(fields) = message else {
        return match message {
            Value::String(text) => Ok(text.clone()),
            other => Err(expected(field, "a message", Some(other))),
        };
    };
    let mut text = match fields.get("content") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(part).collect::<Vec<_>>().join("\n"),
        other => return Err(expected(&format!("{field}, content"), "a text or a list of parts", other)),
    };
    if let Some(reasoning) = fields.get("reasoning_content").and_then(Value::as_str) {
        text = format!("<think>{reasoning}</think>\n{text}");
    }
    let calls = fields.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for call in calls {
        text += &format!("\n[tool call] {call}");
    }
    Ok(text)
}

/// The text of one part of a message; `None` of pictures and the like.
fn part(part: &Value) -> Option<String> {
    match part {
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => {
            let thought = fields.get("reasoning").and_then(Value::as_str);
            let text = fields.get("text").and_then(Value::as_str);
            thought.map(|t| format!("<think>{t}</think>")).or_else(|| text.map(str::to_owned))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn constants_of_python_become_null_outside_strings_only() {
        let read = object(br#"{"a":NaN,"b":[-Infinity,Infinity,-1],"c":"NaN \" Infinity","d":1}"#, &["d"]);
        assert_eq!(
            Value::Object(read.unwrap()),
            json!({"a": null, "b": [null, null, -1], "c": "NaN \" Infinity"})
        );
        assert!(object(b"{\"a\":Nan}", &[]).unwrap_err().starts_with("column"));
    }

    #[test]
    fn what_is_no_object_or_too_deep_is_refused() {
        assert!(object(b"[1]", &[]).unwrap_err().contains("expected a JSON object"));
        assert!(object(b"{} x", &[]).unwrap_err().contains("trailing"));
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(4000), "]".repeat(4000));
        assert!(object(deep.as_bytes(), &[]).unwrap_err().contains("recursion"));
        assert_eq!(object(deep.as_bytes(), &["a"]).unwrap(), Object::new());
        assert!(object(b"{\"a\":\"\xff\"}", &[]).unwrap_err().contains("unicode"));
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_VALUES + 1));
        assert!(object(many.as_bytes(), &[]).unwrap_err().contains("more than"));
    }

    #[test]
    fn fields_are_read_as_what_they_mean() {
        assert_eq!(number("s", Some(&json!("0.5"))), Ok(Some(0.5)));
        assert_eq!(number("s", Some(&json!("nan"))), Ok(None));
        assert_eq!(number("s", Some(&json!(true))), Ok(Some(1.0)));
        assert_eq!(
            number("score", Some(&json!([1]))).unwrap_err(),
            "score: a number is expected, and it is a list"
        );
        assert_eq!(first("t", Some(&json!(["a", "b"]))), Ok(Some("a".into())));
        assert_eq!(count(Some(&json!(7.0))), Some(7));
        assert_eq!(count(Some(&json!(-1))), None);
    }

    #[test]
    fn messages_become_one_text() {
        let chat = json!([{"role":"system","content":"Think."},{"role":"user","content":[{"type":"text","text":"2+2?"}]}]);
        assert_eq!(prompt("p", Some(&chat)).unwrap(), "Think.\n\n2+2?");
        let one = json!([{"role":"assistant","content":"4","reasoning_content":"add"}]);
        assert_eq!(completion("c", Some(&one)).unwrap(), "<think>add</think>\n4");
        let turns = json!([{"role":"assistant","content":null,"tool_calls":[{"name":"f"}]},{"role":"tool","content":"4"}]);
        assert_eq!(
            completion("c", Some(&turns)).unwrap(),
            "[assistant]\n\n[tool call] {\"name\":\"f\"}\n\n[tool]\n4"
        );
        assert!(prompt("p", None).unwrap_err().contains("no such field"));
    }
}
