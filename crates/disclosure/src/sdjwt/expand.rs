//! Puts the disclosures in where their digests stand (section 7.1, steps 3 to 5).

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::rejected::{Check, Place, Rejected};
use super::{digest, json, jws, limits};

/// The claims of a signed payload with the disclosures put in and every trace of digests taken out.
pub(crate) fn expand(payload: &[u8], disclosures: &[&str]) -> Result<Map<String, Value>, Rejected> {
    let reject = |check| Rejected::new(check, Place::Payload);
    let Value::Object(mut claims) = json::parse(payload).map_err(reject)? else {
        return Err(reject(Check::Json));
    };
    // The algorithm comes before everything that rests on it.
    match claims.remove("_sd_alg") {
        None => {}
        Some(Value::String(name)) if name == "sha-256" => {}
        Some(_) => return Err(reject(Check::HashAlgorithm)),
    }
    let mut by_digest = HashMap::with_capacity(disclosures.len());
    for (index, text) in disclosures.iter().enumerate() {
        if by_digest.insert(URL_SAFE_NO_PAD.encode(digest(text)), index).is_some() {
            return Err(Rejected::new(Check::RepeatedDisclosure, Place::Disclosure(index + 1)));
        }
    }
    let mut expansion =
        Expansion { disclosures, by_digest, seen: HashSet::new(), used: vec![false; disclosures.len()] };
    expansion.object(&mut claims, Place::Payload, limits::EXPANDED_DEPTH)?;
    match expansion.used.iter().position(|used| !used) {
        None => Ok(claims),
        Some(index) => Err(Rejected::new(Check::UnreferencedDisclosure, Place::Disclosure(index + 1))),
    }
}

struct Expansion<'a> {
    disclosures: &'a [&'a str],
    by_digest: HashMap<String, usize>,
    /// Every digest met so far, disclosed or not.
    seen: HashSet<String>,
    used: Vec<bool>,
}

impl Expansion<'_> {
    fn value(&mut self, value: &mut Value, place: Place, depth: usize) -> Result<(), Rejected> {
        match value {
            Value::Object(object) => self.object(object, place, depth),
            Value::Array(items) => self.array(items, place, depth),
            _ => Ok(()),
        }
    }

    fn object(
        &mut self,
        object: &mut Map<String, Value>,
        place: Place,
        depth: usize,
    ) -> Result<(), Rejected> {
        let depth = deeper(depth, place)?;
        let digests = object.remove("_sd");
        for name in object.keys() {
            check_name(name, place)?;
        }
        for value in object.values_mut() {
            self.value(value, place, depth)?;
        }
        let digests = match digests {
            None => return Ok(()),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err(Rejected::new(Check::DigestForm, place)),
        };
        for digest in digests {
            let Value::String(digest) = digest else {
                return Err(Rejected::new(Check::DigestForm, place));
            };
            let Some(index) = self.find(digest, place)? else { continue };
            let at = Place::Disclosure(index + 1);
            let Ok([Value::String(_), Value::String(name), mut value]) =
                <[Value; 3]>::try_from(self.open(index)?)
            else {
                return Err(Rejected::new(Check::DisclosureForm, at));
            };
            check_name(&name, at)?;
            if object.contains_key(&name) {
                return Err(Rejected::new(Check::ExistingClaim, at));
            }
            self.value(&mut value, at, depth)?;
            object.insert(name, value);
        }
        Ok(())
    }

    fn array(&mut self, items: &mut Vec<Value>, place: Place, depth: usize) -> Result<(), Rejected> {
        let depth = deeper(depth, place)?;
        let mut kept = Vec::with_capacity(items.len());
        for mut item in items.drain(..) {
            let slot =
                item.as_object_mut().and_then(|object| object.remove("...").map(|digest| (digest, object)));
            let Some((digest, rest)) = slot else {
                self.value(&mut item, place, depth)?;
                kept.push(item);
                continue;
            };
            let (Value::String(digest), true) = (digest, rest.is_empty()) else {
                return Err(Rejected::new(Check::DigestForm, place));
            };
            let Some(index) = self.find(digest, place)? else { continue };
            let at = Place::Disclosure(index + 1);
            let Ok([Value::String(_), mut value]) = <[Value; 2]>::try_from(self.open(index)?) else {
                return Err(Rejected::new(Check::DisclosureForm, at));
            };
            self.value(&mut value, at, depth)?;
            kept.push(value);
        }
        *items = kept;
        Ok(())
    }

    /// The disclosure of a digest, if it was presented.
    fn find(&mut self, digest: String, place: Place) -> Result<Option<usize>, Rejected> {
        let found = self.by_digest.get(&digest).copied();
        if !self.seen.insert(digest) {
            return Err(Rejected::new(Check::RepeatedDigest, place));
        }
        if let Some(index) = found {
            self.used[index] = true;
        }
        Ok(found)
    }

    /// The array in a disclosure.
    fn open(&self, index: usize) -> Result<Vec<Value>, Rejected> {
        let place = Place::Disclosure(index + 1);
        let bytes = jws::decode(self.disclosures[index], place)?;
        match json::parse(&bytes).map_err(|check| Rejected::new(check, place))? {
            Value::Array(items) => Ok(items),
            _ => Err(Rejected::new(Check::DisclosureForm, place)),
        }
    }
}

fn deeper(depth: usize, place: Place) -> Result<usize, Rejected> {
    depth.checked_sub(1).ok_or(Rejected::new(Check::Depth, place))
}

/// Refuses the names that the standard keeps for itself (sections 4.1 and 4.1.1).
fn check_name(name: &str, place: Place) -> Result<(), Rejected> {
    match (name, place) {
        ("_sd" | "..." | "_sd_alg", Place::Disclosure(_)) => Err(Rejected::new(Check::ReservedName, place)),
        ("...", _) => Err(Rejected::new(Check::DigestForm, place)),
        ("_sd_alg", _) => Err(Rejected::new(Check::HashAlgorithm, place)),
        _ => Ok(()),
    }
}
