//! Files that parties send each other: whatever comes is refused or verified, and nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tearline_disclosure::files::File;
use tearline_disclosure::identity::PublicKeys;
use tearline_disclosure::verify::{Trust, answer, case, release};

fuzz_target!(|bytes: &[u8]| {
    let trust = Trust::default();
    match File::read(bytes) {
        Ok(File::Release(file)) => {
            let _view = release(&file, &trust);
        }
        Ok(File::Answer(file)) => {
            let _view = answer(&file, None, &trust);
        }
        Ok(File::Case(file)) => {
            let _view = case(&file, &trust);
        }
        Ok(_) => {}
        Err(error) => assert!(error.to_string().len() < 1000),
    }
    if let Ok(keys) = PublicKeys::read(bytes) {
        assert_eq!(PublicKeys::read(&serde_json::to_vec(&keys).expect("plain data")), Ok(keys));
    }
});
