"""The streams at the edge of an accelerator, and the bits that numbers become on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_choice, check_int
from spintron_ir.types import IntType

__all__ = ["StreamPort"]

_BLOCK = 1 << 16
"""Elements that are packed at once."""
_ONE, _HALF, _LAST = np.uint64(1), np.uint64(32), np.uint64(63)


@dataclass(frozen=True)
class StreamPort:
    """One stream of an accelerator: a vector of integers for each frame, some lanes a beat.

    Lane 0 has the lowest bits of the payload. The last beat of a frame may have unused lanes,
    which are sent as zero and ignored when received.

    Parameters
    ----------
    name : str
        Name of the port: ``i_<input>``, ``o_<output>`` or ``tap_<node>``.
    role : "input", "output" or "tap"
        A tap is observed only: what passes there is taken by another layer.
    node : str
        The input or the node of the network whose values travel here.
    length : int
        Elements a frame.
    type : IntType
        Type of an element; at most 63 bits where unsigned.
    lanes : int
        Elements a beat.

    Attributes
    ----------
    beats : int
        Beats a frame.
    width : int
        Bits of the payload.
    words : int
        32-bit words that hold the payload of one beat.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Examples
    --------
    >>> port = StreamPort("i_x", "input", "x", length=3, type=IntType(4, signed=True), lanes=2)
    >>> port.pack(np.array([[1, -1, 7]])).tolist()
    [[241], [7]]
    >>> port.unpack(port.pack(np.array([[1, -1, 7]]))).tolist()
    [[1, -1, 7]]
    """

    name: str
    role: str
    node: str
    length: int
    type: IntType
    lanes: int

    def __post_init__(self) -> None:
        if not isinstance(self.type, IntType):
            raise ParameterError(f"StreamPort: type must be an IntType, not {self.type!r}")
        if self.type.high > np.iinfo(np.int64).max:
            raise ParameterError(
                "StreamPort: an unsigned element must have at most 63 bits, not 64"
            )
        check_choice("StreamPort", "role", self.role, ("input", "output", "tap"))
        for name in ("length", "lanes"):
            number = check_int("StreamPort", name, getattr(self, name), 1, (1 << 31) - 1)
            object.__setattr__(self, name, number)

    @property
    def beats(self) -> int:
        """Beats a frame."""
        return -(-self.length // self.lanes)

    @property
    def width(self) -> int:
        """Bits of the payload."""
        return self.type.bits * self.lanes

    @property
    def words(self) -> int:
        """32-bit words that hold the payload of one beat."""
        return -(-self.width // 32)

    def pack(self, values: np.ndarray) -> np.ndarray:
        """Return the payloads of :py:`values`, as words with the lowest bits first.

        Parameters
        ----------
        values : integers of shape ``(frames, length)``
            One row a frame.

        Returns
        -------
        numpy.ndarray
            ``uint32`` of shape ``(frames * beats, words)``.

        Raises
        ------
        ParameterError
            If :meth:`check` refuses them.
        """
        values = self.check(values)
        frames, places = len(values), self._places()
        packed = np.zeros((frames * self.beats, self.words), np.uint32)
        for block in self._blocks(frames):
            lanes = np.zeros((block.stop - block.start, self.beats * self.lanes), np.int64)
            lanes[:, : self.length] = values[block]
            lanes = lanes.view(np.uint64).reshape(-1, self.lanes) & self._mask
            rows = packed[block.start * self.beats : block.stop * self.beats]
            words = np.bitwise_or.reduceat(lanes << places.shift, places.heads, axis=1)
            rows[:, places.word[places.heads]] = words.astype(np.uint32)
            # A word has at most one lane that began in the one before, or two before.
            over = places.reach > 32
            rows[:, places.word[over] + 1] |= _word(lanes[:, over], places.shift[over], 1)
            over = places.reach > 64
            rows[:, places.word[over] + 2] |= _word(lanes[:, over], places.shift[over], 2)
        return packed

    def unpack(self, words: np.ndarray) -> np.ndarray:
        """Return the values in the payloads :py:`words`: the inverse of :meth:`pack`.

        Parameters
        ----------
        words : uint32 of shape ``(frames * beats, words)``
            One row a beat.

        Returns
        -------
        numpy.ndarray
            ``int64`` of shape ``(frames, length)``.

        Raises
        ------
        ParameterError
            If the shape is another, or the words are no ``uint32``.
        """
        words = np.asarray(words)
        if words.dtype != np.uint32 or words.shape[1:] != (self.words,) or len(words) % self.beats:
            raise ParameterError(
                f"{self.name}: payloads must be uint32 of shape (frames * {self.beats}, "
                f"{self.words}), not {words.dtype} of shape {words.shape}"
            )
        frames, places = len(words) // self.beats, self._places()
        values = np.empty((frames, self.length), np.int64)
        unused = np.uint64(64 - self.type.bits)
        for block in self._blocks(frames):
            rows = words[block.start * self.beats : block.stop * self.beats].astype(np.uint64)
            rows = np.pad(rows, ((0, 0), (0, 2)))
            lanes = (rows[:, places.word] | rows[:, places.word + 1] << _HALF) >> places.shift
            if (places.reach > 64).any():
                lanes |= rows[:, places.word + 2] << _ONE << (_LAST - places.shift)
            lanes = (lanes << unused).view(np.int64) if self.type.signed else lanes & self._mask
            lanes = lanes.reshape(block.stop - block.start, -1)[:, : self.length]
            values[block] = lanes >> np.int64(unused) if self.type.signed else lanes
        return values

    def check(self, values: np.ndarray) -> np.ndarray:
        """Return :py:`values` as an array if they can travel on this stream.

        Raises
        ------
        ParameterError
            If the shape is not ``(frames, length)``, or a value is no integer of :attr:`type`.
        """
        values = np.asarray(values)
        if values.ndim != 2 or values.shape[1] != self.length:
            raise ParameterError(
                f"{self.name}: values must have shape (frames, {self.length}), not {values.shape}"
            )
        if not np.issubdtype(values.dtype, np.integer):
            raise ParameterError(f"{self.name}: values must be integers, not {values.dtype}")
        if values.size:
            low, high = int(values.min()), int(values.max())
            if low < self.type.low or high > self.type.high:
                raise ParameterError(
                    f"{self.name}: values must be in {self.type.low}..{self.type.high} "
                    f"({self.type}), not {low}..{high}"
                )
        return values

    @property
    def _mask(self) -> np.uint64:
        """The bits of an element."""
        return np.uint64((1 << self.type.bits) - 1)

    def _places(self) -> _Places:
        """Where each lane lies in the words of a payload."""
        first = np.arange(self.lanes) * self.type.bits
        word, shift = first // 32, first % 32
        return _Places(
            word=word,
            shift=shift.astype(np.uint64),
            reach=shift + self.type.bits,
            heads=np.flatnonzero(np.diff(word, prepend=-1)),
        )

    def _blocks(self, frames: int) -> Iterator[slice]:
        """Cut :py:`frames` into pieces that stay in the caches of a processor."""
        step = max(1, _BLOCK // (self.beats * self.lanes))
        for start in range(0, frames, step):
            yield slice(start, min(start + step, frames))


@dataclass(frozen=True, eq=False)
class _Places:
    """Where each lane begins: word, bit, the bit behind its last, and first lanes of the words."""

    word: NDArray[np.int64]
    shift: NDArray[np.uint64]
    reach: NDArray[np.int64]
    heads: NDArray[np.int64]


def _word(lanes: NDArray[np.uint64], shift: NDArray[np.uint64], number: int) -> NDArray[np.uint32]:
    """Part of each lane that lies in word :py:`number` after the one it begins in."""
    return (lanes >> (np.uint64(32 * number - 1) - shift) >> _ONE).astype(np.uint32)
