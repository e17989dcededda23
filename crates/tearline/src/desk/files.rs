//! Files that come and go: reading them whole and bounded, writing them whole or not at all, and secrets.

use crate::args::PassphraseArgs;
use crate::output;
use crate::render::text::instant;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::fs::{self, File as OsFile};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tearline_disclosure::files::{File, MOST_BYTES};
use tearline_disclosure::identity::PublicKeys;
use tearline_store::keys::SecretKeys;
use zeroize::Zeroizing;

/// The whole of a file, if it is not larger than any that Tearline writes.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let failed = || format!("{} cannot be read", path.display());
    let file = OsFile::open(path).with_context(failed)?;
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).with_context(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        bail!(
            "{} is larger than {} MiB: it is no file that Tearline writes",
            path.display(),
            MOST_BYTES >> 20
        );
    }
    Ok(bytes)
}

/// One of the files that parties send each other.
pub(super) fn file(path: &Path) -> Result<File> {
    File::read(&bytes(path)?).with_context(|| format!("{} cannot be used", path.display()))
}

/// Public keys that were handed over.
pub(super) fn public(path: &Path) -> Result<PublicKeys> {
    PublicKeys::read(&bytes(path)?).with_context(|| format!("{} cannot be used", path.display()))
}

/// Writes data as JSON into a file, whole or not at all.
pub(super) fn write(path: &Path, data: &impl Serialize) -> Result<()> {
    output::to_file(path, output::json(data).as_bytes())
}

/// Writes a secret into a new file that nobody else can read.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(failed)
}

/// Opens a key file.
pub(super) fn secret(key: &Path, args: &PassphraseArgs) -> Result<SecretKeys> {
    let file = bytes(key)?;
    let passphrase = passphrase(args, &format!("Passphrase of {}", key.display()))?;
    SecretKeys::open(&file, &passphrase).with_context(|| format!("{} cannot be opened", key.display()))
}

/// The passphrase: from a file, or asked for.
pub(super) fn passphrase(args: &PassphraseArgs, prompt: &str) -> Result<Zeroizing<String>> {
    if let Some(path) = &args.passphrase_file {
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text = text.with_context(|| format!("the passphrase file {} cannot be read", path.display()))?;
        return Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()));
    }
    rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new).context(
        "the passphrase cannot be asked for here. Give the name of a file that holds it with --passphrase-file",
    )
}

/// The clock, in seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A time for people, in UTC, to the second.
pub(super) fn time(seconds: u64) -> String {
    instant(seconds, "%Y-%m-%d %H:%M:%S UTC")
}
