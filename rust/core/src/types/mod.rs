//! Types: what they are (`ty`), how their texts are read (`parse`), what primitives do to them (`rules`, into `emit`), and
//! inference, which puts it all together (`infer`, `settle`); the counting that keeps a run bounded (`ticks`); and what gives memory back (`keep`).

pub mod array;
mod emit;
pub mod infer;
pub mod keep;
mod lift;
pub mod parse;
pub mod rules;
mod settle;
pub mod ticks;
mod ty;

pub use array::{ArrayTy, Item};
pub use ty::{FloatTy, IntTy, Ty, join, promote};
