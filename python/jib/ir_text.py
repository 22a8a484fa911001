"""The text form of the IR, as docs/ir.md shows it: written by `write`, read back by `read`.

In: a Module, or its text. Out: its text, or the Module; ValueError with the line for a text that is none.
Always holds: `read(write(module)) == module` where the names of functions, and of the locals of a function, are distinct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ir import OPCODES, WITHOUT_RESULT, Block, Function, Instruction, Literal, Module, Parameter
from .source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator


def write(module: Module) -> str:
    """The text form of docs/ir.md."""
    return "".join([f"{line}\n" for line, _ in written(module)])


def written(module: Module) -> Iterator[tuple[str, Span | None]]:
    """The lines of the text form, each with the span that it came from."""
    yield " ".join(("lines", *map(str, module.line_starts))), None
    if module.externs:
        yield " ".join(("externs", *module.externs)), None
    names = [function.name for function in module.functions]
    for function in module.functions:
        params = ", ".join(_param_text(param) for param in function.params)
        returns = ""
        if function.returns is not None:
            returns = f" -> {_quote(function.returns)} @{function.returns_start}:{function.returns_end}"
        span = Span(function.start, function.end)
        yield f"func {function.name}({params}){returns} @{span.start}:{span.end}", span
        yield " ".join(("  locals", *function.locals)), None
        number = 0
        for at, block in enumerate(function.blocks):
            yield f"block{at}:", None
            for instruction in block:
                result = "" if instruction.op in WITHOUT_RESULT else f"%{number} = "
                text = _instruction_text(instruction, function.locals, names, module.externs)
                span = Span(instruction.start, instruction.end)
                yield f"  {result}{text} @{span.start}:{span.end}", span
                number += 1


def _param_text(param: Parameter) -> str:
    annotation = "" if param.type is None else f": {_quote(param.type)}"
    return f"{param.name}{annotation} @{param.start}:{param.end}"


def _instruction_text(
    instruction: Instruction, local_names: list[str], functions: list[str], externs: tuple[str, ...]
) -> str:
    op, args = instruction.op, instruction.args
    if op == "const":
        return f"const {_quote(args[0]) if type(args[0]) is str else repr(args[0])}"
    if op == "get":
        return f"get {local_names[args[0]]}"
    if op == "set":
        return f"set {local_names[args[0]]}, %{args[1]}"
    if op == "prim":
        return " ".join((args[0], _values(args[1:]))).rstrip()
    if op == "call":
        return " ".join(("call", functions[args[0]], _values(args[1:]))).rstrip()
    if op == "extern":
        return " ".join(("extern", externs[args[0]], _values(args[1:]))).rstrip()
    if op == "tuple":
        return f"tuple {_values(args)}".rstrip()
    if op == "unpack":
        return f"unpack %{args[0]} {args[1]} {args[2]}"
    if op == "cast":
        return f"cast {_quote(args[0])} %{args[1]}"
    if op == "jump":
        return f"jump block{args[0]}"
    if op == "branch":
        return f"branch %{args[0]}, block{args[1]}, block{args[2]}"
    if op == "return":
        return f"return %{args[0]}"
    return f"raise {args[0]}" + ("" if args[1] is None else f" {_quote(args[1])}")


def _values(numbers: tuple[int, ...]) -> str:
    return ", ".join([f"%{number}" for number in numbers])


def _quote(text: str) -> str:
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def read(text: str) -> Module:
    """Read the text form back; ValueError, with the line, on anything else."""
    return _Reader(text).module()


class _Reader:
    """Reads line by line, each line token by token from the left."""

    def __init__(self, text: str) -> None:
        import re  # only readers of the text form need it

        token = re.compile(r'"(?:[^"\\]|\\.)*"|@\d+:\d+|%\d+|->|[(),:=]|[^\s"@%(),:=]+|\S')
        self.lines = [(n, token.findall(line)) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        self.at = 0
        self.functions: dict[str, int] = {}
        for _, tokens in self.lines:
            if tokens[0] == "func" and len(tokens) > 1:
                self.functions[tokens[1]] = len(self.functions)
        self.locals: dict[str, int] = {}
        self.externs: dict[str, int] = {}

    # The current line: what is left of it, and its number.

    def next_line(self) -> bool:
        if self.at == len(self.lines):
            return False
        self.number, tokens = self.lines[self.at]
        self.left = tokens[::-1]
        self.at += 1
        return True

    def comes(self, word: str) -> bool:
        """Whether the next line begins with this word (a block's label counts as the word block)."""
        if self.at == len(self.lines):
            return False
        first = self.lines[self.at][1][0]
        return first == word or (word == "block" and first.startswith("block") and first[5:].isdigit())

    def fail(self, expected: str) -> ValueError:
        found = repr(self.left[-1]) if self.left else "the end of the line"
        return ValueError(f"line {self.number} of the IR: expected {expected}, found {found}")

    def peek(self) -> str:
        return self.left[-1] if self.left else ""

    def take(self, word: str) -> None:
        if self.peek() != word:
            raise self.fail(repr(word))
        self.left.pop()

    def accept(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self.left.pop()
        return True

    def name(self, what: str) -> str:
        if not self.left or self.peek()[0] in '"@%(),:=':
            raise self.fail(what)
        return str(self.left.pop())

    def prefixed(self, prefix: str, what: str) -> int:
        token = self.peek()
        if not token.startswith(prefix) or not token[len(prefix) :].isdecimal():
            raise self.fail(what)
        self.left.pop()
        return int(token[len(prefix) :])

    def one_of(self, known: dict[str, int], what: str) -> int:
        if self.peek() not in known:
            raise self.fail(what)
        return known[self.left.pop()]

    def string(self) -> str:
        token = self.peek()
        if len(token) < 2 or token[0] != '"':
            raise self.fail("a text in quotes")
        self.left.pop()
        try:
            return str(token[1:-1].encode("ascii"), "unicode_escape")
        except UnicodeError:
            raise ValueError(f"line {self.number} of the IR: a text with a character that is not escaped") from None

    def span(self) -> tuple[int, int]:
        token = self.peek()
        if len(token) < 2 or token[0] != "@":
            raise self.fail("a span such as @0:5")
        self.left.pop()
        start, end = token[1:].split(":")
        return int(start), int(end)

    def values(self) -> list[int]:
        numbers: list[int] = []
        while self.peek().startswith("%"):
            numbers.append(self.prefixed("%", "a value"))
            if not self.accept(","):
                break
        return numbers

    def end(self) -> None:
        if self.left:
            raise self.fail("the end of the line")

    # The parts of a module.

    def module(self) -> Module:
        self.number, self.left = 1, []
        if not self.next_line():
            raise self.fail("'lines'")
        self.take("lines")
        starts = []
        while self.left:
            starts.append(self.prefixed("", "the start of a line"))
        if self.comes("externs"):
            self.next_line()
            self.take("externs")
            while self.left:
                self.externs[self.name("a name")] = len(self.externs)
        functions = []
        while self.next_line():
            functions.append(self.function())
        return Module(functions, starts, tuple(self.externs))

    def function(self) -> Function:
        self.take("func")
        name = self.name("a name")
        self.take("(")
        params = []
        while not self.accept(")"):
            param = self.name("a parameter")
            annotation = self.string() if self.accept(":") else None
            params.append(Parameter(param, annotation, *self.span()))
            if self.peek() != ")":
                self.take(",")
        returns, returns_span = None, (0, 0)
        if self.accept("->"):
            returns, returns_span = self.string(), self.span()
        start, end = self.span()
        self.end()
        self.next_line()
        self.take("locals")
        local_names = self.left[::-1]
        self.locals = {local: at for at, local in enumerate(local_names)}
        blocks: list[Block] = []
        position = 0
        while self.comes("block"):
            self.next_line()
            self.take(f"block{len(blocks)}")
            self.take(":")
            self.end()
            block: Block = []
            while self.at < len(self.lines) and not self.comes("block") and not self.comes("func"):
                self.next_line()
                block.append(self.instruction(position))
                position += 1
            blocks.append(block)
        return Function(name, params, returns, *returns_span, local_names, blocks, start, end)

    def instruction(self, position: int) -> Instruction:
        result = self.peek().startswith("%")
        if result:
            self.take(f"%{position}")
            self.take("=")
        word = self.name("an instruction")
        op = word if word in OPCODES else "prim"
        if result == (op in WITHOUT_RESULT):
            raise ValueError(f"line {self.number} of the IR: {word} {'has no' if result else 'needs a'} result")
        instruction = Instruction(op, self.operands(op, word), *self.span())
        self.end()
        return instruction

    def operands(self, op: str, word: str) -> tuple[Any, ...]:
        if op == "prim":
            return (word, *self.values())
        if op == "const":
            return (self.literal(),)
        if op == "call":
            return (self.one_of(self.functions, "a function of this module"), *self.values())
        if op == "extern":
            return (self.one_of(self.externs, "a function of the host"), *self.values())
        if op == "tuple":
            return tuple(self.values())
        if op == "cast":
            return self.string(), self.prefixed("%", "a value")
        if op == "raise":
            return self.name("an exception"), self.string() if self.peek().startswith('"') else None
        if op == "get":
            return (self.one_of(self.locals, "a local"),)
        if op == "jump":
            return (self.prefixed("block", "a block"),)
        if op == "set":
            local = self.one_of(self.locals, "a local")
            self.take(",")
            return local, self.prefixed("%", "a value")
        value = self.prefixed("%", "a value")
        if op == "return":
            return (value,)
        if op == "unpack":
            return value, self.prefixed("", "a number"), self.prefixed("", "a number")
        self.take(",")
        yes = self.prefixed("block", "a block")
        self.take(",")
        return value, yes, self.prefixed("block", "a block")

    def literal(self) -> Literal:
        token = self.peek()
        if token.startswith('"'):
            return self.string()
        if token in ("None", "True", "False"):
            self.left.pop()
            return {"None": None, "True": True, "False": False}[token]
        try:
            value: Literal = int(token) if token.lstrip("-").isdecimal() else float(token)
        except ValueError:
            raise self.fail("a literal") from None
        self.left.pop()
        return value
