//! The types of arrays: what an element is in memory, how many dimensions, and what is known of the layout.

use std::fmt;

use super::{FloatTy, IntTy, Ty};

/// What an element is in memory: a bool is a byte of 0 or 1, the others have their own width.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    Bool,
    Int(IntTy),
    Float(FloatTy),
}

impl Item {
    /// Every one there is.
    pub const ALL: [Item; 11] = [
        Item::Bool,
        Item::Int(IntTy::I8),
        Item::Int(IntTy::I16),
        Item::Int(IntTy::I32),
        Item::Int(IntTy::I64),
        Item::Int(IntTy::U8),
        Item::Int(IntTy::U16),
        Item::Int(IntTy::U32),
        Item::Int(IntTy::U64),
        Item::Float(FloatTy::F32),
        Item::Float(FloatTy::F64),
    ];

    /// The scalar type whose values such elements are; None for what is no element.
    pub fn of(ty: &Ty) -> Option<Item> {
        match ty {
            Ty::Bool => Some(Item::Bool),
            Ty::Int(int) => Some(Item::Int(*int)),
            Ty::Float(float) => Some(Item::Float(*float)),
            _ => None,
        }
    }

    pub fn ty(self) -> Ty {
        match self {
            Item::Bool => Ty::Bool,
            Item::Int(int) => Ty::Int(int),
            Item::Float(float) => Ty::Float(float),
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Item::Bool => 1,
            Item::Int(int) => int.bits() as usize / 8,
            Item::Float(FloatTy::F32) => 4,
            Item::Float(FloatTy::F64) => 8,
        }
    }
}

/// The type of an array.
///
/// A value of it is its scalars: where its first element lies, its length along each dimension, and, unless it is contiguous, how many bytes
/// there are from one element to the next along each. Addresses are in range of what the array was made from; lengths are not negative,
/// and less than `LONGEST`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ArrayTy {
    pub item: Item,
    /// 1 to `MOST_DIMENSIONS`.
    pub ndim: u8,
    /// One element after the other, the last dimension fastest.
    pub contiguous: bool,
    pub writable: bool,
}

impl ArrayTy {
    pub const MOST_DIMENSIONS: usize = 4;
    /// No array has so many elements along a dimension: sums of some lengths are ints.
    pub const LONGEST: usize = 1 << 60;

    /// How many scalars a value is made of.
    pub fn width(&self) -> usize {
        let ndim = usize::from(self.ndim);
        if self.contiguous { 1 + ndim } else { 1 + 2 * ndim }
    }

    /// The type that an argument of another type has where one of this is asked for: its own, but not writable if this is not; None if it
    /// does not fit.
    pub fn accept(self, given: ArrayTy) -> Option<ArrayTy> {
        let fits = (self.item, self.ndim) == (given.item, given.ndim) && (given.contiguous || !self.contiguous);
        fits.then_some(ArrayTy { writable: self.writable && given.writable, ..given })
    }

    /// The type that holds arrays of both, of the same elements and dimensions.
    pub fn join(self, other: ArrayTy) -> Option<ArrayTy> {
        ((self.item, self.ndim) == (other.item, other.ndim)).then_some(ArrayTy {
            contiguous: self.contiguous && other.contiguous,
            writable: self.writable && other.writable,
            ..self
        })
    }
}

impl fmt::Display for ArrayTy {
    /// `f64[:, :]`; `f64[:, ::1]` of what is contiguous, `const f64[:]` of what cannot be written to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = match self.item {
            Item::Int(IntTy::I64) => "i64".to_owned(),
            Item::Float(FloatTy::F64) => "f64".to_owned(),
            item => item.ty().to_string(),
        };
        let mut dimensions = vec![":"; usize::from(self.ndim)];
        if let (true, Some(last)) = (self.contiguous, dimensions.last_mut()) {
            *last = "::1";
        }
        write!(f, "{}{item}[{}]", if self.writable { "" } else { "const " }, dimensions.join(", "))
    }
}
