"""A synthesiser: overtones are added up to a saw, and a resonant low-pass filter, whose frequency moves, goes over the sound.

The overtones are a text of one point in time, called with all of them. The filter is a loop with a state: each sample depends on the one
before, which NumPy cannot say. It is written as a function of Python, so CPython runs the very same; both make the same bits.

Run it: python examples/synth.py [FILE.wav [SECONDS]]; it needs NumPy. A table shows what the filter does to the overtones of a tone of
110 Hz; into a file goes a chord, through a filter that opens and closes.
"""

from __future__ import annotations

import math
import sys
import wave
from time import perf_counter

import jib

RATE = 44_100
CHORD = (110.00, 164.81, 220.00, 277.18, 329.63)  # A e a c# e', in hertz

# A saw: all overtones below half of the rate, since those above would come back as others.
SAW = jib.compile("""
def saw(t: float, hertz: float, rate: float) -> float:
    total = 0.0
    for k in range(1, int(rate / 2 / hertz)):
        total += sin(tau * k * hertz * t) / k
    return 2 / pi * total
""")

# To 16 bits: what is louder than loudest is bent, not broken.
SAMPLE = jib.compile("i16(round(32767 * tanh(x * volume)))")


@jib.jit
def filtered(out, x, cutoff, q, rate):
    """A state-variable filter, by the trapezoidal rule: `low` and `band` are what its two integrators hold."""
    low = band = 0.0
    for i in range(len(x)):
        g = math.tan(math.pi * cutoff[i] / rate)
        high = (x[i] - (1.0 / q + g) * band - low) / (1.0 + g / q + g * g)
        band_now = band + g * high
        low_now = low + g * band_now
        out[i] = low_now
        band = band_now + g * high
        low = low_now + g * band_now


# How loud a frequency is, by Goertzel's recurrence: a bank of two values instead of a transform.
LEVEL = jib.compile("""
def level(x: f64[:], hertz: float, rate: float) -> float:
    c = 2.0 * cos(tau * hertz / rate)
    a = b = 0.0
    for value in x:
        a, b = value + c * a - b, a
    return 2.0 / len(x) * sqrt(a * a + b * b - c * a * b)
""")


def table(cutoff: float, q: float) -> int:
    import numpy as np

    tone = SAW(np.arange(RATE) / RATE, 110.0, RATE)
    frequencies = np.full(RATE, cutoff)
    ours, theirs = np.empty(RATE), np.empty(RATE)
    begin = perf_counter()
    filtered(ours, tone, frequencies, q, RATE)
    between = perf_counter()
    filtered.py_func(theirs, tone, frequencies, q, RATE)
    end = perf_counter()
    print(f"a saw of 110 Hz through a low-pass of {cutoff:g} Hz with a resonance of {q:g}, in dB")
    for k in (1, 2, 3, 5, 8, 11, 16, 32, 64):
        before, after = [20 * math.log10(LEVEL(x, 110.0 * k, RATE)) for x in (tone, ours[RATE // 10 :])]
        bar = "#" * max(0, round((after + 60) / 2))
        print(f"{110 * k:5} Hz {before:6.1f} {after:6.1f}  {bar}".rstrip())
    equal = bool((ours == theirs).all())
    print(f"{RATE} samples by jib and by CPython: {'equal' if equal else 'DIFFERENT'}")
    print(f"with compiling, jib took 1/{(end - between) / (between - begin):.0f} of the time", file=sys.stderr)
    return 0 if equal else 1


def main(file: str = "", seconds: str = "4") -> int:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return 0
    if not file:
        return table(cutoff=880.0, q=4.0)
    t = np.arange(int(float(seconds) * RATE)) / RATE
    hertz = np.array(CHORD)[:, np.newaxis]
    begins = np.arange(len(CHORD))[:, np.newaxis] * 0.05  # one note after the other
    notes = SAW(np.maximum(t - begins, 0.0), hertz, RATE)  # a row for each
    sweep = 200.0 * 30.0 ** np.sin(np.pi * t / t[-1]) ** 2  # 200 Hz, 6000 Hz, and back
    sound = np.empty(len(t))
    filtered(sound, notes.sum(axis=0), sweep, 3.0, RATE)
    samples = SAMPLE(sound * np.minimum(1.0, (t[-1] - t) * 20), 0.15)
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.astype("<i2").tobytes())
    print(f"{file}: {len(samples)} samples, the loudest {np.abs(samples.astype(int)).max()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
