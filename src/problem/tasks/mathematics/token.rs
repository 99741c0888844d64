//! The signs, numbers and names of mathematics as people and models write it.

/// What an expression is read from. Signs stand for what has none of its own: `⦃` and
/// `⦄` for LaTeX's `\{` and `\}`, `⏎` for `\\`, `␣` for a blank between two numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// Digits before and after the point.
    Number(String, String),
    /// A command without its backslash, or a function's or constant's name.
    Word(String),
    Letter(char),
    Sign(char),
}

/// The tokens of a text, in one pass; `None` where a backslash ends it.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut scanner = Scanner { text, at: 0, out: Vec::with_capacity(text.len() / 2 + 1) };
    while let Some(c) = scanner.rest().chars().next() {
        scanner.token(c)?;
    }
    Some(scanner.out)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    out: Vec<Token>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Whether a digit stands so many bytes further on.
    fn digit(&self, ahead: usize) -> bool {
        self.text.as_bytes().get(self.at + ahead).is_some_and(u8::is_ascii_digit)
    }

    fn token(&mut self, c: char) -> Option<()> {
        if c.is_ascii_digit() || c == '.' && self.digit(1) {
            self.number();
            return Some(());
        }
        self.at += c.len_utf8();
        match c {
            '\\' => self.command()?,
            c if c.is_alphabetic() => self.letter(c),
            c if c.is_whitespace() => self.blank(),
            '*' if self.rest().starts_with('*') => {
                self.at += 1;
                self.out.push(Token::Sign('^'));
            }
            '²' => self.out.extend([Token::Sign('^'), Token::Number("2".into(), String::new())]),
            '³' => self.out.extend([Token::Sign('^'), Token::Number("3".into(), String::new())]),
            '$' => {}
            c => self.out.push(match SYMBOLS.iter().find(|(symbol, _)| *symbol == c) {
                Some((_, word)) => Token::Word((*word).to_owned()),
                None => Token::Sign(match c {
                    '−' | '–' => '-',
                    '×' | '·' | '⋅' => '*',
                    '÷' => '/',
                    c => c,
                }),
            }),
        }
        Some(())
    }

    /// Digits with a point, and with separators of thousands: `1,000`, `1{,}000`.
    fn number(&mut self) {
        let mut whole = String::new();
        // Digits since the last separator.
        let (mut since, mut groups) = (0, false);
        loop {
            let separator =
                if self.rest().starts_with("{,}") { 3 } else { usize::from(self.rest().starts_with(',')) };
            // Groups of three stand behind one to three digits.
            let before = if groups { since == 3 } else { (1..=3).contains(&since) };
            let three = || (0..3).all(|i| self.digit(separator + i)) && !self.digit(separator + 3);
            if separator > 0 && before && three() {
                self.at += separator;
                whole.push_str(&self.rest()[..3]);
                self.at += 3;
                (since, groups) = (3, true);
                continue;
            }
            let digits = self.digits();
            if digits == 0 {
                break;
            }
            whole.push_str(&self.text[self.at - digits..self.at]);
            since += digits;
        }
        let mut part = String::new();
        if self.rest().starts_with('.') && (self.digit(1) || !whole.is_empty()) {
            self.at += 1;
            let digits = self.digits();
            part.push_str(&self.text[self.at - digits..self.at]);
        }
        self.out.push(Token::Number(whole, part));
    }

    /// Passes over digits; how many there were.
    fn digits(&mut self) -> usize {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += digits;
        digits
    }

    /// Behind a backslash.
    fn command(&mut self) -> Option<()> {
        let letters = self.rest().bytes().take_while(u8::is_ascii_alphabetic).count();
        if letters > 0 {
            let word = &self.rest()[..letters];
            let shown = (!LOOKS.contains(&word)).then(|| Token::Word(word.to_owned()));
            self.out.extend(shown);
            self.at += letters;
            return Some(());
        }
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        self.out.extend(match c {
            '{' => Some(Token::Sign('⦃')),
            '}' => Some(Token::Sign('⦄')),
            '\\' => Some(Token::Sign('⏎')),
            '%' | '|' => Some(Token::Sign(c)),
            // Spaces: `\,`, `\!`, `\ `.
            _ => None,
        });
        Some(())
    }

    /// A letter, or the name that begins with it.
    fn letter(&mut self, c: char) {
        let start = self.at - c.len_utf8();
        let text = &self.text[start..];
        let name = NAMES.iter().find(|n| n.as_bytes()[0] == text.as_bytes()[0] && text.starts_with(*n));
        self.out.push(match name {
            Some(name) => {
                self.at = start + name.len();
                Token::Word((*name).to_owned())
            }
            None if c == 'π' => Token::Word("pi".into()),
            None => Token::Letter(c),
        });
    }

    /// A blank between digits makes a mixed number, but not behind an index or an exponent:
    /// `\log_2 8`.
    fn blank(&mut self) {
        let script = |t: &Token| matches!(t, Token::Sign('_' | '^'));
        let before = self.out.len().checked_sub(2).and_then(|i| self.out.get(i));
        let number = matches!(self.out.last(), Some(Token::Number(..)));
        if number && self.digit(0) && !before.is_some_and(script) {
            self.out.push(Token::Sign('␣'));
        }
    }
}

/// Signs that are commands in LaTeX.
const SYMBOLS: [(char, &str); 8] = [
    ('√', "sqrt"),
    ('∞', "infty"),
    ('∪', "cup"),
    ('≤', "le"),
    ('≥', "ge"),
    ('≠', "ne"),
    ('±', "pm"),
    ('°', "circ"),
];

/// Names that are no product of letters in plain text; a longer one before its beginning.
const NAMES: [&str; 17] = [
    "infinity", "arcsin", "arccos", "arctan", "sqrt", "cbrt", "sinh", "cosh", "tanh", "sin", "cos", "tan",
    "log", "exp", "inf", "ln", "pi",
];

/// Commands that change only how something looks.
#[rustfmt::skip]
const LOOKS: [&str; 21] = [
    "boxed", "fbox", "left", "right", "displaystyle", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "quad",
    "qquad", "limits", "mathrm", "mathbf", "textbf", "operatorname", "rm", "bf", "dots",
];
