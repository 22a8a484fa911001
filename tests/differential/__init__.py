"""Generated programs, run on every engine and in CPython, compared bit for bit.

`generate` and what begins like it write programs, `templates` says of what, `inputs` makes their arguments. `divergences`, with the
`model_` files, says what Python means by them where jib states to differ. `compare` runs and judges one program, `campaign` many,
`workers` in several processes. `choices` and `shrink` make a finding small, `findings` makes a filetest of it; `coverage` counts what
programs hold. `fuzz` is the driver: `make fuzz N=1000000 SEED=1`.
"""
