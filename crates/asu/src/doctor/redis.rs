//! Redis: is it there, is it new enough, does it keep what it is told?

use std::path::PathBuf;

use asu_queue::{Queue, ServerFacts};
use asu_service::error_chain;

use crate::{
    doctor::{
        clock::{compare, now},
        finding::Finding,
    },
    serve::{Config, RedisProgram},
};

const CHECK: &str = "redis";
/// The oldest major version that we are tested with.
const OLDEST: u32 = 7;

/// Looks at the Redis of the settings, or at what `asu serve` needs for one of its own.
pub(super) async fn check_redis(config: &Config, private: Option<PathBuf>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(directory) = &private {
        findings.push(program());
        if !directory.join("redis.sock").exists() {
            let seen = format!("private, not running; asu serve starts it in {}", directory.display());
            findings.push(Finding::ok(CHECK, seen));
            return findings;
        }
    }
    findings.extend(server(config, private.is_some()).await);
    findings
}

fn program() -> Finding {
    match RedisProgram::find() {
        Ok(program) => Finding::ok(CHECK, without_build(&program.version)),
        Err(error) => Finding::fail(CHECK, error.to_string(), "apt-get install redis-server, or set redis_url"),
    }
}

/// `Redis server v=7.0.15`; what follows tells how it was compiled.
fn without_build(version: &str) -> &str {
    version.split(" sha=").next().unwrap_or(version)
}

async fn server(config: &Config, private: bool) -> Vec<Finding> {
    let facts = match Queue::connect(&config.build.queue) {
        Ok(queue) => queue.server_facts().await,
        Err(error) => Err(error),
    };
    match facts {
        Ok(facts) => judge(&facts),
        Err(error) => {
            let remedy = if private {
                "asu serve replaces a server that was left behind; start it"
            } else {
                "start Redis 7 or Valkey, and look at redis_url (host, port, password)"
            };
            vec![Finding::fail(CHECK, error_chain(&error), remedy)]
        }
    }
}

fn judge(facts: &ServerFacts) -> Vec<Finding> {
    let seen = format!("{} {} answers", facts.name, facts.version);
    let major = facts.version.split('.').next().and_then(|number| number.parse::<u32>().ok());
    let mut findings = vec![match major {
        Some(OLDEST..) => Finding::ok(CHECK, seen),
        Some(_) | None => Finding::fail(CHECK, seen, format!("install Redis {OLDEST} or later, or Valkey")),
    }];
    if facts.append_only {
        findings.push(Finding::ok(CHECK, "keeps its data over a restart (appendonly yes)"));
    } else {
        let remedy = "redis-cli config set appendonly yes, and the same in redis.conf";
        findings.push(Finding::warning(CHECK, "loses queued builds when it restarts (appendonly no)", remedy));
    }
    if facts.eviction == "noeviction" {
        findings.push(Finding::ok(CHECK, "never throws builds away (maxmemory-policy noeviction)"));
    } else {
        let seen = format!("may throw builds away when its memory is full (maxmemory-policy {})", facts.eviction);
        let remedy = "redis-cli config set maxmemory-policy noeviction, and the same in redis.conf";
        findings.push(Finding::fail(CHECK, seen, remedy));
    }
    findings.push(compare("Redis", now(), i64::try_from(facts.time.get() / 1000).unwrap_or(i64::MAX)));
    findings
}
