//! A door to what lies on the stack of a thread that waits.
//!
//! In: work of other threads. Out: whether it is done. Always holds: once `Closing` has ended, nobody is inside, and nobody comes in any more.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who may touch what lies on the calling thread's stack. A helper that comes late, since its processor was busy, finds it closed: nobody
/// waits for those who have not begun.
#[derive(Default)]
pub struct Gate {
    state: Mutex<Inside>,
    left: Condvar,
}

#[derive(Default)]
struct Inside {
    closed: bool,
    helpers: usize,
    panic: Option<Box<dyn Any + Send>>,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, Inside> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does some work unless it is closed.
    pub fn inside(&self, work: impl FnOnce()) {
        {
            let mut state = self.state();
            if state.closed {
                return;
            }
            state.helpers += 1;
        }
        // A panic is the calling thread's to tell.
        let done = catch_unwind(AssertUnwindSafe(work));
        let mut state = self.state();
        state.helpers -= 1;
        state.panic = done.err().or(state.panic.take());
        self.left.notify_one();
    }

    /// Lets nobody in any more, and waits for a while until all are out; whether some are not.
    pub fn close(&self, patience: Duration) -> bool {
        let mut state = self.state();
        state.closed = true;
        if state.helpers > 0 {
            state = self.left.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.helpers > 0
    }

    /// What one of them has panicked with.
    pub fn panic(&self) -> Option<Box<dyn Any + Send>> {
        self.state().panic.take()
    }
}

/// Closes a gate and waits until nobody is inside.
pub struct Closing<'a>(pub &'a Gate);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        while self.0.close(Duration::from_secs(1)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_comes_in_when_it_is_closed() {
        let gate = Gate::default();
        let mut done = 0;
        gate.inside(|| done += 1);
        assert!(!gate.close(Duration::ZERO));
        gate.inside(|| done += 1);
        assert_eq!(done, 1);
    }

    #[test]
    fn panics_are_kept() {
        let gate = Gate::default();
        gate.inside(|| panic!("inside"));
        drop(Closing(&gate));
        assert!(gate.panic().is_some() && gate.panic().is_none());
    }

    #[test]
    fn those_inside_are_waited_for() {
        let (gate, done) = (Gate::default(), std::sync::atomic::AtomicBool::new(false));
        std::thread::scope(|scope| {
            let (entered, enter) = std::sync::mpsc::channel();
            scope.spawn(|| {
                gate.inside(move || {
                    entered.send(()).expect("is waited for");
                    std::thread::sleep(Duration::from_millis(20));
                });
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            enter.recv().expect("comes in");
            assert!(gate.close(Duration::ZERO));
            drop(Closing(&gate));
        });
        assert!(done.into_inner());
    }
}
