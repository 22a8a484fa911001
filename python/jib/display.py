"""A function as notebooks show it.

In: a `Function`. Out: HTML. Always holds: all that a person wrote is escaped, and stands where pages look for no formulas; nothing
is compiled or called.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .function import Function

#: Specialisations, and characters of the text, that are shown; a function may have 256, and a million.
MOST, LONGEST = 12, 20_000


def function_html(function: Function) -> str:
    """Its signature, its text, and what has been compiled of it.

    >>> from jib import compile
    >>> f = compile("def twice(x): return x + x")
    >>> f(2.5)
    5.0
    >>> print(function_html(f))
    <div><code>twice(x)</code>
    <pre style="...">...def... ...twice...</pre>
    <table>
    <tr><th>arguments</th><th>result</th>...<th>bytes</th></tr>
    <tr><td>float</td><td>float</td>...</tr>
    </table></div>
    """
    from .highlight import html, visible
    from .specializations import Specializations

    parts = [f"<div><code>{escape(visible(f'{function.__name__}{function.__signature__}'))}</code>"]
    source = function.source.strip("\n")
    parts.append(html(source[:LONGEST], "jib"))
    if len(source) > LONGEST:
        parts.append(f"<div>and {len(source) - LONGEST:,} more characters</div>")
    made = function.specializations
    if made:
        parts.append(Specializations(made[:MOST])._repr_html_())
    if len(made) > MOST:
        parts.append(f"<div>and {len(made) - MOST} more</div>")
    return "\n".join(parts) + "</div>"
