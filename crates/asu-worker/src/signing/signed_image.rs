//! Whether a file is an image with a signature of ours at its end: what the tools say of themselves is not believed.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use asu_core::UsignSignature;

use super::{SigningKey, Unsigned};

/// What fwtool puts last: a magic, a checksum of everything before, a type, three bytes of nothing, and the size of what
/// belongs to it, itself included; numbers are big-endian.
const TRAILER: usize = 16;
const MAGIC: &[u8; 4] = b"FWx0";
const SIGNATURE: u8 = 0;

/// More than a signature with a chain of certificates has.
const LARGEST: u64 = 64 * 1024;

/// ucert's two headers before a signature.
const HEADERS: usize = 8;

const CHUNK: usize = 256 * 1024;

/// The end of a file that fwtool wrote.
struct Tail {
    /// How many bytes of the file come before it.
    start: u64,
    checksum: u32,
    content: Vec<u8>,
}

/// Looks at a signed image and the one that it was made of. The outer error is one of the disk.
pub(crate) fn check_signed(original: &Path, signed: &Path, key: &SigningKey) -> io::Result<Result<(), Unsigned>> {
    let (mut original, mut signed) = (File::open(original)?, File::open(signed)?);
    let Some(tail) = signature_of(&mut signed)? else { return Ok(Err(Unsigned::NoSignature)) };
    // A signature that was there before is gone.
    let unsigned_size = match signature_of(&mut original)? {
        Some(old) => old.start,
        None => original.metadata()?.len(),
    };
    if tail.start != unsigned_size {
        return Ok(Err(Unsigned::Changed));
    }
    let signature = match read_signature(&tail.content, key) {
        Ok(signature) => signature,
        Err(unsigned) => return Ok(Err(unsigned)),
    };
    compare(&mut original, &mut signed, &tail, &signature, key)
}

/// One pass over both files: they are the same, and it is this that is signed and summed up.
fn compare(
    original: &mut File,
    signed: &mut File,
    tail: &Tail,
    signature: &UsignSignature,
    key: &SigningKey,
) -> io::Result<Result<(), Unsigned>> {
    let mut verifier = match key.secret().public().begin(signature) {
        Ok(verifier) => verifier,
        Err(bad) => return Ok(Err(Unsigned::Wrong(bad))),
    };
    let (mut sum, mut left) = (crc32fast::Hasher::new(), tail.start);
    let (mut ours, mut theirs) = (vec![0; CHUNK], vec![0; CHUNK]);
    original.rewind()?;
    signed.rewind()?;
    while left > 0 {
        let size = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
        original.read_exact(&mut ours[..size])?;
        signed.read_exact(&mut theirs[..size])?;
        if ours[..size] != theirs[..size] {
            return Ok(Err(Unsigned::Changed));
        }
        verifier.update(&theirs[..size]);
        sum.update(&theirs[..size]);
        left -= size as u64;
    }
    sum.update(&tail.content);
    Ok(match verifier.finish() {
        Err(bad) => Err(Unsigned::Wrong(bad)),
        // fwtool leaves out the last step of the usual checksum.
        Ok(()) if sum.finalize() != !tail.checksum => Err(Unsigned::Checksum),
        Ok(()) => Ok(()),
    })
}

/// The certificate, and behind it the signature as ucert packs it: padded with zeros.
fn read_signature(content: &[u8], key: &SigningKey) -> Result<UsignSignature, Unsigned> {
    let packed = content.strip_prefix(&key.certificate()[..]).and_then(|rest| rest.get(HEADERS..));
    let text = String::from_utf8_lossy(packed.ok_or(Unsigned::Certificate)?);
    UsignSignature::parse(text.trim_end_matches('\0')).map_err(Unsigned::Signature)
}

fn signature_of(file: &mut File) -> io::Result<Option<Tail>> {
    let end = file.metadata()?.len();
    let Some(trailer_at) = end.checked_sub(TRAILER as u64) else { return Ok(None) };
    let mut trailer = [0; TRAILER];
    file.seek(SeekFrom::Start(trailer_at))?;
    file.read_exact(&mut trailer)?;
    let number = |at: usize| u32::from_be_bytes([trailer[at], trailer[at + 1], trailer[at + 2], trailer[at + 3]]);
    let (checksum, size) = (number(4), u64::from(number(12)));
    let fits = (TRAILER as u64..=LARGEST.min(end)).contains(&size);
    if !trailer.starts_with(MAGIC) || trailer[8] != SIGNATURE || !fits {
        return Ok(None);
    }
    let start = end - size;
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(trailer_at - start).read_to_end(&mut content)?;
    Ok(Some(Tail { start, checksum, content }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    use ed25519_dalek::Signer;
    use tempfile::TempDir;

    use super::{super::key::tests::signing_key, *};

    const CERTIFICATE: &[u8] = b"a chain of certificates!";

    fn with_tail(image: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
        let body = [image, content].concat();
        let checksum = !crc32fast::hash(&body);
        let size = u32::try_from(content.len() + TRAILER).unwrap();
        [&body[..], MAGIC, &checksum.to_be_bytes(), &[kind, 0, 0, 0], &size.to_be_bytes()].concat()
    }

    fn chain(message: &[u8]) -> Vec<u8> {
        let signature = ed25519_dalek::SigningKey::from_bytes(&[5; 32]).sign(message).to_bytes();
        let line = BASE64.encode([b"Ed", &[3; 8][..], &signature].concat());
        let text = format!("untrusted comment: signed by key 0303030303030303\n{line}\n");
        [CERTIFICATE, &[0; HEADERS], text.as_bytes(), &[0; 3]].concat()
    }

    fn sign(image: &[u8]) -> Vec<u8> {
        with_tail(image, SIGNATURE, &chain(image))
    }

    fn check(original: &[u8], signed: &[u8]) -> Result<(), String> {
        let directory = TempDir::new().unwrap();
        let (a, b) = (directory.path().join("a"), directory.path().join("b"));
        fs::write(&a, original).unwrap();
        fs::write(&b, signed).unwrap();
        let checked = check_signed(&a, &b, &signing_key(CERTIFICATE)).unwrap();
        checked.map_err(|unsigned| unsigned.to_string())
    }

    #[test]
    fn a_signed_image_is_the_image_and_a_signature() {
        let image = vec![7; CHUNK + 100];
        assert_eq!(check(&image, &sign(&image)), Ok(()));
        let described = with_tail(&image, 1, b"{}");
        assert_eq!(check(&described, &sign(&described)), Ok(()));
        let signed_before = with_tail(&image, SIGNATURE, b"of somebody else");
        assert_eq!(check(&signed_before, &sign(&image)), Ok(()));
        assert!(check(&signed_before, &sign(&signed_before)).unwrap_err().contains("not the image"));
    }

    #[test]
    fn whatever_the_tools_do_wrong_is_seen() {
        let image = vec![7; 1000];
        let signed = sign(&image);
        let with = |place: usize| {
            let mut bytes = signed.clone();
            bytes[place] ^= 1;
            check(&image, &bytes).unwrap_err()
        };
        assert_eq!(with(0), "what is signed is not the image");
        assert_eq!(with(1000), "its signature does not come with our certificate");
        assert_eq!(with(1000 + CERTIFICATE.len()), "its checksum is wrong");
        assert_eq!(with(signed.len() - 11), "its checksum is wrong");
        assert_eq!(with(signed.len() - 16), "it does not end with a signature");
        assert_eq!(with(signed.len() - 8), "it does not end with a signature");
        assert_eq!(check(&image, &image), Err("it does not end with a signature".to_owned()));
        assert_eq!(check(&image, &[]), Err("it does not end with a signature".to_owned()));
        let of_another = with_tail(&image, SIGNATURE, &chain(b"another image"));
        assert_eq!(check(&image, &of_another), Err("its signature does not hold".to_owned()));
        let unsigned = with_tail(&image, SIGNATURE, CERTIFICATE);
        assert_eq!(check(&image, &unsigned), Err("its signature does not come with our certificate".to_owned()));
        assert_eq!(check(&image, &sign(&image[..999])), Err("what is signed is not the image".to_owned()));
    }
}
