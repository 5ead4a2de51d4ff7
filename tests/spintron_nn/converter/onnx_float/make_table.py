"""What becomes of every node test of the onnx package, as docs/onnx-operators.md.

``python -m tests.spintron_nn.converter.onnx_float.make_table > docs/onnx-operators.md``
"""

import collections
import re
import sys
import warnings

import onnx

from spintron_nn.converter.onnx_float.folding import FOLDED
from spintron_nn.converter.onnx_float.operators import HANDLERS
from tests.spintron_nn.converter.onnx_float.folded_cases import folding_problem
from tests.spintron_nn.converter.onnx_float.node_cases import cases, outcome
from tests.spintron_nn.converter.onnx_float.quantised_cases import QUANTISED, quantised_outcome

__all__ = ["CONSTANT", "ROWS", "reasons_of", "table"]

CONSTANT = {*FOLDED} - {*HANDLERS}
"""Operators that are computed on constants alone."""

ROWS = ({*HANDLERS} | {*QUANTISED}) - {"DynamicQuantizeLinear"}
"""Operators with a row of their own."""

WORDS = {
    r"wrap round": "integers, whose sums wrap round",
    r"\(input\): must be float|initializer\): holds|be of integers, not": "other types of values",
    r"last of equal": "the last of equal values",
    r"spatial axes are": "three spatial axes",
    r"training mode": "training",
    r"that rounds": "types that round values",
    r"besides, which": "a second output",
    r"part of GELU": "by itself; it is a part of GELU",
    r"logarithm of": "no unit for logarithms",
    r"compares tensors": "two tensors of data",
    r"another exponent": "exponents other than 1, 2, 3",
    r"a fixed size|without a value": "tensors without values",
    r"which mixes": "modes linear and cubic",
    r"each block": "scales of blocks",
    r"only matrices": "stacks of matrices",
    r"and float32: absorb": "scales in float16",
    r"scale of shape": "scales along the batch axis",
}

TEXT = """\
# ONNX operators

The onnx package brings tests for single operators. This page says what becomes of each of the
{all} of onnx {version}; `python -m tests.spintron_nn.converter.onnx_float.make_table` writes it,
and a test keeps it true. Inputs that carry data stay inputs; weights, sizes, divisors, exponents
and slopes become constants of the file. The first axis is the batch, or, where an operator works
along it, the whole tensor is one frame.

A converted case gives its own results in codes of 8 bits. On integers times a power of two it gives
those of `onnx.reference` to the last bit, and the same codes where a function rounds. Every code
of its network on an ideal chip is that of its operations. Quantised operators give the integers of
the case, and those of `onnx.reference` for random ones.

## Converted operators

| operator | cases | converted | refused | what is refused |
|---|--:|--:|--:|---|
{rows}

## Functions written out

The package has some functions a second time, in terms of other operators.

| function | cases | converted | refused | operators in the way |
|---|--:|--:|--:|---|
{written}

## Operators on constants

These are computed when the file is read: their cases with all inputs as constants give exactly
their results. On data they are refused.

| operator | cases | computed | refused |
|---|--:|--:|--:|
{folded}

## Refused by name

With the number of their cases:

{refused}
"""


def reasons_of(findings):
    """Words for the first of several findings."""
    for pattern, words in WORDS.items():
        if re.search(pattern, findings[0]):
            return words
    return findings[0]


def _row(kind, results, words):
    done = sum(not findings for findings in results)
    why = collections.Counter(words(findings) for findings in results if findings)
    text = ", ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
    return f"| {kind} | {len(results)} | {done} | {len(results) - done} | {text} |"


def _operator(findings):
    found = re.search(r"\((\w+)\): ", findings[0])
    return found[1] if found and found[1] not in ("input", "initializer") else reasons_of(findings)


def table():
    """The page."""
    direct, written = collections.defaultdict(list), collections.defaultdict(list)
    folded, refused = collections.defaultdict(list), collections.Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases():
            if "_expanded" in case.name:
                written[case.kind].append(outcome(case).findings)
            elif case.kind in QUANTISED:
                direct[case.kind].append(quantised_outcome(case))
            elif case.kind in HANDLERS:
                direct[case.kind].append(outcome(case).findings)
            elif case.kind in CONSTANT:
                folded[case.kind].append(folding_problem(case))
            else:
                refused[case.kind] += 1
    refused["DynamicQuantizeLinear"] = len(direct.pop("DynamicQuantizeLinear", ()))
    kept = {kind: results for kind, results in written.items() if not all(results)}
    for kind in set(written) - set(kept):
        refused[f"{kind} written out"] = len(written[kind])
    rows = [
        f"| {kind} | {len(results)} | {sum(not problem for problem in results)} "
        f"| {sum(bool(problem) for problem in results)} |"
        for kind, results in sorted(folded.items())
    ]
    return TEXT.format(
        all=len(cases()),
        version=onnx.__version__,
        rows="\n".join(_row(kind, direct[kind], reasons_of) for kind in sorted(direct)),
        written="\n".join(_row(kind, kept[kind], _operator) for kind in sorted(kept)),
        folded="\n".join(rows),
        refused=_wrapped(f"{kind} {count}" for kind, count in sorted(refused.items())),
    )


def _wrapped(words):
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 96:
            lines.append("")
        lines[-1] += f"{word}, "
    return "\n".join(line.rstrip() for line in lines)[:-1] + "."


if __name__ == "__main__":
    sys.stdout.write(table())
