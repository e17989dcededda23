//! The transparency log as mathematics on bytes: trees, tiles, notes, checkpoints, cosignatures, proofs.
//!
//! Nothing here opens a file, reads a clock or draws a random number, and nothing here knows what an entry means. The
//! forms are those of C2SP (signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness, tlog-tiles, tlog-proof) on
//! the tree of RFC 6962 (RFC 9162 has the same), and RFC 9942 for receipts in COSE. `docs/formats/log.md` is the
//! normative page.
//!
//! From the bottom up: [`hash`] and [`merkle`] are the tree; [`tile`] is how it lies in files, [`edge`] how those files
//! grow; [`note`], [`checkpoint`] and [`cosignature`] are what is signed; [`witness`] is what a partner checks before
//! it cosigns; [`proof`] and [`cose`] are what is handed out for one entry.

pub mod checkpoint;
pub mod cose;
pub mod cosignature;
pub mod edge;
pub mod hash;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod tile;
pub mod witness;
