"""A plasma: four waves on each other, whose sum chooses a colour. The frames go round in a circle and make an animated PNG.

One text is called with all points of all frames at once, another with the colours. A terminal shows one frame in 24-bit colours, where the
output goes elsewhere in characters.

Run it: python examples/plasma.py [FILE.png [FRAMES [WIDTH]]]; it needs NumPy. Browsers show the file moving, others its first frame.
"""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import jib

# The index of a colour, for a point between -1 and 1 at a time between 0 and tau: after tau all is as it was.
PLASMA = jib.compile("""
def plasma(x: float, y: float, t: float) -> u8:
    waves = sin(5.0 * x + t) + sin(4.0 * y - t)
    waves += sin(3.0 * (x * sin(t) + y * cos(t)) + 1.0)
    waves += sin(7.0 * hypot(x - 0.5 * cos(t), y - 0.5 * sin(t)) - 2.0 * t)
    return u8(31.5 + 7.75 * waves)
""")

PALETTE = jib.compile("""
def colour(index: int):
    angle = index / 64 * tau
    return u8(128 + 127 * sin(angle)), u8(128 + 127 * sin(angle + 2.1)), u8(128 + 127 * sin(angle + 4.2))
""")

SHADES = " .:-=+*#%@"


def animation(width: int, height: int, palette: bytes, frames: list[bytes], milliseconds: int) -> bytes:
    """Frames of bytes that are indices of colours, as PNG with the chunks that make it move."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    chunks = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        chunk(b"PLTE", palette),
        chunk(b"acTL", struct.pack(">II", len(frames), 0)),
    ]
    number = 0  # of all chunks that move
    for at, frame in enumerate(frames):
        chunks.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, milliseconds, 1000, 0, 0)))
        rows = b"".join([b"\0" + frame[start : start + width] for start in range(0, len(frame), width)])
        data = zlib.compress(rows, 9)
        chunks.append(chunk(b"fdAT", struct.pack(">I", number + 1) + data) if at else chunk(b"IDAT", data))
        number += 2 if at else 1
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def show(frame: list[list[int]], palette: list[tuple[int, ...]], colours: bool) -> None:
    """A frame in a terminal. In colours a character is two points, one above the other; else it is one, and every other row is left out."""
    for upper, lower in zip(frame[::2], frame[1::2]):
        if colours:
            pairs = [(*palette[above], *palette[below]) for above, below in zip(upper, lower)]
            print("".join(["\x1b[38;2;{};{};{};48;2;{};{};{}m\u2580".format(*pair) for pair in pairs]) + "\x1b[0m")
        else:
            print("".join([SHADES[index * len(SHADES) // 64] for index in upper]).rstrip())


def main(file: str = "", frames: str = "16", width: str = "") -> None:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return
    columns = int(width or (160 if file else 72))
    rows = columns * 3 // 4 if file else columns * 2 // 3
    count = int(frames)
    x = np.linspace(-1.0, 1.0, columns)
    y = np.linspace(-1.0, 1.0, rows)[:, np.newaxis] * rows / columns
    t = np.arange(count)[:, np.newaxis, np.newaxis] / count * 2 * np.pi
    pictures = PLASMA(x, y, t)  # frames, rows, columns
    palette = np.stack(PALETTE(np.arange(64)), axis=-1)
    if file:
        Path(file).write_bytes(
            animation(columns, rows, palette.tobytes(), [picture.tobytes() for picture in pictures], 80)
        )
        print(f"{file}: {count} frames of {columns} by {rows} points")
    else:
        show(pictures[0].tolist(), [tuple(colour) for colour in palette.tolist()], sys.stdout.isatty())


if __name__ == "__main__":
    main(*sys.argv[1:4])
