//! Calls of the host's functions: C functions directly, others by a hook.
//!
//! In: an `ExternRef` and the scalars of its operands. Out: the scalars of its result. A scalar is handed over as the platform's C
//! convention wants it: an int in its own width, extended by the caller where the convention says so; a bool as a byte of 0 or 1; an
//! f32 as a float. What comes back is taken at its width alone, and extended here: the rest of a register means nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, ExtFuncData, ExternalName, InstBuilder, MemFlagsData, Signature, UserExternalName, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use super::abi::{Callee, Import};
use super::hooks::Context;
use super::{Lower, Scalars, clif_type, int_type, is_f32};
use crate::externs::{Extern, ExternRef};
use crate::failure::{Cause, Host};
use crate::typed::Value;
use crate::types::Ty;

/// How much stack is kept free for a C function.
pub const ROOM: usize = 64 << 10;
/// And for what the host calls, which asks for more by itself.
pub const HOST_ROOM: usize = 16 << 10;

/// How much stack is kept free for a call.
pub fn room(of: &Extern) -> usize {
    if of.address().is_some() { ROOM } else { HOST_ROOM }
}

impl<'m> Lower<'_, 'm, '_> {
    pub(super) fn call_extern(&mut self, result: Value, callee: &'m ExternRef, args: &[Value]) {
        self.unit.room = self.unit.room.max(room(&callee.of));
        let scalars: Scalars = args.iter().map(|&arg| self.one(arg)).collect();
        let results = match callee.of.address() {
            Some(address) => self.call_c(callee, address, &scalars),
            None => self.call_host(callee, &scalars),
        };
        self.define(result, &results);
    }

    fn call_c(&mut self, callee: &'m ExternRef, address: usize, scalars: &[ir::Value]) -> Scalars {
        let known = self.unit.externs.iter().position(|known| *known == callee);
        let at = known.unwrap_or_else(|| {
            self.unit.externs.push(callee);
            self.unit.externs.len() - 1
        });
        let reference = self.callee(Callee::Import(Import::Extern { at: at as u32, address }));
        call(&mut self.at, reference, &callee.of, scalars)
    }

    /// By the hook, which reads and writes slots on our frame.
    fn call_host(&mut self, callee: &ExternRef, scalars: &[ir::Value]) -> Scalars {
        let width = callee.of.result.width();
        let base = self.scratch(scalars.len() + width);
        for (i, &scalar) in scalars.iter().enumerate() {
            self.store_slot(scalar, base, i as i32 * 8);
        }
        let numbers = [u64::from(callee.index), scalars.len() as u64, width as u64];
        let [index, params, results] = numbers.map(|number| self.at.ins().iconst(types::I64, number as i64));
        let reference = self.callee(Callee::Import(Import::CallHost));
        let call = self.at.ins().call(reference, &[self.ctx, index, base, params, results]);
        let status = self.at.func.dfg.first_result(call);
        self.exit_if(status, Cause::Host);
        self.load_slots(&callee.of.result, base, scalars.len() as i32 * 8)
    }
}

/// What generated code calls for a function that the host calls: its index, and the slots of the arguments with room for those of
/// the result behind them. 0 when there is a result.
///
/// # Safety
/// Called by generated code only, with the context that `Code::run` made and slots on its own frame.
pub(crate) unsafe extern "C" fn hook(
    context: *mut Context,
    index: u64,
    slots: *mut u64,
    params: u64,
    results: u64,
) -> u32 {
    // SAFETY: `Code::run` keeps the context and the host it points to alive while generated code runs, and nothing else refers to
    // them meanwhile; generated code stored so many arguments, and keeps its frame until we return.
    let (host, args) =
        unsafe { (&mut *(*context).host.cast::<&mut dyn Host>(), std::slice::from_raw_parts(slots, params as usize)) };
    let answer = catch_unwind(AssertUnwindSafe(|| {
        crate::trip!("extern");
        let mut out = [0u64; 1];
        host.call(index as u32, args, &mut out[..results as usize]).ok().map(|()| out[0])
    }));
    match answer {
        Ok(Some(bits)) => {
            if results > 0 {
                // SAFETY: generated code has room for the result behind the arguments.
                unsafe { slots.add(params as usize).write(bits) };
            }
            0
        }
        _ => 1,
    }
}

/// The C signature of a function of the host.
pub(crate) fn signature(of: &Extern, convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend(of.params.iter().map(c_param));
    if of.result != Ty::None {
        signature.returns.push(AbiParam::new(c_type(&of.result)));
    }
    signature
}

/// The machine type of a C type.
fn c_type(ty: &Ty) -> ir::Type {
    match ty {
        Ty::Int(int) => match int.bits() {
            8 => types::I8,
            16 => types::I16,
            32 => types::I32,
            _ => types::I64,
        },
        Ty::Float(_) if is_f32(ty) => types::F32,
        other => clif_type(other),
    }
}

fn c_param(ty: &Ty) -> AbiParam {
    match ty {
        Ty::Bool => AbiParam::new(types::I8).uext(),
        Ty::Int(int) if int.bits() == 64 => AbiParam::new(types::I64),
        Ty::Int(int) if int.signed() => AbiParam::new(c_type(ty)).sext(),
        Ty::Int(_) => AbiParam::new(c_type(ty)).uext(),
        _ => AbiParam::new(c_type(ty)),
    }
}

/// Calls a C function with scalars as they are in registers here; gives its result likewise.
fn call(at: &mut FunctionBuilder, callee: ir::FuncRef, of: &Extern, scalars: &[ir::Value]) -> Scalars {
    let args: Scalars = of.params.iter().zip(scalars).map(|(ty, &scalar)| to_c(at, ty, scalar)).collect();
    let call = at.ins().call(callee, &args);
    match at.inst_results(call).first() {
        Some(&result) => smallvec::smallvec![from_c(at, &of.result, result)],
        None => Scalars::new(),
    }
}

fn to_c(at: &mut FunctionBuilder, ty: &Ty, scalar: ir::Value) -> ir::Value {
    match c_type(ty) {
        narrow @ (types::I8 | types::I16 | types::I32) if *ty != Ty::Bool => at.ins().ireduce(narrow, scalar),
        types::F32 => at.ins().fdemote(types::F32, scalar),
        _ => scalar,
    }
}

fn from_c(at: &mut FunctionBuilder, ty: &Ty, scalar: ir::Value) -> ir::Value {
    match (ty, c_type(ty)) {
        // Whatever byte it is.
        (Ty::Bool, _) => at.ins().icmp_imm_u(IntCC::NotEqual, scalar, 0),
        (Ty::Int(_), types::I64) => scalar,
        (Ty::Int(_), _) if int_type(ty).signed() => at.ins().sextend(types::I64, scalar),
        (Ty::Int(_), _) => at.ins().uextend(types::I64, scalar),
        (_, types::F32) => at.ins().fpromote(types::F64, scalar),
        _ => scalar,
    }
}

/// Builds into `func`, which must be empty, `extern "C" fn(args, out)`: calls a C function, which the linker knows by number 1, on slots.
pub(crate) fn trampoline(func: &mut ir::Function, target: TargetFrontendConfig, of: &Extern) {
    func.signature = Signature::new(target.default_call_conv);
    func.signature.params = vec![AbiParam::new(types::I64); 2];
    let mut buffers = FunctionBuilderContext::new();
    let mut at = FunctionBuilder::new(func, &mut buffers);
    let entry = at.create_block();
    at.append_block_params_for_function_params(entry);
    at.switch_to_block(entry);
    let (args, out) = (at.block_params(entry)[0], at.block_params(entry)[1]);
    let signature = at.import_signature(signature(of, target.default_call_conv));
    let name = at.func.declare_imported_user_function(UserExternalName::new(0, 1));
    let data = ExtFuncData { name: ExternalName::user(name), signature, colocated: false, patchable: false };
    let callee = at.import_function(data);
    let flags = MemFlagsData::trusted();
    let mut scalars = Scalars::new();
    for (i, ty) in of.params.iter().enumerate() {
        let slot = if matches!(ty, Ty::Float(_)) { types::F64 } else { types::I64 };
        let slot = at.ins().load(slot, flags, args, i as i32 * 8);
        scalars.push(if *ty == Ty::Bool { at.ins().ireduce(types::I8, slot) } else { slot });
    }
    if let Some(&result) = call(&mut at, callee, of, &scalars).first() {
        let result = if of.result == Ty::Bool { at.ins().uextend(types::I64, result) } else { result };
        at.ins().store(flags, result, out, 0);
    }
    at.ins().return_(&[]);
    at.seal_all_blocks();
    at.finalize(target);
}
