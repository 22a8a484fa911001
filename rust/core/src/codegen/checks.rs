//! Exits: how a function is left when an operation has no answer.
//!
//! Each exit is one cold block that stores its site's index into the context and goes to the function's one failing return.
//! Nothing but a test and a branch stays on the hot path.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, InstBuilder, MemFlagsData, types};

use super::Lower;
use super::abi::Site;
use super::hooks::Context;
use crate::failure::Cause;
use crate::fault::Fault;
use crate::span::Span;

/// A cold block still to be written.
pub(super) struct Exit {
    block: Block,
    site: u32,
    span: Span,
    /// A helper's code, to be stored beside the site.
    code: Option<ir::Value>,
}

impl Lower<'_, '_, '_> {
    /// Fails here when the condition holds, else goes on.
    pub(super) fn exit_if(&mut self, cond: ir::Value, cause: Cause) {
        let (exit, next) = (self.exit(Some(cause), None), self.new_block());
        self.at.ins().brif(cond, exit, &[], next, &[]);
        self.enter(next);
    }

    pub(super) fn exit_unless(&mut self, cond: ir::Value, cause: Cause) {
        let (exit, next) = (self.exit(Some(cause), None), self.new_block());
        self.at.ins().brif(cond, next, &[], exit, &[]);
        self.enter(next);
    }

    pub(super) fn fault_if(&mut self, cond: ir::Value, fault: Fault) {
        self.exit_if(cond, Cause::Fault(fault));
    }

    /// Fails here; the current block ends.
    pub(super) fn exit_now(&mut self, cause: Cause) {
        let exit = self.exit(Some(cause), None);
        self.at.ins().jump(exit, &[]);
    }

    /// A failure whose code a helper returned: nonzero fails.
    pub(super) fn exit_with_code(&mut self, code: ir::Value) {
        let (exit, next) = (self.exit(None, Some(code)), self.new_block());
        self.at.ins().brif(code, exit, &[], next, &[]);
        self.enter(next);
    }

    /// An inner function failed: its site is stored already.
    pub(super) fn propagate(&mut self, status: ir::Value) {
        let (fail, next) = (self.fail_block(), self.new_block());
        self.at.ins().brif(status, fail, &[], next, &[]);
        self.enter(next);
    }

    /// The block to jump to in order to fail here.
    pub(super) fn exit(&mut self, cause: Option<Cause>, code: Option<ir::Value>) -> Block {
        let block = self.new_block();
        let site = self.unit.sites.len() as u32;
        self.unit.sites.push(Site { cause, span: self.span });
        self.exits.push(Exit { block, site, span: self.span, code });
        block
    }

    fn fail_block(&mut self) -> Block {
        match self.fail {
            Some(block) => block,
            None => {
                let block = self.new_block();
                self.fail = Some(block);
                block
            }
        }
    }

    /// Writes the cold blocks that were asked for.
    pub(super) fn finish_exits(&mut self) {
        let flags = MemFlagsData::trusted();
        for exit in std::mem::take(&mut self.exits) {
            self.place(exit.span);
            self.enter(exit.block);
            self.at.set_cold_block(exit.block);
            let site = self.at.ins().iconst(types::I32, i64::from(exit.site));
            self.at.ins().store(flags, site, self.ctx, offset_of!(Context, site) as i32);
            if let Some(code) = exit.code {
                self.at.ins().store(flags, code, self.ctx, offset_of!(Context, code) as i32);
            }
            let fail = self.fail_block();
            self.at.ins().jump(fail, &[]);
        }
        if let Some(fail) = self.fail {
            self.place(self.function.span);
            self.enter(fail);
            self.at.set_cold_block(fail);
            self.return_failure();
        }
    }

    /// RecursionError before the stack ends: asked at each call that may lead back to where it stands. Between two questions
    /// a function stands on the stack at most once, and `Code` leaves room for all their frames below the limit.
    pub(super) fn stack_check(&mut self) {
        let sp = self.at.ins().get_stack_pointer(types::I64);
        let flags = MemFlagsData::trusted().with_readonly();
        let limit = self.at.ins().load(types::I64, flags, self.ctx, offset_of!(Context, stack_limit) as i32);
        let low = self.at.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        self.fault_if(low, Fault::Recursion);
    }
}
