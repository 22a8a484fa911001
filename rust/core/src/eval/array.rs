//! What operations on arrays mean.
//!
//! In: an array's slots, as its type lays them out. Out: slots. Takes for granted that indices are inside and that the memory is there:
//! typed IR asks for the first (`Op::Index`), whoever runs it for the second.

use super::Slots;
use crate::arrays::{Shape, dimensions};
use crate::fault::Fault;
use crate::runtime::memory;
use crate::typed::{Bounds, Op};
use crate::types::{ArrayTy, Ty};

/// An array: where it begins, and its dimensions, each with its length and the bytes from one element to the next.
struct Array {
    ty: ArrayTy,
    address: u64,
    dimensions: Vec<(u64, u64)>,
}

impl Array {
    fn read(ty: ArrayTy, slots: &[u64]) -> Array {
        let ndim = usize::from(ty.ndim);
        let lengths = &slots[1..1 + ndim];
        let strides = match ty.contiguous {
            false => slots[1 + ndim..1 + 2 * ndim].to_vec(),
            true => {
                let after = |axis: usize| lengths[axis + 1..].iter().fold(1, |n: u64, &m| n.wrapping_mul(m));
                (0..ndim).map(|axis| after(axis).wrapping_mul(ty.item.size() as u64)).collect()
            }
        };
        Array { ty, address: slots[0], dimensions: lengths.iter().copied().zip(strides).collect() }
    }

    fn slots(&self, ty: &Ty) -> Slots {
        let lengths = self.dimensions.iter().map(|d| d.0);
        let strides = self.dimensions.iter().map(|d| d.1);
        let contiguous = matches!(ty, Ty::Array(array) if array.contiguous);
        let strides = strides.take(if contiguous { 0 } else { usize::MAX });
        std::iter::once(self.address).chain(lengths).chain(strides).collect()
    }

    fn address_of(&self, indices: &[u64]) -> u64 {
        let steps = self.dimensions.iter().zip(indices).map(|(d, i)| d.1.wrapping_mul(*i));
        steps.fold(self.address, u64::wrapping_add)
    }
}

/// The value of an operation whose first operand is an array.
pub fn on_arrays(op: &Op, ty: ArrayTy, result: &Ty, args: &[u64]) -> Slots {
    let (own, rest) = args.split_at(ty.width());
    let mut array = Array::read(ty, own);
    match op {
        Op::Len(axis) => return Slots::from_slice(&[array.dimensions[usize::from(*axis)].0]),
        // SAFETY: the indices are inside, so the element is one of the array's, whose memory is there while code runs.
        Op::Load => return Slots::from_slice(&[unsafe { memory::load(array.ty.item, array.address_of(rest)) }]),
        Op::Store => {
            // SAFETY: likewise; and the array is writable.
            unsafe { memory::store(array.ty.item, array.address_of(&rest[1..]), rest[0]) };
            return Slots::new();
        }
        Op::At(axis) => {
            let (_, stride) = array.dimensions.remove(usize::from(*axis));
            array.address = array.address.wrapping_add(stride.wrapping_mul(rest[0]));
        }
        Op::Cut(axis) => {
            let (length, stride) = &mut array.dimensions[usize::from(*axis)];
            array.address = array.address.wrapping_add(stride.wrapping_mul(rest[0]));
            *length = rest[1];
            *stride = stride.wrapping_mul(rest[2]);
        }
        Op::Transpose => array.dimensions.reverse(),
        Op::Loosen => {}
        other => unreachable!("{other:?} on arrays"),
    }
    array.slots(result)
}

/// An index that counts from the start, of so many elements.
pub fn index(bounds: Bounds, i: i64, n: i64) -> Result<u64, Fault> {
    let from_start = if i < 0 && bounds == Bounds::Both { i.wrapping_add(n) } else { i };
    if (0..n).contains(&from_start) { Ok(from_start as u64) } else { Err(Fault::IndexRange) }
}

/// Whether elements written to the first, in order, change nothing that is read later of the second (`Op::Apart`).
pub fn apart(types: &[&Ty], args: &[u64]) -> bool {
    let (&[Ty::Array(to), Ty::Array(from)], &[a, m, b, n]) = (types, args) else { unreachable!("verified: two lines") };
    let [to, from] = [to, from].map(|ty| ty.item.size() as u64);
    let [a_end, b_end] =
        [(a, m, to), (b, n, from)].map(|(start, length, size)| start.wrapping_add(length.wrapping_mul(size)));
    b_end <= a || if to == from { a <= b } else { a_end <= b }
}

/// How many elements of the first until one of the second changes (`Op::Reach`).
pub fn reach(types: &[&Ty], args: &[u64]) -> u64 {
    let (&[Ty::Array(to), Ty::Array(of), ..], [a, n, rest @ ..]) = (types, args) else { unreachable!("verified") };
    let (own, indices) = rest.split_at(of.width());
    let element = Array::read(*of, own).address_of(indices);
    let size = to.item.size() as u64;
    if element.wrapping_add(of.item.size() as u64) <= *a {
        return *n;
    }
    (element.saturating_sub(*a) / size + 1).min(*n)
}

/// Whether arrays' shapes fit together.
pub fn fits(types: &[&Ty], args: &[u64]) -> Result<(), Fault> {
    let mut rest = args;
    let mut shapes = Vec::with_capacity(types.len());
    for ty in types {
        let (own, others) = rest.split_at(ty.width());
        rest = others;
        if let Ty::Array(array) = ty {
            shapes.push(dimensions(*array, own).0);
        }
    }
    Shape::common(shapes.iter().map(|lengths| &lengths[..])).map(drop)
}
