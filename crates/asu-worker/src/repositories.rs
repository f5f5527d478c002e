//! Custom package repositories and their keys, in the files of either package manager.

use std::collections::BTreeMap;

use asu_core::{AllowList, BuildRequest, RepositoriesMode, RepositoryKey, RepositoryName, RepositoryUrl};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::detour::Detour;

/// Where a usign key's fingerprint is within its bytes.
const FINGERPRINT: std::ops::Range<usize> = 2..10;

/// The package manager of an ImageBuilder, told by the file that holds its repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackageManager {
    /// Up to 24.10.
    Opkg,
    /// From 25.12 on.
    Apk,
}

impl PackageManager {
    /// The file below the ImageBuilder's directory.
    pub(crate) fn repositories_file(self) -> &'static str {
        match self {
            Self::Opkg => "repositories.conf",
            Self::Apk => "repositories",
        }
    }

    /// The file with the custom repositories of a request in it, each as it is reached; `present` is the ImageBuilder's own.
    pub(crate) fn repositories(self, present: &str, request: &BuildRequest, detour: &Detour) -> String {
        let kept = present.lines().filter(|line| match request.repositories_mode {
            RepositoriesMode::Append => true,
            RepositoriesMode::Replace => !self.is_remote(line),
        });
        let custom = request.repositories.iter().map(|(name, url)| self.render(name, url));
        kept.map(str::to_owned).chain(custom).map(|line| self.reached(&line, detour) + "\n").collect()
    }

    /// A line with its URL as it is reached.
    fn reached(self, line: &str, detour: &Detour) -> String {
        let url = match self {
            _ if !self.is_remote(line) => None,
            Self::Opkg => line.split_whitespace().nth(2),
            Self::Apk => line.split_whitespace().next(),
        };
        url.map_or_else(|| line.to_owned(), |url| line.replacen(url, &detour.of(url), 1))
    }

    /// True for a repository that is somewhere else than in the ImageBuilder itself.
    fn is_remote(self, line: &str) -> bool {
        let line = line.trim();
        match self {
            Self::Opkg => line.starts_with("src/gz ") || (line.starts_with("src ") && !line.contains(" file:")),
            Self::Apk => line.starts_with("http://") || line.starts_with("https://"),
        }
    }

    fn render(self, name: &RepositoryName, url: &RepositoryUrl) -> String {
        let url = url.as_str().trim_end_matches('/');
        match self {
            Self::Opkg => format!("src/gz {name} {url}"),
            // apk wants the index itself.
            Self::Apk if url.ends_with(".adb") => url.to_owned(),
            Self::Apk => format!("{url}/packages.adb"),
        }
    }
}

/// The files of a request's keys by their names below `keys/`.
pub(crate) fn key_files(keys: &[RepositoryKey]) -> BTreeMap<String, String> {
    keys.iter().enumerate().filter_map(|(number, key)| key_file(number, key)).collect()
}

fn key_file(number: usize, key: &RepositoryKey) -> Option<(String, String)> {
    match key {
        RepositoryKey::Usign(text) => {
            let fingerprint = hex::encode(BASE64.decode(text).ok()?.get(FINGERPRINT)?);
            let content = format!("untrusted comment: {fingerprint}\n{text}\n");
            Some((fingerprint, content))
        }
        RepositoryKey::Pem(text) => Some((format!("custom-{number}.pem"), text.clone())),
    }
}

/// The first repository that is not on the operator's list. The API has looked already; a request that reached the
/// queue another way, or before the list was changed, has not been looked at.
pub(crate) fn first_not_allowed<'a>(request: &'a BuildRequest, allow_list: &AllowList) -> Option<&'a RepositoryUrl> {
    request.repositories.values().find(|url| !allow_list.allows(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cache_url::CacheUrl, fixture::request};

    const OPKG: &str =
        "# comment\nsrc/gz base https://d.org/base\nsrc imagebuilder file:packages\noption check_signature\n";
    const APK: &str = "https://d.org/base/packages.adb\nhttps://d.org/luci/packages.adb\n";

    fn with(mode: RepositoriesMode) -> BuildRequest {
        let mut request = request();
        let url = RepositoryUrl::parse("https://my.org/repo/").unwrap();
        request.repositories.insert(RepositoryName::parse("mine").unwrap(), url);
        request.repositories_mode = mode;
        request
    }

    #[test]
    fn appended_repositories_come_last() {
        let request = with(RepositoriesMode::Append);
        let opkg = format!("{OPKG}src/gz mine https://my.org/repo\n");
        assert_eq!(PackageManager::Opkg.repositories(OPKG, &request, &Detour::default()), opkg);
        let apk = format!("{APK}https://my.org/repo/packages.adb\n");
        assert_eq!(PackageManager::Apk.repositories(APK, &request, &Detour::default()), apk);
    }

    #[test]
    fn replacing_keeps_what_is_in_the_imagebuilder_itself() {
        let request = with(RepositoriesMode::Replace);
        let opkg =
            "# comment\nsrc imagebuilder file:packages\noption check_signature\nsrc/gz mine https://my.org/repo\n";
        assert_eq!(PackageManager::Opkg.repositories(OPKG, &request, &Detour::default()), opkg);
        assert_eq!(
            PackageManager::Apk.repositories(APK, &request, &Detour::default()),
            "https://my.org/repo/packages.adb\n"
        );
    }

    #[test]
    fn an_index_of_apk_is_named_once() {
        let mut request = with(RepositoriesMode::Replace);
        let url = RepositoryUrl::parse("https://my.org/x.adb").unwrap();
        request.repositories.insert(RepositoryName::parse("mine").unwrap(), url);
        assert_eq!(PackageManager::Apk.repositories("", &request, &Detour::default()), "https://my.org/x.adb\n");
    }

    #[test]
    fn each_repository_is_reached_through_the_cache() {
        let detour = Detour::through(CacheUrl::parse("http://c.lan").unwrap());
        let request = with(RepositoriesMode::Append);
        let opkg = "# comment\nsrc/gz base http://c.lan/d.org/base\nsrc imagebuilder file:packages\n\
                    option check_signature\nsrc/gz mine http://c.lan/my.org/repo\n";
        assert_eq!(PackageManager::Opkg.repositories(OPKG, &request, &detour), opkg);
        let apk = "http://c.lan/d.org/base/packages.adb\nhttp://c.lan/d.org/luci/packages.adb\n\
                   http://c.lan/my.org/repo/packages.adb\n";
        assert_eq!(PackageManager::Apk.repositories(APK, &request, &detour), apk);
    }

    #[test]
    fn keys_are_named_by_fingerprint_or_number() {
        let bytes = [b"Ed".as_slice(), &[0xab; 8], &[7; 32]].concat();
        let usign = RepositoryKey::parse(&BASE64.encode(&bytes)).unwrap();
        let pem =
            RepositoryKey::parse("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ==\n-----END PUBLIC KEY-----").unwrap();
        let files = key_files(&[usign.clone(), pem.clone()]);
        let comment = format!("untrusted comment: abababababababab\n{}\n", usign.as_str());
        assert_eq!(files["abababababababab"], comment);
        assert_eq!(files["custom-1.pem"], pem.as_str());
    }

    #[test]
    fn a_repository_must_be_on_the_list() {
        let request = with(RepositoriesMode::Append);
        assert!(first_not_allowed(&request, &AllowList::parse(&["https://my.org/repo"]).unwrap()).is_none());
        let other = AllowList::parse(&["https://my.org/other"]).unwrap();
        assert_eq!(first_not_allowed(&request, &other).unwrap().as_str(), "https://my.org/repo/");
    }
}
