//! The value of a level as JSON: `{"text":…,"type":…}` and what the type adds. One way to write each.

use std::borrow::Cow;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;
use tearline_model::value::Value;

/// Whole numbers beyond this are not written as such: not every reader has them exactly (RFC 8259, 6).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A level's value, as it stands in a disclosure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written<'a> {
    #[serde(borrow)]
    pub(super) text: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default, borrow, deserialize_with = "present")]
    place: Option<Vec<Cow<'a, str>>>,
    #[serde(default, deserialize_with = "present")]
    from: Option<&'a str>,
    #[serde(default, deserialize_with = "present")]
    to: Option<&'a str>,
    #[serde(default, deserialize_with = "present")]
    min: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    max: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    network: Option<&'a str>,
    #[serde(default, deserialize_with = "present")]
    domain: Option<&'a str>,
}

/// A member that is there is not `null`.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

impl Written<'_> {
    /// The value, if it is one of those that `write` writes, written as it writes them.
    pub(super) fn value(&self) -> Option<Value> {
        let members = [
            self.place.is_some(),
            self.from.is_some() && self.to.is_some(),
            self.min.is_some() && self.max.is_some(),
            self.network.is_some(),
            self.domain.is_some(),
        ];
        let half = self.from.is_some() != self.to.is_some() || self.min.is_some() != self.max.is_some();
        let expected = usize::from(self.kind != "text");
        if half || members.iter().filter(|there| **there).count() != expected || self.text.is_empty() {
            return None;
        }
        match self.kind {
            "text" => Some(Value::Text(self.text.clone().into_owned())),
            "place" => {
                let names: Vec<String> =
                    self.place.as_ref()?.iter().map(|name| name.clone().into_owned()).collect();
                (!names.is_empty()).then_some(Value::Place(names))
            }
            "time" => {
                let (from, to) = (time(self.from?)?, time(self.to?)?);
                (from < to).then_some(Value::Time(from, to))
            }
            "number" => {
                let (min, max) = (self.min?, self.max?);
                (min <= max).then_some(Value::Number(min, max))
            }
            "network" => {
                let network: IpNet = self.network?.parse().ok()?;
                (network == network.trunc() && network.to_string() == self.network?)
                    .then_some(Value::Network(network))
            }
            "domain" => {
                is_domain(self.domain?).then(|| Value::Domain(self.domain.unwrap_or_default().to_owned()))
            }
            _ => None,
        }
    }
}

/// A time as this format writes it: `2024-03-07T00:00:00Z`, a fraction only where there is one.
fn time(text: &str) -> Option<Timestamp> {
    let time: Timestamp = text.parse().ok()?;
    (time.to_string() == text).then_some(time)
}

/// Lower case, no final dot (RFC 5890, A-labels; RFC 1035, 2.3.4), underscores allowed.
fn is_domain(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        })
}

/// Whether a reader would take the value.
pub(super) fn is_writable(text: &str, value: &Value) -> bool {
    !text.is_empty()
        && match value {
            Value::Text(_) => true,
            Value::Place(names) => !names.is_empty(),
            Value::Time(from, to) => from < to,
            Value::Number(min, max) => min.is_finite() && max.is_finite() && min <= max,
            Value::Network(network) => *network == network.trunc(),
            Value::Domain(name) => is_domain(name),
        }
}

/// Writes `{"text":…,"type":…,…}`. The value must be writable.
pub(super) fn write(out: &mut Vec<u8>, text: &str, value: &Value) {
    out.extend_from_slice(br#"{"text":"#);
    string(out, text);
    match value {
        Value::Text(_) => out.extend_from_slice(br#","type":"text"}"#),
        Value::Place(names) => {
            out.extend_from_slice(br#","type":"place","place":["#);
            for (index, name) in names.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                string(out, name);
            }
            out.extend_from_slice(b"]}");
        }
        Value::Time(from, to) => {
            out.extend_from_slice(br#","type":"time","from":""#);
            out.extend_from_slice(from.to_string().as_bytes());
            out.extend_from_slice(br#"","to":""#);
            out.extend_from_slice(to.to_string().as_bytes());
            out.extend_from_slice(br#""}"#);
        }
        Value::Number(min, max) => {
            out.extend_from_slice(br#","type":"number","min":"#);
            number(out, *min);
            out.extend_from_slice(br#","max":"#);
            number(out, *max);
            out.push(b'}');
        }
        Value::Network(network) => {
            out.extend_from_slice(br#","type":"network","network":""#);
            out.extend_from_slice(network.to_string().as_bytes());
            out.extend_from_slice(br#""}"#);
        }
        Value::Domain(name) => {
            out.extend_from_slice(br#","type":"domain","domain":""#);
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(br#""}"#);
        }
    }
}

fn number(out: &mut Vec<u8>, number: f64) {
    let text = if number.fract() == 0.0 && number.abs() <= EXACT {
        format!("{:.0}", if number == 0.0 { 0.0 } else { number })
    } else {
        serde_json::Value::from(number).to_string()
    };
    out.extend_from_slice(text.as_bytes());
}

/// Writes a JSON string.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text is written to memory");
}
