//! A release and its extension, as a recipient reads them.

use tearline_disclosure::sdjwt::{self, Check, Place, Rejected, issue::digest, jws};
use tearline_disclosure::token::{
    self, IssueError, NotAnExtension, PresentError, Step, extends, issue, present, verify,
};
use tearline_model::value::Value;

use crate::support::{Detail, committed, decode, encode, key, place, text, token, typed, warning};

const PUBLIC: [u8; 5] = [1, 2, 2, 2, 0];

#[test]
fn a_recipient_reads_what_was_chosen_and_how_far_it_is_checked() {
    let shown = verify(&present(&token(&warning(), 7), &PUBLIC).expect("levels"), &key(1).verifying_key())
        .expect("a good token");
    assert_eq!(
        (shown.claims.issuer.as_str(), shown.claims.log.as_str()),
        ("Example desk", "desk.example/tearline")
    );
    assert_eq!((shown.claims.issued_at, shown.claims.bucket), (1_709_805_600, 64));
    let told: Vec<(&str, &str, Step)> = shown
        .details
        .iter()
        .flat_map(|detail| {
            detail.levels.iter().map(|level| (detail.name.as_str(), level.text.as_str(), level.step))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("target", "large gatherings", Step::First),
            ("target", "large gatherings, including concerts", Step::Asserted),
            ("when", "in the coming days", Step::First),
            ("when", "in the next 48 hours", Step::Checked),
            ("where", "in Russia", Step::First),
            ("where", "in Moscow", Step::Checked),
            ("who", "extremists", Step::First),
        ]
    );
    assert_eq!(shown.details[2].levels[1].value, place(&["RU", "Moscow"]));
    assert_eq!((shown.level("where"), shown.level("how many"), shown.level("no such")), (2, 0, 0));
    assert_eq!(shown.contradictions().count(), 0);
}

#[test]
fn one_more_detail_later_is_one_more_disclosure_of_the_same_token() {
    let issued = token(&warning(), 7);
    let public = present(&issued, &PUBLIC).expect("levels");
    let partner = present(&issued, &[2, 2, 2, 2, 0]).expect("levels");
    assert_eq!(extends(&public, &partner), Ok(1));
    assert_eq!(extends(&public, &public), Ok(0));
    assert_eq!(extends(&partner, &public), Err(NotAnExtension::Missing(1)));
    let anew = present(&token(&warning(), 8), &[2, 2, 2, 2, 0]).expect("levels");
    assert_eq!(extends(&public, &anew), Err(NotAnExtension::OtherToken));
    assert!(matches!(extends(&public, "no token"), Err(NotAnExtension::Form(_))));
    let shown = verify(&partner, &key(1).verifying_key()).expect("a good token");
    assert_eq!(shown.details[3].levels[1].text, "extremists of the group ISIS-K");
}

#[test]
fn nothing_at_all_can_be_shown() {
    let issued = token(&warning(), 7);
    let silent = present(&issued, &[0; 5]).expect("levels");
    assert_eq!(silent, format!("{}~", issued.jwt()));
    assert!(verify(&silent, &key(1).verifying_key()).expect("a good token").details.is_empty());
}

#[test]
fn every_type_of_value_comes_back_as_it_was() {
    let details = [
        typed(
            "network",
            &[
                ("v4", Value::Network("10.0.0.0/8".parse().expect("a prefix"))),
                ("v4 host", Value::Network("10.1.2.3/32".parse().expect("a prefix"))),
            ],
        ),
        typed("network 6", &[("v6", Value::Network("2001:db8::/32".parse().expect("a prefix")))]),
        typed(
            "domain",
            &[
                ("all", Value::Domain("example.org".into())),
                ("one", Value::Domain("_x.a-b.example.org".into())),
            ],
        ),
        typed("number", &[("range", Value::Number(-0.5, 1e300)), ("one", Value::Number(0.1, 0.1))]),
        typed("large", &[("range", Value::Number(-9_007_199_254_740_992.0, 9_007_199_254_740_992.0))]),
        typed("zero", &[("nought", Value::Number(-0.0, 0.0))]),
        typed(
            "second",
            &[("moment", crate::support::time("2024-03-07T10:00:00.5Z", "2024-03-07T10:00:01Z"))],
        ),
        typed("place", &[("there", place(&["RU", "Москва \"\\\u{1}\u{2028}😀"]))]),
        text("text", &["a \"quoted\" \\ text\n\u{7f}\u{202e}😀"]),
    ];
    let issued = token(&details, 1);
    let levels: Vec<u8> = issued.details().map(|(_, levels)| u8::try_from(levels).expect("few")).collect();
    let token = present(&issued, &levels).expect("levels");
    let shown = verify(&token, &key(1).verifying_key()).expect("a good token");
    for detail in &details {
        let found = shown.details.iter().find(|shown| shown.name == detail.name).expect("it is shown");
        let found: Vec<_> =
            found.levels.iter().map(|level| (level.text.clone(), level.value.clone())).collect();
        assert_eq!(found, detail.levels);
    }
}

#[test]
fn a_level_that_its_coarser_one_does_not_contain_is_shown_as_failed() {
    let details = [typed("where", &[("in Russia", place(&["RU"])), ("in Kyiv", place(&["UA", "Kyiv"]))])];
    assert_eq!(
        issue(&key(1), "d", "l", 0, &committed(&details), &[0; 32]).err(),
        Some(IssueError::NotContained { detail: 1, level: 1 })
    );
    // An issuer that does it all the same, with a program of its own.
    let honest = [typed("where", &[("in Russia", place(&["RU"])), ("in Kyiv", place(&["RU", "Kyiv"]))])];
    let token = reissue(&present(&token(&honest, 1), &[2]).expect("levels"), |text| {
        text.replace(r#"["RU","Kyiv"]"#, r#"["UA","Kyiv"]"#)
    });
    let shown = verify(&token, &key(1).verifying_key()).expect("the signature stands");
    assert_eq!(shown.details[0].levels[1].step, Step::Failed);
    assert_eq!(shown.contradictions().collect::<Vec<_>>(), [("where", 2)]);
}

/// Signs a token anew after a change to the texts of its disclosures: digests are made to fit, decoys stay.
fn reissue(token: &str, change: impl Fn(&str) -> String) -> String {
    let parts = sdjwt::parse(token).expect("a token");
    let mut payload = decode(parts.jwt.split('.').nth(1).expect("a payload"));
    let mut texts: Vec<String> = parts.disclosures.iter().map(|text| decode(text)).collect();
    // From the finest on: what holds a digest comes before what it is of.
    for index in (0..texts.len()).rev() {
        let (old, new) = (digest(parts.disclosures[index]), digest(&encode(&change(&texts[index]))));
        texts[index] = change(&texts[index]);
        payload = payload.replace(&old, &new);
        if let Some(before) = index.checked_sub(1) {
            texts[before] = texts[before].replace(&old, &new);
        }
    }
    let mut value: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
    let slots = value["details"]["_sd"].as_array_mut().expect("digests");
    slots.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    let jwt = jws::sign(&key(1), token::TYP, value.to_string().as_bytes());
    texts.iter().fold(jwt + "~", |token, text| token + &encode(text) + "~")
}

#[test]
fn what_is_not_of_the_form_is_refused() {
    let details = [typed("n", &[("a few", Value::Number(2.0, 9.0)), ("four", Value::Number(4.0, 4.0))])];
    let good = present(&token(&details, 1), &[2]).expect("levels");
    let reader = key(1).verifying_key();
    assert!(
        verify(&reissue(&good, str::to_owned), &reader).is_ok(),
        "the tool of this test changes nothing by itself"
    );
    for (from, to, check) in [
        (r#""min":4"#, r#""min":5"#, Check::Value),
        (r#""min":4,"#, "", Check::Value),
        (r#""min":4"#, r#""min":null"#, Check::Value),
        (r#""min":4"#, r#""min":4,"min":4"#, Check::DuplicateName),
        (r#""min":4"#, r#""min":4,"domain":"a""#, Check::Value),
        (r#""type":"number""#, r#""type":"text""#, Check::Value),
        (r#""type":"number""#, r#""type":"colour""#, Check::Value),
        (r#""text":"four""#, r#""text":"""#, Check::Value),
        (r#""text":"four""#, r#""text":4"#, Check::Value),
        (r#""text":"four""#, r#""text":"four","more":1"#, Check::Value),
        (r#""finer""#, r#""coarser""#, Check::Shape),
        (r#""finer""#, r#""v""#, Check::ExistingClaim),
        (r#""finer""#, r#""_sd""#, Check::ReservedName),
        (r#""n""#, r#""...""#, Check::ReservedName),
        (r#""n""#, "7", Check::DisclosureForm),
        (r#""max":4},"_sd":["#, r#""max":4},"_sd":["1","#, Check::Value),
        (r#""_sd":["#, r#""_sd":[7,"#, Check::DigestForm),
    ] {
        let bad = reissue(&good, |text| text.replacen(from, to, 1));
        assert_ne!(bad, reissue(&good, str::to_owned), "{from} is there");
        assert_eq!(verify(&bad, &reader).map_err(|rejected| rejected.check), Err(check), "{from} → {to}");
    }
    let payload = decode(sdjwt::parse(&good).expect("a token").jwt.split('.').nth(1).expect("a payload"));
    for (from, to, check) in [
        (r#""iat":1709805600"#, r#""iat":"1709805600""#, Check::Claims),
        (r#""iat":1709805600"#, r#""iat":-1"#, Check::Claims),
        (r#""iat":1709805600,"#, r#""iat":1709805600,"exp":1,"#, Check::Claims),
        (r#""iss":"Example desk","#, "", Check::Claims),
        (r#""_sd_alg":"sha-256""#, r#""_sd_alg":"sha-512""#, Check::HashAlgorithm),
        (r#""_sd_alg":"sha-256","#, "", Check::Claims),
        (r#""jti":""#, r#""jti":"A"#, Check::Claims),
    ] {
        let changed = payload.replacen(from, to, 1);
        assert_ne!(changed, payload, "{from} is there");
        let bad = jws::sign(&key(1), token::TYP, changed.as_bytes()) + "~";
        assert_eq!(verify(&bad, &reader).map_err(|rejected| rejected.check), Err(check), "{from} → {to}");
    }
    let mut value: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
    let slots = value["details"]["_sd"].as_array_mut().expect("digests");
    slots.swap(3, 40);
    let unsorted = jws::sign(&key(1), token::TYP, value.to_string().as_bytes()) + "~";
    assert_eq!(verify(&unsorted, &reader), Err(Rejected::new(Check::Shape, Place::Payload)));
    value["details"]["_sd"].as_array_mut().expect("digests").truncate(63);
    let short = jws::sign(&key(1), token::TYP, value.to_string().as_bytes()) + "~";
    assert_eq!(verify(&short, &reader), Err(Rejected::new(Check::Shape, Place::Payload)));
}

#[test]
fn key_and_type_are_the_readers_choice() {
    let token = present(&token(&warning(), 7), &PUBLIC).expect("levels");
    let other = key(2).verifying_key();
    assert_eq!(verify(&token, &other), Err(Rejected::new(Check::Key, Place::Header)));
    let parts = sdjwt::parse(&token).expect("a token");
    let payload = decode(parts.jwt.split('.').nth(1).expect("a payload"));
    let statement = jws::sign(&key(1), "tearline-receipt+jwt", payload.as_bytes()) + "~";
    assert_eq!(verify(&statement, &key(1).verifying_key()), Err(Rejected::new(Check::Type, Place::Header)));
    assert_eq!(jws::hint(&token).kid, Some(tearline_disclosure::keys::kid(&key(1).verifying_key())));
    assert_eq!(jws::hint(&statement).typ.as_deref(), Some("tearline-receipt+jwt"));
    assert_eq!(jws::hint("~"), jws::Hint::default());
}

#[test]
fn what_cannot_be_issued_or_shown_says_which() {
    let refused = |details: &[Detail]| issue(&key(1), "d", "l", 0, &committed(details), &[0; 32]).err();
    let many = |count: usize| (0..count).map(|i| text(&i.to_string(), &["x"])).collect::<Vec<_>>();
    assert_eq!(refused(&many(1025)), Some(IssueError::TooManyDetails(1025)));
    for (count, bucket) in [(0, 64), (64, 64), (65, 256), (256, 256), (257, 1024), (1024, 1024)] {
        let issued = token(&many(count), 1);
        let shown = verify(&present(&issued, &vec![1; count]).expect("levels"), &key(1).verifying_key());
        let shown = shown.expect("a good token");
        assert_eq!((shown.details.len(), shown.claims.bucket), (count, bucket));
    }
    for name in ["", "_sd", "_sd_alg", "..."] {
        assert_eq!(refused(&[text("a", &["x"]), text(name, &["x"])]), Some(IssueError::Name(2)), "{name}");
    }
    assert_eq!(refused(&[text("a", &["x"]), text("a", &["y"])]), Some(IssueError::Name(2)));
    assert_eq!(refused(&[text("a", &[])]), Some(IssueError::Levels(1)));
    assert_eq!(refused(&[text("a", &["x"; 255])]), Some(IssueError::Levels(1)));
    assert_eq!(refused(&[text("a", &["x", ""])]), Some(IssueError::Value { detail: 1, level: 2 }));
    let backwards = typed("n", &[("n", Value::Number(2.0, 1.0))]);
    assert_eq!(refused(&[backwards]), Some(IssueError::Value { detail: 1, level: 1 }));
    let long = "x".repeat(2 << 20);
    assert_eq!(refused(&[text("a", &[&long])]), Some(IssueError::TooLong { detail: 1, level: 1 }));

    let issued = token(&warning(), 7);
    assert_eq!(present(&issued, &[1]), Err(PresentError::Count { given: 1, details: 5 }));
    assert_eq!(present(&issued, &[0, 4, 0, 0, 0]), Err(PresentError::NoSuchLevel { detail: 2, level: 4 }));
}

#[test]
fn the_deepest_detail_goes_through_both_readers() {
    let texts: Vec<String> = (1..=254).map(|level| format!("level {level}")).collect();
    let levels: Vec<&str> = texts.iter().map(String::as_str).collect();
    let token = present(&token(&[text("deep", &levels)], 1), &[254]).expect("levels");
    let shown = verify(&token, &key(1).verifying_key()).expect("a good token");
    assert_eq!(shown.level("deep"), 254);
    crate::rejected::agrees(&token);
}

#[test]
fn the_desk_keeps_the_secret_and_shows_none_of_it_by_accident() {
    let issued = token(&warning(), 7);
    let kept = serde_json::to_string(&issued).expect("JSON");
    let again: token::Issued = serde_json::from_str(&kept).expect("what was written");
    assert_eq!(again, issued);
    assert_eq!(present(&again, &PUBLIC), present(&issued, &PUBLIC));
    assert_eq!(format!("{issued:?}"), "Issued { .. }");
}
