//! What whole arrays are reduced to, and in which order.
//!
//! The order is promised, so that an answer has the same bits whatever the engine, the layout and the number of threads: elements come in
//! the order of their indices, the last dimension fastest, in blocks of `BLOCK`. In a block, element i goes to accumulator `i % LANES`;
//! the accumulators are put together as `((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))`. The blocks' results are put together in pairs of
//! neighbours, and these in pairs, and so on; one that is left over waits for the next round. Accumulators of sums begin
//! with 0, of products with 1, of the others with the block's first element.

use crate::types::{FloatTy, IntTy, Item, Ty};

/// Elements of a block.
pub const BLOCK: usize = 4096;
/// Accumulators of a block.
pub const LANES: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reduction {
    /// Ints wrap at 64 bits; sums of f32 are of doubles, rounded at the end. Of nothing: 0.
    Sum,
    /// Of nothing: 1.
    Prod,
    /// The least; nan if there is one. Of nothing: ValueError.
    Min,
    Max,
    /// Whether one is true.
    Any,
    /// Whether none is false.
    All,
    /// The index of the first of the least, or of the first nan. Of nothing: ValueError.
    ArgMin,
    ArgMax,
    /// How many are true.
    CountNonzero,
}

impl Reduction {
    /// The type of the result for elements of a type.
    pub fn result(self, item: Item) -> Ty {
        match (self, item) {
            (Reduction::Sum | Reduction::Prod, Item::Bool) => Ty::INT,
            (Reduction::Sum | Reduction::Prod, Item::Int(int)) => {
                Ty::Int(if int.signed() { IntTy::I64 } else { IntTy::U64 })
            }
            (Reduction::Sum | Reduction::Prod, Item::Float(FloatTy::F32)) => Ty::Float(FloatTy::F32),
            (Reduction::Sum | Reduction::Prod, Item::Float(FloatTy::F64)) => Ty::FLOAT,
            (Reduction::Min | Reduction::Max, item) => item.ty(),
            (Reduction::Any | Reduction::All, _) => Ty::Bool,
            (Reduction::ArgMin | Reduction::ArgMax | Reduction::CountNonzero, _) => Ty::INT,
        }
    }

    /// Whether nothing has no such value.
    pub fn needs_one(self) -> bool {
        matches!(self, Reduction::Min | Reduction::Max | Reduction::ArgMin | Reduction::ArgMax)
    }

    pub fn name(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Prod => "prod",
            Reduction::Min => "min",
            Reduction::Max => "max",
            Reduction::Any => "any",
            Reduction::All => "all",
            Reduction::ArgMin => "argmin",
            Reduction::ArgMax => "argmax",
            Reduction::CountNonzero => "count_nonzero",
        }
    }
}
