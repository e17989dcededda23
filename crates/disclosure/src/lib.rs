//! What is signed: tokens with selective disclosure, statements, evidence, and the check of free text.

pub mod bytes;
pub mod entry;
pub mod files;
pub mod identity;
pub mod keys;
pub mod sdjwt;
pub mod statement;
pub mod text_check;
pub mod token;
pub mod verify;
