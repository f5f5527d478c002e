//! What is there when the crowd has gone: records, files, containers, keys, and what workers logged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::{
    client::Crowd,
    history::{Attempt, Moment, Record, Rest},
    observer::{PREFIX, is_published, names},
    resp::Resp,
    scene::Scene,
};

/// How long everything may take to come to rest. The leavings of dead workers go some leases after them.
const PATIENCE: Duration = Duration::from_secs(90);

/// The attempts of all workers, from their logs.
pub(crate) fn attempts(scene: &Scene, started: Instant) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for worker in &scene.workers {
        let mut open: BTreeMap<(String, String), (Moment, usize)> = BTreeMap::new();
        for (at, line) in worker.log() {
            let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = (text(&line["span"]["worker"]), text(&line["span"]["build.request_hash"]));
            let at = u64::try_from(at.saturating_duration_since(started).as_millis()).unwrap_or(u64::MAX);
            if line["message"] == "build started" {
                open.insert(key.clone(), (at, attempts.len()));
                attempts.push(Attempt { worker: key.0, hash: key.1, begun: at, ended: None });
            } else if line["message"] == "build ended"
                && let Some((_, place)) = open.remove(&key)
            {
                attempts[place].ended = Some((at, text(&line["result"])));
            }
        }
    }
    attempts
}

/// Waits until nothing is under way any more, then looks at everything.
pub(crate) async fn rest(scene: &Scene, crowd: &Crowd) -> Rest {
    let mut redis = Resp::new(scene.redis.port());
    let deadline = Instant::now() + PATIENCE;
    let mut came = false;
    while !came && Instant::now() < deadline {
        sleep(Duration::from_millis(300)).await;
        came = is_idle(&mut redis).await && scene.containers().is_empty() && half_made(&scene.store()).is_empty();
    }
    let keys = keys(&mut redis).await;
    let records = records(&mut redis, &keys, scene, crowd).await;
    Rest { came, records, keys, containers: scene.containers(), half_made: half_made(&scene.store()) }
}

async fn is_idle(redis: &mut Resp) -> bool {
    for set in ["pending", "running", "delayed"] {
        let asked = redis.ask(&["ZCARD", &format!("{PREFIX}{set}")]).await;
        if asked.is_err() || asked.is_ok_and(|reply| reply.text() != "0") {
            return false;
        }
    }
    true
}

fn half_made(store: &Path) -> Vec<String> {
    names(store).into_iter().filter(|name| !is_published(name)).collect()
}

async fn keys(redis: &mut Resp) -> BTreeMap<String, bool> {
    let mut keys = BTreeMap::new();
    for key in redis.ask(&["KEYS", "*"]).await.unwrap().texts() {
        let expires = redis.ask(&["PTTL", &key]).await.unwrap().text() != "-1";
        keys.insert(key, expires);
    }
    keys
}

async fn records(redis: &mut Resp, keys: &BTreeMap<String, bool>, scene: &Scene, crowd: &Crowd) -> Vec<Record> {
    let http = reqwest::Client::new();
    let prefix = format!("{PREFIX}b:");
    let mut records = Vec::new();
    for hash in keys.keys().filter_map(|key| key.strip_prefix(&prefix)).collect::<BTreeSet<_>>() {
        let fields = redis.ask(&["HMGET", &format!("{prefix}{hash}"), "state", "token"]).await.unwrap().texts();
        let answer = http.get(format!("{}/api/v1/build/{hash}", crowd.url)).send().await.unwrap();
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        let images = body["images"].as_array().cloned().unwrap_or_default();
        let bin_dir = body["bin_dir"].as_str().map(str::to_owned);
        let directory = scene.store().join(bin_dir.as_deref().unwrap_or("-"));
        let damaged = images.iter().filter_map(|image| damage(&directory, image)).collect();
        let [state, token] = [0, 1].map(|at| fields[at].clone());
        records.push(Record { hash: hash.to_owned(), state, token, status, bin_dir, images: images.len(), damaged });
    }
    records
}

/// What is wrong with an image of the store.
fn damage(directory: &Path, image: &Value) -> Option<String> {
    let path = directory.join(image["name"].as_str().unwrap_or_default());
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(format!("{}: {error}", path.display())),
    };
    let sum = hex::encode(Sha256::digest(&bytes));
    (image["sha256"] != sum.as_str()).then(|| format!("{}: the sha256 {sum}, not {}", path.display(), image["sha256"]))
}
