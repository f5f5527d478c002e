//! What is put into an ImageBuilder before it builds: the first-boot script, custom repositories and their keys.

use asu_core::BuildRequest;
use asu_sandbox::{Files, Owner};

use crate::repositories::{PackageManager, key_files};

/// The value of `FILES`: what is below it goes into the root filesystem.
pub(crate) const FILES_DIRECTORY: &str = "/builder/asu-files";

/// `buildbot` of the ImageBuilder images.
pub(crate) const BUILDBOT: Owner = Owner { uid: 1000, gid: 1000 };

/// The files of a request below the ImageBuilder's directory; none for most requests. `repositories` is the file that
/// names them, if it is another than the ImageBuilder's own.
pub(crate) fn files_of(request: &BuildRequest, repositories: Option<(PackageManager, String)>) -> Option<Files> {
    let mut files = Files::owned_by(BUILDBOT);
    let mut some = false;
    for (path, content) in contents(request, repositories) {
        some = true;
        files = add(files, &path, content);
    }
    some.then_some(files)
}

fn contents(
    request: &BuildRequest,
    repositories: Option<(PackageManager, String)>,
) -> impl Iterator<Item = (String, String)> {
    // The device runs it once, at its first boot, and deletes it.
    let script = request.defaults.clone().map(|text| ("asu-files/etc/uci-defaults/99-asu-defaults".to_owned(), text));
    let repositories = repositories.map(|(manager, text)| (manager.repositories_file().to_owned(), text));
    let keys = key_files(&request.repository_keys).into_iter().map(|(name, text)| (format!("keys/{name}"), text));
    script.into_iter().chain(repositories).chain(keys)
}

/// Directories that are not there yet are named, so that they belong to the same user.
fn add(files: Files, path: &str, content: String) -> Files {
    const VALID: &str = "our own names are relative paths, and names of keys hold no slash";
    let parents: Vec<_> = path.match_indices('/').map(|(end, _)| &path[..end]).filter(|dir| *dir != "keys").collect();
    let files = parents.into_iter().fold(files, |files, dir| files.directory(dir, 0o755).expect(VALID));
    files.file(path, 0o644, content).expect(VALID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::request;

    #[test]
    fn most_requests_bring_no_files() {
        assert!(files_of(&request(), None).is_none());
    }

    #[test]
    fn a_first_boot_script_is_where_the_device_looks_for_it() {
        let mut request = request();
        request.defaults = Some("uci commit".to_owned());
        let files = format!("{:?}", files_of(&request, None).unwrap());
        let path = "asu-files/etc/uci-defaults/99-asu-defaults";
        let names: Vec<String> = contents(&request, None).map(|(name, _)| name).collect();
        assert_eq!(names, [path]);
        assert_eq!(files.matches("Entry").count(), 4, "{files}");
    }

    #[test]
    fn custom_repositories_replace_the_managers_file() {
        let request = request();
        let names: Vec<String> =
            contents(&request, Some((PackageManager::Apk, String::new()))).map(|(name, _)| name).collect();
        assert_eq!(names, ["repositories"]);
    }
}
