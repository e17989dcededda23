//! `[[protection]]`: what must hold of anonymity sets, and `[[told]]`: what has been said already.

use std::collections::HashMap;

use super::audiences::level;
use super::details::Context;
use super::knowledge;
use super::limits;
use super::names::Names;
use super::reader::{Item, Section, quoted};
use crate::report::{Diversity, Protection, Told, ToldWhat};

pub(super) fn protection(item: &Item<'_>, context: &Context<'_>, audiences: &Names) -> Option<Protection> {
    let section = item.section("a table [[protection]]")?;
    let population = population(&section, context.populations);
    let hiding = population.and_then(|population| hiding_in(context, population));
    let sources = match section.get("sources") {
        Some(item) => sources(&item, context, population),
        None => hiding,
    };
    let covered = audiences.many_or_all(section.get("audiences").as_ref());
    let k = section
        .need("k", "Say how many candidates must remain at least: k = 20.")
        .and_then(|item| item.count(1, limits::COUNT));
    let share = section.get("share").and_then(|item| share(&item));
    let diversity = section.get("diversity").map_or(Some(Vec::new()), |item| diversity(&item));
    let robust = section.get("robust").map_or(Some(0), |item| item.count(0, limits::COUNT));
    let headroom = section.get("headroom").map_or(Some(0), |item| item.count(0, limits::COUNT));
    section.close();
    if sources.as_ref().is_some_and(Vec::is_empty) {
        item.problem(
            "no source hides in this population",
            "Name another population, or add this one to the source that hides there.",
        );
        return None;
    }
    Some(Protection {
        population: population?,
        sources: sources?,
        audiences: covered?,
        k: k?,
        share_ppm: share,
        diversity: diversity?,
        robust: robust?,
        headroom: headroom?,
    })
}

/// The only population goes without saying.
fn population(section: &Section<'_>, populations: &Names) -> Option<usize> {
    match section.get("population") {
        Some(item) => populations.one(&item),
        None if populations.len() == 1 => Some(0),
        None => {
            section.problem("population", "missing", "Say which population: there is more than one.");
            None
        }
    }
}

fn hiding_in(context: &Context<'_>, population: usize) -> Option<Vec<usize>> {
    let mut sources = Vec::new();
    for (source, hides) in context.hides.iter().enumerate() {
        if hides.as_ref()?.contains(&population) {
            sources.push(source);
        }
    }
    Some(sources)
}

fn sources(item: &Item<'_>, context: &Context<'_>, population: Option<usize>) -> Option<Vec<usize>> {
    let sources = context.sources.many_or_all(Some(item))?;
    let population = population?;
    for &source in &sources {
        if !context.hides[source].as_ref()?.contains(&population) {
            item.problem(
                format!(
                    "{} does not hide in {}",
                    quoted(context.sources.name(source)),
                    quoted(context.populations.name(population))
                ),
                "Remove it here, or add the population to the source.",
            );
            return None;
        }
    }
    Some(sources)
}

fn share(item: &Item<'_>) -> Option<u32> {
    let share = item.number(0.000_001, 1.0)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 1,000,000")]
    Some((share * 1e6).round() as u32)
}

fn diversity(item: &Item<'_>) -> Option<Vec<Diversity>> {
    let rules: Vec<Option<Diversity>> = item.list_or_one(limits::LIST)?.iter().map(one_diversity).collect();
    rules.into_iter().collect()
}

fn one_diversity(item: &Item<'_>) -> Option<Diversity> {
    let section = item.section("a rule such as {column = \"agency\", at_least = 3}")?;
    let column =
        section.need("column", "Name the column whose values must differ.").and_then(|item| item.sql());
    let at_least = section
        .need("at_least", "Say how many different values must remain.")
        .and_then(|item| item.integer(1, 1_000_000_000))
        .and_then(|number| u32::try_from(number).ok());
    section.close();
    Some(Diversity { column: column?, at_least: at_least? })
}

/// Every source must be protected in every population where it is said to hide: a forgotten protection would
/// otherwise look like a safe plan.
pub(super) fn check_covered(at: &Item<'_>, protections: &[Protection], context: &Context<'_>) {
    for (source, hides) in context.hides.iter().enumerate() {
        for &population in hides.iter().flatten() {
            let covered = |p: &Protection| p.population == population && p.sources.contains(&source);
            if !protections.iter().any(covered) {
                let name = context.sources.name(source);
                let who = if name.is_empty() { "the source".to_owned() } else { quoted(name) };
                at.problem(
                    format!("nothing protects {who} among {}", quoted(context.populations.name(population))),
                    "Add a [[protection]] for that population, or take the population off the source.",
                );
            }
        }
    }
}

pub(super) fn told(
    item: &Item<'_>,
    context: &Context<'_>,
    audiences: &Names,
    details: &Names,
    levels: &[usize],
) -> Option<Told> {
    let section = item.section("a table [[told]]")?;
    let audience = section.need("audience", "Say who was told.").and_then(|item| audiences.one(&item));
    let what = match (section.get("detail"), section.get("linked")) {
        (Some(detail), None) => {
            let detail = details.one(&detail);
            let level_item = section.need("level", "Say which level of the detail was told.");
            let level = level_item.zip(detail).and_then(|(item, detail)| level(&item, levels[detail]));
            detail.zip(level).map(|(detail, level)| ToldWhat::Level { detail, level })
        }
        (None, Some(reference)) => linked(&section, &reference, context),
        _ => {
            section.problem(
                "detail",
                "an entry tells either a detail of this report or something of a linked one",
                "Write detail = \"…\" and level = …, or linked = \"…\" and known_to = \"…\".",
            );
            section.close();
            return None;
        }
    };
    section.close();
    Some(Told { audience: audience?, what: what? })
}

fn linked(section: &Section<'_>, reference: &Item<'_>, context: &Context<'_>) -> Option<ToldWhat> {
    let sources = context.sources.many_or_all(section.get("sources").as_ref());
    let involved = sources.as_ref().and_then(|sources| context.involved(sources));
    let known_to = knowledge::linked(section, context.populations, involved.as_deref());
    Some(ToldWhat::Linked { reference: reference.text()?, sources: sources?, known_to: known_to? })
}

/// The ledger has one entry for an audience and a detail; two entries say different things, or one too many.
pub(super) fn check_ledger(items: &[Item<'_>], told: &[Option<Told>], audiences: &Names, details: &Names) {
    let mut seen = HashMap::<(usize, usize), u8>::new();
    for (item, told) in items.iter().zip(told) {
        let Some(Told { audience, what: ToldWhat::Level { detail, level } }) = told else { continue };
        let Some(before) = seen.insert((*audience, *detail), *level) else { continue };
        let (audience, detail) = (quoted(audiences.name(*audience)), quoted(details.name(*detail)));
        let what = if before == *level {
            format!("that {audience} was told {detail} up to level {level} is said twice")
        } else {
            format!("{audience} was told {detail} up to level {level} here, and up to level {before} above")
        };
        item.problem(what, "Keep one entry, with the highest level ever told.");
    }
}
