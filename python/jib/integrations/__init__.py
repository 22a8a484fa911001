"""jib in other people's houses: one file for each, imported when it is asked for.

`%load_ext jib` finds its two functions here. Nothing of IPython is imported before.
"""

from __future__ import annotations


def load_ipython_extension(shell: object) -> None:
    """`%load_ext jib`: the magics `%jib` and `%%jib` of IPython and Jupyter."""
    from .ipython import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """`%unload_ext jib`."""
    from .ipython import unload

    unload(shell)
