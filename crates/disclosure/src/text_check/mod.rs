//! Free text against the plan: does an analyst's headline say more than the levels do?
//!
//! Everything that an unreleased level could be recognised by is looked for: its words, its aliases, places, dates,
//! numbers, networks and domains, each in other scripts and spellings too. What is found is a flag with its place; a
//! person decides. The rules are in `docs/formats/text-check.md`.

mod dates;
mod fold;
mod numbers;

use self::fold::{Word, words};
use std::collections::BTreeSet;
use tearline_model::report::{Detail, Report};
use tearline_model::value::Value;

/// A piece of free text.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Which: `headline`, `description`, `instruction`, `contact`.
    pub field: &'a str,
    /// Its language tag (BCP 47); shown in messages only, since any script may turn up in any language.
    pub language: &'a str,
    /// The text.
    pub text: &'a str,
}

/// By what an unreleased level was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// All words of a level, in their order.
    Phrase,
    /// A telling word of a level that no released level has.
    Word,
    /// An alias of the exact value.
    Alias,
    /// A place.
    Place,
    /// A day or a time of day.
    Time,
    /// A number.
    Number,
    /// An address, network or domain.
    Network,
}

/// A place in a text that seems to say more than was released.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flag {
    /// The field.
    pub field: String,
    /// Where it begins, in characters from 0.
    pub position: usize,
    /// How many characters it has.
    pub length: usize,
    /// The words as they stand in the text.
    pub matched: String,
    /// The detail.
    pub detail: String,
    /// The coarsest unreleased level that it gives away.
    pub level: u8,
    /// By what.
    pub kind: Kind,
}

/// Words that tell nothing by themselves. Short words are left out anyway.
const COMMON: &[&str] = &[
    "about",
    "after",
    "again",
    "against",
    "also",
    "among",
    "another",
    "around",
    "attack",
    "attacks",
    "because",
    "been",
    "before",
    "being",
    "between",
    "city",
    "coming",
    "could",
    "country",
    "days",
    "during",
    "each",
    "east",
    "either",
    "extremists",
    "first",
    "from",
    "group",
    "hall",
    "have",
    "hour",
    "hours",
    "including",
    "information",
    "into",
    "kept",
    "large",
    "last",
    "least",
    "less",
    "many",
    "month",
    "more",
    "most",
    "name",
    "names",
    "near",
    "next",
    "north",
    "other",
    "over",
    "people",
    "person",
    "place",
    "plan",
    "planned",
    "plans",
    "possible",
    "says",
    "several",
    "should",
    "some",
    "soon",
    "source",
    "sources",
    "south",
    "such",
    "than",
    "that",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "threat",
    "through",
    "time",
    "today",
    "tomorrow",
    "under",
    "until",
    "upon",
    "very",
    "warning",
    "week",
    "weekend",
    "weeks",
    "were",
    "west",
    "what",
    "when",
    "where",
    "which",
    "while",
    "will",
    "with",
    "within",
    "without",
    "would",
    "year",
    "your",
];

/// Letters that a word needs to be telling by itself.
const TELLING: usize = 4;

/// Checks texts against what is released: `levels` is the level of each detail of the report.
///
/// Work is proportional to the length of the texts times the number of words in unreleased levels.
pub fn check(texts: &[Text<'_>], report: &Report, levels: &[u8]) -> Vec<Flag> {
    let known: BTreeSet<String> = released_words(report, levels);
    let mut flags = BTreeSet::new();
    for text in texts {
        let folded = words(text.text);
        for (detail, &released) in report.details.iter().zip(levels) {
            let unreleased = detail.levels.iter().enumerate().skip(released.into());
            for (number, level) in unreleased {
                let number = u8::try_from(number + 1).unwrap_or(u8::MAX);
                let mut add = |kind, at: usize, many: usize| {
                    flags.insert(flag(text, &folded, detail, number, kind, at, many));
                };
                phrase(&folded, &level.text, &known, Kind::Phrase, &mut add);
                telling(&folded, &level.text, &known, &mut add);
                if usize::from(number) == detail.levels.len() {
                    for alias in &detail.aliases {
                        phrase(&folded, alias, &known, Kind::Alias, &mut add);
                    }
                }
                let before = usize::from(released).checked_sub(1).map(|at| &detail.levels[at].value);
                typed(text.text, &folded, before, &level.value, &known, &mut add);
            }
        }
    }
    // One place is one flag: the longest of what was found there.
    let mut flags: Vec<Flag> = flags.into_iter().collect();
    flags.sort_by(|a, b| (&a.field, a.position, b.length).cmp(&(&b.field, b.position, a.length)));
    let mut seen = BTreeSet::new();
    flags
        .into_iter()
        .filter(|flag| seen.insert((flag.field.clone(), flag.position, flag.detail.clone())))
        .collect()
}

/// Every word that a released level says.
fn released_words(report: &Report, levels: &[u8]) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for (detail, &released) in report.details.iter().zip(levels) {
        for level in detail.levels.iter().take(released.into()) {
            known.extend(words(&level.text).into_iter().map(|word| word.folded));
            if let Value::Place(chain) = &level.value {
                known.extend(chain.iter().flat_map(|name| words(name)).map(|word| word.folded));
            }
        }
    }
    known
}

fn flag(
    text: &Text<'_>,
    folded: &[Word],
    detail: &Detail,
    level: u8,
    kind: Kind,
    at: usize,
    many: usize,
) -> Flag {
    let (first, last) = (&folded[at], &folded[at + many - 1]);
    let length = last.position + last.length - first.position;
    Flag {
        field: text.field.to_owned(),
        position: first.position,
        length,
        matched: text.text.chars().skip(first.position).take(length).collect(),
        detail: detail.id.clone(),
        level,
        kind,
    }
}

/// All words of something, one after the other, unless released levels say them all.
fn phrase(
    text: &[Word],
    of: &str,
    known: &BTreeSet<String>,
    kind: Kind,
    add: &mut impl FnMut(Kind, usize, usize),
) {
    let sought = words(of);
    let told = sought.iter().all(|word| known.contains(&word.folded) || is_common(&word.folded));
    if sought.is_empty()
        || (told && kind != Kind::Alias)
        || (kind == Kind::Alias && sought.iter().all(|word| known.contains(&word.folded)))
    {
        return;
    }
    for at in 0..(text.len() + 1).saturating_sub(sought.len()) {
        if sought.iter().zip(&text[at..]).all(|(sought, word)| sought.same(word)) {
            add(kind, at, sought.len());
        }
    }
    // Written apart or together: "Crocus City" and "crocuscity".
    let joined: String = sought.iter().map(|word| word.folded.as_str()).collect();
    if sought.len() > 1 && joined.len() >= 2 * TELLING {
        for (at, word) in text.iter().enumerate() {
            if word.folded == joined {
                add(kind, at, 1);
            }
        }
    }
    if sought.len() == 1 && joined.len() >= 2 * TELLING {
        for at in 0..text.len().saturating_sub(1) {
            if text[at].folded.len() + text[at + 1].folded.len() == joined.len()
                && joined.starts_with(&text[at].folded)
                && joined.ends_with(&text[at + 1].folded)
            {
                add(kind, at, 2);
            }
        }
    }
}

fn is_common(word: &str) -> bool {
    word.len() < TELLING && !word.bytes().any(|byte| byte.is_ascii_digit())
        || COMMON.binary_search(&word).is_ok()
}

/// Single words that no released level has and that are not common.
fn telling(text: &[Word], of: &str, known: &BTreeSet<String>, add: &mut impl FnMut(Kind, usize, usize)) {
    for sought in words(of).iter().filter(|word| !is_common(&word.folded) && !known.contains(&word.folded)) {
        for (at, word) in text.iter().enumerate() {
            if sought.same(word) {
                add(Kind::Word, at, 1);
            }
        }
    }
}

/// What the type of a value lets one recognise.
fn typed(
    text: &str,
    folded: &[Word],
    released: Option<&Value>,
    value: &Value,
    known: &BTreeSet<String>,
    add: &mut impl FnMut(Kind, usize, usize),
) {
    match value {
        Value::Text(_) => {}
        Value::Place(chain) => {
            let told = match released {
                Some(Value::Place(chain)) => chain.len(),
                _ => 0,
            };
            for name in chain.iter().skip(told).filter(|name| name.chars().count() >= 3) {
                phrase(folded, name, known, Kind::Place, add);
            }
        }
        Value::Time(from, to) => {
            for found in dates::find(folded) {
                if found.within(*from, *to) {
                    add(Kind::Time, found.at, found.many);
                }
            }
        }
        Value::Number(min, max) => {
            for found in numbers::find(folded, text) {
                if *min <= found.value && found.value <= *max && !known.contains(&folded[found.at].folded) {
                    add(Kind::Number, found.at, found.many);
                }
            }
        }
        Value::Network(_) | Value::Domain(_) => {
            for (at, many, address) in fold::addresses(folded, text) {
                let told = released.and_then(|released| released.contains(&address)).unwrap_or(false);
                let more_exact = released.is_none_or(|released| address.contains(released) != Some(true));
                if value.contains(&address) == Some(true) && (more_exact || !told) {
                    add(Kind::Network, at, many);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_sorted_for_the_search() {
        assert!(COMMON.is_sorted());
    }
}
