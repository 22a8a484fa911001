//! Whole-array operations: a kernel over all elements, block by block, into an array or to one value.
//!
//! In: the operation, its operands' types and slots, and an engine that runs the kernel on a block. Out: the result's slots. Always holds: every
//! engine gets the same blocks in the same order and counts one tick for each; operands are read as they were before anything was written.

mod small;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Run, Shape, Walk, Walks, blocks, dimensions, walk};
use crate::eval::Slots;
use crate::failure::HostError;
use crate::fault::Fault;
use crate::runtime::fold::{self, Pairs, Partial, Strips};
use crate::typed::reduction::{BLOCK, Reduction};
use crate::typed::{FuncId, Function, Module, Op, Terminator};
use crate::types::{Item, Ty};

/// What is done with the kernel's results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// They become a new array.
    New,
    /// They are written to the first operand.
    Into,
    /// They come to one value.
    Reduce(Reduction),
}

/// A whole-array operation.
#[derive(Clone, Debug)]
pub struct Whole {
    pub kind: Kind,
    /// What the kernel gives.
    pub item: Item,
    /// Whether the kernel gives its one operand, an array's elements, as they are.
    pub plain: bool,
    /// Picoseconds for an element, about.
    pub cost: u64,
    /// Whether the kernel can be run by several threads at once: it asks nothing of the host.
    pub shared: bool,
    /// The operand in whose memory a new array may be, if it has the size: nobody reads it any more.
    pub spent: Option<usize>,
    pub operands: Vec<Ty>,
}

/// Who runs the kernel, and may be asked whether to go on.
pub trait Engine {
    /// Why the kernel failed.
    type Error;
    /// Runs it on so many elements: the operands' addresses, then the result's.
    fn block(&mut self, operands: &[*mut u8], count: usize) -> Result<(), Self::Error>;
    fn tick(&mut self) -> Result<(), HostError>;
    fn memory(&mut self, bytes: usize) -> Result<u64, HostError>;
    /// Does so many jobs, of so many picoseconds in all, by several threads, if there are any; None: nothing was done. Of jobs that
    /// fail, the first one's failure is given.
    fn spread(&mut self, _jobs: u64, _picos: u64, _job: &Job<Self::Error>) -> Option<Result<(), Stop<Self::Error>>> {
        None
    }
}

/// Does the job of a number, and is told how to run the kernel.
pub type Job<'a, E> = dyn Fn(u64, &mut Run<E>) -> Result<(), E> + Sync + 'a;

/// Does some blocks.
type Part<'a, E> = dyn Fn(Range<u64>, &mut Run<E>) -> Result<(), E> + Sync + 'a;

/// Elements of a strip: what two operands and the results of one take, a first cache has room for. Whole rounds of the accumulators.
const STRIP: usize = 1024;

/// How many blocks a thread takes at a time.
const JOB: u64 = 4;

/// How many blocks' results are kept at once, whatever an array claims to hold: views of one element can have 2⁶⁰. A power of two.
const KEPT: u64 = 1 << 18;

/// Why there is no result.
pub enum Stop<E> {
    Fault(Fault),
    Host,
    Kernel(E),
}

impl<E> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Stop<E> {
        Stop::Fault(fault)
    }
}

impl<E> From<HostError> for Stop<E> {
    fn from(_: HostError) -> Stop<E> {
        Stop::Host
    }
}

impl Whole {
    /// The operation of an instruction whose operands have these types; None for others.
    pub fn of(module: &Module, op: &Op, operands: Vec<Ty>) -> Option<(Whole, FuncId)> {
        let (kind, id) = match op {
            Op::Map(id) => (Kind::New, *id),
            Op::MapInto(id) => (Kind::Into, *id),
            Op::Reduce(reduction, id) => (Kind::Reduce(*reduction), *id),
            _ => return None,
        };
        let kernel = &module.functions[id.0 as usize];
        let plain = is_plain(kernel) && matches!(operands[..], [Ty::Array(_)]);
        let insts = || kernel.blocks.iter().flat_map(|block| &block.insts);
        let calls = insts().filter(|inst| matches!(inst.op, Op::Helper(..))).count() as u64;
        // A vector does an instruction for an element in a tenth of a nanosecond; what is called takes ten.
        let cost = (insts().count() as u64 * 100 + 10_000 * calls).max(300);
        let asks = |op: &Op| matches!(op, Op::Call(_) | Op::Extern(_) | Op::Print(_) | Op::Tick(_) | Op::Prepay(_));
        let shared = !insts().any(|inst| asks(&inst.op));
        Some((Whole { kind, item: Item::of(&kernel.result)?, plain, cost, shared, spent: None, operands }, id))
    }

    pub fn run<E: Engine>(&self, slots: &[u64], engine: &mut E) -> Result<Slots, Stop<E::Error>> {
        if let Some(done) = small::run(self, slots, engine) {
            return done;
        }
        let types: Vec<&Ty> = self.operands.iter().collect();
        match self.kind {
            Kind::New => {
                let operands = Walks::new(&types, slots)?;
                let address = self.new_array(&operands, engine)?;
                Ok(operands.shape.slots(address).collect())
            }
            Kind::Into => {
                self.write(&types, slots, engine)?;
                Ok(Slots::new())
            }
            Kind::Reduce(reduction) => {
                let operands = Walks::new(&types, slots)?;
                Ok(Slots::from_slice(&[self.reduce(reduction, &operands, engine)?]))
            }
        }
    }

    /// The address of new memory with the kernel's results.
    fn new_array<E: Engine>(&self, operands: &Walks, engine: &mut E) -> Result<u64, Stop<E::Error>> {
        let shape = &operands.shape;
        let spent = self.spent.and_then(|at| operands.walks[at].whole(self.item, shape));
        let address = match spent {
            Some(address) => address,
            None => engine.memory(shape.total as usize * self.item.size())?,
        };
        self.each(shape, &operands.walks, Walk::contiguous(self.item, address, shape), engine)?;
        Ok(address)
    }

    fn write<E: Engine>(&self, types: &[&Ty], slots: &[u64], engine: &mut E) -> Result<(), Stop<E::Error>> {
        let Ty::Array(out) = *types[0] else { unreachable!("verified: an array") };
        let (own, rest) = slots.split_at(out.width());
        let operands = Walks::new(&types[1..], rest)?;
        let (lengths, _) = dimensions(out, own);
        let shape = Shape::common([&lengths[..], &operands.shape.lengths[..]].into_iter())?;
        if shape.lengths != lengths {
            return Err(Fault::Shapes.into());
        }
        let target = Walk::of(out, own, &shape);
        let stretched = Walks::stretched(&types[1..], rest, &shape)?;
        if !stretched.walks.iter().any(|operand| target.disturbs(operand, &shape)) {
            return self.each(&shape, &stretched.walks, target, engine);
        }
        let size = self.item.size();
        let mut room: Vec<u64> = Vec::new();
        let words = (shape.total as usize * size).div_ceil(8);
        let address = match room.try_reserve_exact(words) {
            Ok(()) => room.as_mut_ptr().expose_provenance() as u64,
            // Which says that there is none.
            Err(_) => engine.memory(words * 8)?,
        };
        let copy = Walk::contiguous(self.item, address, &shape);
        self.each(&shape, &stretched.walks, copy.clone(), engine)?;
        // SAFETY: the copy is memory of its own, which is there until we return; the target is an array of the text's, to be written to.
        unsafe {
            walk(&shape, &[copy], &[target], 0..blocks(&shape), &mut |places, count| {
                engine.tick()?;
                // SAFETY: so many elements lie at both places, which are two.
                std::ptr::copy_nonoverlapping(places[0], places[1], count * size);
                Ok(())
            })
        }
    }

    /// Runs the kernel for all elements.
    fn each<E: Engine>(
        &self,
        shape: &Shape,
        operands: &[Walk],
        out: Walk,
        engine: &mut E,
    ) -> Result<(), Stop<E::Error>> {
        let (size, outs) = (self.item.size(), [out]);
        let part = |blocks: Range<u64>, run: &mut Run<E::Error>| {
            // SAFETY: operands and result are arrays of the text's or new memory; threads of the host may write elements meanwhile, as they
            // may while any code reads them.
            unsafe {
                walk(shape, operands, &outs, blocks, &mut |places, count| {
                    if !self.plain {
                        return run(places, count);
                    }
                    // SAFETY: so many elements lie at both places, which may be one.
                    std::ptr::copy(places[0], places[1], count * size);
                    Ok(())
                })
            }
        };
        // Where several elements lie at one place, the last one is written last.
        let alone = outs[0].meets_itself(shape);
        self.parts((shape, 0..blocks(shape), alone), engine, &part, &|| false)
    }

    fn reduce<E: Engine>(&self, reduction: Reduction, operands: &Walks, engine: &mut E) -> Result<u64, Stop<E::Error>> {
        let shape = &operands.shape;
        let kept = blocks(shape).min(KEPT);
        let partials: Vec<[AtomicU64; 2]> = (0..kept).map(|_| Default::default()).collect();
        let decided = AtomicBool::new(false);
        let part = |range: Range<u64>, run: &mut Run<E::Error>| {
            let room = if Strips::new(reduction, self.item).is_some() { STRIP } else { BLOCK };
            let mut buffer = vec![0u64; if self.plain { 0 } else { shape.total.min(room as u64) as usize }];
            let results: *mut u8 = buffer.as_mut_ptr().cast();
            let mut places: Vec<*mut u8> = Vec::with_capacity(operands.walks.len() + 1);
            let mut block = range.start;
            // SAFETY: as in `each`.
            unsafe {
                walk(shape, &operands.walks, &[], range, &mut |found, count| {
                    places.clear();
                    places.extend_from_slice(found);
                    let Partial { slot, index } = match self.plain {
                        // SAFETY: so many elements lie there, and there is one at least: no block is empty.
                        true => fold::block(reduction, self.item, found[0], count, block * BLOCK as u64),
                        false => self.block(reduction, &mut places, results, (count, block), run)?,
                    };
                    let [to_slot, to_index] = &partials[(block % KEPT) as usize];
                    to_slot.store(slot, Ordering::Relaxed);
                    to_index.store(index, Ordering::Relaxed);
                    block += 1;
                    if matches!((reduction, slot), (Reduction::Any, 1) | (Reduction::All, 0)) {
                        decided.store(true, Ordering::Relaxed);
                    }
                    Ok(())
                })
            }
        };
        let decided = || decided.load(Ordering::Relaxed);
        let mut pairs = Pairs::new(reduction, self.item);
        let mut first = 0;
        while first < blocks(shape) && !decided() {
            let range = first..blocks(shape).min(first + KEPT);
            first = range.end;
            let here = &partials[..(range.end - range.start) as usize];
            self.parts((shape, range, false), engine, &part, &decided)?;
            // What is decided stays so, whatever comes of blocks that were not done.
            for [slot, index] in here {
                pairs.push(Partial { slot: slot.load(Ordering::Relaxed), index: index.load(Ordering::Relaxed) });
            }
        }
        Ok(pairs.finish()?)
    }

    /// What the kernel's results for a block come to; they lie at `results` meanwhile, which has room for a block, or for a strip where those do.
    ///
    /// # Safety
    /// So many elements of each operand lie at `places`.
    pub(super) unsafe fn block<E>(
        &self,
        reduction: Reduction,
        places: &mut Vec<*mut u8>,
        results: *mut u8,
        (count, block): (usize, u64),
        run: &mut Run<E>,
    ) -> Result<Partial, E> {
        places.push(results);
        let Some(mut strips) = Strips::new(reduction, self.item) else {
            run(places, count)?;
            // SAFETY: so many results lie there, and there is one at least: no block is empty.
            return Ok(unsafe { fold::block(reduction, self.item, results, count, block * BLOCK as u64) });
        };
        for first in (0..count).step_by(STRIP) {
            let length = STRIP.min(count - first);
            run(places, length)?;
            // SAFETY: so many results lie there.
            unsafe { strips.push(results, length) };
            for (place, ty) in places.iter_mut().zip(&self.operands) {
                if let Ty::Array(array) = ty {
                    *place = place.wrapping_add(length * array.item.size());
                }
            }
        }
        Ok(strips.partial())
    }

    /// Does some blocks, in order or, if not alone, by several threads, until there is nothing left to find out.
    fn parts<E: Engine>(
        &self,
        (shape, blocks, alone): (&Shape, Range<u64>, bool),
        engine: &mut E,
        part: &Part<E::Error>,
        done: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), Stop<E::Error>> {
        let count = blocks.end - blocks.start;
        let picos = shape.total.min(count * BLOCK as u64).saturating_mul(self.cost);
        let job = |job: u64, run: &mut Run<E::Error>| {
            let first = blocks.start + job * JOB;
            if done() { Ok(()) } else { part(first..blocks.end.min(first + JOB), run) }
        };
        if let Some(spread) = (!alone).then(|| engine.spread(count.div_ceil(JOB), picos, &job)).flatten() {
            return spread;
        }
        for block in blocks.clone() {
            if done() {
                break;
            }
            engine.tick()?;
            part(block..block + 1, &mut |places, count| engine.block(places, count)).map_err(Stop::Kernel)?;
        }
        Ok(())
    }
}

/// Whether a kernel gives its one operand.
fn is_plain(kernel: &Function) -> bool {
    let [block] = &kernel.blocks[..] else { return false };
    matches!((&block.params[..], &block.end), ([param], Terminator::Return(value)) if param == value)
}
