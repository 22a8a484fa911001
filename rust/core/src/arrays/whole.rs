//! Whole-array operations: a kernel over all elements, block by block, into an array or to one value.
//!
//! In: the operation, its operands' types and slots, and an engine that runs the kernel on a block. Out: the result's slots. Always holds: every
//! engine gets the same blocks in the same order and counts one tick for each; operands are read as they were before anything was written.

use super::{Shape, Walk, Walks, blocks, dimensions, walk};
use crate::eval::Slots;
use crate::failure::HostError;
use crate::fault::Fault;
use crate::runtime::fold::{self, Partial};
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
}

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
        Some((Whole { kind, item: Item::of(&kernel.result)?, plain, operands }, id))
    }

    pub fn run<E: Engine>(&self, slots: &[u64], engine: &mut E) -> Result<Slots, Stop<E::Error>> {
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
        let address = engine.memory(shape.total as usize * self.item.size())?;
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
        let address = self.new_array(&stretched, engine)?;
        let copy = Walk::contiguous(self.item, address, &shape);
        let size = self.item.size();
        // SAFETY: the copy is memory of its own; the target is an array of the text's, to be written to.
        unsafe {
            walk(&shape, &[copy], &[target], 0..blocks(&shape), &mut |places, count| {
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
        let size = self.item.size();
        // SAFETY: operands and result are arrays of the text's or new memory; threads of the host may write elements meanwhile, as they may
        // while any code reads them.
        unsafe {
            walk(shape, operands, &[out], 0..blocks(shape), &mut |places, count| {
                engine.tick()?;
                if self.plain {
                    // SAFETY: so many elements lie at both places, which may be one.
                    std::ptr::copy(places[0], places[1], count * size);
                    return Ok(());
                }
                engine.block(places, count).map_err(Stop::Kernel)
            })
        }
    }

    fn reduce<E: Engine>(&self, reduction: Reduction, operands: &Walks, engine: &mut E) -> Result<u64, Stop<E::Error>> {
        let mut buffer = [0u64; BLOCK];
        let results: *mut u8 = buffer.as_mut_ptr().cast();
        let mut partials: Vec<Partial> = Vec::with_capacity(blocks(&operands.shape) as usize);
        let mut index = 0;
        let mut places: Vec<*mut u8> = Vec::with_capacity(operands.walks.len() + 1);
        for block in 0..blocks(&operands.shape) {
            let mut part = Partial::default();
            // SAFETY: as in `each`.
            unsafe {
                walk(&operands.shape, &operands.walks, &[], block..block + 1, &mut |found, count| {
                    engine.tick()?;
                    let elements = match self.plain {
                        true => found[0],
                        false => {
                            places.clear();
                            places.extend_from_slice(found);
                            places.push(results);
                            engine.block(&places, count).map_err(Stop::Kernel)?;
                            results
                        }
                    };
                    // SAFETY: so many results lie there, and there is one at least: no block is empty.
                    part = fold::block(reduction, self.item, elements, count, index);
                    index += count as u64;
                    Ok::<(), Stop<E::Error>>(())
                })?;
            }
            partials.push(part);
            // What is decided stays so.
            if matches!((reduction, part.slot), (Reduction::Any, 1) | (Reduction::All, 0)) {
                break;
            }
        }
        Ok(fold::finish(reduction, self.item, partials)?)
    }
}

/// Whether a kernel gives its one operand.
fn is_plain(kernel: &Function) -> bool {
    let [block] = &kernel.blocks[..] else { return false };
    matches!((&block.params[..], &block.end), ([param], Terminator::Return(value)) if param == value)
}
