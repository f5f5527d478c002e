//! Archives made by hand, because no honest program makes them.

use std::{fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

use tar::{EntryType, Header};
use tempfile::TempDir;

use super::{ArchiveError, ArchiveLimits, ExtractedFile, GetError, unpack};

const LIMITS: ArchiveLimits = ArchiveLimits { bytes: 10_000, entries: 8, depth: 3 };

/// An archive under construction; begins with the directory `out`.
struct Crafted(Vec<u8>);

impl Crafted {
    fn new() -> Self {
        Self(Vec::new()).entry(b"out/", EntryType::Directory, b"")
    }

    fn entry(self, name: &[u8], kind: EntryType, content: &[u8]) -> Self {
        self.claiming(name, kind, content.len() as u64, content)
    }

    /// An entry whose header promises another size than its content has.
    fn claiming(mut self, name: &[u8], kind: EntryType, size: u64, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        // Not `set_path`: that refuses what is to be tested.
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_mode(0o4777);
        header.set_size(size);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(name.as_bytes(), EntryType::Regular, content.as_bytes())
    }

    fn pax(self, key: &str, value: &str) -> Self {
        let record = |length: usize| format!("{length} {key}={value}\n");
        let length = (0..).map(record).position(|text| text.split(' ').next() == Some(text.len().to_string().as_str()));
        self.entry(b"pax", EntryType::XHeader, record(length.unwrap()).as_bytes())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

fn unpacked(archive: &[u8]) -> (TempDir, Result<Vec<ExtractedFile>, GetError>) {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("fresh");
    fs::create_dir(&directory).unwrap();
    let result = unpack(archive, "out", &directory, LIMITS);
    let beside: Vec<_> = fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["fresh"], "something was written outside");
    (parent, result)
}

/// The archive is refused for this reason, and nothing is written outside.
fn check(archive: Crafted, expected: &str) {
    let (_directory, result) = unpacked(&archive.end());
    let error = result.expect_err(expected);
    assert!(matches!(error, GetError::Archive(_)), "{error:?}");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn files_and_directories_come_out_with_plain_permissions_and_their_sums() {
    let archive = Crafted::new().file("out/b", "abc").entry(b"out/d/", EntryType::Directory, b"").file("out/d/a", "");
    let (parent, result) = unpacked(&archive.end());
    let sum = |path: &str, size, sha256: &str| ExtractedFile { path: path.to_owned(), size, sha256: sha256.to_owned() };
    assert_eq!(
        result.unwrap(),
        [
            sum("b", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            sum("d/a", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ]
    );
    let mode = |path: &str| fs::metadata(parent.path().join("fresh").join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("b"), mode("d"), mode("d/a")), (0o644, 0o755, 0o644));
    assert_eq!(fs::read(parent.path().join("fresh/b")).unwrap(), b"abc");
}

#[test]
fn nothing_leaves_its_directory() {
    check(Crafted::new().file("/etc/passwd", "x"), "\"/etc/passwd\" is outside the directory");
    check(Crafted::new().file("../escaped", "x"), "\"../escaped\" is outside the directory");
    check(Crafted::new().file("out/../escaped", "x"), "\"out/../escaped\" is outside the directory");
    check(Crafted::new().file("out/d/../../escaped", "x"), "\"out/d/../../escaped\" is outside the directory");
    check(Crafted::new().file("out/./a", "x"), "\"out/./a\" is outside the directory");
    check(Crafted::new().file("out//a", "x"), "\"out//a\" is outside the directory");
    check(Crafted::new().file("other/a", "x"), "\"other/a\" is outside the directory");
    check(Crafted::new().pax("path", "/etc/passwd").file("out/a", "x"), "\"/etc/passwd\" is outside the directory");
    check(Crafted::new().pax("path", "out/../../a").file("out/a", "x"), "\"out/../../a\" is outside the directory");
    let long = Crafted::new().entry(b"L", EntryType::GNULongName, b"out/../../escaped\0").file("out/a", "x");
    check(long, "\"out/../../escaped\" is outside the directory");
}

#[test]
fn only_files_and_directories_come_out() {
    for (kind, what) in [
        (EntryType::Symlink, "a link"),
        (EntryType::Link, "a link"),
        (EntryType::GNULongLink, "a link"),
        (EntryType::Char, "neither a file nor a directory"),
        (EntryType::Block, "neither a file nor a directory"),
        (EntryType::Fifo, "neither a file nor a directory"),
        (EntryType::Continuous, "neither a file nor a directory"),
        (EntryType::XGlobalHeader, "neither a file nor a directory"),
        (EntryType::new(b'V'), "neither a file nor a directory"),
        (EntryType::GNUSparse, "a sparse file"),
    ] {
        check(Crafted::new().entry(b"out/x", kind, b""), &format!("\"out/x\" is {what}"));
    }
    check(Crafted::new().pax("GNU.sparse.major", "1").file("out/x", "0\n"), "\"out/x\" is a sparse file");
    check(Crafted::new().file("out/x/", ""), "\"out/x/\" is neither a file nor a directory");
    let file = Crafted(Vec::new()).file("out", "x");
    check(file, "\"out\" is not a directory");
}

#[test]
fn strange_names_are_refused_and_shown_harmlessly() {
    check(Crafted::new().file("out/a\nb", ""), r#""out/a\nb" is not a name we accept"#);
    check(Crafted::new().file("out/\u{1b}[2J", ""), r#""out/\u{1b}[2J" is not a name we accept"#);
    check(Crafted::new().file("out/a\\b", ""), r#""out/a\\b" is not a name we accept"#);
    check(Crafted::new().file("out/\u{202e}gpj", ""), r#""out/\u{202e}gpj" is not a name we accept"#);
    check(Crafted::new().entry(b"out/\xff", EntryType::Regular, b""), "\"out/\u{fffd}\" is not a name we accept");
    check(Crafted::new().pax("path", "out/a\0b").file("out/a", ""), r#""out/a\0b" is not a name we accept"#);
    let long = format!("out/{}", "n".repeat(256));
    let (_directory, result) = unpacked(&Crafted::new().pax("path", &long).file("out/a", "").end());
    let error = result.unwrap_err().to_string();
    assert!(error.ends_with("is not a name we accept") && error.len() < 200, "{error}");
}

#[test]
fn every_name_is_there_once_and_in_a_directory_of_the_archive() {
    check(Crafted::new().file("out/a", "1").file("out/a", "2"), "\"out/a\" is there twice");
    check(Crafted::new().entry(b"out/", EntryType::Directory, b""), "\"out/\" is there twice");
    let twice = Crafted::new().entry(b"out/d", EntryType::Directory, b"").entry(b"out/d/", EntryType::Directory, b"");
    check(twice, "\"out/d/\" is there twice");
    check(Crafted::new().file("out/d", "").entry(b"out/d", EntryType::Directory, b""), "\"out/d\" is there twice");
    check(Crafted::new().file("out/f", "").file("out/f/a", ""), "\"out/f/a\" is in no directory of the archive");
    check(Crafted::new().file("out/d/a", ""), "\"out/d/a\" is in no directory of the archive");
    check(Crafted(Vec::new()).file("out/a", ""), "\"out/a\" is in no directory of the archive");
}

#[test]
fn depth_number_and_size_are_limited() {
    check(Crafted::new().file("out/1/2/3/4", ""), "\"out/1/2/3/4\" is deeper than 3 directories");
    let many = (0..8).fold(Crafted::new(), |archive, n| archive.file(&format!("out/{n}"), ""));
    check(many, "there are more than 8 files, \"out/7\" is one more");
    let content = "x".repeat(6000);
    let large = Crafted::new().file("out/a", &content).file("out/b", &content);
    check(large, "the files have more than 10000 bytes, with \"out/b\"");
}

#[test]
fn what_headers_claim_is_not_taken_on_trust() {
    let giant = Crafted::new().claiming(b"out/a", EntryType::Regular, u64::MAX / 2, b"abc");
    check(giant, "the files have more than 10000 bytes, with \"out/a\"");
    for kind in [EntryType::XHeader, EntryType::GNULongName] {
        let giant = Crafted::new().claiming(b"out/a", kind, u64::MAX / 2, b"abc");
        check(giant, "\"out/a\" has extension headers that we do not accept");
    }
    let directory = Crafted::new().claiming(b"out/d/", EntryType::Directory, 1 << 40, b"");
    check(directory, "\"out/d/\" has extension headers that we do not accept");
    check(
        Crafted::new().pax("size", "9").file("out/a", "abc"),
        "\"out/a\" has extension headers that we do not accept",
    );
    let twice = Crafted::new().pax("mtime", "1").pax("path", "out/b").file("out/a", "");
    check(twice, "\"pax\" has extension headers that we do not accept");
    let broken = Crafted::new().entry(b"pax", EntryType::XHeader, b"7 no\n").file("out/a", "");
    check(broken, "\"out/a\" has extension headers that we do not accept");
}

#[test]
fn harmless_extension_headers_are_understood() {
    let long = "l".repeat(200);
    let archive = Crafted::new().pax("path", "out/pax").file("out/short", "1");
    let archive = archive.pax("SCHILY.xattr.user.x", "y").pax_size(3).file("out/a", "abc");
    let archive = archive.entry(b"L", EntryType::GNULongName, format!("out/{long}\0").as_bytes()).file("out/l", "2");
    let (_directory, result) = unpacked(&archive.end());
    let names: Vec<_> = result.unwrap().into_iter().map(|file| file.path).collect();
    assert_eq!(names, ["a".to_owned(), long, "pax".to_owned()]);
}

impl Crafted {
    /// Joins one more record to the extension header that was written last.
    fn pax_size(mut self, size: u64) -> Self {
        let start = self.0.len() - 1024;
        let mut records = self.0.split_off(start + 512);
        records.truncate(records.iter().position(|b| *b == 0).unwrap());
        self.0.truncate(start);
        records.extend_from_slice(format!("9 size={size}\n").as_bytes());
        assert_eq!(records[records.len() - 9..].len(), 9);
        self.entry(b"pax", EntryType::XHeader, &records)
    }
}

#[test]
fn an_archive_that_ends_early_is_broken_and_not_the_programs_fault() {
    let whole = Crafted::new().file("out/a", &"x".repeat(600)).file("out/b", "y").end();
    let ends = [0, 511, 512, 1024, 1030, 2047, 2048, 3072, whole.len() - 1024];
    for end in ends {
        let (_directory, result) = unpacked(&whole[..end]);
        assert!(matches!(result, Err(GetError::Broken(_))), "cut at {end}: {result:?}");
    }
    let mut garbled = whole.clone();
    garbled[512 + 150] ^= 1;
    assert!(matches!(unpacked(&garbled).1, Err(GetError::Broken(_))));
    assert!(unpacked(&whole).1.is_ok());
}

#[test]
fn a_link_that_was_there_before_is_not_followed() {
    let parent = TempDir::new().unwrap();
    let (outside, directory) = (parent.path().join("outside"), parent.path().join("fresh"));
    fs::create_dir(&directory).unwrap();
    fs::write(&outside, "untouched").unwrap();
    std::os::unix::fs::symlink(&outside, directory.join("a")).unwrap();
    let result = unpack(&Crafted::new().file("out/a", "x").end()[..], "out", &directory, LIMITS);
    assert!(matches!(result, Err(GetError::Archive(ArchiveError::Duplicate(_)))), "{result:?}");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "untouched");
}

#[test]
fn a_disk_that_cannot_be_written_is_not_the_programs_fault() {
    let archive = Crafted::new().file("out/a", "x").end();
    let result = unpack(&archive[..], "out", Path::new("/nonexistent"), LIMITS);
    assert!(matches!(result, Err(GetError::Disk { .. })), "{result:?}");
}

#[test]
fn endless_archives_end() {
    let file = Crafted::new().claiming(b"out/a", EntryType::Regular, 9_999, b"");
    let endless = file.0.chain(std::io::repeat(b'x'));
    let parent = TempDir::new().unwrap();
    let result = unpack(endless, "out", parent.path(), LIMITS);
    assert!(matches!(result, Err(GetError::Broken(_))), "{result:?}");
}

trait ChainBytes {
    fn chain<R: Read>(self, next: R) -> impl Read;
}

impl ChainBytes for Vec<u8> {
    fn chain<R: Read>(self, next: R) -> impl Read {
        Read::chain(std::io::Cursor::new(self), next)
    }
}
