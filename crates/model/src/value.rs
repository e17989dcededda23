//! Typed values of levels, and which contains which.

use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;

/// A value whose type may tell whether it contains another.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Plain text: nothing can be told.
    Text(String),
    /// A chain of place names, widest first: `["RU", "Moscow", "Krasnogorsk"]`.
    Place(Vec<String>),
    /// A half-open interval of time.
    Time(Timestamp, Timestamp),
    /// A closed interval of numbers.
    Number(f64, f64),
    /// A network prefix (RFC 4632, RFC 4291).
    Network(IpNet),
    /// A domain name in its ASCII form (RFC 5891 A-labels), lower case, without a final dot; a name contains its
    /// subdomains.
    Domain(String),
}

impl Value {
    /// Whether everything that `other` may mean is within what `self` means; a value contains itself. `None` when
    /// the types cannot tell: one of the two is text, or they are of different types.
    ///
    /// Names of places compare without regard to capitals. IPv4 and IPv6 never contain one another.
    pub fn contains(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Place(wide), Self::Place(narrow)) => Some(
                wide.len() <= narrow.len()
                    && wide.iter().zip(narrow).all(|(a, b)| a.to_lowercase() == b.to_lowercase()),
            ),
            (Self::Time(from, to), Self::Time(narrow_from, narrow_to)) => {
                Some(from <= narrow_from && narrow_to <= to)
            }
            (Self::Number(from, to), Self::Number(narrow_from, narrow_to)) => {
                Some(from <= narrow_from && narrow_to <= to)
            }
            (Self::Network(wide), Self::Network(narrow)) => Some(wide.contains(narrow)),
            (Self::Domain(wide), Self::Domain(narrow)) => {
                let rest = narrow.strip_suffix(wide.as_str());
                Some(rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
            }
            _ => None,
        }
    }
}

/// For messages and tables; `1985-04-12T00:00:00Z to …` for times, `RU / Moscow` for places.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Domain(text) => out.write_str(text),
            Self::Place(chain) => out.write_str(&chain.join(" / ")),
            Self::Time(from, to) => write!(out, "{from} to {to}"),
            Self::Number(from, to) if from.total_cmp(to).is_eq() => write!(out, "{from}"),
            Self::Number(from, to) => write!(out, "{from} to {to}"),
            Self::Network(prefix) => write!(out, "{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(chain: &[&str]) -> Value {
        Value::Place(chain.iter().map(ToString::to_string).collect())
    }

    fn network(prefix: &str) -> Value {
        Value::Network(prefix.parse().expect("a prefix"))
    }

    fn domain(name: &str) -> Value {
        Value::Domain(name.to_owned())
    }

    fn time(from: &str, to: &str) -> Value {
        Value::Time(from.parse().expect("a time"), to.parse().expect("a time"))
    }

    fn check(wide: &Value, narrow: &Value, expected: Option<bool>) {
        assert_eq!(wide.contains(narrow), expected, "{wide} contains {narrow}");
    }

    #[test]
    fn a_place_contains_the_places_whose_chain_it_begins() {
        check(&place(&["RU"]), &place(&["RU", "Moscow"]), Some(true));
        check(&place(&["RU", "moscow"]), &place(&["RU", "Moscow"]), Some(true));
        check(&place(&["RU", "Moscow"]), &place(&["RU"]), Some(false));
        check(&place(&["RU"]), &place(&["UA", "Kyiv"]), Some(false));
        check(&place(&[]), &place(&["UA"]), Some(true));
    }

    #[test]
    fn a_time_contains_what_starts_no_earlier_and_ends_no_later() {
        let week = time("2024-03-04T00:00Z", "2024-03-11T00:00Z");
        check(&week, &week, Some(true));
        check(&week, &time("2024-03-10T00:00Z", "2024-03-11T00:00Z"), Some(true));
        check(&week, &time("2024-03-10T00:00Z", "2024-03-11T00:00:01Z"), Some(false));
        check(&week, &time("2024-03-03T23:59:59Z", "2024-03-11T00:00Z"), Some(false));
    }

    #[test]
    fn a_number_contains_what_lies_between_its_ends() {
        check(&Value::Number(10.0, 20.0), &Value::Number(20.0, 20.0), Some(true));
        check(&Value::Number(10.0, 20.0), &Value::Number(9.0, 15.0), Some(false));
    }

    #[test]
    fn a_prefix_contains_longer_ones_of_its_own_family() {
        check(&network("10.0.0.0/8"), &network("10.1.0.0/16"), Some(true));
        check(&network("10.0.0.0/8"), &network("10.1.2.3/32"), Some(true));
        check(&network("10.1.0.0/16"), &network("10.0.0.0/8"), Some(false));
        check(&network("2001:db8::/32"), &network("2001:db8:1::/48"), Some(true));
        check(&network("::/0"), &network("10.0.0.0/8"), Some(false));
    }

    #[test]
    fn a_domain_contains_itself_and_what_ends_in_its_labels() {
        check(&domain("example.org"), &domain("example.org"), Some(true));
        check(&domain("example.org"), &domain("mail.example.org"), Some(true));
        check(&domain("example.org"), &domain("badexample.org"), Some(false));
        check(&domain("mail.example.org"), &domain("example.org"), Some(false));
    }

    #[test]
    fn text_and_mixed_types_cannot_tell() {
        check(&Value::Text("a".into()), &Value::Text("a".into()), None);
        check(&domain("10.0.0.0"), &network("10.0.0.0/8"), None);
    }
}
