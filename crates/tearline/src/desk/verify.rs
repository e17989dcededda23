//! `tearline verify`: what files say, and every check by name. Needs no network and no state.

use super::files;
use crate::args::VerifyArgs;
use crate::failure::Ending;
use crate::output;
use crate::render::text::Look;
use crate::render::verify as render;
use anyhow::{Result, bail};
use serde::Serialize;
use std::path::{Path, PathBuf};
use tearline_disclosure::files::{File, KeyChange, ReleaseFile};
use tearline_disclosure::verify::{self, AnswerView, CaseView, Checks, Relation, ReleaseView, Trust};

/// One file with what was found of it.
pub(crate) enum Found {
    Release(Box<ReleaseFile>, Box<ReleaseView>),
    Answer(Box<AnswerView>),
    Case(Box<CaseView>),
}

/// Everything that was found.
pub(crate) struct Findings {
    pub(crate) files: Vec<(PathBuf, Found)>,
    /// Of the releases among the files, in their order, then of those in the inbox.
    pub(crate) relations: Vec<Relation>,
    pub(crate) standing: Vec<bool>,
    pub(crate) together: Checks,
    /// Names of the releases, in the order in which `relations` counts them.
    pub(crate) names: Vec<String>,
}

impl Findings {
    /// Whether no check failed.
    pub(crate) fn passed(&self) -> bool {
        let files = self.files.iter().all(|(_, found)| match found {
            Found::Release(_, view) => view.checks.none_failed(),
            Found::Answer(view) => view.checks.none_failed(),
            Found::Case(view) => view.none_failed(),
        });
        files && self.together.none_failed()
    }
}

/// Runs the subcommand.
pub(crate) fn run(args: &VerifyArgs, look: Look) -> Result<Ending> {
    let keys = args.keys.iter().map(|path| files::public(path)).collect::<Result<Vec<_>>>()?;
    let trust = Trust { keys, own: args.own.clone() };
    let given = args.files.iter().map(|path| files::file(path)).collect::<Result<Vec<_>>>()?;
    let inbox =
        args.inbox.as_deref().map(|folder| inbox(folder, &args.files)).transpose()?.unwrap_or_default();
    let changes = changes(&given, &inbox);
    let mut found = Vec::new();
    for (path, file) in args.files.iter().zip(given) {
        let file = match file {
            File::Release(mut file) => {
                file.keys = of_issuer(&changes, &file.issuer.name);
                let view = verify::release(&file, &trust);
                Found::Release(Box::new(file), Box::new(view))
            }
            File::Answer(file) => {
                let view = verify::answer(&file, None, &trust);
                Found::Answer(Box::new(view))
            }
            File::Case(mut file) => {
                file.keys = of_issuer(&changes, &file.issuer.name);
                Found::Case(Box::new(verify::case(&file, &trust)))
            }
            other => bail!(
                "{} is {}, which is not verified by itself: `tearline open` or `tearline accept` does it",
                path.display(),
                other.kind()
            ),
        };
        found.push((path.clone(), file));
    }
    let beside: Vec<(String, ReleaseFile, ReleaseView)> = inbox
        .into_iter()
        .map(|(name, mut file)| {
            file.keys = of_issuer(&changes, &file.issuer.name);
            let view = verify::release(&file, &trust);
            (name, file, view)
        })
        .filter(|(_, _, view)| view.checks.none_failed())
        .collect();
    let mut names = Vec::new();
    let mut releases: Vec<(&ReleaseFile, &ReleaseView)> = Vec::new();
    for (path, of) in &found {
        if let Found::Release(file, view) = of {
            names.push(path.display().to_string());
            releases.push((file, view));
        }
    }
    for (name, file, view) in &beside {
        names.push(name.clone());
        releases.push((file, view));
    }
    let views: Vec<&ReleaseView> = releases.iter().map(|(_, view)| *view).collect();
    let proofs: Vec<_> = releases.iter().map(|(file, _)| file.consistency.as_ref()).collect();
    let (relations, standing, together) = verify::relations(&views, &proofs);
    let findings = Findings { files: found, relations, standing, together, names };
    let text = if args.json { output::json(&Json::of(&findings)) } else { render::findings(&findings, look) };
    output::to_stdout(&text)?;
    Ok(if findings.passed() { Ending::Done } else { Ending::No })
}

/// The changes of keys that all files together know, by the party's name: what one file says of a key helps to read
/// another that is older.
fn changes(given: &[File], inbox: &[(String, ReleaseFile)]) -> Vec<(String, KeyChange)> {
    let mut all: Vec<(String, KeyChange)> = Vec::new();
    let releases = inbox.iter().map(|(_, file)| (&file.issuer.name, &file.keys));
    let files = given.iter().filter_map(|file| match file {
        File::Release(file) => Some((&file.issuer.name, &file.keys)),
        File::Case(file) => Some((&file.issuer.name, &file.keys)),
        _ => None,
    });
    for (name, keys) in files.chain(releases) {
        for change in keys {
            if !all.iter().any(|(_, other)| other.statement == change.statement) {
                all.push((name.clone(), change.clone()));
            }
        }
    }
    all
}

fn of_issuer(changes: &[(String, KeyChange)], name: &str) -> Vec<KeyChange> {
    changes.iter().filter(|(of, _)| of == name).map(|(_, change)| change.clone()).collect()
}

/// Every release in a folder that is not among the files given.
pub(super) fn inbox(folder: &Path, given: &[PathBuf]) -> Result<Vec<(String, ReleaseFile)>> {
    let same = |path: &Path| {
        given.iter().any(|other| std::fs::canonicalize(other).ok() == std::fs::canonicalize(path).ok())
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json") && !same(path))
        .collect();
    paths.sort();
    let mut releases = Vec::new();
    for path in paths {
        // Whatever else lies in the folder is not the reader's question.
        if let Ok(File::Release(file)) = files::file(&path) {
            releases.push((path.display().to_string(), file));
        }
    }
    Ok(releases)
}

#[derive(Serialize)]
struct Json<'a> {
    #[serde(rename = "tearline-verify")]
    version: u32,
    passed: bool,
    files: Vec<FileJson<'a>>,
    together: &'a Checks,
    relations: &'a [Relation],
}

#[derive(Serialize)]
struct FileJson<'a> {
    file: String,
    kind: &'static str,
    passed: bool,
    checks: Vec<&'a Checks>,
    /// What was said, where every check of it holds.
    releases: Vec<render::Said>,
    findings: Vec<render::FindingSaid>,
}

impl<'a> Json<'a> {
    fn of(findings: &'a Findings) -> Self {
        let file = |(path, found): &'a (PathBuf, Found)| {
            let file = path.display().to_string();
            match found {
                Found::Release(_, view) => FileJson {
                    file,
                    kind: "release",
                    passed: view.checks.none_failed(),
                    checks: vec![&view.checks],
                    releases: render::Said::of(view).into_iter().collect(),
                    findings: Vec::new(),
                },
                Found::Answer(view) => FileJson {
                    file,
                    kind: "answer",
                    passed: view.checks.none_failed(),
                    checks: vec![&view.checks],
                    releases: Vec::new(),
                    findings: render::FindingSaid::of(view).into_iter().collect(),
                },
                Found::Case(case) => FileJson {
                    file,
                    kind: "evidence",
                    passed: case.none_failed(),
                    checks: case.releases.iter().map(|view| &view.checks).chain([&case.checks]).collect(),
                    releases: case.releases.iter().filter_map(render::Said::of).collect(),
                    findings: case
                        .findings
                        .iter()
                        .filter_map(|(view, _)| render::FindingSaid::of(view))
                        .collect(),
                },
            }
        };
        Self {
            version: 1,
            passed: findings.passed(),
            files: findings.files.iter().map(file).collect(),
            together: &findings.together,
            relations: &findings.relations,
        }
    }
}

/// Verifies a release before something is done with it: nothing may fail.
pub(super) fn sound(path: &Path, trust: &Trust) -> Result<(ReleaseFile, ReleaseView)> {
    let File::Release(file) = files::file(path)? else {
        bail!("{} is not a release", path.display());
    };
    let view = verify::release(&file, trust);
    if let Some(failed) = view.checks.failed() {
        bail!("{} does not hold: {}: {}", path.display(), failed.name, failed.what);
    }
    Ok((file, view))
}
