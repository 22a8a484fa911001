//! Whether and how a function's values lie in vectors.
//!
//! In: a function, and which of its arguments are the same for all elements. Out: a plan, or None where the scalar loop is better or
//! nothing else is right. Always holds: a function with a plan has one block, and nothing in it can fail, call, tick or be seen from outside.

use cranelift_codegen::ir::{self, types};

use crate::codegen::elements::hoisted;
use crate::runtime::Body;
use crate::typed::{Function, Inst, Op, Terminator, Value};
use crate::types::{FloatTy, Item, Ty};

/// Vectors in one round: enough that the next one does not wait for the last one's results.
const VECTORS: usize = 4;

/// Operations on whole vectors that must stand against one that is done lane by lane.
const WORTH: usize = 4;

pub(crate) struct Plan {
    /// The width of all values but bools; a bool is a lane of so many ones or zeros.
    bits: usize,
    pub(super) vectors: usize,
    /// Values that are there before the loop.
    hoisted: Vec<bool>,
    /// Whether it compares floats in a way that tells nans by a flag.
    signals: bool,
}

/// How one operation is done.
pub(super) enum How {
    Vector,
    /// Lane by lane, as in the scalar loop.
    Lanes,
    /// It costs nothing.
    Free,
}

impl Plan {
    pub fn of(function: &Function, uniform: u64) -> Option<Plan> {
        let [block] = &function.blocks[..] else { return None };
        let Terminator::Return(result) = block.end else { return None };
        let hoisted = hoisted(function, uniform);
        let insts = || block.insts.iter().filter(|inst| !hoisted[inst.result.0 as usize]);
        let mut widths: Vec<usize> = Vec::new();
        let mut look = |value: Value| widths.extend(function.ty(value).scalars().iter().filter_map(width));
        function.params().iter().filter(|param| !hoisted[param.0 as usize]).for_each(|&param| look(param));
        look(result);
        for inst in insts() {
            look(inst.result);
            let args = if is_shift(inst) { &inst.args[..1] } else { &inst.args[..] };
            args.iter().for_each(|&arg| look(arg));
        }
        let bits = widths.first().copied().unwrap_or(8);
        if widths.iter().any(|&width| width != bits) {
            return None;
        }
        let (mut vector, mut lanes) = (0, 0);
        for inst in insts() {
            match how(function, inst, bits, |value| hoisted[value.0 as usize])? {
                How::Vector => vector += 1,
                How::Lanes => lanes += 1,
                How::Free => {}
            }
        }
        if lanes * WORTH > vector || lanes > 0 && bits < 32 {
            return None;
        }
        let signals = insts().any(|inst| is_ordering(function, inst));
        Some(Plan { bits, vectors: if lanes == 0 { VECTORS } else { 1 }, hoisted, signals })
    }

    /// Whether a run may set the flag of invalid operations where the scalar loop would not.
    pub fn signals(&self) -> bool {
        self.signals
    }

    pub(super) fn is_hoisted(&self, value: Value) -> bool {
        self.hoisted[value.0 as usize]
    }

    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// Lanes of one vector.
    pub(super) fn lanes(&self) -> usize {
        128 / self.bits
    }

    /// Elements of one round: a power of two.
    pub fn round(&self) -> usize {
        self.vectors * self.lanes()
    }

    /// The vector of such elements; of masks for bools.
    pub(super) fn vector(&self, item: Item) -> ir::Type {
        match item {
            Item::Float(FloatTy::F64) => types::F64X2,
            Item::Float(FloatTy::F32) => types::F32X4,
            _ => self.mask(),
        }
    }

    pub(super) fn mask(&self) -> ir::Type {
        match self.bits {
            8 => types::I8X16,
            16 => types::I16X8,
            32 => types::I32X4,
            _ => types::I64X2,
        }
    }
}

/// Whether the second operand is a count, whose width does not matter: it must be a constant.
fn is_shift(inst: &Inst) -> bool {
    matches!(inst.op, Op::Shl(_) | Op::Shr(_))
}

/// Comparisons of floats that are more than "equal" or "not equal".
pub(crate) fn is_ordering(function: &Function, inst: &Inst) -> bool {
    use crate::typed::Cond::{Eq, Ne};
    let float = inst.args.first().is_some_and(|&arg| matches!(function.ty(arg), Ty::Float(_)));
    matches!(inst.op, Op::Cmp(cond) if !matches!(cond, Eq | Ne)) && float
}

fn width(ty: &Ty) -> Option<usize> {
    match Item::of(ty) {
        Some(Item::Bool) | None => None,
        Some(item) => Some(item.size() * 8),
    }
}

/// None: it cannot be done here at all.
pub(super) fn how(function: &Function, inst: &Inst, bits: usize, is_hoisted: impl Fn(Value) -> bool) -> Option<How> {
    let ty = function.ty(inst.result);
    if inst.op.can_raise(ty) {
        return None;
    }
    let from = inst.args.first().map_or(ty, |&arg| function.ty(arg));
    Some(match &inst.op {
        Op::Tuple | Op::Item(_) => How::Free,
        Op::Select if !ty.is_numeric() => return None,
        // There is no instruction that multiplies bytes.
        Op::Mul(_) if bits == 8 => How::Lanes,
        Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_) | Op::Neg(_) | Op::Abs(_) => How::Vector,
        Op::Sqrt | Op::Floor | Op::Ceil | Op::Trunc | Op::Nearest | Op::CopySign => How::Vector,
        Op::And | Op::Or | Op::Xor | Op::Not | Op::Invert | Op::Cmp(_) | Op::Select => How::Vector,
        Op::Shl(_) | Op::Shr(_) if is_hoisted(inst.args[1]) => How::Vector,
        Op::Shl(_) | Op::Shr(_) => return None,
        Op::Convert => match (from, ty) {
            (Ty::Bool, _) => How::Vector,
            (Ty::Int(int), Ty::Float(_)) if int.signed() => How::Vector,
            (Ty::Int(_), Ty::Float(_)) => How::Lanes,
            _ => How::Free,
        },
        Op::Narrow(_) => How::Free,
        Op::FloorDiv(_) | Op::Mod(_) | Op::Quotient(_) | Op::Remainder(_) | Op::ToInt(_) | Op::CmpIntFloat(_) => {
            How::Lanes
        }
        Op::Helper(helper, _) => match helper.0.body {
            Body::Libm1 { .. } | Body::Slots(_) if helper.0.results.len() == 1 => How::Lanes,
            _ => return None,
        },
        _ => return None,
    })
}
