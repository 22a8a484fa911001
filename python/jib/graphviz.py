"""Graphs drawn by Graphviz, where it is installed.

In: a graph in DOT. Out: an SVG. Always holds: `dot` is started without a shell, reads the graph from a pipe, and is ended in time.
"""

from __future__ import annotations

import errno
import shutil
import subprocess


def svg(graph: str, timeout: float = 30.0) -> str:
    """The graph as `dot -Tsvg` draws it; errors as `Listing.svg` says."""
    program = shutil.which("dot")
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "Graphviz is not installed: its program is not on PATH", "dot")
    try:
        done = subprocess.run([program, "-Tsvg"], input=graph.encode(), capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"dot needed more than {timeout:g} seconds") from None
    if done.returncode != 0:
        from .highlight import visible

        words = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"dot failed with status {done.returncode}: {visible(words):.500}")
    return done.stdout.decode()
