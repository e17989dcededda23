//! Answers as plain text, for people without training.

mod audience;
pub(crate) mod certificate;
pub(crate) mod check;
mod leaves;
pub(crate) mod orders;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod text;
pub(crate) mod verify;
pub(crate) mod what_if;
