//! Broken modules are rejected, each for its own reason.

use super::super::build::{function, gcd, module};
use super::super::{Block, BlockId, Cond, Const, FuncId, HelperRef, Mode, Op, Piece, Print};
use super::*;
use crate::types::{FloatTy, IntTy};

fn broken(breaker: impl FnOnce(&mut Module)) -> String {
    let mut module = module(vec![gcd()]);
    verify(&module).unwrap();
    breaker(&mut module);
    verify(&module).unwrap_err()
}

#[test]
fn structure() {
    type Case = (fn(&mut Module), &'static str);
    let cases: [Case; 15] = [
        (|m| m.functions.clear(), "without functions"),
        (|m| m.functions[0].blocks.clear(), "no blocks"),
        (|m| m.functions[0].blocks[2].insts[0].args[0] = Value(99), "no value %99"),
        (|m| m.functions[0].blocks[2].insts[0].result = Value(99), "no value %99"),
        (|m| m.functions[0].blocks[3].end = Terminator::Return(Value(99)), "no value %99"),
        (|m| m.functions[0].blocks[3].end = Terminator::Raise(1), "no raise 1"),
        (|m| m.functions[0].blocks[2].insts[0].op = Op::Call(FuncId(1)), "no function 1"),
        (|m| m.functions[0].blocks[2].insts[0].result = Value(0), "defined twice"),
        (|m| m.functions[0].blocks[3].end = Terminator::Return(Value(6)), "does not dominate"),
        (|m| m.functions[0].blocks[1].insts.swap(0, 1), "does not dominate"),
        (|m| m.functions[0].blocks[1].insts.clear(), "never defined"),
        (|m| m.functions[0].result = Ty::FLOAT, "the result should be float, is int"),
        (|m| m.functions[0].values[5] = Ty::INT, "the result should be bool, is int"),
        (|m| m.functions[0].values[6] = Ty::Str, "is a str"),
        (
            |m| {
                let lost =
                    Block { params: vec![], insts: vec![], end: Terminator::Raise(0), end_span: Default::default() };
                m.functions[0].blocks.push(lost);
            },
            "block4 is unreachable",
        ),
    ];
    for (i, (breaker, want)) in cases.into_iter().enumerate() {
        let message = broken(breaker);
        assert!(message.contains(want), "{i}: {message}");
    }
}

#[test]
fn targets() {
    let to = |block, args: Vec<Value>| Terminator::Jump(Target { block: BlockId(block), args });
    let cases = [
        (to(0, vec![]), "block0 is nobody's target"),
        (to(4, vec![]), "no block4"),
        (to(1, vec![Value(3)]), "block1 has 2 parameters, gets 1"),
        (to(1, vec![Value(3), Value(5)]), "the argument for %3 should be int, is bool"),
        (Terminator::Return(Value(5)), "the result should be int, is bool"),
    ];
    for (end, want) in cases {
        let message = broken(|m| m.functions[0].blocks[2].end = end);
        assert!(message.contains(want), "{message}");
    }
}

#[test]
fn every_operation_minds_its_types() {
    use Mode::Python as P;
    let f32 = Ty::Float(FloatTy::F32);
    let u8 = Ty::Int(IntTy::U8);
    let pair = Ty::Tuple([Ty::INT, Ty::FLOAT].into());
    let all = [Ty::INT, Ty::FLOAT, Ty::Bool, f32.clone(), u8.clone(), pair.clone(), Ty::None, Ty::Int(IntTy::U64)];
    let (int, float, bool, single, byte, tuple, none, word) = (0, 1, 2, 3, 4, 5, 6, 7);
    let pow = HelperRef(crate::runtime::helper("int_pow").unwrap());
    let divmod = HelperRef(crate::runtime::helper("int_divmod").unwrap());
    let print = |n| Op::Print(Print { sep: "".into(), end: "".into(), pieces: vec![Piece::Value; n] }.into());
    let ints = Ty::Tuple([Ty::INT, Ty::INT].into());
    let rows: Vec<(bool, Op, Vec<usize>, Ty)> = vec![
        (true, Op::Add(P), vec![int, int], Ty::INT),
        (false, Op::Add(P), vec![int, float], Ty::FLOAT),
        (false, Op::Add(P), vec![bool, bool], Ty::Bool),
        (false, Op::Add(P), vec![int], Ty::INT),
        (true, Op::Div(P), vec![single, single], f32.clone()),
        (false, Op::Div(P), vec![int, int], Ty::FLOAT),
        (true, Op::IntDiv(P), vec![word, word], Ty::FLOAT),
        (false, Op::IntDiv(P), vec![byte, byte], Ty::FLOAT),
        (true, Op::And, vec![bool, bool], Ty::Bool),
        (false, Op::And, vec![float, float], Ty::FLOAT),
        (true, Op::Shl(P), vec![byte, int], u8.clone()),
        (false, Op::Shl(P), vec![int, byte], Ty::INT),
        (false, Op::Not, vec![int], Ty::Bool),
        (true, Op::Abs(P), vec![float], Ty::FLOAT),
        (false, Op::Abs(P), vec![float], f32.clone()),
        (false, Op::Floor, vec![int], Ty::INT),
        (false, Op::CopySign, vec![single, single], f32.clone()),
        (true, Op::Cmp(Cond::Lt), vec![bool, bool], Ty::Bool),
        (false, Op::Cmp(Cond::Lt), vec![tuple, tuple], Ty::Bool),
        (true, Op::CmpIntFloat(Cond::Lt), vec![word, float], Ty::Bool),
        (false, Op::CmpIntFloat(Cond::Lt), vec![float, int], Ty::Bool),
        (true, Op::Select, vec![bool, tuple, tuple], pair.clone()),
        (false, Op::Select, vec![bool, int, float], Ty::INT),
        (true, Op::Convert, vec![bool], u8.clone()),
        (true, Op::Convert, vec![byte], Ty::INT),
        (false, Op::Convert, vec![int], u8.clone()),
        (false, Op::Convert, vec![word], Ty::INT),
        (false, Op::Convert, vec![float], Ty::INT),
        (true, Op::Narrow(P), vec![word], Ty::INT),
        (false, Op::ToInt(P), vec![single], Ty::INT),
        (false, Op::ToInt(P), vec![float], Ty::Bool),
        (true, Op::NextIndex, vec![int, int], Ty::INT),
        (false, Op::NextIndex, vec![word, word], Ty::Int(IntTy::U64)),
        (false, Op::Fail(crate::fault::Fault::MathDomain), vec![int], Ty::None),
        (true, Op::RequireBound("x".into()), vec![bool], Ty::None),
        (true, Op::Call(FuncId(0)), (0..8).collect(), Ty::None),
        (false, Op::Call(FuncId(0)), (1..8).collect(), Ty::None),
        (true, Op::Helper(pow, P), vec![int, int], Ty::INT),
        (false, Op::Helper(pow, P), vec![int, float], Ty::INT),
        (true, Op::Helper(divmod, P), vec![int, int], ints.clone()),
        (false, Op::Helper(divmod, P), vec![int, int], Ty::INT),
        (true, Op::Tuple, vec![int, float], pair.clone()),
        (false, Op::Tuple, vec![float, int], pair.clone()),
        (true, Op::Item(1), vec![tuple], Ty::FLOAT),
        (false, Op::Item(2), vec![tuple], Ty::FLOAT),
        (false, Op::Item(0), vec![int], Ty::INT),
        (true, print(2), vec![none, tuple], Ty::None),
        (false, print(1), vec![], Ty::None),
        (true, Op::Const(Const::Int(255)), vec![], u8.clone()),
        (false, Op::Const(Const::Int(256)), vec![], u8),
        (false, Op::Const(Const::Float(0.1)), vec![], f32),
        (false, Op::Const(Const::Float(1.0)), vec![], Ty::INT),
    ];
    for (i, (fine, op, args, result)) in rows.into_iter().enumerate() {
        let mut f = function("f", &all, Ty::None);
        let args: Vec<Value> = args.into_iter().map(|k| f.param(BlockId(0), k)).collect();
        f.op(op.clone(), &args, result);
        let none = f.param(BlockId(0), none);
        f.ret(none);
        let verdict = verify(&module(vec![f.done()]));
        assert_eq!(verdict.is_ok(), fine, "row {i}, {op:?}: {verdict:?}");
    }
}
