//! Expressions: sums, products, powers, and what commands and functions make of them.

use super::parse::{DEPTH, Expr, Parser};
use super::token::Token;

impl Parser<'_> {
    /// An expression, or both values of one with `±`.
    pub(super) fn plus_minus(&mut self) -> Option<(Expr, Option<Expr>)> {
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
    pub(super) fn script(&mut self) -> Option<Expr> {
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
