//! An analyst's free text held against the plan: what is found, in what disguise, and what is left alone.

use tearline_disclosure::text_check::{Flag, Kind, TEXT_CHARS, Text, check};
use tearline_model::parse::parse;
use tearline_model::report::Report;

fn report(details: &str) -> Report {
    let text = format!(
        r#"
tearline = 1
id = "t"
title = "t"
originator = "t"
[population.p]
rows = [{{ name = "x" }}]
[audience.public]
public = true
[[protection]]
k = 1
{details}"#
    );
    parse(text.as_bytes(), "report.toml").unwrap_or_else(|problems| panic!("{problems}"))
}

/// A detail of the report file; each level is (text, value or nothing).
fn detail(name: &str, head: &str, levels: &[(&str, &str)]) -> String {
    let mut text = format!("[detail.{name}]\nsame_for_any_value = true\n{head}\n");
    for (words, value) in levels {
        let value = if value.is_empty() { String::new() } else { format!("value = {value}\n") };
        text += &format!("[[detail.{name}.level]]\ntext = \"{words}\"\n{value}known_to = \"1 = 1\"\n");
    }
    text
}

fn flags(report: &Report, released: &[u8], text: &str) -> Vec<Flag> {
    check(&[Text { field: "description", language: "en", text }], report, released)
}

#[track_caller]
fn finds(report: &Report, released: &[u8], text: &str, kind: Kind, level: u8, matched: &str) {
    let found = flags(report, released, text);
    let shown: Vec<_> = found.iter().map(|f| (f.kind, f.level, f.matched.as_str())).collect();
    assert_eq!(shown, [(kind, level, matched)], "{text}");
    let excerpt: String = text.chars().skip(found[0].position).take(found[0].length).collect();
    assert_eq!(excerpt, matched, "the position is in characters");
}

#[track_caller]
fn is_clean(report: &Report, released: &[u8], text: &str) {
    let found = flags(report, released, text);
    assert!(found.is_empty(), "{text}: {found:?}");
}

/// The example of the README.
fn march() -> Report {
    #[expect(clippy::disallowed_methods, reason = "a test reads the example")]
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/march-2024/report.toml"));
    parse(&text.expect("the example"), "report.toml").unwrap_or_else(|problems| panic!("{problems}"))
}

/// What the plan gives the public: who, target, where, when, how, basis.
const PUBLIC: &[u8] = &[1, 2, 2, 3, 0, 0];
const PARTNER: &[u8] = &[2, 2, 2, 3, 0, 0];

/// As the embassy wrote on 7 March 2024, and advice as such warnings give it.
const WARNING: &str = "\
Security Alert: Avoid Large Gatherings over the Next 48 Hours\n\
Location: Moscow, Russia\n\
Event: The Embassy is monitoring reports that extremists have imminent plans to target large gatherings in Moscow, to \
include concerts, and citizens should be advised to avoid large gatherings over the next 48 hours.\n\
Actions to Take: Avoid crowds. Monitor local media for updates. Be aware of your surroundings. Keep a low profile. \
Carry identification. If you see something, say something: call 112. Have travel plans that do not depend on the \
government. Enroll in the travel program at https://step.example.gov to receive alerts; phone +7 (495) 728-5000 or \
e-mail moscowacs@example.gov. The office is open Monday to Friday, 09:00 to 18:00, and one officer is on duty at night. \
This alert was issued on 7 March 2024 and replaces that of January 2024. Groups of people, public transport and places \
of worship may be affected by more than one event. Several thousand people may attend.";

#[test]
fn the_public_warning_of_march_2024_is_clean() {
    is_clean(&march(), PUBLIC, WARNING);
    is_clean(&march(), PARTNER, WARNING);
    is_clean(
        &march(),
        PARTNER,
        "Extremists of the group ISIS-K (ISKP, Islamic State Khorasan) plan an attack in Moscow.",
    );
}

#[test]
fn what_the_public_was_not_told_is_found_in_the_same_text() {
    let march = march();
    for (text, kind, level, matched) in [
        ("extremists (ISIS-K) plan", Kind::Alias, 2, "ISIS-K"),
        ("extremists (ISIS K) plan", Kind::Alias, 2, "ISIS K"),
        ("ISISK", Kind::Alias, 2, "ISISK"),
        ("I.S.I.S.-K", Kind::Alias, 2, "I.S.I.S.-K"),
        ("is\u{200b}is-k", Kind::Alias, 2, "is\u{200b}is-k"),
        ("the Islamic State - Khorasan", Kind::Alias, 2, "Islamic State - Khorasan"),
        ("a state in Khorasan", Kind::Alias, 2, "state in Khorasan"),
        ("из Хорасана", Kind::Alias, 2, "Хорасана"),
        ("the iskp", Kind::Alias, 2, "iskp"),
        ("on 9 March", Kind::Date, 4, "9 March"),
        ("9 марта", Kind::Date, 4, "9 марта"),
        ("on Saturday", Kind::Date, 4, "Saturday"),
        ("they have firearms", Kind::Word, 1, "firearms"),
        ("avoid one hall", Kind::Word, 3, "hall"),
        ("as another source says", Kind::Words, 1, "source says"),
    ] {
        finds(&march, PUBLIC, text, kind, level, matched);
    }
    is_clean(&march, PUBLIC, "from 7 March to 9 March");
    is_clean(&march, PUBLIC, "until 9 March");
    is_clean(&march, PUBLIC, "on 8 March, or on Friday");
}

#[test]
fn aliases_and_words_are_found_in_other_scripts_and_disguises() {
    let report = report(&detail(
        "where",
        "aliases = [\"Krasnogorsk\", \"Crocus City Hall\", \"Хорасан\"]",
        &[("near the capital", ""), ("in the western suburb by the river", "")],
    ));
    for (text, kind, matched) in [
        ("in Krasnogorsk.", Kind::Alias, "Krasnogorsk"),
        ("in KRASNOGORSK", Kind::Alias, "KRASNOGORSK"),
        ("в Красногорске", Kind::Alias, "Красногорске"),
        ("под Красногорском", Kind::Alias, "Красногорском"),
        ("Krasno\u{ad}gorsk", Kind::Alias, "Krasno\u{ad}gorsk"),
        ("K r a s n o g o r s k", Kind::Alias, "K r a s n o g o r s k"),
        ("Krasno gorsk", Kind::Alias, "Krasno gorsk"),
        ("K.r.a.s.n.o.g.o.r.s.k", Kind::Alias, "K.r.a.s.n.o.g.o.r.s.k"),
        ("Кrаsnоgоrsk", Kind::Alias, "Кrаsnоgоrsk"), // К, а and о are Cyrillic
        ("Krasn0g0rsk", Kind::Alias, "Krasn0g0rsk"),
        ("Ｋｒａｓｎｏｇｏｒｓｋ", Kind::Alias, "Ｋｒａｓｎｏｇｏｒｓｋ"),
        ("στο Κρασνογορσκ", Kind::Alias, "Κρασνογορσκ"),
        ("كراسنوغورسك", Kind::Alias, "كراسنوغورسك"),
        ("في كراسنوجورسك", Kind::Alias, "كراسنوجورسك"),
        ("the Crocus-City Hall", Kind::Alias, "Crocus-City Hall"),
        ("«Крокус Сити Халл»", Kind::Alias, "Крокус Сити Халл"),
        ("Khorasan", Kind::Alias, "Khorasan"),
        ("horasan", Kind::Alias, "horasan"),
        ("خراسان", Kind::Alias, "خراسان"),
        ("a suburb", Kind::Word, "suburb"),
        ("the western suburbs", Kind::Words, "western suburbs"),
        ("in the western suburb by the river", Kind::Words, "western suburb by the river"),
    ] {
        finds(&report, &[1], text, kind, 2, matched);
    }
    is_clean(&report, &[2], "in the western suburb by the river, Krasnoyarsk, near the capital");
}

#[test]
fn a_name_of_the_report_in_arabic_is_found_in_latin() {
    let report = report(&detail("where", "", &[("in the north", ""), ("في الموصل", "")]));
    finds(&report, &[1], "in Mosul", Kind::Word, 2, "Mosul");
    finds(&report, &[1], "بالموصل", Kind::Word, 2, "بالموصل");
}

#[test]
fn a_name_in_chinese_is_found_where_no_spaces_part_words() {
    let report = report(&detail("where", "aliases = [\"莫斯科\"]", &[("there", ""), ("in one city", "")]));
    finds(&report, &[1], "我们在莫斯科见面", Kind::Alias, 2, "莫斯科");
}

#[test]
fn numbers_are_found_in_any_usual_form() {
    let report = report(&detail(
        "how_many",
        "type = \"number\"",
        &[
            ("many", "{ from = 500, to = 5000 }"),
            ("about a thousand", "{ from = 900, to = 1100 }"),
            ("exactly", "1012"),
        ],
    ));
    for (text, level, matched) in [
        ("1012", 3, "1012"),
        ("1,012 rounds", 3, "1,012"),
        ("1.012 Schuss", 3, "1.012"),
        ("1 012", 3, "1 012"),
        ("1\u{a0}012", 3, "1\u{a0}012"),
        ("1'012", 3, "1'012"),
        ("١٠١٢", 3, "١٠١٢"),
        ("1,050", 2, "1,050"),
        ("1.05 thousand", 2, "1.05 thousand"),
        ("900", 2, "900"),
    ] {
        finds(&report, &[1], text, Kind::Number, level, matched);
    }
    for text in ["500 to 5,000", "call 112", "48 hours", "20000", "in 2024", "1.5", "at 10:12"] {
        is_clean(&report, &[1], text);
    }
    let few = self::report(&detail(
        "how_many",
        "type = \"number\"",
        &[("a few", "{ from = 2, to = 9 }"), ("four", "4")],
    ));
    finds(&few, &[1], "four attackers", Kind::Number, 2, "four");
    finds(&few, &[1], "4 attackers", Kind::Number, 2, "4");
    is_clean(&few, &[1], "two to nine; five; on 4 May");
    is_clean(&few, &[2], "four attackers");
}

#[test]
fn dates_are_found_in_any_usual_form() {
    let report = report(&detail(
        "when",
        "type = \"time\"\nutc_offset = \"+03:00\"",
        &[
            ("in March", "\"2024-03\""),
            ("that weekend", "{ from = \"2024-03-08\", to = \"2024-03-10\" }"),
            ("on the day", "\"2024-03-09\""),
            ("at night", "\"2024-03-09T20\""),
        ],
    ));
    for text in [
        "9 March 2024",
        "9 March",
        "09.03.2024",
        "9.3.24",
        "3/9/24",
        "09/03/2024",
        "March 9th",
        "March 9, 2024",
        "the 9th of March",
        "2024-03-09",
        "2024/03/09",
        "20240309",
        "9 марта",
        "9 марта 2024",
        "9. März",
        "le 9 mars",
        "9 de marzo",
        "٩ مارس",
        "9 березня",
        "Sat 9 Mar",
        "9 March '24",
        "9\u{a0}March",
        "9–9 March",
    ] {
        let found = flags(&report, &[2], text);
        assert!(
            !found.is_empty() && found.iter().all(|f| f.kind == Kind::Date && f.level == 3),
            "{text}: {found:?}"
        );
    }
    finds(&report, &[1], "8-10 March", Kind::Date, 2, "8-10 March");
    finds(&report, &[1], "March 8 to 10", Kind::Date, 2, "March 8 to 10");
    finds(&report, &[1], "8 March – 10 March 2024", Kind::Date, 2, "8 March – 10 March 2024");
    finds(&report, &[0], "in March 2024", Kind::Date, 1, "March 2024");
    finds(&report, &[2], "on Saturday", Kind::Date, 3, "Saturday");
    finds(&report, &[2], "в субботу", Kind::Date, 3, "субботу");
    for text in ["at 20:15", "8 pm", "8:30 p.m.", "2030 hrs", "20 Uhr", "8 o'clock"] {
        let found = flags(&report, &[3], text);
        assert!(found.len() == 1 && found[0].kind == Kind::Date && found[0].level == 4, "{text}: {found:?}");
    }
    for text in [
        "in March 2024",
        "from 8 to 10 March",
        "8-10 March",
        "by 10 March",
        "since 8 March",
        "9 May",
        "9 March 2023",
        "9 of 38",
        "09:00 to 18:00",
        "they march on",
        "you may go",
        "24/7",
        "version 9.3.1.2",
        "April",
    ] {
        is_clean(&report, &[2], text);
    }
    is_clean(&report, &[3], "9 March 2024, on Saturday, at 7 pm");
    is_clean(&report, &[4], "9 March 2024, on Saturday, at 8 pm");
}

#[test]
fn places_are_found_by_every_part_of_their_chain() {
    let report = report(&detail(
        "where",
        "type = \"place\"",
        &[
            ("in the country", "[\"RU\"]"),
            ("in the area", "[\"RU\", \"Moscow Oblast\"]"),
            ("there", "[\"RU\", \"Moscow Oblast\", \"Krasnogorsk\"]"),
        ],
    ));
    finds(&report, &[1], "Moscow oblast", Kind::Place, 2, "Moscow oblast");
    finds(&report, &[1], "Красногорск", Kind::Place, 3, "Красногорск");
    finds(&report, &[2], "Krasnogorsk, Moscow Oblast", Kind::Place, 3, "Krasnogorsk");
    finds(&report, &[0], "in RU", Kind::Place, 1, "RU");
    is_clean(&report, &[0], "run, rules and Peru");
}

#[test]
fn networks_and_domains_are_found_defanged() {
    let report = report(
        &(detail(
            "net",
            "type = \"network\"",
            &[
                ("an operator", "\"198.51.0.0/16\""),
                ("a site", "\"198.51.100.0/24\""),
                ("a host", "\"198.51.100.7\""),
            ],
        ) + &detail(
            "host",
            "type = \"domain\"",
            &[("a firm", "\"example.org\""), ("a server", "\"mail.example.org\"")],
        )),
    );
    for (text, level) in [
        ("198.51.100.7", 3),
        ("198[.]51[.]100[.]7", 3),
        ("hxxp://198.51.100.7/x", 3),
        ("198.51.100.0/24", 3),
        ("198.51.100.99", 2),
        ("198.51.100.x", 3),
        ("::ffff:0:0 and 198(.)51(.)100(.)7", 3),
    ] {
        let found = flags(&report, &[1, 1], text);
        assert!(
            found.len() == 1 && found[0].kind == Kind::Network && found[0].level == level,
            "{text}: {found:?}"
        );
    }
    for text in [
        "mail.example.org",
        "mail[.]example[.]org",
        "hxxps://MAIL.example(dot)org/login",
        "x@mail.example.org",
    ] {
        let found = flags(&report, &[1, 1], text);
        assert!(
            found.len() == 1 && found[0].kind == Kind::Domain && found[0].level == 2,
            "{text}: {found:?}"
        );
    }
    for text in
        ["198.51.0.0/16", "198.52.100.7", "203.0.113.1", "example.org", "www.example.org", "mail.example.com"]
    {
        is_clean(&report, &[1, 1], text);
    }
    finds(&report, &[0, 0], "www.example.org", Kind::Domain, 1, "www.example.org");
}

#[test]
fn an_ordinary_text_raises_few_false_flags() {
    // Thirty details of words that such a warning does not use, and the warning itself.
    let words = [
        "with rifles",
        "a van with explosives",
        "by drone",
        "with ricin",
        "on a ferry",
        "a synagogue",
        "the brigade's depot",
        "a bridge pylon",
        "led by a former colonel",
        "paid in gold",
        "trained abroad",
        "through a tunnel",
        "at the harbour",
        "with forged passports",
        "in a stolen ambulance",
        "a dam",
        "an airfield",
        "poisoned grain",
        "a courier named Anton",
        "hidden in timber",
        "a radio relay",
        "two brothers",
        "by motorcycle",
        "from the mountains",
        "a border village",
        "the night ferry",
        "a power plant",
        "with grenades",
        "a diplomat's car",
        "during the parade",
    ];
    let details: String =
        words.iter().enumerate().map(|(i, text)| detail(&format!("d{i}"), "", &[(text, "")])).collect();
    let report = report(&details);
    is_clean(&report, &[0; 30], WARNING);
    for (index, text) in words.iter().enumerate() {
        let found = flags(&report, &[0; 30], &format!("{WARNING} It is {text}."));
        assert!(found.iter().any(|flag| flag.detail == format!("d{index}")), "{text}");
    }
}

#[test]
fn flags_name_field_language_and_place_in_order() {
    let march = march();
    let texts = [
        Text { field: "headline", language: "en", text: "Avoid halls on 9 March" },
        Text { field: "headline", language: "ru", text: "Избегайте толпы 9 марта" },
        Text { field: "instruction", language: "en", text: "Stay at home." },
    ];
    let found = check(&texts, &march, PUBLIC);
    let shown: Vec<_> = found
        .iter()
        .map(|f| {
            (
                f.field.as_str(),
                f.language.as_str(),
                f.position,
                f.length,
                f.detail.as_str(),
                f.level,
                f.kind.name(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("headline", "en", 6, 5, "target", 3, "word"),
            ("headline", "en", 15, 7, "when", 4, "date"),
            ("headline", "ru", 16, 7, "when", 4, "date"),
        ]
    );
}

#[test]
fn hostile_texts_end() {
    let march = march();
    for text in [
        "9.".repeat(5_000),
        "a ".repeat(5_000),
        "9 March to ".repeat(1_000),
        "[.]".repeat(20_000),
        "\u{200b}".repeat(100_000),
        "莫".repeat(5_000),
        "1 000 ".repeat(2_000),
        "x".repeat(200_000),
    ] {
        drop(flags(&march, PUBLIC, &text));
    }
    let long = ". ".repeat(TEXT_CHARS / 2) + "ISIS-K";
    let found = flags(&march, PUBLIC, &long);
    assert_eq!(
        found.iter().map(|flag| (flag.kind, flag.position)).collect::<Vec<_>>(),
        [(Kind::Unread, TEXT_CHARS)]
    );
}
