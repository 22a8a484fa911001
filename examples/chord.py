"""A chord as a sound: one text makes every sample of every note, and its int16 is what a WAV file holds.

Run it: python examples/chord.py [FILE.wav [SECONDS]]; it needs NumPy.
"""

from __future__ import annotations

import sys
import wave

import jib

RATE = 44_100
CHORD = (261.63, 329.63, 392.00, 523.25)  # C E G c, in hertz

# A plucked string, more or less: overtones that die the sooner the higher they are.
NOTE = jib.compile("""
def note(t: float, hertz: float) -> float:
    total = 0.0
    for k in range(1, 7):
        total += sin(tau * k * hertz * t) * exp(-1.5 * k * t) / k
    return total * (1.0 - exp(-400.0 * t))
""")

# To 16 bits: what is louder than loudest is bent, not broken.
SAMPLE = jib.compile("i16(round(32767 * tanh(x * volume)))")


def main(file: str = "chord.wav", seconds: str = "3") -> None:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return
    t = np.arange(int(float(seconds) * RATE)) / RATE
    hertz = np.array(CHORD)[:, np.newaxis]
    begins = np.arange(len(CHORD))[:, np.newaxis] * 0.04  # one string after the other
    notes = NOTE(np.maximum(t - begins, 0.0), hertz)  # a row for each note
    samples = SAMPLE(notes.sum(axis=0), 0.3)
    assert samples.dtype == np.int16
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.astype("<i2").tobytes())
    print(f"{file}: {len(samples)} samples, the loudest {np.abs(samples.astype(int)).max()}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
