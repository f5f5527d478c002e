//! What the Redis server is, for whoever checks an installation.

use std::collections::HashMap;

use crate::{Queue, QueueError, UnixMillis};

/// A Redis server in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// `redis`, or `valkey` where the server says so.
    pub name: String,
    /// Its version; of Valkey the Redis version that it is compatible with.
    pub version: String,
    /// True if every change is written to a file that survives a restart.
    pub append_only: bool,
    /// What it does when its memory is full.
    pub eviction: String,
    /// Its clock, which is the queue's.
    pub time: UnixMillis,
}

impl Queue {
    /// Asks the server about itself.
    ///
    /// # Errors
    /// Redis is away or refuses.
    pub async fn server_facts(&self) -> Result<ServerFacts, QueueError> {
        let connection = &self.shared.connection;
        let info: String = connection.command("ask Redis about itself", &redis::cmd("INFO")).await?;
        let (seconds, micros): (u64, u64) = connection.command("ask Redis for the time", &redis::cmd("TIME")).await?;
        Ok(ServerFacts::read(&info, UnixMillis::new(seconds * 1000 + micros / 1000)))
    }
}

impl ServerFacts {
    /// Reads the answer to `INFO`: lines `key:value` and headlines.
    fn read(info: &str, time: UnixMillis) -> Self {
        let lines: HashMap<&str, &str> = info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
        let text = |key| lines.get(key).copied().unwrap_or_default();
        Self {
            name: lines.get("server_name").copied().unwrap_or("redis").to_owned(),
            version: text("redis_version").to_owned(),
            append_only: text("aof_enabled") == "1",
            eviction: text("maxmemory_policy").to_owned(),
            time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_and_valkey_are_understood() {
        for (info, name, version, append_only) in [
            (
                "# Server\r\nredis_version:7.0.15\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n",
                "redis",
                "7.0.15",
                true,
            ),
            (
                "redis_version:7.2.4\nserver_name:valkey\naof_enabled:0\nmaxmemory_policy:noeviction\n",
                "valkey",
                "7.2.4",
                false,
            ),
        ] {
            let facts = ServerFacts::read(info, UnixMillis::new(1));
            assert_eq!((facts.name.as_str(), facts.version.as_str(), facts.append_only), (name, version, append_only));
            assert_eq!(facts.eviction, "noeviction");
        }
    }
}
