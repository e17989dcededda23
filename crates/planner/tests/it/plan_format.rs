//! The JSON form of plans is what its schema says, no more and no less.

use crate::chance::Chance;
use crate::reports::{random_report, random_tables};
use serde_json::Value;
use std::collections::BTreeSet;
use tearline_planner::plan::Plan;
use tearline_planner::planning::{Options, plan_nominal};
use tearline_planner::search::Limits;

const SCHEMA: &str = include_str!("../../../../docs/formats/plan.schema.json");

#[test]
fn plans_of_random_reports_follow_the_schema_and_read_back() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let mut chance = Chance(5);
    let mut used = BTreeSet::new();
    for case in 0..60 {
        let report = random_report(&mut chance);
        let tables = random_tables(&mut chance, &report);
        let options = Options { limits: Limits { nodes: u64::MAX, threads: 1 }, ..Options::default() };
        let plan = plan_nominal(&report, &tables, &options, &mut |_| true).plan;
        let json = serde_json::to_value(&plan).expect("plain data");
        if let Err(why) = follows(&json, &schema, &schema, "", &mut used) {
            panic!("case {case}: {why}");
        }
        assert_eq!(serde_json::from_value::<Plan>(json).expect("its own form"), plan);
    }
    // The reports are varied enough to reach both outcomes and what comes with them.
    for needed in ["/$defs/release", "/$defs/no-safe-plan", "/$defs/next", "/$defs/pair", "/$defs/rule"] {
        assert!(used.contains(needed), "no plan had a {needed}");
    }
}

#[test]
fn the_schema_refuses_what_is_no_plan() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let good = serde_json::json!({
        "tearline-plan": 1, "report": "r", "mode": "nominal", "mode_reason": "", "assumptions": [],
        "sets": [{"source": 1, "population": "staff"}], "audiences": []
    });
    let refused = |value: &Value| follows(value, &schema, &schema, "", &mut BTreeSet::new()).is_err();
    assert!(!refused(&good));
    for (field, value) in [
        ("mode", "bold".into()),
        ("tearline-plan", 2.into()),
        ("sets", serde_json::json!([{"source": 0, "population": "staff"}])),
        ("assumptions", serde_json::json!([1])),
        ("unknown", 1.into()),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(refused(&bad), "{field}");
    }
}

/// As much of JSON Schema as this schema uses. Anything else in it is an error.
fn follows(
    value: &Value,
    schema: &Value,
    root: &Value,
    at: &str,
    used: &mut BTreeSet<String>,
) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{at}: {what}"));
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        match keyword.as_str() {
            "$ref" => {
                let path = rule.as_str().expect("a reference").trim_start_matches('#');
                used.insert(path.to_owned());
                follows(value, root.pointer(path).expect("it is defined"), root, at, used)?;
            }
            "oneOf" => {
                let choices = rule.as_array().expect("a list");
                let fitting = |choice: &&Value| follows(value, choice, root, at, &mut used.clone()).is_ok();
                let fits: Vec<&Value> = choices.iter().filter(fitting).collect();
                let [one] = fits[..] else { return wrong(&format!("{} choices fit", fits.len())) };
                follows(value, one, root, at, used)?;
            }
            "const" if value != rule => return wrong("another constant"),
            "enum" if !rule.as_array().expect("a list").contains(value) => return wrong("none of the words"),
            "type" => {
                let fits = match rule.as_str().expect("a type") {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64(),
                    "number" => value.is_number(),
                    other => panic!("unknown type {other}"),
                };
                if !fits {
                    return wrong("another type");
                }
            }
            "minimum" if value.as_f64() < rule.as_f64() => return wrong("too small"),
            "maximum" if value.as_f64() > rule.as_f64() => return wrong("too large"),
            // What is said for readers, and bounds that are kept.
            "$schema" | "$defs" | "title" | "description" | "const" | "enum" | "minimum" | "maximum" => {}
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    follows(item, rule, root, &format!("{at}/{place}"), used)?;
                }
            }
            "required" => {
                for field in rule.as_array().expect("a list") {
                    if value.get(field.as_str().expect("a name")).is_none() {
                        return wrong(&format!("{field} is missing"));
                    }
                }
            }
            "properties" => {
                for (field, schema) in rule.as_object().expect("an object") {
                    if let Some(part) = value.get(field) {
                        follows(part, schema, root, &format!("{at}/{field}"), used)?;
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                let known = schema["properties"].as_object().expect("an object");
                for field in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
                    if !known.contains_key(field) {
                        return wrong(&format!("{field} is unknown"));
                    }
                }
            }
            other => panic!("unknown keyword {other}"),
        }
    }
    Ok(())
}
