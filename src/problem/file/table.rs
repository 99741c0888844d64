//! The rows of a CSV text.

use std::iter::Peekable;
use std::str::Chars;

/// Rows with the line on which each starts, from 1; a line number alone where a quoted
/// cell has no end. Empty lines are no rows.
pub(super) struct Rows<'a> {
    chars: Peekable<Chars<'a>>,
    separator: char,
    line: usize,
}

impl<'a> Rows<'a> {
    pub fn new(text: &'a str, separator: char) -> Self {
        Self { chars: text.chars().peekable(), separator, line: 1 }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<(usize, Vec<String>), usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row: Vec<String> = Vec::new();
        let mut cell = String::new();
        let (mut start, mut quoted) = (self.line, false);
        while let Some(c) = self.chars.next() {
            self.line += usize::from(c == '\n');
            match c {
                '"' if quoted && self.chars.peek() == Some(&'"') => {
                    self.chars.next();
                    cell.push('"');
                }
                '"' if quoted => quoted = false,
                '"' if cell.is_empty() => quoted = true,
                c if c == self.separator && !quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !quoted && self.chars.peek() == Some(&'\n') => {}
                '\n' if !quoted && row.is_empty() && cell.is_empty() => start = self.line,
                '\n' if !quoted => {
                    row.push(cell);
                    return Some(Ok((start, row)));
                }
                c => cell.push(c),
            }
        }
        if quoted {
            return Some(Err(start));
        }
        if row.is_empty() && cell.is_empty() {
            return None;
        }
        row.push(cell);
        Some(Ok((start, row)))
    }
}
