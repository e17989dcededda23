//! What a desk and its readers get: tokens that tell what was chosen and nothing else, refusals that name the check, and
//! free text held against the plan.

#![expect(clippy::format_push_string, reason = "tests: clearer, and never slow")]

#[path = "../../../../fuzz/src/disclosure.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets, which are another package")]
mod bodies;
mod files;
mod interop;
mod mutations;
mod rejected;
mod shape;
mod support;
mod texts;
mod tokens;
mod vectors;
