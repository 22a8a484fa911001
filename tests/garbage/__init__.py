"""Garbage for the compiler: random bytes, token soup and mutations of valid programs.

`corpus` has the valid programs and the grammar's words, `texts` makes text number k of them, `judge` says what came of it, `fuzz`
drives: `python -m garbage N SEED` with tests/ on the path, or `make fuzz-text`.
"""
