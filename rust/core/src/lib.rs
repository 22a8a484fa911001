//! jib's core: IR in, native functions out. No Python in here.
//!
//! The way of one datum: bytes → `ir::decode` → IR → `ir::ssa` → SSA → `types::infer` → typed IR for given argument types →
//! `opt` → typed IR → `codegen` → CLIF → `code` → machine code. `interp` runs typed IR as it stands.

pub mod arrays;
pub mod builtins;
pub mod code;
pub mod codegen;
pub mod diag;
pub mod eval;
pub mod externs;
pub mod failure;
pub mod fault;
pub mod format;
pub mod interp;
pub mod ir;
pub mod kernel;
pub mod limits;
pub mod listing;
pub mod opt;
pub mod outside;
pub mod runtime;
pub mod span;
pub mod trip;
pub mod typed;
pub mod types;
pub mod unit;
