//! What make prints when something does not fit the device: which file, its size, and how much there is room for.

use serde::{Deserialize, Serialize};

/// What does not fit, as far as make said so. Sizes are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Oversize {
    /// The name of the image or of the root filesystem, without a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// How large it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// How large it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// By how much it is too large, where only that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excess: Option<u64>,
    /// True if it is the root filesystem that is larger than its partition, not an image larger than the flash.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_partition: bool,
}

/// What tells that something is too big although make may end well: `check-size` of the image Makefiles, and
/// `make_ext4fs`.
const TEXTS: [&str; 2] = [" is too big", OUT_OF_SPACE];
/// What tells the same, and may be about an image that nobody misses if make ends well: programs such as `mktplinkfw`,
/// and `mke2fs`.
const TEXTS_OF_FAILURES: [&str; 2] = [" are too big by ", NO_BLOCK];
const OUT_OF_SPACE: &str = "out of space?";
const NO_BLOCK: &str = "Could not allocate block in ext2 filesystem";

/// The names of root filesystems in the ImageBuilder, up to their kind.
const ROOT_FILESYSTEM: &str = "root.";

/// True if make said that something exceeds the device's storage, which it may do with exit status 0.
pub fn is_too_big(output: &str) -> bool {
    TEXTS.iter().any(|text| output.contains(text))
}

impl Oversize {
    /// Reads the first line that says what is too big; `None` if there is none. For commands that failed, and for those
    /// of which [`is_too_big`] is true.
    pub fn parse(output: &str) -> Option<Self> {
        let says = |line: &&str| TEXTS.iter().chain(&TEXTS_OF_FAILURES).any(|text| line.contains(text));
        let line = output.lines().find(says)?;
        if line.contains(OUT_OF_SPACE) || line.contains(NO_BLOCK) {
            return Some(Self { what: failed_filesystem(output), is_partition: true, ..Self::default() });
        }
        Some(check_size(line).or_else(|| program(line)).unwrap_or_default())
    }
}

/// `WARNING: Image file /builder/…/x-squashfs-sysupgrade.bin is too big: 9 > 8`; the size is missing if there is no file.
fn check_size(line: &str) -> Option<Oversize> {
    let (path, sizes) = line.split_once(" is too big")?;
    let what = path.rsplit_once("Image file ").map(|(_, path)| file_name(path).to_owned());
    let (size, limit) = sizes.trim_start_matches(':').split_once('>').unwrap_or(("", ""));
    Some(Oversize { what, size: number(size), limit: number(limit), ..Oversize::default() })
}

/// `[mktplinkfw] *** error: images are too big by 451765 bytes`
fn program(line: &str) -> Option<Oversize> {
    let (_, excess) = line.split_once(" are too big by ")?;
    Some(Oversize { excess: number(excess.split(' ').next()?), ..Oversize::default() })
}

/// The file that make could not make: `make[3]: *** [/builder/include/image.mk:367: /builder/…/root.ext4] Error 1`.
fn failed_filesystem(output: &str) -> Option<String> {
    let targets = output.lines().filter(|line| line.contains("*** ["));
    let mut names = targets.filter_map(|line| Some(file_name(line.rsplit_once("] Error ")?.0)));
    names.find(|name| name.starts_with(ROOT_FILESYSTEM)).map(str::to_owned)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: Oversize) {
        assert_eq!(Oversize::parse(output), Some(expected), "{output}");
    }

    #[test]
    fn an_image_that_is_larger_than_the_flash_is_named_with_its_sizes() {
        let what = Some("openwrt-24.10.4-x-squashfs-sysupgrade.bin".to_owned());
        let warning =
            "WARNING: Image file /builder/build_dir/tmp/openwrt-24.10.4-x-squashfs-sysupgrade.bin is too big:";
        let (size, limit) = (Some(8_323_072), Some(7_864_320));
        let both = format!("Building\n{warning} 8323072 > 7864320\nGenerate checksums\n");
        check(&both, Oversize { what: what.clone(), size, limit, ..Oversize::default() });
        check(&format!("{warning}  > 7864320"), Oversize { what, limit, ..Oversize::default() });
        check("something is too big", Oversize::default());
    }

    #[test]
    fn a_program_tells_only_by_how_much() {
        let output = "[mktplinkfw] *** error: images are too big by 451765 bytes\nFailed to open firmware file\n";
        check(output, Oversize { excess: Some(451_765), ..Oversize::default() });
    }

    #[test]
    fn a_root_filesystem_that_is_larger_than_its_partition_is_named() {
        let output = "error: ext4_allocate_best_fit_partial: failed to allocate 6298 blocks, out of space?\n\
            make[3]: *** [/builder/include/image.mk:367: /builder/build_dir/target-x86_64_musl/root.ext4] Error 1\n\
            make[2]: *** [Makefile:247: build_image] Error 2\n";
        check(output, Oversize { what: Some("root.ext4".to_owned()), is_partition: true, ..Oversize::default() });
        check("mkfs: out of space?", Oversize { is_partition: true, ..Oversize::default() });
        let mke2fs = "__populate_fs: Could not allocate block in ext2 filesystem while writing file \"x\"";
        check(mke2fs, Oversize { is_partition: true, ..Oversize::default() });
    }

    #[test]
    fn an_image_that_a_program_could_not_make_may_be_one_that_nobody_misses() {
        assert!(is_too_big("WARNING: Image file squashfs-sysupgrade.bin is too big: 9 > 8"));
        assert!(is_too_big("mkfs: could not write: out of space?\n"));
        assert!(!is_too_big("[mktplinkfw] *** error: images are too big by 451765 bytes"));
        assert!(!is_too_big("mke2fs: Could not allocate block in ext2 filesystem while populating file system"));
    }

    #[test]
    fn other_output_is_not_about_sizes() {
        assert!(!is_too_big("a big image"));
        assert_eq!(Oversize::parse("a big image\n"), None);
    }
}
