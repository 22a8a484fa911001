//! CLIF → machine code that can run, and the memory it lives in.
//!
//! In: a verified `typed::Module`. Out: `Code`, its entry ready to be called. Always holds: pages are writable or executable, never both;
//! the memory is freed when the `Code` is dropped, and not before; a failing run says what failed and where; a panic while
//! compiling ends here as `CodeError::Internal`.

mod elements;
mod linker;
mod memory;
pub mod symbols;
mod trampoline;

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use cranelift_codegen::CodegenError;
use cranelift_codegen::ir::TrapCode;
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::FuncId;

use crate::codegen::hooks::{self, Context};
use crate::codegen::isa::{is_large, isa};
use crate::codegen::kept::kept;
use crate::codegen::{Face, MAX_RETURN, PrintSite, Site, Unit, WholeSite, externs, outer, ticks};
use crate::externs::Extern;
use crate::failure::{Cause, Failure, Host};
use crate::fault::Fault;
use crate::limits::Limits;
use crate::outside::Outside;
use crate::runtime;
use crate::span::Span;
use crate::typed::Module;
use crate::typed::verify::is_always;
use crate::types::ticks::interval;

use linker::Linker;
use memory::Pages;
use symbols::Name;
pub(crate) use trampoline::Trampoline;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OptLevel {
    None,
    Speed,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Options {
    pub opt_level: OptLevel,
    /// Whether Cranelift checks its own IR along the way: for tests and debug builds.
    pub verify: bool,
    /// Whether `Code::run` is to be possible in any case.
    pub slots: bool,
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Options {
        Options { opt_level: OptLevel::Speed, verify: is_always(), slots: false, limits: Limits::default() }
    }
}

/// Why there is no code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodeError {
    /// Beyond a limit: the code of its message, how much is allowed, and where.
    Limit { code: &'static str, limit: usize, span: Span },
    /// The system refuses memory that can be run, or any at all: what it said.
    Memory(String),
    /// Another machine, whose code was to be looked at, cannot do this: in words.
    Target(String),
    /// A bug of ours.
    Internal(String),
}

/// Where the time went, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// Typed IR to CLIF.
    pub clif: f64,
    /// CLIF to bytes.
    pub machine: f64,
    /// Memory, relocation, protection.
    pub link: f64,
}

type Entry = unsafe extern "C" fn(*mut Context, *const u64, *mut u64) -> u32;

/// A compiled module.
///
/// Send and Sync by its parts: the code is never written again, all that a run changes is in its own `Context`, and the pages
/// are only touched by `drop`.
pub struct Code {
    /// None: the outermost function is the body itself.
    entry: Option<Entry>,
    outer: usize,
    has_outside: bool,
    /// The entry takes runs of elements and not slots.
    takes_elements: bool,
    /// The scalars that the entry takes and gives.
    params: usize,
    results: usize,
    sites: Box<[Site]>,
    prints: Box<[PrintSite]>,
    wholes: Box<[WholeSite]>,
    span: Span,
    /// How many ticks may pass until the host is asked; 0 when a run counts none.
    interval: u64,
    /// What all functions of the module need on the stack together, each once.
    stack: usize,
    /// What the host's functions need below them.
    room: usize,
    size: usize,
    traps: usize,
    timings: Timings,
    /// Not used, but kept: the code is in there.
    _memory: Pages,
}

/// Whether the current thread's stack has so many bytes left, beside what running code keeps for the runtime.
pub fn has_room(bytes: usize) -> bool {
    hooks::stack_limit(bytes).is_some()
}

/// The same for a function of the host, which needs so many at the least.
pub fn has_room_for(of: &Extern) -> bool {
    hooks::stack_limit_above(0, externs::room(of)).is_some()
}

/// Makes what is made once in a process for these options. A thread that finds it being made by another waits for that one; which it
/// does for ever in a child that was forked meanwhile. So it is called where nobody can fork, before compiling where somebody can.
pub fn prepare(options: &Options) {
    // What fails here does so again where it is needed, and there it is said.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let _ = (isa(options, false), isa(options, true), linker::poll());
    }));
}

/// Compiles a module for this machine, to be run with slots.
pub fn compile(module: &Module, options: &Options) -> Result<Code, CodeError> {
    compile_for(module, options, Outside::Slots)
}

/// Compiles a module for this machine, to be entered in this way; with slots in any case when a run needs a host, or when there are
/// arguments that cannot be taken otherwise.
pub fn compile_for(module: &Module, options: &Options, outside: Outside) -> Result<Code, CodeError> {
    for function in &module.functions {
        if function.result.width() > MAX_RETURN {
            return Err(CodeError::Limit { code: "limit-returned", limit: MAX_RETURN, span: function.span });
        }
    }
    // A panic may leave the thread's compiler in any state; it is made anew then.
    let done = catch_unwind(AssertUnwindSafe(|| {
        COMPILER.with_borrow_mut(|slot| {
            let mut compiler = slot.take().unwrap_or_else(|| {
                Box::new(Compiler {
                    frontend: FunctionBuilderContext::new(),
                    backend: cranelift_codegen::Context::new(),
                })
            });
            let outside = match outside {
                Outside::Objects { .. } if !outer::takes_objects(module) => Outside::Slots,
                outside => outside,
            };
            let done = match compile_with(module, options, outside, !options.slots, &mut compiler) {
                Err(Stop::Heavy) => compile_with(module, options, outside, false, &mut compiler),
                done => done,
            };
            let done = done.map_err(|stop| match stop {
                Stop::Error(error) => error,
                Stop::Heavy => CodeError::Internal("compiled as heavy and found heavy".into()),
            });
            *slot = Some(compiler);
            done
        })
    }));
    done.unwrap_or_else(|panic| Err(CodeError::Internal(panic_message(&*panic))))
}

thread_local! {
    /// Cranelift's buffers, kept from one compilation to the next.
    static COMPILER: RefCell<Option<Box<Compiler>>> = const { RefCell::new(None) };
}

/// What one function after the other is built and compiled in.
struct Compiler {
    frontend: FunctionBuilderContext,
    backend: cranelift_codegen::Context,
}

/// Why a way to compile ended.
enum Stop {
    Error(CodeError),
    /// What was taken for light needs too much of the stack.
    Heavy,
}

impl From<CodeError> for Stop {
    fn from(error: CodeError) -> Stop {
        Stop::Error(error)
    }
}

/// `light`: if the unit needs nothing of a run, it is to be its own outermost function.
fn compile_with(
    module: &Module,
    options: &Options,
    outside: Outside,
    light: bool,
    compiler: &mut Compiler,
) -> Result<Code, Stop> {
    let Compiler { frontend, backend } = compiler;
    let mut clock = Clock(Instant::now());
    let mut timings = Timings::default();
    check_kept(module, &options.limits)?;
    let mut blocks = 0;
    let usual = isa(options, false).map_err(CodeError::Internal)?;
    let ticks = ticks::ticking(module)[0];
    let own_run = matches!(outside, Outside::Slots | Outside::Elements { .. });
    let light = light && !own_run && outer::is_light(module, ticks);
    let mut unit = Unit::new(module, usual.frontend_config(), outside, light);
    let mut linker = Linker::new(usual.clone(), module.functions.len());
    timings.link += clock.lap();
    let (mut stack, mut size, mut traps) = (0, 0, 0);
    let (mut entry, mut outermost) = (None, FuncId::from_u32(0));
    for planned in unit.plan() {
        backend.clear();
        crate::trip!("codegen");
        unit.build(planned, &mut backend.func, frontend);
        timings.clif += clock.lap();
        blocks += backend.func.dfg.num_blocks();
        if blocks > options.limits.blocks {
            let span = module.functions[planned.0.0 as usize].span;
            return Err(CodeError::Limit { code: "limit-blocks", limit: options.limits.blocks, span }.into());
        }
        crate::trip!("machine");
        let target = if is_large(&backend.func, blocks) {
            isa(options, true).map_err(CodeError::Internal)?
        } else {
            usual.clone()
        };
        let code = backend.compile(&*target, &mut Default::default()).map_err(|error| refused(&error.inner, module))?;
        let guarded = [TrapCode::INTEGER_DIVISION_BY_ZERO, TrapCode::INTEGER_OVERFLOW];
        // The machine's division can trap; `divide` never lets it.
        traps += code.buffer.traps().iter().filter(|trap| !guarded.contains(&trap.code)).count();
        // Below the frame pointer, and the return address with the caller's frame pointer above it.
        stack += 16 + code.buffer.frame_layout().map_or(4096, |frame| frame.frame_to_fp_offset as usize);
        size += code.buffer.total_size() as usize;
        timings.machine += clock.lap();
        let stub = planned.1 == Face::Outer && !light;
        // What nobody calls comes after all that is called.
        let number = if stub { unit.number(planned) + 1 + unit.imports.len() as u32 } else { unit.number(planned) };
        outermost = FuncId::from_u32(number);
        if matches!(planned.1, Face::Entry | Face::Block) {
            entry = Some(outermost);
        }
        linker.define(outermost, backend, || Name::planned(module, planned))?;
        timings.link += clock.lap();
    }
    crate::trip!("link");
    if light && stack > outer::LIGHT_STACK {
        return Err(Stop::Heavy);
    }
    let ([entry_at, outer_at], memory) = linker.finish(&unit.imports, [entry.unwrap_or(outermost), outermost])?;
    timings.link += clock.lap();
    let first = &module.functions[0];
    Ok(Code {
        // SAFETY: the address is that of a finished function built with `Face::Entry`, whose signature is `Entry`'s, or with
        // `Face::Block`, whose machine signature is the same: two pointers, one word more, a status; the memory belongs to `_memory` below and lives as long as this value.
        entry: entry.map(|_| unsafe { std::mem::transmute::<*const u8, Entry>(entry_at) }),
        has_outside: !matches!(outside, Outside::Slots),
        takes_elements: matches!(outside, Outside::Elements { .. }),
        outer: outer_at.addr(),
        params: first.params().iter().map(|&param| first.ty(param).width()).sum(),
        interval: if unit.ticks() { interval(module, 1) } else { 0 },
        results: first.result.width(),
        sites: unit.sites.into(),
        prints: unit.prints.into(),
        wholes: unit.wholes.into(),
        span: first.span,
        stack,
        room: unit.room,
        size,
        traps,
        timings,
        _memory: memory,
    })
}

/// The time of register allocation is about that of what is kept.
fn check_kept(module: &Module, limits: &Limits) -> Result<(), CodeError> {
    let mut left = limits.kept;
    for function in &module.functions {
        match left.checked_sub(kept(function, left)) {
            Some(rest) => left = rest,
            None => return Err(CodeError::Limit { code: "limit-kept", limit: limits.kept, span: function.span }),
        }
    }
    Ok(())
}

impl Code {
    /// Runs the entry: a slot of 64 bits for each scalar that goes in and comes out.
    ///
    /// Panics when there are not as many slots as the function has scalars, or when it takes no slots: a bug of the caller's.
    pub fn run(&self, args: &[u64], out: &mut [u64], host: &mut dyn Host) -> Result<(), Failure> {
        assert_eq!((args.len(), out.len()), (self.params, self.results), "slots of a call");
        let entry = self.entry.expect("code that takes slots");
        assert!(!self.takes_elements, "code that takes slots");
        let mut host = host;
        let mut context = self.context(&mut host)?;
        // SAFETY: the code lives as long as `self`; it reads `params` slots and writes `results` slots, whose numbers were
        // checked above; the context and all it points to live across the call.
        let status = unsafe { entry(&mut context, args.as_ptr(), out.as_mut_ptr()) };
        if runtime::panicked() {
            return Err(Failure { cause: Cause::Host, span: self.span });
        }
        if status == 0 { Ok(()) } else { Err(self.failure(context.site, context.code)) }
    }

    /// What a run shares with the code; it keeps the host for the code.
    fn context(&self, host: &mut &mut dyn Host) -> Result<Context, Failure> {
        let Some(stack_limit) = hooks::stack_limit_above(self.stack, self.room) else {
            return Err(Failure { cause: Cause::Fault(Fault::Recursion), span: self.span });
        };
        Ok(Context {
            stack_limit,
            site: 0,
            code: 0,
            budget: if self.interval > 0 { host.interval(self.interval) } else { 0 },
            interval: self.interval,
            units: 0,
            host: (&raw mut *host).cast(),
            prints: self.prints.as_ptr(),
            prints_len: self.prints.len(),
            wholes: self.wholes.as_ptr(),
            wholes_len: self.wholes.len(),
            results: [const { MaybeUninit::uninit() }; MAX_RETURN],
        })
    }

    /// What the outermost function tells of a failure, as the failure.
    #[cold]
    pub fn failure(&self, site: u32, code: u32) -> Failure {
        if runtime::panicked() {
            return Failure { cause: Cause::Host, span: self.span };
        }
        let Some(site) = self.sites.get(site as usize) else {
            return Failure { cause: Cause::Host, span: self.span };
        };
        let dynamic = || Fault::from_code(code).map_or(Cause::Host, Cause::Fault);
        Failure { cause: site.cause.clone().unwrap_or_else(dynamic), span: site.span }
    }

    /// Whether `run` can be called.
    pub fn takes_slots(&self) -> bool {
        self.entry.is_some() && !self.takes_elements
    }

    /// Where the outermost function begins, as `Outside` asked for it; `Slots` when that could not be had (`has_outside`).
    pub fn address(&self) -> usize {
        self.outer
    }

    /// Whether it was compiled for the outside that was asked for, and not for slots alone.
    pub fn has_outside(&self) -> bool {
        self.has_outside
    }

    /// Scalars that go in, and that come out.
    pub fn widths(&self) -> (usize, usize) {
        (self.params, self.results)
    }

    pub fn size_bytes(&self) -> usize {
        self.size
    }

    /// How many instructions could trap without a test before them: none, or we have a bug.
    pub fn traps(&self) -> usize {
        self.traps
    }

    pub fn timings(&self) -> Timings {
        self.timings
    }
}

fn refused(error: &CodegenError, module: &Module) -> CodeError {
    match error {
        CodegenError::CodeTooLarge | CodegenError::ImplLimitExceeded => {
            // The register allocator counts values in 21 bits; that is what ends first.
            CodeError::Limit { code: "limit-machine-values", limit: 1 << 21, span: module.functions[0].span }
        }
        other => CodeError::Internal(other.to_string()),
    }
}

/// What a panic says.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

struct Clock(Instant);

impl Clock {
    /// Microseconds since the last lap.
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let lap = now.duration_since(self.0);
        self.0 = now;
        lap.as_secs_f64() * 1e6
    }
}

#[cfg(test)]
mod tests;
