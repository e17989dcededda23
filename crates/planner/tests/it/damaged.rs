//! Certificates and policies with damage of every kind: the bodies of the fuzz targets, without guidance.

use crate::chance::Chance;
use crate::fuzz_bodies::{certificate, policy};

const CERTIFICATE: &[u8] = include_bytes!("../../../../testdata/certificates/certificate.json");
const POLICY: &[u8] = include_bytes!("../../../tearline/tests/cmd/policy.out/policies/02-partner.policy");

/// Bytes changed, dropped, doubled, or exchanged for others of the same file.
fn damaged(chance: &mut Chance, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=chance.below(3) {
        let length = bytes.len() as u64;
        let at = chance.index(length);
        match chance.below(4) {
            0 => bytes[at] = u8::try_from(chance.below(256)).expect("a byte"),
            1 => drop(bytes.drain(at..(at + chance.index(20)).min(bytes.len()))),
            2 => bytes.insert(at, good[chance.index(good.len() as u64)]),
            _ => bytes.truncate(at.max(1)),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

#[test]
fn damaged_files_are_answered() {
    let mut chance = Chance(31);
    certificate(CERTIFICATE);
    policy(POLICY);
    for _ in 0..20_000 {
        certificate(&damaged(&mut chance, CERTIFICATE));
        policy(&damaged(&mut chance, POLICY));
    }
}
