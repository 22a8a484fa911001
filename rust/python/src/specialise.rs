//! Specialisations: what a unit was compiled to for one combination of argument types.
//!
//! In: a unit, argument types, options. Out: something that runs on slots. Always holds: a specialisation never changes; who
//! runs it keeps it alive by its `Arc`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use jib_core::code::{self, Code, CodeError, OptLevel, panic_message};
use jib_core::diag::{Diag, Error};
use jib_core::failure::{Cause, Failure};
use jib_core::fault::Fault;
use jib_core::interp::Program;
use jib_core::limits::Limits;
use jib_core::opt;
use jib_core::outside::{Layout, Outside};
use jib_core::typed::{self, Mode};
use jib_core::types::Ty;
use jib_core::types::ticks::Counting;
use jib_core::unit::Unit;
use pyo3::PyErr;

use crate::host::Run;
use crate::tiers::Tiers;

use crate::guard::caught;

/// What runs the typed IR.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Native,
    Interpreter,
    /// Interprets first, compiles when hot.
    Auto,
}

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub engine: Engine,
    pub opt_level: OptLevel,
    pub mode: Mode,
    pub counting: Counting,
    pub limits: Limits,
}

impl Options {
    /// The core's own options for code.
    pub fn code(self) -> code::Options {
        code::Options { opt_level: self.opt_level, limits: self.limits, ..code::Options::default() }
    }
}

/// Stages, in order, and the microseconds each took.
pub type Stages = Vec<(&'static str, f64)>;

pub struct Specialisation {
    pub params: Vec<Ty>,
    result: Ty,
    /// Set before anybody but its maker sees it: code knows where its specialisation lies, so that must be there first.
    body: OnceLock<Body>,
    /// What it takes of memory, about.
    bytes: usize,
    /// Whether it is the best that can be had: code that takes objects itself, where there is such.
    warm: AtomicBool,
    stages: OnceLock<Box<[(&'static str, f64)]>>,
}

/// What an instruction and what is around them take: machine code, places where it can fail, or the instruction itself.
const INSTRUCTION: usize = 100;
const PAGE: usize = 4096;

enum Body {
    Native(Box<Code>),
    Interpreted(Box<Program>),
    Tiers(Box<Tiers>),
}

/// Why a call has no result.
pub enum Stop {
    Failed(Failure),
    /// It was to be compiled now, and could not be.
    Compiling(Error),
    Raised(PyErr),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

/// The typed IR for arguments of these types, after the passes unless they are turned off; and what each stage took.
pub fn typed_ir(
    unit: &Unit,
    params: &[Ty],
    result: Option<&Ty>,
    options: Options,
) -> Result<(typed::Module, Stages), Error> {
    let start = Instant::now();
    let mut module = unit.specialise(params, result, options.mode, options.counting)?;
    let typed = start.elapsed();
    let start = Instant::now();
    if options.opt_level == OptLevel::Speed {
        opt::optimize(&mut module)?;
    }
    let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6;
    Ok((module, vec![("types", micros(typed)), ("passes", micros(start.elapsed()))]))
}

/// Runs a compilation where the stack has room for it: here, or on a thread of its own if this one's stack is small or nearly used up.
/// No Python is touched meanwhile.
pub fn with_room<T: Send>(compile: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    // Twice what the deepest compilation seen takes.
    const ROOM: usize = 128 << 10;
    if code::has_room(ROOM) {
        return compile();
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("jib-compile".to_owned()).stack_size(16 * ROOM);
        let thread = builder.spawn_scoped(scope, || caught(compile));
        let thread = thread.map_err(|error| Error::internal(format!("no thread to compile on: {error}")))?;
        thread.join().unwrap_or_else(|panic| Err(Error::internal(panic_message(&*panic))))
    })
}

/// What has to be there before anything is compiled on a thread that has given the interpreter away, while others may fork.
pub fn prepare(options: Options) {
    let _ = with_room(|| {
        code::prepare(&options.code());
        Ok(())
    });
}

impl Specialisation {
    /// With a layout, native code takes objects itself.
    pub fn compile(
        unit: &Unit,
        params: &[Ty],
        result: Option<&Ty>,
        options: Options,
        layout: Option<&'static Layout>,
    ) -> Result<Arc<Specialisation>, Error> {
        with_room(|| Specialisation::compile_here(unit, params, result, options, layout))
    }

    fn compile_here(
        unit: &Unit,
        params: &[Ty],
        result: Option<&Ty>,
        options: Options,
        layout: Option<&'static Layout>,
    ) -> Result<Arc<Specialisation>, Error> {
        let (module, mut stages) = typed_ir(unit, params, result, options)?;
        let result = module.functions[0].result.clone();
        let (body, params) = (OnceLock::new(), params.to_vec());
        let warm = AtomicBool::new(layout.is_some() || options.engine != Engine::Native);
        let insts = module.functions.iter().flat_map(|function| &function.blocks).map(|block| block.insts.len());
        let bytes = insts.sum::<usize>() * INSTRUCTION + PAGE;
        let made = Arc::new(Specialisation { params, result, body, bytes, warm, stages: OnceLock::new() });
        let token = Arc::as_ptr(&made).addr();
        let outside = layout.map_or(Outside::Slots, |layout| Outside::Objects { layout, token });
        let body = match options.engine {
            Engine::Native => {
                let code = code::compile_for(&module, &options.code(), outside).map_err(code_error)?;
                stages.extend(code_stages(&code));
                Body::Native(Box::new(code))
            }
            Engine::Interpreter => Body::Interpreted(Box::new(Program::new(module))),
            Engine::Auto => Body::Tiers(Box::new(Tiers::new(module, options.code(), outside))),
        };
        let _ = (made.body.set(body), made.stages.set(stages.into()));
        Ok(made)
    }

    fn body(&self) -> Result<&Body, Stop> {
        self.body.get().ok_or_else(|| Stop::Compiling(Error::internal("a specialisation without a body")))
    }

    /// Whether it is the best that can be had.
    pub fn is_warm(&self) -> bool {
        self.warm.load(Ordering::Relaxed)
    }

    /// There is no better one.
    pub fn stay(&self) {
        self.warm.store(true, Ordering::Relaxed);
    }

    /// What it takes of memory, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn result(&self) -> &Ty {
        &self.result
    }

    /// Scalars in a result.
    pub fn width(&self) -> usize {
        self.result.width()
    }

    /// Scalars in the arguments.
    pub fn taken(&self) -> usize {
        self.params.iter().map(Ty::width).sum()
    }

    /// Where code begins that takes objects, if it does.
    pub fn entry(&self) -> Option<usize> {
        self.code().filter(|code| code.has_outside()).map(Code::address)
    }

    /// Whether `run` can be called: code that needs no host takes objects alone.
    pub fn takes_slots(&self) -> bool {
        match self.body.get() {
            Some(Body::Native(code)) => code.takes_slots(),
            _ => true,
        }
    }

    /// What a failure was, of which an entry tells.
    pub fn failure(&self, site: u32, code: u32) -> Failure {
        match self.body.get() {
            Some(Body::Native(native)) => native.failure(site, code),
            _ => Failure { cause: Cause::Host, span: jib_core::span::Span::default() },
        }
    }

    /// Runs on slots: as many as the parameters have scalars, into as many as the result has.
    pub fn run(&self, args: &[u64], out: &mut [u64], host: &mut Run<'_>) -> Result<(), Stop> {
        match self.body()? {
            Body::Native(code) => Ok(code.run(args, out, host)?),
            Body::Interpreted(program) => Ok(interpret(program, args, out, host)?),
            Body::Tiers(tiers) => tiers.run(args, out, host),
        }
    }

    /// What is native of it, if anything is by now.
    fn code(&self) -> Option<&Code> {
        match self.body.get()? {
            Body::Native(code) => Some(code),
            Body::Interpreted(_) => None,
            Body::Tiers(tiers) => tiers.code(),
        }
    }

    /// Instructions that could trap: none, or there is a bug.
    pub fn traps(&self) -> usize {
        self.code().map_or(0, Code::traps)
    }

    /// Bytes of machine code.
    pub fn code_bytes(&self) -> usize {
        self.code().map_or(0, Code::size_bytes)
    }

    pub fn stages(&self) -> Stages {
        let later = match self.body.get() {
            Some(Body::Tiers(tiers)) => tiers.code().map(code_stages),
            _ => None,
        };
        self.stages
            .get()
            .into_iter()
            .flat_map(|stages| stages.iter())
            .copied()
            .chain(later.into_iter().flatten())
            .collect()
    }
}

/// Interprets, where the stack has room: it needs little itself, but what it prints to or calls may call us again.
pub fn interpret(program: &Program, args: &[u64], out: &mut [u64], host: &mut Run<'_>) -> Result<(), Failure> {
    if program.has_room() { program.run(args, out, host) } else { Err(no_room(program)) }
}

/// There is no stack left to begin with.
pub fn no_room(program: &Program) -> Failure {
    Failure { cause: Cause::Fault(Fault::Recursion), span: program.module().functions[0].span }
}

fn code_stages(code: &Code) -> [(&'static str, f64); 3] {
    let timings = code.timings();
    [("clif", timings.clif), ("machine", timings.machine), ("link", timings.link)]
}

pub fn code_error(error: CodeError) -> Error {
    match error {
        CodeError::Limit { code, limit, span } => Diag::new(code, span, &[&limit]).into(),
        CodeError::Memory(words) => Error::Memory(words.into()),
        CodeError::Target(words) | CodeError::Internal(words) => Error::internal(words),
    }
}
