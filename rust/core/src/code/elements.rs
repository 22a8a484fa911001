//! Running code that takes runs of elements.

use super::Code;
use crate::failure::{Cause, Failure, Host};
use crate::runtime;

impl Code {
    /// Runs the function for each of `count` elements: `operands` point to the first element of each argument (of a uniform one: to the
    /// one element), then of each scalar of the result.
    ///
    /// Panics when there are not as many operands, or when the code was not compiled for `Outside::Elements`: a bug of the caller's.
    ///
    /// # Safety
    /// Behind each pointer lie as many elements as said above, one after the other at any alignment, readable, or writable for results.
    /// A result may be the same run as an argument of elements of the same size, and else overlaps with nothing. Nobody else writes to them
    /// meanwhile.
    pub unsafe fn run_elements(&self, operands: &[*mut u8], count: usize, host: &mut dyn Host) -> Result<(), Failure> {
        assert_eq!(operands.len(), self.params + self.results, "operands of a run");
        let entry = self.entry.filter(|_| self.takes_elements).expect("code that takes elements");
        let mut host = host;
        let mut context = self.context(&mut host)?;
        // SAFETY: the code lives as long as `self`; it was built with `Face::Block`, for which the last two words are the operands, whose
        // number was checked above, and a count; what they point to the caller vouches for. The context and all it points to live
        // across the call.
        let status = unsafe { entry(&mut context, operands.as_ptr().cast(), std::ptr::without_provenance_mut(count)) };
        if runtime::panicked() {
            return Err(Failure { cause: Cause::Host, span: self.span });
        }
        if status == 0 { Ok(()) } else { Err(self.failure(context.site, context.code)) }
    }
}
