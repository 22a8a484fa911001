"""Options of the test suite.

Property tests draw the same examples every time, so that a failure is the change's own; `--hypothesis-profile=explore` draws others.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from jib import _native

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bless",
        action="store_true",
        help="make the `expect:` blocks of the filetests say what the stages say now",
    )


@pytest.fixture
def verified() -> Iterator[None]:
    """Meanwhile every stage's work is verified, as in debug builds: typed IR after inference and each pass, and CLIF.

    And first calls are for code that takes objects: so this is tried with every program that is called once.
    """
    before = _native._verify(True), _native._eager(True)
    yield
    _native._verify(before[0])
    _native._eager(before[1])
