//! Days and their dates: the proleptic Gregorian calendar, UTC, from 1970 on.

/// The months' names.
pub const MONTHS: [&str; 12] = [
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

/// The days' names, from that of 1 January 1970 on.
pub const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// Seconds of a day.
const DAY: u64 = 86_400;

/// A moment, in seconds since 1970, UTC, leap seconds left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

/// The parts of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// Its place in [`DAYS`].
    pub weekday: usize,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
}

impl Date {
    /// The month's name.
    pub fn month_name(&self) -> &'static str {
        MONTHS[self.month as usize - 1]
    }

    /// The day's name.
    pub fn day_name(&self) -> &'static str {
        DAYS[self.weekday]
    }
}

impl Moment {
    /// The parts of it (Hinnant's `civil_from_days`).
    pub fn date(self) -> Date {
        let (days, second) = (self.0 / DAY, self.0 % DAY);
        // Years that begin in March, so that the day of a leap year is their last.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Date {
            year: 400 * era + year + u64::from(month <= 2),
            month,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            weekday: (days % 7) as usize,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// The moment of an HTTP date in any of its three forms (RFC 9110, 5.6.7). A year of two
    /// digits is one from 1970 to 2069. `None` for another text, or a day before 1970.
    pub fn of_http(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split([' ', ',', '-']).filter(|w| !w.is_empty()).collect();
        let (day, month, year, time) = match words[..] {
            [_, day, month, year, time, "GMT"] => (day, month, year, time),
            // As C's asctime writes it.
            [_, month, day, time, year] => (day, month, year, time),
            _ => return None,
        };
        let month = 1 + MONTHS.iter().position(|name| name[..3] == *month)? as u64;
        let whole = |text: &str| (text.len() <= 4).then(|| text.parse::<u64>().ok())?;
        let year = match (year.len(), whole(year)?) {
            (2, short @ 70..) => 1900 + short,
            (2, short) => 2000 + short,
            (_, year) => year,
        };
        let mut clock = time.split(':').map(whole);
        let (Some(hour), Some(minute), Some(second), None) =
            (clock.next()?, clock.next()?, clock.next()?, clock.next())
        else {
            return None;
        };
        // A leap second is the next one.
        let in_range = hour < 24 && minute < 60 && second <= 60;
        let days = in_range.then(|| days(year, month, whole(day)?))??;
        Some(Self(days * DAY + hour * 3600 + minute * 60 + second))
    }
}

/// The days from 1970 to a date (Hinnant's `days_from_civil`); `None` for one that is not in
/// the calendar or before.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) {
        return None;
    }
    let year = year - u64::from(month <= 2);
    let (era, of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let days = (era * 146_097 + of_era).checked_sub(719_468)?;
    // The 31st of a shorter month is not there.
    let date = Moment(days * DAY).date();
    ((date.month, date.day) == (month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_forms_of_an_http_date_are_one_moment() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(Moment::of_http(text), Some(Moment(784_111_777)), "{text}");
        }
        assert_eq!(Moment::of_http("Thu, 01-Jan-70 00:00:00 GMT"), Some(Moment(0)));
        assert_eq!(Moment::of_http("Wed, 01-Jan-69 00:00:00 GMT"), Some(Moment(3_124_224_000)));
        for text in [
            "",
            "120",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sun, 99999999999999999999 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        ] {
            assert_eq!(Moment::of_http(text), None, "{text}");
        }
    }

    #[test]
    fn days_have_their_dates() {
        let date = |seconds| {
            let d = Moment(seconds).date();
            (d.year, d.month_name(), d.day, d.day_name(), d.hour, d.minute, d.second)
        };
        assert_eq!(date(0), (1970, "January", 1, "Thursday", 0, 0, 0));
        assert_eq!(date(951_782_400 + 3600), (2000, "February", 29, "Tuesday", 1, 0, 0));
        assert_eq!(date(1_709_210_096), (2024, "February", 29, "Thursday", 12, 34, 56));
    }

    proptest! {
        #[test]
        fn a_moment_that_is_written_is_read_back(seconds in 0..253_402_300_800u64) {
            let d = Moment(seconds).date();
            let text = format!(
                "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                &d.day_name()[..3], d.day, &d.month_name()[..3], d.year, d.hour, d.minute, d.second
            );
            prop_assert_eq!(Moment::of_http(&text), Some(Moment(seconds)), "{}", text);
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,60}") {
            let _ = Moment::of_http(&text);
        }
    }
}
