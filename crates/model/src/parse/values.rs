//! Values of levels by the type of their detail, and the key that each has by default.

use ipnet::IpNet;
use jiff::tz::Offset;
use toml::de::DeValue;

use super::reader::{Item, quoted};
use super::{limits, time};
use crate::report::Cell;
use crate::value::Value;

/// Whole numbers up to this are exact as decimal numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The type of a detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Place,
    Time,
    Number,
    Network,
    Domain,
}

/// The types by their names in the file.
pub(super) const TYPES: &[(&str, Type)] = &[
    ("text", Type::Text),
    ("place", Type::Place),
    ("time", Type::Time),
    ("number", Type::Number),
    ("network", Type::Network),
    ("domain", Type::Domain),
];

impl Type {
    /// What to write for a value of this type.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Text => "Write text in quotes.",
            Self::Place => "Write the names from the widest to the narrowest: [\"RU\", \"Moscow\"].",
            Self::Time => {
                "Write a date, month, week or hour (\"2024-03-08\", \"2024-03\", \"2024-W10\", \"2024-03-08T20\") or \
                 {from = \"…\", to = \"…\"}."
            }
            Self::Number => "Write a number or {from = 10, to = 20}.",
            Self::Network => "Write a prefix or an address: \"10.0.0.0/8\".",
            Self::Domain => "Write a domain name: \"example.org\".",
        }
    }

    /// Reads a value; with it comes its default key.
    pub(super) fn read(self, item: &Item<'_>, offset: Offset) -> Option<(Value, Cell)> {
        match self {
            Self::Text => item.text().map(|text| (Value::Text(text.clone()), Cell::Text(text))),
            Self::Place => place(item),
            Self::Time => period(item, offset),
            Self::Number => number(item),
            Self::Network => network(item),
            Self::Domain => domain(item),
        }
    }
}

fn place(item: &Item<'_>) -> Option<(Value, Cell)> {
    let items = item.list_or_one(limits::LEVELS)?;
    let names: Vec<Option<String>> = items.iter().map(Item::text).collect();
    let names = names.into_iter().collect::<Option<Vec<_>>>()?;
    let Some(last) = names.last() else {
        item.problem("the place has no name", Type::Place.example());
        return None;
    };
    let key = Cell::Text(last.clone());
    Some((Value::Place(names), key))
}

fn period(item: &Item<'_>, offset: Offset) -> Option<(Value, Cell)> {
    let (interval, key) = if item.is_table() {
        let section = item.section("a time")?;
        let from = section.need("from", Type::Time.example());
        let to = section.need("to", Type::Time.example());
        section.close();
        let (from, to) = (written_time(&from?)?, written_time(&to?)?);
        (time::between(&from, &to, offset), format!("{from}/{to}"))
    } else {
        let text = written_time(item)?;
        (time::interval(&text, offset), text)
    };
    match interval {
        Ok((from, to)) if from < to => Some((Value::Time(from, to), Cell::Text(key))),
        Ok(_) => {
            item.expected(
                "an interval that ends after it starts",
                "Exchange the ends, or correct one of them.",
            );
            None
        }
        Err(expected) => {
            item.expected(&expected, Type::Time.example());
            None
        }
    }
}

/// Dates and times may be written with or without quotes.
fn written_time(item: &Item<'_>) -> Option<String> {
    match item.value() {
        DeValue::Datetime(value) => Some(value.to_string()),
        DeValue::String(text) => Some(text.trim().to_owned()),
        _ => {
            item.expected("a date or time", Type::Time.example());
            None
        }
    }
}

fn number(item: &Item<'_>) -> Option<(Value, Cell)> {
    if !item.is_table() {
        let number = item.number(-EXACT, EXACT)?;
        let key = item.as_integer().map_or(Cell::Real(number), Cell::Integer);
        return Some((Value::Number(number, number), key));
    }
    let section = item.section("a number")?;
    let from = section.need("from", Type::Number.example());
    let to = section.need("to", Type::Number.example());
    section.close();
    let (from, to) = (from?.number(-EXACT, EXACT)?, to?.number(-EXACT, EXACT)?);
    if from > to {
        item.problem(format!("the range runs from {from} down to {to}"), "Exchange its ends.");
        return None;
    }
    Some((Value::Number(from, to), Cell::Text(format!("{from}..{to}"))))
}

fn network(item: &Item<'_>) -> Option<(Value, Cell)> {
    let text = item.string("a network prefix in quotes")?.trim();
    let prefix =
        text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
    let Some(prefix) = prefix else {
        item.expected("a network prefix or an address", Type::Network.example());
        return None;
    };
    if prefix != prefix.trunc() {
        item.problem(
            format!("the address {} has bits set beyond its prefix length", quoted(text)),
            format!("Did you mean \"{}\"?", prefix.trunc()),
        );
        return None;
    }
    let whole = prefix.prefix_len() == prefix.max_prefix_len();
    let key = if whole { prefix.addr().to_string() } else { prefix.to_string() };
    Some((Value::Network(prefix), Cell::Text(key)))
}

fn domain(item: &Item<'_>) -> Option<(Value, Cell)> {
    let text = item.string("a domain name in quotes")?.trim();
    let name = text.strip_suffix('.').unwrap_or(text);
    // Strict about what may stand in a host name (UTS #46, UseSTD3ASCIIRules, VerifyDnsLength), but for the
    // underscore, which service names have.
    let ascii = (text.len() <= 1000)
        .then(|| idna::domain_to_ascii_cow(name.as_bytes(), idna::AsciiDenyList::URL).ok())
        .flatten()
        .filter(|ascii| {
            !ascii.is_empty()
                && ascii.len() <= 253
                && ascii.split('.').all(|label| (1..=63).contains(&label.len()))
                && ascii.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        });
    let Some(ascii) = ascii else {
        item.expected("a domain name", Type::Domain.example());
        return None;
    };
    Some((Value::Domain(ascii.to_string()), Cell::Text(ascii.into_owned())))
}

/// A scalar as a cell. Dates become text.
pub(super) fn cell(item: &Item<'_>) -> Option<Cell> {
    match item.value() {
        DeValue::String(text) => {
            if text.chars().nth(limits::TEXT_CHARS).is_some() {
                item.problem(format!("longer than {} characters", limits::TEXT_CHARS), "Shorten it.");
                return None;
            }
            Some(Cell::Text(text.to_string()))
        }
        DeValue::Boolean(value) => Some(Cell::Boolean(*value)),
        DeValue::Datetime(value) => Some(Cell::Text(value.to_string())),
        DeValue::Integer(_) => item.integer(i64::MIN, i64::MAX).map(Cell::Integer),
        DeValue::Float(_) => item.number(f64::MIN, f64::MAX).map(Cell::Real),
        DeValue::Array(_) | DeValue::Table(_) => {
            item.expected("a single value", "Write a number, true, false, or text in quotes.");
            None
        }
    }
}
