//! Numbers in a text, in any usual form.

use super::fold::Word;

/// A number that was found.
pub(super) struct Found {
    /// The first word.
    pub(super) at: usize,
    /// How many words.
    pub(super) many: usize,
    /// What it may mean.
    pub(super) value: f64,
}

const NAMES: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];

/// Every number that could be meant: 1,000 may be a thousand or one.
pub(super) fn find(words: &[Word], text: &str) -> Vec<Found> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for at in 0..words.len() {
        if let Some(value) = NAMES.iter().position(|name| *name == words[at].folded) {
            // "One" says hardly ever how many.
            if value > 1 {
                found.push(Found { at, many: 1, value: f64::from(u8::try_from(value).unwrap_or(0)) });
            }
            continue;
        }
        if !words[at].folded.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let mut digits = words[at].folded.clone();
        found.extend(value(&digits).map(|value| Found { at, many: 1, value }));
        // Groups of three: 1,000 and 1.000 and 1 000.
        let mut end = at;
        while let Some(next) = words.get(end + 1) {
            let gap = &characters[words[end].position + words[end].length..next.position];
            let group = next.folded.len() == 3 && next.folded.bytes().all(|byte| byte.is_ascii_digit());
            if !(group && gap.len() == 1 && matches!(gap[0], ',' | '.' | ' ' | '\u{a0}' | '\u{202f}' | '_')) {
                break;
            }
            digits.push_str(&next.folded);
            end += 1;
            found.extend(value(&digits).map(|value| Found { at, many: end - at + 1, value }));
        }
        // A fraction: 1.5 and 1,5.
        if let Some(next) = words.get(at + 1) {
            let gap = &characters[words[at].position + words[at].length..next.position];
            if matches!(gap, ['.' | ',']) && next.folded.bytes().all(|byte| byte.is_ascii_digit()) {
                let text = format!("{}.{}", words[at].folded, next.folded);
                found.extend(value(&text).map(|value| Found { at, many: 2, value }));
            }
        }
    }
    found
}

fn value(digits: &str) -> Option<f64> {
    digits.parse().ok()
}
