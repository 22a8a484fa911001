"""The site's settings: `make docs` builds the pages of this folder into build/docs.

In: the Markdown pages, which are whole without Sphinx too, and the docstrings of the installed jib. Out: HTML.
Always holds: the pages' order is the one of index.md, links that leave this folder lead to pages where there are such, and no link, name or
anchor leads nowhere: a warning fails the build.
"""

import inspect
import re

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import jib
from jib import lexers

jib.Function.__annotations__ = {}  # of a function it is a property; autodoc asks the class, as it asks every class

project = "jib"
author = "the jib authors"
copyright = author
version = release = jib.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["captures"]
nitpicky = True
# Names that are not ours have no page here. What a docstring writes in backticks is a link if it is a name of ours, else code.
nitpick_ignore_regex = [
    ("py:class", r"(collections\.abc|inspect|os|pathlib|typing)\..*|Any|Iterable|Mapping|Path|Sequence"),
    ("py:class", r"Block|Where|builtins\.Default|jib\.api\.CacheInfo"),
    ("py:obj", ".*"),
]
default_role = "py:obj"

myst_heading_anchors = 4
highlight_language = "none"
smartquotes = False
copybutton_prompt_text = r">>> |\.\.\. |\$ |In \[\d*\]: "
copybutton_prompt_is_regexp = True

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = f"jib {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
pygments_style = "tango"
pygments_dark_style = "github-dark"

# Files of the repository that are pages here under other names.
ELSEWHERE = {
    "../CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../README.md": "index.md",
    "../benches/results/2026-12-01/results.md": "results.md",
}

ERRORS = {name for name in jib.__all__ if name.endswith("Error")}


def prepare(app: Sphinx, page: str, source: list[str]) -> None:
    """Links out of this folder, blocks without the empty line that ends an example, and on the first page the tree of pages, which are
    its lists."""
    text = re.sub(r"(?<=\]\()\.\./[\w/.-]+\.md", lambda link: ELSEWHERE.get(link[0], link[0]), source[0])
    text = re.sub(r"\n+(?=\n```$)", "", text, flags=re.MULTILINE)
    if page == "index":
        for title, section in re.findall(r"^## (.+)\n((?:(?!## ).*\n)+)", text, re.MULTILINE):
            pages = "\n".join(re.findall(r"^- \[.+?\]\((\S+)\.md\)", section, re.MULTILINE))
            text += f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n"
    source[0] = text


def found_by_end(app: Sphinx, env: BuildEnvironment, node: pending_xref, text: Element) -> Element | None:
    """A class that a signature calls by its bare name, or by its module's, because only type checkers import it."""
    domain = env.domains.python_domain
    end = "." + node["reftarget"]
    ends = [
        name for name, known in domain.objects.items() if name.endswith(end) and known.objtype in ("class", "exception")
    ]
    if node["refdomain"] != "py" or len(ends) != 1:
        return None
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", ends[0], node, text)


def mend(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """In docstrings, errors of jib's are links; parameters of the function itself are none; and what says nothing is left out."""
    try:
        own = set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        own = set()
    example = False
    for at, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            line = re.sub(
                r"(?<![`\w.])(?=[A-Z])(\w+)\b", lambda word: f"`{word[1]}`" if word[1] in ERRORS else word[1], line
            )
            lines[at] = re.sub(r"(?<!`)`(\w+)`(?!`)", lambda word: f"`{word[0]}`" if word[1] in own else word[0], line)
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    for lexer in (lexers.JibLexer, lexers.AstLexer, lexers.IrLexer, lexers.AsmLexer, lexers.ClifLexer):
        for alias in lexer.aliases:
            app.add_lexer(alias, lexer)
    app.connect("source-read", prepare)
    app.connect("autodoc-process-docstring", mend)
    app.connect("missing-reference", found_by_end)
