//! What to look for, made from a report and the levels to be released; and the looking.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use tearline_model::report::{Detail, Report};
use tearline_model::value::Value;

use super::calendar::Calendar;
use super::dates::{self, Times};
use super::fold::{Script, Token, skeleton, skeletons, sound, stem, tokens, without_case};
use super::hosts::{self, Host};
use super::words::{ORDINARY, STOP};
use super::{Hit, Kind, numbers};

/// Most tokens that are taken together as one word or phrase.
const WINDOW: usize = 16;
/// Longest phrase that is looked for as one, in bytes of its folded form.
const PHRASE_BYTES: usize = 120;

/// Where something belongs.
#[derive(Clone, Copy, Debug)]
struct Target {
    detail: usize,
    level: u8,
    kind: Kind,
    /// Short names in capitals are only found in capitals.
    capitals: bool,
}

/// A range of numbers, prefix or name that is kept back, and the released one.
struct Hidden<T> {
    detail: usize,
    level: u8,
    value: T,
    released: Option<T>,
}

/// Everything that is kept back, ready to be looked for.
#[derive(Default)]
pub(super) struct Needles {
    /// Words and phrases by folded stem, tokens joined.
    phrases: HashMap<String, Target>,
    /// Two words with only small ones between them.
    pairs: HashMap<String, Target>,
    /// Words by their consonants.
    skeletons: HashMap<String, Target>,
    numbers: Vec<Hidden<(f64, f64)>>,
    /// Numbers that stand in released texts.
    said_numbers: Vec<f64>,
    times: Vec<(usize, Times)>,
    networks: Vec<Hidden<IpNet>>,
    domains: Vec<Hidden<String>>,
    small: Small,
}

/// What gives nothing away.
struct Known<'a> {
    small: &'a Small,
    calendar: &'a Calendar,
    /// What stands in released texts.
    said: &'a HashSet<String>,
}

impl Known<'_> {
    /// Whether a word says something by itself.
    fn is_telling(&self, word: &Token) -> bool {
        let is_date =
            self.calendar.month(&word.sound).is_some() || self.calendar.weekday(&word.sound).is_some();
        let is_short = word.sound.len() < 3 && !(word.is_capitals() && word.sound.len() > 1);
        word.script != Script::Digits
            && !numbers::is_word(&word.ascii)
            && !is_date
            && !is_short
            && !self.small.ordinary.contains(stem(&word.sound))
            && !self.small.is_stop(word)
    }
}

/// The words of the lists, folded.
#[derive(Default)]
struct Small {
    stop: HashSet<String>,
    ordinary: HashSet<String>,
}

impl Small {
    fn new() -> Self {
        let fold = |words: &[&str]| {
            let all = words.iter().flat_map(|word| tokens(word));
            all.map(|token| stem(&token.sound).to_owned()).collect()
        };
        Self { stop: fold(STOP), ordinary: fold(ORDINARY) }
    }

    fn is_stop(&self, token: &Token) -> bool {
        !token.is_capitals() && self.stop.contains(stem(&token.sound))
    }
}

impl Needles {
    pub(super) fn new(report: &Report, released: &[u8], calendar: &Calendar) -> Self {
        let small = Small::new();
        let mut needles = Self::default();
        let level = |index: usize, detail: &Detail| {
            usize::from(released.get(index).copied().unwrap_or(0)).min(detail.levels.len())
        };
        // What is said anyway gives nothing away.
        let mut said = HashSet::new();
        for (index, detail) in report.details.iter().enumerate() {
            for given in &detail.levels[..level(index, detail)] {
                needles.say(&given.text, &small, &mut said);
                match &given.value {
                    Value::Place(names) => names.iter().for_each(|name| needles.say(name, &small, &mut said)),
                    Value::Text(text) => needles.say(text, &small, &mut said),
                    _ => {}
                }
            }
        }
        let known = Known { small: &small, calendar, said: &said };
        for (index, detail) in report.details.iter().enumerate() {
            needles.keep_back(index, detail, level(index, detail), &known);
        }
        needles.small = small;
        needles
    }

    fn say(&mut self, text: &str, small: &Small, said: &mut HashSet<String>) {
        let chars: Vec<char> = text.chars().collect();
        let tokens = tokens(text);
        windows(&tokens, |_, _, folded| {
            said.insert(stem(folded).to_owned());
        });
        pairs(&tokens, small, |_, _, folded| {
            said.insert(folded.to_owned());
        });
        let nothing = vec![false; tokens.len()];
        for number in numbers::find(&chars, &tokens, &nothing) {
            self.said_numbers.extend(number.values);
        }
    }

    fn keep_back(&mut self, index: usize, detail: &Detail, released: usize, known: &Known<'_>) {
        for (level, kept) in (1..=u8::MAX).zip(&detail.levels).skip(released) {
            let target = Target { detail: index, level, kind: Kind::Word, capitals: false };
            // A time is found by its value; its words are those of every text.
            let whole = (!matches!(kept.value, Value::Time(..))).then_some(Kind::Words);
            self.keep_words(&kept.text, target, whole, known);
            if let Value::Text(text) = &kept.value {
                self.keep_words(text, target, whole, known);
            }
        }
        let level = alias_level(detail);
        if level > released {
            let level = u8::try_from(level).expect("at most 254 levels");
            let target = Target { detail: index, level, kind: Kind::Alias, capitals: false };
            for alias in &detail.aliases {
                self.keep_words(alias, target, Some(Kind::Alias), known);
            }
        }
        self.keep_names(index, detail, released, known.said);
        self.keep_values(index, detail, released);
    }

    /// The words of a text: those that are not ordinary, alone; and as a whole and in pairs, as `whole`, if given.
    fn keep_words(&mut self, text: &str, target: Target, whole: Option<Kind>, known: &Known<'_>) {
        let add = |table: &mut HashMap<String, Target>, key: String, target: Target| {
            if !key.is_empty() && !known.said.contains(&key) {
                table.entry(key).or_insert(target);
            }
        };
        let tokens = tokens(text);
        if let Some(kind) = whole {
            let target = Target { kind, ..target };
            let meaning = |token: &Token| !known.small.is_stop(token);
            let from = tokens.iter().position(meaning).unwrap_or(0);
            let to = tokens.iter().rposition(meaning).map_or(tokens.len(), |last| last + 1);
            // Without small words around, unless nothing but one word is left.
            let core = if to - from < 2 { &tokens[..] } else { &tokens[from..to] };
            let joined: String = core.iter().map(|token| token.sound.as_str()).collect();
            let is_number = core.iter().all(|token| token.script == Script::Digits);
            if !is_number && (4..=PHRASE_BYTES).contains(&joined.len()) {
                add(&mut self.phrases, stem(&joined).to_owned(), target);
            }
            pairs(&tokens, known.small, |_, _, folded| add(&mut self.pairs, folded.to_owned(), target));
        }
        for word in compounds(text, &tokens) {
            if known.is_telling(&word) {
                let capitals = word.sound.len() <= 3 && word.is_capitals();
                let target = Target { capitals, ..target };
                add(&mut self.phrases, stem(&word.sound).to_owned(), target);
                add_skeleton(&mut self.skeletons, &word, target, known.said);
            }
        }
    }

    /// Aliases, and parts of places.
    fn keep_names(&mut self, index: usize, detail: &Detail, released: usize, said: &HashSet<String>) {
        let mut add = |name: &str, level: usize, kind: Kind| {
            let all = tokens(name);
            let articles =
                all.iter().take_while(|token| matches!(token.ascii.as_str(), "the" | "a" | "an")).count();
            let tokens = if articles < all.len() { &all[articles..] } else { &all[..] };
            let joined: String = tokens.iter().map(|token| token.sound.as_str()).collect();
            let key = stem(&joined).to_owned();
            if key.is_empty() || joined.len() > PHRASE_BYTES || said.contains(&key) {
                return;
            }
            let capitals = joined.len() <= 3 && tokens.iter().all(Token::is_capitals);
            let level = u8::try_from(level).expect("at most 254 levels");
            let target = Target { detail: index, level, kind, capitals };
            if let [token] = tokens {
                add_skeleton(&mut self.skeletons, token, target, said);
            }
            // A name is the more telling way to say why.
            self.phrases.insert(key, target);
        };
        for (level, kept) in detail.levels.iter().enumerate().skip(released).rev() {
            if let Value::Place(names) = &kept.value {
                for name in names {
                    add(name, level + 1, Kind::Place);
                }
            }
        }
        let level = alias_level(detail);
        if level > released {
            for alias in &detail.aliases {
                add(alias, level, Kind::Alias);
            }
        }
    }

    fn keep_values(&mut self, index: usize, detail: &Detail, released: usize) {
        let given = released.checked_sub(1).map(|last| &detail.levels[last].value);
        if let Some(times) = Times::new(detail, u8::try_from(released).expect("at most 254 levels")) {
            self.times.push((index, times));
        }
        for (level, kept) in (1..=u8::MAX).zip(&detail.levels).skip(released).rev() {
            match &kept.value {
                Value::Number(min, max) => {
                    let released = given.and_then(|value| match value {
                        Value::Number(min, max) => Some((*min, *max)),
                        _ => None,
                    });
                    self.numbers.push(Hidden { detail: index, level, value: (*min, *max), released });
                }
                Value::Network(network) => {
                    let released = given.and_then(|value| match value {
                        Value::Network(network) => Some(*network),
                        _ => None,
                    });
                    self.networks.push(Hidden { detail: index, level, value: *network, released });
                }
                Value::Domain(name) => {
                    let released = given.and_then(|value| match value {
                        Value::Domain(name) => Some(name.clone()),
                        _ => None,
                    });
                    self.domains.push(Hidden { detail: index, level, value: name.clone(), released });
                }
                Value::Text(_) | Value::Place(_) | Value::Time(..) => {}
            }
        }
    }

    /// Everything in a text that says more than is released.
    pub(super) fn find(&self, chars: &[char], calendar: &Calendar) -> Vec<Hit> {
        let text: String = chars.iter().collect();
        let tokens = tokens(&text);
        let mut hits = Vec::new();
        let mut taken = vec![false; tokens.len()];
        let span = |first: usize, end: usize| (tokens[first].start, tokens[end - 1].end);

        for (start, end, host) in hosts::find(chars) {
            let from = tokens.partition_point(|token| token.end <= start);
            let to = tokens.partition_point(|token| token.start < end);
            // A date is no host, but `9.3.24` is not read as one either; a network's parts are no numbers.
            if matches!(host, Host::Network(_)) {
                taken[from..to].fill(true);
            }
            let found = self.host(&host);
            hits.extend(found.map(|(detail, level, kind)| Hit { start, end, detail, level, kind }));
        }
        for found in dates::find(chars, &tokens, calendar) {
            if taken[found.first..found.end].iter().any(|taken| *taken) {
                continue;
            }
            let (start, end) = span(found.first, found.end);
            let before = hits.len();
            for (detail, times) in &self.times {
                if let Some(level) = times.level(&found) {
                    hits.push(Hit { start, end, detail: *detail, level, kind: Kind::Date });
                }
            }
            // `1.05` is a date only where it gives one away.
            if hits.len() > before || !found.may_be_number(&tokens) {
                taken[found.first..found.end].fill(true);
            }
        }
        for found in numbers::find(chars, &tokens, &taken) {
            let (start, end) = span(found.first, found.end);
            if let Some((detail, level)) = self.number(&found.values) {
                hits.push(Hit { start, end, detail, level, kind: Kind::Number });
            }
        }
        self.find_words(&tokens, &mut hits);
        hits
    }

    fn find_words(&self, tokens: &[Token], hits: &mut Vec<Hit>) {
        let mut push = |first: usize, end: usize, target: &Target| {
            let named = &tokens[first..end];
            if !target.capitals
                || named.iter().all(|token| token.is_capitals() || token.script == Script::Digits)
            {
                let (start, end) = (named[0].start, named[named.len() - 1].end);
                hits.push(Hit { start, end, detail: target.detail, level: target.level, kind: target.kind });
            }
        };
        windows(tokens, |first, end, folded| {
            let cut = (tokens[end - 1].script == Script::Cyrillic).then(|| without_case(folded)).flatten();
            // An ending is cut off the last word, never all of it.
            let before = if end - first > 1 {
                folded.len() - tokens[end - 1].sound.len().min(folded.len())
            } else {
                0
            };
            for key in std::iter::once(stem(folded)).chain(cut).filter(|key| key.len() > before) {
                if let Some(target) = self.phrases.get(key) {
                    push(first, end, target);
                }
            }
        });
        pairs(tokens, &self.small, |first, end, folded| {
            if let Some(target) = self.pairs.get(folded) {
                push(first, end, target);
            }
        });
        for (index, token) in tokens.iter().enumerate() {
            if token.script == Script::Consonants {
                for bones in skeletons(&token.raw) {
                    if let Some(target) = self.skeletons.get(&bones) {
                        push(index, index + 1, target);
                    }
                }
            } else if let Some(target) =
                skeleton(&token.ascii).and_then(|bones| self.skeletons.get(&format!("<{bones}")))
            {
                push(index, index + 1, target);
            }
        }
    }

    fn number(&self, values: &[f64]) -> Option<(usize, u8)> {
        let is = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
        let gives_away = |hidden: &&Hidden<(f64, f64)>, value: f64| {
            let (min, max) = hidden.value;
            let said = hidden.released.is_some_and(|(min, max)| is(value, min) || is(value, max))
                || self.said_numbers.iter().any(|said| is(value, *said));
            let narrow = max - min <= 0.5 * min.abs().max(max.abs());
            !said && (is(value, min) || is(value, max) || (narrow && min <= value && value <= max))
        };
        let found = self.numbers.iter().find(|hidden| values.iter().any(|value| gives_away(hidden, *value)));
        found.map(|hidden| (hidden.detail, hidden.level))
    }

    fn host(&self, host: &Host) -> Option<(usize, u8, Kind)> {
        match host {
            Host::Network(network) => {
                let gives_away = |hidden: &&Hidden<IpNet>| {
                    let overlap = hidden.value.contains(network) || network.contains(&hidden.value);
                    let said = hidden.released.is_some_and(|released| network.contains(&released));
                    overlap && !said && network.prefix_len() > 0
                };
                let found = self.networks.iter().find(gives_away);
                found.map(|hidden| (hidden.detail, hidden.level, Kind::Network))
            }
            Host::Domain(name) => {
                let within = |name: &str, wide: &str| {
                    name.strip_suffix(wide).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                };
                let gives_away = |hidden: &&Hidden<String>| {
                    let overlap = within(name, &hidden.value) || within(&hidden.value, name);
                    let said = hidden.released.as_ref().is_some_and(|released| within(released, name));
                    overlap && !said
                };
                let found = self.domains.iter().find(gives_away);
                found.map(|hidden| (hidden.detail, hidden.level, Kind::Domain))
            }
        }
    }
}

/// Aliases name one thing: the first level whose words have one of them says them all; otherwise the exact level does.
fn alias_level(detail: &Detail) -> usize {
    let fold = |text: &str| -> String { tokens(text).into_iter().map(|token| token.sound + "|").collect() };
    let aliases: Vec<String> =
        detail.aliases.iter().map(|alias| fold(alias)).filter(|a| !a.is_empty()).collect();
    let has = |text: &str| {
        let text = format!("|{}", fold(text));
        aliases.iter().any(|alias| text.contains(&format!("|{alias}")))
    };
    detail.levels.iter().position(|level| has(&level.text)).map_or(detail.levels.len(), |index| index + 1)
}

/// A word in a script without vowels is found by its consonants in any script; any other only in such a script, under
/// which it is kept with another key than the first.
fn add_skeleton(table: &mut HashMap<String, Target>, word: &Token, target: Target, said: &HashSet<String>) {
    if said.contains(stem(&word.sound)) {
        return;
    }
    if word.script == Script::Consonants {
        for bones in skeletons(&word.raw) {
            table.entry(format!("<{bones}")).or_insert(target);
            table.entry(bones).or_insert(target);
        }
    } else if word.ascii.len() >= 5
        && let Some(bones) = skeleton(&word.ascii)
    {
        table.entry(bones).or_insert(target);
    }
}

/// Every run of up to [`WINDOW`] tokens: the first, the one after the last, and their folded forms joined.
fn windows(tokens: &[Token], mut each: impl FnMut(usize, usize, &str)) {
    let mut joined = String::new();
    let mut looks = String::new();
    for first in 0..tokens.len() {
        joined.clear();
        looks.clear();
        let (mut differ, mut set_apart) = (false, true);
        for (end, token) in tokens.iter().enumerate().skip(first).take(WINDOW) {
            joined.push_str(&token.sound);
            looks.push_str(token.look.as_ref().unwrap_or(&token.sound));
            differ |= token.look.is_some();
            set_apart &= token.raw.chars().nth(2).is_none();
            if joined.len().min(looks.len()) > PHRASE_BYTES {
                break;
            }
            // Short words are joined by chance: `is` and `is` are not ISIS; `I S I S` is.
            let single = || tokens[first..=end].iter().all(|token| token.raw.chars().nth(1).is_none());
            let direct = || {
                tokens[first + 1..=end]
                    .iter()
                    .all(|token| token.joined || token.start - 1 <= tokens[end].start)
            };
            if end > first && joined.len() < 4 && !single() && !direct() {
                continue;
            }
            each(first, end + 1, &joined);
            // Where letters were set apart, two that stand for one sound come together only now.
            if end > first && set_apart {
                let again =
                    sound(&tokens[first..=end].iter().map(|token| token.ascii.as_str()).collect::<String>());
                if again != joined {
                    each(first, end + 1, &again);
                }
            }
            if differ {
                each(first, end + 1, &looks);
            }
        }
    }
}

/// Every two words that are no small ones, with only small ones between them.
fn pairs(tokens: &[Token], small: &Small, mut each: impl FnMut(usize, usize, &str)) {
    let mut before: Option<usize> = None;
    for (index, token) in tokens.iter().enumerate() {
        if token.script == Script::Digits || token.script == Script::Unspaced {
            before = None;
            continue;
        }
        if small.is_stop(token) || token.sound.len() < 2 {
            continue;
        }
        if let Some(first) = before {
            each(first, index + 1, &format!("{} {}", stem(&tokens[first].sound), stem(&token.sound)));
        }
        before = Some(index);
    }
}

/// The words of a text, those with a hyphen or digits in them as one and in their parts.
fn compounds(text: &str, parts: &[Token]) -> Vec<Token> {
    let mut words: Vec<Token> = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut first = 0;
    while first < parts.len() {
        let mut end = first + 1;
        while end < parts.len()
            && parts[end].script != Script::Unspaced
            && chars[parts[end - 1].end..parts[end].start].iter().all(|c| matches!(c, '-' | '‑' | '/' | '.'))
        {
            end += 1;
        }
        words.extend_from_slice(&parts[first..end]);
        if end > first + 1 {
            let mut whole = parts[first].clone();
            for part in &parts[first + 1..end] {
                whole.raw.push_str(&part.raw);
                whole.ascii.push_str(&part.ascii);
                whole.sound.push_str(&part.sound);
                whole.end = part.end;
                if part.script != Script::Digits {
                    whole.script = part.script;
                }
            }
            words.push(whole);
        }
        first = end;
    }
    words
}
