//! Plans read off policies: the checker, which shares nothing with what builds policies, agrees with them; and it
//! refuses policies that are anything less.

use crate::chance::Chance;
use crate::reports::random_report;
use std::sync::atomic::AtomicBool;
use tearline_model::candidates::{Candidates, Groups};
use tearline_model::report::{Cell, Domain, Knowledge, Report, Sql, ToldWhat};
use tearline_model::worlds::{WorldDetail, Worlds};
use tearline_planner::certificate::claim::{certify, choices};
use tearline_planner::certificate::{Certificate, digest};
use tearline_planner::checker::{Evidence, Name, Verdict, check};
use tearline_planner::plan::Mode;
use tearline_planner::planning::{
    Chain, Failure, Options, Planned, candidates_of, plan_selection_safe, policies,
};
use tearline_planner::policy::{NotPossible, Policy};
use tearline_planner::search::Limits;

const FILE: &[u8] = b"the report";

/// A report whose details depend on values in every way, and its worlds: class 0 is the one who knows it all.
struct Case {
    report: Report,
    worlds: Vec<Worlds>,
    /// Per population.
    tables: Vec<Candidates>,
}

fn text(level: usize, code: u64) -> String {
    format!("{level}/{code}")
}

fn codes(levels: usize, exact: u64) -> Vec<u64> {
    (1..=levels).map(|level| exact >> (levels - level)).collect()
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("small")
}

/// How a detail with this many levels looks among `rows` candidates, the first of whom has the value `own`.
fn world(chance: &mut Chance, kind: &Knowledge, levels: usize, own: u64, rows: usize) -> WorldDetail {
    let number = 1_u64 << levels;
    let top = u64::try_from(levels).expect("few");
    let values: Vec<Vec<String>> =
        (1..=levels).map(|level| (0..1 << level).map(|code| text(level, code)).collect()).collect();
    let report: Vec<Option<u32>> = codes(levels, own).into_iter().map(|code| Some(small(code))).collect();
    match kind {
        Knowledge::Fixed(_) | Knowledge::Opaque { .. } => {
            let known =
                |row| if row == 0 { top } else { chance.in_range(0, top).max(chance.in_range(0, top)) };
            WorldDetail::Fixed(
                (0..rows).map(known).map(|level| u8::try_from(level).expect("small")).collect(),
            )
        }
        Knowledge::Column(_) => {
            let mut of: Vec<Vec<u32>> = vec![Vec::new(); levels];
            for row in 0..rows {
                let exact = if row == 0 || chance.once_in(3) { own } else { chance.skewed(number) };
                let end = if row > 0 && chance.once_in(8) { chance.index(top) } else { levels };
                for (level, code) in codes(levels, exact).into_iter().enumerate() {
                    of[level].push(if level < end { small(code) } else { u32::MAX });
                }
            }
            WorldDetail::Valued { codes: of, values, report }
        }
        Knowledge::Domain { .. } => {
            let ancestors: Vec<Vec<u32>> =
                (0..number).map(|exact| codes(levels, exact).into_iter().map(small).collect()).collect();
            let known = |row| {
                let more = chance.below(1 << number) & chance.below(1 << number);
                vec![more | if row == 0 || chance.once_in(3) { 1 << own } else { 0 }]
            };
            WorldDetail::Many { ancestors, values, known: (0..rows).map(known).collect(), report }
        }
    }
}

fn knowledge(chance: &mut Chance, levels: usize) -> Knowledge {
    let sql = vec![Sql("asked elsewhere".into()); levels];
    match chance.below(8) {
        0..4 => Knowledge::Column(sql),
        4 => Knowledge::Domain { predicates: sql, domain: Domain::Listed(vec![vec![Cell::Null; levels]]) },
        5 => Knowledge::Opaque {
            predicates: sql,
            policy_level: u8::try_from(chance.in_range(0, levels as u64)).expect("small"),
        },
        _ => Knowledge::Fixed(sql),
    }
}

fn case(chance: &mut Chance) -> Case {
    let mut report = random_report(chance);
    report.told.retain(|told| matches!(told.what, ToldWhat::Level { .. }));
    let own: Vec<u64> = report.details.iter().map(|detail| chance.below(1 << detail.levels.len())).collect();
    let mixed = chance.once_in(4);
    for detail in &mut report.details {
        let one = knowledge(chance, detail.levels.len());
        let other = knowledge(chance, detail.levels.len());
        for (population, known) in detail.knowledge.iter_mut().enumerate() {
            if known.is_some() {
                *known = Some(if mixed && population == 1 { other.clone() } else { one.clone() });
            }
        }
    }
    let mut worlds = Vec::new();
    for population in 0..report.populations.len() {
        let rows = 2 + chance.index(70);
        let details = report.details.iter().zip(&own).map(|(detail, &own)| {
            let fixed = Knowledge::Fixed(Vec::new());
            let kind = detail.knowledge[population].as_ref().unwrap_or(&fixed);
            world(chance, kind, detail.levels.len(), own, rows)
        });
        let details = details.collect();
        let mut groups = Vec::new();
        for column in ["agency", "town"] {
            let value = |_| if chance.once_in(9) { u32::MAX } else { small(chance.below(4)) };
            groups.push(Groups { column: column.into(), of: (0..rows).map(value).collect(), values: 4 });
        }
        worlds.push(Worlds {
            details,
            count: (0..rows).map(|_| chance.in_range(1, 3)).collect(),
            weight: (0..rows).map(|_| 1000 * chance.in_range(1, 3)).collect(),
            groups,
        });
    }
    let tables = worlds.iter().map(|worlds| {
        let exact = |detail: usize| usize::try_from(own[detail]).ok();
        candidates_of(worlds, 0, exact)
    });
    Case { tables: tables.collect(), worlds, report }
}

fn built(report: &Report, worlds: &[Worlds]) -> Result<Chain, Failure> {
    policies(report, worlds, 1, &AtomicBool::new(false), &mut |_, _, _| {})
}

fn planned(case: &Case, chain: &Chain) -> Result<Planned, Failure> {
    let options = Options { limits: Limits { nodes: 200, threads: 1 }, ..Options::default() };
    plan_selection_safe(&case.report, &case.tables, &case.worlds, chain, &options, &mut |_| true)
}

fn certified(case: &Case, planned: &Planned) -> Certificate {
    let choices = choices(&case.report, planned);
    certify(FILE, &case.report, &case.tables, Some(&case.worlds), Mode::SelectionSafe, &choices)
}

fn checked(case: &Case, files: &[String], certificate: &Certificate) -> Verdict {
    let policies: Vec<&[u8]> = files.iter().map(String::as_bytes).collect();
    let evidence = Evidence {
        report_file: FILE,
        report: &case.report,
        candidates: &case.tables,
        worlds: Some(&case.worlds),
        policies: &policies,
    };
    check(&evidence, certificate)
}

fn files(chain: &Chain) -> Vec<String> {
    chain.policies.iter().map(|(_, policy)| policy.to_text()).collect()
}

fn said(verdict: &Verdict) -> String {
    verdict.failed().map(|check| format!("{}: {}", check.name, check.says)).collect::<Vec<_>>().join("\n")
}

fn failed(verdict: &Verdict) -> Vec<Name> {
    verdict.failed().map(|check| check.name).collect()
}

#[test]
fn the_checker_agrees_with_the_policies_of_random_reports() {
    let mut chance = Chance(21);
    let (mut releases, mut without, mut chains, mut several) = (0, 0, 0, 0);
    let mut unlike = 0;
    for number in 0..1500 {
        let case = case(&mut chance);
        let chain = match built(&case.report, &case.worlds) {
            Ok(chain) => chain,
            Err(Failure::Unsupported(_)) => {
                unlike += 1;
                continue;
            }
            Err(why) => panic!("case {number}: {why}"),
        };
        let planned = planned(&case, &chain).unwrap_or_else(|why| panic!("case {number}: {why}"));
        let certificate = certified(&case, &planned);
        let verdict = checked(&case, &files(&chain), &certificate);

        assert!(verdict.passed(), "case {number}: {}", said(&verdict));
        let made = certificate.audiences.iter().filter(|claim| claim.released.is_some()).count();
        releases += made;
        without += certificate.audiences.len() - made;
        chains += usize::from(chain.policies.len() > 1);
        several += usize::from(case.report.sources.len() > 1 && made > 0);
    }
    assert!(
        releases > 1200 && without > 300 && chains > 400 && several > 200 && unlike < 200,
        "{releases} releases, {without} without, {chains} chains, {several} with several sources, {unlike} refused"
    );
}

#[test]
fn a_policy_made_for_laxer_rules_is_refused_where_it_leaves_too_few() {
    let mut chance = Chance(22);
    let (mut refused, mut fine) = (0, 0);
    for number in 0..600 {
        let mut case = case(&mut chance);
        let needed: Vec<u64> = case.report.protections.iter().map(|protection| protection.k).collect();
        for protection in &mut case.report.protections {
            (protection.share_ppm, protection.robust) = (None, 0);
            protection.diversity.clear();
            protection.k = 1;
            protection.headroom = 0;
        }
        let Ok(chain) = built(&case.report, &case.worlds) else { continue };
        let planned = planned(&case, &chain);
        // Whoever is told what only an unlikely value allows: nobody could have produced it, and there is no plan.
        let Ok(planned) = planned else { continue };
        let most = *needed.iter().max().expect("there is a protection");
        for protection in &mut case.report.protections {
            protection.k = most;
        }
        let verdict = checked(&case, &files(&chain), &certified(&case, &planned));
        // Sets that nobody protects against anybody are not in the policy.
        let Some((_, last)) = chain.policies.last() else { continue };
        let alone = case.report.audiences.len() == 1 && !last.outputs.iter().any(|o| !o.fixed.is_empty());
        let fewest = last.smallest_group().unwrap_or(u64::MAX);
        if fewest < most && alone {
            assert!(failed(&verdict).contains(&Name::Policy), "case {number}: {fewest} of {most}");
            refused += 1;
        } else if alone {
            assert!(!failed(&verdict).contains(&Name::Policy), "case {number}: {}", said(&verdict));
            fine += 1;
        }
    }
    assert!(refused > 60 && fine > 10, "{refused} refused, {fine} fine");
}

/// A case with two audiences, one of whom sees the other, and policies that say something.
fn telling() -> (Case, Chain, Planned) {
    let mut chance = Chance(23);
    for _ in 0..5000 {
        let case = case(&mut chance);
        if case.report.audiences.len() != 2 || case.report.sources.len() != 1 || !case.report.told.is_empty()
        {
            continue;
        }
        let Ok(chain) = built(&case.report, &case.worlds) else { continue };
        let Ok(planned) = planned(&case, &chain) else { continue };
        let certificate = certified(&case, &planned);
        let released = certificate.audiences.iter().filter_map(|claim| claim.released.as_ref());
        let says = released.filter(|levels| levels.iter().any(|&level| level > 0)).count();
        let Some((_, last)) = chain.policies.last() else { continue };
        let fixed = last.outputs.iter().any(|output| !output.fixed.is_empty());
        let valued = last.outputs.len() > 3;
        let differ = certificate.audiences[0].released != certificate.audiences[1].released;
        if says == 2 && fixed && valued && differ {
            return (case, chain, planned);
        }
    }
    panic!("no such case");
}

type Change = (&'static str, Name, fn(&mut Certificate));

#[test]
fn whatever_is_changed_in_what_a_certificate_says_of_policies_is_refused() {
    let (case, chain, planned) = telling();
    let files = files(&chain);
    let good = certified(&case, &planned);
    assert!(checked(&case, &files, &good).passed());
    let changes: &[Change] = &[
        ("another policy", Name::Policy, |c| {
            let hash = c.audiences[1].policy.as_ref().expect("named").sha256.clone();
            c.audiences[0].policy.as_mut().expect("named").sha256 = hash;
        }),
        ("a policy that nobody has", Name::Policy, |c| {
            c.audiences[0].policy.as_mut().expect("named").sha256.replace_range(0..1, "x");
        }),
        ("another output", Name::Policy, |c| c.audiences[0].policy.as_mut().expect("named").output += 1),
        ("no policy", Name::Policy, |c| c.audiences[1].policy = None),
        ("a release withheld", Name::Policy, |c| c.audiences[0].released = None),
        ("a level down", Name::Policy, |c| {
            let levels = c.audiences[0].released.as_mut().expect("released");
            *levels.iter_mut().find(|level| **level > 0).expect("it says something") -= 1;
        }),
        ("one more by selection", Name::Policy, |c| {
            for set in c.audiences.iter_mut().flat_map(|claim| &mut claim.sets) {
                set.selection_aware = set.selection_aware.map(|count| count + 1);
            }
        }),
        ("no worlds", Name::TableDigests, |c| c.tables[0].worlds_sha256 = None),
        ("other worlds", Name::TableDigests, |c| c.tables[0].worlds_sha256 = Some("00".into())),
        ("a weaker mode", Name::Mode, |c| c.mode = Mode::Nominal),
    ];
    for (what, name, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let verdict = checked(&case, &files, &bad);
        assert!(failed(&verdict).contains(name), "{what}: expected {name}, found {:?}", failed(&verdict));
    }
    assert_eq!(failed(&checked(&case, &files[..1], &good)), [Name::Policy], "one policy is not given");
    assert_eq!(
        failed(&checked(&case, &files[1..], &good)),
        [Name::Policy],
        "one that is refined is not given"
    );
    let mut other = Case { worlds: case.worlds.clone(), ..case };
    other.worlds[0].count[0] += 1;
    assert!(failed(&checked(&other, &files, &good)).contains(&Name::TableDigests), "other worlds");
}

#[test]
fn whatever_is_changed_in_a_policy_is_refused() {
    // The certificate names the changed policy by its true hash, so that only what it says can give it away.
    let (case, chain, planned) = telling();
    let good = certified(&case, &planned);
    let files = files(&chain);
    let order: Vec<usize> = chain.policies.iter().map(|(audience, _)| *audience).collect();
    let (mut lines, mut unread) = (0, 0);
    let own = good.audiences[order[1]].policy.as_ref().expect("named").output as usize;
    let first = files[1].lines().position(|line| line.starts_with("outputs ")).expect("it has outputs") + 1;
    for line in 0..files[1].lines().count() {
        for (what, change) in CHANGES {
            // Of what another report would have got, less may be said.
            if what.ends_with("dropped") && line != first + own {
                continue;
            }
            let mut changed: Vec<String> = files[1].lines().map(str::to_owned).collect();
            let Some(other) = change(&changed[line]) else { continue };
            changed[line] = other;
            let changed = format!("{}\n", changed.join("\n"));
            let mut bad = good.clone();
            bad.audiences[order[1]].policy.as_mut().expect("named").sha256 =
                digest::bytes(changed.as_bytes());
            let verdict = checked(&case, &[files[0].clone(), changed.clone()], &bad);
            let old = files[1].lines().nth(line).expect("a line");
            // Sums are for information; a value that no world has, and no condition names, changes nothing.
            if old.starts_with("worth") {
                continue;
            }
            assert!(
                failed(&verdict).contains(&Name::Policy),
                "{what} in line {}: {old}\n{changed}",
                line + 1
            );
            lines += 1;
            unread += usize::from(Policy::from_text(&changed).is_err());
        }
    }
    assert!(lines > 60 && unread < lines - 10, "{lines} changes, {unread} of them to no policy at all");
}

type LineChange = (&'static str, fn(&str) -> Option<String>);

const CHANGES: &[LineChange] = &[
    ("more candidates", |line| {
        let (kind, rest) = line.split_once(' ').filter(|(kind, _)| *kind == "o")?;
        let (count, rest) = rest.split_once(' ')?;
        Some(format!("{kind} {} {rest}", count.parse::<u64>().ok()? + 1))
    }),
    ("a condition dropped", |line| {
        let mut parts: Vec<&str> = line.splitn(3, " :").collect();
        (line.starts_with("o ") && !parts[1].is_empty()).then(|| parts[1] = "")?;
        Some(parts.join(" :"))
    }),
    ("fixed levels dropped", |line| {
        let (start, levels) = line.rsplit_once(" :").filter(|_| line.starts_with("o "))?;
        (!levels.is_empty()).then(|| format!("{start} :"))
    }),
    ("called unsafe", |line| line.strip_prefix("o ").map(|rest| format!("x {rest}"))),
    ("sides exchanged", |line| {
        let words: Vec<&str> = line.split(' ').collect();
        let ["t", detail, node, yes, no] = words.as_slice() else { return None };
        Some(format!("t {detail} {node} {no} {yes}"))
    }),
    ("a list cut short", |line| {
        let words: Vec<&str> = line.split(' ').collect();
        let ["l", first, count] = words.as_slice() else { return None };
        Some(format!("l {first} {}", count.parse::<u64>().ok()?.checked_sub(1)?))
    }),
    ("a higher floor", |line| line.strip_prefix("fixed ").map(|level| format!("fixed {level}1"))),
    ("free", |line| line.strip_prefix("fixed ").map(|_| "free 1".into())),
    ("another version", |line| line.strip_prefix("tearline-policy ").map(|_| "tearline-policy 2".into())),
    ("two spaces", |line| line.contains(' ').then(|| line.replacen(' ', "  ", 1))),
    ("no line", |_| Some(String::new())),
];

#[test]
fn policies_are_the_same_whatever_the_report_says() {
    let mut chance = Chance(24);
    for _ in 0..60 {
        let case = case(&mut chance);
        let Ok(chain) = built(&case.report, &case.worlds) else { continue };
        let mut worlds = case.worlds.clone();
        for detail in worlds.iter_mut().flat_map(|worlds| &mut worlds.details) {
            if let WorldDetail::Valued { report, .. } | WorldDetail::Many { report, .. } = detail {
                report.fill(None);
            }
        }
        let mut blank = case.report.clone();
        for level in blank.details.iter_mut().flat_map(|detail| &mut detail.levels) {
            (level.text, level.key) = (String::new(), Cell::Null);
        }
        let again = built(&blank, &worlds).expect("the same");
        assert_eq!(files(&again), files(&chain));
        let other = Case { worlds, ..case };
        let nobody = planned(&other, &chain);
        let silent = other
            .worlds
            .iter()
            .all(|worlds| worlds.details.iter().all(|detail| matches!(detail, WorldDetail::Fixed(_))));
        let refused = matches!(nobody, Err(Failure::NotPossible(NotPossible::NoCandidate)));
        assert!(refused || silent, "a report that nobody could have made");
    }
}

#[test]
fn policies_that_were_published_are_used_as_they_are() {
    let (case, chain, planned) = telling();
    let mut given: Vec<Policy> =
        files(&chain).iter().map(|text| Policy::from_text(text).expect("its own form")).collect();
    given.reverse();
    let again = Chain::given(&case.report, given.clone()).expect("in any order");
    assert_eq!(files(&again), files(&chain));
    let options = Options { limits: Limits { nodes: 200, threads: 1 }, ..Options::default() };
    let plan = plan_selection_safe(&case.report, &case.tables, &case.worlds, &again, &options, &mut |_| true);
    assert_eq!(plan.expect("planned").plan, planned.plan);
    let wrong = |given: Vec<Policy>| Chain::given(&case.report, given).is_err();
    assert!(wrong(given[..1].to_vec()), "the first of the chain is missing");
    assert!(wrong([given.clone(), given.clone()].concat()), "too many");
    let mut larger = given[1].clone();
    larger.details.pop();
    assert!(wrong(vec![larger]), "of another report");
}
