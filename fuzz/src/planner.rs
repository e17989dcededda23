//! Bodies of the fuzz targets for what the planner reads: certificates and policies. The planner's tests include this
//! file too.

use tearline_planner::certificate::Certificate;
use tearline_planner::policy::{Placed, Policy, Query, Reader};

/// Reads a certificate. Any bytes are answered; what was read is written and read back the same.
pub fn certificate(bytes: &[u8]) {
    match Certificate::read(bytes) {
        Ok(certificate) => {
            let written = certificate.write();
            assert_eq!(Certificate::read(written.as_bytes()), Ok(certificate), "{written}");
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 1000, "a message of {} bytes", message.len());
        }
    }
}

/// Reads a policy. Any text is answered; what was read is written the same, byte for byte, and leads every world
/// somewhere or nowhere without failing.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let policy = match Policy::from_text(text) {
        Ok(policy) => policy,
        Err(bad) => {
            assert!((1..=text.split('\n').count() + 1).contains(&bad.line), "{bad}");
            return;
        }
    };
    assert_eq!(policy.to_text(), text);
    let details = policy.details.len();
    let mut query = Query { values: vec![Vec::new(); details], precision: vec![0; details] };
    for form in policy.details.iter().zip(&mut query.values) {
        if let (tearline_planner::policy::Form::Valued { values }, texts) = form {
            texts.extend(values.iter().take(3).map(|value| value.text.clone()));
        }
    }
    let reader = Reader::new(&policy);
    for precision in [0, 1, u8::MAX] {
        query.precision.fill(precision);
        let base = Placed { levels: vec![1; details], output: 0, fallback: false, candidates: Vec::new() };
        for base in [None, Some(&base)] {
            if let Ok(placed) = reader.place(&query, base) {
                assert_eq!(placed.levels.len(), details);
                assert!(placed.output < policy.outputs.len());
            }
        }
    }
}
