//! Elements in memory, for the interpreter: the same bytes that generated code reads and writes.

use crate::types::{FloatTy, IntTy, Item};

/// The slot of the element at an address.
///
/// # Safety
/// The element lies in memory that may be read, whatever its alignment.
pub unsafe fn load(item: Item, address: u64) -> u64 {
    let address = address as usize;
    macro_rules! read {
        ($type:ty) => {
            // SAFETY: as the caller says; unaligned reads may be anywhere.
            unsafe { std::ptr::with_exposed_provenance::<$type>(address).read_unaligned() }
        };
    }
    match item {
        Item::Bool => u64::from(read!(u8) != 0),
        Item::Int(IntTy::I8) => read!(i8) as i64 as u64,
        Item::Int(IntTy::I16) => read!(i16) as i64 as u64,
        Item::Int(IntTy::I32) => read!(i32) as i64 as u64,
        Item::Int(IntTy::U8) => u64::from(read!(u8)),
        Item::Int(IntTy::U16) => u64::from(read!(u16)),
        Item::Int(IntTy::U32) => u64::from(read!(u32)),
        Item::Int(IntTy::I64 | IntTy::U64) | Item::Float(FloatTy::F64) => read!(u64),
        Item::Float(FloatTy::F32) => f64::from(read!(f32)).to_bits(),
    }
}

/// Writes a slot as the element at an address.
///
/// # Safety
/// The element lies in memory that may be written to, whatever its alignment.
pub unsafe fn store(item: Item, address: u64, slot: u64) {
    let address = address as usize;
    macro_rules! write {
        ($type:ty, $value:expr) => {
            // SAFETY: as the caller says; unaligned writes may be anywhere.
            unsafe { std::ptr::with_exposed_provenance_mut::<$type>(address).write_unaligned($value) }
        };
    }
    match (item, item.size()) {
        (Item::Float(FloatTy::F32), _) => write!(f32, f64::from_bits(slot) as f32),
        (_, 1) => write!(u8, slot as u8),
        (_, 2) => write!(u16, slot as u16),
        (_, 4) => write!(u32, slot as u32),
        _ => write!(u64, slot),
    }
}
