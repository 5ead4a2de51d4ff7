"""A crossbar in exact fractions, from the voltages round the loop of each device: an oracle."""

from fractions import Fraction

import numpy as np

__all__ = ["exact"]


def exact(resistance, applied, *, wire_word, wire_bit, driver=0.0, sense=0.0):
    """Return device currents (rows, cols), by Gauss's elimination on rational numbers."""
    rows, cols = resistance.shape
    devices = [index for index in np.ndindex(rows, cols) if np.isfinite(resistance[index])]
    word, bit, first, last = (Fraction(float(x)) for x in (wire_word, wire_bit, driver, sense))

    def common(one, other):
        """Resistance through which the currents of both devices flow."""
        found = Fraction(0)
        if one[0] == other[0]:
            found += first + word * (min(one[1], other[1]) + 1)
        if one[1] == other[1]:
            found += last + bit * (rows - max(one[0], other[0]))
        return found + (Fraction(float(resistance[one])) if one == other else 0)

    table = [
        [common(one, other) for other in devices] + [Fraction(float(applied[one[0]]))]
        for one in devices
    ]
    for pivot, row in enumerate(table):
        for other in table[pivot + 1 :]:
            factor = other[pivot] / row[pivot]
            for column in range(pivot, len(row)):
                other[column] -= factor * row[column]
    currents = np.zeros((rows, cols))
    known = []
    for pivot in reversed(range(len(table))):
        row = table[pivot]
        value = row[-1] - sum(x * y for x, y in zip(row[-2:pivot:-1], known))
        known.append(value / row[pivot])
        currents[devices[pivot]] = float(known[-1])
    return currents
