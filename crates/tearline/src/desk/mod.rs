//! Commands of releases and proof: they read keys and files, ask the clock and for random bytes, and call.

pub(crate) mod accept;
pub(crate) mod answer;
mod book;
pub(crate) mod determine;
pub(crate) mod evidence;
mod files;
pub(crate) mod keys;
pub(crate) mod log;
mod planned;
pub(crate) mod release;
pub(crate) mod seal;
mod standing;
mod texts;
pub(crate) mod verify;
