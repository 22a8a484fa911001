# Everything a person or a machine does with this checkout. `make` lists it.
#
# Needs: Rust, Python >= 3.10, make. The rest goes into a virtual environment of its own, .venv, made on first need.
# PYTHON=python3.13 chooses the interpreter; SKIP="rustfmt clippy" leaves out what is not installed; PYTHONS="3.10 3.13" are those
# that test-pythons tries and that wheels are built for.

PYTHON  ?= python3
PYTHONS ?= 3.10 3.11 3.12 3.13 3.14
SKIP    ?=

# Another one for each version that test-pythons tries, with stamps of its own: extensions lie side by side, since their names end in
# the version, and each is built again when Rust is newer than its stamp. What cargo makes is shared.
VENV := .venv
BIN  := $(VENV)/bin
ROOT := $(CURDIR)

# One interpreter for maturin, clippy and tests, so that PyO3 is not built again for each.
export VIRTUAL_ENV := $(ROOT)/$(VENV)
export PYO3_PYTHON := $(ROOT)/$(BIN)/python
unexport CONDA_PREFIX

TOOLS := $(VENV)/tools.stamp
BUILT := $(VENV)/built.stamp
PEERS := $(VENV)/bench.stamp

RUST_FILES := $(shell find rust -type f \( -name '*.rs' -o -name Cargo.toml \) 2>/dev/null) \
              $(wildcard Cargo.toml Cargo.lock .cargo/config.toml)

# pyproject.toml is the only list of what to install; this prints the requirements of the extras that it is given, one on a line; without
# any, those of the build and of all extras but what has targets of its own.
define REQUIREMENTS
try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib
import sys
with open("pyproject.toml", "rb") as file:
    table = tomllib.load(file)
extras = table["project"]["optional-dependencies"]
wanted = [need for extra in sys.argv[1:] for need in extras[extra]]
if not wanted:
    wanted = table["build-system"]["requires"] + table["project"]["dependencies"]
    wanted += [need for extra, needs in extras.items() if extra not in ("docs", "bench") for need in needs]
print("\n".join(dict.fromkeys(wanted)))
endef
export REQUIREMENTS

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo examples build fmt fmt-check lint test test-rust test-python test-pythons bless table fuzz fuzz-text fuzz-ir mutants valgrind valgrind-call soak miri bench bench-quick bench-arrays bench-compare bench-rust captures docs docs-tables check wheels wheel-test clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: build ## see it work: examples/demo.py
	@$(BIN)/python examples/demo.py

# Programs that have something to say of times say it on stderr; those that lack a library say so and end well.
examples: build ## run every program in examples/, one after the other
	@set -e; for file in $(filter-out examples/callgrind_names.py,$(wildcard examples/*.py)); do echo; echo "== $$file"; $(BIN)/python "$$file"; done
	@$(BIN)/python -c 'from importlib.util import find_spec; missing = [name for name in ("numpy", "scipy", "pandas", "polars") if not find_spec(name)]; \
	  print("\n== LEFT OUT: what needs " + ", ".join(missing) if missing else "\n== all of them ran")'

build: $(BUILT) ## compile the extension into .venv

fmt: $(TOOLS) ## format Rust and Python
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

lint: $(BUILT) ## clippy, ruff, mypy; the stub against the extension
	$(if $(filter clippy,$(SKIP)),@echo "SKIPPED: clippy",cargo clippy --workspace --all-targets -- -D warnings)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/stubtest jib._native --mypy-config-file pyproject.toml --ignore-disjoint-bases

test: test-rust test-python ## the core's tests, then pytest with the filetests and every example in the docs

# The interpreter of a version: on PATH, if it starts (a shim of pyenv's may not), else pyenv's.
FIND_PYTHON = python=$$(command -v python$$version || true); \
  if ! $${python:-false} -c '' 2>/dev/null; then \
    python=$$(pyenv prefix $$version 2>/dev/null || true); python=$${python:+$$python/bin/python}; \
  fi; \
  if ! $${python:-false} -c '' 2>/dev/null; then said="$$said|Python $$version: SKIPPED: not installed"; continue; fi

test-pythons: ## pytest with each of PYTHONS that is installed, each in a virtual environment of its own, .venv-3.10 and so on
	@said=; failed=; \
	for version in $(PYTHONS); do \
	  $(FIND_PYTHON); \
	  echo "== Python $$version"; log=.venv-$$version/tests.log; rm -f $$log; \
	  if ! $(MAKE) --no-print-directory VENV=.venv-$$version PYTHON="$$python" build; then \
	    failed=yes; said="$$said|Python $$version: FAILED: not built"; continue; \
	  fi; \
	  { .venv-$$version/bin/pytest $(TESTS); echo "exit status $$?"; } 2>&1 | tee $$log; \
	  status=$$(tail -n 1 $$log); word=passed; \
	  if test "$$status" != "exit status 0"; then word="FAILED, $$status"; failed=yes; fi; \
	  said="$$said|Python $$version: $$word: $$(tail -n 2 $$log | head -n 1 | tr -d =)"; \
	done; \
	echo "$$said" | tr '|' '\n' | sed 1d; test -z "$$failed"

bless: build ## write the stage texts of the filetests anew; read the diff
	$(BIN)/pytest -q --bless tests/test_filetests.py

table: build ## write the parser's table anew, after a change of grammar/jib.lark
	$(BIN)/python -m jib.grammar

fuzz: build ## N programs against CPython, from SEED, in JOBS processes; findings go to fuzz-findings/
	PYTHONPATH=tests $(BIN)/python -m differential $(or $(N),100000) $(or $(SEED),0) $(if $(JOBS),--jobs $(JOBS))

fuzz-text: build ## N texts of garbage from SEED, by JOBS processes; findings go to fuzz-findings/
	PYTHONPATH=tests $(BIN)/python -m garbage $(or $(N),100000) $(or $(SEED),0) $(JOBS)

# What libFuzzer needs of the compiler; the flags of cargo-fuzz, but for the sanitizer: the target has no unsafe code on its way.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
              -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
              -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
HOST = $(shell rustc -vV | sed -n 's/^host: //p')

fuzz-ir: build ## libFuzzer on the IR's decoder and verifier, for SECONDS; needs nightly Rust
	@if ! rustup run nightly cargo --version >/dev/null 2>&1; then echo "SKIPPED: fuzz-ir needs nightly Rust (rustup toolchain install nightly)"; exit 0; fi; set -ex; \
	  PYTHONPATH=python $(BIN)/python rust/fuzz/seeds.py target/fuzz/seeds; \
	  (cd rust/fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" rustup run nightly cargo build --release --target $(HOST) --target-dir $(ROOT)/target/fuzz/build); \
	  mkdir -p target/fuzz/corpus fuzz-findings; \
	  target/fuzz/build/$(HOST)/release/ir -max_total_time=$(or $(SECONDS),60) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=fuzz-findings/ target/fuzz/corpus target/fuzz/seeds

# The core without generated code: what an interpreter can watch.
PORTABLE := interp:: eval:: ir:: types:: opt:: typed:: runtime::int code::memory::arena::

valgrind: ## the core's tests of IR, types, passes and interpreter under valgrind's memcheck
	@if ! command -v valgrind >/dev/null; then echo "SKIPPED: valgrind is not installed"; exit 0; fi; set -x; \
	  env CARGO_TARGET_$(subst -,_,$(shell echo $(HOST) | tr a-z A-Z))_RUNNER="valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite" \
	  JIB_OPT_ROUNDS=100 cargo test -p jib-core --lib -- --test-threads=1 --skip linear_time --skip ticks:: $(PORTABLE)

# Miri cannot call C: tests that reach a function of the C library stop it, so those of the runtime but for ints are left out. Nor
# does it know cranelift's executable memory; the tests of codegen and code are valgrind's and the filetests'.
miri: ## the same under Miri; needs nightly Rust with its component miri
	@if ! rustup run nightly cargo miri --version >/dev/null 2>&1; then echo "SKIPPED: Miri is not installed (rustup +nightly component add miri)"; exit 0; fi; set -x; \
	  MIRIFLAGS=-Zmiri-disable-isolation rustup run nightly cargo miri test -p jib-core --lib -- --skip linear_time --skip ticks:: $(PORTABLE)

# Python's allocator is malloc, so that each object is a block of its own. Leaks are the soak's: Python leaves much behind when it ends.
# CPython 3.11 reads a digit that a 0 made of bytes does not have, and then all that it does with that 0 depends on it: there only
# addresses are checked. Other versions need no suppressions.
valgrind-call: build ## calls from Python, with the code that is generated for them, under valgrind's memcheck
	@if ! command -v valgrind >/dev/null; then echo "SKIPPED: valgrind-call: valgrind is not installed"; exit 0; fi; \
	  values=$$($(BIN)/python -c 'import sys; print("no" if sys.version_info[:2] == (3, 11) else "yes")'); set -x; \
	  PYTHONMALLOC=malloc PYTHONPATH=python valgrind -q --error-exitcode=9 --smc-check=all-non-file --num-callers=40 \
	    --undef-value-errors=$$values $(BIN)/python tests/valgrind_call.py

soak: build ## 64 threads for SECONDS, then N texts one after the other, then ALIVE functions at once
	PYTHONPATH=tests $(BIN)/python -m soak --seconds $(or $(SECONDS),60) --texts $(or $(N),200000) --alive $(or $(ALIVE),100000)

mutants: build ## plants faults in the core and says which tests catch them; ONLY="NAME …" of them
	PYTHONPATH=tests $(BIN)/python -m mutants $(ONLY)

bench: build $(PEERS) ## jib beside its peers, all tables and plots, to benches/results; some 10 minutes; ARGS="--tables kernels --cpu"
	@$(BIN)/python benches/run.py $(ARGS)

bench-quick: build $(PEERS) ## the same in some minute
	@$(BIN)/python benches/run.py --quick $(ARGS)

bench-arrays: build $(PEERS) ## arrays alone, by one thread and two, nothing written; ARGS="--quick --rows sin --cpu --best --out"
	@$(BIN)/python benches/run.py --no-files --tables arrays,loops,small $(ARGS)

bench-compare: build ## what changed beyond noise between two results: A=FILE B=FILE
	@$(BIN)/python benches/compare.py $(A) $(B)

bench-rust: build ## what each stage of the core takes, and each pass; ARGS="s3_pass --sample-count 1000"
	@PYTHONPATH=python $(BIN)/python rust/core/benches/texts.py target/stages
	STAGES_IR=$(ROOT)/target/stages cargo bench -p jib-core --bench stages -- $(ARGS)

captures: build ## take the pictures of docs/repl.md and docs/examples.md anew
	@$(BIN)/python docs/captures.py

docs: build $(VENV)/docs.stamp ## the site: docs/ as HTML in build/docs; a warning fails
	$(BIN)/python -m sphinx -W --keep-going --nitpicky --quiet docs build/docs
	@echo "build/docs/index.html"

docs-tables: build ## write docs/builtins.md anew from the table of builtins
	$(BIN)/python docs/tables.py

check: fmt-check lint test ## all that must hold before a change goes in

wheels: $(TOOLS) ## a wheel in dist/ for each of PYTHONS that is installed, each tried in an empty environment
	@said=; failed=; rm -f dist/jib-*.whl; \
	for version in $(PYTHONS); do \
	  $(FIND_PYTHON); \
	  echo "== Python $$version"; \
	  if ! env -u PYO3_PYTHON $(BIN)/maturin build --release --out dist --interpreter "$$python"; then \
	    failed=yes; said="$$said|Python $$version: FAILED: not built"; continue; \
	  fi; \
	  if ! word=$$("$$python" tests/wheel_trial.py dist); then failed=yes; word="FAILED: see above"; fi; \
	  said="$$said|Python $$version: $$word"; \
	done; \
	echo "$$said" | tr '|' '\n' | sed 1d; test -z "$$failed"

wheel-test: build ## build wheel and sdist, install them elsewhere, try them
	$(BIN)/pytest -m wheel tests/test_wheel.py

clean: ## remove all that was made here, the virtual environment too
	rm -rf $(VENV) .venv .venv-* target dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f python/jib/_native*.so python/jib/_native*.pyd

fmt-check: $(TOOLS)
	$(if $(filter rustfmt,$(SKIP)),@echo "SKIPPED: cargo fmt",cargo fmt --all --check)
	$(BIN)/ruff format --check .

test-rust:
	cargo test -p jib-core

test-python: build
	$(BIN)/pytest

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "jib needs Python 3.10 or newer, not " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(TOOLS): pyproject.toml | $(BIN)/python
	$(BIN)/python -c "$$REQUIREMENTS" > $(VENV)/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	@touch $@

# The peers that jib is measured beside are large; who only tests does not wait for them.
$(PEERS): pyproject.toml | $(BIN)/python
	$(BIN)/python -c "$$REQUIREMENTS" bench > $(VENV)/bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/bench.txt
	@touch $@

$(VENV)/docs.stamp: pyproject.toml $(TOOLS)
	$(BIN)/python -c "$$REQUIREMENTS" docs > $(VENV)/docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/docs.txt
	@touch $@

# Python and grammar files are used where they lie; only Rust and its settings call for a build.
$(BUILT): $(TOOLS) $(RUST_FILES)
	$(BIN)/maturin develop --release
	@touch $@
