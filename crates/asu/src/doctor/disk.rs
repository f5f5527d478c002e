//! Where the images go, or wait until they go to a bucket: is it there, may we write, is there room?

use std::path::Path;

use asu_store::BackendKind;
use indicatif::BinaryBytes;
use rustix::fs::{Access, access, statvfs};

use crate::{doctor::finding::Finding, serve::Config};

/// Looks at the directory without writing anything, because whoever runs this may be another user than the server.
pub(super) async fn check_disk(config: &Config) -> Vec<Finding> {
    let store = &config.build.store;
    let path = match store.store_backend {
        BackendKind::Local => store.public_path.clone(),
        BackendKind::S3 => store.staging_path(),
    };
    vec![finding(&path, store.store_min_free.get())]
}

/// The server makes what is missing of the path itself, if it may.
fn finding(path: &Path, least: u64) -> Finding {
    let shown = path.display();
    let there = path.ancestors().find(|part| part.exists()).unwrap_or(Path::new("/"));
    if let Err(error) = access(there, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        let remedy = format!("mkdir -p {shown} and give it to the user of the server, or set public_path");
        return Finding::fail("disk", format!("{} cannot be written: {error}", there.display()), remedy);
    }
    match statvfs(there) {
        Ok(space) => room(path, space.f_bavail.saturating_mul(space.f_frsize), least),
        Err(error) => Finding::fail("disk", format!("{shown}: {error}"), "look at the file system"),
    }
}

fn room(path: &Path, free: u64, least: u64) -> Finding {
    let seen = format!("{} can be written and has {} free", path.display(), BinaryBytes(free));
    if free >= least {
        return Finding::ok("disk", seen);
    }
    let remedy = format!("make room: below store_min_free ({}) no build is taken", BinaryBytes(least));
    Finding::fail("disk", seen, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;

    #[test]
    fn room_and_rights_are_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(finding(directory.path(), 1).level(), Level::Ok);
        assert_eq!(finding(directory.path(), u64::MAX).level(), Level::Fail);
        assert_eq!(finding(&directory.path().join("not/yet"), 1).level(), Level::Ok);
        assert_eq!(finding(Path::new("/proc/nothing/here"), 1).level(), Level::Fail);
    }
}
