//! Signed notes: a text, and lines of signatures by named keys (C2SP signed-note v1.0.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The longest note that is read, in bytes. The standard asks for a limit and names none; Go's has the same.
pub const MAX_NOTE: usize = 1_000_000;

/// The most signature lines that a note may have. The standard asks for at least 16; Go's limit is the same.
pub const MAX_SIGNATURES: usize = 100;

/// What a key is for: the byte before the public key in a verifier key, part of the key's ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Ed25519 over the text of the note: a log's key (type 0x01).
    Log,
    /// Ed25519 over a time and the text: a witness's key (type 0x04, C2SP tlog-cosignature).
    Witness,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// Why a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadKey {
    /// Not of the form of a verifier key.
    #[error(
        "not a verifier key. Expected NAME+8 hexadecimal digits+Base 64, as the log's owner hands it out"
    )]
    Form,
    /// The name is empty or has spaces or a plus.
    #[error("{0:?} cannot name a key: a name is not empty and has no spaces and no '+'")]
    Name(String),
    /// The ID is not that of this name and key.
    #[error(
        "the key's ID does not fit its name and bytes: part of it has been altered. Ask for the key again"
    )]
    Id,
    /// A kind of key that this program does not know.
    #[error("a key of type {0:#04x}. Known are 0x01 (a log's, Ed25519) and 0x04 (a witness's, Ed25519)")]
    Kind(u8),
    /// The bytes are no usable Ed25519 key.
    #[error("the bytes of the key are no Ed25519 key, or one that would verify anything")]
    Point,
}

/// Whether something can be a key's name: not empty, no Unicode spaces, no plus, no control characters.
///
/// # Errors
/// If not.
pub fn check_name(name: &str) -> Result<(), BadKey> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control()) {
        return Err(BadKey::Name(name.to_owned()));
    }
    Ok(())
}

/// The key ID: the first four bytes of SHA-256(name || 0x0A || kind || public key).
fn key_id(name: &str, kind: KeyKind, key: &VerifyingKey) -> u32 {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind.byte()])
        .chain_update(key.as_bytes())
        .finalize();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// A public key with its name: what a reader must have to verify a note.
///
/// Written and read as `NAME+ID+Base64(kind || public key)`, the form of Go's `sumdb/note`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: u32,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Names a key.
    ///
    /// # Errors
    /// If nothing can have that name, or the key is weak.
    pub fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Result<Self, BadKey> {
        check_name(name)?;
        if key.is_weak() {
            return Err(BadKey::Point);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, kind, &key), kind, key })
    }

    /// Its name: a log's origin, or a witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its ID.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it is for.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The Ed25519 key itself.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether a signature line claims to be this key's.
    pub fn is_of(&self, signature: &Signature) -> bool {
        self.id == signature.id && self.name == signature.name
    }
}

impl FromStr for VerifierKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) =
            (parts.next().unwrap_or_default(), parts.next(), parts.next().ok_or(BadKey::Form)?);
        let id = id.filter(|id| id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        let id = u32::from_str_radix(id.ok_or(BadKey::Form)?, 16).map_err(|_| BadKey::Form)?;
        let bytes = STANDARD.decode(key).map_err(|_| BadKey::Form)?;
        let (&kind, key) = bytes.split_first().ok_or(BadKey::Form)?;
        let kind = match kind {
            0x01 => KeyKind::Log,
            0x04 => KeyKind::Witness,
            other => return Err(BadKey::Kind(other)),
        };
        let key: &[u8; 32] = key.try_into().map_err(|_| BadKey::Form)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| BadKey::Point)?;
        let verifier = Self::new(name, kind, key)?;
        if verifier.id == id { Ok(verifier) } else { Err(BadKey::Id) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}

/// A secret key with its name: what signs notes. Its `Debug` form shows the public half only.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// Names a secret key.
    ///
    /// # Errors
    /// If nothing can have that name.
    pub fn new(name: &str, kind: KeyKind, key: SigningKey) -> Result<Self, BadKey> {
        let verifier = VerifierKey::new(name, kind, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The Ed25519 signature of some bytes.
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// A signature line's content with this key's name and ID.
    pub(crate) fn line(&self, bytes: Vec<u8>) -> Signature {
        Signature { name: self.verifier.name.clone(), id: self.verifier.id, bytes }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// One signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The key's ID.
    pub id: u32,
    /// The signature: for a log's key 64 bytes, for a witness's 8 bytes of time and 64.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Signature {
    /// The line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl FromStr for Signature {
    type Err = BadNote;

    fn from_str(line: &str) -> Result<Self, BadNote> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(BadNote::Line)?;
        let (name, blob) = rest.split_once(' ').ok_or(BadNote::Line)?;
        check_name(name).map_err(|_| BadNote::Line)?;
        let bytes = STANDARD.decode(blob).map_err(|_| BadNote::Line)?;
        let (id, bytes) = bytes.split_first_chunk::<4>().ok_or(BadNote::Line)?;
        if bytes.is_empty() {
            return Err(BadNote::Line);
        }
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }
}

/// Why a note is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadNote {
    /// Longer than [`MAX_NOTE`].
    #[error("a note of {0} bytes, and the longest that is read has {MAX_NOTE}")]
    TooLong(usize),
    /// Not UTF-8, or with control characters.
    #[error("not a note: it must be UTF-8 text without control characters other than newlines")]
    NotText,
    /// No empty line between text and signatures, or no signatures.
    #[error("not a signed note: expected a text, an empty line, and lines of signatures")]
    Form,
    /// A signature line is malformed.
    #[error("a signature line is malformed. Expected an em dash, a key's name and Base 64")]
    Line,
    /// More than [`MAX_SIGNATURES`].
    #[error("more than {MAX_SIGNATURES} signatures")]
    TooMany,
    /// No signature of the key asked for.
    #[error(
        "no signature by {0}. If the log has a new key, get it from its owner; if not, this is somebody else's"
    )]
    NoSignature(String),
    /// A signature of the key asked for that does not verify.
    #[error("the signature by {0} does not verify: the text has been altered, or somebody else signed it")]
    BadSignature(String),
}

/// A note as it was read: nothing in it is trusted before a signature has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Signs a text, which ends in a newline.
    ///
    /// # Panics
    /// If the text is not one that a note can have: our callers make it, they do not get it from outside.
    pub fn sign(text: &str, signer: &Signer) -> Self {
        assert!(text.ends_with('\n') && is_plain(text), "the text of a note is plain and ends in a newline");
        let signature = signer.line(signer.sign_bytes(text.as_bytes()).to_vec());
        Self { text: text.to_owned(), signatures: vec![signature] }
    }

    /// Reads a note. No signature is verified.
    ///
    /// # Errors
    /// If it is not of the form.
    pub fn read(bytes: &[u8]) -> Result<Self, BadNote> {
        if bytes.len() > MAX_NOTE {
            return Err(BadNote::TooLong(bytes.len()));
        }
        let whole = str::from_utf8(bytes).map_err(|_| BadNote::NotText)?;
        if !is_plain(whole) {
            return Err(BadNote::NotText);
        }
        let middle = whole.rfind("\n\n").ok_or(BadNote::Form)?;
        let (text, lines) = (&whole[..=middle], &whole[middle + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(BadNote::Form)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(BadNote::TooMany);
            }
            signatures.push(line.parse()?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The text, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Whether a log's key signed the text. Signatures of other keys are ignored.
    ///
    /// # Errors
    /// If it has none, or one that does not verify.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), BadNote> {
        let mut seen = false;
        for signature in self.signatures.iter().filter(|signature| key.is_of(signature)) {
            verify_bytes(key, self.text.as_bytes(), &signature.bytes)?;
            seen = true;
        }
        if seen && key.kind == KeyKind::Log { Ok(()) } else { Err(BadNote::NoSignature(key.name.clone())) }
    }

    /// Adds a signature line; one by the same key is replaced.
    pub fn add(&mut self, signature: Signature) {
        self.signatures.retain(|other| (other.id, &other.name) != (signature.id, &signature.name));
        self.signatures.push(signature);
    }
}

/// Whether `bytes` is the Ed25519 signature of `message` by this key.
pub(crate) fn verify_bytes(key: &VerifierKey, message: &[u8], bytes: &[u8]) -> Result<(), BadNote> {
    let bad = || BadNote::BadSignature(key.name.clone());
    let bytes: &[u8; 64] = bytes.try_into().map_err(|_| bad())?;
    let signature = ed25519_dalek::Signature::from_bytes(bytes);
    key.key.verify_strict(message, &signature).map_err(|_| bad())
}

/// Whether a note may consist of this: no ASCII control characters other than newline.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\n' || byte >= 0x20)
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
