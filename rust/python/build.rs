//! Says which CPython the extension is built for, as PyO3 does: `cfg(Py_3_13)` and the like.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
