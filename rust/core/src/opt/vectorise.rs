//! Runs loops over the elements of arrays in vectors.
//!
//! In: a loop that counts by one and contains no other, whose rounds do nothing but store an element made of others:
//!
//! ```text
//! head(i): branch i < n, …, exit      … %v = f(load x, i - 1; load x, i; …); store out, %v, i; tick; jump head(i + 1)
//! ```
//!
//! Out: the same behind a question, asked once: are there `ENOUGH` rounds, are all indices of all rounds inside, and does nothing that is
//! stored change what is read in a later round? If so, f is done as a kernel for many elements at once (`Op::Rows`):
//!
//! ```text
//! test(i):   branch enough rounds, inside, head(i)
//! inside:    branch all indices are inside, views, head(i)
//! views:     lines of all arrays from i on; branch apart …, fast(i), head(i)
//! fast(i):   as many rounds as are paid for, and one more if that is not all; branch all were paid for, on, ask
//! ask:       tick; jump on
//! on:        branch i' < n, fast(i'), head(i')
//! ```
//!
//! Ticks are those of the loop: the host is asked after the round that could not be paid for, and memory is then what it would be. What is read at
//! places that do not change with i is read when rounds begin, and rounds end after the one that stores to such a place (`Op::Reach`).
//!
//! Every way to the loop's exit is still by its head, with a counter that has reached the end. An element that is stored in some rounds only
//! is not touched in others, as another thread may store it: the kernel gives a pair. False of a loop whose round reads after it stores, can fail otherwise than
//! by an index, has an exit of its own, carries another value than the counter, or uses the counter as a number; and of arrays that are not known to be contiguous.

mod kernel;
mod lines;

use super::unroll::counted::{Emit, Known, Origins, number};
use crate::span::Span;
use crate::typed::cfg::Graph;
use crate::typed::{
    Args, Block, BlockId, Bounds, Cond, FuncId, Function, Inst, Mode, Module, Op, Target, Terminator, Value,
};
use crate::types::{ArrayTy, Ty};
use lines::{Asked, Line, Place, Position, Rounds};

/// How many rounds are worth the question and the call, at least: also as many as fill the kernel's vectors.
const ENOUGH: usize = 8;
/// How many loops of a module are done so: each kernel is compiled.
const LOOPS: usize = 24;

/// What a kernel takes for a parameter.
#[derive(PartialEq)]
enum Operand {
    /// The elements of a line, one each round.
    Line(Line),
    /// An element that is the same in every round, unless it is stored to.
    Element(Place, Span),
    Known(Known),
}

/// A loop, and what it becomes.
struct Found {
    head: u32,
    blocks: Vec<u32>,
    limit: Known,
    asked: Vec<Asked>,
    out: Line,
    operands: Vec<Operand>,
    kernel: Function,
    /// How many rounds are worth it.
    enough: i64,
    span: Span,
}

pub fn run(module: &mut Module) {
    let mut room = LOOPS;
    for f in 0..module.functions.len() {
        let function = &module.functions[f];
        let stores = function.blocks.iter().flat_map(|block| &block.insts).any(|inst| inst.op == Op::Store);
        if !stores {
            continue;
        }
        let graph = Graph::of(function);
        let origins = Origins::new(function);
        let found = graph.rpo.iter().filter_map(|&head| find(function, &graph, &origins, head)).take(room);
        let found: Vec<Found> = found.collect();
        room -= found.len();
        for mut found in found {
            let id = FuncId(module.functions.len() as u32);
            found.kernel.name = format!("{}.rows{}", module.functions[f].name, id.0).into();
            module.functions.push(found.kernel.clone());
            rewrite(&mut module.functions[f], &found, id);
        }
    }
}

fn find(function: &Function, graph: &Graph, origins: &Origins, head: u32) -> Option<Found> {
    let blocks = lines::blocks(graph, head)?;
    let rounds = Rounds::of(function, graph, origins, head, &blocks)?;
    let asked = rounds.asked()?;
    let (kernel, filled, out, operands) = kernel::make(&rounds)?;
    let enough = filled.max(ENOUGH) as i64;
    let span = function.blocks[rounds.latch as usize].end_span;
    Some(Found { head, limit: rounds.limit, asked, out, operands, kernel, enough, span, blocks })
}

/// Puts the new blocks before the head.
fn rewrite(function: &mut Function, found: &Found, kernel: FuncId) {
    let first = function.blocks.len() as u32;
    let [test, inside, views, fast, ask, on] = [0, 1, 2, 3, 4, 5].map(|i| BlockId(first + i));
    for (b, block) in function.blocks.iter_mut().enumerate() {
        if !found.blocks.contains(&(b as u32)) {
            block.end.targets_mut().filter(|to| to.block.0 == found.head).for_each(|to| to.block = test);
        }
    }
    let to = |block: BlockId, args: &[Value]| Target { block, args: args.to_vec() };
    let (head, span) = (BlockId(found.head), found.span);
    let start = function.new_value(Ty::INT);

    let mut put = Put { function, insts: Vec::new(), span };
    let n = found.limit.emit(&mut put.emit());
    let many = enough(found.enough, &mut put.emit(), start, n);
    let insts = put.done();
    let end = Terminator::Branch(many, to(inside, &[]), to(head, &[start]));
    put.function.blocks.push(Block { params: vec![start], insts, end, end_span: span });

    let inside = found.inside(&mut put.emit(), start, n);
    let insts = put.done();
    let end = match inside {
        Some(inside) => Terminator::Branch(inside, to(views, &[]), to(head, &[start])),
        None => Terminator::Jump(to(views, &[])),
    };
    put.function.blocks.push(Block { params: Vec::new(), insts, end, end_span: span });

    let count = put.emit()(Op::Sub(Mode::Numpy), &[n, start], Ty::INT);
    let out = put.row(&found.out.place);
    let rows: Vec<Option<Value>> = (found.operands.iter())
        .map(|operand| match operand {
            Operand::Line(line) if line.place == found.out.place => Some(out),
            Operand::Line(line) => Some(put.row(&line.place)),
            _ => None,
        })
        .collect();
    let whole = put.cut(out, &found.out, start, count);
    let mut apart = None;
    for (operand, row) in found.operands.iter().zip(&rows) {
        if let (Operand::Line(line), Some(row)) = (operand, row)
            && line.place != found.out.place
        {
            let other = put.cut(*row, line, start, count);
            let this = put.emit()(Op::Apart, &[whole, other], Ty::Bool);
            apart = Some(apart.map_or(this, |others| put.emit()(Op::And, &[others, this], Ty::Bool)));
        }
    }
    let knowns: Vec<Option<Value>> = (found.operands.iter())
        .map(|operand| if let Operand::Known(known) = operand { Some(known.emit(&mut put.emit())) } else { None })
        .collect();
    let places: Vec<Option<Vec<Value>>> = (found.operands.iter())
        .map(|operand| if let Operand::Element(place, _) = operand { Some(put.place(place)) } else { None })
        .collect();
    let insts = put.done();
    let end = match apart {
        Some(apart) => Terminator::Branch(apart, to(fast, &[start]), to(head, &[start])),
        None => Terminator::Jump(to(fast, &[start])),
    };
    put.function.blocks.push(Block { params: Vec::new(), insts, end, end_span: span });

    let i = put.function.new_value(Ty::INT);
    let left = put.emit()(Op::Sub(Mode::Numpy), &[n, i], Ty::INT);
    let mut most = left;
    if places.iter().any(Option::is_some) {
        let rest = put.cut(out, &found.out, i, left);
        for place in places.iter().flatten() {
            let mut args = vec![rest];
            args.extend(place);
            let reach = put.emit()(Op::Reach, &args, Ty::INT);
            let less = put.emit()(Op::Cmp(Cond::Lt), &[reach, most], Ty::Bool);
            most = put.emit()(Op::Select, &[less, reach, most], Ty::INT);
        }
    }
    let paid = put.emit()(Op::PrepayMost, &[most], Ty::INT);
    let short = put.emit()(Op::Cmp(Cond::Lt), &[paid, most], Ty::Bool);
    let unpaid = put.emit()(Op::Convert, &[short], Ty::INT);
    let made = put.emit()(Op::Add(Mode::Numpy), &[paid, unpaid], Ty::INT);
    let mut args = vec![put.cut(out, &found.out, i, made)];
    for (k, operand) in found.operands.iter().enumerate() {
        args.push(match (operand, rows[k], &places[k], knowns[k]) {
            (Operand::Line(line), Some(row), ..) => put.cut(row, line, i, made),
            (Operand::Element(place, span), _, Some(args), _) => put.load(place, args, *span),
            (_, _, _, Some(known)) => known,
            _ => unreachable!("each operand has one of them"),
        });
    }
    put.emit()(Op::Rows(kernel), &args, Ty::None);
    let next = put.emit()(Op::NextIndex, &[i, made], Ty::INT);
    let insts = put.done();
    let end = Terminator::Branch(short, to(ask, &[]), to(on, &[]));
    put.function.blocks.push(Block { params: vec![i], insts, end, end_span: span });

    put.emit()(Op::Tick(1), &[], Ty::None);
    let insts = put.done();
    put.function.blocks.push(Block { params: Vec::new(), insts, end: Terminator::Jump(to(on, &[])), end_span: span });

    let more = put.emit()(Op::Cmp(Cond::Lt), &[next, n], Ty::Bool);
    let insts = put.done();
    let end = Terminator::Branch(more, to(fast, &[next]), to(head, &[next]));
    put.function.blocks.push(Block { params: Vec::new(), insts, end, end_span: span });
}

/// Whether there are enough rounds from the start to before n.
fn enough(enough: i64, emit: &mut Emit, start: Value, n: Value) -> Value {
    // It may wrap; then it is negative if start < n.
    let count = emit(Op::Sub(Mode::Numpy), &[n, start], Ty::INT);
    let enough = number(emit, enough);
    let many = emit(Op::Cmp(Cond::Ge), &[count, enough], Ty::Bool);
    let more = emit(Op::Cmp(Cond::Lt), &[start, n], Ty::Bool);
    emit(Op::And, &[more, many], Ty::Bool)
}

impl Found {
    /// Whether all indices are inside in all rounds from the start to before n; None: they are.
    fn inside(&self, emit: &mut Emit, start: Value, n: Value) -> Option<Value> {
        let mut all = None;
        for Asked { position, length, bounds } in &self.asked {
            let (low, high) = match position {
                // 0 ≤ start + k; n - 1 + k < length is n ≤ length - k.
                Position::Counter(plus) => {
                    let least = number(emit, -plus);
                    let low = emit(Op::Cmp(Cond::Ge), &[start, least], Ty::Bool);
                    let most = length.more(-plus, emit);
                    (low, emit(Op::Cmp(Cond::Le), &[n, most], Ty::Bool))
                }
                Position::Known(known) => {
                    let (i, zero, length) = (known.emit(emit), number(emit, 0), length.emit(emit));
                    let low = emit(Op::Cmp(Cond::Ge), &[i, zero], Ty::Bool);
                    (low, emit(Op::Cmp(Cond::Lt), &[i, length], Ty::Bool))
                }
            };
            for this in [Some(high), (*bounds == Bounds::Both).then_some(low)].into_iter().flatten() {
                all = Some(all.map_or(this, |others| emit(Op::And, &[others, this], Ty::Bool)));
            }
        }
        all
    }
}

/// Instructions on their way into a new block.
struct Put<'f> {
    function: &'f mut Function,
    insts: Vec<Inst>,
    span: Span,
}

impl Put<'_> {
    fn emit(&mut self) -> impl FnMut(Op, &[Value], Ty) -> Value {
        |op, args, ty| {
            let result = self.function.new_value(ty);
            self.insts.push(Inst { result, op, args: Args::from_slice(args), span: self.span });
            result
        }
    }

    fn done(&mut self) -> Vec<Inst> {
        std::mem::take(&mut self.insts)
    }

    /// The line of an array on which all elements of a place lie.
    fn row(&mut self, place: &Place) -> Value {
        let mut array = place.array;
        for position in &place.before {
            let Ty::Array(ty) = *self.function.ty(array) else { unreachable!("a place is an array's") };
            let index = position.emit(&mut self.emit());
            array = self.emit()(Op::At(0), &[array, index], Ty::Array(ArrayTy { ndim: ty.ndim - 1, ..ty }));
        }
        array
    }

    /// So many elements of a line, from that of a round on.
    fn cut(&mut self, row: Value, line: &Line, round: Value, count: Value) -> Value {
        let ty = self.function.ty(row).clone();
        let mut emit = self.emit();
        let mut first = round;
        if line.plus != 0 {
            let plus = number(&mut emit, line.plus);
            first = emit(Op::Add(Mode::Numpy), &[round, plus], Ty::INT);
        }
        let one = number(&mut emit, 1);
        emit(Op::Cut(0), &[row, first, count, one], ty)
    }

    /// An array and the indices of an element.
    fn place(&mut self, place: &Place) -> Vec<Value> {
        let indices = place.before.iter().map(|known| known.emit(&mut self.emit()));
        std::iter::once(place.array).chain(indices.collect::<Vec<_>>()).collect()
    }

    fn load(&mut self, place: &Place, args: &[Value], span: Span) -> Value {
        let Ty::Array(ty) = *self.function.ty(place.array) else { unreachable!("a place is an array's") };
        let own = std::mem::replace(&mut self.span, span);
        let loaded = self.emit()(Op::Load, args, ty.item.ty());
        self.span = own;
        loaded
    }
}
