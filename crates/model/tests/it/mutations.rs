//! Damaged reports: whatever the bytes, the parser answers, and every problem says where it is.

use proptest::prelude::*;
use tearline_model::parse::limits;

use super::COMPLETE;
use super::bodies::report as parse_any;

/// Fragments that a writer or a mishap could put anywhere.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "nan",
            "-inf",
            "1e400",
            "-1",
            "0",
            "9223372036854775807",
            "99999999999999999999",
            "0x7f",
            "true",
            "\"\"",
            "\":value\"",
            "[]",
            "[[]]",
            "{}",
            "[{}]",
            "2024-03-08",
            "2024-03-08T20:00:00Z",
            "20:00:00",
            "\"2024-W10\"",
            "\"-9999-01/P9999Y\"",
            "\"postgres://a:b@c/d\"",
            "\"x.csv\"",
            "{ from = 1, to = 2 }",
            "{ from = 0, to = 9, steps = [3, 1] }",
            "{ from = 0001-01-01, to = 9999-12-31, units = [\"week\"] }",
            "\"10.0.0.1/8\"",
            "\"::/0\"",
            "\"xn--\"",
            "\"nobody\"",
            "[\"partner\"]",
            "\"staff\"",
            "\"where\"",
            "\u{202e}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,12}",
        "\"[ -~]{0,20}\"".prop_map(|text| text),
        (any::<i64>()).prop_map(|number| number.to_string()),
        (any::<f64>()).prop_map(|number| number.to_string()),
    ]
}

/// One way to damage a text.
#[derive(Clone, Debug)]
enum Damage {
    FlipByte(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    SwapLines(prop::sample::Index, prop::sample::Index),
    DropLine(prop::sample::Index),
    RepeatLine(prop::sample::Index, usize),
    /// Puts another value behind the `=` of a line.
    Value(prop::sample::Index, String),
    /// Puts another word in place of a key.
    Key(prop::sample::Index, String),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        1 => (index(), any::<u8>()).prop_map(|(at, byte)| Damage::FlipByte(at, byte)),
        1 => index().prop_map(Damage::Truncate),
        1 => (index(), index()).prop_map(|(a, b)| Damage::SwapLines(a, b)),
        1 => index().prop_map(Damage::DropLine),
        1 => (index(), 1..300_usize).prop_map(|(at, times)| Damage::RepeatLine(at, times)),
        8 => (index(), fragment()).prop_map(|(at, value)| Damage::Value(at, value)),
        2 => (index(), "[a-z_]{1,10}").prop_map(|(at, key)| Damage::Key(at, key)),
    ]
}

fn apply(text: &mut Vec<u8>, damage: &Damage) {
    match damage {
        Damage::FlipByte(at, byte) if !text.is_empty() => {
            let at = at.index(text.len());
            text[at] = *byte;
        }
        Damage::Truncate(at) => text.truncate(at.index(text.len() + 1)),
        Damage::FlipByte(..) => {}
        _ => {
            let mut lines: Vec<Vec<u8>> = text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            apply_to_lines(&mut lines, damage);
            *text = lines.join(&b'\n');
        }
    }
}

fn apply_to_lines(lines: &mut Vec<Vec<u8>>, damage: &Damage) {
    let count = lines.len();
    match damage {
        Damage::SwapLines(a, b) => lines.swap(a.index(count), b.index(count)),
        Damage::DropLine(at) => drop(lines.remove(at.index(count))),
        Damage::RepeatLine(at, times) => {
            let line = lines[at.index(count)].clone();
            lines.extend(std::iter::repeat_n(line, *times));
        }
        Damage::Value(at, value) => {
            let line = &mut lines[at.index(count)];
            if let Some(equals) = line.iter().position(|&byte| byte == b'=') {
                line.truncate(equals + 1);
                line.extend_from_slice(value.as_bytes());
            }
        }
        Damage::Key(at, key) => {
            let line = &mut lines[at.index(count)];
            if let Some(equals) = line.iter().position(|&byte| byte == b'=') {
                line.splice(..equals, key.bytes());
            }
        }
        Damage::FlipByte(..) | Damage::Truncate(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_report_is_answered(damages in prop::collection::vec(damage(), 1..6)) {
        let mut text = COMPLETE.as_bytes().to_vec();
        for damage in &damages {
            apply(&mut text, damage);
        }
        parse_any(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parse_any(&bytes);
    }

    #[test]
    fn any_toml_is_answered(
        lines in prop::collection::vec(("(\\[{1,2}(source|population|detail|audience|protection|told)(\\.[ab])?(\\.level)?\\]{1,2}\n)?[a-z_]{1,8}", fragment()), 0..20)
    ) {
        let mut text = String::from("tearline = 1\n");
        for (key, value) in lines {
            text.extend([&key, " = ", &value, "\n"]);
        }
        parse_any(text.as_bytes());
    }
}

#[test]
fn deep_nesting_and_long_lines_are_answered() {
    parse_any(format!("x = {}", "[".repeat(100_000)).as_bytes());
    parse_any(format!("x = {}", "{a=".repeat(100_000)).as_bytes());
    parse_any(format!("{}x = 1", "a.".repeat(100_000)).as_bytes());
    parse_any(format!("tearline = 1\n{} = 1\n", "k".repeat(1_000_000)).as_bytes());
    parse_any(format!("tearline = 1\nid = \"{}\"\n", "é".repeat(1_000_000)).as_bytes());
    parse_any("[[told]]\n".repeat(limits::TOLD + 1).as_bytes());
    parse_any(&vec![0; 2_000_000]);
    parse_any(&vec![b'\n'; 2_000_000]);
    parse_any(&"\u{feff}tearline = 1".repeat(2).into_bytes());
}
