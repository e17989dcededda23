//! Where a Parquet table lies: one file, or a folder of files.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Fault, Kind};

/// The files of a table, as they were when it was opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files {
    path: PathBuf,
    folder: bool,
    stamps: Vec<(PathBuf, u64, Option<SystemTime>)>,
}

impl Files {
    pub(super) fn find(path: &Path) -> Result<Self, Fault> {
        let path = path.canonicalize().map_err(|error| missing(&error))?;
        let metadata = path.metadata().map_err(|error| missing(&error))?;
        let mut files = Self { path: path.clone(), folder: metadata.is_dir(), stamps: Vec::new() };
        files.stamp(path, &metadata).map_err(|error| missing(&error))?;
        files.stamps.sort();
        if files.stamps.is_empty() {
            return Err(Fault::new(
                Kind::Empty,
                "the folder holds no file that ends in .parquet",
                "Name the file, or the folder that holds the table's files.",
            ));
        }
        Ok(files)
    }

    fn stamp(&mut self, path: PathBuf, metadata: &Metadata) -> std::io::Result<()> {
        if metadata.is_dir() {
            for entry in path.read_dir()? {
                let path = entry?.path();
                self.stamp(path.clone(), &path.metadata()?)?;
            }
        } else if !self.folder || path.extension().is_some_and(|extension| extension == "parquet") {
            self.stamps.push((path, metadata.len(), metadata.modified().ok()));
        }
        Ok(())
    }

    pub(super) fn check_unchanged(&self) -> Result<(), Fault> {
        if Self::find(&self.path).is_ok_and(|now| now == *self) {
            return Ok(());
        }
        Err(Fault::new(
            Kind::Changed,
            "the file changed while it was read",
            "Wait until it is written, or read a copy.",
        ))
    }

    /// The table as a URL: unlike in a path, no character of it stands for others.
    pub(super) fn url(&self) -> Result<String, Fault> {
        let path = self.path.to_str().ok_or_else(|| {
            Fault::new(Kind::Unreadable, "the path is not UTF-8", "Rename the file or its folder.")
        })?;
        let mut url = String::from("file://");
        for byte in path.bytes() {
            if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
                url.push(char::from(byte));
            } else {
                write!(url, "%{byte:02X}").expect("a string takes any text");
            }
        }
        if self.folder {
            url.push('/');
        }
        Ok(url)
    }

    /// How the names of the table's files end.
    pub(super) fn extension(&self) -> &'static str {
        if self.folder { ".parquet" } else { "" }
    }
}

fn missing(error: &std::io::Error) -> Fault {
    let kind = if error.kind() == std::io::ErrorKind::NotFound { Kind::Missing } else { Kind::Unreadable };
    Fault::new(kind, format!("cannot be read: {error}"), "Paths are relative to the report file.")
}
