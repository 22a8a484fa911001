//! A unit: one source's IR, put into SSA form once, from which any number of specialisations are made.
//!
//! In: the bytes that crossed. Out: for given argument types, a typed module. Always holds: a unit never changes.

use std::sync::Arc;

use crate::diag::{Diag, Error};
use crate::externs::Extern;
use crate::ir;
use crate::limits::Limits;
use crate::span::{Lines, Span, Text};
use crate::typed::{self, Mode};
use crate::types::infer::{Declared, infer};
use crate::types::ticks::{self, Counting};
use crate::types::{Ty, keep, promote};

pub struct Unit {
    pub lines: Arc<Lines>,
    /// What people call the text, where code is to be named for them (`code::symbols`).
    pub text: Option<Arc<Text>>,
    functions: Vec<Declared>,
    limits: Limits,
}

impl Unit {
    /// A unit of no functions: nobody can ask it for anything.
    pub fn empty() -> Unit {
        Unit { lines: Arc::default(), text: None, functions: Vec::new(), limits: Limits::default() }
    }

    /// Decodes, verifies, and takes the variables away.
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Unit, Error> {
        Unit::with_externs(bytes, limits, &[])
    }

    /// The same for a text that may call these functions of the host.
    pub fn with_externs(bytes: &[u8], limits: Limits, externs: &[Arc<Extern>]) -> Result<Unit, Error> {
        crate::trip!("decode");
        let module = ir::decode(bytes, externs)?;
        crate::trip!("ssa");
        let mut joins = limits.joins;
        let functions = module
            .functions
            .iter()
            .map(|function| Declared::new(ir::ssa::build(function, &limits, &mut joins)?))
            .collect::<Result<_, Error>>()?;
        Ok(Unit { lines: module.lines, text: None, functions, limits })
    }

    /// The names of the entry's parameters and the types they were declared with.
    pub fn params(&self) -> impl Iterator<Item = (&str, Option<&Ty>)> {
        let entry = &self.functions[0];
        entry.ssa.signature.params.iter().zip(&entry.params).map(|(p, ty)| (&*p.name, ty.as_ref()))
    }

    /// The types that the entry takes arguments of these types as: the declared ones where it has them.
    pub fn accept(&self, args: &[Ty]) -> Result<Vec<Ty>, Error> {
        let entry = &self.functions[0].ssa.signature;
        if args.len() != entry.params.len() {
            return Err(Diag::new("signature-count", entry.span, &[&entry.params.len(), &args.len()]).into());
        }
        self.params()
            .zip(args)
            .enumerate()
            .map(|(i, ((name, declared), arg))| match declared {
                None => Ok(arg.clone()),
                Some(ty) if matches!(ty, Ty::Array(_)) && accept(ty, arg).is_some() => {
                    Ok(accept(ty, arg).unwrap_or_else(|| arg.clone()))
                }
                Some(ty) if takes(ty, arg) => Ok(ty.clone()),
                Some(ty) => {
                    Err(Diag::new("argument-type", entry.params[i].span, &[&entry.name, &name, ty, arg]).into())
                }
            })
            .collect()
    }

    /// Typed IR for arguments of these types, as `accept` gives them; `result` where a signature fixes it.
    pub fn specialise(
        &self,
        args: &[Ty],
        result: Option<&Ty>,
        mode: Mode,
        counting: Counting,
    ) -> Result<typed::Module, Error> {
        self.specialise_among(args, &[], result, mode, counting)
    }

    /// The same where some arguments are Python's numbers among NumPy's (`weak`).
    pub fn specialise_among(
        &self,
        args: &[Ty],
        weak: &[bool],
        result: Option<&Ty>,
        mode: Mode,
        counting: Counting,
    ) -> Result<typed::Module, Error> {
        crate::trip!("infer");
        let mut module = infer(&self.functions, args, weak, result, mode, &self.limits)?;
        typed::verify::seam(&module, "inference")?;
        crate::trip!("ticks");
        ticks::insert(&mut module, counting);
        typed::verify::seam(&module, "ticks")?;
        keep::insert(&mut module);
        typed::verify::seam(&module, "keep")?;
        module.text = self.text.clone();
        Ok(module)
    }

    /// Where the entry stands in the text.
    pub fn span(&self) -> Span {
        self.functions[0].ssa.signature.span
    }
}

/// The type that an array has for a parameter declared as one.
fn accept(param: &Ty, arg: &Ty) -> Option<Ty> {
    match (param, arg) {
        (Ty::Array(wanted), Ty::Array(given)) => wanted.accept(*given).map(Ty::Array),
        _ => None,
    }
}

/// Whether a parameter of one type takes an argument of another: numbers that it holds, and ints of any width (checked at the call).
fn takes(param: &Ty, arg: &Ty) -> bool {
    match (param, arg) {
        (Ty::Int(_), Ty::Int(_) | Ty::Bool) | (Ty::Float(_), Ty::Float(_) | Ty::Int(_) | Ty::Bool) => true,
        (Ty::Tuple(x), Ty::Tuple(y)) => x.len() == y.len() && x.iter().zip(y.iter()).all(|(p, a)| takes(p, a)),
        _ => promote(param, arg).as_ref() == Some(param) || param == arg,
    }
}
