//! `sha256sums`: the digests of the files of a directory, as upstream publishes them and the ImageBuilder writes them.

use std::collections::BTreeMap;

/// What the archive of an ImageBuilder for x86-64 hosts is called, whatever the distribution.
const MARK: &str = "-imagebuilder-";
const ENDINGS: [&str; 2] = [".Linux-x86_64.tar.zst", ".Linux-x86_64.tar.xz"];

/// The longest name that a file can have.
const LONGEST_NAME: usize = 255;

/// The file as a list of digests and names. Lines of another form mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sha256Sums<'a>(&'a str);

/// The archive that an ImageBuilder is published as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuilderArchive {
    /// Its name in the directory: one step of a path, of letters, digits and `._-`.
    pub name: String,
    /// Its digest, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl<'a> Sha256Sums<'a> {
    /// Takes any text.
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Digests and names in their order, each pair on a line of its own.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.lines().filter_map(entry)
    }

    /// The digest of a file.
    pub fn of(self, name: &str) -> Option<&'a str> {
        self.entries().find(|(_, found)| *found == name).map(|(digest, _)| digest)
    }

    /// The archive of the ImageBuilder, if the directory has one.
    pub fn imagebuilder(self) -> Option<ImageBuilderArchive> {
        let (sha256, name) = self.entries().find(|(_, name)| is_imagebuilder(name))?;
        Some(ImageBuilderArchive { name: name.to_owned(), sha256: sha256.to_owned() })
    }

    /// The file with other digests for these names; everything else stays as it is.
    pub fn with_digests(self, digests: &BTreeMap<String, String>) -> String {
        let changed = |line: &str| {
            let (old, name) = line.lines().next().and_then(entry)?;
            digests.get(name).map(|new| line.replacen(old, new, 1))
        };
        self.0.split_inclusive('\n').map(|line| changed(line).unwrap_or_else(|| line.to_owned())).collect()
    }
}

/// A digest, a space, a space or a star, and a name.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (digest, rest) = line.split_once(' ')?;
    let name = rest.strip_prefix([' ', '*'])?;
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let valid = digest.len() == 64 && digest.bytes().all(is_digit) && !name.is_empty();
    valid.then_some((digest, name))
}

fn is_imagebuilder(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(allowed)
        && name.contains(MARK)
        && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARCHIVE: &str = "openwrt-imagebuilder-24.10.4-x86-64.Linux-x86_64.tar.zst";

    fn digest(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn the_archive_is_found_among_other_files() {
        let text = format!(
            "{} *config.buildinfo\n{} *kmods/index.json\n{} *{ARCHIVE}\n{} *openwrt-sdk-24.10.4-x86-64.Linux-x86_64.tar.zst\n",
            digest('1'),
            digest('2'),
            digest('3'),
            digest('4'),
        );
        let sums = Sha256Sums::new(&text);
        assert_eq!(sums.entries().count(), 4);
        assert_eq!(sums.of("kmods/index.json"), Some(digest('2').as_str()));
        assert_eq!(sums.imagebuilder(), Some(ImageBuilderArchive { name: ARCHIVE.to_owned(), sha256: digest('3') }));
    }

    #[test]
    fn nothing_that_leaves_the_directory_is_an_archive() {
        for name in [
            "../openwrt-imagebuilder-x.Linux-x86_64.tar.zst",
            "a/b-imagebuilder-x.Linux-x86_64.tar.xz",
            ".-imagebuilder-.Linux-x86_64.tar.xz",
            "openwrt-imagebuilder-x.Linux-x86_64.tar.xz?a",
            "openwrt-imagebuilder-x.Darwin.tar.xz",
        ] {
            let text = format!("{} *{name}\n", digest('1'));
            assert_eq!(Sha256Sums::new(&text).imagebuilder(), None, "{name}");
        }
        for line in [
            "",
            "x *y",
            &format!("{}*{ARCHIVE}", digest('1')),
            &format!("{} {ARCHIVE}", digest('1')),
            &format!("{} *{ARCHIVE}", digest('A')),
        ] {
            assert_eq!(Sha256Sums::new(line).imagebuilder(), None, "{line}");
        }
    }

    #[test]
    fn other_digests_leave_the_rest_as_it_is() {
        let text = format!("# a note\n{} *a.bin\r\n{}  b.bin", digest('1'), digest('1'));
        let digests = BTreeMap::from([("b.bin".to_owned(), digest('2')), ("c".to_owned(), digest('3'))]);
        let changed = Sha256Sums::new(&text).with_digests(&digests);
        assert_eq!(changed, format!("# a note\n{} *a.bin\r\n{}  b.bin", digest('1'), digest('2')));
    }
}
