//! The desk's private records: one `SQLite` file that never leaves the desk.
//!
//! It holds what opens the log's entries, the tokens with all their disclosures, what each audience has been told, and
//! who is known. A record is written before its entry goes into the log, and marked once the entry is durable, so that
//! no entry is ever without its opening; what was never logged was never given out, and is swept away at the next
//! start.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// The version of the tables; see [`Desk::open`].
const SCHEMA: i64 = 1;

/// How long one writer waits for another.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why the desk's records cannot be used.
#[derive(Debug, Error)]
pub enum Failed {
    /// There is none.
    #[error("there is no desk in {0}. Make one with `tearline desk new`")]
    None(String),
    /// There is one already.
    #[error("there is a desk in {0} already")]
    Exists(String),
    /// Made by a newer program.
    #[error(
        "the desk's records are of version {0}, and this program knows version {SCHEMA}. Use a newer program"
    )]
    Version(i64),
    /// The database says no.
    #[error("the desk's records cannot be used: {0}")]
    Database(String),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        let text = match &error {
            rusqlite::Error::SqliteFailure(code, message) => {
                message.clone().unwrap_or_else(|| code.to_string())
            }
            other => other.to_string(),
        };
        Self::Database(text)
    }
}

/// The records of one desk.
#[derive(Debug)]
pub struct Desk {
    connection: Connection,
}

/// One act, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number in the order of writing.
    pub id: i64,
    /// Kind of the entry, in the words of its JSON form.
    pub kind: String,
    /// The report that it concerns; empty for keys.
    pub report: String,
    /// The audience that it concerns; empty where none.
    pub audience: String,
    /// Digest by which statements refer to it, base64url.
    pub digest: String,
    /// When it was logged by the desk's clock, in seconds since 1970.
    pub time: u64,
    /// The blind of its entry.
    pub blind: [u8; 32],
    /// What the entry commits to.
    pub payload: Vec<u8>,
    /// Everything else that the desk keeps of it: JSON.
    pub about: String,
    /// Its place in the log; absent while it is not durable there.
    pub place: Option<u64>,
}

/// A record to be written.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// As in [`Record`].
    pub kind: &'a str,
    /// As in [`Record`].
    pub report: &'a str,
    /// As in [`Record`].
    pub audience: &'a str,
    /// As in [`Record`].
    pub digest: &'a str,
    /// As in [`Record`].
    pub time: u64,
    /// As in [`Record`].
    pub blind: [u8; 32],
    /// As in [`Record`].
    pub payload: &'a [u8],
    /// As in [`Record`].
    pub about: &'a str,
    /// Levels that the audience will have been told once this is durable: detail and level.
    pub told: &'a [(String, u8)],
}

/// A party that the desk knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its name.
    pub name: String,
    /// Its public keys: JSON.
    pub keys: String,
    /// Whether it may approve waivers and exceptions.
    pub senior: bool,
}

impl Desk {
    /// Makes the records of a new desk.
    ///
    /// # Errors
    /// If there is a desk, or the file cannot be made.
    pub fn create(file: &Path, keys: &str) -> Result<Self, Failed> {
        if file.exists() {
            return Err(Failed::Exists(place(file)));
        }
        let mut desk = Self::connect(file)?;
        let transaction = desk.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(TABLES)?;
        transaction.execute("INSERT INTO desk (only, keys, last) VALUES (1, ?1, 0)", [keys])?;
        transaction.pragma_update(None, "user_version", SCHEMA)?;
        transaction.commit()?;
        Ok(desk)
    }

    /// Opens the records of a desk.
    ///
    /// # Errors
    /// If there is none, it is of a newer version, or cannot be read.
    pub fn open(file: &Path) -> Result<Self, Failed> {
        if !file.exists() {
            return Err(Failed::None(place(file)));
        }
        let desk = Self::connect(file)?;
        match desk.connection.pragma_query_value(None, "user_version", |row| row.get(0))? {
            SCHEMA => Ok(desk),
            version => Err(Failed::Version(version)),
        }
    }

    fn connect(file: &Path) -> Result<Self, Failed> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An act that was acknowledged survives a loss of power, not only of the process.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(Self { connection })
    }

    /// The desk's own public keys: JSON.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn keys(&self) -> Result<String, Failed> {
        Ok(self.connection.query_row("SELECT keys FROM desk", [], |row| row.get(0))?)
    }

    /// Puts other public keys in the place of the desk's own.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn set_keys(&self, keys: &str) -> Result<(), Failed> {
        self.connection.execute("UPDATE desk SET keys = ?1", [keys])?;
        Ok(())
    }

    /// A time to sign: the clock's, or the last one signed where the clock was set back. The second says whether it
    /// was.
    ///
    /// # Errors
    /// If the records cannot be used.
    pub fn time(&mut self, clock: u64) -> Result<(u64, bool), Failed> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last: i64 = transaction.query_row("SELECT last FROM desk", [], |row| row.get(0))?;
        let last = u64::try_from(last).unwrap_or(0);
        let time = clock.max(last);
        transaction.execute("UPDATE desk SET last = ?1", [signed(time)])?;
        transaction.commit()?;
        Ok((time, clock < last))
    }

    /// Remembers a party, or puts its newer keys in the place of the old.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn know(&self, party: &Party) -> Result<(), Failed> {
        self.connection.execute(
            "INSERT INTO party (name, keys, senior) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET keys = excluded.keys, senior = excluded.senior",
            params![party.name, party.keys, party.senior],
        )?;
        Ok(())
    }

    /// Everybody whom the desk knows, by name.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn parties(&self) -> Result<Vec<Party>, Failed> {
        let mut statement = self.connection.prepare("SELECT name, keys, senior FROM party ORDER BY name")?;
        let rows = statement
            .query_map([], |row| Ok(Party { name: row.get(0)?, keys: row.get(1)?, senior: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Writes records before their entries go into the log. Returns their numbers.
    ///
    /// # Errors
    /// If they cannot be written; then none is.
    pub fn prepare(&mut self, records: &[New<'_>]) -> Result<Vec<i64>, Failed> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut ids = Vec::new();
        for new in records {
            transaction.execute(
                "INSERT INTO record (kind, report, audience, digest, time, blind, payload, about)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    new.kind,
                    new.report,
                    new.audience,
                    new.digest,
                    signed(new.time),
                    new.blind,
                    new.payload,
                    new.about
                ],
            )?;
            let id = transaction.last_insert_rowid();
            for (detail, level) in new.told {
                transaction.execute(
                    "INSERT INTO told (record, detail, level) VALUES (?1, ?2, ?3)",
                    params![id, detail, level],
                )?;
            }
            ids.push(id);
        }
        transaction.commit()?;
        Ok(ids)
    }

    /// Marks records whose entries are durable in the log: number and place.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn place(&mut self, places: &[(i64, u64)]) -> Result<(), Failed> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (id, place) in places {
            transaction.execute("UPDATE record SET place = ?2 WHERE id = ?1", params![id, signed(*place)])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Records that are not marked as durable: their entries may or may not be in the log.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn unplaced(&self) -> Result<Vec<Record>, Failed> {
        self.select("place IS NULL", &[])
    }

    /// Removes records whose entries never came into the log.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn sweep(&mut self, ids: &[i64]) -> Result<(), Failed> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for id in ids {
            transaction.execute(
                "DELETE FROM told WHERE record IN (SELECT id FROM record WHERE id = ?1 AND place IS NULL)",
                [id],
            )?;
            transaction.execute("DELETE FROM record WHERE id = ?1 AND place IS NULL", [id])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// All durable records of a report, in their order; of everything where the report is empty.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn records(&self, report: &str) -> Result<Vec<Record>, Failed> {
        if report.is_empty() {
            self.select("place IS NOT NULL", &[])
        } else {
            self.select("place IS NOT NULL AND report = ?1", &[report])
        }
    }

    /// All durable records of a kind, in their order.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn of_kind(&self, kind: &str) -> Result<Vec<Record>, Failed> {
        self.select("place IS NOT NULL AND kind = ?1", &[kind])
    }

    /// The durable record with a digest.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn by_digest(&self, digest: &str) -> Result<Option<Record>, Failed> {
        Ok(self.select("place IS NOT NULL AND digest = ?1", &[digest])?.pop())
    }

    /// The disclosure ledger of a report: audience, detail, the highest level ever released to it. Levels on their way
    /// into the log count too: who cannot tell whether something was said assumes that it was.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn ledger(&self, report: &str) -> Result<Vec<(String, String, u8)>, Failed> {
        let mut statement = self.connection.prepare(
            "SELECT record.audience, told.detail, max(told.level) FROM told JOIN record ON record.id = told.record
             WHERE record.report = ?1 GROUP BY record.audience, told.detail ORDER BY 1, 2",
        )?;
        let rows = statement.query_map([report], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Something kept under a name: tokens, keys to deliveries, the checkpoints that recipients have seen.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, Failed> {
        let row =
            self.connection.query_row("SELECT bytes FROM kept WHERE name = ?1", [name], |row| row.get(0));
        Ok(row.optional()?)
    }

    /// Keeps something under a name, in the place of what was there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), Failed> {
        self.connection.execute(
            "INSERT INTO kept (name, bytes) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes",
            params![name, bytes],
        )?;
        Ok(())
    }

    fn select(&self, which: &str, values: &[&str]) -> Result<Vec<Record>, Failed> {
        let mut statement = self.connection.prepare(&format!(
            "SELECT id, kind, report, audience, digest, time, blind, payload, about, place FROM record
             WHERE {which} ORDER BY id"
        ))?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            Ok(Record {
                id: row.get(0)?,
                kind: row.get(1)?,
                report: row.get(2)?,
                audience: row.get(3)?,
                digest: row.get(4)?,
                time: row.get::<_, i64>(5)?.cast_unsigned(),
                blind: row.get(6)?,
                payload: row.get(7)?,
                about: row.get(8)?,
                place: row.get::<_, Option<i64>>(9)?.map(i64::cast_unsigned),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

const TABLES: &str = "
CREATE TABLE desk (only INTEGER PRIMARY KEY CHECK (only = 1), keys TEXT NOT NULL, last INTEGER NOT NULL) STRICT;
CREATE TABLE party (name TEXT PRIMARY KEY, keys TEXT NOT NULL, senior INTEGER NOT NULL) STRICT;
CREATE TABLE record (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  report TEXT NOT NULL,
  audience TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  time INTEGER NOT NULL,
  blind BLOB NOT NULL,
  payload BLOB NOT NULL,
  about TEXT NOT NULL,
  place INTEGER UNIQUE
) STRICT;
CREATE INDEX record_by_report ON record (report, audience, id);
CREATE TABLE told (
  record INTEGER NOT NULL REFERENCES record (id),
  detail TEXT NOT NULL,
  level INTEGER NOT NULL,
  PRIMARY KEY (record, detail)
) STRICT, WITHOUT ROWID;
CREATE TABLE kept (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";

/// `SQLite` has signed integers; sizes of logs and times stay far below half of them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn place(file: &Path) -> String {
    file.parent().unwrap_or(file).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new<'a>(digest: &'a str, told: &'a [(String, u8)]) -> New<'a> {
        New {
            kind: "release",
            report: "r",
            audience: "public",
            digest,
            time: 5,
            blind: [1; 32],
            payload: b"payload",
            about: "{}",
            told,
        }
    }

    #[test]
    fn what_was_prepared_counts_as_told_until_it_is_known_never_to_have_been_logged() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("desk.db");
        assert!(matches!(Desk::open(&file), Err(Failed::None(_))));
        let mut desk = Desk::create(&file, "{}").expect("made");
        assert!(matches!(Desk::create(&file, "{}"), Err(Failed::Exists(_))));
        let told = [("when".to_owned(), 2), ("where".to_owned(), 1)];
        let first = desk.prepare(&[new("a", &told)]).expect("written")[0];
        let more = [("when".to_owned(), 3)];
        let second = desk.prepare(&[new("b", &more)]).expect("written")[0];
        drop(desk);
        let mut desk = Desk::open(&file).expect("opened");
        assert_eq!(desk.records("r").expect("read"), []);
        assert_eq!(desk.unplaced().expect("read").len(), 2);
        desk.place(&[(first, 8)]).expect("marked");
        let whole =
            |level| vec![("public".into(), "when".into(), level), ("public".into(), "where".into(), 1)];
        assert_eq!(desk.ledger("r").expect("read"), whole(3));
        desk.sweep(&[second, first]).expect("swept");
        assert_eq!(desk.ledger("r").expect("read"), whole(2), "what is in the log stays");
        assert_eq!(desk.by_digest("a").expect("read").and_then(|record| record.place), Some(8));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_set_back_what_is_signed() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut desk = Desk::create(&folder.path().join("desk.db"), "{}").expect("made");
        assert_eq!(desk.time(100).expect("a time"), (100, false));
        assert_eq!(desk.time(90).expect("a time"), (100, true));
        assert_eq!(desk.time(101).expect("a time"), (101, false));
    }
}
