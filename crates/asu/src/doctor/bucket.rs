//! The bucket, if images go to one: may we read and write there?

use asu_service::error_chain;
use asu_store::{BackendKind, Store, StoreError};

use crate::{doctor::finding::Finding, serve::Config};

const CHECK: &str = "bucket";

/// Writes and deletes a few bytes, as a worker does before it takes builds. Nothing if the store is a directory.
pub(super) async fn check_bucket(config: &Config) -> Vec<Finding> {
    let store = &config.build.store;
    match store.store_backend {
        BackendKind::Local => Vec::new(),
        BackendKind::S3 => vec![finding(&store.s3_bucket, try_out(store).await)],
    }
}

async fn try_out(config: &asu_store::Config) -> Result<(), StoreError> {
    let store = Store::open(config).await?;
    store.check_readable().await?;
    store.check_writable().await
}

fn finding(bucket: &str, outcome: Result<(), StoreError>) -> Finding {
    match outcome {
        Ok(()) => Finding::ok(CHECK, format!("{bucket} can be read and written")),
        Err(error) => {
            let remedy = "look at s3_endpoint, s3_region, the two keys, and what deploy/s3.md says of their rights";
            Finding::fail(CHECK, error_chain(&error), remedy)
        }
    }
}
