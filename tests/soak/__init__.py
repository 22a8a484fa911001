"""jib for a long time: compile, call and drop, from many threads and very often, every answer compared.

- shapes.py     texts without end, and their answers
- memory.py     what the process has of the machine's memory
- parts.py      the three parts: threads, many texts one after the other, many functions at once
- __main__.py   the parts, one after the other; `make soak`
"""
