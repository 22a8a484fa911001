//! Typed IR as text, for people: `dump("typed-ir")`, filetests and failing tests.
//!
//! In: a module and where the lines of its source begin. Out: SSA text, the same for the same module; at the end of each line
//! where it comes from, as line:column, and beside the text as a span. A result of type None is shown only if somebody uses it. An operation says `.wrap`
//! (ints) or `.ieee` (floats) where it follows NumPy's rules and Python's would be different.

use super::{Bits, Block, Bounds, Cond, Const, Function, Inst, Mode, Module, Op, Piece, Target, Terminator, Value};
use crate::format;
use crate::listing::Listing;
use crate::span::{Lines, Span};
use crate::types::Ty;

/// The column of `; line:column`.
const PLACE_COLUMN: usize = 40;

pub fn to_text(module: &Module, lines: &Lines) -> String {
    listing(module, lines).text
}

pub fn listing(module: &Module, lines: &Lines) -> Listing {
    let mut out = Listing::default();
    for (i, function) in module.functions.iter().enumerate() {
        if i > 0 {
            out.line("", None);
        }
        let head = format!("func {}({}) -> {}", function.name, params(function, function.params()), function.result);
        line(&mut out, &head, function.span, lines);
        let used = used_values(function);
        for (b, block) in function.blocks.iter().enumerate() {
            out.line(&format!("{}:", block_head(function, b)), None);
            for inst in &block.insts {
                let text = instruction(module, function, inst, used[inst.result.0 as usize]);
                line(&mut out, &format!("  {text}"), inst.span, lines);
            }
            line(&mut out, &format!("  {}", terminator(module, &block.end)), block.end_span, lines);
        }
    }
    out
}

fn line(out: &mut Listing, text: &str, span: Span, lines: &Lines) {
    out.line(&format!("{text:<width$} ; {}", lines.show(span), width = PLACE_COLUMN - 1), Some(span));
}

/// `block1(%2: int)`.
pub(super) fn block_head(function: &Function, index: usize) -> String {
    match function.blocks[index].params.as_slice() {
        [] => format!("block{index}"),
        some => format!("block{index}({})", params(function, some)),
    }
}

fn params(function: &Function, values: &[Value]) -> String {
    let one = |v: &Value| format!("%{}: {}", v.0, function.ty(*v));
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Which values are somebody's operand.
pub(super) fn used_values(function: &Function) -> Vec<bool> {
    let mut used = vec![false; function.values.len()];
    for value in function.blocks.iter().flat_map(Block::uses) {
        used[value.0 as usize] = true;
    }
    used
}

/// `%4 = add.int %2, %3`.
pub(super) fn instruction(module: &Module, function: &Function, inst: &Inst, used: bool) -> String {
    let operands = values(&inst.args);
    let operation = operation(module, function, inst);
    let body = match &inst.op {
        Op::Call(_) | Op::Extern(_) | Op::Helper(..) | Op::Map(_) | Op::MapInto(_) | Op::Reduce(..) | Op::Rows(_) => {
            format!("{operation}({operands})")
        }
        Op::Print(print) => format!("print {}", print_operands(print, &inst.args)),
        _ if inst.args.is_empty() => operation,
        _ => format!("{operation} {operands}"),
    };
    match function.ty(inst.result) {
        Ty::None if !used => body,
        _ => format!("%{} = {body}", inst.result.0),
    }
}

fn values(list: &[Value]) -> String {
    list.iter().map(|v| format!("%{}", v.0)).collect::<Vec<_>>().join(", ")
}

/// An operation without its operands: `add.int.wrap`, `const float -0.0`.
fn operation(module: &Module, function: &Function, inst: &Inst) -> String {
    let result = function.ty(inst.result);
    let first = inst.args.first().map_or(result, |v| function.ty(*v));
    let typed = |name: &str| format!("{name}.{first}");
    let moded = |name: &str, mode: &Mode| match (mode, first, result) {
        (Mode::Python, ..) => typed(name),
        (Mode::Numpy, ..) if matches!(inst.op, Op::Div(_) | Op::IntDiv(_)) => typed(name) + ".ieee",
        // Python's float arithmetic raises no more than NumPy's.
        (Mode::Numpy, Ty::Float(_), Ty::Float(_)) => typed(name),
        (Mode::Numpy, ..) => typed(name) + ".wrap",
    };
    match &inst.op {
        Op::Const(constant) => format!("const {}", constant_text(constant, result)),
        Op::Add(m) => moded("add", m),
        Op::Sub(m) => moded("sub", m),
        Op::Mul(m) => moded("mul", m),
        Op::Div(m) => moded("div", m),
        Op::IntDiv(m) => moded("truediv", m),
        Op::FloorDiv(m) => moded("floordiv", m),
        Op::Mod(m) => moded("mod", m),
        Op::Quotient(Bits::All) => "quotient".to_owned(),
        Op::Quotient(Bits::Half) => "quotient.32".to_owned(),
        Op::Remainder(Bits::All) => "remainder".to_owned(),
        Op::Remainder(Bits::Half) => "remainder.32".to_owned(),
        Op::And => typed("and"),
        Op::Or => typed("or"),
        Op::Xor => typed("xor"),
        Op::Shl(m) => moded("shl", m),
        Op::Shr(m) => moded("shr", m),
        Op::Neg(m) => moded("neg", m),
        Op::Invert => typed("invert"),
        Op::Abs(m) => moded("abs", m),
        Op::Not => "not".to_owned(),
        Op::Sqrt => typed("sqrt"),
        Op::Floor => typed("floor"),
        Op::Ceil => typed("ceil"),
        Op::Trunc => typed("trunc"),
        Op::Nearest => typed("nearest"),
        Op::CopySign => typed("copysign"),
        Op::Cmp(cond) => format!("cmp.{}", condition(*cond)),
        Op::CmpIntFloat(cond) => format!("cmp.{}.exact", condition(*cond)),
        Op::Select => format!("select.{result}"),
        Op::Convert => format!("convert {result}"),
        Op::Narrow(Mode::Python) => format!("narrow {result}"),
        Op::Narrow(Mode::Numpy) => format!("narrow.wrap {result}"),
        Op::ToInt(Mode::Python) => format!("to_int {result}"),
        Op::ToInt(Mode::Numpy) => format!("to_int.wrap {result}"),
        Op::NextIndex => "next_index".to_owned(),
        Op::Fail(fault) => format!("fail {fault:?}"),
        Op::RequireBound(name) => format!("require_bound {name}"),
        Op::Call(callee) => match module.functions.get(callee.0 as usize) {
            Some(function) => format!("call {}", function.name),
            None => format!("call ?{}", callee.0),
        },
        Op::Extern(callee) => format!("extern{} {}", if callee.of.pure { ".pure" } else { "" }, callee.of.name),
        Op::Helper(helper, mode) => {
            let ieee = *mode == Mode::Numpy && helper.0.is_libm1();
            format!("helper {}{}", helper.0.name, if ieee { ".ieee" } else { "" })
        }
        Op::Tuple => "tuple".to_owned(),
        Op::Item(k) => format!("item {k}"),
        Op::Print(_) => "print".to_owned(),
        Op::Tick(1) => "tick".to_owned(),
        Op::Tick(units) => format!("tick {units}"),
        Op::Prepay(units) => format!("prepay {units}"),
        Op::Refund(units) => format!("refund {units}"),
        Op::PrepayMost => "prepay.most".to_owned(),
        Op::Apart => "apart".to_owned(),
        Op::Reach => "reach".to_owned(),
        Op::Len(axis) => format!("len {axis} of"),
        Op::Index(Bounds::Both) => "index".to_owned(),
        Op::Index(Bounds::Upper) => "index.upper".to_owned(),
        Op::Load => format!("load {result}"),
        Op::Store => "store".to_owned(),
        Op::At(axis) => format!("at {axis} of"),
        Op::Cut(axis) => format!("cut {axis} of"),
        Op::Transpose => "transpose".to_owned(),
        Op::Map(kernel) | Op::MapInto(kernel) | Op::Rows(kernel) | Op::Reduce(_, kernel) => {
            let name = module.functions.get(kernel.0 as usize).map_or("?", |function| &*function.name);
            match &inst.op {
                Op::Map(_) => format!("map {name}"),
                Op::MapInto(_) => format!("map.into {name}"),
                Op::Rows(_) => format!("rows {name}"),
                Op::Reduce(reduction, _) => format!("{} {name}", reduction.name()),
                _ => unreachable!(),
            }
        }
        Op::Fits => "fits".to_owned(),
        Op::NoArray => format!("no_array {result}"),
        Op::Loosen => format!("loosen {result}"),
        Op::Mark => "mark".to_owned(),
        Op::Keep => "keep".to_owned(),
    }
}

/// `int 3`, `float -0.0`, `None`.
fn constant_text(constant: &Const, ty: &Ty) -> String {
    match constant {
        Const::None => "None".to_owned(),
        Const::Bool(b) => format!("bool {}", format::scalar(&Ty::Bool, *b as u64)),
        Const::Int(bits) => format!("{ty} {}", format::scalar(ty, *bits)),
        Const::Float(x) => format!("{ty} {}", format::float(*x)),
    }
}

fn print_operands(print: &super::Print, args: &[Value]) -> String {
    let mut args = args.iter();
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => format!("{text:?}"),
        Piece::Value => args.next().map_or("?".to_owned(), |v| format!("%{}", v.0)),
    };
    let mut items: Vec<String> = print.pieces.iter().map(piece).collect();
    if &*print.sep != " " {
        items.push(format!("sep={:?}", print.sep));
    }
    if &*print.end != "\n" {
        items.push(format!("end={:?}", print.end));
    }
    items.join(", ")
}

pub(super) fn terminator(module: &Module, end: &Terminator) -> String {
    match end {
        Terminator::Jump(to) => format!("jump {}", target(to)),
        Terminator::Branch(c, then, otherwise) => format!("branch %{}, {}, {}", c.0, target(then), target(otherwise)),
        Terminator::Return(value) => format!("return %{}", value.0),
        Terminator::Raise(index) => match module.raises.get(*index as usize) {
            Some(raise) => match &raise.message {
                Some(message) => format!("raise {} {message:?}", raise.exception),
                None => format!("raise {}", raise.exception),
            },
            None => format!("raise ?{index}"),
        },
    }
}

fn target(target: &Target) -> String {
    match target.args.as_slice() {
        [] => format!("block{}", target.block.0),
        args => format!("block{}({})", target.block.0, values(args)),
    }
}

fn condition(cond: Cond) -> &'static str {
    match cond {
        Cond::Lt => "lt",
        Cond::Le => "le",
        Cond::Gt => "gt",
        Cond::Ge => "ge",
        Cond::Eq => "eq",
        Cond::Ne => "ne",
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::{function, gcd, module};
    use super::*;
    use crate::typed::{BlockId, FuncId, HelperRef, Print};

    #[test]
    fn gcd_reads_well() {
        let text = to_text(&module(vec![gcd()]), &Lines(vec![0, 4]));
        let want = "\
func gcd(%0: int, %1: int) -> int       ; 1:1
block0(%0: int, %1: int):
  jump block1(%0, %1)                   ; 1:2
block1(%2: int, %3: int):
  %4 = const int 0                      ; 1:3
  %5 = cmp.ne %3, %4                    ; 1:4
  branch %5, block2, block3             ; 2:1
block2:
  %6 = mod.int %2, %3                   ; 2:2
  jump block1(%3, %6)                   ; 2:3
block3:
  return %2                             ; 2:4
";
        assert_eq!(text, want);
    }

    #[test]
    fn operations_say_whose_rules_they_follow() {
        let mut f = function("f", &[Ty::INT, Ty::FLOAT], Ty::None);
        let (i, x) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
        f.op(Op::Add(Mode::Numpy), &[i, i], Ty::INT);
        f.op(Op::Add(Mode::Numpy), &[x, x], Ty::FLOAT);
        f.op(Op::Div(Mode::Numpy), &[x, x], Ty::FLOAT);
        f.op(Op::IntDiv(Mode::Numpy), &[i, i], Ty::FLOAT);
        f.op(Op::ToInt(Mode::Numpy), &[x], Ty::INT);
        let exp = HelperRef(crate::runtime::helper("exp").unwrap());
        f.op(Op::Helper(exp, Mode::Numpy), &[x], Ty::FLOAT);
        f.op(Op::CmpIntFloat(Cond::Lt), &[i, x], Ty::Bool);
        f.float(-0.0);
        let pieces = vec![Piece::Text("a\n".into()), Piece::Value];
        let print = Print { sep: ",".into(), end: "\n".into(), pieces };
        f.op(Op::Print(print.into()), &[x], Ty::None);
        let none = f.op(Op::Call(FuncId(0)), &[i, x], Ty::None);
        f.ret(none);
        let text = to_text(&module(vec![f.done()]), &Lines(vec![0]));
        let lines: Vec<&str> = text.lines().skip(2).map(|line| line.split(';').next().unwrap_or("").trim()).collect();
        let want = [
            "%2 = add.int.wrap %0, %0",
            "%3 = add.float %1, %1",
            "%4 = div.float.ieee %1, %1",
            "%5 = truediv.int.ieee %0, %0",
            "%6 = to_int.wrap int %1",
            "%7 = helper exp.ieee(%1)",
            "%8 = cmp.lt.exact %0, %1",
            "%9 = const float -0.0",
            "print \"a\\n\", %1, sep=\",\"",
            "%11 = call f(%0, %1)",
            "return %11",
        ];
        assert_eq!(lines, want);
    }
}
