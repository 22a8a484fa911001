//! The typed IR: SSA, monomorphic, one module per specialisation.
//!
//! In: what inference found for the argument types of one call. Out, after the passes: what code generation and the
//! interpreter take. Always holds (`verify` checks it): every value has one type and one definition that dominates its uses;
//! operands of an operation have exactly the types it asks for — conversions are instructions of their own; a block is
//! entered with as many arguments as it has parameters, of their types; block 0 has the function's parameters and is
//! nobody's target. An operation that can raise is never removed, repeated or moved: what Python raises first is raised first.

#[cfg(test)]
pub mod build;
pub mod calls;
pub mod cfg;
pub mod dot;
pub mod reduction;
pub mod text;
pub mod uses;
pub mod verify;

use std::sync::Arc;

pub use reduction::Reduction;
use smallvec::SmallVec;

use crate::externs::ExternRef;
use crate::fault::Fault;
use crate::runtime::Helper;
use crate::span::{Span, Text};
use crate::types::{IntTy, Ty};

/// How many scalars a function may return.
pub const MAX_RESULT: usize = 64;

/// A value of a function: an index into `Function::values`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Value(pub u32);

/// A block of a function: an index into `Function::blocks`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct BlockId(pub u32);

/// A function of a module: an index into `Module::functions`; 0 is the entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FuncId(pub u32);

#[derive(Clone, Debug)]
pub struct Module {
    pub functions: Vec<Function>,
    /// What `raise` and `assert` say: exception and message; `Op`s and terminators refer to them by index.
    pub raises: Vec<Raise>,
    /// What people call the text, where code is to be named for them.
    pub text: Option<Arc<Text>>,
}

/// An exception that the text itself raises.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Raise {
    pub exception: Arc<str>,
    pub message: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: Arc<str>,
    /// The type of each value.
    pub values: Vec<Ty>,
    pub blocks: Vec<Block>,
    pub result: Ty,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Block {
    pub params: Vec<Value>,
    pub insts: Vec<Inst>,
    pub end: Terminator,
    pub end_span: Span,
}

#[derive(Clone, Debug)]
pub struct Inst {
    pub result: Value,
    pub op: Op,
    pub args: Args,
    pub span: Span,
}

pub type Args = SmallVec<[Value; 3]>;

#[derive(Clone, Debug, PartialEq)]
pub enum Terminator {
    Jump(Target),
    /// The condition is a bool.
    Branch(Value, Target, Target),
    Return(Value),
    /// Index into `Module::raises`.
    Raise(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub block: BlockId,
    pub args: Vec<Value>,
}

/// Whose rules an operation follows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// Python's: what has no answer raises.
    Python,
    /// NumPy's: ints wrap, floats give inf and nan.
    Numpy,
}

/// Comparisons. On floats all but `Ne` are false when an operand is nan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cond {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

/// What an instruction does. `T` stands for one numeric type, the same wherever it is written in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `() -> T`, also bool and None. The bits are those of the type: see `IntTy`; an f32 is kept as the f64 of equal value.
    Const(Const),
    /// `(T, T) -> T`, T int or float. Python: OverflowError for ints.
    Add(Mode),
    Sub(Mode),
    Mul(Mode),
    /// `(T, T) -> T`, T float. Python: ZeroDivisionError.
    Div(Mode),
    /// `(int, int) -> float` or `(u64, u64) -> float`: correctly rounded. Python: ZeroDivisionError.
    IntDiv(Mode),
    /// `(T, T) -> T`, T int: floors. Python: ZeroDivisionError, OverflowError. NumPy: 0 for divisor 0, MIN // -1 wraps.
    FloorDiv(Mode),
    /// `(T, T) -> T`, T int: the sign is the divisor's. Python: ZeroDivisionError. NumPy: 0 for divisor 0.
    Mod(Mode),
    /// `(int, int) -> int`: the same of a dividend that is not negative and a divisor of at least 1, both of so many bits. Never raise.
    Quotient(Bits),
    Remainder(Bits),
    /// `(T, T) -> T`, T int or bool.
    And,
    Or,
    Xor,
    /// `(T, int) -> T`, T int. Python: ValueError for a negative count, OverflowError. NumPy: counts outside the width give 0.
    Shl(Mode),
    /// `(T, int) -> T`, T int; arithmetic for signed. Python: ValueError for a negative count. NumPy: counts outside the width give 0 or -1.
    Shr(Mode),
    /// `(T) -> T`, T int or float. Python: OverflowError for ints.
    Neg(Mode),
    /// `(T) -> T`, T int: every bit of the width.
    Invert,
    /// `(T) -> T`, T int or float. Python: OverflowError for ints.
    Abs(Mode),
    /// `(bool) -> bool`.
    Not,
    /// `(T) -> T`, T float: IEEE square root; nan for negatives. (Domain errors are asked for by `sqrt`'s rule with `Fail`.)
    Sqrt,
    /// `(T) -> T`, T float: to an integral value, down, up, towards zero, to even.
    Floor,
    Ceil,
    Trunc,
    Nearest,
    /// `(float, float) -> float`.
    CopySign,
    /// `(T, T) -> bool`, T int, float or bool.
    Cmp(Cond),
    /// `(int, float) -> bool` or `(u64, float) -> bool`: exact, not by conversion.
    CmpIntFloat(Cond),
    /// `(bool, T, T) -> T`, any T.
    Select,
    /// `(S) -> T`: bool to int; int or bool to float, rounding; float to float; int to a wider int. Never raises.
    Convert,
    /// `(S) -> T`, S and T int: Python: OverflowError when it does not fit. NumPy: wraps.
    Narrow(Mode),
    /// `(float) -> T`, T int: truncates. Python: ValueError for nan, OverflowError outside. NumPy: out of range gives MIN of T.
    ToInt(Mode),
    /// `(int, int) -> int`: wraps; a loop's counter that is known not to.
    NextIndex,
    /// `(bool) -> None`: raises the fault when the operand is true.
    Fail(Fault),
    /// `(bool) -> None`: raises UnboundLocalError naming the variable when the operand is false.
    RequireBound(Arc<str>),
    /// Calls a function of this module.
    Call(FuncId),
    /// Calls the runtime: int, float and bool slots in, the result's slots out (a tuple when there are several).
    /// In NumPy mode a libm function's result is taken as it comes.
    Helper(HelperRef, Mode),
    /// Calls a function of the host: numbers and bools in, at most one out. It stays where it is unless it is pure; one that is pure
    /// is left out when nobody needs its result.
    Extern(ExternRef),
    /// `(T…) -> tuple[T…]`.
    Tuple,
    /// `(tuple) -> its element k`.
    Item(u32),
    /// Writes to the host: sep, end, and the pieces; the operands are the values among them, in order. `-> None`.
    Print(Arc<Print>),
    /// `() -> None`: takes so many units, one for each round of a loop and each call that follow, from what the run may use up;
    /// asks the host for more when they are not there. Stays where it is: every engine counts the same.
    Tick(u32),
    /// `() -> bool`: takes so many units if they are there, and says whether it did. Never asks the host.
    Prepay(u32),
    /// `() -> None`: gives back what was prepaid and not used.
    Refund(u32),
    /// `(int) -> int`: takes as many units as are there, at most so many, and says how many it took. Never asks the host.
    PrepayMost,
    /// `(array) -> int`: its length along a dimension.
    Len(u8),
    /// `(int, int) -> int`: an index into so many elements, as one that counts from the start: negative ones count from the end.
    /// IndexError outside.
    Index(Bounds),
    /// `(array, int…) -> T`: the element at these indices, one for each dimension, all inside.
    Load,
    /// `(array, T, int…) -> None`: writes an element, likewise. The array is writable.
    Store,
    /// `(array, int) -> array`: what is at this index of a dimension, inside: an array of one dimension less.
    At(u8),
    /// `(array, int, int, int) -> array`: so many elements along a dimension, from a first one on, each so many after the one before.
    /// The result is contiguous only if the dimension is the first and the step 1.
    Cut(u8),
    /// `(array) -> array`: the dimensions in reverse order.
    Transpose,
    /// `(array or T…) -> array`: what a function of this module, the kernel, makes of each element; operands are stretched to their common
    /// shape as NumPy broadcasts, and a T goes to each. The result is new memory of the host's. ValueError where shapes do not fit.
    Map(FuncId),
    /// `(array, array or T…) -> None`: the same, written to the elements of the first operand, as if all were read before. It has the
    /// common shape, and is not stretched.
    MapInto(FuncId),
    /// `(array or T…) -> R`: one value of what the kernel makes of all elements, in the order that `Reduction` promises. ValueError where
    /// shapes do not fit, or where nothing has no such value.
    Reduce(Reduction, FuncId),
    /// `(array, array or T…) -> None`: what the kernel makes of each element, written to the first operand, as long as that is; a T goes to each.
    /// The arrays have one dimension, are contiguous, the others no shorter, and each is `Apart` from the first. A kernel that gives
    /// a pair says with it whether the element is written; one that is not is not touched. The kernel has a form in vectors.
    Rows(FuncId),
    /// `(array, array) -> bool`, both contiguous and of one dimension: whether elements can be written to the first, one after the other, without changing what is
    /// read later of the second at the same index: the second begins where the first does, or behind it, or they share nothing.
    Apart,
    /// `(array, array, int…) -> int`: how many elements of the first, which is contiguous, of one dimension and not empty, can be written until an element of the
    /// second changes, the one that changes it included: all, if none does.
    Reach,
    /// `(array…) -> None`: ValueError where their shapes do not fit together.
    Fits,
    /// `() -> array`: one without elements, where nobody looks at it.
    NoArray,
    /// `(array) -> array`: the same as a type that says less of it (`ArrayTy::join`).
    Loosen,
    /// `() -> int`: how many arrays the run has made so far.
    Mark,
    /// `(int, array…) -> None`: memory that was made since the mark, and in which none of these arrays lies, is given back. Never raises.
    Keep,
}

/// How many bits numbers that are not negative may have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bits {
    /// Those of an int.
    All,
    /// 32.
    Half,
}

/// What an index is still to be tested for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bounds {
    Both,
    /// It is known not to be negative.
    Upper,
}

/// A row of the runtime's table, compared by its address.
#[derive(Clone, Copy)]
pub struct HelperRef(pub &'static Helper);

impl PartialEq for HelperRef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl std::fmt::Debug for HelperRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Print {
    pub sep: Arc<str>,
    pub end: Arc<str>,
    pub pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(Arc<str>),
    /// The next operand.
    Value,
}

/// A constant's value. Ints are the 64 bits of their type; floats compare by bits, so that -0.0 is not 0.0 and nan is nan.
#[derive(Clone, Copy, Debug)]
pub enum Const {
    None,
    Bool(bool),
    Int(u64),
    Float(f64),
}

impl PartialEq for Const {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Const::None, Const::None) => true,
            (Const::Bool(a), Const::Bool(b)) => a == b,
            (Const::Int(a), Const::Int(b)) => a == b,
            (Const::Float(a), Const::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Op {
    /// Whether the operation can raise, print, call or be interrupted, so that it must stay where it is.
    pub fn has_effect(&self) -> bool {
        use Op::*;
        match self {
            Add(m) | Sub(m) | Mul(m) | Div(m) | IntDiv(m) | FloorDiv(m) | Mod(m) | Shl(m) | Shr(m) | Neg(m)
            | Abs(m) | Narrow(m) | ToInt(m) => *m == Mode::Python,
            Helper(h, m) => !(h.0.infallible || (*m == Mode::Numpy && h.0.is_libm1())),
            Extern(callee) => !callee.of.pure,
            Fail(_) | RequireBound(_) | Call(_) | Print(_) | Tick(_) | Prepay(_) | Refund(_) | PrepayMost => true,
            Mark | Keep | Index(_) | Store | Fits | Map(_) | MapInto(_) | Reduce(..) | Rows(_) => true,
            _ => false,
        }
    }

    /// Whether it writes to an array that others may see.
    pub fn writes(&self) -> bool {
        matches!(self, Op::Store | Op::MapInto(_) | Op::Rows(_))
    }

    /// Whether it is done for all elements of arrays, and asks the host meanwhile whether to go on.
    pub fn is_whole(&self) -> bool {
        matches!(self, Op::Map(_) | Op::MapInto(_) | Op::Reduce(..))
    }

    /// The function of the module that it runs.
    pub fn function(&self) -> Option<FuncId> {
        match self {
            Op::Call(id) | Op::Map(id) | Op::MapInto(id) | Op::Reduce(_, id) | Op::Rows(id) => Some(*id),
            _ => None,
        }
    }

    pub fn function_mut(&mut self) -> Option<&mut FuncId> {
        match self {
            Op::Call(id) | Op::Map(id) | Op::MapInto(id) | Op::Reduce(_, id) | Op::Rows(id) => Some(id),
            _ => None,
        }
    }

    /// `has_effect`, knowing the result's type: float addition cannot raise where int addition can.
    pub fn can_raise(&self, result: &Ty) -> bool {
        match self {
            Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Neg(_) | Op::Abs(_) => {
                self.has_effect() && !matches!(result, Ty::Float(_))
            }
            other => other.has_effect(),
        }
    }
}

impl Function {
    pub fn params(&self) -> &[Value] {
        &self.blocks[0].params
    }

    pub fn ty(&self, value: Value) -> &Ty {
        &self.values[value.0 as usize]
    }

    pub fn new_value(&mut self, ty: Ty) -> Value {
        self.values.push(ty);
        Value(self.values.len() as u32 - 1)
    }
}

impl Terminator {
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let (a, b) = match self {
            Terminator::Jump(t) => (Some(t), None),
            Terminator::Branch(_, t, e) => (Some(t), Some(e)),
            _ => (None, None),
        };
        a.into_iter().chain(b)
    }

    pub fn targets_mut(&mut self) -> impl Iterator<Item = &mut Target> {
        let (a, b) = match self {
            Terminator::Jump(t) => (Some(t), None),
            Terminator::Branch(_, t, e) => (Some(t), Some(e)),
            _ => (None, None),
        };
        a.into_iter().chain(b)
    }
}

/// The width of an integer type whose values a helper or comparison takes as unsigned.
pub fn is_u64(ty: &Ty) -> bool {
    matches!(ty, Ty::Int(IntTy::U64))
}
