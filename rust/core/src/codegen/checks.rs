//! Exits: how a function is left when an operation has no answer.
//!
//! Each exit is one cold block that hands its site's index to a block that they share, which stores it into the context and goes to the
//! function's one failing return. Nothing but a test and a branch stays on the hot path.
//!
//! Cranelift takes what is the same in all rounds out of a loop while it walks down the dominator tree, and gives up at the first block
//! it meets that is outside the loop. Exits come last in that walk if they are the first of a branch's two ways. It would still meet
//! those of a cold block that comes back to the hot path, so such a block goes to the shared one itself (`exit_aside`).

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, MemFlagsData, types};

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
        let cond = self.not(cond);
        self.exit_if(cond, cause);
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
    fn exit(&mut self, cause: Option<Cause>, code: Option<ir::Value>) -> Block {
        let (block, site) = (self.new_block(), self.site(cause));
        self.exits.push(Exit { block, site, span: self.span, code });
        block
    }

    /// The same from a block that is cold itself and has another way, back: with what the block is to be given.
    pub(super) fn exit_aside(&mut self, cause: Cause) -> (Block, BlockArg) {
        let site = self.site_constant(cause);
        (self.fail_at_block(), BlockArg::Value(site))
    }

    /// A new site, as what the shared block is given.
    pub(super) fn site_constant(&mut self, cause: Cause) -> ir::Value {
        let site = self.site(Some(cause));
        self.at.ins().iconst(types::I32, i64::from(site))
    }

    /// The index of a new site, at this place in the text.
    fn site(&mut self, cause: Option<Cause>) -> u32 {
        self.unit.sites.push(Site { cause, span: self.span });
        self.unit.sites.len() as u32 - 1
    }

    /// Where exits meet; its parameter is the site.
    pub(super) fn fail_at_block(&mut self) -> Block {
        match self.fail_at {
            Some(block) => block,
            None => {
                let block = self.new_block();
                self.at.append_block_param(block, types::I32);
                *self.fail_at.insert(block)
            }
        }
    }

    fn fail_block(&mut self) -> Block {
        match self.fail {
            Some(block) => block,
            None => {
                let block = self.new_block();
                *self.fail.insert(block)
            }
        }
    }

    /// Writes the cold blocks that were asked for. One alone has nothing to share.
    pub(super) fn finish_exits(&mut self) {
        let exits = std::mem::take(&mut self.exits);
        let alone = exits.len() == 1 && self.fail_at.is_none();
        for exit in exits {
            self.place(exit.span);
            self.enter_cold(exit.block);
            if let Some(code) = exit.code {
                self.store_in_context(code, offset_of!(Context, code));
            }
            let site = self.at.ins().iconst(types::I32, i64::from(exit.site));
            if alone {
                self.fail_with(site);
            } else {
                let shared = self.fail_at_block();
                self.at.ins().jump(shared, &[BlockArg::Value(site)]);
            }
        }
        self.place(self.function.span);
        if let Some(block) = self.fail_at {
            self.enter_cold(block);
            let site = self.at.block_params(block)[0];
            self.fail_with(site);
        }
        if let Some(fail) = self.fail {
            self.enter_cold(fail);
            self.return_failure();
        }
    }

    /// Stores the site and goes to the failing return.
    fn fail_with(&mut self, site: ir::Value) {
        self.store_in_context(site, offset_of!(Context, site));
        let fail = self.fail_block();
        self.at.ins().jump(fail, &[]);
    }

    fn enter_cold(&mut self, block: Block) {
        self.enter(block);
        self.at.set_cold_block(block);
    }

    fn store_in_context(&mut self, value: ir::Value, offset: usize) {
        self.at.ins().store(MemFlagsData::trusted(), value, self.ctx, offset as i32);
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
