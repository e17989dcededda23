//! Words in one spelling, whatever script, case, accents, width or disguise they come in.

use any_ascii::any_ascii_char;
use tearline_model::value::Value;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it begins, in characters.
    pub(super) position: usize,
    /// How many characters it has.
    pub(super) length: usize,
    /// In Latin letters and digits, lower case.
    pub(super) folded: String,
    /// Only its consonants: scripts without vowels, and transliterations that differ in them, meet here. Empty where
    /// the word is too short to be told by them.
    skeleton: String,
    /// Whether it is written in a script that leaves out vowels.
    vowelless: bool,
    /// Whether it is written in Latin letters.
    latin: bool,
}

impl Word {
    /// Whether two words are the same in one spelling.
    pub(super) fn same(&self, other: &Self) -> bool {
        if self.folded == other.folded {
            return true;
        }
        // Across scripts the vowels are guesses; within one they are not.
        let across = self.vowelless || other.vowelless || self.latin != other.latin;
        across && self.skeleton.len() >= 3 && self.skeleton == other.skeleton
    }
}

/// Characters that are not seen: they separate nothing.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{591}'..='\u{5c7}')
}

/// The words of a text. Letters with dots or spaces between each (`K r o k u s`) are put together as well.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Draft> = None;
    let mut end = 0;
    for (position, c) in text.chars().enumerate() {
        end = position + 1;
        if invisible(c) {
            continue;
        }
        if c.is_alphanumeric() {
            word.get_or_insert_with(|| Draft { position, ..Draft::default() }).push(c, position);
        } else if matches!(c, '\'' | '\u{2019}' | '\u{2bc}') {
            // Within a word: signs of transliteration.
        } else {
            words.extend(word.take().and_then(Draft::finish));
        }
    }
    words.extend(word.and_then(|mut draft| {
        draft.end = draft.end.min(end);
        draft.finish()
    }));
    spelled_out(words)
}

#[derive(Default)]
struct Draft {
    position: usize,
    end: usize,
    folded: String,
    vowelless: bool,
    foreign: bool,
}

impl Draft {
    fn push(&mut self, c: char, position: usize) {
        self.end = position + 1;
        self.vowelless |=
            matches!(c, '\u{590}'..='\u{7ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
        self.foreign |= !c.is_ascii()
            && !matches!(c, '\u{c0}'..='\u{24f}' | '\u{ff00}'..='\u{ff5e}' | '\u{1e00}'..='\u{1eff}');
        for letter in any_ascii_char(c).chars().filter(char::is_ascii_alphanumeric) {
            self.folded.push(letter.to_ascii_lowercase());
        }
    }

    fn finish(self) -> Option<Word> {
        if self.folded.is_empty() {
            return None;
        }
        let skeleton = skeleton(&self.folded);
        Some(Word {
            position: self.position,
            length: self.end - self.position,
            folded: self.folded,
            skeleton,
            vowelless: self.vowelless,
            latin: !self.foreign,
        })
    }
}

/// The consonants, in the groups in which transliterations differ least.
fn skeleton(folded: &str) -> String {
    let mut text = folded.to_owned();
    for (from, to) in [
        ("shch", "s"),
        ("sch", "s"),
        ("tch", "s"),
        ("kh", "h"),
        ("zh", "z"),
        ("sh", "s"),
        ("ch", "s"),
        ("ts", "s"),
        ("ph", "f"),
        ("th", "t"),
        ("gh", "g"),
        ("ck", "k"),
        ("x", "ks"),
    ] {
        text = text.replace(from, to);
    }
    let mut skeleton = String::new();
    for c in text.chars() {
        let c = match c {
            'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'w' | 'h' | 'j' => continue,
            'c' | 'q' | 'k' | 'g' => 'k',
            'v' | 'b' | 'p' | 'f' => 'p',
            'd' | 't' => 't',
            's' | 'z' => 's',
            other => other,
        };
        if !skeleton.ends_with(c) {
            skeleton.push(c);
        }
    }
    skeleton
}

/// Runs of single letters are words, too.
fn spelled_out(words: Vec<Word>) -> Vec<Word> {
    let mut result: Vec<Word> = Vec::new();
    let mut run: Vec<Word> = Vec::new();
    for word in words {
        if word.folded.len() == 1 && word.folded.bytes().all(|byte| byte.is_ascii_lowercase()) {
            run.push(word);
            continue;
        }
        close(&mut run, &mut result);
        result.push(word);
    }
    close(&mut run, &mut result);
    result
}

fn close(run: &mut Vec<Word>, result: &mut Vec<Word>) {
    if run.len() < 3 {
        result.append(run);
        return;
    }
    let (first, last) = (&run[0], &run[run.len() - 1]);
    let folded: String = run.iter().map(|word| word.folded.as_str()).collect();
    let word = Word {
        position: first.position,
        length: last.position + last.length - first.position,
        skeleton: skeleton(&folded),
        folded,
        vowelless: false,
        latin: run.iter().all(|word| word.latin),
    };
    run.clear();
    result.push(word);
}

/// Addresses, networks and domains in a text, also written harmlessly (`hxxp`, `[.]`, `(dot)`): first word, number of
/// words, value.
pub(super) fn addresses(folded: &[Word], text: &str) -> Vec<(usize, usize, Value)> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < folded.len() {
        // A run of words with nothing but dots, colons, slashes and brackets between.
        let mut end = at;
        let mut plain: String =
            slice(&characters, folded[at].position, folded[at].position + folded[at].length);
        while end + 1 < folded.len() && end - at < 64 {
            let gap = slice(&characters, folded[end].position + folded[end].length, folded[end + 1].position);
            let refanged: String =
                gap.chars().filter(|c| !matches!(c, '[' | ']' | '(' | ')' | '{' | '}')).collect();
            let next = &folded[end + 1];
            if matches!(next.folded.as_str(), "dot" | "punkt") && end + 2 < folded.len() {
                plain.push('.');
                end += 2;
                plain.push_str(&slice(
                    &characters,
                    folded[end].position,
                    folded[end].position + folded[end].length,
                ));
                continue;
            }
            if refanged.is_empty()
                || !refanged.chars().all(|c| matches!(c, '.' | ':' | '/' | '-' | '_' | '@'))
            {
                break;
            }
            plain.push_str(&refanged);
            end += 1;
            plain.push_str(&slice(&characters, next.position, next.position + next.length));
        }
        let plain = plain.to_lowercase();
        let host = plain.split("://").last().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        if let Some(value) = address(host) {
            found.push((at, end - at + 1, value));
        }
        at = end + 1;
    }
    found
}

fn slice(characters: &[char], from: usize, to: usize) -> String {
    characters[from..to].iter().collect()
}

fn address(host: &str) -> Option<Value> {
    if let Ok(network) = host.parse() {
        return Some(Value::Network(network));
    }
    let name = host.split(['/', ':']).next()?;
    let bare = [host, name].into_iter().find_map(|host| host.parse::<std::net::IpAddr>().ok());
    if let Some(address) = bare {
        return Some(Value::Network(address.into()));
    }
    (name.contains('.') && !name.starts_with('.') && !name.ends_with('.'))
        .then(|| Value::Domain(name.to_owned()))
}
