//! The key that images are signed with, and its certificate.

use std::{fs, io};

use asu_config::SettingsError;
use asu_core::UsignSecretKey;
use bytes::Bytes;

/// The certificate lies beside the key, under the key's name and this.
const CERTIFICATE: &str = ".ucert";
/// Real ones have some hundred bytes, and fwtool refuses what does not fit behind an image.
const LARGEST_CERTIFICATE: usize = 16 * 1024;

/// A secret key and the certificate that says whose it is. Never printed.
#[derive(Debug, Clone)]
pub(crate) struct SigningKey {
    secret: UsignSecretKey,
    certificate: Bytes,
}

impl SigningKey {
    /// Reads the key that the setting `build_key` names; none if it names none.
    pub(crate) fn load(path: &str) -> Result<Option<Self>, SettingsError> {
        if path.is_empty() {
            return Ok(None);
        }
        let certificate_path = format!("{path}{CERTIFICATE}");
        let text = fs::read_to_string(path).map_err(|error| cannot_read(path, &error))?;
        // The error says nothing of the text.
        let secret = UsignSecretKey::parse(&text)
            .map_err(|error| SettingsError::Contradiction(format!("build_key: {path} is {error}")))?;
        let certificate = fs::read(&certificate_path).map_err(|error| cannot_read(&certificate_path, &error))?;
        if certificate.is_empty() || certificate.len() > LARGEST_CERTIFICATE {
            let sentence =
                format!("build_key: {certificate_path} is no certificate of 1 to {LARGEST_CERTIFICATE} bytes");
            return Err(SettingsError::Contradiction(sentence));
        }
        Ok(Some(Self { secret, certificate: certificate.into() }))
    }

    /// The secret half; shown to nobody but the tools.
    pub(crate) fn secret(&self) -> &UsignSecretKey {
        &self.secret
    }

    /// What goes to devices with each signature.
    pub(crate) fn certificate(&self) -> &Bytes {
        &self.certificate
    }
}

fn cannot_read(path: &str, error: &io::Error) -> SettingsError {
    SettingsError::Contradiction(format!("build_key: cannot read {path}: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
    use tempfile::TempDir;

    use super::*;

    /// A key of tests, as usign writes it.
    pub(crate) fn secret_text() -> String {
        let public = ed25519_dalek::SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
        let bytes = [b"EdBK\0\0\0\0", &[1; 16][..], &[2; 8], &[3; 8], &[5; 32], &public].concat();
        format!("untrusted comment: secret key of a test\n{}\n", BASE64.encode(bytes))
    }

    pub(crate) fn signing_key(certificate: &'static [u8]) -> SigningKey {
        let secret = UsignSecretKey::parse(&secret_text()).unwrap();
        SigningKey { secret, certificate: Bytes::from_static(certificate) }
    }

    fn refused(path: &str) -> String {
        SigningKey::load(path).unwrap_err().to_string()
    }

    #[test]
    fn a_key_that_cannot_sign_is_refused_in_a_sentence() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("key").display().to_string();
        assert!(refused(&path).starts_with(&format!("build_key: cannot read {path}: ")), "{}", refused(&path));
        fs::write(&path, "garbage").unwrap();
        assert_eq!(refused(&path), format!("build_key: {path} is not a usign secret key without a password"));
        fs::write(&path, secret_text()).unwrap();
        assert!(refused(&path).starts_with(&format!("build_key: cannot read {path}.ucert: ")), "{}", refused(&path));
        for certificate in [vec![], vec![0; LARGEST_CERTIFICATE + 1]] {
            fs::write(format!("{path}.ucert"), certificate).unwrap();
            assert!(refused(&path).contains("is no certificate"), "{}", refused(&path));
        }
        fs::write(format!("{path}.ucert"), "certificate").unwrap();
        let key = SigningKey::load(&path).unwrap().unwrap();
        assert_eq!(&key.certificate()[..], b"certificate");
        let secret = secret_text().lines().last().unwrap().to_owned();
        assert!(!format!("{key:?}").contains(&secret[..40]));
        assert!(SigningKey::load("").unwrap().is_none());
    }
}
