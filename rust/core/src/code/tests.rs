//! The life of code: what it costs while it lives, and that nothing of it stays. Other tests run in this process meanwhile, so that counts
//! have room for theirs.

use crate::code::{Code, CodeError, Options, compile};
use crate::typed::build::{Recorder, function, gcd, module};
use crate::typed::{BlockId, Mode, Module, Op};
use crate::types::Ty;

/// `x + n`, with a poll.
fn plus(n: i64) -> Module {
    let mut f = function("plus", &[Ty::INT], Ty::INT);
    let x = f.param(BlockId(0), 0);
    f.tick();
    let n = f.int(n);
    let sum = f.op(Op::Add(Mode::Python), &[x, n], Ty::INT);
    f.ret(sum);
    module(vec![f.done()])
}

fn compiled(module: &Module) -> Code {
    compile(module, &Options { verify: false, ..Options::default() }).expect("compiles")
}

fn run(code: &Code, args: &[u64]) -> u64 {
    let mut out = [0];
    code.run(args, &mut out, &mut Recorder::default()).expect("runs");
    out[0]
}

/// Deterministic: the generator of Numerical Recipes.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) as usize
}

#[test]
fn threads_compile_run_and_drop() {
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            scope.spawn(move || {
                let (mut state, mut kept) = (thread, Vec::new());
                for round in 0..400 {
                    kept.push((round, compiled(&plus(round))));
                    let (n, code) = &kept[random(&mut state) % kept.len()];
                    assert_eq!(run(code, &[1 << 20]), (1 << 20) + *n as u64);
                    if !random(&mut state).is_multiple_of(3) {
                        kept.swap_remove(random(&mut state) % kept.len());
                    }
                }
                assert!(kept.iter().all(|(n, code)| run(code, &[7]) == 7 + *n as u64));
            });
        }
    });
}

/// Dropped by another thread than the one that made it, and while others hold on.
#[test]
fn code_outlives_its_thread() {
    let codes: Vec<_> = (0..8).map(|n| std::thread::spawn(move || compiled(&plus(n)))).collect();
    let codes: Vec<_> = codes.into_iter().map(|made| made.join().expect("compiles")).collect();
    assert!(codes.iter().zip(0..).all(|(code, n)| run(code, &[40]) == 40 + n));
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ops::Range;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Instant;

    use super::*;

    /// The rights and the resident bytes of each mapping that can be executed and has no file, as arena chunks are.
    fn mappings() -> Vec<(Range<usize>, String, usize)> {
        let smaps = std::fs::read_to_string("/proc/self/smaps").expect("Linux has it");
        let mut all = Vec::new();
        for line in smaps.lines() {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            if let Some((start, end)) = words[0].split_once('-') {
                let parse = |at| usize::from_str_radix(at, 16).expect("an address");
                let file = words.len() > 5;
                all.push((parse(start)..parse(end), if file { String::new() } else { words[1].to_owned() }, 0));
            } else if let (["Rss:", kib, ..], Some(last)) = (&words[..], all.last_mut()) {
                last.2 = kib.parse::<usize>().expect("a number") << 10;
            }
        }
        all
    }

    /// How many mappings there are, and how much memory is resident in those of code.
    fn cost() -> (usize, usize) {
        let all = mappings();
        (all.len(), all.iter().filter(|(_, rights, _)| rights == "r-xp").map(|(_, _, rss)| rss).sum())
    }

    /// For tests that make much code.
    static ALONE: Mutex<()> = Mutex::new(());

    fn alone() -> MutexGuard<'static, ()> {
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What other tests may have at a time: mappings, and bytes of code.
    const OTHERS: (usize, usize) = (48, 4 << 20);

    #[test]
    fn memory_is_used_again() {
        let _alone = alone();
        let module = plus(1);
        drop(compiled(&module));
        let before = cost();
        for _ in 0..10_000 {
            drop(compiled(&module));
        }
        let after = cost();
        assert!(after.0 < before.0 + OTHERS.0 && after.1 < before.1 + OTHERS.1, "{before:?} {after:?}");
    }

    #[test]
    fn many_live_and_die_in_any_order() {
        const MANY: usize = 20_000;
        let _alone = alone();
        let before = cost();
        let mut codes: Vec<_> = (0..MANY).map(|n| (n, compiled(&plus(n as i64)))).collect();
        let full = cost();
        assert!(full.0 < before.0 + OTHERS.0, "{before:?} {full:?}");
        // A page each, and no more.
        assert!(full.1 < before.1 + MANY * region::page::size() + OTHERS.1, "{before:?} {full:?}");
        let mut state = 1;
        while !codes.is_empty() {
            let (n, code) = codes.swap_remove(random(&mut state) % codes.len());
            assert_eq!(run(&code, &[1]), 1 + n as u64);
            drop(code);
            if codes.len() == MANY / 2 {
                let half = cost();
                assert!(half.0 < before.0 + OTHERS.0, "{before:?} {half:?}");
                assert!(half.1 < before.1 + MANY / 2 * region::page::size() + OTHERS.1, "{before:?} {half:?}");
                assert!(codes.iter().all(|(n, code)| run(code, &[1]) == 1 + *n as u64));
            }
        }
        let after = cost();
        assert!(after.0 < before.0 + OTHERS.0 && after.1 < before.1 + OTHERS.1, "{before:?} {after:?}");
    }

    #[test]
    fn nothing_is_writable_and_executable() {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for n in 0..3 {
                let done = &done;
                scope.spawn(move || {
                    let mut kept = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        kept.push(compiled(&plus(n)));
                        if kept.len() == 50 {
                            kept.clear();
                        }
                    }
                });
            }
            for _ in 0..200 {
                let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
                let both = maps.lines().find(|line| line.split(' ').nth(1).is_some_and(|rights| rights.contains("wx")));
                if both.is_some() {
                    done.store(true, Ordering::Relaxed);
                }
                assert_eq!(both, None);
            }
            done.store(true, Ordering::Relaxed);
        });
    }

    /// Children are made while other threads compile, and must not wait for what those threads had locked.
    #[test]
    fn a_forked_child_compiles_and_drops() {
        let done = AtomicBool::new(false);
        let kept = compiled(&plus(2));
        std::thread::scope(|scope| {
            for n in 0..2 {
                let done = &done;
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        drop(compiled(&plus(n)));
                    }
                });
            }
            let answers: Vec<i32> = (0..100)
                .map(|n| {
                    in_child(|| {
                        let code = compiled(&plus(n));
                        let right = run(&code, &[1]) == 1 + n as u64 && run(&kept, &[1]) == 3;
                        drop(code);
                        right
                    })
                })
                .collect();
            done.store(true, Ordering::Relaxed);
            assert_eq!(answers, [0; 100]);
        });
        assert_eq!(run(&kept, &[1]), 3);
    }

    /// The status of a child process that does this; it is stopped after ten seconds.
    fn in_child(work: impl Fn() -> bool) -> i32 {
        // SAFETY: the child only compiles, runs, and ends: it takes no lock of the test harness.
        unsafe {
            match libc::fork() {
                0 => {
                    libc::alarm(10);
                    let right = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(false);
                    libc::_exit(i32::from(!right));
                }
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &mut status, 0), child);
                    status
                }
            }
        }
    }

    /// Also when that comes about late, as a filter of system calls may: there are chunks then, and code that goes on running.
    #[test]
    fn where_nothing_may_be_made_executable_there_is_no_code() {
        let kept = compiled(&plus(2));
        let status = in_child(|| {
            refuse_execution();
            let refused = || {
                let options = Options { verify: false, ..Options::default() };
                matches!(compile(&plus(1), &options), Err(CodeError::Memory(text)) if text.contains("Permission"))
            };
            refused() && refused() && run(&kept, &[1]) == 3
        });
        assert_eq!(status, 0);
    }

    /// From here on this process cannot make memory executable.
    fn refuse_execution() {
        let op = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
        // The call's number; of mprotect, its third argument; EACCES or as ever.
        let mut rules = [
            op(0x20, 0, 0, 0),
            op(0x15, 0, 3, libc::SYS_mprotect as u32),
            op(0x20, 0, 0, 32),
            op(0x45, 0, 1, libc::PROT_EXEC as u32),
            op(0x06, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EACCES as u32),
            op(0x06, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: rules.len() as u16, filter: rules.as_mut_ptr() };
        // SAFETY: the kernel copies the rules, which live until then.
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
        };
        assert!(done, "the system takes no filters");
    }

    /// For people: `cargo test --release -p jib-core code::tests::linux::measure -- --ignored --nocapture`.
    #[test]
    #[ignore = "measures"]
    fn measure() {
        const MANY: usize = 20_000;
        let _alone = alone();
        let resident = || {
            let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
            text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number")
                * region::page::size()
        };
        let median = |mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        for module in [module(vec![gcd()]), plus(1)] {
            let links = (0..3_000).map(|_| compiled(&module).timings().link).collect();
            println!("link, dropped at once: {:.1} us", median(links));
            let before = (resident(), mappings().len());
            let codes: Vec<_> = (0..MANY).map(|_| compiled(&module)).collect();
            println!("link, kept: {:.1} us", median(codes.iter().map(|code| code.timings().link).collect()));
            println!("resident: {} bytes each, {} of them `Code`", (resident() - before.0) / MANY, size_of::<Code>());
            println!("mappings: {} more", mappings().len() - before.1);
            let start = Instant::now();
            drop(codes);
            println!("drop: {:.1} us each", start.elapsed().as_secs_f64() * 1e6 / MANY as f64);
            println!("resident after: {} bytes more", resident().saturating_sub(before.0));
        }
    }
}
