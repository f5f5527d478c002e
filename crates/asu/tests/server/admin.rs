//! `asu admin`, on a real Redis and a store in a directory; what needs workers is tested end to end.

use asu_config::Settings;
use asu_core::{BuildRequest, RequestHash};
use asu_queue::{Claim, Gate, Queue, QueuedBuild, WorkerName};
use asu_test_support::RedisServer;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tokio::time::timeout;

use crate::process::{LONGEST, run};

/// A queue that the commands and the test share.
struct Scene {
    queue: Queue,
    redis: RedisServer,
    public: TempDir,
}

impl Scene {
    async fn set() -> Self {
        let (redis, public) = (RedisServer::start().await, tempdir().unwrap());
        let settings = Settings::defaults().with("redis_url", redis.url()).with("retry_delay", "1h");
        let settings = settings.with("retry_delay_max", "1h").with("redis_timeout", "5s").with("lease", "20s");
        let queue = Queue::connect(&settings.section().unwrap()).unwrap();
        Self { queue, redis, public }
    }

    async fn enqueue(&self, package: &str) -> RequestHash {
        let request: BuildRequest = serde_json::from_value(json!({
            "distro": "openwrt", "version": "24.10.2", "version_code": "", "target": "ath79/generic",
            "profile": "tplink_archer-c7-v5", "packages": [package], "packages_versions": {}, "diff_packages": false,
            "defaults": null, "rootfs_size_mb": null, "filesystem": null, "repositories": {},
            "repositories_mode": "append", "repository_keys": [], "client": null, "from_version": null,
        }))
        .unwrap();
        let hash = RequestHash::of(&request);
        self.queue.enqueue(&hash, &QueuedBuild::new(request)).await.unwrap();
        hash
    }

    /// The exit code and the document of a command.
    async fn admin(&self, words: &[&str]) -> (i32, Value) {
        let (url, public) = (self.redis.url(), self.public.path().to_str().unwrap());
        let settings = [("REDIS_URL", url.as_str()), ("PUBLIC_PATH", public), ("REDIS_TIMEOUT", "3s")];
        let (code, stdout, stderr) = run(&[&["admin", "--json"], words].concat(), &settings).await;
        (code, serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
    }

    async fn result(&self, words: &[&str]) -> (i32, String) {
        let (code, document) = self.admin(words).await;
        (code, document["result"].as_str().unwrap_or_else(|| panic!("{document}")).to_owned())
    }
}

async fn take(queue: &Queue, worker: &str) -> (Claim, asu_queue::BuildSource) {
    let mut builds = queue.builds(&WorkerName::parse(worker).unwrap(), 1, &Gate::open());
    let claim = timeout(LONGEST, builds.next()).await.expect("there is a build to take").unwrap();
    (claim, builds)
}

fn told((code, word): &(i32, String)) -> (i32, &str) {
    (*code, word)
}

#[tokio::test]
async fn builds_are_listed_shown_cancelled_retried_and_forgotten() {
    let scene = Scene::set().await;
    let (first, second) = (scene.enqueue("one").await, scene.enqueue("two").await);
    let (code, list) = scene.admin(&["queue", "list"]).await;
    assert_eq!((code, &list["all_builds"], &list["workers"]), (0, &json!(2), &json!([])), "{list:#}");
    assert_eq!(list["builds"][0]["request_hash"], first.as_str());
    assert_eq!(
        (&list["builds"][0]["state"], &list["builds"][0]["profile"]),
        (&json!("queued"), &json!("tplink_archer-c7-v5"))
    );
    let (_, few) = scene.admin(&["queue", "list", "--limit", "1"]).await;
    assert_eq!((few["builds"].as_array().unwrap().len(), &few["all_builds"]), (1, &json!(2)));

    assert_eq!(told(&scene.result(&["cancel", first.as_str()]).await), (0, "cancelled"));
    assert_eq!(told(&scene.result(&["cancel", first.as_str()]).await), (1, "ended"));
    let (_, failed) = scene.admin(&["queue", "list", "--state", "failed"]).await;
    assert_eq!((&failed["builds"][0]["request_hash"], &failed["all_builds"]), (&json!(first), &json!(1)));
    let (code, shown) = scene.admin(&["show", first.as_str()]).await;
    assert_eq!(
        (code, &shown["outcome"]["error"], &shown["request"]["packages"][0]),
        (0, &json!("cancelled"), &json!("one"))
    );

    assert_eq!(told(&scene.result(&["retry", first.as_str()]).await), (0, "again"));
    assert_eq!(told(&scene.result(&["retry", second.as_str()]).await), (0, "waiting"));
    assert_eq!(told(&scene.result(&["forget", second.as_str()]).await), (1, "queued"));
    assert_eq!(told(&scene.result(&["cancel", second.as_str()]).await), (0, "cancelled"));
    assert_eq!(told(&scene.result(&["forget", second.as_str()]).await), (0, "forgotten"));
    assert!(scene.queue.status(&second).await.unwrap().is_none());

    let (claim, _builds) = take(&scene.queue, "one").await;
    claim.lease.postpone("the registry is away").await.unwrap();
    assert_eq!(told(&scene.result(&["retry", first.as_str()]).await), (0, "due"));
}

#[tokio::test]
async fn what_is_not_there_is_an_exit_code_of_its_own() {
    let scene = Scene::set().await;
    let nobody = "0".repeat(64);
    for command in ["show", "cancel", "retry", "forget"] {
        assert_eq!(told(&scene.result(&[command, &nobody]).await), (1, "unknown"), "{command}");
    }
    assert_eq!(told(&scene.result(&["drain", "nobody"]).await), (1, "unknown"));
    let settings = [("REDIS_URL", "redis://127.0.0.1:9"), ("REDIS_TIMEOUT", "300ms")];
    let (code, _, stderr) = run(&["admin", "cancel", &nobody], &settings).await;
    assert!(code == 3 && stderr.contains("the queue does not answer"), "{code} {stderr}");
    let (code, _, stderr) = run(&["admin", "cancel", "abc"], &settings).await;
    assert!(code == 2 && stderr.contains("abc"), "{code} {stderr}");
}

#[tokio::test]
async fn workers_are_drained_by_the_name_that_they_were_given() {
    let scene = Scene::set().await;
    let hash = scene.enqueue("one").await;
    let (_claim, _builds) = take(&scene.queue, "build-1-0000002a").await;
    // The announcement is on its way.
    let announced = async {
        while scene.queue.workers().await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(LONGEST, announced).await.expect("the worker is announced");
    assert_eq!(told(&scene.result(&["drain", "build-1"]).await), (0, "drained"));
    let (_, list) = scene.admin(&["queue", "list"]).await;
    let worker = json!({"name": "build-1-0000002a", "slots": 1, "drained": true, "builds": [hash]});
    assert_eq!(list["workers"], json!([worker]));
    assert_eq!(told(&scene.result(&["undrain", "build-1-0000002a"]).await), (0, "undrained"));
    assert!(!scene.queue.workers().await.unwrap()[0].drained);
}

#[tokio::test]
async fn the_store_is_checked_swept_and_measured() {
    let scene = Scene::set().await;
    let (code, report) = scene.admin(&["check"]).await;
    assert_eq!((code, &report["ok"]), (0, &json!(true)), "{report:#}");
    let orphan = scene.public.path().join("store").join(format!("{}-0123456789ab", "0".repeat(64)));
    std::fs::create_dir(&orphan).unwrap();
    std::fs::write(orphan.join("image.bin"), "1234567").unwrap();
    let (code, report) = scene.admin(&["check"]).await;
    assert_eq!((code, &report["disagreements"][0]["kind"]), (1, &json!("orphan")), "{report:#}");
    let (code, disk) = scene.admin(&["disk"]).await;
    assert_eq!((code, &disk["size"], &disk["ages"][0]["builds"]), (0, &json!(7), &json!(1)), "{disk:#}");
    // It is young.
    assert_eq!(scene.admin(&["sweep"]).await.1["removed"], json!([]));
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(24 * 3600);
    std::fs::File::open(&orphan).unwrap().set_modified(yesterday).unwrap();
    let (code, planned) = scene.admin(&["sweep", "--dry-run"]).await;
    assert_eq!((code, &planned["dry_run"], &planned["removed"][0]["reason"]), (0, &json!(true), &json!("orphan")));
    assert!(orphan.exists());
    let turn = scene.queue.sweep_turn().await.unwrap().unwrap();
    assert_eq!(told(&scene.result(&["sweep"]).await), (1, "taken"));
    turn.end().await.unwrap();
    let (code, swept) = scene.admin(&["sweep"]).await;
    assert_eq!((code, &swept["removed"], &swept["size"]), (0, &planned["removed"], &json!(7)));
    assert!(!orphan.exists());
    assert_eq!(scene.admin(&["check"]).await.0, 0);
}
