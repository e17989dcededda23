//! Reads what a command works on: the report file and the tables that it names. The one place that knows how.

use crate::failure::Interrupted;
use crate::watch::Watch;
use anyhow::{Context, Result, bail};
use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tearline_model::candidates::Candidates;
use tearline_model::parse::{self, limits};
use tearline_model::report::Report;
use tearline_model::worlds::Worlds;
use tearline_population::{Kind, Options, Progress};

/// A report, with the file that it was read from.
pub(crate) struct Loaded {
    pub(crate) report: Report,
    /// The bytes of the file, of which certificates hold the digest.
    pub(crate) file: Vec<u8>,
}

/// The tables of a report, per population.
pub(crate) struct Tables {
    pub(crate) candidates: Vec<Candidates>,
    /// Empty where they were not asked for.
    pub(crate) worlds: Vec<Worlds>,
}

/// Reads and checks a report file.
pub(crate) fn report(path: &Path) -> Result<Loaded> {
    let failed = || format!("the report {} cannot be read", path.display());
    let file = File::open(path).with_context(failed)?;
    let metadata = file.metadata().with_context(failed)?;
    if metadata.is_dir() {
        bail!("{} is a folder, and a report file was expected", path.display());
    }
    // A pipe has no length; the limit on what is read holds for it too.
    let most = u64::try_from(limits::FILE_BYTES).unwrap_or(u64::MAX);
    if metadata.len() > most {
        bail!(
            "{} has {} bytes, more than the {most} allowed for a report. Put populations and domains into tables \
             of their own.",
            path.display(),
            metadata.len()
        );
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).with_context(failed)?;
    let report = parse::parse(&bytes, &path.display().to_string())?;
    Ok(Loaded { report, file: bytes })
}

/// Reads the candidates of every population of a report; paths in it are relative to the report file.
pub(crate) fn tables(report: &Report, path: &Path, watch: &mut Watch) -> Result<Vec<Candidates>> {
    each(report, path, watch, tearline_population::candidates)
}

/// Reads what the candidates of every population could have reported, and nothing that depends on the report's own
/// values.
pub(crate) fn worlds(report: &Report, path: &Path, watch: &mut Watch) -> Result<Vec<Worlds>> {
    each(report, path, watch, tearline_population::worlds)
}

/// Checks that every population's table is there and that its engine takes all expressions, without reading all of it.
pub(crate) fn check(report: &Report, path: &Path, watch: &mut Watch) -> Result<()> {
    each(report, path, watch, tearline_population::check).map(drop)
}

/// Reads the candidates, and the worlds where they are asked for, from one reading of each table.
pub(crate) fn both(report: &Report, path: &Path, with_worlds: bool, watch: &mut Watch) -> Result<Tables> {
    if !with_worlds {
        return Ok(Tables { candidates: tables(report, path, watch)?, worlds: Vec::new() });
    }
    let both = each(report, path, watch, tearline_population::candidates_and_worlds)?;
    let (candidates, worlds) = both.into_iter().unzip();
    Ok(Tables { candidates, worlds })
}

fn each<T>(
    report: &Report,
    path: &Path,
    watch: &mut Watch,
    read: impl Fn(&Report, usize, &Options<'_>) -> Result<T, tearline_population::Error>,
) -> Result<Vec<T>> {
    let base = path.parent().unwrap_or(Path::new(""));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cancel = watch.cancel();
    let watch = RefCell::new(watch);
    let mut tables = Vec::new();
    for (index, population) in report.populations.iter().enumerate() {
        let progress = |progress: Progress| watch.borrow_mut().reading(&population.id, &progress);
        let options = Options { base, progress: &progress, cancel: &cancel, threads };
        let table = read(report, index, &options);
        watch.borrow_mut().clear();
        match table {
            Ok(table) => tables.push(table),
            Err(error) if error.kind == Kind::Cancelled => return Err(Interrupted.into()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(tables)
}
