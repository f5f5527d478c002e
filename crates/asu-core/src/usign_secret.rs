//! usign's secret keys: only looked at, so that one that cannot sign is noticed before it is to sign.

use std::fmt;

use ed25519_dalek::SigningKey;

use crate::usign::{Fingerprint, InvalidUsign, UsignPublicKey, decode};

const WHAT: InvalidUsign = InvalidUsign("secret key without a password");
/// The algorithms of the key and of its encryption, and how often the password was hashed: it has none.
const HEAD: &[u8; 8] = b"EdBK\0\0\0\0";
/// After the head come a salt and a checksum.
const FINGERPRINT: usize = 32;
const SEED: usize = 40;
const PUBLIC: usize = 72;

/// A secret key that signs. Never printed.
#[derive(Clone)]
pub struct UsignSecretKey {
    text: String,
    public: UsignPublicKey,
}

impl UsignSecretKey {
    /// Reads a key: a line of base64, after a line of comment if there is one.
    ///
    /// # Errors
    /// Any other text, a key that needs a password, or one whose public half is not its own.
    pub fn parse(text: &str) -> Result<Self, InvalidUsign> {
        let bytes: [u8; 104] = decode(text).ok_or(WHAT)?;
        if !bytes.starts_with(HEAD) {
            return Err(WHAT);
        }
        let fingerprint = bytes[FINGERPRINT..].first_chunk().ok_or(WHAT)?;
        let seed = bytes[SEED..].first_chunk().ok_or(WHAT)?;
        let key = SigningKey::from_bytes(seed).verifying_key();
        if key.as_bytes() != &bytes[PUBLIC..] {
            return Err(WHAT);
        }
        Ok(Self { text: text.to_owned(), public: UsignPublicKey { fingerprint: Fingerprint(*fingerprint), key } })
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> &UsignPublicKey {
        &self.public
    }

    /// The secret itself, as it was read, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The text without this secret: what a program prints that was given the key.
    pub fn redact(&self, text: &str) -> String {
        let lines = self.text.lines().map(str::trim);
        let secrets = lines.filter(|line| line.len() > PUBLIC && !line.contains(' '));
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl fmt::Debug for UsignSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UsignSecretKey").field(&"***").finish()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

    use super::*;

    fn bytes() -> Vec<u8> {
        let public = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
        [HEAD, &[1; 16][..], &[2; 8], &[3; 8], &[5; 32], &public].concat()
    }

    fn parse(bytes: &[u8]) -> Result<UsignSecretKey, InvalidUsign> {
        UsignSecretKey::parse(&format!("untrusted comment: secret key\n{}\n", BASE64.encode(bytes)))
    }

    #[test]
    fn a_key_has_its_public_half_and_is_never_printed() {
        let key = parse(&bytes()).unwrap();
        assert_eq!(key.public().fingerprint, Fingerprint([3; 8]));
        let secret = BASE64.encode(bytes());
        assert!(!format!("{key:?}").contains(&secret[20..40]));
        assert_eq!(key.redact(&format!("cannot use {secret}!")), "cannot use ***!");
        assert_eq!(key.redact("untrusted comment"), "untrusted comment");
    }

    #[test]
    fn what_cannot_sign_is_no_key() {
        let with = |place: usize| {
            let mut bytes = bytes();
            bytes[place] ^= 1;
            parse(&bytes)
        };
        for place in [0, 2, 7, SEED, PUBLIC] {
            assert_eq!(with(place).unwrap_err(), WHAT, "{place}");
        }
        assert!(parse(&bytes()[1..]).is_err() && UsignSecretKey::parse("").is_err());
    }
}
