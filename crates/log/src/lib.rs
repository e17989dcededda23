//! The transparency log as mathematics on bytes: trees, tiles, notes, checkpoints, cosignatures, proofs.
