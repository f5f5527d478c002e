//! Points in time as clients read them: `2021-01-31T23:48:37.000000Z`.

use jiff::Timestamp;

/// Milliseconds since 1970, in UTC with microseconds. A time beyond the calendar is shown as 1970: clients parse the text.
pub fn render_time(unix_millis: i64) -> String {
    let time = Timestamp::from_millisecond(unix_millis).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// The same without fractions, for people: `2021-01-31T23:48:37Z`.
pub fn render_second(unix_millis: i64) -> String {
    Timestamp::from_millisecond(unix_millis).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time of a build in seconds since 1970; files that name no time are of 1970.
pub(crate) fn render_build_time(source_date_epoch: Option<i64>) -> String {
    render_time(source_date_epoch.unwrap_or_default().saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_six_decimals_and_is_utc() {
        for (seconds, text) in [
            (Some(1_612_136_917), "2021-01-31T23:48:37.000000Z"),
            (Some(0), "1970-01-01T00:00:00.000000Z"),
            (None, "1970-01-01T00:00:00.000000Z"),
            (Some(i64::MAX), "1970-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(render_build_time(seconds), text);
        }
        assert_eq!(render_time(1_612_136_917_042), "2021-01-31T23:48:37.042000Z");
        assert_eq!(render_second(1_612_136_917_042), "2021-01-31T23:48:37Z");
    }
}
