//! This stage alone, as `code::compile` runs it between others: for who measures it (`benches/stages.rs`).
//!
//! In: a verified module. Out: its CLIF, one function after the other. Always holds: nothing is kept from one call to the next.

use std::sync::Arc;

use cranelift_codegen::ir;
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilderContext;

use super::Unit;
use super::isa::isa;
use crate::code::Options;
use crate::outside::Outside;
use crate::typed::Module;

/// What functions that are not large are compiled for.
pub fn machine(options: &Options) -> Result<Arc<dyn TargetIsa>, String> {
    isa(options, false)
}

/// Builds each function of a module, to be run with slots, and hands it over.
pub fn build(
    module: &Module,
    machine: &dyn TargetIsa,
    buffers: &mut FunctionBuilderContext,
    mut each: impl FnMut(&mut ir::Function),
) {
    let mut unit = Unit::new(module, machine.frontend_config(), Outside::Slots, false);
    let mut function = ir::Function::new();
    for planned in unit.plan() {
        function.clear();
        unit.build(planned, &mut function, buffers);
        each(&mut function);
    }
}
