"""Elimination of a crossbar column by column: every vector's answer at once.

The word-line nodes of neighbouring columns are joined by one segment each. So what lies beyond a
column is seen from it as one dense matrix of conductances, rows by rows; it is carried from the far
end of the word lines to their drivers. Arrays come with both kinds of line ordered from the far end
to the driven one.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas, lapack

from .arguments import Reals, Wiring

__all__ = ["effective", "eliminate", "end_transfer", "far_first", "pivots", "seen_by_column"]

LARGE = 24
"""Rows from which LAPACK on one matrix beats numpy on a stack of them."""

ENTRIES = 1 << 22
"""Numbers that the matrices of one batch of arrays may take."""


def far_first(array: Reals) -> Reals:
    """Turn each word line round, so that both kinds of line end where they are driven."""
    return array[..., ::-1]


def pivots(conductance: Reals, wire: float) -> Reals:
    """Conductance to ground seen at each node of lines along the last axis, far end first.

    It counts the node's own device and what lies towards the far end. Only sums, products and
    quotients of positive numbers: exact to rounding whatever the magnitudes.
    """
    seen = np.array(conductance)
    for node in range(1, seen.shape[-1]):
        before = seen[..., node - 1]
        seen[..., node] += before / (1.0 + wire * before)
    return seen


def end_transfer(conductance: Reals, wire: float, end: float) -> Reals:
    """Voltage of each node of lines along the last axis for 1 V at their driven ends."""
    seen = pivots(conductance, wire)
    ratio = 1.0 / (1.0 + wire * seen)
    ratio[..., -1] = 1.0 / (1.0 + (wire + end) * seen[..., -1])
    return np.asarray(np.cumprod(ratio[..., ::-1], axis=-1)[..., ::-1])


def seen_by_column(conductance: Reals, wire: float, end: float | Reals) -> Reals:
    """Conductance matrix that each column shows to its word-line nodes, upper triangle.

    Parameters
    ----------
    conductance : (..., columns, rows) array, S
        Devices of each column, far end of the bit line first.
    wire : float, ohm
        One segment of the bit line.
    end : float or (columns, 1) array, ohm
        In series with its last segment; infinite where the bit line floats.

    Returns
    -------
    (..., columns, rows, rows) array, S
        Zeros below the diagonal.
    """
    rows = conductance.shape[-1]
    seen = pivots(conductance, wire)
    above = seen - conductance
    above[..., 1:] = seen[..., :-1] / (1.0 + wire * seen[..., :-1])
    below = np.empty_like(seen)
    with np.errstate(divide="ignore"):
        below[..., -1:] = 1.0 / (wire + np.asarray(end))
    for node in range(rows - 2, -1, -1):
        load = conductance[..., node + 1] + below[..., node + 1]
        with np.errstate(invalid="ignore"):
            below[..., node] = np.where(np.isinf(load), np.inf, load / (1.0 + wire * load))
    total = seen + below
    # Grounded without resistance, a node takes its device's current; with nothing at all, none.
    total[total == 0] = 1.0
    matrix = np.zeros((*conductance.shape, rows))
    diagonal = np.arange(rows)
    matrix[..., diagonal, diagonal] = 1.0 / total
    ratio = 1.0 / (1.0 + wire * seen)
    for node in range(rows - 2, -1, -1):
        np.multiply(
            matrix[..., node + 1, node + 1 :],
            ratio[..., node, None],
            out=matrix[..., node, node + 1 :],
        )
    matrix *= -conductance[..., None]
    matrix *= conductance[..., None, :]
    share = np.where(np.isinf(below), 1.0, (above + below) / total)
    matrix[..., diagonal, diagonal] = conductance * share
    return matrix


def symmetric(upper: Reals) -> Reals:
    """Fill in the lower triangles of a stack of matrices."""
    return np.asarray(upper + np.swapaxes(np.triu(upper, 1), -1, -2))


def effective(conductance: Reals, wiring: Wiring) -> Reals:
    """Effective conductances of arrays ``(arrays, rows, cols)``, both lines far end first, S."""
    if wiring.bit == wiring.sense == 0:
        return conductance * end_transfer(conductance, wiring.word, wiring.driver)
    fewer = conductance.shape[-1] < conductance.shape[-2]
    if wiring.word == wiring.driver == 0 or (wiring.word and (wiring.bit == 0 or fewer)):
        # Reciprocity: what word line r sends to bit line c, c driven would send to r.
        turned = np.ascontiguousarray(np.swapaxes(conductance, -1, -2))
        return np.swapaxes(_effective(turned, wiring.transposed), -1, -2)
    return _effective(conductance, wiring)


def _effective(conductance: Reals, wiring: Wiring) -> Reals:
    if wiring.bit == wiring.sense == 0:
        return conductance * end_transfer(conductance, wiring.word, wiring.driver)
    arrays, rows, cols = conductance.shape
    result = np.empty_like(conductance)
    step = max(1, ENTRIES // (rows * rows * cols))
    for start in range(0, arrays, step):
        columns = np.ascontiguousarray(np.swapaxes(conductance[start : start + step], -1, -2))
        sent = columns * end_transfer(columns, wiring.bit, wiring.sense)
        seen = seen_by_column(columns, wiring.bit, wiring.sense)
        result[start : start + step] = _carried(seen, np.swapaxes(sent, -1, -2), wiring)
    return result


def _carried(seen: Reals, sent: Reals, wiring: Wiring) -> Reals:
    """Carry what columns see, and what they send to their senses, to the drivers."""
    rows, cols = sent.shape[-2:]
    identity = np.eye(rows)
    outer = wiring.word + wiring.driver
    if wiring.word == 0:
        return np.asarray(np.linalg.solve(identity + outer * symmetric(seen.sum(axis=-3)), sent))
    # Far from the driver a difference of matrices is exact enough; a driver of a thousand
    # segments would amplify its error.
    if rows >= LARGE and wiring.driver <= 1e3 * wiring.word:
        return np.stack([_carried_one(s, t, wiring) for s, t in zip(seen, sent)])
    load, result = symmetric(seen[..., 0, :, :]), sent.copy()
    for column in range(cols - 1):
        through = np.linalg.inv(identity + wiring.word * load)
        result[..., : column + 1] = through @ result[..., : column + 1]
        load = symmetric(seen[..., column + 1, :, :]) + load @ through
    return np.asarray(np.linalg.solve(identity + outer * load, result))


def _carried_one(seen: Reals, sent: Reals, wiring: Wiring) -> Reals:
    """:func:`_carried` for one array, on one triangle of each matrix."""
    cols, rows, _ = seen.shape
    result = np.asfortranarray(sent)
    diagonal = np.arange(rows)
    load = seen[0].T
    for column in range(cols):
        wire = wiring.word if column < cols - 1 else wiring.word + wiring.driver
        through = load * wire
        through[diagonal, diagonal] += 1.0
        through, _ = lapack.dpotrf(through, lower=1, clean=0, overwrite_a=1)
        through, _ = lapack.dpotri(through, lower=1, overwrite_c=1)
        part = result[:, : column + 1]
        result[:, : column + 1] = blas.dsymm(1.0, through, part, lower=1)
        if column < cols - 1:
            load = seen[column + 1].T - through / wire
            load[diagonal, diagonal] += 1.0 / wire
    return result


def eliminate(
    conductance: Reals, wiring: Wiring, word_end: Reals, bit_end: Reals, current: Reals
) -> Reals:
    """Voltages of the word-line nodes for currents into them, the ends of all lines at 0 V.

    Parameters
    ----------
    conductance : (rows, cols) array, S
        Devices, both lines far end first.
    wiring : Wiring
        Segments.
    word_end, bit_end : (rows,) and (cols,) arrays, ohm
        In series with the last segments; infinite for a line that floats.
    current : (vectors, rows, cols) array, A

    Returns
    -------
    (vectors, rows, cols) array, V
    """
    rows, cols = conductance.shape
    seen = seen_by_column(np.ascontiguousarray(conductance.T), wiring.bit, bit_end[:, None])
    pushed = np.ascontiguousarray(current.transpose(2, 1, 0))
    load, throughs = symmetric(seen[0]), []
    for column in range(1, cols):
        through = np.linalg.inv(np.eye(rows) + wiring.word * load)
        throughs.append(through)
        pushed[column] += through.T @ pushed[column - 1]
        load = symmetric(seen[column]) + load @ through
    end = (word_end + wiring.word)[:, None]
    weak = end > 1.0
    # Each row scaled so that neither an open nor a short at its end is out of range.
    inner = np.where(weak, 1.0, end)
    outer = np.where(weak, 1.0 / np.where(weak, end, 1.0), 1.0)
    # A line without devices that floats has no voltage of its own: 0.
    outer[(np.diagonal(load) == 0) & (outer[:, 0] == 0)] = 1.0
    voltage = np.empty_like(pushed)
    voltage[-1] = np.linalg.solve(inner * load + np.diag(outer[:, 0]), inner * pushed[-1])
    for column in range(cols - 2, -1, -1):
        voltage[column] = throughs[column] @ (voltage[column + 1] + wiring.word * pushed[column])
    return voltage.transpose(2, 1, 0)
