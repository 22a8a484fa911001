"""A routine in assembly that a text calls: the upper half of the product of two u64s, for which the language has no operator.

The C compiler makes a library of the text below; jib calls its symbol directly, with C's convention. With it a text counts in 128 bits,
in pairs of u64s, and CPython says whether it does so rightly. It is for x86-64 and aarch64, under Linux and macOS.

Run it: python examples/assembly.py [BASE [EXPONENT]]; it needs the C compiler, `cc`.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jib

ROUTINES = {
    "x86_64": """\
    movq %rdi, %rax      # the first argument
    mulq %rsi            # by the second: 128 bits in rdx and rax
    movq %rdx, %rax      # the upper ones are the result
    ret
""",
    "aarch64": """\
    umulh x0, x0, x1
    ret
""",
}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # other names of the two

POWER = """
def power(base: u64, exponent: int) -> tuple[u64, u64]:
    "As two halves, the upper first."
    upper, lower = u64(0), u64(1)
    for _ in range(exponent):
        carry = product_upper(lower, base)
        if product_upper(upper, base) or upper * base + carry < carry:
            raise OverflowError("more than 128 bits")
        upper, lower = upper * base + carry, lower * base
    return upper, lower
"""


def assembled(text: str, folder: Path) -> Path:
    """The library of a routine, whose symbol is `product_upper`."""
    symbol = "_product_upper" if sys.platform == "darwin" else "product_upper"
    marks = "" if sys.platform == "darwin" else '.section .note.GNU-stack, "", %progbits\n'  # its stack holds no code
    source, library = folder / "product.s", folder / "product.so"
    source.write_text(f".text\n.globl {symbol}\n{symbol}:\n{text}{marks}", encoding="utf-8")
    subprocess.run(["cc", "-shared", "-o", str(library), str(source)], check=True)
    return library


def main(base: str = "3", exponent: str = "80") -> int:
    machine = platform.machine().lower()
    routine = ROUTINES.get(MACHINES.get(machine, machine))
    if routine is None or sys.platform not in ("linux", "darwin"):
        print(f"there is no routine for {machine} under {sys.platform}")
        return 0
    if shutil.which("cc") is None:
        print("cc is not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        library = assembled(routine, Path(folder))
        product_upper = jib.extern((library, "product_upper"), "u64(u64, u64)", pure=True)
        power = jib.compile(POWER, arithmetic="numpy", externs=[product_upper])  # u64s wrap, as the machine's do
        print(product_upper)
        a, b = 0xFEDCBA9876543210, 0x123456789ABCDEF0
        equal = product_upper(a, b) == a * b >> 64
        print(f"0x{a:x} * 0x{b:x} >> 64 = 0x{product_upper(a, b):x}")
        upper, lower = power(int(base), int(exponent))
        answer = upper << 64 | lower
        equal &= answer == int(base) ** int(exponent)
        print(f"{base}**{exponent} = {answer} = 0x{upper:016x}_{lower:016x}")
        print(f"CPython's ints: {'equal' if equal else 'DIFFERENT'}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
