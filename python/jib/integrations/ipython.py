"""IPython and Jupyter: `%load_ext jib`.

In: a shell of IPython. Out: `%jib` and `%%jib` in it, and their completions. Always holds: unloading takes away all that
loading has brought; what fails in a text is shown with its place in the cell and without a traceback of ours; a cell that fails
changes no name.
"""

from __future__ import annotations

import contextlib
import sys
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from ..api import STAGES, compile
from ..cli import OPTIONS
from ..errors import CompileError, ParseError
from ..sessions.fit import TOLD
from .cells import Cells, Done, Place, Untyped, dumped
from .completion import completions
from .meanings import usable

if TYPE_CHECKING:
    from argparse import Namespace

#: The options of `%%jib` that say which session a cell belongs to, and their values.
CHOICES: dict[str, tuple[str, ...]] = {
    "arithmetic": OPTIONS["arithmetic"] or (),
    "engine": OPTIONS["engine"] or (),
    "opt_level": OPTIONS["opt_level"] or (),
}

#: All options, as they are completed.
WORDS: dict[str, Iterable[str] | None] = {
    "--dump": STAGES, "--signature": (), "--name": (), "--help": None,
    **{f"--{name.replace('_', '-')}": values for name, values in CHOICES.items()},
}  # fmt: skip


@magics_class
class JibMagics(Magics):
    """`%jib` and `%%jib` of one shell, with a session for each choice of options that its cells have made."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.cells: dict[tuple[str, ...], Cells] = {}
        self.undo: list[Callable[[], object]] = []

    @line_cell_magic
    @no_var_expand
    @needs_local_scope
    @magic_arguments()
    @argument("--dump", metavar="STAGE", choices=STAGES, help=f"show a stage of the last function: {' '.join(STAGES)}")
    @argument("--signature", metavar="TYPES", help='the types of the last function, as in "float(float, int)"')
    @argument("--name", metavar="NAME", help="the cell by itself is one function of this name, of its free names")
    @argument("--arithmetic", choices=CHOICES["arithmetic"], default="python", help="whose rules hold for numbers")
    @argument("--engine", choices=CHOICES["engine"], default="auto", help="what runs the cell")
    @argument("--opt-level", choices=CHOICES["opt_level"], default="speed", help="how much is optimised")
    @argument("--help", action="store_true", help="show this")
    def jib(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Run a text of jib: the rest of a line after %jib, or a cell under %%jib, whose value is that of its last expression.

        Definitions become functions of the namespace, assignments its values. Free names mean what they mean in the namespace:
        numbers, bools, None, tuples of these, arrays of NumPy, functions that such cells define. A definition that comes again
        is seen by all that call it. Cells with another --arithmetic, --engine or --opt-level have a session of their own.
        """
        options = parse_argstring(self.jib, "" if cell is None else line)
        if options.help or (cell is None and line.strip() in ("", "--help")):
            print(self.jib.parser.format_help())
            return None
        space: Mapping[str, Any] = self.shell.user_ns
        if local_ns is not None and local_ns is not space:
            space = ChainMap(dict(local_ns), self.shell.user_ns)
        try:
            if cell is None:
                return self._run(line, space, Place("<jib>", "%jib", 0), options)
            return self._run(cell, space, self._place(), options)
        except Untyped as problem:
            raise UsageError(f"--dump: {problem}") from None
        except UsageError:
            raise
        except BaseException as problem:
            _tame(problem)
            # IPython asks exceptions how to show them, but not SyntaxErrors: those go to `_show_mistake`.
            with contextlib.suppress(Exception):
                problem._render_traceback_ = partial(_rendered, self.shell, problem)  # type: ignore[attr-defined]
            raise

    def _place(self) -> Place:
        """Where the running cell stands, as IPython's own tracebacks say it."""
        frame: Any = sys._getframe(1)
        while frame is not None:
            label = self.shell.compile.format_code_name(frame.f_code.co_filename)
            if label is not None:
                return Place(frame.f_code.co_filename, " ".join(label), 1)
            frame = frame.f_back
        return Place("<jib>", "%%jib", 1)

    def _run(self, text: str, space: Mapping[str, Any], place: Place, options: Namespace) -> Any:
        signature, name, stage = _unquoted(options.signature), _unquoted(options.name), options.dump
        chosen = {option: getattr(options, option) for option in CHOICES}
        cells = self.cells.get(tuple(chosen.values()))
        if cells is None:
            cells = self.cells[tuple(chosen.values())] = Cells(**chosen)
        if name is not None:
            if not name.isidentifier() or iskeyword(name):
                raise UsageError(f"--name is a name, not {name!r}")
            with cells.shown(place):
                function = compile(text, signature, name=name, **chosen)
                done = Done(None, {name: function}, None if stage is None else dumped(function, stage), {})
        elif signature is not None and not cells.defines(text, place):
            raise UsageError("--signature is for a cell that defines a function; --name makes one of any cell")
        else:
            done = cells.run(text, space, place, signature, stage)
        self.shell.user_ns.update(done.names)
        for broken, problem in done.broken.items():
            print("\n".join([*_rendered(self.shell, problem), TOLD.format(broken)]), file=sys.stderr)
        if stage is not None and done.dump is not None:
            self._show(done.dump, stage)
        return done.value

    def _show(self, text: str, language: str) -> None:
        """Show a text, in colours where there are some."""
        from ..highlight import coloured, html, visible

        if hasattr(self.shell, "kernel"):
            from IPython.display import display

            display({"text/plain": visible(text), "text/html": html(text, language)}, raw=True)
        else:
            print(coloured(text, language) if _has_colours(self.shell) else visible(text))

    def known(self) -> list[str]:
        """Names of the namespace that a text can use, by their looks: nothing is asked of the objects."""
        return [name for name, value in self.shell.user_ns.items() if name[:1] != "_" and usable(value)]


def _has_colours(shell: Any) -> bool:
    """Whether the shell is one in a terminal, with colours."""
    from ..highlight import wants_colour

    return not hasattr(shell, "kernel") and str(shell.colors).lower() != "nocolor" and wants_colour(sys.stdout)


def _unquoted(word: str | None) -> str | None:
    """A word of a magic's line, which comes with its quotes."""
    return word[1:-1] if word is not None and len(word) > 1 and word[0] in "'\"" and word[-1] == word[0] else word


def _tame(problem: BaseException) -> None:
    """What an exception shows of the text cannot drive the terminal."""
    from ..highlight import aligned

    if isinstance(problem, SyntaxError) and type(problem.text) is str:
        problem.text = aligned(problem.text)
    notes = getattr(problem, "__notes__", None)
    if type(notes) is list:
        notes[:] = [aligned(note) if type(note) is str else note for note in notes]


def _rendered(shell: Any, problem: BaseException) -> list[str]:
    """An exception as IPython shows a SyntaxError: no traceback, and its notes, which older ones leave out."""
    from ..highlight import visible

    shown = problem
    if len(problem.args) == 1 and type(problem.args[0]) is str and visible(problem.args[0]) != problem.args[0]:
        shown = type(problem)(visible(problem.args[0]))
        shown.__dict__.update(problem.__dict__)
    lines = [line.rstrip("\n") for line in shell.SyntaxTB.structured_traceback(type(shown), shown, [])]
    text = "\n".join(lines)
    return lines + [note for note in getattr(problem, "__notes__", ()) if type(note) is str and note not in text]


def _show_mistake(shell: Any, kind: type, problem: Any, trace: Any, tb_offset: Any = None) -> None:
    """Show a mistake: one in a text of ours without a traceback, any other as ever."""
    if "_render_traceback_" in vars(problem):
        shell.showsyntaxerror()
    else:
        shell.showtraceback((kind, problem, trace), tb_offset=tb_offset, running_compiled_code=True)


# --------------------------------------------------------------------------------------------------------- loading


def load(shell: Any) -> None:
    """Give a shell what this file has, if it has not got it yet."""
    if "JibMagics" in shell.magics_manager.registry:
        return
    magics = JibMagics(shell)
    shell.register_magics(magics)
    for part in (_mistakes, _completions, _listings):
        magics.undo.append(part(shell, magics))


def unload(shell: Any) -> None:
    """Take it away again, and forget the sessions."""
    magics = shell.magics_manager.registry.pop("JibMagics", None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("jib", None)
    for undo in reversed(magics.undo):
        undo()


def _mistakes(shell: Any, magics: JibMagics) -> Callable[[], object]:
    """IPython's hook for exceptions, which keeps doing for others what it did."""
    before, show_before = shell.custom_exceptions, shell.CustomTB
    others = tuple(before) if isinstance(before, (tuple, list)) else (before,)

    def show(shell: Any, kind: type, problem: Any, trace: Any, tb_offset: Any = None) -> Any:
        if isinstance(problem, (ParseError, CompileError)):
            return _show_mistake(shell, kind, problem, trace, tb_offset)
        return show_before(kind, problem, trace, tb_offset)

    shell.set_custom_exc((ParseError, CompileError, *others), show)
    ours = shell.CustomTB

    def undo() -> None:
        if shell.CustomTB is ours:
            shell.custom_exceptions, shell.CustomTB = before, show_before

    return undo


def _completions(shell: Any, magics: JibMagics) -> Callable[[], object]:
    @context_matcher(identifier="jib")  # type: ignore[untyped-decorator, unused-ignore]
    def matcher(context: Any) -> dict[str, Any]:
        line = context.line_with_cursor[: context.cursor_position]
        found = completions(context.full_text, context.cursor_line, line, magics.known(), WORDS)
        if found is None:
            return {"completions": []}
        texts = [SimpleCompletion(text) for text in found.texts]
        return {"completions": texts, "matched_fragment": found.fragment, "suppress": True}

    shell.Completer.custom_matchers.append(matcher)
    return partial(shell.Completer.custom_matchers.remove, matcher)


def _listings(shell: Any, magics: JibMagics) -> Callable[[], object]:
    """What `f.dump()` gives is shown as lines, not as a string; notebooks ask it for HTML."""
    from ..highlight import coloured, visible

    def pretty(listing: Any, printer: Any, cycle: bool) -> None:
        text = str(listing)
        printer.text(coloured(text, listing.stage) if _has_colours(shell) else visible(text))

    formatter = shell.display_formatter.formatters["text/plain"]
    formatter.for_type_by_name("jib.listing", "Listing", pretty)

    def undo() -> None:
        with contextlib.suppress(KeyError):
            formatter.pop("jib.listing.Listing")

    return undo
