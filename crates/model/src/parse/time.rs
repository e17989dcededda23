//! ISO 8601 dates, weeks, hours and intervals as half-open intervals of time.

use jiff::civil::{Date, DateTime, ISOWeekDate, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, ToSpan};

/// The instants that a text stands for: from the first, up to and without the second. `offset` from UTC is that of
/// dates and times that state none. The error says what was expected.
///
/// An interval `A/B` ends with the end of B where B is a date (so `2024-03-07/2024-03-09` is three days), and at B
/// where B is a time of day. B may also be a duration (`PT48H`).
pub(super) fn interval(text: &str, offset: Offset) -> Result<(Timestamp, Timestamp), String> {
    let text = text.trim();
    let (from, to) = match text.split_once('/') {
        Some((from, to)) => between(from, to, offset)?,
        None => unit(text, offset).map(|unit| (unit.from, unit.to))?,
    };
    if from >= to {
        return Err("an interval that ends after it starts".to_owned());
    }
    Ok((from, to))
}

/// The interval between two texts, as after `from =` and `to =`.
pub(super) fn between(from: &str, to: &str, offset: Offset) -> Result<(Timestamp, Timestamp), String> {
    let from = unit(from.trim(), offset)?.from;
    let to = to.trim();
    if to.starts_with('P') {
        let error = || format!("a duration such as \"PT48H\" or \"P2D\", not \"{to}\"");
        let span: Span = to.parse().map_err(|_| error())?;
        let end = from.to_zoned(TimeZone::fixed(offset)).checked_add(span).map_err(|_| error())?;
        return Ok((from, end.timestamp()));
    }
    let to = unit(to, offset)?;
    Ok((from, if to.is_date { to.to } else { to.from }))
}

/// A year, month, week, day, hour, minute or second.
struct Unit {
    from: Timestamp,
    to: Timestamp,
    /// A day or longer.
    is_date: bool,
}

const EXPECTED: &str = "a date or time such as \"2024\", \"2024-03\", \"2024-W10\", \"2024-03-08\", \
                        \"2024-03-08T20\" or \"2024-03-08T20:00Z\"";

fn unit(text: &str, offset: Offset) -> Result<Unit, String> {
    parse_unit(text, offset).ok_or_else(|| format!("{EXPECTED}, or two of them joined by \"/\""))
}

fn parse_unit(text: &str, offset: Offset) -> Option<Unit> {
    if !text.is_ascii() {
        return None;
    }
    if let Some((date, time)) = text.split_once(['T', 't', ' ']) {
        return time_of_day(day(date)?, time, offset);
    }
    let (first, span) = match text.len() {
        4 => (Date::new(year(text)?, 1, 1).ok()?, 1.year()),
        7 => (Date::new(year(text)?, two(text.get(5..)?)?, 1).ok()?, 1.month()),
        8 if text[5..].starts_with(['W', 'w']) => {
            let week = ISOWeekDate::new(year(text)?, two(text.get(6..)?)?, Weekday::Monday).ok()?;
            (week.date(), 1.week())
        }
        10 => (day(text)?, 1.day()),
        _ => return None,
    };
    if text.len() > 4 && text.as_bytes()[4] != b'-' {
        return None;
    }
    let after = first.checked_add(span).ok()?;
    let at = |date: Date| offset.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok();
    Some(Unit { from: at(first)?, to: at(after)?, is_date: true })
}

/// `20`, `20:15` or `20:15:30` (a fraction of a second is dropped), with `Z` or an offset after it, or none.
fn time_of_day(date: Date, text: &str, mut offset: Offset) -> Option<Unit> {
    let mut clock = text;
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        (clock, offset) = (rest, Offset::UTC);
    } else if let Some(sign) = text.rfind(['+', '-']) {
        (clock, offset) = (&text[..sign], utc_offset(&text[sign..])?);
    }
    let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let mut parts = clock.split(':');
    let hour = two(parts.next()?)?;
    let minute = parts.next().map(two);
    let second = parts.next().map(two);
    if parts.next().is_some() {
        return None;
    }
    let length = match (minute, second) {
        (None, _) => 1.hour(),
        (_, None) => 1.minute(),
        _ => 1.second(),
    };
    let start = DateTime::new(
        date.year(),
        date.month(),
        date.day(),
        hour,
        minute.unwrap_or(Some(0))?,
        second.unwrap_or(Some(0))?,
        0,
    );
    let from = offset.to_timestamp(start.ok()?).ok()?;
    Some(Unit { from, to: from.checked_add(length).ok()?, is_date: false })
}

/// `+03:00`, `-05:30`, `+03` or `Z`.
pub(super) fn utc_offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    if !text.is_ascii() {
        return None;
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':').unwrap_or((&text[1..], "00"));
    let (hours, minutes) = (i32::from(two(hours)?), i32::from(two(minutes)?));
    if hours > 18 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    Date::new(year(text)?, two(&text[5..7])?, two(&text[8..])?).ok()
}

fn year(text: &str) -> Option<i16> {
    let digits = text.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn two(text: &str) -> Option<i8> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, from: &str, to: &str) {
        let expected = (from.parse().expect("a time"), to.parse().expect("a time"));
        assert_eq!(interval(text, Offset::UTC), Ok(expected), "{text}");
    }

    #[test]
    fn a_date_is_the_whole_of_it() {
        check("2024", "2024-01-01T00:00Z", "2025-01-01T00:00Z");
        check("2024-02", "2024-02-01T00:00Z", "2024-03-01T00:00Z");
        check("2024-W10", "2024-03-04T00:00Z", "2024-03-11T00:00Z");
        check("2020-W53", "2020-12-28T00:00Z", "2021-01-04T00:00Z");
        check("2024-03-08", "2024-03-08T00:00Z", "2024-03-09T00:00Z");
        check("2024-03-08T20", "2024-03-08T20:00Z", "2024-03-08T21:00Z");
        check("2024-03-08T20:15Z", "2024-03-08T20:15Z", "2024-03-08T20:16Z");
        check("2024-03-08 20:15:30.5+03:00", "2024-03-08T17:15:30Z", "2024-03-08T17:15:31Z");
        check("2024-03-08T20-05", "2024-03-09T01:00Z", "2024-03-09T02:00Z");
    }

    #[test]
    fn an_interval_includes_the_last_day_but_not_the_last_instant() {
        check("2024-03-07/2024-03-09", "2024-03-07T00:00Z", "2024-03-10T00:00Z");
        check("2024-03-07T17:00Z/2024-03-09T17:00Z", "2024-03-07T17:00Z", "2024-03-09T17:00Z");
        check("2024-03-07T17:00Z/PT48H", "2024-03-07T17:00Z", "2024-03-09T17:00Z");
        check("2024-02-28/P2D", "2024-02-28T00:00Z", "2024-03-01T00:00Z");
    }

    #[test]
    fn dates_without_an_offset_take_the_given_one() {
        let moscow = utc_offset("+03:00").expect("an offset");
        let (from, _) = interval("2024-03-08", moscow).expect("a day");
        assert_eq!(from.to_string(), "2024-03-07T21:00:00Z");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "/",
            "24-03",
            "2024-13",
            "2024-W54",
            "2023-W53",
            "2024-02-30",
            "2024-03-08T25",
            "2024-03-08T",
            "2024-03-08T20:15:30:1",
            "2024-03-09/2024-03-07",
            "2024-03/P",
            "2024/-P2D",
            "20２4",
            "2024x03",
            "+024",
            "2024-03-08T20+99",
            "9999-12-31",
            "2024-03-07/P99999999Y",
            "2024-W1é",
            "tomorrow",
        ] {
            assert!(interval(text, Offset::UTC).is_err(), "{text}");
        }
    }
}
