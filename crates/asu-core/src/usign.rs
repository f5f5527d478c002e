//! usign's public keys and signatures: Ed25519 in the text form of OpenBSD's signify.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, StreamVerifier, VerifyingKey};

/// What the first line begins with; nothing vouches for the rest of it.
const COMMENT: &str = "untrusted comment:";
/// Ed25519, the only algorithm there is.
const ALGORITHM: &[u8; 2] = b"Ed";

/// A text that is none of usign's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a usign {0}")]
pub struct InvalidUsign(pub(crate) &'static str);

/// A signature that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    /// It was made by a key that nobody told us to trust.
    #[error("the signature is of key {0}, which is not known here")]
    UnknownKey(Fingerprint),
    /// It is not that of this text.
    #[error("the signature is not that of key {0} over this text")]
    Wrong(Fingerprint),
}

/// What keys are told apart by; 16 hexadecimal digits as text. Anybody can claim one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub(crate) [u8; 8]);

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsignPublicKey {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) key: VerifyingKey,
}

/// A detached signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsignSignature {
    fingerprint: Fingerprint,
    signature: Signature,
}

/// The check of a signature over something that comes in pieces.
pub struct UsignVerifier {
    fingerprint: Fingerprint,
    verifier: StreamVerifier,
}

impl UsignPublicKey {
    /// Reads a key: a line of base64, after a line of comment if there is one.
    ///
    /// # Errors
    /// Any other text, or bytes that are no key.
    pub fn parse(text: &str) -> Result<Self, InvalidUsign> {
        const WHAT: InvalidUsign = InvalidUsign("public key");
        let bytes: [u8; 42] = decode(text).ok_or(WHAT)?;
        let (fingerprint, key) = fields(&bytes).ok_or(WHAT)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| WHAT)?;
        Ok(Self { fingerprint, key: VerifyingKey::from_bytes(key).map_err(|_| WHAT)? })
    }

    /// Begins to check a signature that claims to be of this key.
    ///
    /// # Errors
    /// It is of another key, or cannot be of any.
    pub fn begin(&self, signature: &UsignSignature) -> Result<UsignVerifier, BadSignature> {
        let fingerprint = signature.fingerprint;
        if fingerprint != self.fingerprint {
            return Err(BadSignature::UnknownKey(fingerprint));
        }
        let verifier = self.key.verify_stream(&signature.signature).map_err(|_| BadSignature::Wrong(fingerprint))?;
        Ok(UsignVerifier { fingerprint, verifier })
    }
}

impl UsignSignature {
    /// Reads a signature: a line of base64, after a line of comment if there is one.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidUsign> {
        const WHAT: InvalidUsign = InvalidUsign("signature");
        let bytes: [u8; 74] = decode(text).ok_or(WHAT)?;
        let (fingerprint, signature) = fields(&bytes).ok_or(WHAT)?;
        Ok(Self { fingerprint, signature: Signature::from_slice(signature).map_err(|_| WHAT)? })
    }

    /// Whether one of these keys signed this.
    ///
    /// # Errors
    /// None of them did.
    pub fn verify(&self, keys: &[UsignPublicKey], message: &[u8]) -> Result<(), BadSignature> {
        // Two keys may claim one fingerprint.
        let mut judgement = Err(BadSignature::UnknownKey(self.fingerprint));
        for key in keys.iter().filter(|key| key.fingerprint == self.fingerprint) {
            judgement = key.begin(self).and_then(|mut verifier| {
                verifier.update(message);
                verifier.finish()
            });
            if judgement.is_ok() {
                break;
            }
        }
        judgement
    }
}

impl UsignVerifier {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.verifier.update(piece);
    }

    /// Whether the signature is that of all pieces together.
    ///
    /// # Errors
    /// It is not.
    pub fn finish(self) -> Result<(), BadSignature> {
        self.verifier.finalize_and_verify().map_err(|_| BadSignature::Wrong(self.fingerprint))
    }
}

impl fmt::Debug for UsignVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UsignVerifier").field(&self.fingerprint).finish()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for UsignPublicKey {
    /// The line of base64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(self.fingerprint, self.key.as_bytes()))
    }
}

impl fmt::Display for UsignSignature {
    /// The line of base64.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(self.fingerprint, &self.signature.to_bytes()))
    }
}

/// The bytes of the one line that counts.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut lines = text.trim_end().lines();
    let first = lines.next()?;
    let line = if first.starts_with(COMMENT) { lines.next()? } else { first };
    if lines.next().is_some() {
        return None;
    }
    BASE64.decode(line.trim()).ok()?.try_into().ok()
}

fn fields(bytes: &[u8]) -> Option<(Fingerprint, &[u8])> {
    let (fingerprint, rest) = bytes.strip_prefix(ALGORITHM)?.split_first_chunk()?;
    Some((Fingerprint(*fingerprint), rest))
}

fn encode(fingerprint: Fingerprint, rest: &[u8]) -> String {
    BASE64.encode([ALGORITHM, &fingerprint.0[..], rest].concat())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    /// That of OpenWrt's unattended builds.
    const OPENWRT: &str = "RWS1BD5w+adc3j2Hqg9+b66CvLR7NlHbsj7wjNVj0XGt/othDgIAOJS+";

    fn key(seed: u8, fingerprint: u8) -> (SigningKey, UsignPublicKey) {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let text = encode(Fingerprint([fingerprint; 8]), key.verifying_key().as_bytes());
        (key, UsignPublicKey::parse(&format!("untrusted comment: a test\n{text}\n")).unwrap())
    }

    fn signature(key: &SigningKey, fingerprint: u8, message: &[u8]) -> UsignSignature {
        UsignSignature::parse(&encode(Fingerprint([fingerprint; 8]), &key.sign(message).to_bytes())).unwrap()
    }

    #[test]
    fn a_key_is_read_with_its_comment_or_without() {
        let key = UsignPublicKey::parse(OPENWRT).unwrap();
        assert_eq!(UsignPublicKey::parse(&format!("untrusted comment: x\r\n{OPENWRT}\n\n")).unwrap(), key);
        assert_eq!((key.fingerprint.to_string().as_str(), key.to_string().as_str()), ("b5043e70f9a75cde", OPENWRT));
        let ending = format!("{OPENWRT}\nmore");
        let other = OPENWRT.replacen("RW", "RX", 1);
        for text in ["", "untrusted comment: x", "untrusted comment: x\n", "RWQ=", &ending, &other] {
            assert!(UsignPublicKey::parse(text).is_err() && UsignSignature::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_key_that_signed_a_text_vouches_for_it() {
        let (signing, ours) = key(1, 7);
        let (_, same_fingerprint) = key(2, 7);
        let (_, other) = key(3, 9);
        let made = signature(&signing, 7, b"text");
        for keys in [vec![ours.clone()], vec![other.clone(), same_fingerprint.clone(), ours.clone()]] {
            assert_eq!(made.verify(&keys, b"text"), Ok(()));
            assert_eq!(made.verify(&keys, b"texts"), Err(BadSignature::Wrong(Fingerprint([7; 8]))));
        }
        assert_eq!(made.verify(&[same_fingerprint], b"text"), Err(BadSignature::Wrong(Fingerprint([7; 8]))));
        assert_eq!(made.verify(&[other], b"text"), Err(BadSignature::UnknownKey(Fingerprint([7; 8]))));
        assert_eq!(made.verify(&[], b"text"), Err(BadSignature::UnknownKey(Fingerprint([7; 8]))));
        assert!(ours.begin(&signature(&signing, 9, b"text")).is_err());
    }

    #[test]
    fn a_text_may_come_in_pieces() {
        let (signing, ours) = key(1, 7);
        let mut verifier = ours.begin(&signature(&signing, 7, b"a long text")).unwrap();
        for piece in [&b"a lo"[..], b"", b"ng text"] {
            verifier.update(piece);
        }
        assert_eq!(verifier.finish(), Ok(()));
    }
}
