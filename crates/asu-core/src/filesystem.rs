//! The root filesystems that a request may choose.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{names::InvalidName, text_schema::text_schema};

/// A root filesystem that the ImageBuilder can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Filesystem {
    /// `squashfs`
    Squashfs,
    /// `ext4`
    Ext4,
    /// `ubifs`
    Ubifs,
    /// `erofs`
    Erofs,
    /// `jffs2`
    Jffs2,
    /// `jffs2-nand`
    Jffs2Nand,
    /// `targz`
    Targz,
    /// `cpiogz`
    Cpiogz,
}

const PATTERN: &str = "squashfs|ext4|ubifs|erofs|jffs2|jffs2-nand|targz|cpiogz";

text_schema!(Filesystem, PATTERN, "squashfs", "The root filesystem of an image.");

impl Filesystem {
    /// All of them, in the order in which they are named to clients.
    pub const ALL: [Self; 8] =
        [Self::Squashfs, Self::Ext4, Self::Ubifs, Self::Erofs, Self::Jffs2, Self::Jffs2Nand, Self::Targz, Self::Cpiogz];

    /// The name on the wire and on the ImageBuilder's command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Squashfs => "squashfs",
            Self::Ext4 => "ext4",
            Self::Ubifs => "ubifs",
            Self::Erofs => "erofs",
            Self::Jffs2 => "jffs2",
            Self::Jffs2Nand => "jffs2-nand",
            Self::Targz => "targz",
            Self::Cpiogz => "cpiogz",
        }
    }

    /// Finds a file system by its name.
    ///
    /// # Errors
    /// Any other name; the error lists the known ones.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        Self::ALL.into_iter().find(|fs| fs.as_str() == text).ok_or_else(|| InvalidName {
            what: "filesystem",
            pattern: PATTERN,
            value: text.to_owned(),
        })
    }
}

impl TryFrom<String> for Filesystem {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::parse(&text)
    }
}

impl From<Filesystem> for String {
    fn from(filesystem: Filesystem) -> String {
        filesystem.as_str().to_owned()
    }
}

impl fmt::Display for Filesystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_lists_every_known_name() {
        let error = Filesystem::parse("overlay").unwrap_err();
        for filesystem in Filesystem::ALL {
            assert_eq!(Filesystem::parse(filesystem.as_str()), Ok(filesystem));
            assert!(error.to_string().contains(filesystem.as_str()), "{error}");
        }
    }
}
