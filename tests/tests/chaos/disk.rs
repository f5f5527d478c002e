//! A disk of its own for the store, small enough to be filled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// In MiB. The images of a run take a part of it.
const SIZE: u32 = 1536;

/// A file system in memory, if we may mount one.
pub(crate) struct Disk {
    path: PathBuf,
    mounted: bool,
}

impl Disk {
    pub(crate) fn at(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={SIZE}m,mode=755"), "asu-chaos"]).arg(&path);
        let mounted = command.output().is_ok_and(|output| output.status.success());
        Self { path, mounted }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Only root may mount.
    pub(crate) fn can_be_filled(&self) -> bool {
        self.mounted
    }

    /// Until not one byte is free.
    pub(crate) fn fill(&self) {
        assert!(self.mounted, "never somebody else's disk");
        let zeroes = vec![0; 1 << 20];
        let mut file = fs::File::create(self.filler()).unwrap();
        while std::io::Write::write_all(&mut file, &zeroes).is_ok() {}
    }

    pub(crate) fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
        }
    }
}
