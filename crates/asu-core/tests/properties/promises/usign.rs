//! What holds of every text that may be a key or a signature of usign.

use asu_core::{UsignPublicKey, UsignSecretKey, UsignSignature};

/// What is taken is what is written again, and a signature vouches for nothing that its key never saw.
pub(crate) fn check(text: &str) {
    let key = UsignPublicKey::parse(text);
    if let Ok(key) = &key {
        assert_eq!(&UsignPublicKey::parse(&key.to_string()).unwrap(), key);
    }
    if let Ok(signature) = UsignSignature::parse(text) {
        assert_eq!(UsignSignature::parse(&signature.to_string()).unwrap(), signature);
        assert!(key.is_err() && signature.verify(&[], text.as_bytes()).is_err());
    }
    if let Ok(secret) = UsignSecretKey::parse(text) {
        assert!(UsignPublicKey::parse(&secret.public().to_string()).is_ok());
        assert!(!secret.redact(text).contains(text.trim().lines().last().unwrap().trim()));
    }
}
