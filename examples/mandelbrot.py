"""The Mandelbrot set: a text about one point, called with all points at once, and a second one that makes their colours.

Run it: python examples/mandelbrot.py [FILE.png [WIDTH]]; it needs NumPy. Without a file the picture is made of characters.
"""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import jib

# Of one point: how soon it leaves the circle of radius 16, smooth from one step to the next; 0 if it never does.
ESCAPE = jib.compile("""
def escape(x: float, y: float, limit: int) -> float:
    a = b = 0.0
    for n in range(limit):
        a, b = a * a - b * b + x, 2.0 * a * b + y
        if a * a + b * b > 256.0:
            return n + 2.0 - log2(log(a * a + b * b) / 2.0)
    return 0.0
""")

# The colour of a value: three waves, black inside of the set. Three numbers for each element give three arrays.
COLOUR = jib.compile("""
def colour(n: float):
    if n == 0.0:
        return u8(0), u8(0), u8(0)
    t = 0.35 * sqrt(n)
    return u8(127.5 - 127.5 * cos(3.0 * t)), u8(127.5 - 127.5 * cos(4.0 * t)), u8(127.5 - 127.5 * cos(5.0 * t))
""")

# The later a point leaves, the darker its character; those that stay have the last.
SHADES = " .:-=+*%@"
SHADE = jib.compile("8 if n == 0.0 else clip(int(2.6 * log(n)) - 2, 0, 7)")


def png(width: int, height: int, rgb: bytes) -> bytes:
    """A picture of 8 bits a colour, in the PNG format."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join([b"\0" + rgb[at : at + 3 * width] for at in range(0, len(rgb), 3 * width)])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main(file: str = "", width: str = "") -> None:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return
    columns = int(width or (960 if file else 72))
    rows = columns * 2 // 3 if file else columns // 3  # a character is twice as high as it is wide
    x = np.linspace(-2.25, 0.75, columns)
    y = np.linspace(1.0, -1.0, rows)[:, np.newaxis]  # against x, it is stretched to the whole picture
    values = ESCAPE(x, y, 500)
    if file:
        picture = np.stack(COLOUR(values), axis=-1)
        Path(file).write_bytes(png(columns, rows, picture.tobytes()))
    else:
        for row in SHADE(values):
            print("".join([SHADES[shade] for shade in row]).rstrip())
    inside = np.count_nonzero(values == 0.0) / values.size
    print(f"{file or 'above'}: {columns} by {rows} points, {inside:.1%} of them in the set")


if __name__ == "__main__":
    main(*sys.argv[1:3])
