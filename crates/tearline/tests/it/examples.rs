//! The examples, planned as their pages say.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name).join("report.toml")
}

fn tearline(arguments: &[&str], report: &Path) -> (Option<i32>, Vec<u8>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tearline"));
    let ran = command.arg(arguments[0]).arg(report).args(&arguments[1..]).output().expect("the command runs");
    (ran.status.code(), ran.stdout)
}

/// Per detail of an audience's release: its name and level.
fn levels(plan: &Value, audience: &str) -> Vec<(String, u64)> {
    let audiences = plan["audiences"].as_array().expect("a list");
    let of = audiences.iter().find(|of| of["id"] == audience).expect("the audience");
    assert_eq!(of["outcome"]["kind"], "release");
    assert_eq!(of["outcome"]["optimal"], true);
    let details = of["outcome"]["details"].as_array().expect("a list");
    let level = |detail: &Value| detail["level"].as_u64().expect("a level");
    details.iter().map(|detail| (detail["id"].as_str().expect("a name").to_owned(), level(detail))).collect()
}

#[test]
fn march_2024_comes_out_as_history_did() {
    let report = example("march-2024");
    let (code, json) = tearline(&["plan", "--json"], &report);
    assert_eq!(code, Some(0));
    let plan: Value = serde_json::from_slice(&json).expect("a plan");
    let public = levels(&plan, "public");
    assert_eq!(levels(&plan, "citizens"), public, "no double standard");
    let partner = levels(&plan, "partner");
    let more: Vec<_> = partner.iter().filter(|level| !public.contains(level)).collect();
    assert_eq!(more, [&("who".to_owned(), 2)], "the public version plus exactly the group's name");

    let folder = tempfile::tempdir().expect("a temporary directory");
    let certificate = folder.path().join("certificate.json");
    let certificate = certificate.to_str().expect("a plain path");
    assert_eq!(tearline(&["plan", "--certificate", certificate], &report).0, Some(0));
    assert_eq!(tearline(&["plan", "--check", certificate], &report).0, Some(0), "the checker agrees");
    let altered = std::fs::read_to_string(certificate).expect("written").replacen("412", "413", 1);
    std::fs::write(certificate, altered).expect("written");
    assert_eq!(
        tearline(&["plan", "--check", certificate], &report).0,
        Some(3),
        "an altered count is refused"
    );
}

#[test]
fn the_sector_warning_is_understood_with_its_table_of_real_organisations() {
    let (code, json) = tearline(&["check", "--count", "--json"], &example("hospital"));
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&json));
}
