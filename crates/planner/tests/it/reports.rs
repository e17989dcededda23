//! Random small reports with everything that a plan depends on, and tables for them.

use crate::chance::Chance;
use tearline_model::candidates::{Candidates, Groups, Odds};
use tearline_model::report::{
    Audience, Cell, Detail, Diversity, Knowledge, Level, Population, Protection, Report, Source, Sql, Table,
    Told, ToldWhat,
};
use tearline_model::utility::Utility;
use tearline_model::value::Value;

/// A report of up to four details, two sources, two populations and three audiences.
pub(crate) fn random_report(chance: &mut Chance) -> Report {
    let populations = up_to(chance, 2);
    let sources: Vec<Source> = (0..up_to(chance, 2))
        .map(|source| Source {
            id: format!("source {source}"),
            populations: some(chance, populations),
            reliability: None,
        })
        .collect();
    let details: Vec<Detail> =
        (0..up_to(chance, 4)).map(|number| detail(chance, number, &sources, populations)).collect();
    let audiences = audiences(chance, &details);
    let told =
        (0..chance.in_range(0, 2)).map(|_| told(chance, &details, &sources, audiences.len())).collect();
    let mut protections = Vec::new();
    for population in 0..populations {
        let hiding: Vec<usize> =
            (0..sources.len()).filter(|&source| sources[source].populations.contains(&population)).collect();
        for _ in 0..up_to(chance, 2) {
            protections.push(protection(chance, population, &hiding, audiences.len()));
        }
    }
    Report {
        id: "random".into(),
        title: "random".into(),
        originator: "random".into(),
        received: None,
        sources,
        populations: (0..populations).map(population).collect(),
        details,
        audiences,
        protections,
        told,
        mode: None,
    }
}

/// Tables that fit the report.
pub(crate) fn random_tables(chance: &mut Chance, report: &Report) -> Vec<Candidates> {
    let tops: Vec<u8> =
        report.details.iter().map(|detail| u8::try_from(detail.levels.len()).expect("few levels")).collect();
    let facts = report.told.iter().filter(|told| matches!(told.what, ToldWhat::Linked { .. })).count();
    (0..report.populations.len()).map(|_| table(chance, &tops, facts)).collect()
}

fn table(chance: &mut Chance, tops: &[u8], facts: usize) -> Candidates {
    let classes = usize::try_from(chance.in_range(1, 25)).expect("few classes");
    let rows: Vec<Vec<u8>> = (0..classes).map(|_| chance.levels(tops)).collect();
    let sure: Vec<Vec<u8>> = (0..tops.len()).map(|d| rows.iter().map(|row| row[d]).collect()).collect();
    let mut possible = Vec::new();
    let mut odds = Vec::new();
    if chance.once_in(2) {
        possible.clone_from(&sure);
        for (detail, &top) in tops.iter().enumerate() {
            let level = u8::try_from(chance.in_range(1, u64::from(top))).expect("a level");
            let mut permille = Vec::new();
            for known in &mut possible[detail] {
                if *known + 1 == level && chance.once_in(3) {
                    *known = level;
                    permille.push(u16::try_from(chance.in_range(1, 999)).expect("below 1000"));
                } else {
                    permille.push(if *known >= level { 1000 } else { 0 });
                }
            }
            odds.push(Odds { detail, level, permille });
        }
    }
    let value = |chance: &mut Chance| {
        if chance.once_in(6) { u32::MAX } else { u32::try_from(chance.in_range(0, 3)).expect("small") }
    };
    Candidates {
        sure,
        possible,
        odds,
        linked: (0..facts).map(|_| (0..classes).map(|_| !chance.once_in(4)).collect()).collect(),
        count: (0..classes).map(|_| chance.in_range(1, 4)).collect(),
        weight: (0..classes).map(|_| chance.in_range(1, 3) * 1000).collect(),
        groups: ["agency", "town"]
            .map(|column| Groups {
                column: column.into(),
                of: (0..classes).map(|_| value(chance)).collect(),
                values: 4,
            })
            .into(),
        cleared: chance.in_range(0, 2),
    }
}

fn detail(chance: &mut Chance, number: usize, sources: &[Source], populations: usize) -> Detail {
    let of = some(chance, sources.len());
    let mut worth = 0;
    let levels: Vec<Level> = (1..=up_to(chance, 3))
        .map(|level| {
            worth += chance.in_range(0, 5000);
            let text = format!("detail {number} to level {level}");
            let value = Value::Text(text.clone());
            Level { text: text.clone(), value, key: Cell::Text(text), utility: Utility(worth) }
        })
        .collect();
    let predicates = vec![Sql("asked elsewhere".into()); levels.len()];
    let involved =
        |population| of.iter().any(|&source: &usize| sources[source].populations.contains(&population));
    let knowledge =
        (0..populations).map(|p| involved(p).then(|| Knowledge::Fixed(predicates.clone()))).collect();
    Detail {
        id: format!("detail {number}"),
        sources: of,
        credibility: None,
        likelihood: None,
        confidence: None,
        levels,
        knowledge,
        aliases: Vec::new(),
    }
}

/// Later audiences may see earlier ones, with all that those see; pooling goes both ways.
fn audiences(chance: &mut Chance, details: &[Detail]) -> Vec<Audience> {
    let many = up_to(chance, 3);
    let mut audiences: Vec<Audience> = Vec::new();
    for number in 0..many {
        let mut sees: Vec<usize> = (0..number).filter(|_| chance.once_in(2)).collect();
        let through: Vec<usize> = sees.iter().flat_map(|&seen| audiences[seen].sees.clone()).collect();
        sees.extend(through);
        sees.sort_unstable();
        sees.dedup();
        let mut minimum = Vec::new();
        if chance.once_in(4) {
            minimum.push(vec![(pick(chance, details.len()), 1)]);
            minimum.push(vec![(pick(chance, details.len()), 1)]);
        }
        audiences.push(Audience {
            public: false,
            own_people: false,
            id: format!("audience {number}"),
            name: String::new(),
            sees,
            colludes_with: Vec::new(),
            priority: i64::try_from(chance.in_range(0, 2)).expect("small"),
            minimum,
            importance_permille: details
                .iter()
                .map(|_| u32::try_from(chance.in_range(0, 2000)).expect("small"))
                .collect(),
        });
    }
    for one in 0..many {
        for other in one + 1..many {
            if chance.once_in(3) {
                audiences[one].colludes_with.push(other);
                audiences[other].colludes_with.push(one);
            }
        }
    }
    audiences
}

fn told(chance: &mut Chance, details: &[Detail], sources: &[Source], audiences: usize) -> Told {
    let audience = pick(chance, audiences);
    let what = if chance.once_in(2) {
        let sources = some(chance, sources.len());
        // Every population has an answer here; that more is known than needed does no harm.
        ToldWhat::Linked { reference: "earlier".into(), sources, known_to: vec![Some(Sql("true".into())); 2] }
    } else {
        let detail = pick(chance, details.len());
        let top = details[detail].levels.len() as u64;
        let level = u8::try_from(chance.in_range(1, top)).expect("a level");
        ToldWhat::Level { detail, level }
    };
    Told { audience, what }
}

fn protection(chance: &mut Chance, population: usize, hiding: &[usize], audiences: usize) -> Protection {
    let share = chance.once_in(3).then(|| u32::try_from(chance.in_range(100_000, 500_000)).expect("small"));
    let rule = |chance: &mut Chance| Diversity {
        column: Sql(if chance.once_in(2) { "agency" } else { "town" }.into()),
        at_least: u32::try_from(chance.in_range(1, 3)).expect("small"),
    };
    Protection {
        population,
        sources: hiding.to_vec(),
        audiences: some(chance, audiences),
        k: chance.in_range(1, 8),
        share_ppm: share,
        diversity: (0..chance.in_range(0, 1)).map(|_| rule(chance)).collect(),
        robust: chance.in_range(0, 2),
        headroom: chance.in_range(0, 2),
    }
}

fn population(number: usize) -> Population {
    Population {
        id: format!("population {number}"),
        table: Table::Csv("none.csv".into()),
        id_column: None,
        count_column: None,
        weight: None,
        cleared: None,
        certain_permille: 1000,
        column_types: Vec::new(),
    }
}

fn pick(chance: &mut Chance, of: usize) -> usize {
    usize::try_from(chance.in_range(0, of as u64 - 1)).expect("an index")
}

fn up_to(chance: &mut Chance, most: u64) -> usize {
    usize::try_from(chance.in_range(1, most)).expect("small")
}

/// A subset that is not empty, ascending.
fn some(chance: &mut Chance, of: usize) -> Vec<usize> {
    let sure = pick(chance, of);
    (0..of).filter(|&one| one == sure || chance.once_in(2)).collect()
}
