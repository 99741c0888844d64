//! A command line into its words, as a shell would quote them, without a shell.

/// The words of a line: blanks part them, quotes and backslashes keep blanks. `None` where
/// a quote has no end.
pub(super) fn words(line: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => all.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_parted_as_a_shell_would() {
        let of = |line| words(line).unwrap();
        assert_eq!(of(" python3  check.py "), ["python3", "check.py"]);
        assert_eq!(of(r#"a 'b c'd "e \"f\" \g" h\ i '' "#), ["a", "b cd", r#"e "f" \g"#, "h i", ""]);
        assert!(of("").is_empty());
        assert_eq!(words("a 'b"), None);
        assert_eq!(words("a \"b"), None);
        assert_eq!(words("a \\"), None);
    }
}
