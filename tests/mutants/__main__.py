"""`python -m mutants [NAME …]`: plants each fault of the table, or those whose names contain a NAME, and says what caught it.

Exit status: 0 when all were caught, 1 when one survived, 2 when the table or the tree is wrong.
"""

from __future__ import annotations

import sys
import time

from .judge import GROUPS, judge
from .plant import TREE, Misfit, build, copy_tree, planted
from .table import MUTANTS


def main(names: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or any(name in mutant.name for name in names)]
    if not chosen:
        print(f"no mutant is called {' or '.join(names)}")
        return 2
    begin = time.monotonic()
    caught = 0
    try:
        copy_tree()
        build("the tree as it is")
        sound = judge(TREE, GROUPS[:-2])
        if sound.group is not None:
            raise Misfit(f"tests fail without a mutant: {sound}")
        print(f"without a mutant all tests pass ({time.monotonic() - begin:.0f} s)", flush=True)
        for mutant in chosen:
            start = time.monotonic()
            with planted(mutant) as tree:
                built = time.monotonic()
                verdict = judge(tree)
            caught += verdict.group is not None
            took = f"{built - start:3.0f} + {time.monotonic() - built:3.0f} s"
            print(f"{mutant.name:26} {took}  {verdict}", flush=True)
            if verdict.group is None:
                print(f"{'':26} in {mutant.file}: {mutant.what}", flush=True)
    except Misfit as misfit:
        print(misfit)
        return 2
    print(f"{caught} of {len(chosen)} caught in {(time.monotonic() - begin) / 60:.0f} minutes")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
