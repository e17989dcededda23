//! What is kept, tested from outside.

mod log_folder;
