//! Damaged segments of the journal: whatever the bytes, they are answered. The body is that of the fuzzer.

#[path = "../../../../../fuzz/src/journal.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz target, which is another package")]
mod bodies;

use super::memory::Memory;
use super::{SMALL, entries, signer};
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tearline_store::log_folder::journal::{EXTENSION, scan};
use tearline_store::log_folder::storage::Storage as _;
use tearline_store::log_folder::{LogFolder, Options, private_dir};

/// A segment with some records.
static SEGMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = Arc::new(Memory::with_dir(Path::new("/disk")));
    let dir = Path::new("/disk/log");
    let wide = Options { segment: 4096, ..SMALL };
    let mut folder = LogFolder::create_on(&disk, dir, signer(), wide).expect("nothing fails");
    for count in [3, 1, 4] {
        folder.append(&entries(0, count)).expect("nothing fails");
    }
    let journal = private_dir(dir).join("journal");
    let names = disk.list(&journal).expect("it is there");
    let name = names.iter().find(|name| name.ends_with(EXTENSION)).expect("a segment");
    disk.read(&journal.join(name)).expect("readable").expect("there")
});

#[test]
fn a_whole_segment_is_read_whole() {
    bodies::journal(&SEGMENT);
    let ends: Vec<u64> =
        scan(&SEGMENT).records.iter().map(tearline_store::log_folder::journal::Record::end).collect();
    assert_eq!(ends, [3, 4, 8]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_damage_is_answered(at in 0_usize..1200, byte in any::<u8>(), cut in 0_usize..4096, insert in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut bytes = SEGMENT.clone();
        bytes[at] = byte;
        bytes.splice(at..at, insert);
        bodies::journal(&bytes);
        bytes.truncate(cut);
        bodies::journal(&bytes);
    }
}
