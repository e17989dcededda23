//! Sealing to a recipient: age files (age-encryption.org/v1) by X25519. They authenticate no sender: what is sealed is
//! signed within.

use age::secrecy::ExposeSecret;
use age::x25519;
use std::io::Read;
use std::str::FromStr;
use thiserror::Error;
use zeroize::Zeroizing;

/// Sealed things that open to more than this are refused: 64 MiB.
pub const MOST_BYTES: u64 = 64 << 20;

/// Why something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Failed {
    /// The recipient is not one.
    #[error("the recipient is not an age recipient, which begins with \"age1\"")]
    Recipient,
    /// The identity is not one.
    #[error("the key is not an age identity")]
    Identity,
    /// Not an age file.
    #[error("not an age file, or one of a kind that is not used here")]
    Form,
    /// Sealed to somebody else.
    #[error("it is not sealed to this key")]
    Key,
    /// Changed on its way.
    #[error("it was changed or cut off after it was sealed")]
    Changed,
    /// Opens to too much.
    #[error("it opens to more than {} MiB", MOST_BYTES >> 20)]
    Size,
}

/// A secret key to open with, as text: `AGE-SECRET-KEY-1…`.
pub type Secret = Zeroizing<String>;

/// A new secret key, and the recipient to whom things are sealed for it.
pub fn generate() -> (Secret, String) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    (Zeroizing::new(identity.to_string().expose_secret().to_owned()), recipient)
}

/// Seals bytes to a recipient.
///
/// # Errors
/// If the recipient is not one.
pub fn seal(recipient: &str, bytes: &[u8]) -> Result<Vec<u8>, Failed> {
    let recipient = x25519::Recipient::from_str(recipient).map_err(|_| Failed::Recipient)?;
    age::encrypt(&recipient, bytes).map_err(|_| Failed::Recipient)
}

/// Opens sealed bytes.
///
/// # Errors
/// If the key is none or another's, or the bytes are not as they were sealed.
pub fn open(secret: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let identity = x25519::Identity::from_str(secret).map_err(|_| Failed::Identity)?;
    let decryptor = age::Decryptor::new(sealed).map_err(|_| Failed::Form)?;
    if decryptor.is_scrypt() {
        return Err(Failed::Form);
    }
    let reader =
        decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => Failed::Key,
            age::DecryptError::InvalidMac | age::DecryptError::DecryptionFailed => Failed::Changed,
            _ => Failed::Form,
        })?;
    all(reader)
}

/// Everything that a reader of an age file gives.
pub(crate) fn all(reader: impl Read) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|_| Failed::Changed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_BYTES) {
        Ok(bytes)
    } else {
        Err(Failed::Size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_recipient_alone_and_unchanged() {
        let (secret, recipient) = generate();
        let sealed = seal(&recipient, b"the hall, by name").expect("sealed");
        assert_eq!(open(&secret, &sealed).expect("opened").as_slice(), b"the hall, by name");
        assert_eq!(open(&generate().0, &sealed).expect_err("not theirs"), Failed::Key);
        assert_eq!(seal("age1nobody", b""), Err(Failed::Recipient));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&secret, &changed).is_err(), "changed at {at}");
            assert!(open(&secret, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
