//! Reads one line of a recording for the index: only the fields that are counted, straight
//! from the bytes, without building a JSON value.
//!
//! It knows the shape that nearly every line has, a flat object with plain strings,
//! numbers and lists of numbers, and leaves whatever is unusual to serde_json: what it
//! gives for a line is what serde_json gives. Only in lists of numbers, which it passes
//! over, it does not look at every comma.

use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// What a line is.
#[derive(Clone, Debug, PartialEq)]
// A line is scanned and used at once: there is never more than one.
#[expect(clippy::large_enum_variant)]
pub(super) enum Scanned<'a> {
    Completion(Fields<'a>),
    /// A line of another kind.
    Other,
    /// Only serde_json can tell.
    Unusual,
}

/// The fields of a `completion` line that are counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields<'a> {
    pub problem: Cow<'a, str>,
    pub policy: Cow<'a, str>,
    pub index: Option<u32>,
    pub text: Text<'a>,
    /// The outer option says whether the field is there.
    pub answer: Option<Option<Cow<'a, str>>>,
    pub correct: Option<bool>,
    pub rule: Option<Cow<'a, str>>,
    pub method: Option<Option<Cow<'a, str>>>,
    pub sound: Option<bool>,
    pub tokens: Option<u32>,
    pub logprob: Option<f64>,
    pub token_entropy: Option<f64>,
    pub finish: Option<Cow<'a, str>>,
}

/// A JSON string as it stands in the file, without its quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// The string that it stands for; `None` if it has an escape that is not well formed.
    pub fn decoded(self) -> Option<Cow<'a, str>> {
        match self.escaped {
            false => Some(Cow::Borrowed(self.raw)),
            true => unescaped(self.raw).map(Cow::Owned),
        }
    }
}

/// Reads a line, without its line feed.
pub(super) fn scan(line: &[u8]) -> Scanned<'_> {
    // Control characters stand in no JSON string, and tabs between fields are unusual.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Without a way out of the loop it goes many bytes at a time.
    if line.iter().fold(false, |control, b| control | (*b < b' ')) {
        return Scanned::Unusual;
    }
    let Ok(line) = std::str::from_utf8(line) else { return Scanned::Unusual };
    Walk { line, at: 0 }.object().unwrap_or(Scanned::Unusual)
}

/// A walk along the bytes of a line. Each step gives `None` at what is unusual.
struct Walk<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    fn object(&mut self) -> Option<Scanned<'a>> {
        let mut fields = Fields::default();
        let mut seen = Seen::default();
        self.expect(b'{')?;
        loop {
            self.expect(b'"')?;
            let name = self.string()?;
            if name.escaped {
                return None;
            }
            self.expect(b':')?;
            self.spaces();
            if seen.first(name.raw)? == KIND {
                self.expect(b'"')?;
                let kind = self.string()?;
                // What is of another kind is read by those who know it.
                if kind.escaped || kind.raw != "completion" {
                    return Some(Scanned::Other);
                }
            } else {
                self.field(name.raw, &mut fields)?;
            }
            self.spaces();
            match self.next()? {
                b',' => self.spaces(),
                b'}' => break,
                _ => return None,
            }
        }
        self.spaces();
        let whole = self.at == self.line.len() && seen.has(NEEDED);
        whole.then_some(Scanned::Completion(fields))
    }

    fn field(&mut self, name: &str, to: &mut Fields<'a>) -> Option<()> {
        match name {
            "problem" => to.problem = self.text()??,
            "policy" => to.policy = self.text()??,
            "text" => {
                self.expect(b'"')?;
                to.text = self.string()?;
            }
            "index" => to.index = self.whole()?,
            "tokens" => to.tokens = self.whole()?,
            "answer" => to.answer = Some(self.text()?),
            "method" => to.method = Some(self.text()?),
            "rule" => to.rule = self.text()?,
            "finish" => to.finish = self.text()?,
            "correct" => to.correct = self.truth()?,
            "sound" => to.sound = self.truth()?,
            "logprob" => to.logprob = self.number()?,
            "token_entropy" => to.token_entropy = self.number()?,
            "token_ids" => self.list(|b| b.is_ascii_digit())?,
            "token_logprobs" | "token_entropies" => {
                self.list(|b| matches!(b, b'0'..=b'9' | b'-' | b'.' | b'e' | b'E' | b'+'))?;
            }
            "given" => self.given()?,
            // Repairs, and what a later version may know.
            _ => return None,
        }
        Some(())
    }

    /// A string, or `null`.
    fn text(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.word("null") {
            return Some(None);
        }
        self.expect(b'"')?;
        Some(Some(self.string()?.decoded()?))
    }

    /// The rest of a string whose first quote was taken.
    fn string(&mut self) -> Option<Text<'a>> {
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.line.as_bytes().get(self.at..)?;
            self.at += memchr2(b'"', b'\\', rest)?;
            if self.line.as_bytes()[self.at] == b'"' {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        let raw = self.line.get(start..self.at)?;
        self.at += 1;
        Some(Text { raw, escaped })
    }

    /// Passes over what another tool said, as it is written: in this order, at least one.
    fn given(&mut self) -> Option<()> {
        self.expect(b'{')?;
        let mut last = 0;
        loop {
            self.expect(b'"')?;
            let name = self.string()?;
            self.expect(b':')?;
            self.spaces();
            let place = match name.raw {
                "correct" => self.truth().map(|_| 1),
                "score" => self.number().map(|_| 2),
                "answer" => self.text().map(|_| 3),
                _ => None,
            }?;
            self.spaces();
            match (place > last, self.next()?) {
                (true, b',') => self.spaces(),
                (true, b'}') => return Some(()),
                _ => return None,
            }
            last = place;
        }
    }

    fn truth(&mut self) -> Option<Option<bool>> {
        [("true", Some(true)), ("false", Some(false)), ("null", None)]
            .into_iter()
            .find(|(word, _)| self.word(word))
            .map(|(_, value)| value)
    }

    fn whole(&mut self) -> Option<Option<u32>> {
        if self.word("null") {
            return Some(None);
        }
        let digits = self.run(|b| b.is_ascii_digit());
        let plain = !digits.is_empty() && (digits.len() == 1 || !digits.starts_with('0'));
        plain.then(|| digits.parse().ok())?.map(Some)
    }

    fn number(&mut self) -> Option<Option<f64>> {
        if self.word("null") {
            return Some(None);
        }
        let digits = self.run(|b| matches!(b, b'0'..=b'9' | b'-' | b'.' | b'e' | b'E' | b'+'));
        let value: f64 = is_number(digits).then(|| digits.parse().ok())??;
        value.is_finite().then_some(Some(value))
    }

    /// Passes over a list of numbers of these characters.
    fn list(&mut self, of: impl Fn(u8) -> bool) -> Option<()> {
        self.expect(b'[')?;
        let rest = &self.line.as_bytes()[self.at..];
        let inside = &rest[..memchr(b']', rest)?];
        self.at += inside.len() + 1;
        let strange = inside.iter().fold(false, |strange, b| strange | !(of(*b) | matches!(b, b',' | b' ')));
        (!strange).then_some(())
    }

    fn run(&mut self, of: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.line.as_bytes()[self.at..];
        let n = rest.iter().position(|b| !of(*b)).unwrap_or(rest.len());
        let run = &self.line[self.at..self.at + n];
        self.at += n;
        run
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.line.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn spaces(&mut self) {
        while self.line.as_bytes().get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.line.as_bytes().get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.spaces();
        (self.next()? == byte).then_some(())
    }
}

/// The names that are known; a bit for each in [`Seen`].
const NAMES: [&str; 18] = [
    "kind",
    "problem",
    "policy",
    "text",
    "index",
    "answer",
    "correct",
    "rule",
    "method",
    "sound",
    "tokens",
    "logprob",
    "token_entropy",
    "finish",
    "token_ids",
    "token_logprobs",
    "token_entropies",
    "given",
];

const KIND: u32 = 1;

/// `kind`, `problem`, `policy`, `text`.
const NEEDED: u32 = 0b1111;

/// Which names a line had so far.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    /// The bit of a name; `None` if it is not known, or stands here a second time.
    fn first(&mut self, name: &str) -> Option<u32> {
        let bit = 1 << NAMES.iter().position(|n| *n == name)?;
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new.then_some(bit)
    }

    fn has(&self, bits: u32) -> bool {
        self.0 & bits == bits
    }
}

/// Whether this is a number of JSON's grammar.
fn is_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

/// The string that an escaped one stands for.
fn unescaped(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1)?;
        rest = &rest[at + 1..];
        text.push(match escape {
            b'n' => '\n',
            b'"' => '"',
            b'\\' => '\\',
            b't' => '\t',
            b'r' => '\r',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let (c, units) = code_point(rest)?;
                // The first unit's `u` is taken below, as the letter of every escape is.
                rest = &rest[units..];
                c
            }
            _ => return None,
        });
        rest = &rest[1..];
    }
    text.push_str(rest);
    Some(text)
}

/// The character of `uXXXX` or `uXXXX\uXXXX`, and the bytes that follow its first `u`.
fn code_point(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4)?;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(1)?;
    match first {
        0xd800..0xdc00 => {
            let second = text.get(5..7).filter(|s| *s == "\\u").and_then(|_| unit(7))?;
            let low = (0xdc00..0xe000).contains(&second).then_some(second)?;
            let c = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00))?;
            Some((c, 10))
        }
        _ => Some((char::from_u32(first)?, 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::format::{CompletionIn, Kind};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn fields(line: &str) -> Option<Fields<'_>> {
        match scan(line.as_bytes()) {
            Scanned::Completion(fields) => Some(fields),
            _ => None,
        }
    }

    #[test]
    fn our_own_lines_are_never_unusual() {
        let line = r#"{"kind":"completion","problem":"p","policy":"base","index":7,"text":" 7 \"x\" \u00e9\ud83d\ude00\n#### 42","answer":"\\frac{1}{2}","correct":true,"rule":"marker","method":null,"sound":false,"tokens":3,"logprob":-3.75e-1,"token_entropy":0.5,"finish":"stop","token_ids":[1,22],"token_logprobs":[-0.1,0],"token_entropies":[]}"#;
        let read = fields(line).unwrap();
        assert_eq!((&*read.problem, &*read.policy, read.index), ("p", "base", Some(7)));
        assert_eq!(read.text.decoded().unwrap(), " 7 \"x\" é😀\n#### 42");
        assert_eq!(read.answer, Some(Some("\\frac{1}{2}".into())));
        assert_eq!((read.correct, read.method, read.sound), (Some(true), Some(None), Some(false)));
        assert_eq!((read.tokens, read.logprob, read.token_entropy), (Some(3), Some(-0.375), Some(0.5)));
    }

    #[test]
    fn what_is_unusual_is_left_to_serde() {
        for line in [
            "",
            "{",
            "[]",
            r#"{"kind":"completion"}"#,
            r#"{"kind":"completion","problem":"p","policy":"b","text":"a","text":"b"}"#,
            r#"{"kind":"completion","problem":"p","policy":"b","text":"a","more":{}}"#,
            r#"{"kind":"completion","problem":"p","policy":"b","text":"a","index":01}"#,
            r#"{"kind":"completion","problem":"p","policy":"b","text":"a","logprob":NaN}"#,
            r#"{"kind":"completion","problem":"p","policy":"b","text":"a","token_ids":[-1]}"#,
            r#"{"kind":"completion","problem":"p","policy":"b","text":"a"} x"#,
            "{\"kind\":\"completion\",\t\"problem\":\"p\"}",
        ] {
            assert_eq!(scan(line.as_bytes()), Scanned::Unusual, "{line}");
        }
        assert_eq!(scan(b"{\"kind\":\"problem\",\"id\":{}}"), Scanned::Other);
        let given = |inside: &str| {
            let line =
                format!(r#"{{"kind":"completion","problem":"p","policy":"b","text":"a","given":{inside}}}"#);
            matches!(scan(line.as_bytes()), Scanned::Completion(_))
        };
        assert!(given(r#"{"correct":true,"score":0.5,"answer":"4\n"}"#) && given(r#"{"score":-1e3}"#));
        assert!(!given("{}") && !given(r#"{"score":1,"score":1}"#) && !given(r#"{"more":1}"#) && !given("1"));
        assert_eq!(scan(b"{\"kind\":\"completion\",\"text\":\"\xff\"}"), Scanned::Unusual);
    }

    /// Lines as other programs may write them: any order, any type, fields left out.
    fn any_line() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            4 => "(?s).{0,12}".prop_map(Value::from),
            2 => any::<u32>().prop_map(Value::from),
            2 => (-1e3f64..1e3).prop_map(Value::from),
            1 => any::<i64>().prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
            1 => prop::collection::vec(any::<u32>(), 0..4).prop_map(Value::from),
            1 => Just(json!({"a": [1, {"b": "]}"}]})),
        ];
        let sure = (any::<u32>(), "(?s).{0,20}", prop::sample::select(vec!["p", "q\"", "é"]));
        let fields = prop::collection::vec((prop::sample::select(NAMES.to_vec()), value), 0..10);
        (sure, fields, any::<u64>()).prop_map(|((index, text, problem), fields, order)| {
            let mut object = serde_json::Map::new();
            object.insert("kind".into(), "completion".into());
            for (name, value) in [
                ("problem", Value::from(problem)),
                ("policy", "base".into()),
                ("index", index.into()),
                ("text", text.into()),
            ] {
                object.insert(name.into(), value);
            }
            // Most lines keep most of their right types.
            for (name, value) in fields.into_iter().take(order as usize % 6) {
                object.insert(name.into(), value);
            }
            Value::Object(object).to_string()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn it_gives_what_serde_json_gives(line in any_line()) {
            let kind = serde_json::from_str::<Kind>(&line).ok().and_then(|k| k.kind);
            match scan(line.as_bytes()) {
                Scanned::Unusual => {}
                Scanned::Other => prop_assert_ne!(kind.as_deref(), Some("completion")),
                Scanned::Completion(fields) => {
                    let read: CompletionIn = serde_json::from_str(&line).map_err(|e| TestCaseError::fail(e.to_string()))?;
                    prop_assert_eq!((&*fields.problem, &*fields.policy, fields.index), (&*read.problem, &*read.policy, read.index));
                    // An escape that is not well formed is told by serde_json too.
                    prop_assert_eq!(fields.text.decoded().unwrap(), &*read.text);
                    let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
                        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs(),
                        (a, b) => a == b,
                    };
                    prop_assert!(same(fields.logprob, read.logprob) && same(fields.token_entropy, read.token_entropy));
                    prop_assert_eq!((fields.correct, fields.sound, fields.tokens), (read.correct, read.sound, read.tokens));
                    let owned = |given: Option<Option<Cow<str>>>| given.map(|g| g.map(Cow::into_owned));
                    prop_assert_eq!((owned(fields.answer), owned(fields.method)), (read.answer, read.method));
                    prop_assert_eq!((fields.rule.as_deref(), fields.finish.as_deref()), (read.rule.as_deref(), read.finish.as_deref()));
                }
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), line in any_line(), cut in any::<prop::sample::Index>(), flip in any::<(prop::sample::Index, u8)>()) {
            let _ = scan(&bytes);
            let mut line = line.into_bytes();
            line.truncate(cut.index(line.len()) + 1);
            let at = flip.0.index(line.len());
            line[at] = flip.1;
            if let Scanned::Completion(fields) = scan(&line) {
                let _ = fields.text.decoded();
            }
        }
    }
}
