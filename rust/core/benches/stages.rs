//! What each stage takes, from bytes of IR to machine code, for a short text, a middling one and a function of a hundred lines.
//!
//! In: the folder `STAGES_IR` with the files that `texts.py` writes; `make bench-rust` sees to both. Out: divan's table. Each stage is given
//! what the stage before it gives, made and dropped outside of what is timed.

use std::fmt;
use std::path::Path;

use cranelift_codegen::Context;
use cranelift_frontend::FunctionBuilderContext;
use divan::{Bencher, black_box};
use jib_core::code::{self, Options};
use jib_core::codegen::alone::{build, machine};
use jib_core::failure::{Host, HostError};
use jib_core::interp::Program;
use jib_core::limits::Limits;
use jib_core::opt::{PASSES, optimize};
use jib_core::typed::{Mode, Module};
use jib_core::types::Ty;
use jib_core::types::ticks::Counting;
use jib_core::unit::Unit;

fn main() {
    divan::main();
}

/// A text, as `texts.py` names it, with arguments of its types.
#[derive(Clone, Copy)]
struct Text {
    name: &'static str,
    types: &'static [Ty],
    slots: &'static [u64],
}

const SHORT: Text = Text { name: "short", types: &[Ty::FLOAT, Ty::FLOAT], slots: &[TWO_AND_A_HALF, TWO_AND_A_HALF] };
const MIDDLE: Text = Text { name: "middle", ..SHORT };
const HUNDRED: Text = Text { name: "hundred-lines", types: &[Ty::INT, Ty::FLOAT], slots: &[20, TWO_AND_A_HALF] };
const TEXTS: [Text; 3] = [SHORT, MIDDLE, HUNDRED];
const TWO_AND_A_HALF: u64 = 2.5f64.to_bits();

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Text {
    fn bytes(self) -> Vec<u8> {
        let folder = std::env::var("STAGES_IR")
            .expect("STAGES_IR is the folder that texts.py has written; make bench-rust does it");
        std::fs::read(Path::new(&folder).join(self.name).with_extension("ir")).expect("texts.py has written it")
    }

    fn unit(self) -> Unit {
        Unit::decode(&self.bytes(), Limits::default()).expect("it is whole")
    }

    /// Its typed IR behind so many passes.
    fn module(self, passes: usize) -> Module {
        let mut module = specialise(&self.unit(), self.types);
        PASSES[..passes].iter().for_each(|pass| (pass.run)(&mut module));
        module
    }

    fn optimised(self) -> Module {
        self.module(PASSES.len())
    }
}

fn specialise(unit: &Unit, types: &[Ty]) -> Module {
    unit.specialise(types, None, Mode::Python, Counting::Polls).expect("the types fit")
}

/// What a call's are in a release, whatever the build; and to be run by `s7_run`.
fn options() -> Options {
    Options { verify: false, slots: true, ..Options::default() }
}

/// Nobody: the texts print nothing and call nothing.
struct Nobody;

impl Host for Nobody {
    fn print(&mut self, _text: &str) -> Result<(), HostError> {
        Err(HostError)
    }
}

/// Bytes → verified IR → SSA.
#[divan::bench(args = TEXTS)]
fn s1_decode(bencher: Bencher, text: Text) {
    let bytes = text.bytes();
    bencher.bench_local(|| Unit::decode(black_box(&bytes), Limits::default()));
}

/// SSA → typed IR: inference, ticks, keep.
#[divan::bench(args = TEXTS)]
fn s2_infer(bencher: Bencher, text: Text) {
    let unit = text.unit();
    bencher.bench_local(|| specialise(black_box(&unit), text.types));
}

/// All passes.
#[divan::bench(args = TEXTS)]
fn s3_optimise(bencher: Bencher, text: Text) {
    let module = text.module(0);
    bencher.with_inputs(|| module.clone()).bench_local_refs(optimize);
}

/// A pass at its place in the list.
struct Step(usize);

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:02} {}", self.0 + 1, PASSES[self.0].name)
    }
}

/// Each pass on what those before it leave of the hundred lines.
#[divan::bench(args = (0..PASSES.len()).map(Step))]
fn s3_pass(bencher: Bencher, step: &Step) {
    let module = HUNDRED.module(step.0);
    bencher.with_inputs(|| module.clone()).bench_local_refs(|module| (PASSES[step.0].run)(module));
}

/// Typed IR → CLIF.
#[divan::bench(args = TEXTS)]
fn s4_clif(bencher: Bencher, text: Text) {
    let module = text.optimised();
    let machine = machine(&options()).expect("this machine");
    let mut buffers = FunctionBuilderContext::new();
    bencher.bench_local(|| {
        build(black_box(&module), &*machine, &mut buffers, |function| {
            black_box(function);
        });
    });
}

/// CLIF → machine code, by Cranelift alone.
#[divan::bench(args = TEXTS)]
fn s5_machine(bencher: Bencher, text: Text) {
    let mut functions = Vec::new();
    let machine = machine(&options()).expect("this machine");
    build(&text.optimised(), &*machine, &mut FunctionBuilderContext::new(), |function| {
        functions.push(function.clone())
    });
    let mut context = Context::new();
    bencher.with_inputs(|| functions.clone()).bench_local_values(|functions| {
        for function in functions {
            context.clear();
            context.func = function;
            black_box(context.compile(&*machine, &mut Default::default()).expect("it compiles"));
        }
    });
}

/// Typed IR → code in memory that can be called, and its end: the two stages above, linking, protection.
#[divan::bench(args = TEXTS)]
fn s6_code(bencher: Bencher, text: Text) {
    let module = text.optimised();
    bencher.bench_local(|| drop(code::compile(black_box(&module), &options()).expect("it compiles")));
}

/// One call, interpreted.
#[divan::bench(args = TEXTS)]
fn s7_interpret(bencher: Bencher, text: Text) {
    let program = Program::new(text.optimised());
    bencher.bench_local(|| {
        let mut out = [0];
        program.run(black_box(text.slots), &mut out, &mut Nobody).expect("it answers");
        out
    });
}

/// The same call of machine code.
#[divan::bench(args = TEXTS)]
fn s7_run(bencher: Bencher, text: Text) {
    let code = code::compile(&text.optimised(), &options()).expect("it compiles");
    bencher.bench_local(|| {
        let mut out = [0];
        code.run(black_box(text.slots), &mut out, &mut Nobody).expect("it answers");
        out
    });
}
