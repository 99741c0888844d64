//! The arithmetic steps in a text: what a solution does, whatever words it uses.

/// A number as it stands in a text, with the words right after it: `3 spiders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    pub value: i64,
    /// The words that follow it, in lower case, joined by one space; empty if none.
    pub unit: String,
}

/// One step of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `a x b + c = d`: terms of factors, added, and what the text says they come to.
    Equation { terms: Vec<Vec<Quantity>>, result: i64 },
    /// At least two numbers with nothing but commas between them: `8, 16, 24`.
    Series(Vec<i64>),
    /// A label with a number before its colon, and the number after it where no equation
    /// follows: `8 legs: 3`.
    Label { of: Quantity, value: Option<i64> },
}

impl Step {
    /// Whether an equation's two sides are equal; other steps claim nothing.
    pub fn holds(&self) -> bool {
        match self {
            Step::Equation { terms, result } => {
                let product = |t: &Vec<Quantity>| t.iter().try_fold(1i64, |a, q| a.checked_mul(q.value));
                let sum = terms.iter().try_fold(0i64, |a, t| a.checked_add(product(t)?));
                sum == Some(*result)
            }
            _ => true,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Lexeme {
    Number(i64),
    Word(String),
    Plus,
    Times,
    Equals,
    Comma,
    Colon,
    /// Anything that ends a step: a full stop, a new line, another sign.
    Break,
}

/// The steps of `text` in order. Linear in its length.
pub fn steps(text: &str) -> Vec<Step> {
    let lexemes = lex(text);
    let mut out = Vec::new();
    let mut at = 0;
    while at < lexemes.len() {
        if let Some((step, next)) =
            equation(&lexemes, at).or_else(|| label(&lexemes, at)).or_else(|| series(&lexemes, at))
        {
            out.push(step);
            at = next;
        } else {
            at += 1;
        }
    }
    out
}

fn lex(text: &str) -> Vec<Lexeme> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut run = |keep: fn(char) -> bool| {
            let mut end = start + c.len_utf8();
            while let Some(&(i, d)) = chars.peek() {
                if !keep(d) {
                    break;
                }
                end = i + d.len_utf8();
                chars.next();
            }
            &text[start..end]
        };
        out.push(match c {
            '0'..='9' => run(|d| d.is_ascii_digit()).parse().map_or(Lexeme::Break, Lexeme::Number),
            '+' => Lexeme::Plus,
            '×' | '*' | '·' => Lexeme::Times,
            '=' => Lexeme::Equals,
            ',' => Lexeme::Comma,
            ':' => Lexeme::Colon,
            c if c.is_alphabetic() => match run(|d| d.is_alphabetic() || d == '\'') {
                "x" | "X" => Lexeme::Times,
                word => Lexeme::Word(word.to_lowercase()),
            },
            '\n' => Lexeme::Break,
            c if c.is_whitespace() || matches!(c, '(' | ')' | '$') => continue,
            _ => Lexeme::Break,
        });
    }
    out
}

/// A number with its unit at `at`, and where it ends. `and` is no unit.
fn quantity(lexemes: &[Lexeme], at: usize) -> Option<(Quantity, usize)> {
    let Lexeme::Number(value) = *lexemes.get(at)? else { return None };
    let mut next = at + 1;
    let mut unit = String::new();
    while let Some(Lexeme::Word(word)) = lexemes.get(next) {
        if word == "and" || unit.len() > 40 {
            break;
        }
        if !unit.is_empty() {
            unit.push(' ');
        }
        unit.push_str(word);
        next += 1;
    }
    Some((Quantity { value, unit }, next))
}

fn equation(lexemes: &[Lexeme], at: usize) -> Option<(Step, usize)> {
    let (first, mut next) = quantity(lexemes, at)?;
    let mut terms = vec![vec![first]];
    loop {
        let operator = lexemes.get(next)?;
        let times = match operator {
            Lexeme::Times => true,
            Lexeme::Plus => false,
            Lexeme::Equals => break,
            _ => return None,
        };
        let (q, after) = quantity(lexemes, next + 1)?;
        next = after;
        match terms.last_mut() {
            Some(term) if times => term.push(q),
            _ => terms.push(vec![q]),
        }
    }
    let trivial = terms.len() == 1 && terms[0].len() == 1;
    let (result, after) = quantity(lexemes, next + 1)?;
    // In `a x b = c = d` or `a x b = c + d = e` the next equation starts at c.
    let chained = matches!(lexemes.get(after), Some(Lexeme::Plus | Lexeme::Times | Lexeme::Equals));
    (!trivial)
        .then_some((Step::Equation { terms, result: result.value }, if chained { next + 1 } else { after }))
}

fn label(lexemes: &[Lexeme], at: usize) -> Option<(Step, usize)> {
    let (of, next) = quantity(lexemes, at)?;
    if of.unit.is_empty() || lexemes.get(next) != Some(&Lexeme::Colon) {
        return None;
    }
    let next = next + 1;
    if equation(lexemes, next).is_some() {
        return Some((Step::Label { of, value: None }, next));
    }
    match quantity(lexemes, next) {
        Some((q, after)) => Some((Step::Label { of, value: Some(q.value) }, after)),
        None => Some((Step::Label { of, value: None }, next)),
    }
}

fn series(lexemes: &[Lexeme], at: usize) -> Option<(Step, usize)> {
    let mut values = Vec::new();
    let mut next = at;
    while let Some(Lexeme::Number(value)) = lexemes.get(next) {
        values.push(*value);
        next += 1;
        if lexemes.get(next) != Some(&Lexeme::Comma)
            || !matches!(lexemes.get(next + 1), Some(Lexeme::Number(_)))
        {
            break;
        }
        next += 1;
    }
    // `8, 16, 3 x 4 = 12`: the last number belongs to what follows.
    if matches!(lexemes.get(next), Some(Lexeme::Plus | Lexeme::Times | Lexeme::Equals)) {
        values.pop();
        next = next.saturating_sub(1);
    }
    (values.len() >= 2).then_some((Step::Series(values), next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let q = |q: &Quantity| {
            if q.unit.is_empty() { q.value.to_string() } else { format!("{} {}", q.value, q.unit) }
        };
        let one = |s: &Step| match s {
            Step::Equation { terms, result } => {
                let terms: Vec<String> =
                    terms.iter().map(|t| t.iter().map(q).collect::<Vec<_>>().join("*")).collect();
                format!("{}={result}", terms.join("+"))
            }
            Step::Series(values) => format!("{values:?}"),
            Step::Label { of, value } => format!("{}:{value:?}", q(of)),
        };
        steps(text).iter().map(one).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn steps_are_read_whatever_the_words() {
        let case = |text, want| assert_eq!(shown(text), want, "{text}");
        case(
            "Multiply: 3 spiders x 8 = 24, 2 dogs x 4 = 8. 24 + 8 = 32.",
            "3 spiders*8=24 | 2 dogs*4=8 | 24+8=32",
        );
        case("0 + 3 x 8 = 24, 24 + 2 x 4 = 32", "0+3*8=24 | 24+2*4=32");
        case("8 legs: 3 + 1 = 4, 4 legs: 2. 4 × 8 = 32", "8 legs:None | 3+1=4 | 4 legs:Some(2) | 4*8=32");
        case("Count: 8, 16, 24, 28.", "[8, 16, 24, 28]");
        case("3 * 8 = 24 + 8 = 32", "3*8=24 | 24+8=32");
        case("There are 3 spiders and 2 dogs.", "");
        case("3 spiders × 8 legs = 24 legs\nTotal = 24", "3 spiders*8 legs=24");
        case("", "");
        case("1 = = 2 + x x", "");
    }

    #[test]
    fn an_equation_holds_or_not() {
        assert!(steps("3 x 8 + 2 = 26")[0].holds());
        assert!(!steps("3 x 8 + 2 = 27")[0].holds());
        assert!(!steps("9999999999999 x 9999999999999 = 1")[0].holds());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "([0-9]{1,3}|[ x+=,:.\n]|legs|é){0,60}") {
            let _ = steps(&text);
        }
    }
}
