//! Bodies of the fuzz targets: what must hold for any bytes. The tests of the crates include this file, so that the
//! same bodies run on a stable compiler.

use tearline_model::parse::parse;

/// Parses a report file. Any bytes are answered; a refusal has reasons, and each says where.
pub fn report(text: &[u8]) {
    let Err(problems) = parse(text, "fuzz.toml") else { return };
    assert!(problems.iter().count() > 0, "refused without a reason");
    let lines = text.split(|&byte| byte == b'\n').count();
    for problem in &problems {
        assert!((1..=lines).contains(&problem.line), "{problem:?} in a file of {lines} lines");
        assert!(problem.column >= 1, "{problem:?}");
        assert!(!problem.what.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
        let shown = problem.to_string();
        assert!(shown.starts_with("fuzz.toml:"), "{shown}");
        assert!(shown.len() < 10_000, "a message of {} bytes", shown.len());
    }
}
