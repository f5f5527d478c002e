//! The ImageBuilder's commands as argument vectors; no shell ever sees them.

use asu_core::{BuildRequest, PackageSelector, ProfileName, RequestHash};

use crate::injected_files::FILES_DIRECTORY;

/// Where the ImageBuilder is in its container.
pub(crate) const BUILDER: &str = "/builder";

/// Where an attempt's images are written in its container.
pub(crate) fn bin_dir(request_hash: &RequestHash) -> String {
    format!("{BUILDER}/{request_hash}")
}

/// `make info`: what the ImageBuilder is.
pub(crate) fn info() -> Vec<String> {
    words(["make", "info"])
}

/// `make manifest`: which packages in which versions would be installed.
pub(crate) fn manifest(profile: &ProfileName, packages: &[PackageSelector]) -> Vec<String> {
    let mut command = words(["make", "manifest"]);
    command.extend(selection(profile, packages));
    command.push("STRIP_ABI=1".to_owned());
    command
}

/// `make image`: writes the images of a request to its [`bin_dir`].
pub(crate) fn image(
    request: &BuildRequest,
    request_hash: &RequestHash,
    packages: &[PackageSelector],
    packages_hash: &str,
) -> Vec<String> {
    let mut command = words(["make", "image"]);
    command.extend(selection(&request.profile, packages));
    command.push(format!("EXTRA_IMAGE_NAME={packages_hash}"));
    command.push(format!("BIN_DIR={}", bin_dir(request_hash)));
    command.extend(request.defaults.iter().map(|_| format!("FILES={FILES_DIRECTORY}")));
    command.extend(request.rootfs_size_mb.map(|size| format!("ROOTFS_PARTSIZE={size}")));
    command.extend(request.filesystem.map(|filesystem| format!("ROOTFS_FILESYSTEM={filesystem}")));
    command
}

/// A command as people would type it. Only to be read.
pub(crate) fn render(argv: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=.,:/@%".contains(c);
    let word = |word: &String| match !word.is_empty() && word.chars().all(is_plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn selection(profile: &ProfileName, packages: &[PackageSelector]) -> [String; 2] {
    let packages: Vec<_> = packages.iter().map(ToString::to_string).collect();
    [format!("PROFILE={profile}"), format!("PACKAGES={}", packages.join(" "))]
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{request, request_hash};

    #[test]
    fn a_plain_request_needs_no_options() {
        let request = request();
        assert_eq!(
            manifest(&request.profile, &request.packages),
            ["make", "manifest", "PROFILE=8dev_carambola2", "PACKAGES=vim -dropbear", "STRIP_ABI=1"]
        );
        assert_eq!(
            image(&request, &request_hash(), &request.packages, "0123456789ab"),
            [
                "make",
                "image",
                "PROFILE=8dev_carambola2",
                "PACKAGES=vim -dropbear",
                "EXTRA_IMAGE_NAME=0123456789ab",
                &format!("BIN_DIR=/builder/{}", request_hash()),
            ]
        );
    }

    #[test]
    fn what_else_a_request_asks_for_follows() {
        let mut request = request();
        request.defaults = Some("uci commit".to_owned());
        request.rootfs_size_mb = Some(256);
        request.filesystem = asu_core::Filesystem::parse("ext4").ok();
        let command = image(&request, &request_hash(), &[], "0123456789ab");
        assert_eq!(command[6..], ["FILES=/builder/asu-files", "ROOTFS_PARTSIZE=256", "ROOTFS_FILESYSTEM=ext4"]);
        assert_eq!(command[3], "PACKAGES=");
    }

    #[test]
    fn a_rendered_command_is_the_one_that_is_run() {
        let command = ["make", "image", "PACKAGES=vim -dropbear", "NOTE=it's", ""].map(str::to_owned);
        assert_eq!(render(&command), r"make image 'PACKAGES=vim -dropbear' 'NOTE=it'\''s' ''");
    }
}
