"""A small neural network, forward: by a text with loops over arrays, and by NumPy. How equal are they?

A sum of floats depends on the order of its terms. The text says its order, which is kept to the bit; NumPy's matrix product has one of its
own. So the two agree but for last bits, and both choose the same classes.

Run it: python examples/network.py [SAMPLES]; it needs NumPy.
"""

from __future__ import annotations

import sys

import jib

# One layer after the other, for all samples. Loops over indices say their order; `tanh(hidden)` and `sum(x[i])` take whole arrays.
FORWARD = jib.compile("""
def dense(out, x, weights, bias):
    for i in range(len(x)):
        for j in range(len(bias)):
            out[i, j] = bias[j]
        for k in range(len(weights)):
            for j in range(len(bias)):
                out[i, j] += x[i, k] * weights[k, j]

def softmax(x):
    for i in range(len(x)):
        most = max(x[i])
        x[i] = exp(x[i] - most)
        x[i] /= sum(x[i])

def forward(x, w1, b1, hidden, w2, b2, out):
    dense(hidden, x, w1, b1)
    hidden[:] = tanh(hidden)
    dense(out, hidden, w2, b2)
    softmax(out)
""")


def main(samples: str = "2000") -> int:
    try:
        import numpy as np
    except ImportError:
        print("NumPy is not installed")
        return 0
    seed = np.random.default_rng(2026)
    count, inputs, units, classes = int(samples), 64, 32, 10
    x = seed.standard_normal((count, inputs))
    w1, b1 = seed.standard_normal((inputs, units)) / 8, seed.standard_normal(units)
    w2, b2 = seed.standard_normal((units, classes)) / 4, seed.standard_normal(classes)

    ours = np.empty((count, classes))
    FORWARD(x, w1, b1, np.empty((count, units)), w2, b2, ours)

    scores = np.tanh(x @ w1 + b1) @ w2 + b2
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    theirs = powers / powers.sum(axis=1, keepdims=True)

    # How many doubles lie between two positive doubles is the difference of their bits as ints.
    steps = np.abs(ours.view(np.int64) - theirs.view(np.int64))
    close = np.allclose(ours, theirs, rtol=1e-12, atol=0.0)
    same = bool((ours.argmax(axis=1) == theirs.argmax(axis=1)).all())
    print(f"{ours.size} probabilities, close: {'yes' if close else 'NO'}, the same classes: {'yes' if same else 'NO'}")
    differ = np.count_nonzero(steps)
    print(
        f"{differ} differ in their last bits, by {steps.max()} doubles at most, half of all by {np.median(steps):g} or less"
    )
    return 0 if close and same else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
