//! The objects of the bucket, sorted into builds.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use futures::TryStreamExt;
use object_store::{ObjectMeta, ObjectStore, path::Path};

use crate::{
    bin_dir::BinDir,
    bucket::{client::Client, error::BucketError, marker::MARKER},
    entries::{Entries, Published},
    entry_name::PROBE,
};

/// All that lies below the prefix.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    builds: HashMap<BinDir, Found>,
    strange: Vec<String>,
}

/// The objects of a build.
#[derive(Debug)]
struct Found {
    size: u64,
    newest: SystemTime,
    is_published: bool,
}

impl Listing {
    /// Reads it, a page at a time; kept is one entry per build.
    pub(crate) async fn read(client: &Client) -> Result<Self, BucketError> {
        let root = client.root();
        let mut listing = Self::default();
        let mut objects = client.s3.list(Some(&root));
        while let Some(object) = objects.try_next().await? {
            listing.add(&root, &object);
        }
        Ok(listing)
    }

    /// The builds that can be read, and what is none of ours.
    pub(crate) fn entries(self) -> Entries {
        let published = self.builds.into_iter().filter(|(_, found)| found.is_published);
        let builds = published.map(|(bin_dir, Found { size, newest: modified, is_published: _ })| Published {
            bin_dir,
            modified,
            size,
        });
        Entries { builds: builds.collect(), strange: self.strange }
    }

    /// The builds that nobody can read, and to which nothing was added for longer than `older_than`.
    pub(crate) fn abandoned(self, older_than: Duration) -> impl Iterator<Item = BinDir> {
        let now = SystemTime::now();
        let is_old = move |found: &Found| now.duration_since(found.newest).is_ok_and(|age| age > older_than);
        self.builds
            .into_iter()
            .filter(move |(_, found)| !found.is_published && is_old(found))
            .map(|(bin_dir, _)| bin_dir)
    }

    fn add(&mut self, root: &Path, object: &ObjectMeta) {
        let Some(mut parts) = object.location.prefix_match(root) else { return };
        let (Some(directory), name) = (parts.next(), parts.next()) else { return };
        let directory = directory.as_ref();
        match BinDir::parse(directory) {
            Ok(bin_dir) if name.is_some() => {
                let found = self.builds.entry(bin_dir).or_insert(Found {
                    size: 0,
                    newest: SystemTime::UNIX_EPOCH,
                    is_published: false,
                });
                let is_marker = name.as_ref().is_some_and(|name| name.as_ref() == MARKER);
                found.newest = found.newest.max(object.last_modified.into());
                found.is_published |= is_marker;
                found.size += if is_marker { 0 } else { object.size };
            }
            _ if directory == PROBE => {}
            _ => self.strange.push(directory.to_owned()),
        }
    }
}
