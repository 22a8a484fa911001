"""Every `>>>` in README.md and docs/ runs, and gives what stands under it.

One page is one session. Fences of code blocks are blanked first: to doctest a closing fence would be expected output.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if ">>>" in path.read_text(encoding="utf-8")
)
FENCE = re.compile(r"^[ \t]*(```|~~~).*$", re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_examples_run(name: str) -> None:
    text = FENCE.sub("", (ROOT / name).read_text(encoding="utf-8"))
    examples = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, name, name, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    if runner.run(examples, out=report.append).failed:
        pytest.fail("".join(report), pytrace=False)
