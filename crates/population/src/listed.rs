//! Tuples that a database has grouped already.

use crate::error::Fault;
use crate::reduce::{NULL, Take, Tuples, overflow};
use crate::tally::Dictionary;

/// Groups as they arrive.
#[derive(Debug)]
pub(crate) struct Listing {
    width: usize,
    codes: Vec<u32>,
    counts: Vec<u64>,
    dictionaries: Vec<Dictionary>,
}

impl Listing {
    pub(crate) fn new(items: usize) -> Self {
        let dictionaries = (0..items).map(|_| Dictionary::default()).collect();
        Self { width: items, codes: Vec::new(), counts: Vec::new(), dictionaries }
    }

    /// The number of a text or bit set of an item.
    pub(crate) fn number(&mut self, item: usize, bytes: Option<&[u8]>) -> Result<u32, Fault> {
        bytes.map_or(Ok(NULL), |bytes| self.dictionaries[item].number(bytes).ok_or_else(overflow))
    }

    pub(crate) fn push(&mut self, codes: &[u32], count: u64) {
        if count > 0 {
            self.codes.extend_from_slice(codes);
            self.counts.push(count);
        }
    }

    pub(crate) fn finish(self) -> Listed {
        Listed {
            width: self.width,
            codes: self.codes,
            counts: self.counts,
            strings: self.dictionaries.into_iter().map(Dictionary::into_list).collect(),
        }
    }
}

/// All groups.
#[derive(Debug)]
pub(crate) struct Listed {
    width: usize,
    codes: Vec<u32>,
    counts: Vec<u64>,
    strings: Vec<Vec<Box<[u8]>>>,
}

impl Tuples for Listed {
    fn each(&self, f: &mut Take<'_>) -> Result<(), Fault> {
        for (index, &count) in self.counts.iter().enumerate() {
            f(&self.codes[index * self.width..(index + 1) * self.width], count)?;
        }
        Ok(())
    }

    fn strings(&self, item: usize) -> &[Box<[u8]>] {
        &self.strings[item]
    }
}
