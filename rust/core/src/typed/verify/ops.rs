//! The types each operation asks for and gives: the rows of `Op`, as checks.

use super::expect;
use crate::runtime::Kind;
use crate::typed::{Const, FuncId, Function, Inst, Module, Op, Piece};
use crate::types::{ArrayTy, FloatTy, IntTy, Item, Ty};

pub fn check(module: &Module, function: &Function, inst: &Inst) -> Result<(), String> {
    use Op::*;
    let args: Vec<&Ty> = inst.args.iter().map(|v| function.ty(*v)).collect();
    let result = function.ty(inst.result);
    let same = |count: usize, one_of: fn(&Ty) -> bool| homogeneous(&args, count, one_of);
    match &inst.op {
        Const(constant) => {
            arity(&args, 0)?;
            check_constant(constant, result)
        }
        Add(_) | Sub(_) | Mul(_) => same(2, int_or_float).and_then(|t| gives(result, t)),
        Div(_) => same(2, float).and_then(|t| gives(result, t)),
        IntDiv(_) => same(2, int64).and_then(|_| gives(result, &Ty::FLOAT)),
        FloorDiv(_) | Mod(_) => same(2, int).and_then(|t| gives(result, t)),
        And | Or | Xor => same(2, |t| int(t) || *t == Ty::Bool).and_then(|t| gives(result, t)),
        Shl(_) | Shr(_) => {
            arity(&args, 2)?;
            expect(args[1], &Ty::INT, "the count")?;
            homogeneous(&args[..1], 1, int).and_then(|t| gives(result, t))
        }
        Neg(_) | Abs(_) => same(1, int_or_float).and_then(|t| gives(result, t)),
        Invert => same(1, int).and_then(|t| gives(result, t)),
        Not => same(1, |t| *t == Ty::Bool).and_then(|t| gives(result, t)),
        Sqrt | Floor | Ceil | Trunc | Nearest => same(1, float).and_then(|t| gives(result, t)),
        CopySign => same(2, |t| *t == Ty::FLOAT).and_then(|t| gives(result, t)),
        Cmp(_) => same(2, Ty::is_numeric).and_then(|_| gives(result, &Ty::Bool)),
        CmpIntFloat(_) => {
            arity(&args, 2)?;
            expect(args[1], &Ty::FLOAT, "operand 2")?;
            homogeneous(&args[..1], 1, int64).and_then(|_| gives(result, &Ty::Bool))
        }
        Select => {
            arity(&args, 3)?;
            expect(args[0], &Ty::Bool, "the condition")?;
            expect(args[1], result, "operand 2")?;
            expect(args[2], result, "operand 3")
        }
        Convert => {
            arity(&args, 1)?;
            let fine = match (args[0], result) {
                (Ty::Bool | Ty::Int(_) | Ty::Float(_), Ty::Float(_)) | (Ty::Bool, Ty::Int(_)) => true,
                (Ty::Int(from), Ty::Int(to)) => to.holds(from.min()) && to.holds(from.max()),
                _ => false,
            };
            if fine { Ok(()) } else { Err(format!("no conversion from {} to {result} that never raises", args[0])) }
        }
        Narrow(_) => same(1, int).and_then(|_| kind(result, "the result", int)),
        ToInt(_) => same(1, |t| *t == Ty::FLOAT).and_then(|_| kind(result, "the result", int)),
        NextIndex | Quotient(_) | Remainder(_) => same(2, |t| *t == Ty::INT).and_then(|t| gives(result, t)),
        Fail(_) | RequireBound(_) => same(1, |t| *t == Ty::Bool).and_then(|_| gives(result, &Ty::None)),
        Call(callee) => {
            let callee = &module.functions[callee.0 as usize];
            arity(&args, callee.params().len())?;
            for (i, (arg, param)) in args.iter().zip(callee.params()).enumerate() {
                // The callee may be the broken one: its own check says so.
                let want = callee.values.get(param.0 as usize).ok_or("the callee is broken")?;
                expect(arg, want, &format!("argument {}", i + 1))?;
            }
            gives(result, &callee.result)
        }
        Extern(callee) => {
            arity(&args, callee.of.params.len())?;
            for (i, (arg, want)) in args.iter().zip(&callee.of.params).enumerate() {
                expect(arg, want, &format!("argument {}", i + 1))?;
            }
            gives(result, &callee.of.result)
        }
        Helper(helper, _) => {
            slots("argument", &args, helper.0.params)?;
            match result {
                Ty::Tuple(items) if helper.0.results.len() != 1 => {
                    slots("result", &items.iter().collect::<Vec<_>>(), helper.0.results)
                }
                one => slots("result", &[one], helper.0.results),
            }
        }
        Tuple => match result {
            Ty::Tuple(items) => {
                arity(&args, items.len())?;
                let mut pairs = args.iter().zip(items.iter()).enumerate();
                pairs.try_for_each(|(i, (arg, item))| expect(arg, item, &format!("element {i}")))
            }
            other => Err(format!("the result should be a tuple, is {other}")),
        },
        Item(k) => {
            arity(&args, 1)?;
            match args[0] {
                Ty::Tuple(items) => match items.get(*k as usize) {
                    Some(item) => gives(result, item),
                    None => Err(format!("a tuple of {} has no element {k}", items.len())),
                },
                other => Err(format!("the operand should be a tuple, is {other}")),
            }
        }
        Print(print) => {
            arity(&args, print.pieces.iter().filter(|piece| **piece == Piece::Value).count())?;
            gives(result, &Ty::None)
        }
        Tick(_) | Refund(_) => arity(&args, 0).and_then(|()| gives(result, &Ty::None)),
        Prepay(_) => arity(&args, 0).and_then(|()| gives(result, &Ty::Bool)),
        PrepayMost => same(1, |t| *t == Ty::INT).and_then(|t| gives(result, t)),
        Len(axis) => {
            arity(&args, 1)?;
            dimension(array(args[0])?, *axis)?;
            gives(result, &Ty::INT)
        }
        Index(_) => same(2, |t| *t == Ty::INT).and_then(|t| gives(result, t)),
        Load => {
            let of = array(args.first().ok_or("no operands")?)?;
            indices(&args[1..], of)?;
            gives(result, &of.item.ty())
        }
        Store => {
            let of = array(args.first().ok_or("no operands")?)?;
            if !of.writable {
                return Err(format!("a {of} cannot be written to"));
            }
            expect(args.get(1).ok_or("no value")?, &of.item.ty(), "the element")?;
            indices(&args[2..], of)?;
            gives(result, &Ty::None)
        }
        At(axis) => {
            arity(&args, 2)?;
            let of = array(args[0])?;
            dimension(of, *axis)?;
            expect(args[1], &Ty::INT, "the index")?;
            gives(result, &Ty::Array(ArrayTy { ndim: of.ndim - 1, contiguous: of.contiguous && *axis == 0, ..of }))?;
            if of.ndim > 1 { Ok(()) } else { Err("an array has a dimension".to_owned()) }
        }
        Cut(axis) => {
            arity(&args, 4)?;
            let of = array(args[0])?;
            dimension(of, *axis)?;
            args[1..].iter().try_for_each(|arg| expect(arg, &Ty::INT, "a bound"))?;
            let whole = array(result)?;
            if whole.contiguous && (*axis != 0 || !of.contiguous) {
                return Err("not contiguous".to_owned());
            }
            gives(&Ty::Array(ArrayTy { contiguous: of.contiguous, ..whole }), args[0])
        }
        Transpose => {
            arity(&args, 1)?;
            let of = array(args[0])?;
            gives(result, &Ty::Array(ArrayTy { contiguous: of.contiguous && of.ndim == 1, ..of }))
        }
        Map(kernel) => {
            let (ndim, item) = mapped(module, *kernel, &args)?;
            gives(result, &Ty::Array(ArrayTy { item, ndim, contiguous: true, writable: true }))
        }
        MapInto(kernel) => {
            let out = array(args.first().ok_or("no operands")?)?;
            let (ndim, item) = mapped(module, *kernel, &args[1..])?;
            if !out.writable || ndim > out.ndim || item != out.item {
                return Err(format!("{ndim} dimensions of {item:?} do not go into {out}"));
            }
            gives(result, &Ty::None)
        }
        Rows(kernel) => {
            args.iter().filter(|arg| matches!(arg, Ty::Array(_))).try_for_each(|arg| line(arg).map(drop))?;
            let out = line(args.first().ok_or("no operands")?)?;
            operands(module, *kernel, &args[1..])?;
            let made = &module.functions[kernel.0 as usize].result;
            let item = match made {
                Ty::Tuple(pair) => pair.first().filter(|_| pair[1..] == [Ty::Bool]).unwrap_or(made),
                one => one,
            };
            if !out.writable || *item != out.item.ty() {
                return Err(format!("{made} does not go into {out}"));
            }
            gives(result, &Ty::None)
        }
        Apart => {
            arity(&args, 2)?;
            args.iter().try_for_each(|arg| line(arg).map(drop))?;
            gives(result, &Ty::Bool)
        }
        Reach => {
            line(args.first().ok_or("no operands")?)?;
            indices(args.get(2..).ok_or("no element")?, array(args[1])?)?;
            gives(result, &Ty::INT)
        }
        Reduce(reduction, kernel) => {
            let (_, item) = mapped(module, *kernel, &args)?;
            gives(result, &reduction.result(item))
        }
        Fits => {
            args.iter().try_for_each(|arg| array(arg).map(drop))?;
            gives(result, &Ty::None)
        }
        NoArray => arity(&args, 0).and_then(|()| array(result).map(drop)),
        Mark => arity(&args, 0).and_then(|()| gives(result, &Ty::INT)),
        Keep => {
            expect(args.first().ok_or("no mark")?, &Ty::INT, "the mark")?;
            args[1..].iter().try_for_each(|arg| array(arg).map(drop))?;
            gives(result, &Ty::None)
        }
        Loosen => {
            arity(&args, 1)?;
            let (from, to) = (array(args[0])?, array(result)?);
            if from.join(to) == Some(to) { Ok(()) } else { Err(format!("a {from} is no {to}")) }
        }
    }
}

fn array(ty: &Ty) -> Result<ArrayTy, String> {
    match ty {
        Ty::Array(array) => Ok(*array),
        other => Err(format!("should be an array, is {other}")),
    }
}

/// An array whose elements lie one after the other, in one dimension.
fn line(ty: &Ty) -> Result<ArrayTy, String> {
    let of = array(ty)?;
    if of.contiguous && of.ndim == 1 { Ok(of) } else { Err(format!("{of} is no contiguous line")) }
}

/// The dimensions of what a kernel makes of operands, and its elements.
fn mapped(module: &Module, kernel: FuncId, args: &[&Ty]) -> Result<(u8, Item), String> {
    let ndim = operands(module, kernel, args)?;
    let made = &module.functions[kernel.0 as usize].result;
    let item = Item::of(made).ok_or_else(|| format!("{made} is no element"))?;
    Ok((ndim, item))
}

/// The most dimensions that an operand of a kernel has.
fn operands(module: &Module, kernel: FuncId, args: &[&Ty]) -> Result<u8, String> {
    let kernel = &module.functions[kernel.0 as usize];
    arity(args, kernel.params().len())?;
    let mut ndim = 0;
    for (arg, param) in args.iter().zip(kernel.params()) {
        let want = kernel.values.get(param.0 as usize).ok_or("the kernel is broken")?;
        match arg {
            Ty::Array(array) => {
                ndim = ndim.max(array.ndim);
                expect(&array.item.ty(), want, "an element")?;
            }
            scalar => expect(scalar, want, "an operand")?,
        }
    }
    Ok(ndim)
}

fn dimension(array: ArrayTy, axis: u8) -> Result<(), String> {
    if axis < array.ndim { Ok(()) } else { Err(format!("{array} has no dimension {axis}")) }
}

/// One index for each dimension.
fn indices(args: &[&Ty], array: ArrayTy) -> Result<(), String> {
    arity(args, array.ndim.into())?;
    args.iter().try_for_each(|arg| expect(arg, &Ty::INT, "an index"))
}

/// A constant is written the one way its type has: ints extended, f32 as a value of f32.
fn check_constant(constant: &Const, result: &Ty) -> Result<(), String> {
    let fine = match (constant, result) {
        (Const::None, Ty::None) | (Const::Bool(_), Ty::Bool) => true,
        (Const::Int(bits), Ty::Int(int)) => int.wrap(int.read(*bits)) == *bits,
        (Const::Float(_), Ty::Float(FloatTy::F64)) => true,
        (Const::Float(x), Ty::Float(FloatTy::F32)) => x.is_nan() || (*x as f32 as f64).to_bits() == x.to_bits(),
        _ => false,
    };
    if fine { Ok(()) } else { Err(format!("{constant:?} is no constant of {result}")) }
}

fn gives(result: &Ty, want: &Ty) -> Result<(), String> {
    expect(result, want, "the result")
}

fn arity(args: &[&Ty], want: usize) -> Result<(), String> {
    if args.len() == want { Ok(()) } else { Err(format!("takes {want} operands, gets {}", args.len())) }
}

fn kind(ty: &Ty, what: &str, one_of: fn(&Ty) -> bool) -> Result<(), String> {
    if one_of(ty) { Ok(()) } else { Err(format!("{what} cannot be {ty}")) }
}

/// All operands are of one type, which is one of those; gives that type.
fn homogeneous<'t>(args: &[&'t Ty], count: usize, one_of: fn(&Ty) -> bool) -> Result<&'t Ty, String> {
    arity(args, count)?;
    for (i, arg) in args.iter().enumerate() {
        kind(arg, &format!("operand {}", i + 1), one_of)?;
        expect(arg, args[0], &format!("operand {}", i + 1))?;
    }
    Ok(args[0])
}

fn slots(what: &str, types: &[&Ty], kinds: &[Kind]) -> Result<(), String> {
    if types.len() != kinds.len() {
        return Err(format!("{} {what}s where the helper has {}", types.len(), kinds.len()));
    }
    for (i, (ty, kind)) in types.iter().zip(kinds).enumerate() {
        let fine = match kind {
            Kind::Int => int64(ty),
            Kind::Float => **ty == Ty::FLOAT,
            Kind::Bool => **ty == Ty::Bool,
        };
        if !fine {
            return Err(format!("{what} {} should be {kind:?}, is {ty}", i + 1));
        }
    }
    Ok(())
}

fn int(ty: &Ty) -> bool {
    matches!(ty, Ty::Int(_))
}

fn float(ty: &Ty) -> bool {
    matches!(ty, Ty::Float(_))
}

fn int_or_float(ty: &Ty) -> bool {
    int(ty) || float(ty)
}

/// The integers that fill a slot, so that runtime and comparisons need not know the width.
fn int64(ty: &Ty) -> bool {
    matches!(ty, Ty::Int(IntTy::I64 | IntTy::U64))
}
