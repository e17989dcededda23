//! JSON, strictly: no name twice in an object, no deep nesting, nothing after the end.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::limits;
use super::rejected::Check;

/// Parses a JSON text. The check that failed is [`Check::Json`], [`Check::DuplicateName`] or [`Check::Depth`].
///
/// Numbers are 64-bit integers or IEEE doubles; a number beyond them is refused.
pub fn parse(text: &[u8]) -> Result<Value, Check> {
    let failed = Cell::new(Check::Json);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: limits::DEPTH, failed: &failed }
        .deserialize(&mut reader)
        .map_err(|_| failed.get())?;
    reader.end().map_err(|_| Check::Json)?;
    Ok(value)
}

/// A value that may still be nested `depth` levels deep.
#[derive(Clone, Copy)]
struct Strict<'c> {
    depth: usize,
    failed: &'c Cell<Check>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.fail(Check::Depth)),
        }
    }

    fn fail<E: serde::de::Error>(self, check: Check) -> E {
        self.failed.set(check);
        E::custom(check.name())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(A::Error::custom(self.fail::<A::Error>(Check::DuplicateName)));
            }
            let value = entries.next_value_seed(inner)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_could_take_differently_is_refused() {
        for (text, check) in [
            (r#"{"a":1,"a":2}"#, Check::DuplicateName),
            (r#"{"a":1,"\u0061":2}"#, Check::DuplicateName),
            (r#"[{"a":{"b":1,"b":1}}]"#, Check::DuplicateName),
            (r#"{"a":1} "#, Check::Size),
            (r#"{"a":1}{}"#, Check::Json),
            (r#"{"a":1,}"#, Check::Json),
            (r"{'a':1}", Check::Json),
            (r#"["\ud800"]"#, Check::Json),
            ("[1e999]", Check::Json),
            ("[NaN]", Check::Json),
            ("[01]", Check::Json),
            ("[\"\u{1}\"]", Check::Json),
            ("", Check::Json),
            ("\u{feff}[]", Check::Json),
        ] {
            let expected = if check == Check::Size { None } else { Some(check) };
            assert_eq!(parse(text.as_bytes()).err(), expected, "{text}");
        }
        assert_eq!(parse(b"[\"\xff\"]"), Err(Check::Json));
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(limits::DEPTH).as_bytes()).is_ok());
        assert_eq!(parse(nested(limits::DEPTH + 1).as_bytes()), Err(Check::Depth));
        assert_eq!(parse("{\"a\":".repeat(100_000).as_bytes()), Err(Check::Depth));
    }
}
