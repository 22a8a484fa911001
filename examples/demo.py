"""jib in one screen: `make demo`."""

import traceback

import jib


def show(title: str) -> None:
    print(f"\n--- {title}")


show("an expression, compiled for the types it is called with")
f = jib.compile("a + b")
print("f(7, 35)   =", f(7, 35))
print("f(1.5, 2)  =", f(1.5, 2))

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
print("collatz(27) =", collatz(27))

show("what Cranelift was given for f(float, float)")
print(f.dump("clif", "(float, float)"))

show("a mistake in the text")
try:
    jib.compile("total = 1 + * 2")
except jib.ParseError as error:
    print("".join(traceback.format_exception_only(error)))

show("a failure at run time")
try:
    jib.compile("a / (b - 3)")(1, 3)
except ZeroDivisionError as error:
    print(f"{type(error).__name__}: {error}", *getattr(error, "__notes__", []), sep="\n")
