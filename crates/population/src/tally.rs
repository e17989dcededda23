//! Counting equal keys of one width, and numbering different texts: compactly, for tens of millions.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// How often each key came. Keys lie one after another in one vector.
#[derive(Debug)]
pub(crate) struct Tally<T> {
    width: usize,
    keys: Vec<T>,
    pub(crate) counts: Vec<u64>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T: Copy + Eq + Hash> Tally<T> {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            keys: Vec::new(),
            counts: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    pub(crate) fn key(&self, index: usize) -> &[T] {
        &self.keys[index * self.width..(index + 1) * self.width]
    }

    pub(crate) fn find(&self, key: &[T]) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.table.find(hash, |&index| self.key(index as usize) == key).copied()
    }

    /// Counts a key `count` more times; its number. `None` when the sum leaves 64 bits.
    pub(crate) fn add(&mut self, key: &[T], count: u64) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        let (keys, width) = (&self.keys, self.width);
        let at = |index: u32| &keys[index as usize * width..(index as usize + 1) * width];
        if let Some(&index) = self.table.find(hash, |&index| at(index) == key) {
            let sum = &mut self.counts[index as usize];
            *sum = sum.checked_add(count)?;
            return Some(index);
        }
        let index = u32::try_from(self.counts.len()).ok()?;
        let hasher = &self.hasher;
        self.table.insert_unique(hash, index, |&index| hasher.hash_one(at(index)));
        self.keys.extend_from_slice(key);
        self.counts.push(count);
        Some(index)
    }

    /// Numbers of the keys in ascending order of the keys.
    pub(crate) fn sorted(&self) -> Vec<usize>
    where
        T: Ord,
    {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_unstable_by(|&a, &b| self.key(a).cmp(self.key(b)));
        order
    }
}

/// Numbers for different byte strings, in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    map: hashbrown::HashMap<Box<[u8]>, u32>,
}

impl Dictionary {
    /// The number of a string. `None` beyond four thousand million of them.
    pub(crate) fn number(&mut self, bytes: &[u8]) -> Option<u32> {
        if let Some(&number) = self.map.get(bytes) {
            return Some(number);
        }
        let number = u32::try_from(self.map.len()).ok().filter(|&number| number < u32::MAX)?;
        self.map.insert(bytes.into(), number);
        Some(number)
    }

    pub(crate) fn get(&self, bytes: &[u8]) -> Option<u32> {
        self.map.get(bytes).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// The strings by number.
    pub(crate) fn into_list(self) -> Vec<Box<[u8]>> {
        let mut list = vec![Box::default(); self.map.len()];
        for (bytes, number) in self.map {
            list[number as usize] = bytes;
        }
        list
    }
}
