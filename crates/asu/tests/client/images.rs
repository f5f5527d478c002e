//! Answers and images of a server that builds one device.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fake_server::{FakeServer, Reply};

pub(crate) const HASH: &str = "5f0c2f";
pub(crate) const PREPARE: &str = "POST /api/v1/build/prepare";
pub(crate) const SUBMIT: &str = "POST /api/v1/build";
pub(crate) const LOOK_UP: &str = "GET /api/v1/build/5f0c2f";
pub(crate) const IMAGE: &str = "openwrt-ext4-combined.img.gz";
pub(crate) const IMAGE_URL: &str = "GET /store/5f0c2f/openwrt-ext4-combined.img.gz";

pub(crate) fn content() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_le_bytes).collect()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn prepared() -> Reply {
    Reply::Json(
        200,
        json!({
            "status": "prepared",
            "original_packages": ["auc", "tmux"],
            "resolved_packages": ["owut", "tmux"],
            "changes": [{"type": "migration", "action": "replace", "from_package": "auc", "to_package": "owut",
                "reason": "owut took over from auc", "automatic": true}],
            "prepared_request": {"version": "24.10.4", "target": "x86/64", "profile": "generic",
                "packages": ["owut", "tmux"], "client": "asu/test"},
            "request_hash": HASH,
            "a_key_of_tomorrow": 1,
        }),
    )
}

pub(crate) fn queued(position: u64) -> Reply {
    let body = json!({"status": 202, "detail": "queued", "queue_position": position, "request_hash": HASH});
    Reply::Json(202, body)
}

pub(crate) fn started(stage: &str) -> Reply {
    let body = json!({"status": 202, "detail": "started", "imagebuilder_status": stage, "request_hash": HASH});
    Reply::Json(202, body)
}

pub(crate) fn done() -> Reply {
    done_with(&json!([{"name": IMAGE, "type": "combined", "filesystem": "ext4", "sha256": sha256(&content())}]))
}

pub(crate) fn done_with(images: &Value) -> Reply {
    Reply::Json(
        200,
        json!({"status": 200, "detail": "done", "imagebuilder_status": "done", "request_hash": HASH, "bin_dir": HASH,
            "version_number": "24.10.4", "version_code": "r1", "target": "x86/64", "id": "generic",
            "images": images, "manifest": {"owut": "2025.1", "tmux": "3.4"}}),
    )
}

pub(crate) fn not_found() -> Reply {
    Reply::Json(404, json!({"status": 404, "detail": "could not find provided request hash"}))
}

/// A server where everything goes well.
pub(crate) async fn good_server() -> FakeServer {
    let server = FakeServer::start().await;
    server
        .on(PREPARE, [prepared()])
        .on(SUBMIT, [queued(1)])
        .on(LOOK_UP, [queued(0), started("init"), started("building_image"), done()])
        .on(IMAGE_URL, [Reply::File(content())]);
    server
}
