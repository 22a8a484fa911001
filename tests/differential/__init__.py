"""Generated programs, run on every engine and in CPython, compared bit for bit.

`generate` writes programs, `inputs` their arguments, `divergences` says what Python means by them where jib states to differ,
`compare` runs and judges one program, `campaign` runs many, `workers` in several processes; `shrink` makes a finding small, `findings`
a filetest of it. `fuzz` is the driver: `make fuzz N=10000 SEED=1`.
"""
