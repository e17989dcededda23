//! Body of the fuzz target for the log's journal: what must hold for any bytes.

use tearline_store::log_folder::journal::{ALIGN, scan};

/// Reads a segment. Records continue one another, lie where they are said to, and are written as they were.
pub fn journal(bytes: &[u8]) {
    let segment = scan(bytes);
    let Some((mut next, _)) = segment.base else {
        assert!(segment.records.is_empty(), "records without a head");
        return;
    };
    let mut at = ALIGN;
    for record in &segment.records {
        assert_eq!(record.first, next);
        next = record.end();
        let written = record.bytes();
        let length = written.len() - written.iter().rev().take_while(|&&byte| byte == 0).count();
        assert_eq!(bytes.get(at..at + length), written.get(..length));
        at += written.len();
    }
}
