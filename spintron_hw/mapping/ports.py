"""The streams at the edge of an accelerator, and the bits that numbers become on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spintron_ir.errors import ParameterError, check_choice, check_int
from spintron_ir.types import IntType

__all__ = ["StreamPort"]

_BLOCK_BITS = 1 << 26
"""Bits unpacked at once, one byte each: what bounds the memory that packing takes."""


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
        frames, bits = len(values), self.type.bits
        packed = np.zeros((frames * self.beats, 4 * self.words), np.uint8)
        taken = -(-bits // 8)
        for block in self._blocks(frames):
            lanes = np.zeros((block.stop - block.start, self.beats * self.lanes), "<i8")
            lanes[:, : self.length] = values[block]
            lanes = lanes.view(np.uint8).reshape(-1, self.lanes, 8)[:, :, :taken]
            unpacked = np.unpackbits(lanes, axis=2, count=bits, bitorder="little")
            unpacked = np.packbits(unpacked.reshape(-1, self.width), axis=1, bitorder="little")
            rows = slice(block.start * self.beats, block.stop * self.beats)
            packed[rows, : unpacked.shape[1]] = unpacked
        return packed.view("<u4").astype(np.uint32, copy=False)

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
        frames, bits = len(words) // self.beats, self.type.bits
        octets = np.ascontiguousarray(words, "<u4").view(np.uint8)
        values = np.empty((frames, self.length), np.int64)
        for block in self._blocks(frames):
            rows = slice(block.start * self.beats, block.stop * self.beats)
            unpacked = np.unpackbits(octets[rows], axis=1, count=self.width, bitorder="little")
            unpacked = np.packbits(unpacked.reshape(-1, bits), axis=1, bitorder="little")
            lanes = np.zeros((len(unpacked), 8), np.uint8)
            lanes[:, : unpacked.shape[1]] = unpacked
            lanes = lanes.view("<i8").reshape(block.stop - block.start, -1)
            values[block] = lanes[:, : self.length]
        if self.type.signed:
            values <<= 64 - bits
            values >>= 64 - bits
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

    def _blocks(self, frames: int) -> Iterator[slice]:
        """Cut :py:`frames` into pieces that are unpacked at once."""
        step = max(1, _BLOCK_BITS // (self.beats * self.lanes * self.type.bits))
        for start in range(0, frames, step):
            yield slice(start, min(start + step, frames))
