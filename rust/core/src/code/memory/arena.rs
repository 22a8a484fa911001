//! Which parts of the arena are free.
//!
//! In: chunks of address space, and sizes. Out: addresses. Always holds: what is given out lies in one chunk and overlaps nothing else that is;
//! free neighbours in a chunk are one extent; at most one chunk is wholly free. Sizes are whole pages, by the callers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// `C` owns a chunk's memory.
pub struct Arena<C> {
    /// By start: the end, and the owner.
    chunks: BTreeMap<usize, (usize, C)>,
    /// The free extents: size by start, and the same in the order of sizes.
    sizes: BTreeMap<usize, usize>,
    starts: BTreeSet<(usize, usize)>,
    /// One chunk of this size is kept while nothing of it is in use, so that a function made and dropped does not map and unmap:
    /// whether there is one.
    usual: usize,
    idle: bool,
}

impl<C> Arena<C> {
    pub const fn new(usual: usize) -> Arena<C> {
        Arena { chunks: BTreeMap::new(), sizes: BTreeMap::new(), starts: BTreeSet::new(), usual, idle: false }
    }

    /// A chunk from which something is taken next.
    pub fn add(&mut self, range: Range<usize>, owner: C) {
        self.insert(range.start, range.len());
        self.chunks.insert(range.start, (range.end, owner));
        self.idle |= range.len() == self.usual;
    }

    /// The smallest extent that is large enough, and the lowest of these.
    pub fn take(&mut self, size: usize) -> Option<usize> {
        let &(found, start) = self.starts.range((size, 0)..).next()?;
        self.remove(start, found);
        if found > size {
            self.insert(start + size, found - size);
        }
        if found == self.usual && self.is_chunk(start, found) {
            self.idle = false;
        }
        Some(start)
    }

    /// The owner of the chunk, if it is not needed any more.
    pub fn give(&mut self, start: usize, size: usize) -> Option<C> {
        let (&chunk, &(chunk_end, _)) = self.chunks.range(..=start).next_back()?;
        let (mut low, mut high) = (start, start + size);
        if let Some((&before, &length)) = self.sizes.range(chunk..low).next_back()
            && before + length == low
        {
            self.remove(before, length);
            low = before;
        }
        if high < chunk_end
            && let Some(&length) = self.sizes.get(&high)
        {
            self.remove(high, length);
            high += length;
        }
        if self.is_chunk(low, high - low) {
            if self.idle || high - low != self.usual {
                return self.chunks.remove(&chunk).map(|(_, owner)| owner);
            }
            self.idle = true;
        }
        self.insert(low, high - low);
        None
    }

    fn is_chunk(&self, start: usize, size: usize) -> bool {
        self.chunks.get(&start).is_some_and(|&(end, _)| end == start + size)
    }

    fn insert(&mut self, start: usize, size: usize) {
        self.sizes.insert(start, size);
        self.starts.insert((size, start));
    }

    fn remove(&mut self, start: usize, size: usize) {
        self.sizes.remove(&start);
        self.starts.remove(&(size, start));
    }
}

#[cfg(test)]
mod tests;
