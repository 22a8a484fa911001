//! What functions of the same text and options share: the text in SSA form, its options, its parameters.
//!
//! In: what crosses, and what `compile` was told. Out: `Program`; of a call's arguments their order, types and slots. Always holds: it
//! never changes; it alone owns what the collector must see, whatever number of functions hold it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jib_core::code::OptLevel;
use jib_core::limits::Limits;
use jib_core::span::Span;
use jib_core::typed::Mode;
use jib_core::types::parse::{self, Signature, Wrong};
use jib_core::types::ticks::Counting;
use jib_core::types::{ArrayTy, Ty};
use jib_core::unit::Unit;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use smallvec::SmallVec;

use crate::calls;
use crate::convert::{self, Place, Slots};
use crate::entry::Args;
use crate::errors::{compile_error, internal};
use crate::externs::{Extern, misread};
use crate::guard::guard;
use crate::host::{Budget, Gil};
use crate::specialise::{Engine, Options};
use crate::symbols;

const ENGINES: [(&str, Engine); 3] =
    [("native", Engine::Native), ("interpreter", Engine::Interpreter), ("auto", Engine::Auto)];

/// What functions of the same text and options share.
#[pyclass(frozen, module = "jib._native")]
pub struct Program {
    /// Unlike that of any other program.
    pub number: u64,
    pub unit: Unit,
    pub options: Options,
    /// The `jib.source.Source`, for messages.
    pub source: Py<PyAny>,
    pub name: String,
    pub params: Vec<Param>,
    /// The same as Python's `builtins.Param`s, which know the words for arguments that do not fit.
    rows: Py<PyTuple>,
    /// What `signature=` says: the types it takes, and what it returns.
    pub fixed: Option<Vec<Ty>>,
    pub result: Option<Ty>,
    /// Microseconds from bytes to SSA.
    pub crossing: f64,
    pub budget: Budget,
    /// Who has the interpreter while a function runs.
    pub gil: Gil,
    /// How many threads may share a call's elements; None: as many as the process says.
    pub threads: Option<usize>,
    /// Whether any parameter takes an array.
    pub takes_arrays: bool,
    /// The functions of the host that the text may call, with all that they keep.
    pub externs: Vec<Py<Extern>>,
}

pub struct Param {
    pub name: String,
    /// "positional", "any", "keyword" or "given".
    pub kind: Kind,
    pub declared: Option<Ty>,
    pub default: Option<Py<PyAny>>,
    /// Whether it takes an array, not the elements of one.
    pub array: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Positional,
    Any,
    Keyword,
    /// No argument of the caller's: an array that the text reads by name, which is its default. These come last.
    Given,
}

#[pymethods]
impl Program {
    /// What it keeps. There is nothing to clear, as with a `Callable`.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.source)?;
        visit.call(&self.rows)?;
        self.params.iter().filter_map(|param| param.default.as_ref()).try_for_each(|default| visit.call(default))?;
        self.externs.iter().try_for_each(|callee| visit.call(callee))
    }

    /// `params` are (name, kind, required, default), and those that callers cannot give after all others; `signature` is its text or None; `fuel` is positive, `timeout` in seconds.
    /// With `counting` "nothing" a run cannot be stopped: benchmarks compare with it.
    #[new]
    #[pyo3(signature = (
        ir, source, name, params, signature, engine, opt_level, arithmetic, limits, fuel = None, timeout = None,
        nogil = None, counting = None, externs = vec![], threads = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's `compile` is its only caller")]
    fn new(
        py: Python<'_>,
        ir: &[u8],
        source: Py<PyAny>,
        name: String,
        params: Bound<'_, PyTuple>,
        signature: Option<&str>,
        engine: &str,
        opt_level: &str,
        arithmetic: &str,
        limits: Bound<'_, PyAny>,
        fuel: Option<u64>,
        timeout: Option<f64>,
        nogil: Option<bool>,
        counting: Option<&str>,
        externs: Vec<Py<Extern>>,
        threads: Option<usize>,
    ) -> PyResult<Program> {
        guard(py, || {
            let limit = |name| PyResult::Ok(limits.getattr(name)?.extract::<isize>()?.max(0) as usize);
            let options = Options {
                engine: choose("engine", engine, &ENGINES)?,
                opt_level: choose("opt_level", opt_level, &[("none", OptLevel::None), ("speed", OptLevel::Speed)])?,
                mode: choose("arithmetic", arithmetic, &[("python", Mode::Python), ("numpy", Mode::Numpy)])?,
                counting: match counting {
                    Some("nothing") => Counting::Nothing,
                    _ if fuel.is_some() => Counting::Fuel,
                    _ => Counting::Polls,
                },
                limits: Limits {
                    joins: limit("joins")?,
                    values: limit("values")?,
                    blocks: limit("blocks")?,
                    kept: limit("kept")?,
                },
            };
            let timeout = timeout.map(Duration::try_from_secs_f64).transpose();
            let timeout = timeout.map_err(|error| PyValueError::new_err(format!("timeout: {error}")))?;
            let start = Instant::now();
            let rows: Vec<_> = externs.iter().map(|callee| callee.get().of.clone()).collect();
            let unit = Unit::with_externs(ir, options.limits, &rows);
            let mut unit = unit.map_err(|error| compile_error(py, &source, error))?;
            unit.text = symbols::text(source.bind(py), &name, &unit.lines)?;
            let crossing = start.elapsed().as_secs_f64() * 1e6;
            let mut rows = Vec::new();
            for param in params.iter() {
                if param.getattr(intern!(py, "kind"))?.extract::<&str>()? != "given" {
                    rows.push(param);
                }
            }
            let rows = PyTuple::new(py, rows)?.unbind();
            let read = |param: Bound<'_, PyAny>| {
                let get = |name| param.getattr(name);
                let (name, kind) = (get("name")?.extract()?, get("kind")?.extract()?);
                let array = param.getattr_opt("array")?.map_or(Ok(false), |array| array.extract())?;
                PyResult::Ok((name, kind, get("required")?.extract()?, get("default")?.unbind(), array))
            };
            let params: Vec<(String, String, bool, Py<PyAny>, bool)> =
                params.iter().map(read).collect::<PyResult<_>>()?;
            let params =
                params.into_iter().zip(unit.params()).map(|((name, kind, required, default, array), (_, ty))| Param {
                    kind: match &*kind {
                        "positional" => Kind::Positional,
                        "keyword" => Kind::Keyword,
                        "given" => Kind::Given,
                        _ => Kind::Any,
                    },
                    name,
                    declared: ty.cloned(),
                    default: (!required).then_some(default),
                    array: array || matches!(ty, Some(Ty::Array(_))),
                });
            let budget = Budget { fuel, timeout, arrays: limit("array_bytes")? as u64 };
            let gil = Gil::of(nogil);
            let params: Vec<Param> = params.collect();
            let takes_arrays = params.iter().any(|param| param.array);
            static PROGRAMS: AtomicU64 = AtomicU64::new(0);
            let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
            let mut program = Program {
                number,
                unit,
                options,
                source,
                name,
                params,
                rows,
                fixed: None,
                result: None,
                crossing,
                budget,
                gil,
                threads,
                takes_arrays,
                externs,
            };
            if let Some(text) = signature {
                let (types, result) = program.signature(py, text)?;
                program.params.iter_mut().zip(&types).for_each(|(param, ty)| param.declared = Some(ty.clone()));
                // What is compiled ahead is for arrays that are contiguous, as most are; others get code of their own.
                program.fixed = Some(types.iter().map(likely).collect());
                program.takes_arrays |= types.iter().any(|ty| matches!(ty, Ty::Array(_)));
                program.result = result;
            }
            Ok(program)
        })
    }
}

/// The type that an argument is likely to have for a parameter of this type.
fn likely(ty: &Ty) -> Ty {
    match ty {
        Ty::Array(array) => Ty::Array(ArrayTy { contiguous: true, ..*array }),
        other => other.clone(),
    }
}

/// The choice that a word names.
fn choose<T: Copy>(option: &str, word: &str, choices: &[(&str, T)]) -> PyResult<T> {
    choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("'{name}'")).collect();
        PyValueError::new_err(format!("{option} must be {}, not '{word}'", names.join(" or ")))
    })
}

impl Program {
    /// Of a function that cannot be called.
    pub fn empty(py: Python<'_>) -> Program {
        Program {
            number: u64::MAX,
            unit: Unit::empty(),
            options: Options {
                engine: Engine::Native,
                opt_level: OptLevel::None,
                mode: Mode::Python,
                counting: Counting::Nothing,
                limits: Limits::default(),
            },
            source: py.None(),
            name: String::new(),
            params: Vec::new(),
            rows: PyTuple::empty(py).unbind(),
            fixed: None,
            result: None,
            crossing: 0.0,
            budget: Budget::default(),
            gil: Gil::default(),
            threads: None,
            takes_arrays: false,
            externs: Vec::new(),
        }
    }

    /// The types that a signature's text stands for, and the result it fixes.
    pub fn signature(&self, py: Python<'_>, text: &str) -> PyResult<(Vec<Ty>, Option<Ty>)> {
        let signature = self.read_signature(py, text)?;
        let types = self.unit.accept(&signature.params).map_err(|error| compile_error(py, &self.source, error))?;
        Ok((types, signature.result))
    }

    /// What a signature's text says, for all parameters. A mistake in it is shown in that text.
    pub fn read_signature(&self, py: Python<'_>, text: &str) -> PyResult<Signature> {
        let misread = |wrong: Wrong| match signature_source(py, text) {
            Ok(source) => misread(py, &source, text, wrong),
            Err(error) => error,
        };
        let mut signature = parse::signature(text).map_err(misread)?;
        // The number of types is to be that of the parameters which people see.
        let (shown, written) = (self.params.len() - self.given().count(), signature.params.len());
        if shown != written {
            let args = vec![shown.to_string(), written.to_string()];
            let span = Span { start: 0, end: text.chars().count() as u32 };
            let diag = jib_core::diag::Diag { code: "signature-count", args, span };
            return Err(compile_error(py, &signature_source(py, text)?, diag.into()));
        }
        for param in self.given() {
            signature.params.push(self.given_type(py, param)?);
        }
        Ok(signature)
    }

    /// The parameters that callers cannot give.
    fn given(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.kind == Kind::Given)
    }

    /// The type that what such a parameter is given has now: people may change an array's dtype and shape.
    pub fn given_type(&self, py: Python<'_>, param: &Param) -> PyResult<Ty> {
        let place = Place { function: &self.name, param: &param.name, depth: 0 };
        let default = param.default.as_ref().ok_or_else(|| internal(py, "a given parameter without a value"))?;
        convert::argument(default.bind(py), place, &mut Slots::new())
    }

    /// Whether all parameters may be given by position.
    pub fn is_plain(&self) -> bool {
        self.params.iter().all(|param| matches!(param.kind, Kind::Positional | Kind::Any))
    }

    /// Arguments in the order of the parameters, as a `def` binds them.
    pub fn bind<'a, 'py>(
        &'a self,
        py: Python<'py>,
        positional: &[Borrowed<'a, 'py, PyAny>],
        names: Option<&Bound<'py, PyTuple>>,
        values: &[Borrowed<'a, 'py, PyAny>],
    ) -> PyResult<Args<'a, 'py>> {
        let misfit = || {
            let keywords: Vec<Bound<'py, PyAny>> = names.into_iter().flatten().collect();
            let words = py.import(intern!(py, "jib.builtins"))?.getattr(intern!(py, "misfit"))?;
            let words: String = calls::call(&words, (&self.name, &self.rows, positional.len(), keywords))?.extract()?;
            PyResult::Ok(PyTypeError::new_err(words))
        };
        let by_position = self.params.iter().filter(|p| matches!(p.kind, Kind::Positional | Kind::Any)).count();
        if positional.len() > by_position {
            return Err(misfit()?);
        }
        let mut bound: SmallVec<[Option<Borrowed<'a, 'py, PyAny>>; 8]> = positional.iter().copied().map(Some).collect();
        // Keyword-only parameters come after all that positional arguments can fill.
        bound.resize(self.params.len(), None);
        for (name, value) in names.into_iter().flatten().zip(values) {
            let name = name.cast::<PyString>().map_err(|_| PyTypeError::new_err("keywords must be strings"))?;
            let name = name.to_str().map_err(|_| PyTypeError::new_err("keywords must be names"))?;
            let by_name = |p: &Param| matches!(p.kind, Kind::Any | Kind::Keyword);
            let at = self.params.iter().position(|p| p.name == name && by_name(p));
            match at {
                Some(at) if bound[at].is_none() => bound[at] = Some(*value),
                _ => return Err(misfit()?),
            }
        }
        let default = |param: &'a Param| param.default.as_ref().map(|default| default.bind_borrowed(py));
        let whole = self.params.iter().zip(bound).map(|(param, value)| value.or_else(|| default(param)));
        whole.collect::<Option<_>>().map_or_else(|| Err(misfit()?), Ok)
    }

    /// The arguments' types and slots.
    pub fn convert(&self, py: Python<'_>, args: &[Borrowed<'_, '_, PyAny>]) -> PyResult<(Types, Slots)> {
        let (mut slots, mut types) = (Slots::new(), Types::new());
        for (param, value) in self.params.iter().zip(args) {
            let place = Place { function: &self.name, param: &param.name, depth: 0 };
            match &param.declared {
                Some(ty) => {
                    types.push(convert::declared(value, ty, place, &mut slots)?);
                }
                // `def f(x=None)` may be given what it defaults to.
                None if value.is_none() && param.default.as_ref().is_some_and(|default| default.is_none(py)) => {
                    types.push(Ty::None);
                }
                None => types.push(convert::argument(value, place, &mut slots)?),
            }
        }
        if !self.takes_arrays && types.iter().any(|ty| matches!(ty, Ty::Array(_))) {
            // Whoever called goes element by element.
            return Err(PyTypeError::new_err(format!("{}() takes no arrays", self.name)));
        }
        Ok((types, slots))
    }
}

/// A signature as a text in which places can be shown.
fn signature_source(py: Python<'_>, text: &str) -> PyResult<Py<PyAny>> {
    let class = py.import(intern!(py, "jib.source"))?.getattr(intern!(py, "Source"))?;
    Ok(calls::call(&class, (text, "<signature>"))?.unbind())
}

/// The types of a call's arguments.
pub type Types = SmallVec<[Ty; 8]>;
