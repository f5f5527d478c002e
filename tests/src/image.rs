//! Looking into a firmware image with the tool that users have.

use std::{path::Path, process::Command};

use serde_json::Value;

/// What `deploy/demo/look-inside --json` finds in the root filesystem of an image.
pub fn look_inside(image: &[u8], name: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, image).unwrap();
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/demo/look-inside");
    let output = Command::new(tool).arg("--json").arg(&path).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
