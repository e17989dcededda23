//! Dates, ranges of dates, days of the week and times of day in a text, and whether they say more than may be said.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _, civil};
use tearline_model::report::{Cell, Detail};
use tearline_model::value::Value;

use super::calendar::Calendar;
use super::fold::{Script, Token};

/// A month and perhaps a day, perhaps of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    year: Option<i16>,
    month: i8,
    of_month: Option<i8>,
}

/// One reading of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// From a day to a day, both included.
    Days(Day, Day),
    /// A week by its number (ISO 8601).
    Week(i16, i8),
    /// A day of the week, Monday 1.
    Weekday(i8),
    /// A time of day: hour, minute.
    Clock(i8, i8),
}

/// An expression and the ways to read it.
pub(super) struct Found {
    /// Index of its first token.
    pub(super) first: usize,
    /// Index after its last.
    pub(super) end: usize,
    pub(super) readings: Vec<Reading>,
    /// Written as the end, or the start, of a range whose other end is not here.
    pub(super) announced: Option<Side>,
}

impl Found {
    /// Whether it is nothing but two numbers.
    pub(super) fn may_be_number(&self, tokens: &[Token]) -> bool {
        let days = matches!(self.readings[..], [Reading::Days(..), ..]);
        days && self.end - self.first == 2
            && tokens[self.first + 1].script == Script::Digits
            && tokens[self.first].script == Script::Digits
    }
}

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Start,
    End,
}

/// The expressions of a text.
pub(super) fn find(chars: &[char], tokens: &[Token], calendar: &Calendar) -> Vec<Found> {
    let text = Text { chars, tokens, calendar };
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some((end, readings)) = text.expression(at) else {
            at += 1;
            continue;
        };
        let announced = at.checked_sub(1).and_then(|before| {
            let word = &tokens[before].sound;
            if calendar.announces_end(word) {
                Some(Side::End)
            } else {
                calendar.announces_start(word).then_some(Side::Start)
            }
        });
        // Two dates with nothing but a joining word between them are one range.
        if let Some(before) = found.last_mut()
            && let [Reading::Days(first, _), ..] = before.readings[..]
            && let [Reading::Days(_, last), ..] = readings[..]
            && text.is_joint(before.end, at)
        {
            let year = first.year.or(last.year);
            before.readings = vec![Reading::Days(Day { year, ..first }, last)];
            before.end = end;
            before.announced = None;
        } else {
            found.push(Found { first: at, end, readings, announced });
        }
        at = end;
    }
    found
}

struct Text<'a> {
    chars: &'a [char],
    tokens: &'a [Token],
    calendar: &'a Calendar,
}

impl Text<'_> {
    fn number(&self, index: usize) -> Option<u32> {
        self.tokens.get(index)?.number()
    }

    fn small(&self, index: usize, most: u32) -> Option<i8> {
        let token = self.tokens.get(index)?;
        let number = self.number(index).filter(|n| *n <= most && token.ascii.len() <= 2)?;
        i8::try_from(number).ok()
    }

    /// A year of four digits, or of two where `short` allows it.
    fn year(&self, index: usize, short: bool) -> Option<i16> {
        let number = i16::try_from(self.number(index)?).ok()?;
        match self.tokens[index].ascii.len() {
            4 if (1900..2200).contains(&number) => Some(number),
            2 if short => Some(2000 + number),
            _ => None,
        }
    }

    /// What stands between a token and the one before.
    fn gap(&self, index: usize) -> &[char] {
        match (index.checked_sub(1).map(|before| self.tokens[before].end), self.tokens.get(index)) {
            (Some(from), Some(token)) => &self.chars[from..token.start],
            _ => &[],
        }
    }

    fn mark(&self, index: usize, marks: &[char]) -> Option<char> {
        match self.gap(index) {
            [mark] if marks.contains(mark) => Some(*mark),
            _ => None,
        }
    }

    fn is_near(&self, index: usize) -> bool {
        self.gap(index)
            .iter()
            .all(|c| c.is_whitespace() || matches!(c, ',' | '.' | '-' | '–' | '—' | '\'' | '’'))
    }

    fn month(&self, index: usize) -> Option<i8> {
        self.tokens.get(index).and_then(|token| self.calendar.month(&token.sound))
    }

    /// After a day's number: `st`, `nd`, `rd`, `th`, `of`, and the like.
    fn after_day(&self, mut index: usize) -> usize {
        for _ in 0..2 {
            let ascii = self.tokens.get(index).map_or("", |token| token.ascii.as_str());
            if matches!(ascii, "st" | "nd" | "rd" | "th" | "of" | "de" | "er" | "go" | "e" | "the") {
                index += 1;
            }
        }
        index
    }

    /// Whether what lies between two expressions only joins them: a dash, or a joining word.
    fn is_joint(&self, end: usize, start: usize) -> bool {
        match start - end {
            0 => self.gap(start).iter().any(|c| matches!(c, '-' | '–' | '—' | '/')),
            1 => self.calendar.joins(&self.tokens[end].sound),
            _ => false,
        }
    }

    /// The expression that starts at a token, and the index after it.
    fn expression(&self, at: usize) -> Option<(usize, Vec<Reading>)> {
        self.numeric(at)
            .or_else(|| self.day_month(at))
            .or_else(|| self.month_day(at))
            .or_else(|| self.clock(at))
            .or_else(|| {
                let weekday = self.calendar.weekday(&self.tokens[at].sound)?;
                Some((at + 1, vec![Reading::Weekday(weekday)]))
            })
    }

    /// `2024-03-09`, `2024-W10`, `20240309`, `09.03.2024`, `3/9/24`, `9.3.`.
    fn numeric(&self, at: usize) -> Option<(usize, Vec<Reading>)> {
        if self.tokens[at].script != Script::Digits {
            return None;
        }
        let one = |year, month: i8, day: i8| {
            let day = Day { year, month, of_month: Some(day) };
            ((1..=12).contains(&day.month) && (1..=31).contains(&day.of_month.unwrap_or_default()))
                .then_some(Reading::Days(day, day))
        };
        if self.tokens[at].ascii.len() == 8 {
            let digits = &self.tokens[at].ascii;
            let reading =
                one(digits[..4].parse().ok(), digits[4..6].parse().ok()?, digits[6..].parse().ok()?)?;
            return (digits.starts_with("19") || digits.starts_with("20")).then(|| (at + 1, vec![reading]));
        }
        if let Some(year) = self.year(at, false) {
            if self.tokens.get(at + 1).is_some_and(|token| token.ascii == "w" && self.is_near(at + 1))
                && let Some(week) = self.small(at + 2, 53)
            {
                return Some((at + 3, vec![Reading::Week(year, week)]));
            }
            let mark = self.mark(at + 1, &['-', '.', '/', '‑', '–'])?;
            let month = self.small(at + 1, 12)?;
            if self.mark(at + 2, &[mark]).is_some()
                && let Some(day) = self.small(at + 2, 31)
            {
                return Some((at + 3, vec![one(Some(year), month, day)?]));
            }
            let whole = Day { year: Some(year), month, of_month: None };
            return (mark == '-' && month > 0).then(|| (at + 2, vec![Reading::Days(whole, whole)]));
        }
        let (a, mark) = (self.small(at, 31)?, self.mark(at + 1, &['.', '/', '-', '‑'])?);
        let b = self.small(at + 1, 31)?;
        let third = self.mark(at + 2, &[mark]).and_then(|_| self.year(at + 2, true));
        if third.is_none() && matches!(mark, '-' | '‑') {
            return None;
        }
        let mut readings: Vec<Reading> = [one(third, b, a), one(third, a, b)].into_iter().flatten().collect();
        readings.dedup();
        (!readings.is_empty()).then(|| (at + if third.is_some() { 3 } else { 2 }, readings))
    }

    /// `9 March 2024`, `the 9th of March`, `7–9 March`, `7 to 9 March`.
    fn day_month(&self, at: usize) -> Option<(usize, Vec<Reading>)> {
        let first = self.small(at, 31).filter(|day| *day > 0)?;
        let mut next = self.after_day(at + 1);
        let mut last = first;
        let dash = self.gap(next).iter().any(|c| matches!(c, '-' | '–' | '—' | '/'));
        let word = self.tokens.get(next).is_some_and(|token| self.calendar.joins(&token.sound));
        let second = next + usize::from(word);
        if (dash || word)
            && let Some(day) = self.small(second, 31).filter(|day| *day >= first)
            && self.month(self.after_day(second + 1)).is_some()
        {
            last = day;
            next = self.after_day(second + 1);
        }
        let month = self.month(next).filter(|_| self.is_near(next))?;
        let (end, year) = self.trailing_year(next + 1);
        Some((end, vec![days(year, month, first, last)]))
    }

    /// `March 9th, 2024`, `March 7–9`, `March 2024`, `March`.
    fn month_day(&self, at: usize) -> Option<(usize, Vec<Reading>)> {
        let month = self.month(at)?;
        let mut next = at + 1;
        if self.tokens.get(next).is_some_and(|token| token.ascii == "the") {
            next += 1;
        }
        let Some(first) = self.small(next, 31).filter(|day| *day > 0 && self.is_near(next)) else {
            // A month alone; `may` and `mar` need a year or a capital to be one.
            let (end, year) = self.trailing_year(at + 1);
            let raw = &self.tokens[at].raw;
            let certain = year.is_some() || (raw.chars().count() > 3 && raw.chars().all(char::is_alphabetic));
            let is_name = raw.chars().next().is_some_and(|c| c.is_uppercase() || !c.is_lowercase())
                || self.tokens[at].script != Script::Other;
            let whole = Day { year, month, of_month: None };
            return (certain && is_name).then(|| (end, vec![Reading::Days(whole, whole)]));
        };
        let mut last = first;
        let mut next = self.after_day(next + 1);
        let dash = self.gap(next).iter().any(|c| matches!(c, '-' | '–' | '—'));
        let word = self.tokens.get(next).is_some_and(|token| self.calendar.joins(&token.sound));
        let second = next + usize::from(word);
        if (dash || word)
            && let Some(day) = self.small(second, 31).filter(|day| *day >= first)
            && self.month(self.after_day(second + 1)).is_none()
        {
            last = day;
            next = self.after_day(second + 1);
        }
        let (end, year) = self.trailing_year(next);
        Some((end, vec![days(year, month, first, last)]))
    }

    fn trailing_year(&self, index: usize) -> (usize, Option<i16>) {
        let year = self.year(index, self.gap(index).contains(&'\'')).filter(|_| self.is_near(index));
        (index + usize::from(year.is_some()), year)
    }

    /// `20:15`, `8 pm`, `8.30 p.m.`, `2015 hrs`, `20 Uhr`, `8 o'clock`.
    fn clock(&self, at: usize) -> Option<(usize, Vec<Reading>)> {
        if self.tokens[at].ascii.len() == 4
            && let Some(number) = self.number(at)
            && self
                .tokens
                .get(at + 1)
                .is_some_and(|token| matches!(token.ascii.as_str(), "hrs" | "hours" | "h"))
        {
            let (hour, minute) = (i8::try_from(number / 100).ok()?, i8::try_from(number % 100).ok()?);
            return (hour < 24 && minute < 60).then(|| (at + 2, vec![Reading::Clock(hour, minute)]));
        }
        let hour = self.small(at, 24)?;
        let colon = self.mark(at + 1, &[':', '.']);
        let minute = colon.and_then(|_| self.small(at + 1, 59));
        let next = at + 1 + usize::from(minute.is_some());
        let word = |index: usize| self.tokens.get(index).map_or("", |token| token.ascii.as_str());
        let (half, end) = match (word(next), word(next + 1)) {
            ("am", _) => (Some(0), next + 1),
            ("pm", _) => (Some(12), next + 1),
            ("a", "m") => (Some(0), next + 2),
            ("p", "m") => (Some(12), next + 2),
            ("uhr", _) => (None, next + 1),
            ("o", "clock") => (None, next + 2),
            _ if colon == Some(':') && minute.is_some() && self.tokens[at + 1].ascii.len() == 2 => {
                (None, next)
            }
            _ => return None,
        };
        let minute = minute.unwrap_or(0);
        let hours = match (half, word(next)) {
            (Some(half), _) => vec![hour % 12 + half],
            // Eight o'clock is either.
            (None, "o") if hour < 12 => vec![hour, hour + 12],
            (None, _) => vec![hour % 24],
        };
        Some((end, hours.into_iter().map(|hour| Reading::Clock(hour, minute)).collect()))
    }
}

fn days(year: Option<i16>, month: i8, first: i8, last: i8) -> Reading {
    Reading::Days(Day { year, month, of_month: Some(first) }, Day { year, month, of_month: Some(last) })
}

/// A detail about time: what may be said of it, and what not.
pub(super) struct Times {
    offset: Offset,
    /// The released interval, if any is.
    released: Option<(Timestamp, Timestamp)>,
    /// The levels kept back with their intervals, exact ones first.
    hidden: Vec<(u8, Timestamp, Timestamp)>,
}

impl Times {
    /// `None` if nothing about time is kept back.
    pub(super) fn new(detail: &Detail, released: u8) -> Option<Self> {
        let interval = |value: &Value| match value {
            Value::Time(from, to) => Some((*from, *to)),
            _ => None,
        };
        let kept = usize::from(released).min(detail.levels.len());
        let said = kept.checked_sub(1).and_then(|last| interval(&detail.levels[last].value));
        let hidden: Vec<_> = (1..=u8::MAX)
            .zip(&detail.levels)
            .skip(kept)
            .rev()
            .filter_map(|(number, level)| interval(&level.value).map(|(from, to)| (number, from, to)))
            .filter(|(_, from, to)| said != Some((*from, *to)))
            .collect();
        let offset = detail.levels.iter().find_map(offset).unwrap_or(Offset::UTC);
        (!hidden.is_empty()).then_some(Self { offset, released: said, hidden })
    }

    /// The most exact level kept back that an expression gives away.
    pub(super) fn level(&self, found: &Found) -> Option<u8> {
        self.hidden.iter().find(|hidden| self.gives_away(found, hidden)).map(|(level, ..)| *level)
    }

    fn gives_away(&self, found: &Found, &(_, from, to): &(u8, Timestamp, Timestamp)) -> bool {
        let length = seconds(from, to);
        found.readings.iter().any(|reading| {
            if matches!(reading, Reading::Clock(..)) && length > 12 * 3600 {
                return false;
            }
            let meant = self.meant(*reading, from, to);
            let says_more = |&(start, end): &(Timestamp, Timestamp)| {
                let overlaps = start < to && from < end;
                let near = matches!(reading, Reading::Clock(..)) || seconds(start, end) <= 2 * length;
                let more = self.released.is_none_or(|(said_from, said_to)| {
                    let covers = start <= said_from && said_to <= end;
                    let at_end = match (reading, found.announced) {
                        (Reading::Clock(..), _) => start == said_from || start == said_to,
                        (_, Some(Side::End)) => end == said_to,
                        (_, Some(Side::Start)) => start == said_from,
                        (_, None) => false,
                    };
                    !covers && !at_end && seconds(start, end) < seconds(said_from, said_to)
                });
                overlaps && near && more
            };
            meant.iter().any(says_more)
        })
    }

    /// The intervals that a reading may mean, near a given one.
    fn meant(&self, reading: Reading, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let zone = TimeZone::fixed(self.offset);
        let first = from.to_zoned(zone.clone()).date();
        let last = to.to_zoned(zone).date();
        let at = |date: Date| self.offset.to_timestamp(date.to_datetime(civil::Time::midnight())).ok();
        let between = |from: Date, to: Date| Some((at(from)?, at(to)?)).filter(|(from, to)| from < to);
        // The days from the first to the last, if they are few.
        let each = |most: i32| {
            let days = (last - first).get_days();
            let days = if days > most { -1 } else { days };
            (0..=days).filter_map(move |day| first.checked_add(day.days()).ok())
        };
        match reading {
            Reading::Days(start, end) => {
                let years = match start.year.or(end.year) {
                    Some(year) => year..=year,
                    None => first.year()..=last.year().min(first.year().saturating_add(10)),
                };
                let one = |year: i16| {
                    let from = Date::new(year, start.month, start.of_month.unwrap_or(1)).ok()?;
                    let year =
                        end.year.unwrap_or(if end.month < start.month { year.checked_add(1)? } else { year });
                    let to = match end.of_month {
                        Some(day) => Date::new(year, end.month, day).ok()?.checked_add(1.day()).ok()?,
                        None => Date::new(year, end.month, 1).ok()?.checked_add(1.month()).ok()?,
                    };
                    between(from, to)
                };
                years.filter_map(one).collect()
            }
            Reading::Week(year, week) => ISOWeekDate::new(year, week, Weekday::Monday)
                .ok()
                .and_then(|start| between(start.date(), start.date().checked_add(7.days()).ok()?))
                .into_iter()
                .collect(),
            Reading::Weekday(number) => each(7)
                .filter(|date| date.weekday().to_monday_one_offset() == number)
                .filter_map(|date| between(date, date.checked_add(1.day()).ok()?))
                .collect(),
            Reading::Clock(hour, minute) => each(2)
                .filter_map(|date| {
                    let start = self.offset.to_timestamp(date.at(hour, minute, 0, 0)).ok()?;
                    let length = if minute == 0 { 1.hour() } else { 1.minute() };
                    Some((start, start.checked_add(length).ok()?))
                })
                .collect(),
        }
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

/// The offset from UTC in which a level was written. The report keeps instants only; its key has the written time, and
/// whole days begin at midnight.
fn offset(level: &tearline_model::report::Level) -> Option<Offset> {
    let Value::Time(from, to) = level.value else { return None };
    let instant = from.to_zoned(TimeZone::UTC).datetime();
    if let Cell::Text(key) = &level.key {
        let start = key.split('/').next().unwrap_or_default();
        let date = start.get(..10).and_then(|date| date.parse::<Date>().ok());
        let plain = !start.ends_with(['Z', 'z']) && !start.get(10..).unwrap_or_default().contains(['+', '-']);
        if let (Some(date), true) = (date, plain) {
            let time = start.get(11..).unwrap_or_default();
            let part = |at: usize| time.get(at..at + 2).map_or(Some(0), |digits| digits.parse().ok());
            let written = date.at(part(0)?, part(3)?, part(6)?, 0);
            let apart = written.duration_since(instant).as_secs();
            return Offset::from_seconds(i32::try_from(apart).ok()?).ok();
        }
    }
    let into_day = i32::from(instant.hour()) * 3600 + i32::from(instant.minute()) * 60;
    (seconds(from, to) % 86_400 == 0)
        .then(|| Offset::from_seconds(if into_day > 43_200 { 86_400 - into_day } else { -into_day }).ok())?
}
