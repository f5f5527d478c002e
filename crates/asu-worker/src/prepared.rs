//! A snapshot's ImageBuilder that was set up and kept, and whether it is the one that a build wants.

use std::time::Duration;

use asu_core::{BuildLog, VersionCode};
use asu_sandbox::ImageId;
use tokio::time::Instant;

use crate::snapshot::Snapshot;

/// What a build wants of a snapshot.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) snapshot: Snapshot,
    /// The revision that the request insists on; empty for any.
    pub(crate) requested: VersionCode,
    /// What upstream has now, as far as it says.
    pub(crate) present: Option<VersionCode>,
    /// When the build came.
    pub(crate) since: Instant,
}

/// An image of an ImageBuilder that is complete.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) image: ImageId,
    pub(crate) revision: VersionCode,
    /// `None` if it was found on this machine.
    pub(crate) set_up: Option<SetUp>,
}

/// How an image came to be, if it was this worker that made it.
#[derive(Debug, Clone)]
pub(crate) struct SetUp {
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    /// What upstream said then that it has.
    pub(crate) present: Option<VersionCode>,
    /// What the script printed.
    pub(crate) log: BuildLog,
}

impl Wish {
    /// True if a build may be made with any revision.
    pub(crate) fn takes_any(&self) -> bool {
        self.requested.as_str().is_empty()
    }
}

impl Prepared {
    /// True unless the ImageBuilder has to be set up anew. A build that insists on a revision that cannot be had any more
    /// is told so by this one.
    pub(crate) fn suits(&self, wish: &Wish, upstream_ttl: Duration) -> bool {
        // What was set up after the build came is all that there is to be had.
        if self.set_up.as_ref().is_some_and(|set_up| set_up.begun >= wish.since) {
            return true;
        }
        if !wish.takes_any() {
            return self.revision == wish.requested || is_older(&wish.requested, &self.revision);
        }
        let Some(present) = &wish.present else { return true };
        self.revision == *present || self.is_what_was_meant_by(present, upstream_ttl)
    }

    /// Upstream's word may be older than the ImageBuilder that it gives, or newer. It is set up anew when upstream has
    /// been asked again, not by every build until then.
    fn is_what_was_meant_by(&self, present: &VersionCode, upstream_ttl: Duration) -> bool {
        let set_up = self.set_up.as_ref().filter(|set_up| set_up.present.as_ref() == Some(present));
        set_up.is_some_and(|set_up| set_up.begun.elapsed() < upstream_ttl)
    }

    /// What the script printed, if the build waited for it.
    pub(crate) fn log_for(&self, wish: &Wish) -> Option<&BuildLog> {
        self.set_up.as_ref().filter(|set_up| set_up.ended >= wish.since).map(|set_up| &set_up.log)
    }
}

/// True if both are numbered as upstream does, and the first has the smaller number: upstream never goes back.
fn is_older(revision: &VersionCode, than: &VersionCode) -> bool {
    let number = |revision: &VersionCode| {
        let digits: String = revision.as_str().strip_prefix('r')?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    };
    number(revision).zip(number(than)).is_some_and(|(one, other)| one < other)
}

#[cfg(test)]
mod tests {
    use asu_core::{Distro, Target, Version};

    use super::*;

    const TTL: Duration = Duration::from_secs(600);

    fn code(text: &str) -> VersionCode {
        VersionCode::parse(text).unwrap()
    }

    fn wish(requested: &str, present: Option<&str>) -> Wish {
        let snapshot = Snapshot {
            distro: Distro::openwrt(),
            upstream_url: "https://a.example".to_owned(),
            version: Version::parse("SNAPSHOT").unwrap(),
            version_path: "snapshots".to_owned(),
            target: Target::parse("x86/64").unwrap(),
        };
        Wish { snapshot, requested: code(requested), present: present.map(code), since: Instant::now() }
    }

    fn prepared(revision: &str, set_up: Option<(Instant, &str)>) -> Prepared {
        let set_up = set_up.map(|(begun, present)| SetUp {
            begun,
            ended: begun,
            present: Some(code(present)),
            log: BuildLog::default(),
        });
        Prepared { image: "0f".repeat(32).parse().unwrap(), revision: code(revision), set_up }
    }

    #[test]
    fn an_imagebuilder_is_used_until_upstream_has_another_revision() {
        for (requested, present, suits) in [
            ("", Some("r5-a"), true),
            ("", Some("r6-b"), false),
            ("", None, true),
            ("r5-a", Some("r6-b"), true),
            ("r6-b", Some("r5-a"), false),
            ("r6-b", None, false),
            ("r5-b", Some("r5-a"), false),
            ("odd", Some("r5-a"), false),
            // Gone for good.
            ("r4-z", Some("r5-a"), true),
        ] {
            let found = prepared("r5-a", None);
            assert_eq!(found.suits(&wish(requested, present), TTL), suits, "{requested:?} {present:?}");
        }
    }

    #[test]
    fn what_was_set_up_for_a_build_is_all_that_it_can_have() {
        let wish = wish("r6-b", Some("r6-b"));
        assert!(prepared("r5-a", Some((wish.since, "r6-b"))).suits(&wish, TTL));
        let before = wish.since.checked_sub(Duration::from_secs(1)).unwrap();
        assert!(!prepared("r5-a", Some((before, "r6-b"))).suits(&wish, TTL));
    }

    #[test]
    fn an_upstream_that_contradicts_itself_is_not_fetched_from_by_every_build() {
        let wish = wish("", Some("r6-b"));
        let before = wish.since.checked_sub(Duration::from_secs(1)).unwrap();
        assert!(prepared("r5-a", Some((before, "r6-b"))).suits(&wish, TTL));
        assert!(!prepared("r5-a", Some((before, "r6-b"))).suits(&wish, Duration::from_millis(500)));
        assert!(!prepared("r5-a", Some((before, "r5-a"))).suits(&wish, TTL));
    }
}
