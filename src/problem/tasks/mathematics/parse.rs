//! Mathematics as people and models write it, LaTeX or plain, into values.

use super::token::{Token, tokens};

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

/// Deeper nesting is no answer.
pub(super) const DEPTH: usize = 48;

pub(super) struct Parser<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn sign(&mut self, c: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(c));
        self.at += usize::from(found);
        found
    }

    pub(super) fn word(&mut self, words: &[&str]) -> bool {
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
