//! The check of free text: whether a headline or an instruction says what the levels do not.
//!
//! [`check`] reads an analyst's texts, in any language, against the report and the levels to be released, and flags what
//! gives away more: words and names of levels kept back, aliases, numbers, dates, places, addresses, also in another
//! script, disguised, or inflected. What it looks for, and what it cannot see, is in `docs/formats/text-check.md`.

mod calendar;
mod dates;
mod fold;
mod hosts;
mod needles;
mod numbers;
mod words;

use tearline_model::report::Report;

use self::calendar::Calendar;
use self::needles::Needles;

/// Characters of one text that are read; the rest is flagged as [`Kind::Unread`].
pub const TEXT_CHARS: usize = 1 << 20;

/// A free text of a release.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// What it is: `headline`, `description`, `instruction` …
    pub field: &'a str,
    /// Its language (RFC 5646), for the flag to name; the check itself goes by the script.
    pub language: &'a str,
    /// The text.
    pub text: &'a str,
}

/// What kind of thing gives something away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The words of a level, or an important part of them.
    Words,
    /// A single word of a level that is no ordinary one.
    Word,
    /// An alias of the detail.
    Alias,
    /// A part of a place.
    Place,
    /// A number.
    Number,
    /// A date, range, day of the week or time of day.
    Date,
    /// An address or a prefix.
    Network,
    /// A domain name.
    Domain,
    /// The text goes on beyond what is read.
    Unread,
}

impl Kind {
    /// Its name, for programs and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Word => "word",
            Self::Alias => "alias",
            Self::Place => "place",
            Self::Number => "number",
            Self::Date => "date",
            Self::Network => "network",
            Self::Domain => "domain",
            Self::Unread => "unread",
        }
    }
}

/// Something in a text that says more than is released. For the originator's eyes: it names what is kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The text's field.
    pub field: String,
    /// The text's language.
    pub language: String,
    /// Where it begins, in characters (Unicode scalar values) from 0.
    pub position: usize,
    /// How many characters it has.
    pub length: usize,
    /// The detail that it tells of; empty for [`Kind::Unread`].
    pub detail: String,
    /// The level that it gives away; above what is released.
    pub level: u8,
    /// What it is.
    pub kind: Kind,
    /// What stands there.
    pub matched: String,
}

/// Holds texts against the levels that an audience is to have: `released` gives one for each detail of the report, in its
/// order; a missing one counts as 0, nothing.
///
/// The flags come in the order of the texts and of position. Of two that overlap and tell of one detail only the longer is
/// given. Takes time in proportion to the texts, and to the report.
pub fn check(texts: &[Text<'_>], report: &Report, released: &[u8]) -> Vec<Flag> {
    let calendar = Calendar::new();
    let needles = Needles::new(report, released, &calendar);
    let mut flags = Vec::new();
    for text in texts {
        let mut chars: Vec<char> = text.text.chars().collect();
        let all = chars.len();
        chars.truncate(TEXT_CHARS);
        let mut hits = needles.find(&chars, &calendar);
        if all > chars.len() {
            hits.push(Hit { start: chars.len(), end: all, detail: usize::MAX, level: 0, kind: Kind::Unread });
        }
        flags.extend(most_telling(hits).into_iter().map(|hit| Flag {
            field: text.field.to_owned(),
            language: text.language.to_owned(),
            position: hit.start,
            length: hit.end - hit.start,
            detail: report.details.get(hit.detail).map_or_else(String::new, |detail| detail.id.clone()),
            level: hit.level,
            kind: hit.kind,
            matched: chars.get(hit.start..hit.end).map_or_else(String::new, |chars| chars.iter().collect()),
        }));
    }
    flags
}

/// Something found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hit {
    start: usize,
    end: usize,
    detail: usize,
    level: u8,
    kind: Kind,
}

/// Of overlapping hits of one detail the longest; of equally long ones the kind that comes first, then the highest level.
fn most_telling(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| {
        (hit.detail, hit.start, std::cmp::Reverse(hit.end), hit.kind, std::cmp::Reverse(hit.level))
    });
    let mut kept: Vec<Hit> = Vec::new();
    for hit in hits {
        match kept.last_mut() {
            Some(last) if last.detail == hit.detail && hit.start < last.end => {
                if hit.end - hit.start > last.end - last.start {
                    *last = hit;
                }
            }
            _ => kept.push(hit),
        }
    }
    kept.sort_by_key(|hit| (hit.start, hit.end, hit.detail));
    kept
}
