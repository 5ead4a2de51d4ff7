"""How the codes of a folded tile lie in memory: words in address order, words cut into banks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.arith import as_int
from spintron_ir.errors import ParameterError, check_int

__all__ = ["Banks", "bank_words", "folded_words"]


def folded_words(
    weights: ArrayLike, groups: Sequence[int], row_parallel: int, col_parallel: int
) -> NDArray[np.int64]:
    """Lay out the codes of a layer as the words that a folded tile reads, in address order.

    The order is pass (block of :py:`col_parallel` columns), row group, repeat, step (block of
    :py:`row_parallel` rows of the group), the last one fastest. Rows and columns that a layer
    does not have are zero.

    Parameters
    ----------
    weights : array of int, shape ``(repeats, rows, cols)``
        Codes; a repeat is one converter of one slice, ``slice * converters + converter``.
    groups : sequence of int
        Rows of each row group; their sum is ``rows``.
    row_parallel, col_parallel : int, 1..65536
        Rows and columns in a word.

    Returns
    -------
    array of int64, shape ``(words, row_parallel, col_parallel)``

    Raises
    ------
    ParameterError
        If the shapes do not agree.

    Examples
    --------
    Three rows and one column, two rows at a time; the last row gets a word of its own:

    >>> folded_words([[[1], [2], [3]]], (3,), 2, 1).tolist()
    [[[1], [2]], [[3], [0]]]
    """
    weights = as_int(weights)
    row_parallel = check_int("folded_words", "row_parallel", row_parallel, 1, 1 << 16)
    col_parallel = check_int("folded_words", "col_parallel", col_parallel, 1, 1 << 16)
    groups = [check_int("folded_words", "a row group", size, 1, 1 << 20) for size in groups]
    if weights.ndim != 3 or not weights.size or sum(groups) != weights.shape[1]:
        raise ParameterError(
            "folded_words: weights must have the shape (repeats, rows, cols) with as many rows as "
            f"the row groups together, {sum(groups)}, not {weights.shape}"
        )
    repeats, _, cols = weights.shape
    passes = -(-cols // col_parallel)
    blocks, start = [], 0
    for size in groups:
        steps = -(-size // row_parallel)
        block = np.zeros((repeats, steps * row_parallel, passes * col_parallel), dtype=np.int64)
        block[:, :size, :cols] = weights[:, start : start + size]
        block = block.reshape(repeats, steps, row_parallel, passes, col_parallel)
        blocks.append(
            block.transpose(3, 0, 1, 2, 4).reshape(passes, -1, row_parallel, col_parallel)
        )
        start += size
    return np.concatenate(blocks, axis=1).reshape(-1, row_parallel, col_parallel)


@dataclass(frozen=True, eq=False, kw_only=True)
class Banks:
    """How the codes of a word share memory banks of limited width.

    The lanes of a word are numbered row by row, ``row * col_parallel + col``. A bank holds
    :py:`per_bank` neighbours, the first one in its lowest bits, in two's complement.

    Parameters
    ----------
    code_width : int, 1..32
        Bits of a code.
    bank_bits : int
        Most bits of a bank; a bank has at least one code.
    row_parallel, col_parallel : int
        Rows and columns in a word.

    Examples
    --------
    >>> banks = Banks(code_width=5, bank_bits=12, row_parallel=2, col_parallel=3)
    >>> banks.count, banks.width, banks.place(1, 0)
    (3, 10, (1, 5))
    """

    code_width: int
    bank_bits: int
    row_parallel: int
    col_parallel: int

    def __post_init__(self) -> None:
        check_int("Banks", "code_width", self.code_width, 1, 32)
        check_int("Banks", "bank_bits", self.bank_bits, 1, 1 << 16)
        check_int("Banks", "row_parallel", self.row_parallel, 1, 1 << 16)
        check_int("Banks", "col_parallel", self.col_parallel, 1, 1 << 16)

    @property
    def lanes(self) -> int:
        """Codes in a word."""
        return self.row_parallel * self.col_parallel

    @property
    def per_bank(self) -> int:
        """Codes in a word of a bank; fewer are used in the last bank where they do not divide."""
        return min(max(self.bank_bits // self.code_width, 1), self.lanes)

    @property
    def count(self) -> int:
        """Number of banks."""
        return -(-self.lanes // self.per_bank)

    @property
    def width(self) -> int:
        """Bits of a bank."""
        return self.per_bank * self.code_width

    def place(self, row: int, col: int) -> tuple[int, int]:
        """Bank and lowest bit of the code of lane :py:`row`, :py:`col`."""
        bank, offset = divmod(row * self.col_parallel + col, self.per_bank)
        return bank, offset * self.code_width

    def contents(self, words: ArrayLike) -> list[list[int]]:
        """Contents of each bank, unsigned, address by address.

        Parameters
        ----------
        words : array of int, shape ``(words, row_parallel, col_parallel)``
            Codes in address order, as :func:`folded_words` gives them.

        Raises
        ------
        ParameterError
            If the shape is another, or a code does not fit its bits.
        """
        words = as_int(words)
        if words.ndim != 3 or words.shape[1:] != (self.row_parallel, self.col_parallel):
            raise ParameterError(
                f"Banks: words must have the shape (words, {self.row_parallel}, "
                f"{self.col_parallel}), not {words.shape}"
            )
        limit = 1 << (self.code_width - 1)
        if words.size and not -limit <= words.min() <= words.max() < limit:
            raise ParameterError(
                f"Banks: codes must lie in {-limit}..{limit - 1} to fit {self.code_width} bits, "
                f"not in {words.min()}..{words.max()}"
            )
        exact = np.int64 if self.width < 63 else object
        codes = np.zeros((len(words), self.count * self.per_bank), dtype=exact)
        codes[:, : self.lanes] = words.reshape(len(words), -1) & ((1 << self.code_width) - 1)
        shifts = [1 << offset * self.code_width for offset in range(self.per_bank)]
        lanes = codes.reshape(len(words), self.count, self.per_bank)
        packed = (lanes * np.array(shifts, dtype=exact)).sum(axis=-1)
        return packed.T.tolist()


def bank_words(words: ArrayLike, code_width: int, bank_bits: int) -> list[list[int]]:
    """Contents of each bank for :py:`words`; :class:`Banks` tells which lane lies where.

    Examples
    --------
    >>> bank_words([[[1, -1], [2, 3]]], code_width=4, bank_bits=8)
    [[241], [50]]
    """
    words = as_int(words)
    if words.ndim != 3:
        raise ParameterError(
            "bank_words: words must have the shape (words, row_parallel, col_parallel), not "
            f"{words.shape}"
        )
    banks = Banks(
        code_width=code_width,
        bank_bits=bank_bits,
        row_parallel=words.shape[1],
        col_parallel=words.shape[2],
    )
    return banks.contents(words)
