//! `[detail.NAME]` and its levels: what is known, and the ways to say it.

use jiff::tz::Offset;

use super::knowledge;
use super::names::Names;
use super::populations::word;
use super::reader::{Item, Section, quoted};
use super::values::{TYPES, Type, cell};
use super::{limits, time};
use crate::report::{Cell, Confidence, Detail, Level, Likelihood, Source};
use crate::utility::Utility;
use crate::value::Value;

/// ICD 203 D.6.e(2)(a), both rows of terms.
const LIKELIHOODS: &[(&str, Likelihood)] = &[
    ("almost no chance", Likelihood::AlmostNoChance),
    ("remote", Likelihood::AlmostNoChance),
    ("very unlikely", Likelihood::VeryUnlikely),
    ("highly improbable", Likelihood::VeryUnlikely),
    ("unlikely", Likelihood::Unlikely),
    ("improbable", Likelihood::Unlikely),
    ("roughly even chance", Likelihood::RoughlyEvenChance),
    ("roughly even odds", Likelihood::RoughlyEvenChance),
    ("likely", Likelihood::Likely),
    ("probable", Likelihood::Likely),
    ("very likely", Likelihood::VeryLikely),
    ("highly probable", Likelihood::VeryLikely),
    ("almost certain", Likelihood::AlmostCertain),
    ("nearly certain", Likelihood::AlmostCertain),
];

const CONFIDENCES: &[(&str, Confidence)] =
    &[("low", Confidence::Low), ("moderate", Confidence::Moderate), ("high", Confidence::High)];

/// One entry of `[[detail.NAME.level]]`, as far as it could be read.
pub(super) struct Rung<'a> {
    pub(super) section: Section<'a>,
    text: Option<String>,
    value: Option<(Value, Cell)>,
    value_item: Option<Item<'a>>,
    key: Option<Cell>,
    utility: Option<Utility>,
    utility_item: Option<Item<'a>>,
}

impl Rung<'_> {
    /// What stands for `:value` at this level.
    pub(super) fn key(&self) -> Option<&Cell> {
        self.key.as_ref()
    }
}

/// What the details may refer to.
pub(super) struct Context<'n> {
    pub(super) populations: &'n Names,
    pub(super) sources: &'n Names,
    /// Populations of each source; `None` where that could not be read.
    pub(super) hides: &'n [Option<Vec<usize>>],
}

impl<'n> Context<'n> {
    pub(super) fn new(populations: &'n Names, sources: &'n Names, hides: &'n [Option<Vec<usize>>]) -> Self {
        Self { populations, sources, hides }
    }

    /// Populations in which at least one of the sources hides; `None` if that cannot be told.
    pub(super) fn involved(&self, sources: &[usize]) -> Option<Vec<usize>> {
        let mut all = Vec::new();
        for &source in sources {
            all.extend_from_slice(self.hides[source].as_ref()?);
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }
}

/// Populations of each source.
pub(super) fn hiding(sources: &[Option<Source>]) -> Vec<Option<Vec<usize>>> {
    sources.iter().map(|source| source.as_ref().map(|s| s.populations.clone())).collect()
}

/// How many levels a detail has, whether or not they are right.
pub(super) fn level_count(item: &Item<'_>) -> usize {
    use toml::de::DeValue;
    let level = item.value().get("level").map(toml::Spanned::get_ref);
    level.and_then(DeValue::as_array).map_or(0, |levels| levels.len().min(limits::LEVELS))
}

pub(super) fn detail(name: &str, item: &Item<'_>, context: &Context<'_>) -> Option<Detail> {
    let section = item.section("a table [detail.NAME]")?;
    let kind = section.get("type").map_or(Some(Type::Text), |item| word(&item, "a type of value", TYPES));
    let offset = section.get("utc_offset").map_or(Some(Offset::UTC), |item| offset(&item));
    let sources = context.sources.many_or_all(section.get("sources").as_ref());
    let credibility = section
        .get("credibility")
        .and_then(|item| item.integer(1, 6).and_then(|grade| u8::try_from(grade).ok()));
    let likelihood = section
        .get("likelihood")
        .and_then(|item| word(&item, "a likelihood in ICD 203's words", LIKELIHOODS));
    let confidence =
        section.get("confidence").and_then(|item| word(&item, "a level of confidence", CONFIDENCES));
    let aliases = section.get("aliases").map_or(Some(Vec::new()), |item| texts(&item));
    let whole = section.get("utility");
    let rungs = rungs(&section, kind, offset.unwrap_or(Offset::UTC));
    let involved = sources.as_ref().and_then(|sources| context.involved(sources));
    let knowledge =
        knowledge::read(&section, rungs.as_deref().unwrap_or_default(), context, involved.as_deref());
    section.close();
    let rungs = rungs?;
    check_containment(&rungs);
    let utilities = utilities(&rungs, whole.as_ref());
    let levels = levels(rungs, utilities);
    Some(Detail {
        id: name.to_owned(),
        sources: sources?,
        credibility,
        likelihood,
        confidence,
        levels: levels?,
        knowledge: knowledge?,
        aliases: aliases?,
    })
}

fn offset(item: &Item<'_>) -> Option<Offset> {
    let text = item.string("an offset from UTC in quotes")?;
    let found = time::utc_offset(text.trim());
    if found.is_none() {
        item.expected("an offset from UTC", "Write it like \"+03:00\".");
    }
    found
}

fn texts(item: &Item<'_>) -> Option<Vec<String>> {
    let texts: Vec<Option<String>> = item.list_or_one(limits::LIST)?.iter().map(Item::text).collect();
    texts.into_iter().collect()
}

fn rungs<'a>(section: &Section<'a>, kind: Option<Type>, offset: Offset) -> Option<Vec<Rung<'a>>> {
    let item = section.need("level", "Add [[detail.NAME.level]] with a text for each way to say it.")?;
    if item.is_table() {
        item.problem("one table where a list of levels was expected", "Write [[…level]] with two brackets.");
        return None;
    }
    let items = item.list(limits::LEVELS, "a list of levels")?;
    if items.is_empty() {
        item.problem("the detail has no level", "Add at least one.");
        return None;
    }
    let rungs: Vec<Option<Rung<'a>>> = items.iter().map(|item| rung(item, kind, offset)).collect();
    rungs.into_iter().collect()
}

fn rung<'a>(item: &Item<'a>, kind: Option<Type>, offset: Offset) -> Option<Rung<'a>> {
    let section = item.section("a level")?;
    let text = section.need("text", "Write the words that a reader gets.").and_then(|item| item.text());
    let value_item = section.get("value");
    let value = match (&value_item, kind) {
        (_, None) => None,
        (Some(item), Some(kind)) => kind.read(item, offset),
        (None, Some(Type::Text)) => text.clone().map(|text| (Value::Text(text.clone()), Cell::Text(text))),
        (None, Some(kind)) => {
            section.problem("value", "missing: the type of the detail asks for it", kind.example());
            None
        }
    };
    let key = match section.get("key") {
        Some(item) => cell(&item),
        None => value.as_ref().map(|(_, key)| key.clone()),
    };
    let utility_item = section.get("utility");
    let utility = utility_item.as_ref().and_then(utility);
    Some(Rung { section, text, value, value_item, key, utility, utility_item })
}

fn utility(item: &Item<'_>) -> Option<Utility> {
    Utility::from_units(item.number(0.0, Utility::MAX.units())?)
}

fn check_containment(rungs: &[Rung<'_>]) {
    for (coarse, pair) in rungs.windows(2).enumerate() {
        let (Some((wide, _)), Some((narrow, _))) = (&pair[0].value, &pair[1].value) else { continue };
        let Some(item) = &pair[1].value_item else { continue };
        if wide.contains(narrow) == Some(false) {
            item.problem(
                format!(
                    "level {}, {}, is not within level {}, {}",
                    coarse + 2,
                    quoted(&narrow.to_string()),
                    coarse + 1,
                    quoted(&wide.to_string())
                ),
                "Every level must contain the next: widen the coarser one, or correct this one.",
            );
        }
    }
}

/// The worth of each level: as stated, or equal steps up to that of the whole detail.
fn utilities(rungs: &[Rung<'_>], whole: Option<&Item<'_>>) -> Option<Vec<Utility>> {
    let stated = rungs.iter().filter(|rung| rung.utility_item.is_some()).count();
    if stated == 0 {
        let exact = whole.map_or(Utility::from_units(1.0), utility)?.0;
        let steps = rungs.len() as u64;
        return Some((1..=steps).map(|level| Utility((exact * level + steps / 2) / steps)).collect());
    }
    if let Some(item) = whole {
        item.problem(
            "both the detail and its levels state a utility",
            "Remove this one, or those of the levels.",
        );
        return None;
    }
    if stated < rungs.len() {
        for rung in rungs.iter().filter(|rung| rung.utility_item.is_none()) {
            rung.section.problem(
                "utility",
                "missing: other levels of this detail state theirs",
                "State it for every level, or for none: then the steps are equal.",
            );
        }
        return None;
    }
    let mut utilities: Vec<Utility> = Vec::new();
    let mut good = true;
    for rung in rungs {
        let Some(utility) = rung.utility else {
            good = false;
            continue;
        };
        if let (Some(before), Some(item)) = (utilities.last(), &rung.utility_item)
            && utility < *before
        {
            item.problem(
                format!("{} is less than the coarser level's {}", utility.units(), before.units()),
                "Utilities add up: a more exact level is worth at least as much.",
            );
            good = false;
        }
        utilities.push(utility);
    }
    good.then_some(utilities)
}

fn levels(rungs: Vec<Rung<'_>>, utilities: Option<Vec<Utility>>) -> Option<Vec<Level>> {
    let mut levels = Vec::new();
    let mut good = utilities.is_some();
    let count = rungs.len();
    for (rung, utility) in rungs.into_iter().zip(utilities.unwrap_or_else(|| vec![Utility::default(); count]))
    {
        rung.section.close();
        match (rung.text, rung.value, rung.key) {
            (Some(text), Some((value, _)), Some(key)) => levels.push(Level { text, value, key, utility }),
            _ => good = false,
        }
    }
    good.then_some(levels)
}
