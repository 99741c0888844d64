//! A date as templates ask for it.

use crate::calendar::Moment;
use minijinja::{Error, ErrorKind};
use std::time::{SystemTime, UNIX_EPOCH};

/// Now.
pub fn now() -> Moment {
    Moment(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()))
}

/// The moment as Python's `strftime` writes it.
///
/// # Errors
/// A letter that is not known.
pub fn strftime(moment: Moment, format: &str) -> Result<String, Error> {
    let date = moment.date();
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        out += &match letters.next() {
            Some('Y') => date.year.to_string(),
            Some('y') => format!("{:02}", date.year % 100),
            Some('m') => format!("{:02}", date.month),
            Some('d') => format!("{:02}", date.day),
            Some('B') => date.month_name().to_owned(),
            Some('b') => date.month_name()[..3].to_owned(),
            Some('A') => date.day_name().to_owned(),
            Some('a') => date.day_name()[..3].to_owned(),
            Some('H') => format!("{:02}", date.hour),
            Some('M') => format!("{:02}", date.minute),
            Some('S') => format!("{:02}", date.second),
            Some('%') => "%".to_owned(),
            other => {
                let letter = other.map_or("at the end".to_owned(), |c| c.to_string());
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("strftime_now: %{letter} is not known"),
                ));
            }
        };
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_python_writes_it() {
        let write = |format: &str| strftime(Moment(1_709_210_096), format);
        assert_eq!(write("%d %b %Y").unwrap(), "29 Feb 2024");
        assert_eq!(
            write("%A, %B %d, %y-%m, %a %H:%M:%S 100%%").unwrap(),
            "Thursday, February 29, 24-02, Thu 12:34:56 100%"
        );
        assert_eq!(strftime(Moment(0), "%Y-%m-%d").unwrap(), "1970-01-01");
        assert!(write("%Q").unwrap_err().to_string().contains("%Q is not known"));
    }
}
