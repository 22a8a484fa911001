//! Types: what they are (`ty`), how their texts are read (`parse`), what primitives do to them (`rules`, into `emit`), and
//! inference, which puts it all together (`infer`, `settle`); and the counting that keeps a run bounded (`ticks`).

pub mod array;
mod emit;
pub mod infer;
mod lift;
pub mod parse;
pub mod rules;
mod settle;
pub mod ticks;
mod ty;

pub use array::{ArrayTy, Item};
pub use ty::{FloatTy, IntTy, Ty, join, promote};
