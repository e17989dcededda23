//! Days and times of day in a text, in any usual form.

use super::fold::Word;
use jiff::{Timestamp, civil};

/// A day or time that was found.
pub(super) struct Found {
    /// The first word.
    pub(super) at: usize,
    /// How many words.
    pub(super) many: usize,
    /// Day of the month.
    day: i8,
    /// Month, from 1.
    month: i8,
    /// The year, if it is said.
    year: Option<i16>,
}

/// Names of months by their first letters, folded: English, German, French, Spanish, Russian, Ukrainian, Turkish, Arabic.
const MONTHS: [&[&str]; 12] = [
    &[
        "january", "jan", "januar", "janvier", "enero", "ianvaria", "yanvarya", "yanvar", "sichnia", "ocak",
        "ynayr", "janeiro", "gennaio",
    ],
    &[
        "february",
        "feb",
        "februar",
        "fevrier",
        "febrero",
        "fevralia",
        "fevralya",
        "fevral",
        "liutogo",
        "subat",
        "fbrayr",
        "fevereiro",
        "febbraio",
    ],
    &["march", "mar", "marz", "maerz", "mars", "marzo", "marta", "mart", "bereznia", "mars", "marco"],
    &["april", "apr", "avril", "abril", "aprelia", "aprelya", "aprel", "kvitnia", "nisan", "abryl", "aprile"],
    &["may", "mai", "mayo", "maia", "maya", "travnia", "mayis", "maio", "maggio"],
    &[
        "june", "jun", "juni", "juin", "junio", "iunia", "iyunya", "iyun", "chervnia", "haziran", "ywnyw",
        "junho", "giugno",
    ],
    &[
        "july", "jul", "juli", "juillet", "julio", "iulia", "iyulya", "iyul", "lipnia", "temmuz", "ywlyw",
        "julho", "luglio",
    ],
    &["august", "aug", "aout", "agosto", "avgusta", "avgust", "serpnia", "agustos", "aghsts"],
    &[
        "september",
        "sep",
        "sept",
        "septembre",
        "septiembre",
        "sentiabria",
        "sentyabrya",
        "sentyabr",
        "veresnia",
        "eylul",
        "sbtmbr",
        "setembro",
        "settembre",
    ],
    &[
        "october",
        "oct",
        "oktober",
        "okt",
        "octobre",
        "octubre",
        "oktiabria",
        "oktyabrya",
        "oktyabr",
        "zhovtnia",
        "ekim",
        "aktwbr",
        "outubro",
        "ottobre",
    ],
    &[
        "november",
        "nov",
        "novembre",
        "noviembre",
        "noiabria",
        "noyabrya",
        "noyabr",
        "listopada",
        "kasim",
        "nwfmbr",
        "novembro",
    ],
    &[
        "december",
        "dec",
        "dezember",
        "dez",
        "decembre",
        "diciembre",
        "dekabria",
        "dekabrya",
        "dekabr",
        "grudnia",
        "aralik",
        "dysmbr",
        "dezembro",
        "dicembre",
    ],
];

fn month(word: &Word) -> Option<i8> {
    let at = MONTHS.iter().position(|names| names.contains(&word.folded.as_str()))?;
    i8::try_from(at + 1).ok()
}

fn day(word: &Word) -> Option<i8> {
    let digits = word.folded.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = &word.folded[digits.len()..];
    let usual = matches!(ending, "" | "st" | "nd" | "rd" | "th" | "go" | "e" | "er" | "o");
    digits.parse().ok().filter(|day| usual && (1..=31).contains(day))
}

fn year(word: &Word) -> Option<i16> {
    let year: i16 = word.folded.parse().ok()?;
    match word.folded.len() {
        4 => (1900..2200).contains(&year).then_some(year),
        2 => Some(2000 + year),
        _ => None,
    }
}

/// Every day that could be meant.
pub(super) fn find(words: &[Word]) -> Vec<Found> {
    let mut found = Vec::new();
    for at in 0..words.len() {
        // 20240309
        if words[at].folded.len() == 8
            && let Ok(number) = words[at].folded.parse::<i32>()
        {
            let part = |value: i32| i8::try_from(value).unwrap_or(0);
            let year = i16::try_from(number / 10_000).ok();
            found.push(Found { at, many: 1, day: part(number % 100), month: part(number / 100 % 100), year });
        }
        let Some([one, two]) = words.get(at..at + 2) else { continue };
        let third = words.get(at + 2).filter(|word| word.position <= two.position + two.length + 5);
        let with_year = |words: usize| {
            (third.and_then(year), if third.and_then(year).is_some() { words + 1 } else { words })
        };
        let small = |word: &Word| word.folded.parse::<i8>().ok();
        if let (Some(day), Some(month)) = (day(one), month(two)) {
            let (year, many) = with_year(2);
            found.push(Found { at, many, day, month, year });
        } else if let (Some(month), Some(day)) = (month(one), day(two)) {
            let (year, many) = with_year(2);
            found.push(Found { at, many, day, month, year });
        } else if two.position == one.position + one.length + 1 {
            // 9.3.24, 3/9/24 and 2024-03-09: which is the day is not known, so both are.
            if let (Some(a), Some(b)) = (small(one), small(two)) {
                let (year, many) = with_year(2);
                for (day, month) in [(a, b), (b, a)] {
                    found.push(Found { at, many, day, month, year });
                }
            }
            if let (Some(year), Some(month), Some(day)) =
                (year(one).filter(|_| one.folded.len() == 4), small(two), third.and_then(small))
            {
                found.push(Found { at, many: 3, day, month, year: Some(year) });
            }
        }
        // "of March": 9th of March
        if two.folded == "of"
            && let (Some(day), Some(month)) = (day(one), words.get(at + 2).and_then(month))
        {
            found.push(Found { at, many: 3, day, month, year: None });
        }
    }
    found
}

impl Found {
    /// Whether the day may touch an interval, in whatever time zone.
    pub(super) fn within(&self, from: Timestamp, to: Timestamp) -> bool {
        let zone = jiff::tz::TimeZone::UTC;
        let (first, last) = (from.to_zoned(zone.clone()).date(), to.to_zoned(zone.clone()).date());
        let years = self.year.map_or_else(|| first.year()..=last.year(), |year| year..=year);
        years.into_iter().any(|year| {
            let Ok(date) = civil::Date::new(year, self.month, self.day) else { return false };
            let Ok(noon) = date.at(12, 0, 0, 0).to_zoned(zone.clone()) else { return false };
            // A day begins up to 14 hours earlier or 12 later than in UTC; its noon tells it well enough, and a day that
            // only ends where the interval begins is not in it.
            from <= noon.timestamp() && noon.timestamp() < to
        })
    }
}
