//! The types of the language.
//!
//! `int` is i64 and `float` is f64: one type each, two spellings. The sized integers keep their width in arithmetic; see
//! `promote` for what two different numeric types become together.

use std::fmt;
use std::sync::Arc;

use super::array::ArrayTy;

/// The integer types. A value travels as 64 bits: sign-extended when signed, zero-extended when not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IntTy {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl IntTy {
    pub const ALL: [IntTy; 8] =
        [IntTy::I8, IntTy::I16, IntTy::I32, IntTy::I64, IntTy::U8, IntTy::U16, IntTy::U32, IntTy::U64];

    pub fn bits(self) -> u32 {
        match self {
            IntTy::I8 | IntTy::U8 => 8,
            IntTy::I16 | IntTy::U16 => 16,
            IntTy::I32 | IntTy::U32 => 32,
            IntTy::I64 | IntTy::U64 => 64,
        }
    }

    pub fn signed(self) -> bool {
        matches!(self, IntTy::I8 | IntTy::I16 | IntTy::I32 | IntTy::I64)
    }

    pub fn min(self) -> i128 {
        if self.signed() { -(1i128 << (self.bits() - 1)) } else { 0 }
    }

    pub fn max(self) -> i128 {
        if self.signed() { (1i128 << (self.bits() - 1)) - 1 } else { (1i128 << self.bits()) - 1 }
    }

    pub fn holds(self, value: i128) -> bool {
        self.min() <= value && value <= self.max()
    }

    /// The number that 64 bits of this type stand for.
    pub fn read(self, bits: u64) -> i128 {
        if self.signed() { bits as i64 as i128 } else { bits as i128 }
    }

    /// The low bits of a number, extended as this type travels: two's complement wrapping.
    pub fn wrap(self, value: i128) -> u64 {
        match self {
            IntTy::I8 => value as i8 as i64 as u64,
            IntTy::I16 => value as i16 as i64 as u64,
            IntTy::I32 => value as i32 as i64 as u64,
            IntTy::I64 | IntTy::U64 => value as u64,
            IntTy::U8 => value as u8 as u64,
            IntTy::U16 => value as u16 as u64,
            IntTy::U32 => value as u32 as u64,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            IntTy::I8 => "i8",
            IntTy::I16 => "i16",
            IntTy::I32 => "i32",
            IntTy::I64 => "int",
            IntTy::U8 => "u8",
            IntTy::U16 => "u16",
            IntTy::U32 => "u32",
            IntTy::U64 => "u64",
        }
    }
}

/// The floating-point types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FloatTy {
    F32,
    F64,
}

/// A type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    None,
    Bool,
    Int(IntTy),
    Float(FloatTy),
    Tuple(Arc<[Ty]>),
    Array(ArrayTy),
    /// A literal text: only print, assert and raise take one, and no value of it is ever computed.
    Str,
}

impl Ty {
    pub const INT: Ty = Ty::Int(IntTy::I64);
    pub const FLOAT: Ty = Ty::Float(FloatTy::F64);

    pub fn is_numeric(&self) -> bool {
        matches!(self, Ty::Bool | Ty::Int(_) | Ty::Float(_))
    }

    /// How many machine values one value of this type is made of.
    pub fn width(&self) -> usize {
        match self {
            Ty::None | Ty::Str => 0,
            Ty::Bool | Ty::Int(_) | Ty::Float(_) => 1,
            Ty::Tuple(items) => items.iter().map(Ty::width).sum(),
            Ty::Array(array) => array.width(),
        }
    }

    /// How many types it is made of, itself included. No value has a type of more than `LARGEST`.
    pub fn size(&self) -> usize {
        match self {
            Ty::Tuple(items) => 1 + items.iter().map(Ty::size).sum::<usize>(),
            _ => 1,
        }
    }

    /// How many tuples are around its innermost element. No value has a type of more than `DEEPEST`.
    pub fn depth(&self) -> usize {
        match self {
            Ty::Tuple(items) => 1 + items.iter().map(Ty::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// `b = (a, a)` doubles a type each time, `b = (b,)` makes it one deeper: this is where they end.
    pub const LARGEST: usize = 1000;
    pub const DEEPEST: usize = 16;

    /// The scalars that a value of this type is made of, in order.
    pub fn scalars(&self) -> Vec<Ty> {
        match self {
            Ty::None | Ty::Str => Vec::new(),
            Ty::Tuple(items) => items.iter().flat_map(Ty::scalars).collect(),
            // An address, and numbers of elements and bytes.
            Ty::Array(array) => vec![Ty::INT; array.width()],
            scalar => vec![scalar.clone()],
        }
    }
}

/// The type two numeric types become together: NumPy's table, except that no pair of integers becomes a float.
///
/// `bool` gives way to int, int to float; of two integers the one that holds both; signed and unsigned of 64 bits have none.
pub fn promote(a: &Ty, b: &Ty) -> Option<Ty> {
    match (a, b) {
        _ if a == b && a.is_numeric() => Some(a.clone()),
        (Ty::Bool, other) | (other, Ty::Bool) if other.is_numeric() => Some(other.clone()),
        (Ty::Int(x), Ty::Int(y)) => promote_ints(*x, *y).map(Ty::Int),
        (Ty::Float(_), Ty::Float(_)) => Some(Ty::FLOAT),
        (Ty::Int(i), Ty::Float(f)) | (Ty::Float(f), Ty::Int(i)) => {
            // f32 holds the integers of 16 bits exactly, no wider ones.
            Some(Ty::Float(if i.bits() <= 16 { *f } else { FloatTy::F64 }))
        }
        _ => None,
    }
}

fn promote_ints(x: IntTy, y: IntTy) -> Option<IntTy> {
    let holds_both = |t: &IntTy| t.min() <= x.min().min(y.min()) && t.max() >= x.max().max(y.max());
    IntTy::ALL.into_iter().filter(holds_both).min_by_key(|t| t.bits())
}

/// The type of a variable that has one type on one path and the other on another.
///
/// Numbers join as `promote` says; tuples of one length join by their elements.
pub fn join(a: &Ty, b: &Ty) -> Option<Ty> {
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (Ty::Tuple(x), Ty::Tuple(y)) if x.len() == y.len() => {
            let items: Option<Vec<Ty>> = x.iter().zip(y.iter()).map(|(p, q)| join(p, q)).collect();
            items.map(|items| Ty::Tuple(items.into()))
        }
        (Ty::Array(x), Ty::Array(y)) => x.join(*y).map(Ty::Array),
        _ => promote(a, b),
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ty::None => f.write_str("None"),
            Ty::Bool => f.write_str("bool"),
            Ty::Int(int) => f.write_str(int.name()),
            Ty::Float(FloatTy::F32) => f.write_str("f32"),
            Ty::Float(FloatTy::F64) => f.write_str("float"),
            Ty::Str => f.write_str("str"),
            Ty::Array(array) => array.fmt(f),
            Ty::Tuple(items) => {
                f.write_str("tuple[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}
