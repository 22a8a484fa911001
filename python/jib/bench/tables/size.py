"""Installed size: the files of each package, and of all that it needs, as their distributions list them."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import jib

from ..measure import Cell, Meter
from ..say import Table

#: None of them is imported: whoever is installed is weighed.
WEIGHED = ("jib", "numexpr", "numba", "asteval", "simpleeval", "sympy", "cffi")


def measure(meter: Meter) -> tuple[list[Table], list[str]]:
    absent = []
    table = Table("Installed size", "package")
    for name in meter.over(WEIGHED):
        try:
            found = needed(name)
        except PackageNotFoundError:
            absent.append(name)
            continue
        sizes = {each: own(found[each]) for each in found}
        total, of_it = sum(sizes.values()), sizes[name]
        label = ", ".join([name, *sorted(each for each in sizes if each != name)])
        table.rows[label] = {
            "of its own": Cell(of_it, of_it, of_it, 1, "B"),
            "with what it needs": Cell(total, total, total, 1, "B"),
        }
    table.notes.append("Bytes of files, without bytecode; extras are not counted, nor is Python.")
    return [table], absent


def needed(name: str) -> dict[str, Distribution]:
    """The distribution, and those that it needs here, and that these need."""
    found: dict[str, Distribution] = {}
    left = [name]
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = distribution(name)
        for requirement in found[name].requires or []:
            words, _, marker = requirement.partition(";")
            if holds(marker):
                left.append(normalised(re.split(r"[^\w.-]", words.strip(), maxsplit=1)[0]))
    return found


def holds(marker: str) -> bool:
    """Whether a requirement is one of every install; those of extras, and of other systems or versions, are not."""
    if not marker.strip():
        return True
    try:
        from packaging.markers import Marker
    except ImportError:
        return False
    return bool(Marker(marker).evaluate({"extra": ""}))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def own(installed: Distribution) -> float:
    """Bytes of its files. An editable jib lists none: its package is weighed where it lies."""
    if normalised(installed.metadata["Name"]) == "jib":
        package = Path(jib.__file__).parent
        return float(
            sum(path.stat().st_size for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
        )
    files = [file.locate() for file in installed.files or [] if file.suffix != ".pyc"]
    return float(sum(Path(str(file)).stat().st_size for file in files if Path(str(file)).is_file()))
