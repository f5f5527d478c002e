//! The settings of this server that matter to its users, in words.

use std::time::Duration;

use crate::config::Config;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A setting, and what it is set to; a list has several values.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) values: Vec<String>,
}

pub(super) fn user_settings(config: &Config) -> Vec<Fact> {
    let Config { intake, queue, upstream, .. } = config;
    let first_boot = if intake.allow_defaults {
        format!("allowed, up to {} bytes", intake.max_defaults_length)
    } else {
        "not allowed".to_owned()
    };
    let mut repositories = intake.repository_allow_list.clone();
    if repositories.is_empty() {
        repositories.push("none allowed".to_owned());
    }
    let one = |name, value| Fact { name, values: vec![value] };
    vec![
        one("First-boot scripts", first_boot),
        Fact { name: "Custom package repositories", values: repositories },
        one("Largest root file system", format!("{} MiB", intake.max_custom_rootfs_size_mb)),
        one("Most packages of a request", intake.max_packages.to_string()),
        one("Most builds that wait", queue.max_pending_jobs.to_string()),
        one("Images are kept for", in_words(queue.build_ttl_unversioned.get())),
        one("… with pinned package versions", in_words(queue.build_ttl.get())),
        one("… with a first-boot script", in_words(queue.build_defaults_ttl.get())),
        one("Upstream", upstream.upstream_url.clone()),
    ]
}

/// In the largest unit that fits without a rest; a single day is told in hours, as people do.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0 => (0, "second"),
        _ if seconds.is_multiple_of(DAY) && seconds > DAY => (seconds / DAY, "day"),
        _ if seconds.is_multiple_of(HOUR) => (seconds / HOUR, "hour"),
        _ if seconds.is_multiple_of(MINUTE) => (seconds / MINUTE, "minute"),
        _ => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_people_do() {
        for (seconds, text) in [
            (7 * 86_400, "7 days"),
            (86_400, "24 hours"),
            (3_600, "1 hour"),
            (1_800, "30 minutes"),
            (90, "90 seconds"),
            (1, "1 second"),
            (0, "0 seconds"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), text);
        }
    }
}
