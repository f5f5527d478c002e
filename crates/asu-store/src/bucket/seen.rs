//! What was in the bucket a moment ago. What was not is asked for each time: it may have come since.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use object_store::path::Path;

use crate::bucket::{client::Client, error::BucketError};

/// More objects than anybody asks for within moments; a name takes some 200 bytes.
const MOST: u64 = 20_000;

/// Why nothing is remembered of an object.
enum Absent {
    NotThere,
    Unknown(Arc<BucketError>),
}

/// Objects that are believed to be there for a short time.
#[derive(Debug)]
pub(crate) struct Seen {
    keys: Cache<Path, ()>,
}

impl Seen {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { keys: Cache::builder().max_capacity(MOST).time_to_live(ttl).build() }
    }

    /// True if the object is there, or was. Who asks for the same at the same time waits for one answer.
    pub(crate) async fn holds(&self, client: &Client, key: Path) -> Result<bool, Arc<BucketError>> {
        let looked = self.keys.try_get_with(key.clone(), async {
            match client.holds(&key).await {
                Ok(true) => Ok(()),
                Ok(false) => Err(Absent::NotThere),
                Err(error) => Err(Absent::Unknown(Arc::new(error))),
            }
        });
        let Err(absent) = looked.await else { return Ok(true) };
        match &*absent {
            Absent::NotThere => Ok(false),
            Absent::Unknown(error) => Err(Arc::clone(error)),
        }
    }

    /// It is not there any more.
    pub(crate) async fn forget(&self, key: &Path) {
        self.keys.invalidate(key).await;
    }
}
