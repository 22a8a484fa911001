"""Which instructions of a CLIF text could trap when they are reached.

In: what `dump("clif")` prints. Out: the lines that could trap, each with why. Always holds: whatever is not known to be safe is
reported. An integer division is safe when its divisor is a constant that needs no test, or was replaced where it did, or when the
only way there leads through the tests for 0 and, signed, for -1.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LINE = re.compile(r"^(?:@\S+\s+)?\s*(?:(v\d+(?:, v\d+)*) = )?([a-z_]\w*)(?:\.(\w+))?\s*(.*)$")
DIVISIONS = {"sdiv", "srem", "udiv", "urem"}
# Cranelift's other instructions that trap, or whose operands must be looked at to know that they do not.
NEVER = {"trap", "trapz", "trapnz", "fcvt_to_sint", "fcvt_to_uint", "uadd_overflow_trap", "debugtrap", "unreachable"}


class Inst(NamedTuple):
    opcode: str
    operands: list[str]
    block: str
    text: str


def could_trap(clif: str) -> list[str]:
    """The lines that could trap, of all functions in a text.

    >>> could_trap("function u0:0() {\\nblock0(v0: i64, v1: i64):\\n v2 = sdiv v0, v1\\n}")
    ['v2 = sdiv v0, v1: the divisor may be 0', 'v2 = sdiv v0, v1: the divisor may be -1']
    >>> could_trap("function u0:0() {\\nblock0(v0: i64):\\n v1 = iconst.i64 7\\n v2 = sdiv v0, v1\\n trapnz v2, user1\\n}")
    ['trapnz v2, user1: traps']
    """
    functions = re.split(r"^function ", clif, flags=re.MULTILINE)[1:]
    assert functions, "no CLIF"
    return [line for function in functions for line in _Function(function).complaints()]


class _Function:
    def __init__(self, text: str) -> None:
        self.insts: list[Inst] = []
        self.values: dict[str, Inst] = {}
        self.aliases: dict[str, str] = {}
        self.into: dict[str, list[tuple[str, str, bool]]] = {}  # block: (from, condition, whether it held)
        block = ""
        for line in text.split("\n")[1:]:
            line = line.partition("  ;")[0].strip()
            if alias := re.match(r"(v\d+) -> (v\d+)$", line):
                self.aliases[alias[1]] = alias[2]
            elif label := re.match(r"(block\d+)\b.*:$|(block\d+) cold:$", line):
                block = label[1] or label[2]
            elif block and (match := LINE.match(line)):
                results, opcode, _, rest = match.groups()
                inst = Inst(opcode, re.findall(r"v\d+|-?(?:0x[0-9a-f_]+|\d[\d_]*)|[a-z]\w*", rest), block, line)
                self.insts.append(inst)
                for result in (results or "").split(", "):
                    self.values[result] = inst
                self._edges(block, inst, rest)

    def _edges(self, block: str, inst: Inst, rest: str) -> None:
        targets = re.findall(r"block\d+", rest)
        if inst.opcode == "brif":
            for target, held in zip(targets, (True, False)):
                self.into.setdefault(target, []).append((block, inst.operands[0], held))
        else:
            for target in targets:
                self.into.setdefault(target, []).append((block, "", True))

    def complaints(self) -> list[str]:
        found = []
        for inst in self.insts:
            if inst.opcode in NEVER:
                found.append(f"{inst.text}: traps")
            if inst.opcode in ("load", "store") and "notrap" not in inst.operands:
                found.append(f"{inst.text}: memory that may not be there")
            if inst.opcode in DIVISIONS:
                dividend, divisor = map(self._name, inst.operands[:2])
                if not self._is_not(divisor, 0, inst):
                    found.append(f"{inst.text}: the divisor may be 0")
                safe = (
                    inst.opcode[0] == "u"
                    or self._is_not(divisor, -1, inst)
                    or self._no_overflow(dividend, divisor, inst)
                )
                if not safe:
                    found.append(f"{inst.text}: the divisor may be -1")
        return found

    def _name(self, value: str) -> str:
        while value in self.aliases:
            value = self.aliases[value]
        return value

    def _constant(self, value: str) -> int | None:
        inst = self.values.get(self._name(value))
        return int(inst.operands[0].replace("_", ""), 0) if inst is not None and inst.opcode == "iconst" else None

    def _is_not(self, value: str, number: int, at: Inst) -> bool:
        """Whether a value is another number wherever `at` is reached."""
        constant = self._constant(value)
        if constant is not None and constant != number:
            return True
        inst = self.values.get(value)
        if inst is not None and inst.opcode == "select":
            condition, then, otherwise = map(self._name, inst.operands[:3])
            replaced = self._says(condition, otherwise, number) or self._is_not(otherwise, number, at)
            return replaced and self._is_not(then, number, at)
        if inst is not None and inst.opcode == "ineg" and number == 0:
            # Nothing but 0 has the negative 0.
            return self._is_not(self._name(inst.operands[0]), 0, at)
        return any(self._says(condition, value, number) for condition in self._failed(at))

    def _no_overflow(self, dividend: str, divisor: str, at: Inst) -> bool:
        """Whether `at` is only reached when it is not the least number by -1."""
        for condition in self._failed(at):
            both = self.values.get(condition)
            if both is None or both.opcode != "band":
                continue
            one, other = map(self._name, both.operands[:2])
            for least, minus_one in ((one, other), (other, one)):
                inst = self.values.get(least)
                if inst is None or inst.opcode != "icmp" or not self._says(minus_one, divisor, -1):
                    continue
                limit = self._constant(inst.operands[2])
                if limit is not None and limit < 0 and self._says(least, dividend, limit):
                    return True
        return False

    def _says(self, condition: str, value: str, number: int) -> bool:
        """Whether a condition is `value == number`."""
        inst = self.values.get(condition)
        return (
            inst is not None
            and inst.opcode == "icmp"
            and inst.operands[0] == "eq"
            and self._name(inst.operands[1]) == value
            and self._constant(inst.operands[2]) == number
        )

    def _failed(self, at: Inst) -> list[str]:
        """The conditions that did not hold on the only way to an instruction."""
        block, failed, seen = at.block, [], set()
        while block not in seen and len(self.into.get(block, [])) == 1:
            seen.add(block)
            block, condition, held = self.into[block][0]
            if condition and not held:
                failed.append(self._name(condition))
        return failed
