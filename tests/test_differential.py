"""A small budget of generated programs against CPython; `make fuzz` has the large one."""

from __future__ import annotations

import pytest

from differential.fuzz import candidate, fuzz


@pytest.mark.usefixtures("verified")
def test_generated_programs_mean_what_cpython_means() -> None:
    summary = fuzz(300, 0, at_most=3, report=0)
    print(summary)
    assert not summary.findings, "\n".join(candidate(finding) for finding in summary.findings)
    # A generator whose programs nobody takes, or that all fail, would show nothing.
    assert sum(summary.refused.values()) < 30
    assert summary.values * 3 > summary.calls
