"""The benchmark, `python -m jib bench`: jib beside CPython and whatever peers are installed. Nothing else of the package imports it.

`cli` reads the words, `run` gives each table a process of its own, `one` is that process, `tables` has one module for each table;
`measure` is how all of them measure, `peers` what they measure beside, `say` how the numbers are written. benches/ adds tables,
plots and comparisons, for those who have the sources.
"""
