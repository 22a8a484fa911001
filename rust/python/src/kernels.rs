//! Kernels: a function compiled for elements, once for each combination of what its arguments are.
//!
//! In: a program, and a byte for each argument (`Key`). Out: `Compiled`, which never changes. Always holds: what is known of a kernel is
//! found out when it is made; the cache is locked only by who has the interpreter, as that of `codes` is.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jib_core::diag::Error;
use jib_core::failure::{Host, HostError};
use jib_core::kernel::{self, Kernel, Param};
use jib_core::typed::Op;
use jib_core::types::{ArrayTy, Item, Ty};
use lru::LruCache;
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::errors::compile_error;
use crate::program::Program;
use crate::specialise::{Stages, prepare, with_room};

/// What the arguments are, one byte each.
pub type Key = SmallVec<[u8; 16]>;

const WEAK: u8 = 16;
const UNIFORM: u8 = 32;

/// The byte of an argument.
pub fn byte(param: Param) -> u8 {
    let item = Item::ALL.iter().position(|item| *item == param.item).unwrap_or(0) as u8;
    item | if param.weak { WEAK } else { 0 } | if param.uniform { UNIFORM } else { 0 }
}

/// The item that a byte stands for.
pub fn item(byte: u8) -> Item {
    Item::ALL[usize::from(byte & 15) % Item::ALL.len()]
}

fn param(byte: u8) -> Param {
    Param { item: item(byte), weak: byte & WEAK != 0, uniform: byte & UNIFORM != 0 }
}

/// A kernel and what is known of it.
pub struct Compiled {
    pub kernel: Kernel,
    pub params: Box<[Param]>,
    /// Whether threads may share its work: it prints nothing, calls nothing of the host's, and counts no fuel.
    pub shared: bool,
    /// Picoseconds for an element, about.
    pub cost: usize,
    /// Whether the code of `Kernel::run_exact` is there.
    exact: OnceLock<()>,
}

impl Compiled {
    fn new(kernel: Kernel, params: Box<[Param]>, fuel: bool) -> Compiled {
        let insts = || kernel.module().functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts);
        let talks = insts().any(|inst| matches!(inst.op, Op::Print(_) | Op::Extern(_)));
        // Instructions of vectors, and others; what is called; loops take as long as they take. Memory is not faster than a third of a
        // nanosecond for three operands (benches/own/elementwise.py).
        let calls = insts().filter(|inst| matches!(inst.op, Op::Helper(..) | Op::Call(_))).count();
        let loops = if kernel.ticks() { 100_000 } else { 0 };
        let cost = insts().count() * if kernel.is_vector() { 100 } else { 300 } + 10_000 * calls + loops;
        let cost = cost.max(300);
        Compiled { shared: !talks && !fuel, cost, params, kernel, exact: OnceLock::new() }
    }

    /// Has the code of `Kernel::run_exact` made, where the stack has room for that, and before anybody looks at flags.
    pub fn prepare_exact(&self) {
        self.exact.get_or_init(|| {
            let _ = with_room(|| {
                let mut nothing = 0u64;
                let operands: SmallVec<[*mut u8; 8]> = self.items().map(|_| (&raw mut nothing).cast()).collect();
                // SAFETY: there are no elements; one value for all is looked at, and lies there.
                let _ = unsafe { self.kernel.run_exact(&operands, 0, &mut Nobody) };
                Ok(())
            });
        });
    }

    /// What it takes and gives as a signature has it: arrays, or one number for all elements.
    pub fn types(&self) -> (Vec<Ty>, Ty) {
        let param = |param: &Param| if param.uniform { param.item.ty() } else { array(param.item) };
        let result = &self.kernel.module().functions[0].result;
        let uniform = self.params.iter().all(|param| param.uniform);
        (self.params.iter().map(param).collect(), if uniform { result.clone() } else { arrays(result) })
    }

    /// Stages, in order, and the microseconds each took.
    pub fn stages(&self) -> Stages {
        let (before, code) = (self.kernel.stages(), self.kernel.timings());
        vec![
            ("types", before.types),
            ("passes", before.passes),
            ("clif", code.clif),
            ("machine", code.machine),
            ("link", code.link),
        ]
    }

    /// The items of all operands: arguments, then results.
    pub fn items(&self) -> impl Iterator<Item = Item> {
        self.params.iter().map(|param| param.item).chain(self.kernel.outs().iter().copied())
    }
}

/// The type of arrays that have such elements, as a signature names all of them.
fn array(item: Item) -> Ty {
    Ty::Array(ArrayTy { item, ndim: 1, contiguous: false, writable: true })
}

/// A type, with arrays in place of numbers.
fn arrays(ty: &Ty) -> Ty {
    match ty {
        Ty::Tuple(items) => Ty::Tuple(items.iter().map(arrays).collect()),
        other => Item::of(other).map_or_else(|| other.clone(), array),
    }
}

/// A type, with elements in place of arrays.
pub fn element(ty: &Ty) -> Ty {
    match ty {
        Ty::Tuple(items) => Ty::Tuple(items.iter().map(element).collect()),
        Ty::Array(array) => array.item.ty(),
        other => other.clone(),
    }
}

/// Whether two kernels differ at most in which of their numbers are Python's.
pub fn is_like(key: &Key, other: &Key) -> bool {
    key.len() == other.len() && key.iter().zip(other).all(|(a, b)| (a ^ b) & !WEAK == 0)
}

/// The host of a run without elements.
struct Nobody;

impl Host for Nobody {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Err(HostError)
    }
}

const CAPACITY: NonZeroUsize = NonZeroUsize::new(512).unwrap();

type Cache = LruCache<(u64, Key), Arc<Compiled>>;

fn with<T>(_: Python<'_>, work: impl FnOnce(&mut Cache) -> T) -> T {
    static KERNELS: OnceLock<Mutex<Cache>> = OnceLock::new();
    let kernels = KERNELS.get_or_init(|| Mutex::new(LruCache::new(CAPACITY)));
    work(&mut kernels.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The kernel of a program for such arguments, known or made now; other threads may have the interpreter meanwhile.
pub fn kernel(py: Python<'_>, program: &Program, key: &Key) -> PyResult<Arc<Compiled>> {
    let place = (program.number, key.clone());
    if let Some(found) = with(py, |kernels| kernels.get(&place).cloned()) {
        return Ok(found);
    }
    prepare(program.options);
    let made = py.detach(|| compile(program, key)).map_err(|error| compile_error(py, &program.source, error))?;
    // What it displaces is freed when the lock is open again.
    let _old = with(py, |kernels| kernels.push(place, made.clone()));
    Ok(made)
}

fn compile(program: &Program, key: &Key) -> Result<Arc<Compiled>, Error> {
    let params: Box<[Param]> = key.iter().map(|byte| param(*byte)).collect();
    let options = program.options;
    let kernel = with_room(|| kernel::compile(&program.unit, &params, &options.code(), options.counting))?;
    Ok(Arc::new(Compiled::new(kernel, params, program.budget.fuel.is_some())))
}

/// Forgets those that no function has.
pub fn clear(py: Python<'_>) {
    let _old = with(py, |kernels| std::mem::replace(kernels, LruCache::new(CAPACITY)));
}
