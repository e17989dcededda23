//! Keys, details and damage for the tests.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use tearline_disclosure::token::{Committed, Issued, issue};
use tearline_model::value::Value;

/// A key that everybody knows.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(crate) fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(crate) fn decode(text: &str) -> String {
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("UTF-8")
}

/// A detail that owns its levels.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) name: String,
    pub(crate) levels: Vec<(String, Value)>,
}

/// A detail of plain text.
pub(crate) fn text(name: &str, levels: &[&str]) -> Detail {
    let levels = levels.iter().map(|text| ((*text).to_owned(), Value::Text((*text).to_owned())));
    Detail { name: name.to_owned(), levels: levels.collect() }
}

/// A detail with values.
pub(crate) fn typed(name: &str, levels: &[(&str, Value)]) -> Detail {
    let levels = levels.iter().map(|(text, value)| ((*text).to_owned(), value.clone()));
    Detail { name: name.to_owned(), levels: levels.collect() }
}

pub(crate) fn place(chain: &[&str]) -> Value {
    Value::Place(chain.iter().map(ToString::to_string).collect())
}

pub(crate) fn time(from: &str, to: &str) -> Value {
    Value::Time(from.parse().expect("a time"), to.parse().expect("a time"))
}

/// What the warning of the example says, and more that it does not.
pub(crate) fn warning() -> Vec<Detail> {
    vec![
        text("who", &["extremists", "extremists of the group ISIS-K"]),
        text(
            "target",
            &["large gatherings", "large gatherings, including concerts", "a concert in one hall"],
        ),
        typed("where", &[("in Russia", place(&["RU"])), ("in Moscow", place(&["RU", "Moscow"]))]),
        typed(
            "when",
            &[
                ("in the coming days", time("2024-03-06T21:00Z", "2024-03-10T21:00Z")),
                ("in the next 48 hours", time("2024-03-06T21:00Z", "2024-03-09T21:00Z")),
                ("on 9 March", time("2024-03-08T21:00Z", "2024-03-09T21:00Z")),
            ],
        ),
        typed("how many", &[("several", Value::Number(2.0, 9.0)), ("four", Value::Number(4.0, 4.0))]),
    ]
}

pub(crate) fn committed(details: &[Detail]) -> Vec<Committed<'_>> {
    details
        .iter()
        .map(|detail| Committed {
            name: &detail.name,
            levels: detail.levels.iter().map(|(text, value)| (text.as_str(), value)).collect(),
        })
        .collect()
}

/// A token over details, by key 1.
pub(crate) fn token(details: &[Detail], seed: u8) -> Issued {
    issue(&key(1), "Example desk", "desk.example/tearline", 1_709_805_600, &committed(details), &[seed; 32])
        .expect("details that can be issued")
}
