//! Whole arrays as runs of memory: how operands are stretched to one shape, and walked through block by block.
//!
//! In: arrays and numbers as slots. Out: for each block, where the elements of each operand lie one after the other: in the array itself, or
//! gathered in a buffer if they are not contiguous. Always holds: blocks are those of `typed::reduction`, whatever the layout; nothing outside
//! the arrays is read or written; nothing is written twice.

pub mod whole;

use smallvec::SmallVec;

use crate::fault::Fault;
use crate::runtime::memory;
use crate::typed::reduction::BLOCK;
use crate::types::{ArrayTy, Item, Ty};

/// For each dimension.
pub type Dimensions = SmallVec<[u64; 4]>;

/// The common shape of operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub lengths: Dimensions,
    /// Their product.
    pub total: u64,
}

/// An operand, as it is walked through: its elements in the order of the shape's indices.
#[derive(Clone, Debug)]
pub struct Walk {
    item: Item,
    address: u64,
    /// In bytes, for each dimension of the shape; 0 where it is stretched.
    strides: Dimensions,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// A number: one element for all.
    Uniform,
    /// One element after the other.
    Contiguous,
    Strided,
}

/// The elements of several operands, in one shape.
pub struct Walks {
    pub shape: Shape,
    pub walks: Vec<Walk>,
    /// Where numbers that are no arrays stand as elements.
    _numbers: Box<[u64]>,
}

/// An array's lengths and strides, from its slots.
pub fn dimensions(ty: ArrayTy, slots: &[u64]) -> (Dimensions, Dimensions) {
    let ndim = usize::from(ty.ndim);
    let lengths = Dimensions::from_slice(&slots[1..1 + ndim]);
    let strides = match ty.contiguous {
        false => Dimensions::from_slice(&slots[1 + ndim..1 + 2 * ndim]),
        true => c_strides(ty.item, &lengths),
    };
    (lengths, strides)
}

/// The strides of what is contiguous.
fn c_strides(item: Item, lengths: &[u64]) -> Dimensions {
    let after = |axis: usize| lengths[axis + 1..].iter().fold(item.size() as u64, |n, &m| n.wrapping_mul(m));
    (0..lengths.len()).map(after).collect()
}

impl Walks {
    /// Operands of these types, as NumPy broadcasts them.
    pub fn new(types: &[&Ty], slots: &[u64]) -> Result<Walks, Fault> {
        Walks::make(types, slots, None)
    }

    /// The same, stretched to a shape.
    pub fn stretched(types: &[&Ty], slots: &[u64], shape: &Shape) -> Result<Walks, Fault> {
        Walks::make(types, slots, Some(shape))
    }

    fn make(types: &[&Ty], slots: &[u64], shape: Option<&Shape>) -> Result<Walks, Fault> {
        let mut numbers = vec![0u64; types.len()].into_boxed_slice();
        let mut parts: Vec<(Item, u64, Dimensions, Dimensions)> = Vec::with_capacity(types.len());
        let mut at = 0;
        for (ty, number) in types.iter().zip(numbers.iter_mut()) {
            let own = &slots[at..at + ty.width()];
            at += own.len();
            match ty {
                Ty::Array(array) => {
                    let (lengths, strides) = dimensions(*array, own);
                    parts.push((array.item, own[0], lengths, strides));
                }
                scalar => {
                    let item = Item::of(scalar).unwrap_or(Item::Bool);
                    let address = std::ptr::from_mut(number).expose_provenance() as u64;
                    // SAFETY: the element lies in the eight bytes of `number`, which is borrowed for writing.
                    unsafe { memory::store(item, address, own[0]) };
                    parts.push((item, address, Dimensions::new(), Dimensions::new()));
                }
            }
        }
        let shape = match shape {
            Some(shape) => shape.clone(),
            None => Shape::common(parts.iter().map(|part| &part.2[..]))?,
        };
        let walks =
            parts.iter().map(|(item, address, lengths, strides)| Walk::new(*item, *address, lengths, strides, &shape));
        Ok(Walks { walks: walks.collect(), shape, _numbers: numbers })
    }
}

impl Shape {
    /// The shape to which all of these can be stretched.
    pub fn common<'a>(all: impl Iterator<Item = &'a [u64]> + Clone) -> Result<Shape, Fault> {
        let ndim = all.clone().map(<[u64]>::len).max().unwrap_or(0);
        let mut lengths = Dimensions::from_elem(1, ndim);
        for own in all {
            for (common, &n) in lengths[ndim - own.len()..].iter_mut().zip(own) {
                match (*common, n) {
                    (1, _) => *common = n,
                    (_, 1) => {}
                    (a, b) if a == b => {}
                    _ => return Err(Fault::Shapes),
                }
            }
        }
        // As long as NumPy's arrays can be.
        let most = i64::MAX as u64 / 8;
        let product = lengths.iter().try_fold(1u64, |n, &m| n.checked_mul(m).filter(|n| *n <= most));
        let total = if lengths.contains(&0) { 0 } else { product.ok_or(Fault::ArrayTooLarge)? };
        Ok(Shape { lengths, total })
    }

    /// The slots of a contiguous array of this shape.
    pub fn slots(&self, address: u64) -> impl Iterator<Item = u64> {
        std::iter::once(address).chain(self.lengths.iter().copied())
    }
}

impl Walk {
    fn new(item: Item, address: u64, lengths: &[u64], strides: &[u64], shape: &Shape) -> Walk {
        let missing = shape.lengths.len() - lengths.len();
        let mut own = Dimensions::from_elem(0, shape.lengths.len());
        for (axis, (&n, &stride)) in lengths.iter().zip(strides).enumerate() {
            own[missing + axis] = if n == 1 { 0 } else { stride };
        }
        let usual = c_strides(item, &shape.lengths);
        let counts = |axis: usize| shape.lengths[axis] != 1;
        let kind = if lengths.is_empty() {
            Kind::Uniform
        } else if (0..own.len()).all(|axis| !counts(axis) || own[axis] == usual[axis]) {
            Kind::Contiguous
        } else {
            Kind::Strided
        };
        Walk { item, address, strides: own, kind }
    }

    /// The elements of a contiguous array of a shape.
    pub fn contiguous(item: Item, address: u64, shape: &Shape) -> Walk {
        Walk { item, address, strides: c_strides(item, &shape.lengths), kind: Kind::Contiguous }
    }

    /// The elements of an array that has this shape already.
    pub fn of(ty: ArrayTy, slots: &[u64], shape: &Shape) -> Walk {
        let (lengths, strides) = dimensions(ty, slots);
        Walk::new(ty.item, slots[0], &lengths, &strides, shape)
    }

    /// Where its elements lie, if they are all those of a contiguous array of this shape, and as large as elements of a type.
    pub fn whole(&self, item: Item, shape: &Shape) -> Option<u64> {
        let usual = self.kind == Kind::Contiguous && self.strides == c_strides(self.item, &shape.lengths);
        (usual && self.item.size() == item.size()).then_some(self.address)
    }

    /// Whether writing to this one could change what is read of the other later on.
    pub fn disturbs(&self, other: &Walk, shape: &Shape) -> bool {
        let same = self.address == other.address && self.strides == other.strides && self.item == other.item;
        let same = same && !self.meets_itself(shape);
        let (a, b) = (self.extent(shape), other.extent(shape));
        shape.total > 0 && !same && a.start < b.end && b.start < a.end
    }

    /// Whether two of its elements may share a byte: they do not if each dimension's step is beyond all that those with lesser steps reach.
    fn meets_itself(&self, shape: &Shape) -> bool {
        if self.kind == Kind::Contiguous {
            return false;
        }
        let steps = shape.lengths.iter().zip(&self.strides).filter(|(n, _)| **n > 1);
        let mut steps: SmallVec<[(u64, u64); 4]> = steps.map(|(&n, &s)| ((s as i64).unsigned_abs(), n)).collect();
        steps.sort_unstable();
        let mut reach = self.item.size() as u64;
        steps.iter().any(|&(step, n)| {
            let meets = step < reach;
            reach = step.saturating_mul(n - 1).saturating_add(reach);
            meets
        })
    }

    /// From the first byte to behind the last.
    fn extent(&self, shape: &Shape) -> std::ops::Range<u64> {
        let (mut low, mut high) = (self.address, self.address.wrapping_add(self.item.size() as u64));
        for (&n, &stride) in shape.lengths.iter().zip(&self.strides) {
            let far = stride.wrapping_mul(n.wrapping_sub(1));
            if (far as i64) < 0 {
                low = low.wrapping_add(far);
            } else {
                high = high.wrapping_add(far);
            }
        }
        low..high
    }

    /// The runs along the last dimension that make up so many elements from one on: the address of each run's first, and its length.
    fn runs(&self, shape: &Shape, from: u64, count: usize, mut each: impl FnMut(u64, usize)) {
        let Some((&last, outer)) = shape.lengths.split_last() else { return each(self.address, count) };
        let (mut row, mut column, mut left) = (from / last, from % last, count as u64);
        while left > 0 {
            let mut address = self.address;
            let mut rest = row;
            for (&n, &stride) in outer.iter().zip(&self.strides).rev() {
                address = address.wrapping_add(stride.wrapping_mul(rest % n));
                rest /= n;
            }
            let step = self.strides[outer.len()];
            let run = left.min(last - column);
            each(address.wrapping_add(step.wrapping_mul(column)), run as usize);
            left -= run;
            (row, column) = (row + 1, 0);
        }
    }

    /// Copies elements into a buffer.
    ///
    /// # Safety
    /// The array's memory may be read; the buffer has room.
    unsafe fn gather(&self, shape: &Shape, from: u64, count: usize, buffer: *mut u8) {
        let (size, step) = (self.item.size(), self.strides.last().copied().unwrap_or(0));
        let mut to = buffer;
        self.runs(shape, from, count, |first, n| {
            let source = std::ptr::with_exposed_provenance(first as usize);
            // SAFETY: `runs` gives elements of the array; the buffer has room for `count` in all.
            unsafe {
                copy(size, n, (source, step as isize), (to, size as isize));
                to = to.add(n * size);
            }
        });
    }

    /// Copies elements out of a buffer.
    ///
    /// # Safety
    /// The array's memory may be written to; the buffer holds as many elements.
    unsafe fn scatter(&self, shape: &Shape, from: u64, count: usize, buffer: *const u8) {
        let (size, step) = (self.item.size(), self.strides.last().copied().unwrap_or(0));
        let mut source = buffer;
        self.runs(shape, from, count, |first, n| {
            let to = std::ptr::with_exposed_provenance_mut(first as usize);
            // SAFETY: as in `gather`.
            unsafe {
                copy(size, n, (source, size as isize), (to, step as isize));
                source = source.add(n * size);
            }
        });
    }
}

/// Copies `n` elements from one place to another, each side with its step in bytes.
///
/// # Safety
/// All elements read may be read, all written may be written; the two do not overlap.
unsafe fn copy(size: usize, n: usize, from: (*const u8, isize), to: (*mut u8, isize)) {
    macro_rules! each {
        ($type:ty) => {
            for i in 0..n as isize {
                // SAFETY: as the caller says; unaligned.
                unsafe {
                    let element = from.0.wrapping_offset(i.wrapping_mul(from.1)).cast::<$type>().read_unaligned();
                    to.0.wrapping_offset(i.wrapping_mul(to.1)).cast::<$type>().write_unaligned(element);
                }
            }
        };
    }
    match size {
        1 => each!(u8),
        2 => each!(u16),
        4 => each!(u32),
        _ => each!(u64),
    }
}

/// Runs `each` for the blocks from one on to another, with the addresses of the operands' elements, then the outs', and how many there are.
///
/// # Safety
/// All arrays' memory is there, that of `outs` to be written to; nobody else writes to any meanwhile but whole elements.
pub unsafe fn walk<E>(
    shape: &Shape,
    operands: &[Walk],
    outs: &[Walk],
    blocks: std::ops::Range<u64>,
    each: &mut Run<E>,
) -> Result<(), E> {
    let all = || operands.iter().chain(outs);
    let mut buffers: Vec<Vec<u64>> =
        all().map(|walk| if walk.kind == Kind::Strided { vec![0; BLOCK] } else { Vec::new() }).collect();
    let mut addresses: SmallVec<[*mut u8; 8]> = SmallVec::new();
    for block in blocks {
        let from = block * BLOCK as u64;
        let count = (shape.total - from).min(BLOCK as u64) as usize;
        addresses.clear();
        for (at, (walk, buffer)) in all().zip(&mut buffers).enumerate() {
            let address = match walk.kind {
                Kind::Uniform => walk.address,
                Kind::Contiguous => walk.address + from * walk.item.size() as u64,
                Kind::Strided => {
                    let buffer: *mut u8 = buffer.as_mut_ptr().cast();
                    if at < operands.len() {
                        // SAFETY: a block's elements are inside, and the buffer holds BLOCK of 8 bytes.
                        unsafe { walk.gather(shape, from, count, buffer) };
                    }
                    addresses.push(buffer);
                    continue;
                }
            };
            addresses.push(std::ptr::with_exposed_provenance_mut(address as usize));
        }
        each(&addresses, count)?;
        for (walk, &address) in outs.iter().zip(&addresses[operands.len()..]).filter(|(w, _)| w.kind == Kind::Strided) {
            // SAFETY: likewise.
            unsafe { walk.scatter(shape, from, count, address) };
        }
    }
    Ok(())
}

/// Is given the places of some elements, and how many there are.
pub type Run<'a, E> = dyn FnMut(&[*mut u8], usize) -> Result<(), E> + 'a;

/// How many blocks a shape has.
pub fn blocks(shape: &Shape) -> u64 {
    shape.total.div_ceil(BLOCK as u64)
}
