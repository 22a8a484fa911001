//! How generated functions call each other and how Rust calls them.
//!
//! Inner functions: `fn(ctx, scalars…) -> (result, status)`, the result only when it is one scalar; several are left in the
//! context's return area, where the caller picks them up at once. Entry: `extern "C" fn(ctx, args, out) -> status`, slots of
//! 64 bits. Status 0 is fine; 1 is a failure whose site stands in the context. What the machine passes in registers stays there.

use std::mem::offset_of;
use std::sync::Arc;

use cranelift_codegen::ir::{
    self, AbiParam, ExtFuncData, ExternalName, InstBuilder, MemFlagsData, Signature, UserExternalName, types,
};

use super::hooks::Context;
use super::ticks::poll_signature;
use super::{Face, Lower, Scalars, Unit, clif_type};
use crate::failure::Cause;
use crate::runtime::{Body, Helper, Kind};
use crate::span::Span;
use crate::typed::{FuncId, Print, Value};
use crate::types::Ty;

/// The most scalars that a function can return.
pub(crate) const MAX_RETURN: usize = crate::typed::MAX_RESULT;

/// A place where generated code can fail.
pub(crate) struct Site {
    /// None: a helper said why; its code stands in the context.
    pub cause: Option<Cause>,
    pub span: Span,
}

/// What one `print` writes, and the types of its operands.
pub(crate) struct PrintSite {
    pub print: Arc<Print>,
    pub operands: Vec<Ty>,
}

/// What is called outside the module.
#[derive(Clone, Copy)]
pub(crate) enum Import {
    Helper(&'static Helper),
    Print,
    /// Asks the host whether to go on.
    Poll,
    /// Does a whole-array operation.
    Whole,
    /// How many arrays there have been, and which are still read.
    Mark,
    Keep,
    /// Has the host call a function of its own.
    CallHost,
    /// A C function of the host: its place in `Unit::externs`, and where it is.
    Extern {
        at: u32,
        address: usize,
    },
}

impl Import {
    pub fn name(self) -> &'static str {
        match self {
            Import::Helper(helper) => helper.name,
            Import::Print => "print",
            Import::Poll => "poll",
            Import::Whole => "whole",
            Import::Mark => "mark",
            Import::Keep => "keep",
            Import::CallHost => "call",
            Import::Extern { .. } => "extern",
        }
    }

    fn same(self, other: Import) -> bool {
        match (self, other) {
            (Import::Helper(a), Import::Helper(b)) => std::ptr::eq(a, b),
            (Import::Print, Import::Print) | (Import::Poll, Import::Poll) => true,
            (Import::CallHost, Import::CallHost) | (Import::Whole, Import::Whole) => true,
            (Import::Mark, Import::Mark) | (Import::Keep, Import::Keep) => true,
            (Import::Extern { at: a, .. }, Import::Extern { at: b, .. }) => a == b,
            _ => false,
        }
    }
}

/// What is called from one function, once it is known there.
#[derive(Clone, Copy)]
pub(super) enum Callee {
    Function(FuncId),
    Import(Import),
}

impl Callee {
    fn same(self, other: Callee) -> bool {
        match (self, other) {
            (Callee::Function(a), Callee::Function(b)) => a == b,
            (Callee::Import(a), Callee::Import(b)) => a.same(b),
            _ => false,
        }
    }
}

impl Unit<'_> {
    pub(super) fn signature(&self, id: FuncId) -> Signature {
        let function = &self.module.functions[id.0 as usize];
        let mut signature = Signature::new(self.target.default_call_conv);
        signature.params.push(AbiParam::new(types::I64));
        for &param in function.params() {
            signature.params.extend(function.ty(param).scalars().iter().map(|ty| AbiParam::new(clif_type(ty))));
        }
        if let [scalar] = &function.result.scalars()[..] {
            signature.returns.push(AbiParam::new(clif_type(scalar)));
        }
        signature.returns.push(AbiParam::new(types::I32));
        signature
    }

    pub(super) fn entry_signature(&self) -> Signature {
        self.extern_signature(&[types::I64; 3], types::I32)
    }

    fn import_signature(&self, import: Import) -> Signature {
        match import {
            Import::Helper(Helper { body: Body::Libm1 { .. }, .. }) => self.extern_signature(&[types::F64], types::F64),
            Import::Helper(_) => self.extern_signature(&[types::I64; 2], types::I32),
            Import::Print => self.extern_signature(&[types::I64; 3], types::I32),
            Import::Poll => poll_signature(),
            Import::CallHost | Import::Whole => self.extern_signature(&[types::I64; 5], types::I32),
            Import::Mark => self.extern_signature(&[types::I64], types::I64),
            Import::Keep => self.extern_signature(&[types::I64; 4], types::I32),
            Import::Extern { at, .. } => {
                super::externs::signature(&self.externs[at as usize].of, self.target.default_call_conv)
            }
        }
    }

    pub(super) fn extern_signature(&self, params: &[ir::Type], result: ir::Type) -> Signature {
        let mut signature = Signature::new(self.target.default_call_conv);
        signature.params.extend(params.iter().map(|&ty| AbiParam::new(ty)));
        signature.returns.push(AbiParam::new(result));
        signature
    }

    /// The linker's number of an import.
    fn import(&mut self, import: Import) -> u32 {
        let index = self.imports.iter().position(|known| known.same(import)).unwrap_or_else(|| {
            self.imports.push(import);
            self.imports.len() - 1
        });
        (self.module.functions.len() + 1 + index) as u32
    }
}

impl Lower<'_, '_, '_> {
    /// The reference by which this function calls another one.
    pub(super) fn callee(&mut self, callee: Callee) -> ir::FuncRef {
        if let Some((_, known)) = self.callees.iter().find(|(known, _)| known.same(callee)) {
            return *known;
        }
        let (signature, index, colocated) = match callee {
            Callee::Function(id) if self.unit.is_kernel(id) => (self.unit.entry_signature(), id.0, true),
            Callee::Function(id) => (self.unit.signature(id), id.0, true),
            Callee::Import(import) => (self.unit.import_signature(import), self.unit.import(import), false),
        };
        let signature = self.at.import_signature(signature);
        let name = self.at.func.declare_imported_user_function(UserExternalName::new(0, index));
        let data = ExtFuncData { name: ExternalName::user(name), signature, colocated, patchable: false };
        let reference = self.at.import_function(data);
        self.callees.push((callee, reference));
        reference
    }

    /// Takes over the parameters of block 0.
    pub(super) fn parameters(&mut self) {
        let function = self.function;
        match self.face {
            Face::Outer => {
                self.own_context();
                self.take();
                self.ask_for_room();
            }
            Face::Inner => {
                let mut next = 1;
                for &param in function.params() {
                    let after = next + function.ty(param).width();
                    let scalars: Scalars = self.at.block_params(self.entry)[next..after].into();
                    self.define(param, &scalars);
                    next = after;
                }
            }
            Face::Block => unreachable!("elements are loaded one after the other"),
            Face::Entry => {
                let args = self.at.block_params(self.entry)[1];
                let mut slot = 0;
                for &param in function.params() {
                    let scalars = self.load_slots(function.ty(param), args, slot);
                    slot += scalars.len() as i32 * 8;
                    self.define(param, &scalars);
                }
            }
        }
    }

    /// The entry of a function that is also called from inside: loads, calls, stores.
    pub(super) fn bridge(&mut self) {
        let function = self.function;
        self.place(function.span);
        self.parameters();
        let args: Vec<Value> = function.params().to_vec();
        let results = self.call_scalars(FuncId(0), &args);
        let scalars = function.result.scalars();
        self.leave(&scalars, &results);
    }

    pub(super) fn return_values(&mut self, value: Value, scalars: &[ir::Value]) {
        let types = self.function.ty(value).scalars();
        self.leave(&types, scalars);
    }

    fn leave(&mut self, types: &[Ty], scalars: &[ir::Value]) {
        self.give_budget();
        match (self.face, scalars) {
            (Face::Outer, _) => self.give(scalars),
            (Face::Block, _) => unreachable!("elements are stored one after the other"),
            (Face::Entry, _) => {
                let out = self.at.block_params(self.entry)[2];
                for (i, &scalar) in scalars.iter().enumerate() {
                    self.store_slot(scalar, out, i as i32 * 8);
                }
                let status = self.at.ins().iconst(types::I32, 0);
                self.at.ins().return_(&[status]);
            }
            (Face::Inner, &[result]) => {
                let status = self.at.ins().iconst(types::I32, 0);
                self.at.ins().return_(&[result, status]);
            }
            (Face::Inner, _) => {
                debug_assert_eq!(types.len(), scalars.len());
                for (i, &scalar) in scalars.iter().enumerate() {
                    self.store_slot(scalar, self.ctx, result_offset(i));
                }
                let status = self.at.ins().iconst(types::I32, 0);
                self.at.ins().return_(&[status]);
            }
        }
    }

    /// Leaves with status 1; the site is stored.
    pub(super) fn return_failure(&mut self) {
        if self.face == Face::Outer {
            return self.give_failure();
        }
        let status = self.at.ins().iconst(types::I32, 1);
        match (self.face, &self.function.result.scalars()[..]) {
            (Face::Inner, [scalar]) => {
                // Nobody looks at the result of a failure.
                let nothing = match clif_type(scalar) {
                    types::F64 => self.at.ins().f64const(0.0),
                    int => self.at.ins().iconst(int, 0),
                };
                self.at.ins().return_(&[nothing, status]);
            }
            _ => {
                self.at.ins().return_(&[status]);
            }
        }
    }

    /// Reads the scalars of a type from slots of 64 bits.
    pub(super) fn load_slots(&mut self, ty: &Ty, base: ir::Value, offset: i32) -> Scalars {
        let scalars = ty.scalars();
        let loads =
            scalars.iter().enumerate().map(|(i, ty)| self.load_slot(clif_type(ty), base, offset + i as i32 * 8));
        loads.collect()
    }

    pub(super) fn load_slot(&mut self, ty: ir::Type, base: ir::Value, offset: i32) -> ir::Value {
        match ty {
            types::I8 => {
                let slot = self.at.ins().load(types::I64, MemFlagsData::trusted(), base, offset);
                self.at.ins().ireduce(types::I8, slot)
            }
            ty => self.at.ins().load(ty, MemFlagsData::trusted(), base, offset),
        }
    }

    pub(super) fn store_slot(&mut self, scalar: ir::Value, base: ir::Value, offset: i32) {
        let slot = match self.at.func.dfg.value_type(scalar) {
            types::I8 => self.at.ins().uextend(types::I64, scalar),
            _ => scalar,
        };
        self.at.ins().store(MemFlagsData::trusted(), slot, base, offset);
    }
}

/// Where the i-th scalar of a wide result stands in the context.
pub(super) fn result_offset(i: usize) -> i32 {
    (offset_of!(Context, results) + i * 8) as i32
}

/// The machine type of a helper's slot.
pub(super) fn kind_type(kind: Kind) -> ir::Type {
    match kind {
        Kind::Int => types::I64,
        Kind::Float => types::F64,
        Kind::Bool => types::I8,
    }
}
