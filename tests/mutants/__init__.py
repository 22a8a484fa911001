"""Do the tests notice? Faults planted in the core, one at a time; `make mutants` says which tests caught each.

- table.py      the faults
- plant.py      a copy of the tree with one fault in it, built
- judge.py      which tests fail on it
- __main__.py   all of them, one after the other, as a table
"""
