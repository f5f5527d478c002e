//! A day of UTC.

use std::fmt;

use jiff::civil::Date;

/// A day by its number since 1970. Shows as `2021-01-31Z`; a day beyond the calendar is shown as the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixDay(i64);

impl UnixDay {
    /// The day of this number; 0 is the first of January 1970.
    pub fn new(number: i64) -> Self {
        Self(number)
    }

    /// The Monday of a week. Week 0 is the one that 1970 began in, on a Thursday.
    pub fn monday(week: i64) -> Self {
        Self(week.saturating_mul(7).saturating_sub(3))
    }
}

impl fmt::Display for UnixDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = Date::constant(1970, 1, 1);
        let days = jiff::Span::new().try_days(self.0).unwrap_or_default();
        write!(f, "{}Z", first.checked_add(days).unwrap_or(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_date() {
        for (day, text) in [
            (UnixDay::new(0), "1970-01-01Z"),
            (UnixDay::new(18658), "2021-01-31Z"),
            (UnixDay::new(i64::MAX), "1970-01-01Z"),
            (UnixDay::monday(0), "1969-12-29Z"),
            (UnixDay::monday(2953), "2026-08-03Z"),
        ] {
            assert_eq!(day.to_string(), text);
        }
    }
}
