//! Which of our crates may use which: `ARCHITECTURE.md` draws the edges, and this holds the manifests to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Every crate, and which of ours it may name. Tests may name no more than the crate itself.
const ALLOWED: &[(&str, &[&str])] = &[
    ("tearline-model", &[]),
    ("tearline-planner", &["tearline-model"]),
    ("tearline-population", &["tearline-model"]),
    ("tearline-log", &[]),
    ("tearline-disclosure", &["tearline-log", "tearline-model"]),
    ("tearline-store", &["tearline-log"]),
    (
        "tearline",
        &[
            "tearline-disclosure",
            "tearline-log",
            "tearline-model",
            "tearline-planner",
            "tearline-population",
            "tearline-store",
        ],
    ),
];

/// Crates that do no I/O. Their `clippy.toml` says what that means.
const PURE: &[&str] = &["disclosure", "log", "model", "planner"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    read(&path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Name and manifest of every member of the workspace.
fn members() -> BTreeMap<String, Table> {
    let workspace = manifest(&root());
    let folders = workspace["workspace"]["members"].as_array().expect("the workspace lists its members");
    folders
        .iter()
        .map(|folder| {
            let manifest = manifest(&root().join(folder.as_str().expect("a member is a path")));
            (manifest["package"]["name"].as_str().expect("a package has a name").to_owned(), manifest)
        })
        .collect()
}

/// The packages that a manifest names, for whatever purpose and target.
fn named(manifest: &Table) -> BTreeSet<String> {
    let mut sections: Vec<&Table> = vec![manifest];
    if let Some(Value::Table(targets)) = manifest.get("target") {
        sections.extend(targets.values().filter_map(Value::as_table));
    }
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables =
        sections.iter().flat_map(|section| kinds.iter().filter_map(|kind| section.get(*kind)?.as_table()));
    tables
        .flatten()
        .map(|(name, dependency)| {
            let renamed = dependency.get("package").and_then(Value::as_str);
            renamed.unwrap_or(name).to_owned()
        })
        .collect()
}

#[test]
fn our_crates_use_each_other_only_as_drawn() {
    let members = members();
    let listed: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    let present: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(present, listed, "a new crate needs a place in ARCHITECTURE.md and in this list");
    for (name, allowed) in ALLOWED {
        let used = named(&members[*name]);
        let ours: BTreeSet<&str> =
            used.iter().map(String::as_str).filter(|used| listed.contains(used)).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(ours, allowed, "what {name} uses of ours");
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for (name, manifest) in members() {
        let inherits =
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        assert_eq!(inherits, Some(true), "{name}: [lints] workspace = true");
    }
}

#[test]
fn pure_crates_ban_the_same_things() {
    let bans: Vec<String> =
        PURE.iter().map(|folder| read(&root().join("crates").join(folder).join("clippy.toml"))).collect();
    assert!(bans[0].contains("std::fs::File") && bans[0].contains("std::time::Instant::now"));
    for (folder, ban) in PURE.iter().zip(&bans) {
        assert_eq!(*ban, bans[0], "crates/{folder}/clippy.toml differs from that of crates/{}", PURE[0]);
    }
}
