"""The command line, `python -m jib`.

In: the words after `python -m jib`. Out: what the program answers, on stdout, and an exit status: 0 fine, 1 the program failed,
2 bad usage, 130 interrupted. Always holds: what went wrong goes to stderr in Python's own form, without a traceback of ours.

The words are read by hand: argparse costs a third of the time that jib takes to start, and refuses `-c "-a + b"`.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from .light import TYPE_CHECKING, NamedTuple
from .limits import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

USAGE = """\
usage: python -m jib
       python -m jib -c TEXT [name=value ...]
       python -m jib FILE [name=value ...]
       python -m jib dump STAGE [--signature TYPES] (-c TEXT | FILE)
       python -m jib dump all --output FOLDER [--signature TYPES] (-c TEXT | FILE)
       python -m jib bench [--quick | --full] [--tables NAMES] [--json FILE]
       python -m jib < SCRIPT
"""

HELP = (
    USAGE
    + """
Without a text, a session: at a terminal it asks for lines; from a pipe it reads them, without
banner or prompt, and goes on after those that fail. With one, it runs it and prints its value;
`-` as FILE is the standard input. Values are written as in Python: 7, 2.5, True.

  -c TEXT                the program itself
  dump STAGE             print a stage instead: {stages}
  dump all               write every stage to a file, and print the names of the files
  bench                  measure jib here, beside whatever peers are installed; bench --help says more
  --signature TYPES      fix the types, as in "(int, float)" or "float(float, int)"
  --params NAMES         the parameters in their order, as in a,b
  --arithmetic RULES     python (the default) or numpy
  --engine ENGINE        native, interpreter, or auto, which interprets first
  --opt-level LEVEL      speed (the default) or none
  --version              print the version
  --help                 print this

With dump:
  --source               put the lines of the text above the code that came from them
  --bytes                put the bytes of instructions beside their offsets (asm)
  --target MACHINE       show clif, clif-opt and asm for {targets}
  --output FOLDER        where "dump all" writes

exit status: 0 fine, 1 the program failed, 2 bad usage, 130 interrupted
"""
)

# The options that take a value, and the values they take; None: any.
OPTIONS: dict[str, tuple[str, ...] | None] = {
    "signature": None,
    "params": None,
    "arithmetic": ("python", "numpy"),
    "engine": ("native", "interpreter", "auto"),
    "opt_level": ("speed", "none"),
    "target": None,
    "output": None,
}
# Those that take none.
FLAGS = ("source", "bytes")
# Those that go with dump alone; they are not for `compile`.
LOOKING = (*FLAGS, "target", "output")


class UsageError(Exception):
    """The words make no sense; the message says why."""


class Request(NamedTuple):
    """What the words ask for. `text` is None where `file` must be read; both are where nothing is named: a session."""

    stage: str | None
    text: str | None
    file: str | None
    values: dict[str, int | float | bool]
    options: dict[str, Any]


def main(words: list[str]) -> int:
    """Does what the words ask for; the exit status."""
    try:
        return _main(words)
    except UsageError as error:
        print(f"{USAGE}python -m jib: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("KeyboardInterrupt", file=sys.stderr)
        return 130


def _main(words: list[str]) -> int:
    if not words:
        return _session({})
    if words[0] == "bench":
        return _bench(words[1:])
    if "--help" in words[:2] or "-h" in words[:1]:
        return _answer(_help)
    if "--version" in words[:1]:
        from . import __version__

        return _answer(lambda: f"jib {__version__}")
    request = read_request(words)
    if request.text is None and request.file is None:
        return _session(request.options)
    text = request.text if request.text is not None else read_file(request.file or "-")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        print(f"python -m jib: the text is not UTF-8: {ascii(text[error.start])} at {error.start}", file=sys.stderr)
        return 1
    return _answer(lambda: perform(request, text), name=request.file or "<string>")


def _session(options: dict[str, Any]) -> int:
    """Talks to a person, or reads a script from a pipe."""
    from . import Session
    from .repl import repl
    from .repl.console import Lost

    strange = [name for name in ("signature", "params") if name in options]
    if strange:
        raise UsageError(f"--{strange[0]} is for a text: -c TEXT or FILE")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return repl(Session(**options))
    except Lost as lost:
        return _unwritten(lost.__cause__)


def _bench(words: list[str]) -> int:
    from .bench.cli import main as bench

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = bench(words)
        sys.stdout.flush()
    except BrokenPipeError as error:
        return _unwritten(error)
    return status


def _help() -> str:
    from . import STAGES
    from .dump import targets

    return HELP.replace("{stages}", ", ".join(STAGES)).replace(
        "{targets}", ", ".join(name for name, built in targets().items() if built)
    )


def read_request(words: list[str]) -> Request:
    """What the words ask for.

    >>> read_request(["-c", "a + b", "a=7", "b=-2.5"])
    Request(stage=None, text='a + b', file=None, values={'a': 7, 'b': -2.5}, options={})
    >>> read_request(["dump", "clif", "gcd.jib", "--opt-level=none"])
    Request(stage='clif', text=None, file='gcd.jib', values={}, options={'opt_level': 'none'})
    """
    rest = iter(words)
    stage: str | None = None
    text: str | None = None
    file: str | None = None
    values: dict[str, int | float | bool] = {}
    options: dict[str, Any] = {}
    if words[0] == "dump":
        from . import STAGES

        next(rest)
        stage = next(rest, None)
        if stage not in (*STAGES, "all"):
            raise UsageError(f"dump needs a stage: {', '.join(STAGES)}, or all" + (f"; not {stage!r}" if stage else ""))
    for word in rest:
        if word.startswith("--"):
            option, equals, value = word[2:].partition("=")
            name = option.replace("-", "_")
            if name in LOOKING and stage is None:
                raise UsageError(f"--{option} goes with dump")
            if name in FLAGS and not equals:
                options[name] = True
            elif name in OPTIONS:
                options[name] = _option(name, value if equals else next(rest, None))
            else:
                raise UsageError(f"there is no option {word!r}")
        elif text is None and file is None:
            if word == "-c":
                text = next(rest, None)
                if text is None:
                    raise UsageError("-c needs a text")
            elif word.startswith("-") and word != "-":
                raise UsageError(f"there is no option {word!r}")
            else:
                file = word
        else:
            name, equals, value = word.partition("=")
            if not equals or stage is not None:
                raise UsageError(
                    f"{word!r} is one word too many" + ("" if stage else "; values are written name=value")
                )
            if name in values:
                raise UsageError(f"{name!r} is given twice")
            values[name] = read_value(name, value)
    if text is None and file is None and (stage is not None or not options):
        raise UsageError("a text is missing: -c TEXT or FILE")
    if stage is not None:
        _check_looking(stage, options)
    return Request(stage, text, file, values, options)


def _check_looking(stage: str, options: dict[str, Any]) -> None:
    """Whether what is asked for can be shown of a stage."""
    from .dump import check, targets

    if (stage == "all") != ("output" in options):
        raise UsageError("dump all needs --output FOLDER" if stage == "all" else "--output goes with dump all")
    target = options.get("target")
    known = targets()
    if target is not None and target not in known:
        raise UsageError(f"--target is {' or '.join(name for name in known if known[name])}, not {target!r}")
    if stage != "all":
        try:
            check(stage, source="source" in options, target=target, bytes="bytes" in options)
        except ValueError as error:
            raise UsageError(str(error)) from None


def _option(name: str, value: str | None) -> str | tuple[str, ...]:
    allowed = OPTIONS[name]
    if value is None:
        raise UsageError(f"--{name.replace('_', '-')} needs a value")
    if allowed is not None and value not in allowed:
        raise UsageError(f"--{name.replace('_', '-')} is {' or '.join(allowed)}, not {value!r}")
    return tuple(part.strip() for part in value.split(",")) if name == "params" else value


def read_value(name: str, text: str) -> int | float | bool:
    """A value as Python writes it.

    >>> [read_value("x", text) for text in ["7", "-0x10", "1e3", "-inf", "True"]]
    [7, -16, 1000.0, -inf, True]
    """
    if text in ("True", "False"):
        return text == "True"
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        if not text.strip("+-").isdecimal():  # an int with too many digits would be inf
            return float(text)
    except ValueError:
        pass
    raise UsageError(f"{name}={text}: a value is an int, a float, True or False")


def read_file(file: str) -> str:
    """The text of a file, of the standard input for `-`; bytes that are not UTF-8 come as surrogates, as in words."""
    try:
        with open(
            0 if file == "-" else file, encoding="utf-8-sig", errors="surrogateescape", closefd=file != "-"
        ) as stream:
            return stream.read(
                DEFAULT.characters + 1
            )  # of a longer one, or of a device that never ends, enough to be refused
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UsageError(f"cannot read {file!r}: {getattr(error, 'strerror', None) or error}") from None


def perform(request: Request, text: str) -> str | None:
    """Compiles, and runs or dumps; what is to be printed, if anything."""
    from . import compile

    options = dict(request.options)
    if request.stage is not None:
        return _look(request.stage, text, options)
    function = compile(text, **options)
    args, kwargs = arguments(function, request.values, text)
    value = function(*args, **kwargs)
    return None if value is None else repr(value)


def _look(stage: str, text: str, options: dict[str, Any]) -> str:
    """A stage, in colours where they can be seen; or the names of the files that all were written to."""
    from . import compile

    signature = options.pop("signature", None)
    folder = options.pop("output", None)
    how = {name: options.pop(name) for name in LOOKING if name in options}
    function = compile(text, **options)
    try:
        if folder is not None:
            return "\n".join(map(str, function.dump_all(folder, signature, **how)))
        listing = function.dump(stage, signature, **how)
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        # What says that there are no types says how they are given, which is otherwise here.
        raise ValueError(str(error).replace('signature="', '--signature "')) from None
    from .highlight import coloured, wants_colour

    return coloured(listing, stage) if wants_colour(sys.stdout) else listing


def arguments(
    function: Any, values: dict[str, int | float | bool], text: str
) -> tuple[list[int | float | bool], dict[str, int | float | bool]]:
    """The values as positional and keyword arguments; every parameter has one or a default, and there are no others."""
    params = function.params
    strange = [name for name in values if name not in params]
    if strange:
        takes = f"it takes {', '.join(params)}" if params else "it takes none"
        raise UsageError(f"the text has no parameter {', '.join(map(repr, strange))}; {takes}")
    missing = [name for name in params if name not in values]
    # Defaults and positional-only parameters are told by the signature, whose module is slow to import.
    if missing or ("/" in text and ("def" in text or "lambda" in text)):
        signature = function.__signature__.parameters
        missing = [name for name in missing if signature[name].default is signature[name].empty]
        if missing:
            raise UsageError(
                f"the text needs {', '.join(missing)}: write {' '.join(f'{name}=...' for name in missing)}"
            )
        first = [name for name in values if signature[name].kind is signature[name].POSITIONAL_ONLY]
        first.sort(key=list(params).index)
        gap = params[len(first)] if list(params[: len(first)]) != first else None
        if gap is not None:
            raise UsageError("positional-only parameters with defaults can only be left out from the end")
        return [values[name] for name in first], {name: value for name, value in values.items() if name not in first}
    return [], values


def _answer(work: Callable[[], str | None], name: str = "<string>") -> int:
    """Prints what the work gives, or how it failed; the exit status."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may have letters that the terminal has not
    try:
        answer = work()
    except UsageError:
        raise
    except BrokenPipeError as error:  # the program printed into it
        return _unwritten(error)
    except Exception as error:
        return _failed(error, name)
    try:
        if answer is not None:
            print(answer.removesuffix("\n"))
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return _unwritten(error)
    return 0


def _failed(error: Exception, name: str) -> int:
    from traceback import format_exception_only

    if isinstance(error, SyntaxError) and error.filename in (None, "<jib>"):
        error.filename = name
    lines = format_exception_only(error)
    if sys.version_info < (3, 11):  # notes are younger
        lines += [f"{note}\n" for note in getattr(error, "__notes__", [])]
    try:
        if sys.stdout is not None:
            sys.stdout.flush()  # what the program printed comes first
    except OSError:
        _forget_output()
    sys.stderr.write("".join(lines))
    return 1


def _unwritten(error: BaseException | None) -> int:
    """What is printed goes nowhere: no success. That nobody reads any more is no reason for words."""
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        print(f"python -m jib: cannot write: {error.strerror or error}", file=sys.stderr)
    _forget_output()
    return 1


def _forget_output() -> None:
    """What is still buffered goes nowhere, so that Python's own flush at exit cannot fail again."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
