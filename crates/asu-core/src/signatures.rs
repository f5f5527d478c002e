//! What opkg and apk print when the list of a repository is not signed as it should be.

/// opkg names the file in one line and says in a later one what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    downloading: Option<String>,
}

const OPKG_SIGNATURE: &str = "/Packages.sig";
const OPKG_COMPLAINTS: [&str; 2] = ["Signature check failed.", "Signature file download failed."];
const APK_COMPLAINTS: [&str; 2] = ["UNTRUSTED signature", "BAD signature"];
const APK_INDEX: &str = "/packages.adb";

impl Signatures {
    /// The repository whose signature is not trusted, if this line says so of one.
    pub(crate) fn untrusted(&mut self, line: &str) -> Option<String> {
        let line = line.trim();
        if let Some(url) = line.strip_prefix("Downloading ") {
            self.downloading = url.strip_suffix(OPKG_SIGNATURE).filter(|url| is_url(url)).map(str::to_owned);
            return None;
        }
        if OPKG_COMPLAINTS.iter().any(|complaint| line.starts_with(complaint)) {
            return self.downloading.take();
        }
        let (subject, _) = APK_COMPLAINTS.iter().find_map(|complaint| line.split_once(&format!(": {complaint}")))?;
        let url = subject.split_whitespace().find(|word| is_url(word))?;
        Some(url.strip_suffix(APK_INDEX).unwrap_or(url).to_owned())
    }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, repositories: &[&str]) {
        let mut signatures = Signatures::default();
        let found: Vec<_> = text.lines().filter_map(|line| signatures.untrusted(line)).collect();
        assert_eq!(found, repositories, "{text}");
    }

    #[test]
    fn opkg_names_the_file_before_it_complains() {
        let text = "Downloading http://a.example/base/Packages.gz
Updated list of available packages in /builder/dl/openwrt_base
Downloading http://a.example/base/Packages.sig
Signature check passed.
Downloading http://a.example/luci/Packages.gz
Downloading http://a.example/luci/Packages.sig
Signature check failed.
Remove wrong Signature file.
Downloading http://a.example/mine/Packages.sig
Signature file download failed.
Downloading file:packages/Packages.sig
Signature check failed.
";
        check(text, &["http://a.example/luci", "http://a.example/mine"]);
    }

    #[test]
    fn apk_names_the_list_of_the_repository() {
        check("WARNING: opening https://a.example/x/packages.adb: UNTRUSTED signature\n", &["https://a.example/x"]);
        check("WARNING: updating and opening https://a.example/x.adb: BAD signature\n", &["https://a.example/x.adb"]);
        check("ERROR: vim-9.1-r1: UNTRUSTED signature\n", &[]);
    }
}
