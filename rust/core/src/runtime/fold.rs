//! Blocks of elements put together, in the order that `typed::reduction` promises.
//!
//! In: where the elements of a block lie, one after the other. Out: a `Partial`, and of several partials one. Always holds: the same bits
//! whoever asks; generated code, the interpreter and any number of threads end up here.

use crate::fault::Fault;
use crate::typed::reduction::{LANES, Reduction};
use crate::types::{FloatTy, IntTy, Item};

/// What a block, or several, came to: a slot; and for argmin and argmax its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Partial {
    pub slot: u64,
    pub index: u64,
}

/// An element as it lies in memory.
trait Element: Copy + PartialOrd {
    /// What sums are of.
    type Total: Copy;
    const ZERO: Self::Total;
    const ONE: Self::Total;
    fn widen(self) -> Self::Total;
    fn add(a: Self::Total, b: Self::Total) -> Self::Total;
    fn mul(a: Self::Total, b: Self::Total) -> Self::Total;
    fn total_slot(total: Self::Total) -> u64;
    fn total_of(slot: u64) -> Self::Total;
    fn slot(self) -> u64;
    fn of(slot: u64) -> Self;
    fn truth(self) -> bool;
    fn is_nan(self) -> bool;
}

macro_rules! ints {
    ($($type:ty: $total:ty),+) => {$(
        impl Element for $type {
            type Total = $total;
            const ZERO: $total = 0;
            const ONE: $total = 1;
            fn widen(self) -> $total { self as $total }
            fn add(a: $total, b: $total) -> $total { a.wrapping_add(b) }
            fn mul(a: $total, b: $total) -> $total { a.wrapping_mul(b) }
            fn total_slot(total: $total) -> u64 { total as u64 }
            fn total_of(slot: u64) -> $total { slot as $total }
            fn slot(self) -> u64 { self as $total as u64 }
            fn of(slot: u64) -> $type { slot as $type }
            fn truth(self) -> bool { self != 0 }
            fn is_nan(self) -> bool { false }
        }
    )+};
}

macro_rules! floats {
    ($($type:ty),+) => {$(
        impl Element for $type {
            type Total = f64;
            const ZERO: f64 = 0.0;
            const ONE: f64 = 1.0;
            fn widen(self) -> f64 { self as f64 }
            fn add(a: f64, b: f64) -> f64 { a + b }
            fn mul(a: f64, b: f64) -> f64 { a * b }
            fn total_slot(total: f64) -> u64 { total.to_bits() }
            fn total_of(slot: u64) -> f64 { f64::from_bits(slot) }
            fn slot(self) -> u64 { f64::from(self).to_bits() }
            fn of(slot: u64) -> $type { f64::from_bits(slot) as $type }
            fn truth(self) -> bool { self != 0.0 }
            fn is_nan(self) -> bool { <$type>::is_nan(self) }
        }
    )+};
}

ints!(i8: i64, i16: i64, i32: i64, i64: i64, u8: u64, u16: u64, u32: u64, u64: u64);
floats!(f32, f64);

/// Runs `$body` with `$type` as the type of an item's elements. A bool is a u8 of 0 or 1, but its sums are ints all the same.
macro_rules! with_element {
    ($item:expr, $type:ident => $body:expr) => {
        match $item {
            Item::Bool | Item::Int(IntTy::U8) => {
                type $type = u8;
                $body
            }
            Item::Int(IntTy::I8) => {
                type $type = i8;
                $body
            }
            Item::Int(IntTy::I16) => {
                type $type = i16;
                $body
            }
            Item::Int(IntTy::I32) => {
                type $type = i32;
                $body
            }
            Item::Int(IntTy::I64) => {
                type $type = i64;
                $body
            }
            Item::Int(IntTy::U16) => {
                type $type = u16;
                $body
            }
            Item::Int(IntTy::U32) => {
                type $type = u32;
                $body
            }
            Item::Int(IntTy::U64) => {
                type $type = u64;
                $body
            }
            Item::Float(FloatTy::F32) => {
                type $type = f32;
                $body
            }
            Item::Float(FloatTy::F64) => {
                type $type = f64;
                $body
            }
        }
    };
}

/// What a block of elements comes to, of which the first has this index.
///
/// # Safety
/// So many elements lie there, one after the other, at any alignment, and may be read. There is at least one.
pub unsafe fn block(reduction: Reduction, item: Item, first: *const u8, count: usize, index: u64) -> Partial {
    with_element!(item, T => {
        // SAFETY: as the caller says; an element that is not aligned has one byte to its alignment.
        let elements = unsafe { std::slice::from_raw_parts(first.cast::<Unaligned<T>>(), count) };
        of_block(reduction, elements, item == Item::Bool, index)
    })
}

#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Unaligned<T>(T);

fn of_block<T: Element>(reduction: Reduction, elements: &[Unaligned<T>], is_bool: bool, index: u64) -> Partial {
    let plain = |slot| Partial { slot, index: 0 };
    // A byte other than 0 and 1 is true all the same.
    let value = |element: &Unaligned<T>| {
        let element = element.0;
        if is_bool { T::of(u64::from(element.truth())) } else { element }
    };
    match reduction {
        Reduction::Sum if is_bool => plain(elements.iter().filter(|e| { e.0 }.truth()).count() as u64),
        Reduction::Sum => plain(T::total_slot(lanes(elements, T::ZERO, |sum, e| T::add(sum, e.widen()), T::add))),
        Reduction::Prod => {
            let product = if is_bool {
                let all = elements.iter().all(|e| { e.0 }.truth());
                if all { T::ONE } else { T::ZERO }
            } else {
                lanes(elements, T::ONE, |product, e| T::mul(product, e.widen()), T::mul)
            };
            plain(T::total_slot(product))
        }
        Reduction::Min | Reduction::Max if is_bool => {
            let least = reduction == Reduction::Min;
            let found = elements.iter().any(|e| { e.0 }.truth() != least);
            plain(T::of(u64::from(found != least)).slot())
        }
        Reduction::Min => plain(best::<T, true>(elements).slot()),
        Reduction::Max => plain(best::<T, false>(elements).slot()),
        Reduction::Any => plain(u64::from(elements.iter().any(|e| { e.0 }.truth()))),
        Reduction::All => plain(u64::from(elements.iter().all(|e| { e.0 }.truth()))),
        Reduction::CountNonzero => plain(lanes(elements, 0, |n, e| n + u64::from(e.truth()), |a, b| a + b)),
        Reduction::ArgMin | Reduction::ArgMax => {
            let least = reduction == Reduction::ArgMin;
            let best = match least {
                _ if is_bool => T::of(u64::from(elements.iter().any(|e| { e.0 }.truth() != least) != least)),
                true => best::<T, true>(elements),
                false => best::<T, false>(elements),
            };
            // Numbers that compare equal are equally good, and so are nans.
            let is_best = |e: &Unaligned<T>| value(e) == best || value(e).is_nan() && best.is_nan();
            let at = elements.iter().position(is_best).unwrap_or(0);
            Partial { slot: value(&elements[at]).slot(), index: index + at as u64 }
        }
    }
}

/// A block of floats that is summed, or multiplied, strip by strip: its accumulators so far. What a strip is made of stays in the first
/// cache then. Strips are of whole rounds, but the last.
pub struct Strips {
    lanes: [f64; LANES],
    product: bool,
    single: bool,
}

impl Strips {
    /// None where a block's strips cannot be put together by their accumulators alone.
    pub fn new(reduction: Reduction, item: Item) -> Option<Strips> {
        let Item::Float(float) = item else { return None };
        let product = match reduction {
            Reduction::Sum => false,
            Reduction::Prod => true,
            _ => return None,
        };
        Some(Strips { lanes: [if product { 1.0 } else { 0.0 }; LANES], product, single: float == FloatTy::F32 })
    }

    /// # Safety
    /// So many elements lie there, one after the other, at any alignment, and may be read.
    pub unsafe fn push(&mut self, first: *const u8, count: usize) {
        macro_rules! push {
            ($type:ty, $with:expr) => {{
                // SAFETY: as the caller says; an element that is not aligned has one byte to its alignment.
                let elements = unsafe { std::slice::from_raw_parts(first.cast::<Unaligned<$type>>(), count) };
                self.lanes = accumulate(self.lanes, elements, $with);
            }};
        }
        match (self.single, self.product) {
            (false, false) => push!(f64, |sum, e: f64| sum + e),
            (false, true) => push!(f64, |product, e: f64| product * e),
            (true, false) => push!(f32, |sum, e: f32| sum + f64::from(e)),
            (true, true) => push!(f32, |product, e: f32| product * f64::from(e)),
        }
    }

    pub fn partial(&self) -> Partial {
        let together = |a: f64, b: f64| if self.product { a * b } else { a + b };
        Partial { slot: put_together(self.lanes, together).to_bits(), index: 0 }
    }
}

/// The eight accumulators of a block, put together.
#[inline(always)]
fn lanes<T: Element, A: Copy>(
    elements: &[Unaligned<T>],
    start: A,
    each: impl Fn(A, T) -> A,
    together: impl Fn(A, A) -> A,
) -> A {
    put_together(accumulate([start; LANES], elements, each), together)
}

/// Element i goes to accumulator i mod 8.
#[inline(always)]
fn accumulate<T: Copy, A: Copy>(
    mut lanes: [A; LANES],
    elements: &[Unaligned<T>],
    each: impl Fn(A, T) -> A,
) -> [A; LANES] {
    let mut rounds = elements.chunks_exact(LANES);
    for round in &mut rounds {
        for (lane, element) in lanes.iter_mut().zip(round) {
            *lane = each(*lane, element.0);
        }
    }
    for (lane, element) in lanes.iter_mut().zip(rounds.remainder()) {
        *lane = each(*lane, element.0);
    }
    lanes
}

#[inline(always)]
fn put_together<A: Copy>([a, b, c, d, e, f, g, h]: [A; LANES], together: impl Fn(A, A) -> A) -> A {
    together(together(together(a, b), together(c, d)), together(together(e, f), together(g, h)))
}

/// The least (or greatest) element. Where there are no nans, which is seen on the way, a comparison that knows of none will do: it is an
/// instruction on vectors.
fn best<T: Element, const LEAST: bool>(elements: &[Unaligned<T>]) -> T {
    let start = (elements[0].0, false);
    let number = |a: T, b: T| if if LEAST { b < a } else { b > a } { b } else { a };
    let (best, nan) = lanes(
        elements,
        start,
        |(best, nan), e| (number(best, e), nan | e.is_nan()),
        |(a, p), (b, q)| (number(a, b), p | q),
    );
    if !nan {
        return best;
    }
    lanes(elements, start.0, |best, e| better(best, e, LEAST), |a, b| better(a, b, LEAST))
}

/// The lesser (or greater) of two; a nan, if there is one; the first of equals.
#[inline(always)]
fn better<T: Element>(a: T, b: T, least: bool) -> T {
    if beats(a, b, least) { b } else { a }
}

/// Whether a later element takes the place of an earlier one.
#[inline(always)]
fn beats<T: Element>(earlier: T, later: T, least: bool) -> bool {
    let less = if least { later < earlier } else { later > earlier };
    less || (later.is_nan() && !earlier.is_nan())
}

/// Blocks' results on their way to one, put together as soon as both of a pair are there: however many blocks there are, no more are kept
/// than their number has bits.
pub struct Pairs {
    reduction: Reduction,
    item: Item,
    /// In how many rounds each was put together; fewer in each than in the one before.
    parts: Vec<(u32, Partial)>,
}

impl Pairs {
    pub fn new(reduction: Reduction, item: Item) -> Pairs {
        Pairs { reduction, item, parts: Vec::new() }
    }

    /// The next block's.
    pub fn push(&mut self, mut part: Partial) {
        let mut rounds = 0;
        while let Some(&(known, before)) = self.parts.last().filter(|(known, _)| *known == rounds) {
            part = together(self.reduction, self.item, before, part);
            rounds = known + 1;
            self.parts.pop();
        }
        self.parts.push((rounds, part));
    }

    /// What all come to; `Fault::EmptyReduction` of none where there must be one.
    pub fn finish(self) -> Result<u64, Fault> {
        // One that is left over waits until all after it are one.
        let parts = self.parts.iter().rev().map(|(_, part)| *part);
        let all = parts.reduce(|after, part| together(self.reduction, self.item, part, after));
        finish(self.reduction, self.item, all)
    }
}

fn finish(reduction: Reduction, item: Item, all: Option<Partial>) -> Result<u64, Fault> {
    let Some(Partial { slot, index }) = all else {
        return match reduction {
            Reduction::Prod if matches!(item, Item::Float(_)) => Ok(1f64.to_bits()),
            Reduction::Prod | Reduction::All => Ok(1),
            Reduction::Sum | Reduction::Any | Reduction::CountNonzero => Ok(0),
            _ => Err(Fault::EmptyReduction),
        };
    };
    Ok(match (reduction, item) {
        (Reduction::ArgMin | Reduction::ArgMax, _) => index,
        // Rounded once, at the end.
        (Reduction::Sum | Reduction::Prod, Item::Float(FloatTy::F32)) => {
            f64::from(f64::from_bits(slot) as f32).to_bits()
        }
        _ => slot,
    })
}

fn together(reduction: Reduction, item: Item, a: Partial, b: Partial) -> Partial {
    let plain = |slot| Partial { slot, index: 0 };
    match reduction {
        Reduction::Any => plain(a.slot | b.slot),
        Reduction::All => plain(a.slot & b.slot),
        Reduction::CountNonzero => plain(a.slot + b.slot),
        _ => with_element!(item, T => match reduction {
            Reduction::Sum => plain(T::total_slot(T::add(T::total_of(a.slot), T::total_of(b.slot)))),
            Reduction::Prod => plain(T::total_slot(T::mul(T::total_of(a.slot), T::total_of(b.slot)))),
            Reduction::Min | Reduction::ArgMin if beats(T::of(a.slot), T::of(b.slot), true) => b,
            Reduction::Max | Reduction::ArgMax if beats(T::of(a.slot), T::of(b.slot), false) => b,
            _ => a,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::reduction::BLOCK;

    /// The promise, word for word.
    fn promised(elements: &[f64]) -> f64 {
        let mut sums: Vec<f64> = elements
            .chunks(BLOCK)
            .map(|block| {
                let mut a = [0.0; 8];
                block.iter().enumerate().for_each(|(i, x)| a[i % 8] += x);
                ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]))
            })
            .collect();
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| pair.iter().copied().reduce(|a, b| a + b).unwrap_or(0.0)).collect();
        }
        sums.first().copied().unwrap_or(0.0)
    }

    fn fold<T: Copy>(reduction: Reduction, item: Item, elements: &[T]) -> Result<u64, Fault> {
        let blocks = elements.chunks(BLOCK).enumerate();
        // SAFETY: the elements are those of a slice.
        let partials =
            blocks.map(|(i, b)| unsafe { block(reduction, item, b.as_ptr().cast(), b.len(), (i * BLOCK) as u64) });
        let mut pairs = Pairs::new(reduction, item);
        partials.for_each(|part| pairs.push(part));
        pairs.finish()
    }

    #[test]
    fn sums_are_in_the_promised_order() {
        let blocks = (2..20).map(|n| n * 4096 + 3);
        for n in [0, 1, 7, 8, 9, 15, 16, 100, 4095, 4096, 4097].into_iter().chain(blocks) {
            let elements: Vec<f64> = (0..n).map(|i| ((i * 7919) % 1000) as f64 * 0.1 + 1e-3 / (i + 1) as f64).collect();
            let sum = fold(Reduction::Sum, Item::Float(FloatTy::F64), &elements).map(f64::from_bits);
            assert_eq!(sum.map(f64::to_bits), Ok(promised(&elements).to_bits()), "{n}");
        }
    }

    #[test]
    fn extremes_take_the_first_nan() {
        let f64 = Item::Float(FloatTy::F64);
        let elements = [3.0, f64::NAN, 1.0, f64::NAN];
        assert_eq!(fold(Reduction::ArgMin, f64, &elements), Ok(1));
        assert!(fold(Reduction::Max, f64, &elements).is_ok_and(|slot| f64::from_bits(slot).is_nan()));
        assert_eq!(fold(Reduction::ArgMax, f64, &[1.0, 5.0, 5.0]), Ok(1));
        assert_eq!(fold::<f64>(Reduction::Min, f64, &[]), Err(Fault::EmptyReduction));
        assert_eq!(fold(Reduction::Min, Item::Int(IntTy::I8), &[3i8, -7, 5]), Ok(-7i64 as u64));
    }

    #[test]
    fn ints_wrap_and_bools_count() {
        assert_eq!(fold(Reduction::Sum, Item::Int(IntTy::U8), &[255u8; 300]), Ok(255 * 300));
        assert_eq!(fold(Reduction::Sum, Item::Int(IntTy::I64), &[i64::MAX, 1]), Ok(i64::MIN as u64));
        assert_eq!(fold(Reduction::Sum, Item::Bool, &[1u8, 0, 2, 1]), Ok(3));
        assert_eq!(fold(Reduction::Prod, Item::Int(IntTy::I8), &[-2i8; 3]), Ok(-8i64 as u64));
        assert_eq!(fold(Reduction::All, Item::Bool, &[1u8, 3]), Ok(1));
        assert_eq!(fold(Reduction::Min, Item::Bool, &[1u8, 0, 1]), Ok(0));
        assert_eq!(fold(Reduction::Max, Item::Bool, &[0u8, 0]), Ok(0));
        assert_eq!(fold::<u8>(Reduction::Prod, Item::Float(FloatTy::F32), &[]), Ok(1f64.to_bits()));
    }

    #[test]
    fn extremes_are_what_one_after_the_other_gives() {
        let edges = [0.0, -0.0, 1.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY, 5e-324, -3.5, 2.5];
        let mut state = 7u64;
        let mut pick = move |n: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % n
        };
        for round in 0..if cfg!(miri) { 20 } else { 3000 } {
            // Without nans, with few, with many.
            let kinds = [4, 200, 10][round % 3];
            let some = |i: usize| if i < edges.len() && (kinds > 4 || i < 4) { edges[i] } else { (i % 5) as f64 - 2.0 };
            let elements: Vec<f64> = (0..1 + pick(70)).map(|_| some(pick(kinds))).collect();
            for least in [true, false] {
                let (mut best, mut at) = (elements[0], 0);
                for (i, &element) in elements.iter().enumerate() {
                    if beats(best, element, least) {
                        (best, at) = (element, i as u64);
                    }
                }
                let [extreme, arg] =
                    if least { [Reduction::Min, Reduction::ArgMin] } else { [Reduction::Max, Reduction::ArgMax] };
                let f64 = Item::Float(FloatTy::F64);
                let have = fold(extreme, f64, &elements).map(f64::from_bits);
                assert!(have.is_ok_and(|x| x == best || x.is_nan() && best.is_nan()), "{elements:?}");
                assert_eq!(fold(arg, f64, &elements), Ok(at), "{elements:?}");
                let bytes: Vec<i8> = elements.iter().map(|&x| x as i8).collect();
                let want = if least { bytes.iter().min() } else { bytes.iter().max() };
                assert_eq!(fold(extreme, Item::Int(IntTy::I8), &bytes).ok(), want.map(|&x| x as i64 as u64));
            }
            let some = elements.iter().filter(|&&x| x != 0.0).count() as u64;
            assert_eq!(fold(Reduction::CountNonzero, Item::Float(FloatTy::F64), &elements), Ok(some));
        }
    }
}
