//! Images that are signed on their way to clients.

use std::{fs, path::Path};

use asu_tests::{Deployment, request};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, SigningKey, Verifier};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Two headers and some text: what ucert takes for a certificate.
const CERTIFICATE: &[u8] = b"\0\0\0\x10\0\0\0\x0csigned!!";

fn write_key(directory: &Path) -> (SigningKey, String) {
    let key = SigningKey::from_bytes(&rand::random());
    let (seed, public) = (key.to_bytes(), key.verifying_key().to_bytes());
    let line = BASE64.encode([b"EdBK\0\0\0\0", &[1; 16][..], &[2; 8], &[3; 8], &seed, &public].concat());
    let path = directory.join("key-build");
    fs::write(&path, format!("untrusted comment: of a test\n{line}\n")).unwrap();
    fs::write(directory.join("key-build.ucert"), CERTIFICATE).unwrap();
    (key, path.display().to_string())
}

/// What was signed, if this key did.
fn signed_by<'a>(key: &SigningKey, image: &'a [u8]) -> &'a [u8] {
    let size = u32::from_be_bytes(image[image.len() - 4..].try_into().unwrap()) as usize;
    let (signed, tail) = image.split_at(image.len() - size);
    let chain = tail[..size - 16].strip_prefix(CERTIFICATE).unwrap();
    let text = String::from_utf8(chain[8..].to_vec()).unwrap();
    let line = BASE64.decode(text.trim_end_matches('\0').lines().nth(1).unwrap()).unwrap();
    key.verifying_key().verify(signed, &Signature::from_slice(&line[10..]).unwrap()).unwrap();
    signed
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_get_signed_images_and_both_digests() {
    let directory = TempDir::new().unwrap();
    let (key, path) = write_key(directory.path());
    let deployment = Deployment::start_with(&[("build_key", &path)]).await;
    let done = deployment.build(&request("24.10.4", &["tmux"])).await;
    assert_eq!((done.status.as_u16(), done.detail()), (200, "done"), "{done:?}");
    let bin_dir = done.body["bin_dir"].as_str().unwrap();
    let images = done.body["images"].as_array().unwrap();
    let signed: Vec<_> = images.iter().filter(|image| image.get("sha256_unsigned").is_some()).collect();
    let kinds: Vec<_> = signed.iter().map(|image| image["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"combined") && !kinds.contains(&"rootfs"), "{kinds:?}");
    for image in signed {
        let bytes = deployment.download(bin_dir, image["name"].as_str().unwrap()).await;
        assert_eq!(hex::encode(Sha256::digest(&bytes)), image["sha256"].as_str().unwrap());
        let unsigned = signed_by(&key, &bytes);
        assert_eq!(hex::encode(Sha256::digest(unsigned)), image["sha256_unsigned"].as_str().unwrap());
    }
    deployment.no_container_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_that_images_are_being_signed() {
    let directory = TempDir::new().unwrap();
    let (_, path) = write_key(directory.path());
    let mut deployment = Deployment::start_with(&[("build_key", &path)]).await;
    let hash = deployment.submit(&request("24.10.4", &["fault-sign-hang"])).await.request_hash();
    let signing = deployment
        .poll(&hash, |answer| answer.body["imagebuilder_status"] == "signing_images" || answer.status != 202)
        .await;
    assert_eq!((signing.status.as_u16(), signing.detail()), (202, "started"), "{signing:?}");
    // A worker that ends takes the tools with it, and gives the build back.
    deployment.workers[0].terminate();
    deployment.no_container_is_left().await;
    let queued = deployment.poll(&hash, |answer| answer.detail() == "queued" || answer.status != 202).await;
    assert_eq!((queued.status.as_u16(), queued.detail()), (202, "queued"), "{queued:?}");
}
