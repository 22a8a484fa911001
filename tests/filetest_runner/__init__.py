"""Runs tests/filetests: texts of the language whose comments say what must come out.

    def half(a: int) -> float:
        return a / 2

    # run: (7) -> 3.5
    # signature: (int)
    # expect: ir
    #| lines 0 ...

The program comes first, its directives after it; leading directives work too but count in every position.

    run: (ARGS) -> VALUE                      exact: type and bits; ARGS as in a call, `(1, b=2.5)`
    run: (ARGS) raises Error[: message] [@ L:C-L:C]
    prints: text                              one line that the run above it prints
    error: Error[ @ L:C-L:C]: message         compiling raises exactly this; a newline in it is written \\n
    signature: (int, float)                   for stage texts and errors; also "float(float, int)"
    options: opt_level=none params=a,b arithmetic=numpy name=f fuel=100 timeout=1.5
    cpython: skip REASON                      CPython must not be asked: a stated divergence
    expect: [STAGE]                           the stage's text follows, each line after `#| `; the folder names the stage if
                                              STAGE does not; `make bless` rewrites these blocks and nothing else

Every run happens on the interpreter, on unoptimised and on optimised native code, and in CPython; all must agree.

- directives.py   a file's text -> `FileTest`
- values.py       literals of directives, equality by type and bits
- outcome.py      a call -> what came of it
- cpython.py      a text -> the function that CPython makes of it
- runner.py       `FileTest` and a compile function -> nothing, or `Failure`
"""

from .directives import BadFileTest, FileTest, read_filetest
from .runner import Failure, check_file

__all__ = ["BadFileTest", "Failure", "FileTest", "check_file", "read_filetest"]
