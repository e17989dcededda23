//! Text as tokens, each in the forms in which it may be meant: by sound, by look, by its consonants.
//!
//! Two words are taken for the same if their folded forms are equal. Folding loses capitals, accents, width, invisible
//! characters, and most of what differs between the ways to transliterate a name.

use any_ascii::any_ascii_char;

/// A run of letters, or of digits, of a text; a single character in scripts without spaces.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Position of its first character, in characters.
    pub(super) start: usize,
    /// Position after its last.
    pub(super) end: usize,
    /// As it stands, without invisible characters.
    pub(super) raw: String,
    /// In ASCII, lower case, as it sounds.
    pub(super) ascii: String,
    /// `ascii`, folded by [`sound`].
    pub(super) sound: String,
    /// The folded form of what it looks like, if that is another: letters of other scripts, digits for letters.
    pub(super) look: Option<String>,
    /// The script of its letters, as far as it matters here.
    pub(super) script: Script,
    /// Whether another token stands directly before it.
    pub(super) joined: bool,
}

/// Scripts that are treated in a way of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Decimal digits.
    Digits,
    /// Vowels are mostly not written.
    Consonants,
    /// Cyrillic, where words are inflected by endings.
    Cyrillic,
    /// No spaces between words.
    Unspaced,
    /// Any other.
    Other,
}

impl Token {
    /// The number, if it is one of at most nine digits.
    pub(super) fn number(&self) -> Option<u32> {
        (self.script == Script::Digits && self.ascii.len() <= 9).then(|| self.ascii.parse().ok())?
    }

    /// Whether it is written in capitals only.
    pub(super) fn is_capitals(&self) -> bool {
        self.raw.chars().any(char::is_uppercase) && !self.raw.chars().any(char::is_lowercase)
    }
}

/// Whether a character is not seen: it may stand within a word without changing it.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        // combining marks: Latin, Cyrillic, Greek; Hebrew points; Arabic vowel signs and the stretcher
        | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c7}'
        | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Option<(Script, usize, usize, String)> = None;
    let mut length = 0;
    for (at, c) in text.chars().enumerate() {
        length = at + 1;
        if is_invisible(c) {
            continue;
        }
        let script = script(c);
        if let Some((kind, _, end, raw)) = &mut open
            && script == Some(*kind)
            && *kind != Script::Unspaced
        {
            raw.push(c);
            *end = at + 1;
            continue;
        }
        if let Some(run) = open.take() {
            close(&mut tokens, run);
        }
        open = script.map(|script| (script, at, at + 1, c.to_string()));
    }
    if let Some(run) = open.take() {
        close(&mut tokens, run);
    }
    debug_assert!(tokens.last().is_none_or(|last| last.end <= length), "tokens lie in the text");
    join_scripts(tokens)
}

fn close(tokens: &mut Vec<Token>, (script, start, end, raw): (Script, usize, usize, String)) {
    let joined = tokens.last().is_some_and(|before| before.end == start);
    tokens.push(fold(start, end, raw, script, joined));
}

/// Letters of several scripts in one word are an attempt at hiding it, or a misprint: one word.
fn join_scripts(tokens: Vec<Token>) -> Vec<Token> {
    let letters = |token: &Token| matches!(token.script, Script::Cyrillic | Script::Other);
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        match joined.last_mut() {
            Some(before) if token.joined && letters(before) && letters(&token) => {
                let raw = before.raw.clone() + &token.raw;
                *before = fold(before.start, token.end, raw, Script::Other, before.joined);
            }
            _ => joined.push(token),
        }
    }
    joined
}

fn fold(start: usize, end: usize, raw: String, script: Script, joined: bool) -> Token {
    let mut ascii = String::new();
    let mut looks = String::new();
    let mut differs = false;
    for c in raw.chars() {
        let plain = if matches!(c, 'Χ' | 'χ') { "kh" } else { any_ascii_char(c) };
        let letters = || plain.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
        ascii.extend(letters());
        match look_alike(c) {
            Some(other) => {
                looks.push(other);
                differs = true;
            }
            None => looks.extend(letters()),
        }
    }
    let sound = if script == Script::Digits { ascii.clone() } else { sound(&ascii) };
    let look = differs.then(|| self::sound(&looks)).filter(|look| *look != sound);
    Token { start, end, raw, ascii, sound, look, script, joined }
}

fn script(c: char) -> Option<Script> {
    if c.is_numeric() && any_ascii_char(c).bytes().all(|b| b.is_ascii_digit()) && any_ascii_char(c).len() == 1
    {
        return Some(Script::Digits);
    }
    if !c.is_alphanumeric() {
        return None;
    }
    Some(match c {
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => Script::Consonants,
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Script::Cyrillic,
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Script::Unspaced,
        _ => Script::Other,
    })
}

/// The Latin letter that a character is easily taken for: the common ones of Unicode's confusables (UTS #39), and
/// digits that stand for letters.
fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'А' | 'α' | 'Α' | '4' => 'a',
        'в' | 'В' | 'Β' | 'β' | 'ь' | 'Ь' => 'b',
        'с' | 'С' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ё' | 'ε' | 'Ε' | '3' => 'e',
        'ɡ' => 'g',
        'һ' | 'Н' | 'н' | 'Η' => 'h',
        'і' | 'І' | 'ї' | 'Ї' | 'ι' | 'Ι' => 'i',
        'ј' | 'Ј' => 'j',
        'к' | 'К' | 'κ' | 'Κ' => 'k',
        'ӏ' | 'Ӏ' | '1' => 'l',
        'м' | 'М' | 'Μ' => 'm',
        'Ν' | 'η' => 'n',
        'о' | 'О' | 'ο' | 'Ο' | '0' | 'օ' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' | 'Ѕ' | '5' => 's',
        'т' | 'Т' | 'τ' | 'Τ' | '7' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'Х' => 'x',
        'у' | 'У' | 'γ' | 'Υ' => 'y',
        'Ζ' => 'z',
        _ => return None,
    })
}

/// Ways to write one sound, and the one that stands for all; longest first.
const SOUNDS: &[(&str, &str)] = &[
    ("shch", "s"),
    ("sch", "s"),
    ("tch", "C"),
    ("kh", "h"),
    ("sh", "s"),
    ("zh", "z"),
    ("ch", "C"),
    ("ph", "f"),
    ("th", "t"),
    ("gh", "g"),
    ("dh", "d"),
    ("dj", "g"),
    ("ck", "k"),
    ("ts", "C"),
    ("tz", "C"),
    ("ks", "x"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("ya", "a"),
    ("yo", "o"),
    ("yu", "u"),
    ("ye", "e"),
    ("ja", "a"),
    ("jo", "o"),
    ("ju", "u"),
    ("je", "e"),
    ("ia", "a"),
    ("ie", "e"),
    ("iu", "u"),
    ("ce", "se"),
    ("ci", "si"),
    ("cy", "si"),
    ("q", "k"),
    ("c", "k"),
    ("w", "v"),
    ("y", "i"),
    ("j", "i"),
];

/// Folds ASCII letters by sound: what transliterations of one word have in common. Doubled letters become one.
pub(super) fn sound(ascii: &str) -> String {
    let mut folded = String::with_capacity(ascii.len());
    let mut rest = ascii;
    while let Some(first) = rest.chars().next() {
        let (taken, written) = SOUNDS
            .iter()
            .find(|(from, _)| from.starts_with(first) && rest.starts_with(from))
            .map_or((first.len_utf8(), &rest[..first.len_utf8()]), |(from, to)| (from.len(), *to));
        if first.is_ascii_digit() || !folded.ends_with(written) {
            folded.push_str(written);
        }
        rest = &rest[taken..];
    }
    folded
}

/// Cuts endings off a folded word, as far as one may without making other words of it.
pub(super) fn stem(folded: &str) -> &str {
    let mut stem = folded;
    if stem.len() > 3 && stem.ends_with('s') {
        stem = &stem[..stem.len() - 1];
    }
    while stem.len() > 4 && stem.ends_with(['a', 'e', 'i', 'o', 'u']) {
        stem = &stem[..stem.len() - 1];
    }
    stem
}

/// The stem without a Slavonic ending of case. `None` if there is none.
pub(super) fn without_case(folded: &str) -> Option<&str> {
    const ENDINGS: &[&str] =
        &["ami", "ogo", "omu", "imi", "ah", "am", "em", "ih", "im", "oi", "om", "ov", "uu", "ui"];
    let ending =
        ENDINGS.iter().find(|ending| folded.len() >= ending.len() + 4 && folded.ends_with(**ending))?;
    Some(stem(&folded[..folded.len() - ending.len()]))
}

/// The consonants of a word in ASCII, as a script without vowels has them. `None` if they are too few to tell it.
pub(super) fn skeleton(ascii: &str) -> Option<String> {
    let without_w: String = ascii.chars().filter(|c| *c != 'w').collect();
    let mut bones = String::new();
    for c in sound(&without_w).chars() {
        let bone = match c {
            'a' | 'e' | 'i' | 'o' | 'u' => continue,
            'p' => 'b',
            'v' => 'f',
            'x' => {
                bones.push('k');
                's'
            }
            c => c,
        };
        if !bones.ends_with(bone) {
            bones.push(bone);
        }
    }
    if bones.len() > 3 && bones.ends_with('h') {
        bones.pop();
    }
    (bones.len() >= 3).then_some(bones)
}

/// The skeletons of a word in Arabic or Hebrew script: of the whole, and without the words that are written onto it.
pub(super) fn skeletons(raw: &str) -> Vec<String> {
    // The letter for g is written in several ways, one of them that for j.
    let bones = |word: &str| {
        let ascii: String = word.chars().flat_map(|c| any_ascii_char(c).chars()).collect();
        skeleton(&ascii.to_lowercase().replace('j', "g").replace(|c: char| !c.is_ascii_alphanumeric(), ""))
    };
    let mut found = Vec::new();
    let mut rest = raw;
    for prefixes in [&['و', 'ف'][..], &['ب', 'ل', 'ك', 'ב', 'ל', 'מ', 'ה', 'ו'][..], &[][..]] {
        found.extend(bones(rest));
        rest = rest.strip_prefix(prefixes).unwrap_or(rest);
        if let Some(bare) = rest.strip_prefix("ال") {
            found.extend(bones(bare));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Token {
        let found = tokens(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found.into_iter().next().expect("there is one")
    }

    #[test]
    fn one_word_in_many_writings_folds_to_one() {
        let expected = one("Moskva").sound;
        for text in ["москва", "МОСКВА", "Ｍｏｓｋｖａ", "Mos\u{ad}kva", "M\u{200b}oskva", "Móskva", "moskwa"]
        {
            assert_eq!(one(text).sound, expected, "{text}");
        }
        for (a, b) in
            [("Хорасан", "Khorasan"), ("Щёлково", "Shchelkovo"), ("Нижний", "Nizhny"), ("Łódź", "Lodz")]
        {
            assert_eq!(stem(&one(a).sound), stem(&one(b).sound), "{a} {b}");
        }
        let mixed = one("Моscоw"); // М, о and the other о are Cyrillic
        assert_eq!(mixed.look.unwrap_or(mixed.sound), one("Moscow").sound);
    }

    #[test]
    fn scripts_without_vowels_meet_at_the_consonants() {
        for (arabic, latin) in
            [("موسكو", "moscow"), ("بموسكو", "moscow"), ("خراسان", "khorasan"), ("والقاهرة", "qahira")]
        {
            let expected = skeleton(latin).expect("consonants enough");
            assert!(skeletons(arabic).contains(&expected), "{arabic}: {:?}, {expected}", skeletons(arabic));
        }
        assert_eq!(skeleton("aqua"), None);
    }

    #[test]
    fn positions_are_of_characters() {
        let found = tokens("«Где?» AK-47, 莫斯科");
        let places: Vec<_> = found.iter().map(|token| (token.start, token.end, token.raw.as_str())).collect();
        assert_eq!(
            places,
            [(1, 4, "Где"), (7, 9, "AK"), (10, 12, "47"), (14, 15, "莫"), (15, 16, "斯"), (16, 17, "科")]
        );
    }
}
