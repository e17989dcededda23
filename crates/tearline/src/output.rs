//! What leaves the process: all of standard output at once, and files that are whole or not there.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// Writes the whole answer to standard output. A reader that closed the pipe has seen enough: no error.
pub(crate) fn to_stdout(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("the answer cannot be written to standard output"),
    }
}

/// Writes to standard error. There is nowhere left to report a failure to.
pub(crate) fn to_stderr(text: &str) {
    let mut out = io::stderr().lock();
    let _unreported = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Plain data as JSON, with a line end.
pub(crate) fn json(data: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(data).expect("plain data with text keys");
    text.push('\n');
    text
}

/// Writes a file that is either whole or as it was before: to a temporary file beside it, then renamed.
pub(crate) fn to_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("{}: there is no folder {}", failed(), folder.display());
    }
    let mut new = tempfile::Builder::new();
    // Readable to whom the user's umask lets, like any other file that a command writes.
    #[cfg(unix)]
    new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = new.prefix(".tearline-").tempfile_in(folder).with_context(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).with_context(failed)?;
    file.persist(path).map_err(|error| error.error).with_context(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("plan.json");
        to_file(&path, b"long before").expect("written");
        to_file(&path, b"now").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("there"), b"now");
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
        let error = to_file(&folder.path().join("no/such/place"), b"").expect_err("no such folder");
        assert!(
            error.to_string().contains("no/such/place cannot be written: there is no folder "),
            "{error}"
        );
    }
}
