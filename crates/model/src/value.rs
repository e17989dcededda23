//! Typed values of levels, and which contains which.

/// A value whose type may tell whether it contains another.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Plain text: nothing can be told.
    Text(String),
    /// A chain of place names, widest first: `["RU", "Moscow", "Krasnogorsk"]`.
    Place(Vec<String>),
    /// A half-open interval of time.
    Time(jiff::Timestamp, jiff::Timestamp),
    /// A closed interval of numbers.
    Number(f64, f64),
    /// A network prefix (RFC 4632, RFC 4291).
    Network(ipnet::IpNet),
    /// A domain name; a name contains its subdomains.
    Domain(String),
}
