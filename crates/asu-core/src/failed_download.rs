//! What opkg and apk print when something cannot be downloaded, or comes damaged.

/// Texts behind which opkg names a URL.
const OPKG_URLS: [&str; 2] = ["opkg_download: Failed to download ", "Failed to download the package list from "];

/// Texts of opkg's complaints about one package that upstream has, but not as its list says.
const OPKG_PACKAGES: [&str; 2] =
    ["opkg_install_pkg: Failed to download ", "opkg_install_pkg: Checksum or size mismatch for package "];

/// What apk says behind the name of a package, or of a file, that it could not fetch or that came damaged: from
/// `apk_error_str` of apk-tools 2 and 3, and logs of real servers. Signatures are another matter.
const APK_REASONS: [&str; 17] = [
    "temporary error",
    "network error",
    "network connection aborted",
    "could not connect to server",
    "connection ",
    "Connection ",
    "operation timed out",
    "DNS",
    "TLS",
    "HTTP ",
    "IO ERROR",
    "remote server returned error",
    "unexpected end of file",
    "package mentioned in index not found",
    "ADB integrity error",
    "file integrity error",
    "v2 package integrity error",
];

/// What could not be downloaded: a URL where one was printed, else the line.
pub(crate) fn failed_download(line: &str) -> Option<&str> {
    let line = line.trim();
    of_opkg(line).or_else(|| of_apk(line))
}

fn of_opkg(line: &str) -> Option<&str> {
    if let Some((_, what)) = OPKG_URLS.iter().find_map(|text| line.split_once(text)) {
        let url = what.split_whitespace().next().unwrap_or_default().trim_end_matches([',', '.']);
        return Some(if url.is_empty() { line } else { url });
    }
    OPKG_PACKAGES.iter().any(|text| line.contains(text)).then(|| line.trim_start_matches(['*', ' ']))
}

/// An index that names a file which is not there is upstream in the middle of publishing. A repository whose signature
/// is not trusted can be reached all right.
fn of_apk(line: &str) -> Option<&str> {
    let warning = line.starts_with("WARNING: ") && line.contains("opening http") && !line.contains("signature");
    let fetcher = line.starts_with("ERROR: wget: exited with error ");
    if !(warning || fetcher || has_reason(line)) {
        return None;
    }
    let url = line.split_whitespace().find(|word| word.starts_with("http://") || word.starts_with("https://"));
    Some(url.map_or(line.trim_start_matches("ERROR: "), |url| url.trim_end_matches(':')))
}

/// `ERROR: vim-9.1-r1: temporary error (try again later)`
fn has_reason(line: &str) -> bool {
    let Some((subject, reason)) = line.split_once(": ").and_then(|(_, rest)| rest.split_once(": ")) else {
        return false;
    };
    let is_complaint = line.starts_with("ERROR: ") || line.starts_with("WARNING: ");
    is_complaint && !subject.is_empty() && APK_REASONS.iter().any(|known| reason.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_had_is_named() {
        for (line, what) in [
            (
                " * opkg_download: Failed to download http://a.example/x/Packages.gz, wget returned 4.",
                "http://a.example/x/Packages.gz",
            ),
            (
                "*** Failed to download the package list from https://a.example/x/Packages.gz",
                "https://a.example/x/Packages.gz",
            ),
            (
                " * opkg_install_pkg: Failed to download vim. Perhaps you need to run 'opkg update'?",
                "opkg_install_pkg: Failed to download vim. Perhaps you need to run 'opkg update'?",
            ),
            (
                " * opkg_install_pkg: Checksum or size mismatch for package snmpd. Either the opkg or the package index are corrupt. Try 'opkg update'.",
                "opkg_install_pkg: Checksum or size mismatch for package snmpd. Either the opkg or the package index are corrupt. Try 'opkg update'.",
            ),
            (
                "WARNING: opening https://a.example/packages.adb: temporary error (try again later)",
                "https://a.example/packages.adb",
            ),
            (
                "WARNING: updating and opening https://a.example/x.adb: HTTP 503: Service Unavailable",
                "https://a.example/x.adb",
            ),
            ("ERROR: dnsproxy-0.81.0-r1: ADB integrity error", "dnsproxy-0.81.0-r1: ADB integrity error"),
            ("ERROR: curl-8.14.1-r2: HTTP 504: Gateway Timeout", "curl-8.14.1-r2: HTTP 504: Gateway Timeout"),
            ("ERROR: wget: exited with error 3", "wget: exited with error 3"),
        ] {
            assert_eq!(failed_download(line), Some(what), "{line}");
        }
    }

    #[test]
    fn other_complaints_are_not_about_downloads() {
        for line in [
            "WARNING: opening https://a.example/packages.adb: UNTRUSTED signature",
            "WARNING: opening /builder/packages/packages.adb: No such file or directory",
            "WARNING: can't open config file: /builder/staging_dir/host/etc/ssl/openssl.cnf",
            "ERROR: unable to select packages:",
            "ERROR: dnsmasq-full-2.91-r2: trying to overwrite usr/sbin/dnsmasq owned by dnsmasq-2.91-r2.",
            " * opkg_install_cmd: Cannot install package vim.",
            "Downloading https://a.example/Packages.gz",
            "make[2]: *** [Makefile:254: package_install] Error 1",
        ] {
            assert_eq!(failed_download(line), None, "{line}");
        }
    }
}
