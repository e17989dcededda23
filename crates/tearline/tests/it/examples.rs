//! The examples, planned as their pages say.

#[expect(dead_code, reason = "what the example needs as a program of its own")]
#[path = "../../examples/generate_insider.rs"]
mod generate_insider;

use serde_json::Value;
use std::collections::BTreeMap;
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

/// What comes out for an audience.
fn outcome<'a>(plan: &'a Value, audience: &str) -> &'a Value {
    let audiences = plan["audiences"].as_array().expect("a list");
    &audiences.iter().find(|of| of["id"] == audience).expect("the audience")["outcome"]
}

/// Per detail of an audience's release: its name and level. Proven best.
fn levels(plan: &Value, audience: &str) -> Vec<(String, u64)> {
    assert_eq!(outcome(plan, audience)["optimal"], true);
    released(plan, audience)
}

/// Per detail of an audience's release: its name and level.
fn released(plan: &Value, audience: &str) -> Vec<(String, u64)> {
    let of = outcome(plan, audience);
    assert_eq!(of["kind"], "release");
    let details = of["details"].as_array().expect("a list");
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
fn the_victim_warns_its_sector_by_a_policy_and_is_not_recognised() {
    let report = example("hospital");
    let (code, json) = tearline(&["plan", "--json"], &report);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&json));
    let plan: Value = serde_json::from_slice(&json).expect("a plan");
    assert_eq!(plan["mode"], "selection-safe");
    let details =
        |audience: &str| -> BTreeMap<String, u64> { released(&plan, audience).into_iter().collect() };
    let (sector, response) = (details("sector"), details("response"));
    for (audience, needed) in [("sector", 30), ("response", 10)] {
        let levels = details(audience);
        assert!(levels["product"] >= 2, "the product is named");
        assert_eq!(levels["controller"], 2, "the attacker's own address says nothing of the victim");
        assert_eq!(levels["page"], 1, "the page's name holds the victim's code");
        assert!(levels["region"] < 3, "no subdivision is ever named");
        assert!(
            levels["region"] < 2 || levels["product"] + levels["lure"] + levels["week"] < 8,
            "that leaves five"
        );
        let of = outcome(&plan, audience);
        let aware = of["sets"][0]["selection_aware"]["candidates"].as_u64().expect("counted");
        assert!(aware >= needed, "{audience}: {aware} for who knows the planner");
    }
    assert!(response.iter().all(|(detail, level)| *level >= sector[detail]), "the team gets all of it");

    // The same by policies that were published before.
    let folder = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    let (policies, certificate) = (at("policies"), at("certificate.json"));
    assert_eq!(tearline(&["policy", "--output", &policies], &report).0, Some(0));
    let (code, again) =
        tearline(&["plan", "--json", "--policy", &policies, "--certificate", &certificate], &report);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_slice::<Value>(&again).expect("a plan"), plan);
    let check =
        |policies: &str| tearline(&["plan", "--check", &certificate, "--policy", policies], &report).0;
    assert_eq!(check(&policies), Some(0), "the checker agrees");
    let text = std::fs::read_to_string(&certificate).expect("written");
    let aware = text.find("\"selection_aware\": ").expect("counted") + 19;
    std::fs::write(&certificate, format!("{}9{}", &text[..aware], &text[aware..])).expect("written");
    assert_eq!(check(&policies), Some(3), "an altered count is refused");

    // Policies of another table are not used.
    let first =
        std::fs::read_dir(&policies).expect("a folder").next().expect("a file").expect("a file").path();
    let text = std::fs::read_to_string(&first).expect("written");
    std::fs::write(&first, text.replacen("\no ", "\no 1", 1)).expect("written");
    assert_eq!(tearline(&["plan", "--policy", &policies], &report).0, Some(1));
}

#[test]
fn the_insiders_stay_hidden_among_a_million() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let table = folder.path().join("employees.csv");
    generate_insider::write(table.to_str().expect("a plain path"), generate_insider::ROWS).expect("written");
    let report = folder.path().join("report.toml");
    std::fs::copy(example("insider"), &report).expect("copied");
    let (code, json) = tearline(&["plan", "--json"], &report);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&json));
    let plan: Value = serde_json::from_slice(&json).expect("a plan");
    assert_eq!(plan["mode"], "nominal");
    // As the example's page says, from a solver of another kind.
    for (audience, utility, insider, clerk) in
        [("public", 95.9, 2599, 2053), ("operators", 133.5, 479, 406), ("authority", 172.5, 127, 229)]
    {
        let of = outcome(&plan, audience);
        assert_eq!((&of["utility"], &of["optimal"]), (&utility.into(), &true.into()), "{audience}");
        assert_eq!(
            (&of["sets"][0]["candidates"], &of["sets"][1]["candidates"]),
            (&insider.into(), &clerk.into())
        );
    }
}
