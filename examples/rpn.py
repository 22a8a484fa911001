"""Another language on top of jib: reverse Polish notation, with branches and loops. Its frontend is the class `Translation`.

    x dup * y dup * + sqrt                              numbers and names push; operators take from the stack, and push
    x 0 > if x else x neg then                          what `if` takes decides
    a b begin dup while swap over mod repeat drop       as long as what `while` takes is true

Names are parameters, in order of appearance; what is on the stack at the end is the value, or a tuple of all.
Run it: python examples/rpn.py ["words" [argument …]]
"""

from __future__ import annotations

import re
import sys
import traceback
from typing import NamedTuple

import jib
from jib import frontend, ir

PRIMITIVES = {
    "+": ("add", 2), "-": ("sub", 2), "*": ("mul", 2), "/": ("truediv", 2), "//": ("floordiv", 2), "mod": ("mod", 2),
    "**": ("power", 2), "<": ("lt", 2), "<=": ("le", 2), ">": ("gt", 2), ">=": ("ge", 2), "=": ("eq", 2), "<>": ("ne", 2),
    "neg": ("neg", 1), "not": ("not", 1), "abs": ("abs", 1), "sqrt": ("sqrt", 1), "exp": ("exp", 1), "log": ("log", 1),
    "sin": ("sin", 1), "cos": ("cos", 1), "floor": ("floor", 1), "min": ("min", 2), "max": ("max", 2),
}  # fmt: skip

#: How many each takes, and which of these it pushes.
SHUFFLES = {"dup": (1, (0, 0)), "drop": (1, ()), "swap": (2, (1, 0)), "over": (2, (0, 1, 0)), "rot": (3, (1, 2, 0))}

Span = tuple[int, int]


class Open(NamedTuple):
    """What has begun and not ended: how high the stack was then, a label, and for a loop where it ends and how high the stack is there."""

    word: str
    span: Span
    height: int
    label: int
    end: int = -1
    after: int = -1


class Translation:
    """A text, word by word. Each place of the stack is a local, and how high the stack is is known at every word."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = [(found[0], found.span()) for found in re.finditer(r"\S+", text)]
        names = [word for word, _ in self.words if word.isidentifier() and not self.is_known(word)]
        self.params = list(dict.fromkeys(names))
        self.f = frontend.Builder("rpn", self.params)
        self.stack: list[int] = []  # the locals of all places that were ever needed
        self.height = 0
        self.open: list[Open] = []

    def is_known(self, word: str) -> bool:
        return word in PRIMITIVES or word in SHUFFLES or hasattr(self, f"{word}_")

    def mistake(self, span: Span, message: str) -> jib.ParseError:
        return frontend.mistake(self.text, span, message)

    def function(self) -> ir.Function:
        for word, span in self.words:
            if word in PRIMITIVES:
                name, count = PRIMITIVES[word]
                self.push(self.f.prim(name, self.pop(count, word, span), span), span)
            elif word in SHUFFLES:
                count, kept = SHUFFLES[word]
                values = self.pop(count, word, span)
                for at in kept:
                    self.push(values[at], span)
            elif self.is_known(word):
                getattr(self, f"{word}_")(span)
            elif word.isidentifier():
                self.push(self.f.get(self.params.index(word), span), span)
            else:
                self.push(self.f.const(self.number(word, span), span), span)
        if self.open:
            raise self.mistake(self.open[-1].span, f"'{self.open[-1].word}' does not end")
        end = (max(0, len(self.text) - 1), len(self.text))
        values = self.pop(max(1, self.height), "the end", end)
        self.f.leave(values[0] if len(values) == 1 else self.f.tuple(values, end), end)
        return self.f.finish()

    def number(self, word: str, span: Span) -> float:
        for kind in (int, float):
            try:
                value = kind(word)
            except ValueError:
                continue
            if kind is int and not -(1 << 63) <= value < 1 << 63:
                raise self.mistake(span, "an int has 64 bits")
            return value
        raise self.mistake(span, f"there is no word '{word}'")

    def push(self, value: int, span: Span) -> None:
        if self.height == len(self.stack):
            self.stack.append(self.f.local(f"stack.{self.height}"))
        self.f.set(self.stack[self.height], value, span)
        self.height += 1

    def pop(self, count: int, word: str, span: Span) -> list[int]:
        """The values on top, the topmost last."""
        if self.height < count:
            raise self.mistake(span, f"{word} takes {count} from the stack, which has {self.height}")
        self.height -= count
        return [self.f.get(local, span) for local in self.stack[self.height : self.height + count]]

    # Control flow. Where two ways meet, the stack is equally high on both.

    def enclosing(self, word: str, span: Span, *begun: str) -> Open:
        if not self.open or self.open[-1].word not in begun:
            raise self.mistake(span, f"'{word}' without '{begun[0]}'")
        return self.open.pop()

    def meet(self, label: int, height: int, span: Span) -> None:
        if self.height != height:
            raise self.mistake(span, f"the stack has {self.height} here, and {height} on the other way")
        self.f.jump(label, span)

    def branch(self, word: str, span: Span) -> int:
        """Go on if what is on top is true; else to the label that this gives."""
        yes, no = self.f.label(), self.f.label()
        (value,) = self.pop(1, word, span)
        self.f.branch(value, yes, no, span)
        self.f.place(yes)
        return no

    def if_(self, span: Span) -> None:
        no = self.branch("if", span)
        self.open.append(Open("if", span, self.height, no))

    def else_(self, span: Span) -> None:
        begun, end = self.enclosing("else", span, "if"), self.f.label()
        self.f.jump(end, span)
        self.f.place(begun.label)
        self.open.append(Open("else", begun.span, self.height, end))
        self.height = begun.height

    def then_(self, span: Span) -> None:
        begun = self.enclosing("then", span, "if", "else")
        self.meet(begun.label, begun.height, span)
        self.f.place(begun.label)

    def begin_(self, span: Span) -> None:
        again = self.f.label()
        self.f.jump(again, span)
        self.f.place(again)
        self.open.append(Open("begin", span, self.height, again))

    def while_(self, span: Span) -> None:
        begun = self.enclosing("while", span, "begin")
        end = self.branch("while", span)
        self.open.append(begun._replace(word="while", end=end, after=self.height))

    def repeat_(self, span: Span) -> None:
        begun = self.enclosing("repeat", span, "while")
        self.meet(begun.label, begun.height, span)
        self.f.place(begun.end)
        self.height = begun.after


def compile(text: str, **options: object) -> jib.Function:
    """The function of a text in reverse Polish notation; `options` are those of `jib.compile_ir`."""
    return jib.compile_ir(Translation(text).function(), text, **options)  # type: ignore[arg-type]


EXAMPLES = (
    ("x dup * y dup * + sqrt", (3, 4)),
    ("x 0 > if x else x neg then", (-2.5,)),
    ("a b begin dup while swap over mod repeat drop", (1071, 462)),
    ("n 1 begin over 1 > while over * swap 1 - swap repeat swap drop", (20,)),
    ("a b // a b mod", (47, 6)),
)


def show(error: Exception) -> None:
    lines = traceback.format_exception_only(type(error), error)
    if sys.version_info < (3, 11):  # notes are younger
        lines += [f"{note}\n" for note in getattr(error, "__notes__", [])]
    print("".join(lines), end="")


def main(*words: str) -> None:
    if words:
        print(compile(words[0])(*[float(word) if "." in word else int(word) for word in words[1:]]))
        return
    for text, arguments in EXAMPLES:
        print(f"{text}\n    {arguments} -> {compile(text)(*arguments)}")
    print("\n--- what the function is made of")
    print(compile("x dup *").dump("ir"))
    print(compile("x dup *").dump("typed-ir", "(float)"))
    print("\n--- mistakes have their place in this text, at run time too")
    for text, numbers in (("x dup * +", [1]), ("x if 1 then", [1]), ("a b - c swap /", [2, 2, 1])):
        try:
            compile(text)(*numbers)
        except (jib.JitError, ZeroDivisionError) as error:
            show(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
