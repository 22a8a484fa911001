"""The table of planted faults fits the sources; `make mutants` plants them."""

from __future__ import annotations

from collections import Counter

import pytest

from mutants.mutant import Mutant
from mutants.plant import CORE, ROOT, mutated
from mutants.table import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_its_file(mutant: Mutant) -> None:
    assert mutated(mutant) != (ROOT / CORE / mutant.file).read_text(encoding="utf-8")


def test_the_table() -> None:
    assert all(count == 1 for count in Counter(mutant.name for mutant in MUTANTS).values())
    rooms = Counter(mutant.file.split("/")[0] for mutant in MUTANTS)
    assert len(MUTANTS) >= 24 and {"codegen", "types", "opt", "ir"} <= rooms.keys()
    assert all(mutant.what for mutant in MUTANTS)
