//! Damaged input: whatever the bytes, every parser answers. The bodies are those of the fuzzer.

use super::{bodies, checkpoint};
use proptest::prelude::*;

/// Everything that is read here, whole.
fn seeds() -> Vec<Vec<u8>> {
    let proof = include_bytes!("../../../../testdata/log/entry-3-of-13.tlog-proof");
    let receipt = include_bytes!("../../../../testdata/log/entry-3-of-13.cose");
    let request = format!("old 0\n\n{}", checkpoint(13));
    vec![
        proof.to_vec(),
        receipt.to_vec(),
        request.into_bytes(),
        checkpoint(13).to_string().into_bytes(),
        vec![0, 1, 7, 0, 0],
    ]
}

fn feed(bytes: &[u8]) {
    bodies::note(bytes);
    bodies::checkpoint(bytes);
    bodies::tile(bytes);
    bodies::entry_proof(bytes);
    bodies::witness_request(bytes);
    bodies::cose_receipt(bytes);
}

#[test]
fn what_is_whole_passes_through_every_body() {
    for seed in seeds() {
        feed(&seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_parser_answers_damaged_input(which in 0_usize..5, at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), byte in any::<u8>(), insert in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut bytes = seeds().swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.splice(at..at, insert);
        feed(&bytes);
        bytes.truncate(cut.index(bytes.len() + 1));
        feed(&bytes);
    }
}
