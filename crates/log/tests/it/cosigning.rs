//! Witnesses: what they cosign, what they refuse, and with which answer.

use super::{checkpoint, leaves, log, naive_root, reader, witness};
use ed25519_dalek::SigningKey;
use tearline_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tearline_log::cosignature::{self, BadCosignature, MAX_TIME};
use tearline_log::hash::Hash;
use tearline_log::merkle;
use tearline_log::note::{KeyKind, Note, Signer};
use tearline_log::witness::{Refusal, Request, Seen, check};

/// The request for the log of `new` entries by a sender who believes that the witness has seen `old`.
fn request(old: u64, new: u64) -> Request {
    let proof = merkle::consistency(old, new, reader(&leaves(new))).expect("both are there");
    Request { old, proof, checkpoint: checkpoint(new).note().clone() }
}

fn seen(size: u64) -> Seen {
    Seen { size, root: naive_root(&leaves(size)) }
}

/// The answer to a request, as an HTTP status.
fn answer(request: &Request, seen: impl Into<Option<Seen>>) -> u16 {
    check(request, seen.into(), Some(log().verifier())).map_or_else(|refusal| refusal.status(), |_| 200)
}

#[test]
fn a_log_that_only_grows_is_cosigned() {
    assert_eq!(answer(&request(0, 5), None), 200);
    assert_eq!(answer(&request(5, 13), seen(5)), 200);
    assert_eq!(answer(&request(13, 13), seen(13)), 200, "the same again");
    let sent = request(5, 13).to_string();
    assert_eq!(Request::read(sent.as_bytes()).expect("as it was written"), request(5, 13));
}

#[test]
fn everything_else_has_the_answer_of_the_standard() {
    let status = |refusal: Refusal| refusal.status();
    assert_eq!(check(&request(0, 5), None, None).map_err(status), Err(404), "a log that it does not follow");
    let other =
        Signer::new("desk.example/log", KeyKind::Log, SigningKey::from_bytes(&[1; 32])).expect("named");
    assert_eq!(check(&request(0, 5), None, Some(other.verifier())).map_err(status), Err(403), "another key");
    let mut backwards = request(5, 13);
    backwards.old = 14;
    assert_eq!(answer(&backwards, seen(14)), 400, "an old size above the new");
    assert_eq!(answer(&request(5, 13), seen(8)), 409, "another size than the one cosigned");
    assert_eq!(
        check(&request(0, 5), Some(seen(8)), Some(log().verifier())),
        Err(Refusal::OtherSize { size: 8 }),
        "a rollback"
    );
    let fork = Checkpoint {
        origin: "desk.example/log".to_owned(),
        size: 13,
        root: Hash::of_leaf(b"another history"),
        extensions: Vec::new(),
    };
    let fork = Request { old: 13, proof: Vec::new(), checkpoint: fork.sign(&log()).note().clone() };
    assert_eq!(check(&fork, Some(seen(13)), Some(log().verifier())), Err(Refusal::Fork { size: 13 }));
    let fork = Request { old: 5, proof: request(5, 13).proof, ..fork };
    assert_eq!(answer(&fork, seen(5)), 422, "a fork with a proof of the true history");
    let mut unproven = request(5, 13);
    unproven.proof.pop();
    assert_eq!(answer(&unproven, seen(5)), 422, "a proof that is too short");
    let mut needless = request(0, 5);
    needless.proof.push(Hash::of_empty_tree());
    assert_eq!(answer(&needless, None), 422, "a proof where there is nothing to prove");
}

#[test]
fn malformed_requests_are_refused() {
    let good = request(5, 13).to_string();
    let bad = [
        String::new(),
        good.replace("old 5", "old 05"),
        good.replace("old 5", "old"),
        good.replace("old 5", "old -5"),
        good.replacen('=', "", 1),
        good.replace("\n\u{2014}", "\n-"),
        format!("old 5\n{}\n{}", format!("{}\n", Hash::of_empty_tree()).repeat(64), checkpoint(13)),
    ];
    for request in bad {
        let answer = Request::read(request.as_bytes()).map_err(|refusal| refusal.status());
        assert_eq!(answer.err(), Some(400), "{request}");
    }
}

#[test]
fn a_cosignature_covers_time_and_checkpoint() {
    let (log, partner) = (log(), witness());
    let mut signed = checkpoint(13);
    let line = cosignature::cosign(&signed, &partner, 1_709_800_000).expect("a witness's key");
    let known = [partner.verifier().clone()];
    let added = cosignature::add(&mut signed, std::slice::from_ref(&line), &known).expect("it verifies");
    assert_eq!(added[0].time, 1_709_800_000);
    let read =
        SignedCheckpoint::open(signed.to_string().as_bytes(), log.verifier()).expect("still the log's");
    let found = cosignature::verify(&read, partner.verifier(), MAX_TIME).expect("it is there");
    assert_eq!((found.witness.as_str(), found.time), ("partner.example/witness", 1_709_800_000));
    let early = cosignature::verify(&read, partner.verifier(), 1_709_799_999);
    assert!(matches!(early, Err(BadCosignature::Future { time: 1_709_800_000, .. })));
    for at in 0..line.bytes.len() {
        let mut altered = line.clone();
        altered.bytes[at] ^= 1;
        let mut checkpoint = checkpoint(13);
        assert!(
            cosignature::add(&mut checkpoint, &[altered], &known).is_err(),
            "a bit of byte {at} is flipped"
        );
        assert_eq!(checkpoint.note().signatures().len(), 1, "nothing was added");
    }
    let mut other = checkpoint(12);
    assert!(
        cosignature::add(&mut other, std::slice::from_ref(&line), &known).is_err(),
        "of another checkpoint"
    );
    assert_eq!(cosignature::add(&mut other, &[line], &[]).expect("unknown keys are ignored"), []);
}

#[test]
fn a_later_cosignature_replaces_an_earlier_one_and_not_the_reverse() {
    let partner = witness();
    let known = [partner.verifier().clone()];
    let mut signed = checkpoint(13);
    let at = |time| cosignature::cosign(&checkpoint(13), &partner, time).expect("a witness's key");
    for (time, found) in [(100, 100), (200, 200), (150, 200)] {
        cosignature::add(&mut signed, &[at(time)], &known).expect("it verifies");
        assert_eq!(
            cosignature::verify(&signed, partner.verifier(), MAX_TIME).expect("it is there").time,
            found
        );
        assert_eq!(signed.note().signatures().len(), 2);
    }
}

#[test]
fn a_logs_key_does_not_cosign_and_a_witnesss_key_does_not_sign() {
    let signed = checkpoint(1);
    assert!(matches!(cosignature::cosign(&signed, &log(), 1), Err(BadCosignature::NotWitness(_))));
    assert!(cosignature::cosign(&signed, &witness(), MAX_TIME + 1).is_err());
    let note = Note::sign("text\n", &witness());
    assert!(note.verify(witness().verifier()).is_err(), "a witness's bare signature means nothing");
}
