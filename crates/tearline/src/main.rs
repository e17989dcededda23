//! The `tearline` command.
fn main() {}
