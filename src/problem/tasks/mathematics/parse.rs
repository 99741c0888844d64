//! Mathematics as people and models write it, LaTeX or plain, into values.

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// Digits without their thousands separators, and digits after the point.
    Number(String, String),
    /// A letter, with its index: `x`, `a_1`, `pi` is no variable.
    Variable(String),
    Pi,
    E,
    Infinity,
    Sum(Vec<Expr>),
    Product(Vec<Expr>),
    Negative(Box<Expr>),
    Quotient(Box<Expr>, Box<Expr>),
    Power(Box<Expr>, Box<Expr>),
    /// A function by its name.
    Function(&'static str, Box<Expr>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Expr(Expr),
    /// An expression that stood before a `%`.
    Percent(Expr),
    /// A point, an interval or a list in brackets.
    Sequence(char, Vec<Value>, char),
    /// A set, or a list without brackets.
    Set(Vec<Value>),
    Union(Vec<Value>),
    Matrix(Vec<Vec<Value>>),
    /// Sides and the sign between them: `=`, `<`, `≤`, `≠`; `>` and `≥` are turned round.
    Relation(Expr, char, Expr),
}

/// Reads a value; `None` where the text is no mathematics that is known here.
pub(super) fn value(text: &str) -> Option<Value> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let value = parser.list()?;
    (parser.at == tokens.len()).then_some(value)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(String, String),
    /// A command without its backslash, or a function's or constant's name.
    Word(String),
    Letter(char),
    Sign(char),
}

/// Names that are no product of letters in plain text.
const NAMES: [&str; 17] = [
    "infinity", "arcsin", "arccos", "arctan", "sqrt", "cbrt", "sinh", "cosh", "tanh", "sin", "cos", "tan",
    "log", "exp", "inf", "ln", "pi",
];

/// Commands that change only how something looks.
const LOOKS: [&str; 21] = [
    "boxed",
    "fbox",
    "left",
    "right",
    "displaystyle",
    "big",
    "Big",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "quad",
    "qquad",
    "limits",
    "mathrm",
    "mathbf",
    "textbf",
    "operatorname",
    "rm",
    "bf",
    "dots",
];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '0'..='9' | '.' if c != '.' || digit(at) => {
                at -= 1;
                let mut whole = String::new();
                // Digits since the last separator.
                let mut since = 0;
                let mut groups = false;
                loop {
                    // `1,000`, `1{,}000`: groups of three behind one to three digits.
                    let comma = if chars[at..].starts_with(&['{', ',', '}']) { 3 } else { 1 };
                    let separated = comma == 3 || chars.get(at) == Some(&',');
                    let before = if groups { since == 3 } else { (1..=3).contains(&since) };
                    let three = (0..3).all(|i| digit(at + comma + i)) && !digit(at + comma + 3);
                    if digit(at) {
                        whole.push(chars[at]);
                        at += 1;
                        since += 1;
                    } else if separated && three && before {
                        whole.extend(&chars[at + comma..at + comma + 3]);
                        at += comma + 3;
                        (since, groups) = (3, true);
                    } else {
                        break;
                    }
                }
                let mut part = String::new();
                if chars.get(at) == Some(&'.') && (digit(at + 1) || !whole.is_empty()) {
                    at += 1;
                    while digit(at) {
                        part.push(chars[at]);
                        at += 1;
                    }
                }
                out.push(Token::Number(whole, part));
            }
            '\\' => match chars.get(at) {
                Some(n) if n.is_ascii_alphabetic() => {
                    let start = at;
                    while chars.get(at).is_some_and(char::is_ascii_alphabetic) {
                        at += 1;
                    }
                    let word: String = chars[start..at].iter().collect();
                    if !LOOKS.contains(&word.as_str()) {
                        out.push(Token::Word(word));
                    }
                }
                Some(n @ ('{' | '}' | '%' | '|')) => {
                    out.push(Token::Sign(match n {
                        '{' => '⦃',
                        '}' => '⦄',
                        n => *n,
                    }));
                    at += 1;
                }
                Some('\\') => {
                    out.push(Token::Sign('⏎'));
                    at += 1;
                }
                // Spaces: `\,`, `\!`, `\ `.
                Some(_) => at += 1,
                None => return None,
            },
            c if c.is_alphabetic() => {
                let rest = &chars[at - 1..];
                let named =
                    NAMES.iter().find(|n| n.chars().zip(rest).filter(|(a, b)| a == *b).count() == n.len());
                match named {
                    Some(name) => {
                        at += name.len() - 1;
                        out.push(Token::Word((*name).to_owned()));
                    }
                    None if c == 'π' => out.push(Token::Word("pi".into())),
                    None => out.push(Token::Letter(c)),
                }
            }
            c if c.is_whitespace() => {
                // A blank between digits and a fraction makes a mixed number.
                // but not behind an index or an exponent: `\log_2 8`.
                let script = |t: &Token| matches!(t, Token::Sign('_' | '^'));
                let before = out.len().checked_sub(2).and_then(|i| out.get(i));
                let number = matches!(out.last(), Some(Token::Number(..)));
                if number && digit(at) && !before.is_some_and(script) {
                    out.push(Token::Sign('␣'));
                }
            }
            '$' => {}
            '−' | '–' => out.push(Token::Sign('-')),
            '×' | '·' | '⋅' => out.push(Token::Sign('*')),
            '÷' => out.push(Token::Sign('/')),
            '√' => out.push(Token::Word("sqrt".into())),
            '∞' => out.push(Token::Word("infty".into())),
            '∪' => out.push(Token::Word("cup".into())),
            '≤' => out.push(Token::Word("le".into())),
            '≥' => out.push(Token::Word("ge".into())),
            '≠' => out.push(Token::Word("ne".into())),
            '±' => out.push(Token::Word("pm".into())),
            '²' => out.extend([Token::Sign('^'), Token::Number("2".into(), String::new())]),
            '³' => out.extend([Token::Sign('^'), Token::Number("3".into(), String::new())]),
            '°' => out.push(Token::Word("circ".into())),
            '*' if chars.get(at) == Some(&'*') => {
                at += 1;
                out.push(Token::Sign('^'));
            }
            c => out.push(Token::Sign(c)),
        }
    }
    Some(out)
}

/// Deeper nesting is no answer.
const DEPTH: usize = 48;

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn sign(&mut self, c: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(c));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, words: &[&str]) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if words.contains(&w.as_str()));
        self.at += usize::from(found);
        found
    }

    /// Values between commas: one alone, or a list without brackets.
    fn list(&mut self) -> Option<Value> {
        let mut all = vec![self.union()?];
        while self.sign(',') || self.sign(';') || self.word(&["and", "or"]) {
            all.push(self.union()?);
        }
        if all.len() == 1 { all.pop() } else { Some(Value::Set(all)) }
    }

    fn union(&mut self) -> Option<Value> {
        let mut all = vec![self.relation()?];
        while self.word(&["cup", "bigcup"]) {
            all.push(self.relation()?);
        }
        if all.len() == 1 { all.pop() } else { Some(Value::Union(all)) }
    }

    fn relation(&mut self) -> Option<Value> {
        let left = self.item()?;
        let turned = match self.peek() {
            Some(Token::Sign('=')) => Some(('=', false)),
            Some(Token::Sign('<')) => Some(('<', false)),
            Some(Token::Sign('>')) => Some(('<', true)),
            Some(Token::Word(w)) => match w.as_str() {
                "in" => {
                    self.at += 1;
                    return self.union();
                }
                "lt" => Some(('<', false)),
                "gt" => Some(('<', true)),
                "le" | "leq" | "leqslant" => Some(('≤', false)),
                "ge" | "geq" | "geqslant" => Some(('≤', true)),
                "ne" | "neq" => Some(('≠', false)),
                "approx" | "equiv" => Some(('=', false)),
                _ => None,
            },
            _ => None,
        };
        let Some((sign, turned)) = turned else { return Some(left) };
        self.at += 1;
        // `<=` and `>=` in plain text.
        let sign = if sign == '<' && self.sign('=') { '≤' } else { sign };
        let right = self.relation()?;
        match (left, right) {
            // `x = 5` stands for its right side wherever a value is wanted.
            (Value::Expr(a), Value::Expr(b)) if turned => Some(Value::Relation(b, sign, a)),
            (Value::Expr(a), Value::Expr(b)) => Some(Value::Relation(a, sign, b)),
            (_, right) => (sign == '=').then_some(right),
        }
    }

    /// A bracketed list, a matrix, or an expression.
    fn item(&mut self) -> Option<Value> {
        let start = self.at;
        if let Some(value) = self.bracketed() {
            // A bracket that goes on as an expression is a part of it.
            if self.ends() {
                return Some(value);
            }
        }
        self.at = start;
        let (low, high) = self.plus_minus()?;
        if self.sign('%') {
            return Some(Value::Percent(low));
        }
        self.unit();
        self.sign('.');
        Some(match high {
            None => Value::Expr(low),
            Some(high) => Value::Set(vec![Value::Expr(low), Value::Expr(high)]),
        })
    }

    /// Whether what follows cannot go on an expression.
    fn ends(&self) -> bool {
        match self.peek() {
            None => true,
            Some(Token::Sign(c)) => ",;)]}⦄=<>&⏎.".contains(*c),
            Some(Token::Word(w)) => {
                ["cup", "bigcup", "in", "le", "leq", "ge", "geq", "end", "and", "or"].contains(&w.as_str())
            }
            _ => false,
        }
    }

    fn bracketed(&mut self) -> Option<Value> {
        if self.depth > DEPTH {
            return None;
        }
        self.depth += 1;
        let value = self.bracketed_here();
        self.depth -= 1;
        value
    }

    fn bracketed_here(&mut self) -> Option<Value> {
        if self.word(&["begin"]) {
            return self.matrix();
        }
        let open = match self.peek()? {
            Token::Sign(c @ ('(' | '[' | '⦃' | '{')) => *c,
            Token::Word(w) if w == "lbrace" => '⦃',
            Token::Word(w) if w == "langle" => '(',
            _ => return None,
        };
        self.at += 1;
        let mut all = Vec::new();
        if !matches!(self.peek(), Some(Token::Sign('⦄'))) {
            all.push(self.union()?);
            while self.sign(',') || self.sign(';') {
                all.push(self.union()?);
            }
        }
        let close = match self.peek()? {
            Token::Sign(c @ (')' | ']' | '⦄' | '}')) => *c,
            Token::Word(w) if w == "rbrace" => '⦄',
            Token::Word(w) if w == "rangle" => ')',
            _ => return None,
        };
        self.at += 1;
        match (open, close) {
            ('⦃', '⦄') => Some(Value::Set(all)),
            ('{', '}') if all.len() > 1 => Some(Value::Set(all)),
            ('(', ')') | ('{', '}') | ('[', ']') if all.len() == 1 => {
                // Around one value that is no expression, brackets change nothing.
                all.pop().filter(|v| !matches!(v, Value::Expr(_)))
            }
            ('(' | '[', ')' | ']') if all.len() > 1 => Some(Value::Sequence(open, all, close)),
            _ => None,
        }
    }

    /// After `\begin`: `{pmatrix} a & b \\ c & d \end{pmatrix}`.
    fn matrix(&mut self) -> Option<Value> {
        self.name()?;
        let mut rows = vec![Vec::new()];
        loop {
            rows.last_mut()?.push(self.union()?);
            if self.sign('&') {
                continue;
            }
            if self.sign('⏎') && !matches!(self.peek(), Some(Token::Word(w)) if w == "end") {
                rows.push(Vec::new());
                continue;
            }
            if !self.word(&["end"]) {
                return None;
            }
            self.name()?;
            return Some(Value::Matrix(rows));
        }
    }

    /// `{pmatrix}`, or `{array}{cc}`.
    fn name(&mut self) -> Option<()> {
        let mut any = false;
        while self.sign('{') {
            while matches!(self.peek(), Some(Token::Letter(_) | Token::Word(_) | Token::Sign('|'))) {
                self.at += 1;
            }
            if !self.sign('}') {
                return None;
            }
            any = true;
        }
        any.then_some(())
    }

    /// An expression, or both values of one with `±`.
    fn plus_minus(&mut self) -> Option<(Expr, Option<Expr>)> {
        let start = self.at;
        let left = if self.word(&["pm"]) { None } else { Some(self.sum()?) };
        if left.is_some() && !self.word(&["pm"]) {
            return Some((left?, None));
        }
        // Only `a ± b`, not inside of anything: that is where answers have it.
        let right = self.product()?;
        debug_assert!(self.at > start);
        let negative = Expr::Negative(Box::new(right.clone()));
        Some(match left {
            None => (right, Some(negative)),
            Some(left) => (Expr::Sum(vec![left.clone(), right]), Some(Expr::Sum(vec![left, negative]))),
        })
    }

    fn sum(&mut self) -> Option<Expr> {
        if self.depth > DEPTH {
            return None;
        }
        self.depth += 1;
        let sum = self.sum_here();
        self.depth -= 1;
        sum
    }

    fn sum_here(&mut self) -> Option<Expr> {
        let mut terms = vec![self.term()?];
        loop {
            if self.sign('+') {
                terms.push(self.term()?);
            } else if self.sign('-') {
                terms.push(Expr::Negative(Box::new(self.term()?)));
            } else {
                return if terms.len() == 1 { terms.pop() } else { Some(Expr::Sum(terms)) };
            }
        }
    }

    /// A product with the signs before it.
    fn term(&mut self) -> Option<Expr> {
        let mut negative = false;
        loop {
            if self.sign('-') {
                negative = !negative;
            } else if !self.sign('+') {
                break;
            }
        }
        let product = self.product()?;
        Some(if negative { Expr::Negative(Box::new(product)) } else { product })
    }

    fn product(&mut self) -> Option<Expr> {
        let mut left = self.power()?;
        loop {
            if self.sign('*') || self.word(&["cdot", "times"]) {
                let right = self.signed_power()?;
                left = Expr::Product(vec![left, right]);
            } else if self.sign('/') || self.word(&["div"]) {
                let right = self.signed_power()?;
                left = Expr::Quotient(Box::new(left), Box::new(right));
            } else if self.sign('␣') {
                // `3 1/2`
                let number = self.power()?;
                let under = if self.sign('/') { self.power()? } else { return None };
                left = Expr::Sum(vec![left, Expr::Quotient(Box::new(number), Box::new(under))]);
            } else if self.goes_on() {
                let mixed = matches!(left, Expr::Number(_, ref part) if part.is_empty())
                    && matches!(self.peek(), Some(Token::Word(w)) if w.ends_with("frac"));
                let right = self.power()?;
                let plain = matches!(&right, Expr::Quotient(a, b)
                    if matches!((&**a, &**b), (Expr::Number(..), Expr::Number(..))));
                left = if mixed && plain {
                    Expr::Sum(vec![left, right])
                } else {
                    Expr::Product(vec![left, right])
                };
            } else {
                return Some(left);
            }
        }
    }

    fn signed_power(&mut self) -> Option<Expr> {
        if self.sign('-') { Some(Expr::Negative(Box::new(self.power()?))) } else { self.power() }
    }

    /// Whether a factor follows without a sign.
    fn goes_on(&self) -> bool {
        match self.peek() {
            Some(Token::Letter(_) | Token::Number(..)) => true,
            Some(Token::Sign(c)) => "({[".contains(*c),
            Some(Token::Word(w)) => {
                w.ends_with("frac") || w == "binom" || w == "pi" || function(w).is_some() || is_greek(w)
            }
            None => false,
        }
    }

    fn power(&mut self) -> Option<Expr> {
        let base = self.factorial()?;
        if self.word(&["circ"]) {
            return Some(base);
        }
        if !self.sign('^') {
            return Some(base);
        }
        // Degrees: `90^\circ`, `90^{\circ}`.
        if self.word(&["circ"]) {
            return Some(base);
        }
        if self.tokens[self.at..].starts_with(&[
            Token::Sign('{'),
            Token::Word("circ".into()),
            Token::Sign('}'),
        ]) {
            self.at += 3;
            return Some(base);
        }
        let exponent = self.script()?;
        Some(Expr::Power(Box::new(base), Box::new(exponent)))
    }

    fn factorial(&mut self) -> Option<Expr> {
        let mut base = self.atom()?;
        while self.sign('!') {
            base = Expr::Function("factorial", Box::new(base));
        }
        Some(base)
    }

    /// What follows `^` or `\frac`: a group, one digit, one letter or one command.
    fn script(&mut self) -> Option<Expr> {
        if self.sign('-') {
            return Some(Expr::Negative(Box::new(self.script()?)));
        }
        self.atom()
    }

    /// One argument of a command: a group, or one digit of what follows.
    fn argument(&mut self) -> Option<Expr> {
        self.atom()
    }

    fn atom(&mut self) -> Option<Expr> {
        if self.depth > DEPTH {
            return None;
        }
        self.depth += 1;
        let atom = self.atom_here();
        self.depth -= 1;
        atom
    }

    fn atom_here(&mut self) -> Option<Expr> {
        let token = self.peek()?.clone();
        self.at += 1;
        match token {
            Token::Number(whole, part) => Some(Expr::Number(whole, part)),
            Token::Letter('e') => Some(Expr::E),
            Token::Letter(c) => Some(Expr::Variable(self.indexed(c.to_string())?)),
            Token::Sign(open @ ('(' | '{' | '[')) => {
                let inside = self.sum()?;
                let close = match open {
                    '(' => ')',
                    '{' => '}',
                    _ => ']',
                };
                self.sign(close).then_some(inside)
            }
            Token::Sign('|') => {
                let inside = self.sum()?;
                self.sign('|').then(|| Expr::Function("abs", Box::new(inside)))
            }
            Token::Word(word) => self.command(&word),
            _ => None,
        }
    }

    fn indexed(&mut self, name: String) -> Option<String> {
        if !self.sign('_') {
            return Some(name);
        }
        match self.atom()? {
            Expr::Number(index, _) | Expr::Variable(index) => Some(format!("{name}_{index}")),
            _ => None,
        }
    }

    fn command(&mut self, word: &str) -> Option<Expr> {
        match word {
            "pi" => Some(Expr::Pi),
            "infty" | "infinity" | "inf" => Some(Expr::Infinity),
            "frac" | "dfrac" | "tfrac" | "cfrac" => {
                let over = self.argument()?;
                // `\frac12` is a half: the digits were read as one number.
                if let Expr::Number(digits, part) = &over
                    && part.is_empty()
                    && digits.len() > 1
                    && !matches!(self.tokens.get(self.at.wrapping_sub(1)), Some(Token::Sign(_)))
                {
                    let (a, b) = digits.split_at(1);
                    let number = |t: &str| Box::new(Expr::Number(t.to_owned(), String::new()));
                    return Some(Expr::Quotient(number(a), number(b)));
                }
                let under = self.argument()?;
                Some(Expr::Quotient(Box::new(over), Box::new(under)))
            }
            "binom" => {
                let (n, k) = (self.argument()?, self.argument()?);
                let factorial = |e: Expr| Expr::Function("factorial", Box::new(e));
                let rest = Expr::Sum(vec![n.clone(), Expr::Negative(Box::new(k.clone()))]);
                let under = Expr::Product(vec![factorial(k), factorial(rest)]);
                Some(Expr::Quotient(Box::new(factorial(n)), Box::new(under)))
            }
            "sqrt" if self.sign('[') => {
                let degree = self.sum()?;
                if !self.sign(']') {
                    return None;
                }
                let one = Expr::Number("1".into(), String::new());
                let root = Expr::Quotient(Box::new(one), Box::new(degree));
                Some(Expr::Power(Box::new(self.argument()?), Box::new(root)))
            }
            "log" if self.sign('_') => {
                let base = self.atom()?;
                let of = self.power()?;
                let ln = |e: Expr| Box::new(Expr::Function("ln", Box::new(e)));
                Some(Expr::Quotient(ln(of), ln(base)))
            }
            word => {
                if let Some(name) = function(word) {
                    let raised = if self.sign('^') { Some(self.script()?) } else { None };
                    let of = if matches!(name, "sqrt" | "cbrt") { self.argument()? } else { self.power()? };
                    let call = Expr::Function(name, Box::new(of));
                    return Some(match raised {
                        Some(by) => Expr::Power(Box::new(call), Box::new(by)),
                        None => call,
                    });
                }
                is_greek(word).then(|| self.indexed(format!("\\{word}"))).flatten().map(Expr::Variable)
            }
        }
    }

    /// A unit behind a number: `\text{ cm}`, `^2` after it.
    fn unit(&mut self) {
        while self.word(&["text", "mbox", "textrm"]) {
            if self.sign('{') {
                while self.peek().is_some() && !self.sign('}') {
                    self.at += 1;
                }
            }
            if self.sign('^') && self.script().is_none() {
                return;
            }
        }
        self.word(&["circ", "degree"]);
    }
}

fn function(word: &str) -> Option<&'static str> {
    const FUNCTIONS: [(&str, &str); 15] = [
        ("sqrt", "sqrt"),
        ("cbrt", "cbrt"),
        ("sin", "sin"),
        ("cos", "cos"),
        ("tan", "tan"),
        ("sinh", "sinh"),
        ("cosh", "cosh"),
        ("tanh", "tanh"),
        ("arcsin", "arcsin"),
        ("arccos", "arccos"),
        ("arctan", "arctan"),
        ("ln", "ln"),
        ("log", "ln"),
        ("exp", "exp"),
        ("cot", "cot"),
    ];
    FUNCTIONS.iter().find(|(name, _)| *name == word).map(|(_, f)| *f)
}

fn is_greek(word: &str) -> bool {
    const GREEK: [&str; 16] = [
        "alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "mu", "nu", "rho", "sigma", "tau",
        "phi", "omega", "xi", "ell",
    ];
    GREEK.contains(&word)
}
