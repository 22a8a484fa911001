//! Whole-array operations on one block of what lies simply: contiguous arrays of one shape, and numbers.
//!
//! In: as for all. Out: the result, or None where it is not so simple. Always holds: nothing is allocated but what the result needs, since a text may
//! do this for every row of an array; the answer is the one that the long way gives.

use std::cell::RefCell;

use smallvec::SmallVec;

use super::{Engine, Kind, Stop, Whole};
use crate::eval::Slots;
use crate::runtime::fold::{self, Pairs};
use crate::runtime::memory;
use crate::typed::reduction::BLOCK;
use crate::types::{Item, Ty};

/// More operands go the long way.
const OPERANDS: usize = 8;

thread_local! {
    /// Where a kernel's results are until they are reduced.
    static RESULTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// An array operand.
struct Lies {
    item: Item,
    address: u64,
}

pub(super) fn run<E: Engine>(whole: &Whole, slots: &[u64], engine: &mut E) -> Option<Result<Slots, Stop<E::Error>>> {
    if whole.operands.len() > OPERANDS {
        return None;
    }
    let mut numbers = [0u64; OPERANDS];
    let mut arrays: SmallVec<[Option<Lies>; OPERANDS]> = SmallVec::new();
    let mut lengths: Option<&[u64]> = None;
    let mut at = 0;
    for (ty, number) in whole.operands.iter().zip(&mut numbers) {
        let own = &slots[at..at + ty.width()];
        at += own.len();
        arrays.push(match ty {
            Ty::Array(array) if array.contiguous && *lengths.get_or_insert(&own[1..]) == &own[1..] => {
                Some(Lies { item: array.item, address: own[0] })
            }
            Ty::Array(_) => return None,
            scalar => {
                let place = std::ptr::from_mut(number).expose_provenance() as u64;
                // SAFETY: the element lies in the eight bytes of `number`, which is borrowed for writing.
                unsafe { memory::store(Item::of(scalar)?, place, own[0]) };
                None
            }
        });
    }
    let lengths = lengths?;
    let most = BLOCK as u64;
    let total = lengths.iter().try_fold(1u64, |total, n| total.checked_mul(*n).filter(|total| *total <= most))?;
    let count = total as usize;
    if count == 0 || (whole.kind == Kind::Into && !is_apart(&arrays, count)) {
        return None;
    }
    let target = usize::from(whole.kind == Kind::Into);
    let mut places: SmallVec<[*mut u8; OPERANDS + 1]> = arrays[target..]
        .iter()
        .zip(&mut numbers[target..])
        .map(|(array, number)| match array {
            Some(Lies { address, .. }) => std::ptr::with_exposed_provenance_mut(*address as usize),
            None => std::ptr::from_mut(number).cast(),
        })
        .collect();
    let size = whole.item.size();
    let address = match whole.kind {
        Kind::Into => arrays[0].as_ref()?.address,
        Kind::New => match whole.spent.and_then(|at| arrays[at].as_ref()).filter(|spent| spent.item.size() == size) {
            Some(spent) => spent.address,
            None => match engine.memory(count * size) {
                Ok(address) => address,
                Err(error) => return Some(Err(error.into())),
            },
        },
        Kind::Reduce(_) => 0,
    };
    if let Err(error) = engine.tick() {
        return Some(Err(error.into()));
    }
    if let Kind::Reduce(reduction) = whole.kind {
        let done = |elements: *const u8| {
            let mut pairs = Pairs::new(reduction, whole.item);
            // SAFETY: so many elements lie there: an operand's, or the kernel's results.
            pairs.push(unsafe { fold::block(reduction, whole.item, elements, count, 0) });
            pairs.finish().map(|slot| Slots::from_slice(&[slot])).map_err(Stop::Fault)
        };
        if whole.plain {
            return Some(done(places[0]));
        }
        return Some(RESULTS.with_borrow_mut(|results| {
            results.resize(BLOCK, 0);
            places.push(results.as_mut_ptr().cast());
            engine.block(&places, count).map_err(Stop::Kernel)?;
            done(results.as_ptr().cast())
        }));
    }
    let out: *mut u8 = std::ptr::with_exposed_provenance_mut(address as usize);
    if whole.plain {
        // SAFETY: so many elements lie at both places, which may be one.
        unsafe { std::ptr::copy(places[0], out, count * size) };
    } else {
        places.push(out);
        if let Err(error) = engine.block(&places, count) {
            return Some(Err(Stop::Kernel(error)));
        }
    }
    let array = std::iter::once(address).chain(lengths.iter().copied());
    Some(Ok(if whole.kind == Kind::New { array.collect() } else { Slots::new() }))
}

/// Whether writing to the first changes nothing that is read of the others later on: each is the same memory, or shares none.
fn is_apart(arrays: &[Option<Lies>], count: usize) -> bool {
    let Some((Some(out), others)) = arrays.split_first() else { return false };
    let end = |array: &Lies| array.address + (count * array.item.size()) as u64;
    others.iter().flatten().all(|other| {
        let same = other.address == out.address && other.item == out.item;
        same || end(other) <= out.address || end(out) <= other.address
    })
}
