"""A small budget of generated programs against CPython; `make fuzz` has the large one."""

from __future__ import annotations

from differential.campaign import numbers, run
from differential.findings import candidate


def test_generated_programs_mean_what_cpython_means() -> None:
    tally = run(numbers(0, 300), at_most=3)
    print(tally)
    assert not tally.findings, "\n".join(candidate(finding) for finding in tally.findings)
    # A generator whose programs nobody takes, or that all fail, would show nothing.
    assert sum(tally.refused.values()) < 30
    assert tally.values * 3 > tally.values + tally.failures
