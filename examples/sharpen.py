"""A filter for pictures of bytes: blurs, then sharpens, with ints that say when they leave their bits. Equal to NumPy's, byte by byte.

Run it: python examples/sharpen.py [WIDTH]; it needs NumPy.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import jib

if TYPE_CHECKING:
    import numpy as np

# Nine neighbours of 8 bits are added in 64. What comes out goes through u8(...), which would raise, not wrap, if it did not fit.
BLUR = jib.compile("""
def blur(out: u8[:, :], x: u8[:, :]):
    height, width = x.shape
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            total = 8
            for k in range(-1, 2):
                for l in range(-1, 2):
                    total += (2 - abs(k)) * (2 - abs(l)) * int(x[i + k, j + l])
            out[i, j] = u8(total >> 4)
""")

# What the blur took away is added once more, to all pixels at once; an f32 holds all bytes exactly.
SHARPEN = jib.compile("u8(clip(2 * f32(pixel) - f32(blurred), 0, 255))")


def reference(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same by NumPy."""
    import numpy as np

    wide = x.astype(np.int64)
    columns = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    blurred = x.copy()
    blurred[1:-1, 1:-1] = (columns[:-2] + 2 * columns[1:-1] + columns[2:] + 8) >> 4
    return blurred, np.clip(2 * wide - blurred, 0, 255).astype(np.uint8)


def main(size: str = "512") -> int:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return 0
    width = int(size)
    i, j = np.indices((width * 3 // 4, width))
    rings = jib.compile("u8(127.5 + 120 * sin((i*i + j*j) / (4.0*width)))")(i, j, width)
    noise = np.random.default_rng(7).integers(0, 8, rings.shape, np.uint8)
    picture = rings + noise

    blurred = picture.copy()  # its edges stay
    BLUR(blurred, picture)
    sharpened = SHARPEN(picture, blurred)

    equal = True
    for name, ours, theirs in zip(("blurred", "sharpened"), (blurred, sharpened), reference(picture)):
        same = ours.dtype == theirs.dtype and bool((ours == theirs).all())
        equal &= same
        print(
            f"{name}: {ours.shape[1]} by {ours.shape[0]} bytes, {'equal' if same else 'DIFFERENT'}; contrast {ours.std():.1f}"
        )
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
