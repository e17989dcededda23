//! What a desk and its readers get: tokens that tell what was chosen and nothing else, refusals that name the check, and
//! free text held against the plan.

#![expect(clippy::format_push_string, reason = "tests: clearer, and never slow")]

mod files;
mod interop;
mod rejected;
mod shape;
mod support;
mod texts;
mod tokens;
mod vectors;
