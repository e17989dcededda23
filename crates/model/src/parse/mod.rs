//! Report files: TOML in, a checked [`Report`] or everything that is wrong with the file out.
//!
//! The format is described in `docs/formats/report.md`; the modules below follow its sections. Reading goes on
//! after a mistake, so that one run reports them all; only a file that is not TOML ends it early.

mod audiences;
mod details;
mod domains;
mod knowledge;
pub mod limits;
mod names;
mod populations;
mod problem;
mod protections;
mod reader;
mod time;
mod values;

use toml::de::{DeTable, DeValue};

use self::details::Context;
use self::names::Names;
pub use self::problem::{Problem, Problems};
use self::reader::{Item, Reader, Section};
use crate::report::{Mode, Report, Source};

const SYNTAX_REMEDY: &str =
    "Correct it: text stands in double quotes, lists in square brackets, one KEY = VALUE in a line.";

/// Files up to this size have all their TOML mistakes reported; larger ones the first, so that a large binary file
/// does not fill the memory with complaints.
const ALL_SYNTAX_ERRORS: usize = 256 << 10;

const MODES: &[(&str, Mode)] =
    &[("nominal", Mode::Nominal), ("audited", Mode::Audited), ("selection-safe", Mode::SelectionSafe)];

/// Reads a report file. `name` is what its problems call it: usually its path. Accepts any bytes.
pub fn parse(text: &[u8], name: &str) -> Result<Report, Problems> {
    if text.len() > limits::FILE_BYTES {
        let reader = Reader::new(name, "");
        reader.problem(
            0,
            "",
            format!("the file has {} bytes, more than the {} allowed", text.len(), limits::FILE_BYTES),
            "Put populations and domains into tables of their own.",
        );
        return Err(reader.into_problems());
    }
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(text, error.valid_up_to(), name)),
    };
    let reader = Reader::new(name, text);
    let (document, errors) = if text.len() <= ALL_SYNTAX_ERRORS {
        let (document, errors) = DeTable::parse_recoverable(text);
        (Some(document), errors)
    } else {
        match DeTable::parse(text) {
            Ok(document) => (Some(document), Vec::new()),
            Err(error) => (None, vec![error]),
        }
    };
    // One mistake often makes the parser stumble several times over the same line.
    let mut lines = std::collections::HashSet::new();
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        if !lines.insert(reader.line(at)) {
            continue;
        }
        reader.problem(at, "", format!("not TOML: {}", error.message()), SYNTAX_REMEDY);
    }
    // What the rest of a broken file means is a guess: checking it would blame the wrong lines.
    let report = match &document {
        Some(document) if reader.is_clean() => report(&reader, document.get_ref()),
        _ => None,
    };
    match report {
        Some(report) if reader.is_clean() => Ok(report),
        _ => Err(reader.into_problems()),
    }
}

fn not_utf8(text: &[u8], offset: usize, name: &str) -> Problems {
    let valid = std::str::from_utf8(&text[..offset]).unwrap_or_default();
    let reader = Reader::new(name, valid);
    reader.problem(
        offset,
        "",
        format!("the file is not UTF-8: the byte 0x{:02x} at offset {offset}", text[offset]),
        "Save it as UTF-8.",
    );
    reader.into_problems()
}

fn report<'a>(reader: &'a Reader<'a>, table: &'a DeTable<'a>) -> Option<Report> {
    let root = Section::root(reader, table);
    if !known_version(&root) {
        return None;
    }
    let id = root.need("id", "Add id = \"…\", the originator's own reference.").and_then(|item| item.text());
    let title = root.need("title", "Add title = \"…\".").and_then(|item| item.text());
    let originator =
        root.need("originator", "Add originator = \"…\": who files it.").and_then(|item| item.text());
    let received = root.get("received").and_then(|item| received(&item));
    let mode = root.get("mode").and_then(|item| populations::word(&item, "a mode", MODES));

    let population_entries = entries(&root, "population", limits::POPULATIONS);
    let source_entries = entries(&root, "source", limits::SOURCES);
    let detail_entries = entries(&root, "detail", limits::DETAILS);
    let audience_entries = entries(&root, "audience", limits::AUDIENCES);
    let protection_items = list(&root, "protection", limits::PROTECTIONS);
    let told_items = list(&root, "told", limits::TOLD);
    root.close();

    let population_names = Names::new("population", &population_entries);
    let detail_names = Names::new("detail", &detail_entries);
    let audience_names = Names::new("audience", &audience_entries);
    let implicit = source_entries.is_empty();
    let source_names =
        if implicit { Names::implicit("source", "") } else { Names::new("source", &source_entries) };

    let populations: Vec<_> =
        population_entries.iter().map(|(name, item)| populations::population(name, item)).collect();
    let sources: Vec<Option<Source>> = if implicit {
        let everywhere = (0..population_names.len()).collect();
        vec![Some(Source { id: String::new(), populations: everywhere, reliability: None })]
    } else {
        source_entries.iter().map(|(name, item)| populations::source(name, item, &population_names)).collect()
    };
    let hides = details::hiding(&sources);
    let context = Context::new(&population_names, &source_names, &hides);

    let levels: Vec<usize> = detail_entries.iter().map(|(_, item)| details::level_count(item)).collect();
    let details: Vec<_> =
        detail_entries.iter().map(|(name, item)| details::detail(name, item, &context)).collect();
    let audiences = audiences::read(&audience_entries, &audience_names, &detail_names, &levels);
    let protections: Option<Vec<_>> = protection_items
        .iter()
        .map(|item| protections::protection(item, &context, &audience_names))
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    if let (Some(protections), Some(first)) = (&protections, protection_items.first()) {
        protections::check_covered(first, protections, &context);
    }
    let told: Vec<_> = told_items
        .iter()
        .map(|item| protections::told(item, &context, &audience_names, &detail_names, &levels))
        .collect();
    protections::check_ledger(&told_items, &told, &audience_names, &detail_names);

    Some(Report {
        id: id?,
        title: title?,
        originator: originator?,
        received,
        sources: sources.into_iter().collect::<Option<_>>()?,
        populations: populations.into_iter().collect::<Option<_>>()?,
        details: details.into_iter().collect::<Option<_>>()?,
        audiences: audiences?,
        protections: protections?,
        told: told.into_iter().collect::<Option<_>>()?,
        mode,
    })
}

/// The version comes first: a file of another version would only give misleading problems.
fn known_version(root: &Section<'_>) -> bool {
    let Some(item) = root.need("tearline", "Begin the file with tearline = 1, the version of its format.")
    else {
        return false;
    };
    let known = item.as_integer() == Some(1);
    if !known {
        item.expected(
            "the format's version, 1",
            "Write tearline = 1, or use the program that wrote the file.",
        );
    }
    known
}

fn received(item: &Item<'_>) -> Option<jiff::Timestamp> {
    let time = match item.value() {
        DeValue::Datetime(value) => value.to_string().parse().ok(),
        _ => None,
    };
    if time.is_none() {
        item.expected(
            "a date and time with its offset from UTC",
            "Write it like 2024-03-05T10:00:00Z, without quotes.",
        );
    }
    time
}

/// The named tables of one kind, in the order of the file. All kinds but sources are needed.
fn entries<'a>(root: &Section<'a>, key: &'static str, most: usize) -> Vec<(String, Item<'a>)> {
    let entries = match root.get(key) {
        Some(item) => match item.named(&format!("tables [{key}.NAME]")) {
            Some(entries) => entries,
            None => return Vec::new(),
        },
        None => Vec::new(),
    };
    if entries.is_empty() && key != "source" {
        root.problem(key, "missing", format!("Add at least one [{key}.NAME]."));
    }
    if let Some((_, item)) = entries.get(most) {
        item.problem(format!("more than {most} entries of [{key}]"), "Split the report.");
        return entries.into_iter().take(most).collect();
    }
    entries
}

/// The tables of an array of tables. Protections are needed.
fn list<'a>(root: &Section<'a>, key: &'static str, most: usize) -> Vec<Item<'a>> {
    let items = match root.get(key) {
        Some(item) if item.is_table() => {
            item.problem(
                "one table where a list was expected",
                format!("Write [[{key}]] with two brackets."),
            );
            return Vec::new();
        }
        Some(item) => match item.list(most, &format!("tables [[{key}]]")) {
            Some(items) => items,
            None => return Vec::new(),
        },
        None => Vec::new(),
    };
    if items.is_empty() && key == "protection" {
        root.problem(
            key,
            "missing",
            "Add at least one [[protection]] with the least number of candidates, k.",
        );
    }
    items
}
