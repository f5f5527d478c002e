//! The Lua scripts, each one atomic move.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(
                include_str!("scripts/counting.lua"),
                include_str!("scripts/prelude.lua"),
                include_str!($file)
            )));)*

        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$(($file, include_str!($file))),*];
    };
}

scripts! {
    ANNOUNCE = "scripts/announce.lua";
    APPEND_LOG = "scripts/append_log.lua";
    ATTEMPTS = "scripts/attempts.lua";
    BEAT = "scripts/beat.lua";
    BUILD_AGAIN = "scripts/build_again.lua";
    CANCEL = "scripts/cancel.lua";
    CLIENTS = "scripts/clients.lua";
    COUNTS = "scripts/counts.lua";
    DAYS = "scripts/days.lua";
    DRAIN = "scripts/drain.lua";
    ENQUEUE = "scripts/enqueue.lua";
    EVICT = "scripts/evict.lua";
    FINISH = "scripts/finish.lua";
    FORGET = "scripts/forget.lua";
    POSTPONE = "scripts/postpone.lua";
    READ_LOG = "scripts/read_log.lua";
    RECENT = "scripts/recent.lua";
    RECORDS = "scripts/records.lua";
    RELEASE = "scripts/release.lua";
    RETRY = "scripts/retry.lua";
    STATUS = "scripts/status.lua";
    STORED = "scripts/stored.lua";
    TAKE = "scripts/take.lua";
    TAKE_BACK = "scripts/take_back.lua";
    TOP = "scripts/top.lua";
    TURN = "scripts/turn.lua";
    UNLIST = "scripts/unlist.lua";
    USE_IMAGE = "scripts/use_image.lua";
    WEEKS = "scripts/weeks.lua";
    WORKERS = "scripts/workers.lua";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_names_its_keys_and_its_answer() {
        for (file, text) in ALL {
            assert!(text.contains("-- KEYS") && text.contains("-- Answer"), "{file}");
        }
    }
}
