//! Whether two clocks agree.

use crate::doctor::finding::Finding;

/// Certificates, `Retry-After` and the expiry of results suffer beyond this.
const MOST: i64 = 60;
/// Worth a look beyond this.
const MUCH: i64 = 5;

/// Compares this machine's clock with another one, both in seconds since 1970.
pub(super) fn compare(other_name: &str, here: i64, there: i64) -> Finding {
    let ahead = here - there;
    let seen = match ahead {
        0 => format!("the same as {other_name}"),
        1.. => format!("{ahead} s ahead of {other_name}"),
        ..0 => format!("{} s behind {other_name}", -ahead),
    };
    let remedy = "let both machines' clocks be set by NTP (timedatectl set-ntp true)";
    if ahead.abs() <= MUCH {
        Finding::ok("clock", seen)
    } else if ahead.abs() <= MOST {
        Finding::warning("clock", seen, remedy)
    } else {
        Finding::fail("clock", seen, remedy)
    }
}

/// This machine's clock, in seconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The clock of an HTTP server, from its header `Date`.
pub(super) fn date_of(response: &reqwest::Response) -> Option<i64> {
    let text = response.headers().get("date")?.to_str().ok()?;
    Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn small_differences_are_no_matter() {
        for (here, level) in
            [(100, Level::Ok), (96, Level::Ok), (110, Level::Warning), (41, Level::Warning), (500, Level::Fail)]
        {
            assert_eq!(compare("Redis", here, 100).level(), level, "{here}");
        }
    }

    #[test]
    fn the_date_of_a_server_is_read() {
        let response = axum::http::Response::builder().header("date", "Tue, 15 Nov 1994 08:12:31 GMT");
        let response = reqwest::Response::from(response.body("").unwrap());
        assert_eq!(date_of(&response), Some(784_887_151));
    }
}
