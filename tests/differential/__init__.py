"""Generated programs, run on every engine and in CPython, compared bit for bit.

`generate` writes programs, `inputs` their arguments, `divergences` says what Python means by them where jib states to differ,
`compare` runs and judges, `shrink` makes a finding small, `fuzz` is the driver: `make fuzz N=10000 SEED=1`.
"""
