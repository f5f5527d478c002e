//! Package URLs. <https://github.com/package-url/purl-spec>

use std::{collections::BTreeMap, fmt};

use crate::{Branch, BuildRequest};

/// The last branch whose packages are opkg's; later ones have apk's.
const LAST_OF_OPKG: &str = "24.10";

/// The name of a package that means the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackageUrl<'a> {
    kind: &'static str,
    namespace: Option<String>,
    name: &'a str,
    version: &'a str,
    /// By their keys, in whose order they stand.
    qualifiers: BTreeMap<&'static str, String>,
}

impl<'a> PackageUrl<'a> {
    /// A package of a firmware. The type `apk` is registered, with the vendor as its namespace; for opkg there is no
    /// registered one, and `opkg` is what scanners of firmware write.
    pub(crate) fn of_package(request: &BuildRequest, arch: &str, name: &'a str, version: &'a str) -> Self {
        let distro = format!("{}-{}", request.distro, request.version);
        let qualifiers = BTreeMap::from([("arch", arch.to_owned()), ("distro", distro)]);
        let is_opkg = request.version.branch() <= Branch::new(LAST_OF_OPKG);
        let namespace = Some(request.distro.as_str().to_lowercase());
        Self { kind: if is_opkg { "opkg" } else { "apk" }, namespace, name, version, qualifiers }
    }

    /// A container image of a registry.
    pub(crate) fn of_image(name: &'a str, digest: &'a str) -> Self {
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (name, ""),
        };
        let qualifiers = BTreeMap::from([("repository_url", repository.to_owned()), ("tag", tag.to_owned())]);
        let name = repository.rsplit('/').next().unwrap_or(repository);
        Self { kind: "oci", namespace: None, name, version: digest, qualifiers }
    }
}

impl fmt::Display for PackageUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = self.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
            write!(f, "{}/", encode(namespace, ""))?;
        }
        f.write_str(&encode(self.name, ""))?;
        if !self.version.is_empty() {
            write!(f, "@{}", encode(self.version, ""))?;
        }
        let qualifiers = self.qualifiers.iter().filter(|(_, value)| !value.is_empty());
        for (number, (key, value)) in qualifiers.enumerate() {
            // The slashes of an address stay, as in the specification's examples.
            write!(f, "{}{key}={}", if number == 0 { '?' } else { '&' }, encode(value, "/"))?;
        }
        Ok(())
    }
}

/// Percent-encodes everything but what the specification leaves as it is, and `also`.
fn encode(text: &str, also: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || ".-_~:".contains(c) || also.contains(c) => encoded.push(c),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn request(distro: &str, version: &str) -> BuildRequest {
        let known = r#""target": "x86/64", "profile": "p""#;
        fixture::request(&format!(r#"{{"distro": "{distro}", "version": "{version}", {known}}}"#))
    }

    #[test]
    fn packages_are_named_after_their_manager_and_distribution() {
        for (distro, version, name, package_version, expected) in [
            ("openwrt", "23.05.5", "vim", "9.0-1", "pkg:opkg/openwrt/vim@9.0-1?arch=x86_64&distro=openwrt-23.05.5"),
            ("openwrt", "24.10.4", "vim", "9.1-r1", "pkg:opkg/openwrt/vim@9.1-r1?arch=x86_64&distro=openwrt-24.10.4"),
            ("openwrt", "24.10-SNAPSHOT", "a", "1", "pkg:opkg/openwrt/a@1?arch=x86_64&distro=openwrt-24.10-SNAPSHOT"),
            ("openwrt", "25.12.0-rc1", "a", "1", "pkg:apk/openwrt/a@1?arch=x86_64&distro=openwrt-25.12.0-rc1"),
            (
                "ImmortalWrt",
                "SNAPSHOT",
                "libstdc++6",
                "13.3.0~a,b:1-r4",
                "pkg:apk/immortalwrt/libstdc%2B%2B6@13.3.0~a%2Cb:1-r4?arch=x86_64&distro=ImmortalWrt-SNAPSHOT",
            ),
        ] {
            let request = request(distro, version);
            assert_eq!(PackageUrl::of_package(&request, "x86_64", name, package_version).to_string(), expected);
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let url = PackageUrl::of_package(&request("openwrt", "24.10.4"), "", "vim", "").to_string();
        assert_eq!(url, "pkg:opkg/openwrt/vim?distro=openwrt-24.10.4");
    }

    #[test]
    fn an_image_is_named_after_its_repository() {
        for (name, expected) in [
            ("r:5000/a/b:t", "pkg:oci/b@sha256:00?repository_url=r:5000/a/b&tag=t"),
            ("r:5000/a/b", "pkg:oci/b@sha256:00?repository_url=r:5000/a/b"),
        ] {
            assert_eq!(PackageUrl::of_image(name, "sha256:00").to_string(), expected);
        }
    }

    #[test]
    fn nothing_gets_out_of_its_part() {
        assert_eq!(encode("a/b?c#d&e=f%g@h é", ""), "a%2Fb%3Fc%23d%26e%3Df%25g%40h%20%C3%A9");
    }
}
