//! Numbers in a text, in any usual form: `1,000`, `1.000`, `1 000`, `1'000`, `3.5`, `2 thousand`, `five`, `a dozen`.

use super::fold::Token;

/// A number, or what it may be if its separators can be read in two ways.
pub(super) struct Found {
    /// Index of its first token.
    pub(super) first: usize,
    /// Index after its last token.
    pub(super) end: usize,
    /// What it may be.
    pub(super) values: Vec<f64>,
}

const WORDS: &[(&str, f64)] = &[
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("dozen", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("one", 1.0),
    ("zero", 0.0),
    ("hundred", 100.0),
    ("thousand", 1e3),
    ("million", 1e6),
];

const FACTORS: &[(&str, f64)] = &[
    ("hundred", 100.0),
    ("thousand", 1e3),
    ("k", 1e3),
    ("million", 1e6),
    ("mn", 1e6),
    ("billion", 1e9),
    ("bn", 1e9),
    ("tausend", 1e3),
    ("millionen", 1e6),
    ("mille", 1e3),
    ("tysach", 1e3),
    ("tysyach", 1e3),
    ("tys", 1e3),
    ("mln", 1e6),
    ("mil", 1e3),
    ("millones", 1e6),
];

/// Whether a word, in ASCII, is a number.
pub(super) fn is_word(ascii: &str) -> bool {
    WORDS.iter().chain(FACTORS).any(|(word, _)| *word == ascii)
}

/// The numbers of a text. `taken` are tokens that belong to something else.
pub(super) fn find(chars: &[char], tokens: &[Token], taken: &[bool]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let first = at;
        at += 1;
        if taken[first] {
            continue;
        }
        let token = &tokens[first];
        let mut values: Vec<f64> =
            if token.number().is_some() || token.ascii.bytes().all(|b| b.is_ascii_digit()) {
                let (end, values) = digits(chars, tokens, taken, first);
                at = end;
                values
            } else {
                WORDS.iter().filter(|(word, _)| *word == token.ascii).map(|(_, value)| *value).collect()
            };
        if values.is_empty() {
            continue;
        }
        if let Some(next) = tokens.get(at)
            && !taken[at]
            && let Some((_, factor)) = FACTORS.iter().find(|(word, _)| *word == next.ascii)
            && chars[tokens[at - 1].end..next.start].iter().all(|c| c.is_whitespace() || *c == '-')
        {
            for value in &mut values {
                *value *= factor;
            }
            at += 1;
        }
        found.push(Found { first, end: at, values });
    }
    found
}

/// Digits with separators from token `first` on: where they end, and what they may be.
fn digits(chars: &[char], tokens: &[Token], taken: &[bool], first: usize) -> (usize, Vec<f64>) {
    let whole = &tokens[first].ascii;
    // Thousands: groups of three behind one and the same separator.
    let separator = |index: usize| -> Option<char> {
        let next = tokens.get(index)?;
        let between = &chars[tokens[index - 1].end..next.start];
        (between.len() == 1 && !taken[index] && next.ascii.bytes().all(|b| b.is_ascii_digit()))
            .then(|| between[0])
    };
    let mut end = first + 1;
    let mut grouped = whole.clone();
    let mark = separator(end)
        .filter(|c| matches!(c, ',' | '.' | '\'' | '’' | ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}'));
    while let Some(mark) = mark
        && whole.len() <= 3
        && separator(end) == Some(mark)
        && tokens[end].ascii.len() == 3
    {
        grouped.push_str(&tokens[end].ascii);
        end += 1;
    }
    let fraction = |whole: &str, index: usize, mark: Option<char>| -> Option<f64> {
        separator(index).filter(|c| matches!(c, '.' | ',') && Some(*c) != mark)?;
        format!("{whole}.{}", tokens[index].ascii).parse().ok()
    };
    let mut values: Vec<f64> = grouped.parse().into_iter().collect();
    if end > first + 1 {
        if let Some(value) = fraction(&grouped, end, mark) {
            return (end + 1, vec![value]);
        }
        if end == first + 2 && matches!(mark, Some('.' | ',')) {
            values.extend(fraction(whole, first + 1, None));
        }
    } else if let Some(value) = fraction(whole, end, None) {
        return (end + 1, vec![value]);
    }
    (end, values)
}

#[cfg(test)]
mod tests {
    use super::super::fold::tokens;
    use super::*;

    #[test]
    fn numbers_in_any_usual_form() {
        for (text, expected) in [
            ("1000", &[1000.0][..]),
            ("1,000", &[1000.0, 1.0]),
            ("1.000", &[1000.0, 1.0]),
            ("1 000", &[1000.0]),
            ("1\u{202f}000\u{202f}000", &[1e6]),
            ("1'000", &[1000.0]),
            ("1,234.5", &[1234.5]),
            ("1.234,5", &[1234.5]),
            ("3.5", &[3.5]),
            ("3,5", &[3.5]),
            ("2 thousand", &[2000.0]),
            ("2k", &[2000.0]),
            ("1.5 million", &[1.5e6]),
            ("nineteen", &[19.0]),
            ("a dozen", &[12.0]),
            ("two hundred", &[200.0]),
            ("٤٢", &[42.0]),
            ("１２", &[12.0]),
        ] {
            let chars: Vec<char> = text.chars().collect();
            let tokens = tokens(text);
            let found = find(&chars, &tokens, &vec![false; tokens.len()]);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].values, expected, "{text}");
        }
    }
}
