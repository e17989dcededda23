//! Damaged input: whatever the bytes, every reader answers, and both readers of tokens agree. The bodies are those of the
//! fuzzer.

use proptest::prelude::*;

use tearline_disclosure::token;

use super::support::key;
use super::{bodies, vectors};

/// A payload and disclosures, a line each, for the fuzzer's body to sign and link; and whole tokens.
fn tokens() -> Vec<String> {
    let ours = r##"{"iss":"d","log":"l","iat":1,"jti":"AAAAAAAAAAAAAAAAAAAAAA","_sd_alg":"sha-256","details":{"_sd":[@]}}
["AAAAAAAAAAAAAAAAAAAAAA","n",{"v":{"text":"t","type":"number","min":1,"max":2},"_sd":["#2"]}]
["AAAAAAAAAAAAAAAAAAAAAA","finer",{"v":{"text":"u","type":"number","min":1,"max":1},"_sd":["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"]}]"##;
    let general = r##"{"a":{"_sd":["#1"]},"l":[{"...":"#2"},"x"],"_sd":["#3"]}
["s","b",{"c":[{"...":"#4"}]}]
["s",[1,2]]
["s","d",null]
["s",{}]"##;
    let vectors = vectors::committed();
    let lists =
        ["releases", "general", "refused"].map(|list| vectors[list].as_array().cloned().unwrap_or_default());
    let whole =
        lists.concat().into_iter().map(|vector| vector["token"].as_str().unwrap_or_default().to_owned());
    [ours, general].map(str::to_owned).into_iter().chain(whole).collect()
}

const TEXTS: [&str; 4] = [
    "Extremists (ISIS-K, И Г И Л) near Krаsnоgоrsk, Moscow Oblast, on Sat. 9 March 2024 at 8 pm; 9.3.24, 7–9 марта.",
    "1,012 or 1.012 or one thousand; 2 k; hxxp://198.51.100[.]7/x, mail[.]example(dot)org and 198.51.x.x; ١٠١٢",
    "في الموصل وخراسان يوم السبت ٩ مارس; 我们在莫斯科; M\u{200b}o\u{ad}scow, K r a s n o g o r s k",
    "two brothers, by name; a group from the mountains; a hall; 20:00, 2000 hrs, 8 o'clock; 2024-W10, 20240309",
];

#[test]
fn what_is_whole_passes_through_every_body() {
    let read = bodies::linked(&tokens()[0]);
    let shown = token::verify(&read, &key(1).verifying_key()).expect("the seed is a token of ours");
    assert_eq!(shown.level("n"), 2);
    for text in tokens() {
        bodies::token(text.as_bytes());
    }
    for text in TEXTS {
        bodies::text_check(text.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_readers_of_tokens_answer_damaged_ones(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        insert in prop::sample::select(vec!["", "~", "\"", "_sd", "...", "#1", "#2", "{\"_sd\":[]}", ",1", "\n", "null", "[[", "\\u0000"]),
    ) {
        let tokens = tokens();
        let mut bytes = tokens[which.index(tokens.len())].clone().into_bytes();
        let at = at.index(bytes.len());
        bodies::token(&[&bytes[..at], insert.as_bytes(), &bytes[at..]].concat());
        bytes[at] = byte & 0x7f;
        bodies::token(&bytes);
        bytes.truncate(cut.index(bytes.len() + 1));
        bodies::token(&bytes);
    }

    #[test]
    fn the_check_of_texts_answers_any_text(
        which in 0..TEXTS.len(),
        at in any::<prop::sample::Index>(),
        insert in "\\PC{0,3}|[0-9.,:/-]{0,6}|\\[\\.\\]|\u{200b}|\u{202e}",
        other in 0..TEXTS.len(),
    ) {
        let chars: Vec<char> = TEXTS[which].chars().collect();
        let at = at.index(chars.len() + 1);
        let (before, after): (String, String) = (chars[..at].iter().collect(), chars[at..].iter().collect());
        bodies::text_check(format!("{before}{insert}{after}").as_bytes());
        bodies::text_check(format!("{before}{insert}{}", TEXTS[other]).as_bytes());
    }
}
