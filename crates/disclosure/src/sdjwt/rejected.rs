//! Why a token was refused: the check that failed, where, and what that means for who reads it.

use std::fmt;

/// The checks of a token, in about the order in which they are made. The sections are those of RFC 9901 unless
/// another one is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Within the limits of [`super::limits`].
    Size,
    /// Parts joined by `~`, in the order of section 4; a JWT of three parts (RFC 7515, 7.1).
    Form,
    /// Base64url without padding, spaces or leftover bits (RFC 7515, 2; RFC 4648, 3.5).
    Base64,
    /// JSON (RFC 8259) in UTF-8, and an object or array where one is asked for.
    Json,
    /// No name twice in an object (RFC 7515, 4; RFC 7519, 4).
    DuplicateName,
    /// Nested no deeper than [`super::limits::DEPTH`].
    Depth,
    /// The algorithm that the caller fixed, `EdDSA`; never what the token asks for (7.1, step 2.1).
    Algorithm,
    /// The type that the caller fixed (9.11; RFC 8725, 3.11).
    Type,
    /// No header extension that must be understood (RFC 7515, 4.1.11).
    Critical,
    /// The header names the key that the caller fixed.
    Key,
    /// The signature (7.1, step 2.2).
    Signature,
    /// `_sd_alg` is `sha-256` or absent, and at the top level only (4.1.1; 7.1, step 2.5).
    HashAlgorithm,
    /// `_sd` is an array of strings, and `...` stands alone in an array element with a string (4.2.4).
    DigestForm,
    /// No digest stands twice, disclosed or not (7.1, step 4).
    RepeatedDigest,
    /// A disclosure is an array of three (or two, in an array), salt and name strings (7.1, steps 3.3.2.1, 3.3.3.1).
    DisclosureForm,
    /// No disclosure is named `_sd`, `...` or `_sd_alg` (7.1, step 3.3.2.2).
    ReservedName,
    /// A disclosed name is new at its level (7.1, step 3.3.2.3).
    ExistingClaim,
    /// No disclosure comes twice (4).
    RepeatedDisclosure,
    /// Every disclosure is referred to by a digest (7.1, step 5).
    UnreferencedDisclosure,
    /// `exp`, `nbf` and `iat` allow the time of reading (7.1, step 6; RFC 7519, 4.1).
    Validity,
    /// `aud` names the reader (7.1, step 6; RFC 7519, 4.1.3).
    Audience,
    /// A key binding is there exactly where the reader asks for one (7.3, steps 1 and 2).
    KeyBindingPresence,
    /// The token names the holder's key (4.1.2).
    HolderKey,
    /// The key binding was made for this reader and this occasion: `aud`, `nonce` (7.3, step 5.6).
    Replay,
    /// The key binding was made lately: `iat` (7.3, step 5.5).
    Freshness,
    /// The key binding is over what is presented: `sd_hash` (7.3, step 5.7).
    Binding,
    /// The claims of a Tearline token: all that belong there, and no others.
    Claims,
    /// The shape of a Tearline token: a fixed number of sorted digests, one per level.
    Shape,
    /// The value of a level of a Tearline token.
    Value,
}

impl Check {
    /// Its name, for programs: lower case, words joined by `-`. Never changes.
    pub fn name(self) -> &'static str {
        self.texts().0
    }

    /// What was expected and not found; a sentence without its full stop.
    pub fn expectation(self) -> &'static str {
        self.texts().1
    }

    /// What the failure means for who reads the token; one sentence.
    pub fn meaning(self) -> &'static str {
        self.texts().2
    }

    fn texts(self) -> (&'static str, &'static str, &'static str) {
        const DAMAGED: &str = "The file is damaged or was never whole: ask the sender for it again.";
        const NOT_SIGNED: &str = "Nothing in it can be attributed to the sender.";
        const ISSUER: &str = "Whoever signed it does not keep to the standard; two readers could see different \
                              things in it.";
        const ALTERED: &str = "Somebody added to it or changed it after it was signed: trust none of it.";
        const NOT_OURS: &str = "It is signed, but it is not a release of Tearline as its format says.";
        match self {
            Self::Size => ("size", "a token within the limits of size", DAMAGED),
            Self::Form => ("form", "a signed part and disclosures, each followed by `~`", DAMAGED),
            Self::Base64 => ("base64", "base64url without padding or stray characters", DAMAGED),
            Self::Json => ("json", "well-formed JSON", DAMAGED),
            Self::DuplicateName => ("duplicate-name", "every name at most once in an object", ISSUER),
            Self::Depth => ("depth", "JSON within the limit of nesting", ISSUER),
            Self::Algorithm => ("algorithm", "the signature algorithm EdDSA", NOT_SIGNED),
            Self::Type => {
                ("type", "a token of the type that belongs here", "It was signed to say something else.")
            }
            Self::Critical => {
                ("critical", "no header extension", "It asks for a rule that this program does not know.")
            }
            Self::Key => (
                "key",
                "the identifier of the key given",
                "Another key signed it: find out whose before you rely on it.",
            ),
            Self::Signature => ("signature", "a signature that fits the key and the content", NOT_SIGNED),
            Self::HashAlgorithm => ("hash-algorithm", "digests by sha-256", ISSUER),
            Self::DigestForm => ("digest-form", "digests as an array of strings", ISSUER),
            Self::RepeatedDigest => ("repeated-digest", "every digest once", ISSUER),
            Self::DisclosureForm => ("disclosure-form", "a salt, a name and a value", ISSUER),
            Self::ReservedName => ("reserved-name", "a name that the standard does not reserve", ISSUER),
            Self::ExistingClaim => ("existing-claim", "a name that is new at its level", ISSUER),
            Self::RepeatedDisclosure => ("repeated-disclosure", "every disclosure once", ALTERED),
            Self::UnreferencedDisclosure => {
                ("unreferenced-disclosure", "only disclosures that the signature covers", ALTERED)
            }
            Self::Validity => {
                ("validity", "a token that is valid at this time", "It was not meant to be relied on now.")
            }
            Self::Audience => ("audience", "a token for this reader", "It was made for somebody else."),
            Self::KeyBindingPresence => (
                "key-binding-presence",
                "a key binding exactly where one is asked for",
                "It cannot be told that the holder itself presents it.",
            ),
            Self::HolderKey => {
                ("holder-key", "the holder's key in the token", "It cannot be told who may present it.")
            }
            Self::Replay => (
                "replay",
                "a key binding for this reader and occasion",
                "It was presented elsewhere and copied.",
            ),
            Self::Freshness => {
                ("freshness", "a key binding made lately", "It is an old presentation, or a copy of one.")
            }
            Self::Binding => ("binding", "a key binding over what is presented", ALTERED),
            Self::Claims => ("claims", "the claims of a Tearline token and no others", NOT_OURS),
            Self::Shape => ("shape", "a fixed number of sorted digests, one for each level", NOT_OURS),
            Self::Value => ("value", "a level's words and its typed value", NOT_OURS),
        }
    }
}

/// Where a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The token as a whole.
    Whole,
    /// The header of the signed part.
    Header,
    /// The payload of the signed part.
    Payload,
    /// A disclosure, counted from 1 in the order presented.
    Disclosure(usize),
    /// The key binding.
    KeyBinding,
}

/// A refusal. It names the check and the place, never the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What failed.
    pub check: Check,
    /// Where.
    pub place: Place,
}

impl Rejected {
    /// The failure of `check` at `place`.
    pub fn new(check: Check, place: Place) -> Self {
        Self { check, place }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "check \"{}\" failed ", self.check.name())?;
        match self.place {
            Place::Whole => out.write_str("on the token")?,
            Place::Header => out.write_str("on the signed header")?,
            Place::Payload => out.write_str("on the signed content")?,
            Place::Disclosure(number) => write!(out, "on disclosure {number}")?,
            Place::KeyBinding => out.write_str("on the key binding")?,
        }
        write!(out, ": expected {}. {}", self.check.expectation(), self.check.meaning())
    }
}

impl std::error::Error for Rejected {}
