//! A server's SPEC: `http://host:port/v1#model`, several endpoints separated by commas.

/// Where a policy is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// At least one, without a slash at the end: `http://host:8000/v1`.
    pub endpoints: Vec<String>,
    /// What the servers call the model; the only one that they serve where it is not said.
    pub model: Option<String>,
}

impl Address {
    /// Whether a SPEC is meant to be one.
    pub fn is_meant(spec: &str) -> bool {
        spec.starts_with("http://") || spec.starts_with("https://")
    }

    /// Reads a SPEC.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence. It never repeats what could be a key.
    pub fn parse(spec: &str) -> Result<Self, String> {
        let (urls, model) = match spec.split_once('#') {
            Some((_, "")) => return Err("after # a model's name is needed".to_owned()),
            Some((urls, model)) => (urls, Some(model.to_owned())),
            None => (spec, None),
        };
        let endpoints = urls.split(',').map(|url| endpoint(url.trim())).collect::<Result<_, _>>()?;
        Ok(Self { endpoints, model })
    }

    /// As it is recorded and shown.
    pub fn spec(&self, model: &str) -> String {
        format!("{}#{model}", self.endpoints.join(","))
    }
}

/// An endpoint without a slash at its end. Without a path, `/v1` is meant.
fn endpoint(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("each endpoint begins with http:// or https://, as in http://localhost:8000/v1")?;
    let rest = rest.trim_end_matches('/');
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.contains('@') {
        return Err("a key or password does not belong in it: set LEASH_API_KEY".to_owned());
    }
    if path.contains('?') {
        return Err("an endpoint has no ? and nothing after it".to_owned());
    }
    let wrong = |c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c);
    if host.is_empty() || host.starts_with(':') || url.contains(wrong) {
        return Err("an endpoint is http://host:port/v1".to_owned());
    }
    let url = url.trim_end_matches('/');
    Ok(if path.is_empty() { format!("{url}/v1") } else { url.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn endpoints_and_model() {
        let parsed = |spec: &str| Address::parse(spec).map(|a| (a.endpoints, a.model));
        let one = |url: &str, model: Option<&str>| Ok((vec![url.to_owned()], model.map(str::to_owned)));
        assert_eq!(parsed("http://h:8000/v1#Qwen/Q#3"), one("http://h:8000/v1", Some("Qwen/Q#3")));
        assert_eq!(parsed("https://h/"), one("https://h/v1", None));
        assert_eq!(parsed("http://h/api/v1/"), one("http://h/api/v1", None));
        let two = Address::parse("http://a:1, http://b:2/v1#m").unwrap();
        assert_eq!(two.endpoints, ["http://a:1/v1", "http://b:2/v1"]);
        assert_eq!(two.spec("m"), "http://a:1/v1,http://b:2/v1#m");
    }

    #[test]
    fn what_is_wrong_is_said_and_no_key_is_repeated() {
        for (spec, says) in [
            ("http://h#", "name is needed"),
            ("http://", "host:port"),
            ("http://h,b", "begins with http://"),
            ("http://user:hunter2@h/v1", "LEASH_API_KEY"),
            ("http://h/v1?api_key=hunter2", "no ?"),
            ("http://h h/v1", "host:port"),
        ] {
            let said = Address::parse(spec).unwrap_err();
            assert!(said.contains(says) && !said.contains("hunter2"), "{spec}: {said}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(spec in "(https?://)?\\PC{0,40}") {
            if let Ok(address) = Address::parse(&spec) {
                let again = Address::parse(&address.spec("m")).unwrap();
                prop_assert_eq!(again.endpoints, address.endpoints);
            }
        }
    }
}
