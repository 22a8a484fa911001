//! A function as C sees it: an address, its types, and what keeps its code alive.
//!
//! In: a program, argument types. Out: `Pointer`. Always holds: code is compiled for numbers as C has them and lives as long as any Python
//! object that knows its address; a call that fails gives nan, 0 or false, and is told to `sys.unraisablehook` if its thread has the GIL.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};

use jib_core::code::{self, Code, has_room};
use jib_core::failure::Failure;
use jib_core::outside::Outside;
use jib_core::types::{FloatTy, IntTy, Ty};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::entry;
use crate::errors::{compile_error, run_error};
use crate::gil;
use crate::host::{Refusal, Run};
use crate::program::Program;
use crate::specialise::{code_error, prepare, typed_ir, with_room};

/// How a call ended badly, and why it was not to go on if the host refused.
type Last = (Failure, Option<Refusal>);

/// What the code knows by its token.
pub struct Shared {
    pub program: Py<Program>,
    pub interrupts: Arc<AtomicU64>,
    /// Set before anybody has the address.
    code: OnceLock<Code>,
    /// Of the last call that failed, and why it was not to go on.
    failure: Mutex<Option<Last>>,
}

impl Shared {
    /// Compiles for C.
    pub fn compile(
        py: Python<'_>,
        program: &Py<Program>,
        interrupts: &Arc<AtomicU64>,
        types: &[Ty],
        result: Option<&Ty>,
    ) -> PyResult<Pointer> {
        if types.iter().any(|ty| matches!(ty, Ty::Tuple(_) | Ty::Array(_) | Ty::None | Ty::Str)) {
            return Err(PyTypeError::new_err("a function of C takes numbers alone"));
        }
        let shared = Shared {
            program: program.clone_ref(py),
            interrupts: interrupts.clone(),
            code: OnceLock::new(),
            failure: Mutex::default(),
        };
        let (shared, program) = (Arc::new(shared), program.get());
        let result = result.or(program.result.as_ref());
        let token = Arc::as_ptr(&shared).addr();
        let outside = Outside::Numbers { calls: &entry::NUMBERS, token };
        let compile = || {
            let (module, _) = typed_ir(&program.unit, types, result, program.options)?;
            let result = module.functions[0].result.clone();
            if matches!(result, Ty::Tuple(_) | Ty::Array(_)) {
                return Ok((None, result));
            }
            let code = code::compile_for(&module, &program.options.code(), outside).map_err(code_error)?;
            Ok((Some(code), result))
        };
        prepare(program.options);
        let made = py.detach(|| with_room(compile)).map_err(|error| compile_error(py, &program.source, error))?;
        let (Some(code), result) = made else {
            return Err(PyTypeError::new_err("a function of C gives one number or nothing, not a tuple"));
        };
        let _ = shared.code.set(code);
        Ok(Pointer { shared, params: types.to_vec(), result })
    }

    /// Scalars that the code takes and gives.
    pub fn widths(&self) -> (usize, usize) {
        self.code.get().map_or((0, 0), Code::widths)
    }

    /// Runs slots for C: whether it did.
    pub fn run(&self, args: &[u64], out: &mut [u64]) -> bool {
        let Some(code) = self.code.get() else { return false };
        let program = self.program.get();
        let mut host = Run::foreign(program.budget, &self.interrupts).with_externs(&program.externs);
        match code.run(args, out, &mut host) {
            Ok(()) => true,
            Err(failure) => {
                self.failed(failure, host.take_refusal());
                false
            }
        }
    }

    /// Notes a failure, and tells Python of it if this thread may.
    pub fn fail(&self, site: u32, code: u32) {
        if let Some(native) = self.code.get() {
            self.failed(native.failure(site, code), None);
        }
    }

    fn failed(&self, failure: Failure, refusal: Option<Refusal>) {
        // What Python is told with may call us again, and so on for ever.
        if has_room(ROOM) {
            gil::if_attached(|py| {
                let program = self.program.get();
                let name = program.name.as_str().into_pyobject(py).ok();
                let refused = refusal.as_ref().map(|refusal| refusal.clone_ref(py));
                let error = run_error(py, &program.source, &failure, refused);
                error.write_unraisable(py, name.as_ref().map(|name| name.as_any()));
            });
        }
        let old = self.last().and_then(|mut last| last.replace((failure, refusal)));
        // To let go of an exception may run anything: not with the lock, and not without the GIL.
        if let Some((_, Some(Refusal::Raised(error) | Refusal::Called(error)))) = old {
            gil::attached_again(|_| drop(error));
        }
    }

    /// The last failure, unless it is being written: by another thread, whose word is as good as ours, or by one that a fork has left
    /// behind, which will never be done.
    fn last(&self) -> Option<MutexGuard<'_, Option<Last>>> {
        match self.failure.try_lock() {
            Ok(last) => Some(last),
            Err(TryLockError::Poisoned(last)) => Some(last.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// What telling Python of a failure may need of the stack.
const ROOM: usize = 32 << 10;

/// The address of native code with C's calling convention, and what keeps it alive.
#[pyclass(frozen, module = "jib._native")]
pub struct Pointer {
    shared: Arc<Shared>,
    pub params: Vec<Ty>,
    result: Ty,
}

#[pymethods]
impl Pointer {
    /// What it keeps, if nobody keeps it with us: a capsule may, and what has two owners is shown by none.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if Arc::strong_count(&self.shared) == 1 { visit.call(&self.shared.program) } else { Ok(()) }
    }

    #[getter]
    fn address(&self) -> usize {
        self.shared.code.get().map_or(0, Code::address)
    }

    /// The types of the arguments, and of the result.
    #[getter]
    fn types(&self) -> (Vec<String>, String) {
        (self.params.iter().map(Ty::to_string).collect(), self.result.to_string())
    }

    /// How C writes its type, as SciPy reads it.
    #[getter]
    fn signature(&self) -> String {
        let params: Vec<&str> = self.params.iter().map(spelling).collect();
        format!("{} ({})", spelling(&self.result), params.join(", "))
    }

    /// The exception of the last call that failed, or None.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // Taken out and put back: to look at an exception may run anything, which is not for whoever has the lock.
        let (failure, refusal) = self.shared.last()?.take()?;
        let again = (failure.clone(), refusal.as_ref().map(|refusal| refusal.clone_ref(py)));
        if let Some(mut last) = self.shared.last() {
            last.get_or_insert(again);
        }
        Some(
            run_error(py, &self.shared.program.get().source, &failure, refusal)
                .into_value(py)
                .into_bound(py)
                .into_any(),
        )
    }

    /// A PyCapsule of the address that keeps the code alive.
    fn capsule<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        entry::capsule(py, self.address(), &self.signature(), self.shared.clone())
    }
}

/// C's name of a type.
fn spelling(ty: &Ty) -> &'static str {
    match ty {
        Ty::Float(FloatTy::F64) => "double",
        Ty::Float(FloatTy::F32) => "float",
        Ty::Bool => "bool",
        Ty::Int(int) => match int {
            IntTy::I8 => "int8_t",
            IntTy::I16 => "int16_t",
            IntTy::I32 => "int32_t",
            IntTy::I64 => "int64_t",
            IntTy::U8 => "uint8_t",
            IntTy::U16 => "uint16_t",
            IntTy::U32 => "uint32_t",
            IntTy::U64 => "uint64_t",
        },
        Ty::None | Ty::Str | Ty::Tuple(_) | Ty::Array(_) => "void",
    }
}
