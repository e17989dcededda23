//! Certificates: what the planner claims is accepted, and whatever is changed in it is refused by the right check.

use crate::chance::Chance;
use crate::reports::{random_report, random_tables};
use tearline_model::candidates::{Candidates, Groups, Odds};
use tearline_model::parse::parse;
use tearline_model::report::{Diversity, Knowledge, Report, Sql, ToldWhat};
use tearline_model::worlds::{WorldDetail, Worlds};
use tearline_planner::certificate::claim::{Choice, certify};
use tearline_planner::certificate::{AudienceClaim, Certificate, PolicyClaim, ReadError, digest};
use tearline_planner::checker::{Evidence, Name, Verdict, check};
use tearline_planner::plan::Mode;
use tearline_planner::planning::{Options, Planned, plan_nominal};
use tearline_planner::search::Limits;

const REPORT: &str = include_str!("../../../../testdata/certificates/report.toml");
const CERTIFICATE: &str = include_str!("../../../../testdata/certificates/certificate.json");

fn report() -> Report {
    parse(REPORT.as_bytes(), "report.toml").expect("a good report")
}

/// Staff with uncertain knowledge of where, and sites without any doubt.
fn tables() -> Vec<Candidates> {
    let groups = Groups { column: "agency".into(), of: vec![0, 0, 1, 2, u32::MAX, 1], values: 3 };
    let staff = Candidates {
        sure: vec![vec![3, 2, 2, 1, 1, 1], vec![3, 3, 2, 2, 1, 0], vec![1, 2, 1, 0, 1, 0]],
        possible: vec![vec![3, 3, 2, 2, 1, 1], vec![3, 3, 2, 2, 1, 0], vec![1, 2, 1, 0, 1, 0]],
        odds: vec![
            Odds { detail: 0, level: 2, permille: vec![1000, 800, 600, 400, 0, 0] },
            Odds { detail: 0, level: 3, permille: vec![900, 300, 0, 0, 0, 0] },
        ],
        linked: vec![vec![true, true, true, true, true, false]],
        count: vec![3, 5, 6, 7, 9, 20],
        weight: vec![1000, 3000, 1000, 1000, 2000, 1000],
        groups: vec![groups],
        cleared: 2,
    };
    let sites = Candidates {
        sure: vec![vec![2, 1], vec![], vec![1, 0]],
        linked: vec![vec![]],
        count: vec![4, 30],
        weight: vec![1000, 1000],
        ..Candidates::default()
    };
    vec![staff, sites]
}

fn evidence<'a>(report: &'a Report, tables: &'a [Candidates]) -> Evidence<'a> {
    Evidence { report_file: REPORT.as_bytes(), report, candidates: tables, worlds: None, policies: &[] }
}

/// Plans and draws up the certificate.
fn plan(report: &Report, tables: &[Candidates], file: &[u8]) -> Certificate {
    let options = Options { limits: Limits { nodes: u64::MAX, threads: 1 }, ..Options::default() };
    let planned = plan_nominal(report, tables, &options, &mut |_| true);
    certify(file, report, tables, None, Mode::Nominal, &choices(report, &planned))
}

fn choices(report: &Report, planned: &Planned) -> Vec<Choice> {
    let worth = |audience: usize, detail: usize, level: u8| {
        let reached = usize::from(level).checked_sub(1).map(|at| report.details[detail].levels[at].utility.0);
        let importance = u64::from(report.audiences[audience].importance_permille[detail]);
        reached.unwrap_or(0) * importance / 1000
    };
    let audiences = 0..report.audiences.len();
    audiences
        .map(|audience| {
            let levels = planned.levels[audience].clone();
            let utility = levels.iter().enumerate().map(|(d, &level)| worth(audience, d, level)).sum();
            let released = planned.solutions[audience].levels.is_some().then_some(levels);
            Choice { audience, released, bound: utility, optimal: true, ..Choice::default() }
        })
        .collect()
}

fn failed(verdict: &Verdict) -> Vec<Name> {
    verdict.failed().map(|check| check.name).collect()
}

fn said(verdict: &Verdict) -> String {
    verdict.failed().map(|check| format!("{}: {}", check.name, check.says)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_planned_certificate_passes_and_is_written_as_documented() {
    let (report, tables) = (report(), tables());
    let certificate = plan(&report, &tables, REPORT.as_bytes());
    assert_eq!(certificate.write(), CERTIFICATE);
    assert_eq!(Certificate::read(CERTIFICATE.as_bytes()), Ok(certificate.clone()));
    let verdict = check(&evidence(&report, &tables), &certificate);
    assert!(verdict.passed(), "{}", said(&verdict));
    assert_eq!(verdict.checks.len(), 23, "every check is listed");
    let document = include_str!("../../../../docs/formats/certificate.md");
    for check in &verdict.checks {
        assert!(document.contains(&format!("`{}`", check.name)), "{} is not documented", check.name);
    }
    assert!(verdict.unverified[0].contains("optimal, is not verified"));
    let names: Vec<&str> = report.sources.iter().map(|source| source.id.as_str()).collect();
    assert!(names.iter().all(|name| !CERTIFICATE.contains(name)), "no source is named");
}

type Mutation = (&'static str, Name, fn(&mut Certificate));

/// A way to change every field.
const MUTATIONS: &[Mutation] = &[
    ("another version", Name::Form, |c| c.version = 2),
    ("a table too few", Name::Form, |c| drop(c.tables.pop())),
    ("a detail too few", Name::Form, |c| level(&mut c.audiences[0]).truncate(2)),
    ("knowledge of a detail too many", Name::Form, |c| c.audiences[1].knowledge.push(0)),
    ("an audience from nowhere", Name::Form, |c| c.audiences[2].audience = 4),
    ("audience zero", Name::Form, |c| c.audiences[0].audience = 0),
    ("another report's digest", Name::ReportDigest, |c| c.report_sha256.replace_range(0..1, "x")),
    ("another table's digest", Name::TableDigests, |c| c.tables.swap(0, 1)),
    ("worlds that nobody gave", Name::TableDigests, |c| c.tables[0].worlds_sha256 = Some("00".into())),
    ("a mode that needs a policy", Name::Policy, |c| c.mode = Mode::SelectionSafe),
    ("a mode that needs counts", Name::SelectionAware, |c| c.mode = Mode::Audited),
    ("a policy that the mode does not use", Name::Policy, |c| {
        c.audiences[0].policy = Some(PolicyClaim { sha256: "00".into(), output: 0 });
    }),
    ("an audience dropped", Name::Audiences, |c| drop(c.audiences.pop())),
    ("an audience twice", Name::Audiences, |c| c.audiences[1] = c.audiences[0].clone()),
    ("audiences exchanged", Name::Audiences, |c| c.audiences.swap(0, 1)),
    ("a level up", Name::Knowledge, |c| level(&mut c.audiences[1])[0] += 1),
    ("a level that does not exist", Name::Levels, |c| level(&mut c.audiences[1])[2] = 3),
    ("something unsaid", Name::Ledger, |c| level(&mut c.audiences[1])[0] = 0),
    ("less than what it sees", Name::Sees, |c| level(&mut c.audiences[1])[0] = 0),
    ("a release withheld", Name::Utility, |c| c.audiences[1].released = None),
    ("too little to be of use", Name::Minimum, |c| level(&mut c.audiences[0])[0] = 0),
    ("an accomplice forgotten", Name::Coalition, |c| c.audiences[2].coalition = vec![3]),
    ("knowledge understated", Name::Knowledge, |c| c.audiences[1].knowledge[0] = 0),
    ("knowledge overstated", Name::Knowledge, |c| c.audiences[0].knowledge[2] += 1),
    ("a linked fact forgotten", Name::Linked, |c| c.audiences[2].linked.clear()),
    ("a linked fact invented", Name::Linked, |c| c.audiences[1].linked.push(1)),
    ("a utility raised", Name::Utility, |c| c.audiences[0].utility += 1),
    ("a bound below the utility", Name::Utility, |c| c.audiences[0].bound -= 1),
    ("a proof with a gap", Name::Utility, |c| c.audiences[0].bound += 1),
    ("a set dropped", Name::Sets, |c| drop(c.audiences[1].sets.remove(1))),
    ("a set of another source", Name::Sets, |c| c.audiences[1].sets[0].source = 2),
    ("a set of another population", Name::Sets, |c| c.audiences[1].sets[0].population = 2),
    ("k lowered", Name::Rules, |c| c.audiences[1].sets[0].k -= 1),
    ("Γ lowered", Name::Rules, |c| c.audiences[1].sets[0].robust = 0),
    ("the share limit raised", Name::Rules, |c| c.audiences[1].sets[0].share_ppm = Some(300_001)),
    ("the share limit dropped", Name::Rules, |c| c.audiences[1].sets[0].share_ppm = None),
    ("diversity lowered", Name::Rules, |c| c.audiences[1].sets[0].diversity[0].at_least = 1),
    ("diversity dropped", Name::Rules, |c| c.audiences[1].sets[0].diversity.clear()),
    ("another column", Name::Rules, |c| c.audiences[1].sets[0].diversity[0].column = "town".into()),
    ("a count raised", Name::Counts, |c| c.audiences[1].sets[1].candidates += 1),
    ("a share lowered", Name::Shares, |c| c.audiences[1].sets[0].largest_share_ppb -= 2),
    ("an exact share lowered", Name::Shares, |c| c.audiences[1].sets[2].largest_share_ppb -= 2),
    ("more values", Name::Diversity, |c| c.audiences[1].sets[0].diversity[0].values += 1),
    ("more left by selection", Name::SelectionAware, |c| {
        c.audiences[1].sets[0].selection_aware = Some(c.audiences[1].sets[0].candidates + 1);
    }),
    ("less left by selection than there is", Name::SelectionAware, |c| {
        c.audiences[1].sets[0].selection_aware = Some(1);
    }),
];

fn level(claim: &mut AudienceClaim) -> &mut Vec<u8> {
    claim.released.as_mut().expect("it gets a release")
}

#[test]
fn whatever_is_changed_in_a_certificate_is_refused_by_the_check_for_it() {
    let (report, tables) = (report(), tables());
    let good = plan(&report, &tables, REPORT.as_bytes());
    for (what, name, change) in MUTATIONS {
        let mut bad = good.clone();
        change(&mut bad);
        assert_ne!(bad, good, "{what}: changes something");
        let verdict = check(&evidence(&report, &tables), &bad);
        assert!(failed(&verdict).contains(name), "{what}: expected {name}, found {:?}", failed(&verdict));
    }
}

#[test]
fn every_number_of_a_certificate_counts() {
    // Not one field may be changed unnoticed, whichever check notices: this walks the JSON itself.
    let (report, tables) = (report(), tables());
    let json: serde_json::Value = serde_json::from_str(CERTIFICATE).expect("JSON");
    let mut paths = Vec::new();
    numbers(&json, String::new(), &mut paths);
    assert!(paths.len() > 80, "{} numbers", paths.len());
    for path in paths {
        let number = json.pointer(&path).and_then(serde_json::Value::as_u64).expect("a whole number");
        let two_less = number.saturating_sub(2);
        for other in [two_less, number + 2, 0, 255, u64::from(u32::MAX), u64::MAX] {
            if number.abs_diff(other) < 2 {
                continue;
            }
            let mut changed = json.clone();
            *changed.pointer_mut(&path).expect("it was there") = other.into();
            // Levels of a byte, ordinals: some changes are not even a certificate.
            let Ok(bad) = Certificate::read(changed.to_string().as_bytes()) else { continue };
            let verdict = check(&evidence(&report, &tables), &bad);
            // A bound is not verified, only that it contradicts nothing: here it says "optimal", so it does.
            assert!(!verdict.passed(), "{path} changed to {other} passes");
        }
    }
}

fn numbers(value: &serde_json::Value, path: String, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Number(_) => into.push(path),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| numbers(item, format!("{path}/{i}"), into));
        }
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(key, item)| numbers(item, format!("{path}/{key}"), into));
        }
        _ => {}
    }
}

/// Checks the good certificate against other evidence.
fn against(change: impl Fn(&mut Report, &mut Vec<Candidates>)) -> Vec<Name> {
    let (mut report, mut tables) = (report(), tables());
    let certificate = plan(&report, &tables, REPORT.as_bytes());
    change(&mut report, &mut tables);
    failed(&check(&evidence(&report, &tables), &certificate))
}

#[test]
fn a_certificate_does_not_pass_for_another_report_or_other_tables() {
    let ledger = against(|report, _| {
        if let ToldWhat::Level { level, .. } = &mut report.told[0].what {
            *level = 3;
        }
    });
    assert!(ledger.contains(&Name::Ledger), "{ledger:?}");
    let rules = against(|report, _| report.protections[0].k = 9);
    assert!(rules.contains(&Name::Rules), "{rules:?}");
    let column = Diversity { column: Sql("town".into()), at_least: 1 };
    let diversity = against(|report, _| report.protections[0].diversity.push(column.clone()));
    assert!(diversity.contains(&Name::Protections), "a column that no table has: {diversity:?}");
    let truth = against(|report, _| report.details[0].levels.swap(1, 2));
    assert!(truth.contains(&Name::Truthfulness), "{truth:?}");
    let mode = against(|report, _| {
        report.details[1].knowledge[0] = Some(Knowledge::Column(vec![Sql("a".into()), Sql("b".into())]));
    });
    assert_eq!(mode, [Name::Mode], "predicates depend on values");
    let mode = against(|report, _| report.mode = Some(tearline_model::report::Mode::Audited));
    assert_eq!(mode, [Name::Mode], "the report insists on more");
    let sees = against(|report, _| report.audiences[0].sees = vec![1]);
    assert!(sees.contains(&Name::Coalition), "{sees:?}");
    let count = against(|_, tables| tables[0].count[0] += 1);
    assert!(count.contains(&Name::TableDigests) && count.contains(&Name::Counts), "{count:?}");
    assert_eq!(against(|_, tables| tables[0].cleared += 1), [Name::TableDigests]);
    assert_eq!(against(|_, tables| tables[0].sure[1].truncate(5)), [Name::Tables]);
    assert_eq!(against(|_, tables| tables[0].possible[0][0] = 0), [Name::Tables]);
    assert_eq!(against(|_, tables| tables[0].linked[0].clear()), [Name::Tables]);
    assert_eq!(against(|_, tables| tables[0].odds[0].permille[0] = 1001), [Name::Tables]);
    assert_eq!(against(|_, tables| drop(tables.pop())), [Name::Tables]);

    let (report, tables) = (report(), tables());
    let certificate = plan(&report, &tables, REPORT.as_bytes());
    let other = Evidence { report_file: b"tearline = 1", ..evidence(&report, &tables) };
    assert_eq!(failed(&check(&other, &certificate)), [Name::ReportDigest]);
}

#[test]
fn a_planner_that_goes_one_level_too_far_is_caught_whatever_it_claims() {
    // The claims are drawn up anew for the bolder release, so that all of them are true but one: that it is safe.
    let (report, tables) = (report(), tables());
    let options = Options::default();
    let planned = plan_nominal(&report, &tables, &options, &mut |_| true);
    let mut caught = 0;
    for audience in 0..3 {
        for detail in 0..3 {
            let mut bolder = planned.clone();
            bolder.levels[audience][detail] += 1;
            if usize::from(bolder.levels[audience][detail]) > report.details[detail].levels.len() {
                continue;
            }
            // Who sees the public gets at least what it gets.
            for other in 1..3 {
                let least = bolder.levels[0][detail];
                bolder.levels[other][detail] = bolder.levels[other][detail].max(least);
            }
            let choices = choices(&report, &bolder);
            let bad = certify(REPORT.as_bytes(), &report, &tables, None, Mode::Nominal, &choices);
            let verdict = check(&evidence(&report, &tables), &bad);
            assert_eq!(failed(&verdict), [Name::Protections], "audience {audience}, detail {detail}");
            caught += 1;
        }
    }
    assert!(caught > 3, "only {caught} could be raised");
}

#[test]
fn a_digest_does_not_depend_on_the_order_of_classes_or_on_how_groups_are_numbered() {
    let staff = &tables()[0];
    let order = [4, 2, 0, 5, 1, 3];
    let pick = |of: &Vec<u8>| order.iter().map(|&class| of[class]).collect::<Vec<u8>>();
    let mut shuffled = Candidates {
        sure: staff.sure.iter().map(pick).collect(),
        possible: staff.possible.iter().map(pick).collect(),
        odds: staff
            .odds
            .iter()
            .rev()
            .map(|odds| Odds { permille: order.map(|class| odds.permille[class]).to_vec(), ..odds.clone() })
            .collect(),
        linked: vec![order.map(|class| staff.linked[0][class]).to_vec()],
        count: order.map(|class| staff.count[class]).to_vec(),
        weight: order.map(|class| staff.weight[class]).to_vec(),
        groups: vec![Groups { of: vec![u32::MAX, 0, 2, 0, 2, 1], ..staff.groups[0].clone() }],
        cleared: staff.cleared,
    };
    assert_eq!(digest::candidates(staff), digest::candidates(&shuffled));
    // One class written as two is the same table.
    shuffled.count[0] -= 1;
    for levels in shuffled.sure.iter_mut().chain(&mut shuffled.possible) {
        levels.push(levels[0]);
    }
    shuffled.odds.iter_mut().for_each(|odds| odds.permille.push(odds.permille[0]));
    shuffled.linked[0].push(true);
    shuffled.count.push(1);
    shuffled.weight.push(2000);
    shuffled.groups[0].of.push(u32::MAX);
    assert_eq!(digest::candidates(staff), digest::candidates(&shuffled));
    shuffled.groups[0].of[6] = 1;
    assert_ne!(digest::candidates(staff), digest::candidates(&shuffled), "one candidate's group has changed");
}

/// Worlds of six candidates that differ in two details.
fn worlds(order: [usize; 3]) -> Worlds {
    let codes = [[0, 0, 1], [0, 1, u32::MAX]];
    let known = [0b01, 0b10, 0b11];
    Worlds {
        details: vec![
            WorldDetail::Valued {
                codes: codes.iter().map(|level| order.map(|class| level[class]).to_vec()).collect(),
                values: vec![vec!["north".into(), "south".into()], vec!["hill".into(), "lake".into()]],
                report: vec![None, None],
            },
            WorldDetail::Many {
                ancestors: vec![vec![0, 0], vec![0, 1]],
                values: vec![vec!["spring".into()], vec!["march".into(), "may".into()]],
                known: order.map(|class| vec![known[class]]).to_vec(),
                report: vec![Some(0), Some(1)],
            },
            WorldDetail::Fixed(order.map(|class| [2, 1, 0][class]).to_vec()),
        ],
        count: order.map(|class| [1, 2, 3][class]).to_vec(),
        weight: vec![1000; 3],
        groups: Vec::new(),
    }
}

#[test]
fn a_digest_of_worlds_depends_on_neither_order_nor_numbering_nor_the_report() {
    let one = worlds([0, 1, 2]);
    let mut other = worlds([2, 0, 1]);
    let WorldDetail::Many { values, known, report, .. } = &mut other.details[1] else {
        panic!("it is of many values");
    };
    // The months change places.
    values[1].swap(0, 1);
    for bits in known {
        bits[0] = bits[0] >> 1 | (bits[0] & 1) << 1;
    }
    *report = vec![None, None];
    assert_eq!(digest::worlds(&one), digest::worlds(&other));
    let WorldDetail::Fixed(levels) = &mut other.details[2] else { panic!("it is fixed") };
    levels[0] += 1;
    assert_ne!(digest::worlds(&one), digest::worlds(&other));
}

#[test]
fn what_only_claims_to_come_from_a_policy_does_not_pass() {
    let (report, tables) = (report(), tables());
    let all: Vec<Worlds> = (0..2).map(|_| worlds([0, 1, 2])).collect();
    let good = plan(&report, &tables, REPORT.as_bytes());
    let policy = b"not verified".as_slice();
    let claim = PolicyClaim { sha256: digest::bytes(policy), output: 0 };
    let choices: Vec<Choice> = good
        .audiences
        .iter()
        .enumerate()
        .map(|(audience, of)| Choice {
            audience,
            released: of.released.clone(),
            bound: of.bound,
            optimal: of.optimal,
            policy: Some(claim.clone()),
            selection_aware: of.sets.iter().map(|set| Some(set.candidates)).collect(),
        })
        .collect();
    let certificate = certify(REPORT.as_bytes(), &report, &tables, Some(&all), Mode::SelectionSafe, &choices);
    let with = Evidence { worlds: Some(&all), policies: &[policy], ..evidence(&report, &tables) };
    assert_eq!(failed(&check(&with, &certificate)), [Name::Policy]);
    let without = Evidence { policies: &[], ..with };
    assert_eq!(failed(&check(&without, &certificate)), [Name::Policy]);
    let mut broken = all.clone();
    broken[1].weight.clear();
    let broken = Evidence { worlds: Some(&broken), ..with };
    assert_eq!(failed(&check(&broken, &certificate)), [Name::Tables]);
    let mut few = certificate;
    few.audiences[0].sets[0].selection_aware = Some(14);
    let failed = failed(&check(&with, &few));
    assert!(failed.contains(&Name::SelectionAware), "{failed:?}");
}

#[test]
fn files_that_are_no_certificate_are_refused() {
    assert!(matches!(Certificate::read(b"\xff"), Err(ReadError::Malformed(_))));
    assert!(matches!(Certificate::read(b"{}"), Err(ReadError::Malformed(_))));
    let later = CERTIFICATE.replace("\"tearline-certificate\": 1", "\"tearline-certificate\": 2");
    assert_eq!(Certificate::read(later.as_bytes()), Err(ReadError::OtherVersion(2)));
    let more = CERTIFICATE.replacen("\"mode\"", "\"spell\": 1, \"mode\"", 1);
    assert!(matches!(Certificate::read(more.as_bytes()), Err(ReadError::Malformed(_))));
}

#[test]
fn the_planner_and_the_checker_agree_on_random_reports() {
    let mut chance = Chance(11);
    let (mut plans, mut without, mut broken) = (0, 0, 0);
    for case in 0..400 {
        let report = random_report(&mut chance);
        let tables = random_tables(&mut chance, &report);
        let file = format!("report {case}");
        let evidence = Evidence {
            report_file: file.as_bytes(),
            report: &report,
            candidates: &tables,
            worlds: None,
            policies: &[],
        };
        let planned = plan(&report, &tables, file.as_bytes());
        let verdict = check(&evidence, &planned);
        assert!(verdict.passed(), "case {case}: {}", said(&verdict));
        plans += planned.audiences.iter().filter(|claim| claim.released.is_some()).count();
        without += planned.audiences.iter().filter(|claim| claim.released.is_none()).count();

        // Levels that nobody planned: the numbers must still be the same by both arithmetics, and the protections
        // hold by one exactly when they do by the other.
        let tops: Vec<u8> = report
            .details
            .iter()
            .map(|detail| u8::try_from(detail.levels.len()).expect("few levels"))
            .collect();
        let mut choices: Vec<Choice> = Vec::new();
        for audience in 0..report.audiences.len() {
            choices.push(Choice { audience, released: Some(chance.levels(&tops)), ..Choice::default() });
        }
        let drawn = certify(file.as_bytes(), &report, &tables, None, Mode::Nominal, &choices);
        let verdict = check(&evidence, &drawn);
        let failed = failed(&verdict);
        for name in [Name::Coalition, Name::Knowledge, Name::Linked, Name::Sets, Name::Rules, Name::Counts] {
            assert!(!failed.contains(&name), "case {case}: {}", said(&verdict));
        }
        for name in [Name::Shares, Name::Diversity] {
            assert!(!failed.contains(&name), "case {case}: {}", said(&verdict));
        }
        let holds = drawn.audiences.iter().flat_map(|claim| &claim.sets).all(|set| {
            set.candidates >= set.k + set.robust
                && set.share_ppm.is_none_or(|ppm| set.largest_share_ppb <= u64::from(ppm) * 1000)
                && set.diversity.iter().all(|claim| claim.values >= claim.at_least)
        });
        assert_eq!(!failed.contains(&Name::Protections), holds, "case {case}: {}", said(&verdict));
        broken += u32::from(!holds);
    }
    assert!(plans > 200 && without > 50 && broken > 50, "{plans} plans, {without} without, {broken} broken");
}
