//! What is kept: the log on a disk, the keys, and the desk's private records.

pub mod desk;
pub mod keys;
pub mod log_folder;
pub mod seal;
