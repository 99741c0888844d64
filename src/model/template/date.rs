//! Today's date, for templates that tell it.

use minijinja::{Error, ErrorKind};
use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// A moment, in seconds since 1970, UTC.
pub struct Moment(u64);

/// Now.
pub fn today() -> Moment {
    Moment(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()))
}

impl Moment {
    /// The moment as Python's `strftime` writes it.
    ///
    /// # Errors
    /// A letter that is not known.
    pub fn format(&self, format: &str) -> Result<String, Error> {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil(days);
        let (month_name, day_name) = (MONTHS[month - 1], DAYS[(days % 7) as usize]);
        let mut out = String::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            out += &match letters.next() {
                Some('Y') => year.to_string(),
                Some('y') => format!("{:02}", year % 100),
                Some('m') => format!("{month:02}"),
                Some('d') => format!("{day:02}"),
                Some('B') => month_name.to_owned(),
                Some('b') => month_name[..3].to_owned(),
                Some('A') => day_name.to_owned(),
                Some('a') => day_name[..3].to_owned(),
                Some('H') => format!("{:02}", second / 3600),
                Some('M') => format!("{:02}", second / 60 % 60),
                Some('S') => format!("{:02}", second % 60),
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
}

/// Year, month and day of a day since 1970 (Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (400 * era + year + u64::from(month <= 2), month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_python_writes_it() {
        let moment = Moment(1_709_210_096);
        assert_eq!(moment.format("%d %b %Y").unwrap(), "29 Feb 2024");
        assert_eq!(
            moment.format("%A, %B %d, %y-%m, %a %H:%M:%S 100%%").unwrap(),
            "Thursday, February 29, 24-02, Thu 12:34:56 100%"
        );
        assert_eq!(Moment(0).format("%Y-%m-%d").unwrap(), "1970-01-01");
        assert!(moment.format("%Q").unwrap_err().to_string().contains("%Q is not known"));
    }
}
