//! The desk's book: its private records and its log together, so that neither is ever without the other.

use super::files;
use crate::output;
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tearline_disclosure::bytes::{Bytes, Digest};
use tearline_disclosure::entry::{Kind, Opening, padding};
use tearline_disclosure::files::{KeyChange, Logged};
use tearline_disclosure::identity::PublicKeys;
use tearline_log::checkpoint::SignedCheckpoint;
use tearline_log::note::{KeyKind, Signer, VerifierKey};
use tearline_store::desk::{Desk, New, Record};
use tearline_store::keys::{SecretKeys, random};
use tearline_store::log_folder::LogFolder;
use tearline_store::log_folder::reader::Reader;

/// Every act adds this many entries or a multiple, the rest of them padding: how many there were does not show.
const ENTRIES: usize = 8;

/// Where the newest cosigned checkpoint is kept: every new entry makes one without cosignatures.
const COSIGNED: &str = "cosigned";

/// A desk that is written to.
pub(super) struct Book {
    pub(super) desk: Desk,
    log: LogFolder,
}

/// The log's public folder within a desk.
pub(super) fn log_dir(desk: &Path) -> PathBuf {
    desk.join("log")
}

/// The private records within a desk.
fn records_file(desk: &Path) -> PathBuf {
    desk.join("desk.db")
}

/// Opens a desk's private records.
pub(super) fn records(desk: &Path) -> Result<Desk> {
    Ok(Desk::open(&records_file(desk))?)
}

/// What signs the log's checkpoints.
pub(super) fn signer(keys: &SecretKeys) -> Result<Signer> {
    Ok(Signer::new(&format!("{}/log", keys.name()), KeyKind::Log, keys.log())?)
}

impl Book {
    /// Makes a desk.
    pub(super) fn create(folder: &Path, keys: &SecretKeys, public: &str) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let log = match LogFolder::create(&log_dir(folder), signer(keys)?) {
            // A desk whose making was cut off before its records were there.
            Err(_) if !records_file(folder).exists() && log_dir(folder).exists() => {
                LogFolder::open(&log_dir(folder), signer(keys)?)?
            }
            made => made?,
        };
        let desk = Desk::create(&records_file(folder), public)?;
        Ok(Self { desk, log })
    }

    /// Opens a desk with its key, and finishes what a crash left unfinished.
    pub(super) fn open(folder: &Path, keys: &SecretKeys) -> Result<Self> {
        let desk = records(folder)?;
        let own = PublicKeys::read(desk.keys()?.as_bytes())?;
        if own.name != keys.name() {
            anyhow::bail!("the key is that of {}, and the desk is that of {}", keys.name(), own.name);
        }
        let log = LogFolder::open(&log_dir(folder), signer(keys)?)?;
        let mut book = Self { desk, log };
        book.recover()?;
        Ok(book)
    }

    /// Records that were prepared and not marked: their entries are in the log, or never were and were never given
    /// out.
    fn recover(&mut self) -> Result<()> {
        let unplaced = self.desk.unplaced()?;
        if unplaced.is_empty() {
            return Ok(());
        }
        let checkpoint = self.log.checkpoint().clone();
        let reader = self.log.reader();
        // Whatever was prepared by the process that ended is among the last entries: acts are never interleaved.
        let most = u64::try_from(unplaced.len().div_ceil(ENTRIES) * ENTRIES).unwrap_or(u64::MAX);
        let first = checkpoint.size().saturating_sub(most);
        let last = reader.entries(&checkpoint, first, checkpoint.size() - first)?;
        let (mut found, mut never) = (Vec::new(), Vec::new());
        for record in &unplaced {
            let entry = opening(record)?.entry(&record.payload);
            match last.iter().position(|other| other[..] == entry) {
                Some(at) => found.push((record.id, first + u64::try_from(at).unwrap_or(0))),
                None => never.push(record.id),
            }
        }
        self.desk.place(&found)?;
        self.desk.sweep(&never)?;
        let text = format!(
            "note: an earlier run was cut off: {} of its records are in the log and were completed, {} never came \
             into it and were removed.\n",
            found.len(),
            never.len()
        );
        output::to_stderr(&text);
        Ok(())
    }

    /// The time to sign: never before the last.
    pub(super) fn time(&mut self) -> Result<u64> {
        let (time, set_back) = self.desk.time(files::now())?;
        if set_back {
            output::to_stderr(&format!(
                "warning: the clock is behind the last signature; {} is signed instead. Set the clock.\n",
                files::time(time)
            ));
        }
        Ok(time)
    }

    /// Records one act: private record first, then the log, then the mark. Returns how it stands in the log.
    #[expect(clippy::too_many_arguments, reason = "they are the columns of the record")]
    pub(super) fn record(
        &mut self,
        kind: Kind,
        report: &str,
        audience: &str,
        payload: &str,
        digest: Digest,
        about: &Value,
        told: &[(String, u8)],
    ) -> Result<Logged> {
        let time = self.time()?;
        let opening = Opening { kind, blind: Bytes(random()?), time };
        let kind = serde_json::to_value(kind)?;
        let new = New {
            kind: kind.as_str().expect("kinds are words"),
            report,
            audience,
            digest: &digest.to_string(),
            time,
            blind: opening.blind.0,
            payload: payload.as_bytes(),
            about: &about.to_string(),
            told,
        };
        let id = self.desk.prepare(&[new])?[0];
        let mut entries = vec![opening.entry(payload.as_bytes()).to_vec()];
        while entries.len() % ENTRIES != 0 {
            entries.push(padding(&random()?).to_vec());
        }
        // Among its padding the act has no fixed place.
        let [at] = random::<1>()?;
        let at = usize::from(at) % ENTRIES;
        entries.swap(0, at);
        let appended = self.log.append(&entries)?;
        let place = appended.first + u64::try_from(at).unwrap_or(0);
        self.desk.place(&[(id, place)])?;
        let (_, proof) = self.log.reader().entry_proof(self.log.checkpoint(), place)?;
        Ok(Logged { entry: opening, proof: proof.to_string() })
    }

    /// Adds a witness's cosignature to the newest checkpoint.
    pub(super) fn cosign(&mut self, note: &str, witness: &VerifierKey) -> Result<Vec<(String, u64)>> {
        let note = tearline_log::note::Note::read(note.as_bytes())?;
        let added = self.log.cosign(&note, std::slice::from_ref(witness))?;
        if !added.is_empty() {
            self.desk.keep(COSIGNED, self.log.checkpoint().to_string().as_bytes())?;
        }
        Ok(added.into_iter().map(|cosignature| (cosignature.witness, cosignature.time)).collect())
    }

    /// How something recorded stands in the newest log.
    pub(super) fn logged(&self, record: &Record) -> Result<Logged> {
        logged(&self.log.reader(), self.log.checkpoint(), record)
    }

    /// Every change of the desk's key.
    pub(super) fn key_changes(&self) -> Result<Vec<KeyChange>> {
        changes(&self.desk, |record| self.logged(record))
    }

    /// The newest checkpoint.
    pub(super) fn checkpoint(&self) -> &SignedCheckpoint {
        self.log.checkpoint()
    }

    /// Reads the log.
    pub(super) fn reader(&self) -> Reader {
        self.log.reader()
    }
}

/// A desk that is only read: no key is needed.
pub(super) struct Shelf {
    pub(super) desk: Desk,
    pub(super) own: PublicKeys,
    pub(super) reader: Reader,
    pub(super) checkpoint: SignedCheckpoint,
}

impl Shelf {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let desk = records(folder)?;
        let own = PublicKeys::read(desk.keys()?.as_bytes())?;
        let reader = Reader::new(&log_dir(folder), own.log.parse()?);
        let checkpoint = reader.checkpoint()?;
        Ok(Self { desk, own, reader, checkpoint })
    }

    pub(super) fn logged(&self, record: &Record) -> Result<Logged> {
        logged(&self.reader, &self.checkpoint, record)
    }

    /// Proves from the newest checkpoint that a witness cosigned, if it covers the entry of this number.
    pub(super) fn prefer_cosigned(&mut self, entry: u64) -> Result<()> {
        if let Some(note) = self.desk.kept(COSIGNED)? {
            let cosigned = SignedCheckpoint::open(&note, &self.own.log.parse()?)?;
            if cosigned.size() > entry {
                self.checkpoint = cosigned;
            }
        }
        Ok(())
    }

    /// Every change of the desk's key.
    pub(super) fn key_changes(&self) -> Result<Vec<KeyChange>> {
        changes(&self.desk, |record| self.logged(record))
    }
}

/// Every change of the desk's key.
fn changes(desk: &Desk, logged: impl Fn(&Record) -> Result<Logged>) -> Result<Vec<KeyChange>> {
    let records = desk.of_kind("key")?;
    let change = |record: &Record| {
        let about: Value = serde_json::from_str(&record.about)?;
        Ok(KeyChange {
            statement: String::from_utf8(record.payload.clone())?,
            countersignature: about["countersignature"].as_str().map(str::to_owned),
            logged: logged(record)?,
        })
    };
    records.iter().map(change).collect()
}

/// The keys of a party that the desk knows, and whether it is a senior.
pub(super) fn party(desk: &Desk, name: &str) -> Result<(PublicKeys, bool)> {
    let party = desk.parties()?.into_iter().find(|party| party.name == name);
    let party =
        party.with_context(|| format!("the desk does not know {name}. Tell it with `tearline desk know`"))?;
    Ok((PublicKeys::read(party.keys.as_bytes())?, party.senior))
}

fn logged(reader: &Reader, checkpoint: &SignedCheckpoint, record: &Record) -> Result<Logged> {
    let place = record.place.context("a record that is not in the log")?;
    let (_, proof) = reader.entry_proof(checkpoint, place)?;
    Ok(Logged { entry: opening(record)?, proof: proof.to_string() })
}

/// What opens a record's entry.
pub(super) fn opening(record: &Record) -> Result<Opening> {
    let kind: Kind = serde_json::from_value(Value::String(record.kind.clone()))
        .with_context(|| format!("record {} is of a kind that this program does not know", record.id))?;
    Ok(Opening { kind, blind: Bytes(record.blind), time: record.time })
}
