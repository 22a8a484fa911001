"""jib in one screen: `make demo`."""

import sys
import traceback

import jib


def show(title: str) -> None:
    print(f"\n--- {title}\n")


def explain(error: Exception) -> None:
    """What Python prints of an exception that nobody catches, without the traceback."""
    lines = traceback.format_exception_only(type(error), error)
    if sys.version_info < (3, 11):  # notes are younger
        lines += [f"{note}\n" for note in getattr(error, "__notes__", [])]
    print("".join(lines), end="")


show("an expression is compiled for the types it is called with")
f = jib.compile("a + b")
print('f = jib.compile("a + b")')
print("f(7, 35)  ", "->", f(7, 35))
print("f(1.5, 2) ", "->", f(1.5, 2))
for made in f.specializations:
    print(f"            {made.result}({', '.join(made.params)}): {made.code_bytes} bytes of machine code")

show("a function with a loop")
SOURCE = """\
def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps
"""
collatz = jib.compile(SOURCE)
print(SOURCE)
print("collatz(27)", "->", collatz(27))

show("the same as Cranelift is given it, before our passes copy the loop")
print("jib.compile(SOURCE, opt_level='none').dump('clif')\n")
print(jib.compile(SOURCE, opt_level="none").dump("clif").rstrip())

show("a call that may use up so much and no more")
try:
    jib.compile("while True: pass", fuel=1_000_000)()
except jib.BudgetError as error:
    print(f"{type(error).__name__}: {error}")

show("a mistake in the text")
try:
    jib.compile("total = 1 + * 2")
except jib.ParseError as error:
    explain(error)

show("a name that is not known")
try:
    jib.compile("sqtr(x*x + y*y)")(3, 4)
except jib.CompileError as error:
    explain(error)

show("a failure at run time: Python's exception, with its place")
try:
    jib.compile("ratio = a / (b - 3)\nratio + 1")(1, 3)
except ZeroDivisionError as error:
    explain(error)
