"""WAV files."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_int

__all__ = ["Recording", "read_wav", "resample"]

MAX_BYTES = 1 << 28
"""Bytes of sound in the largest WAV file that is read."""

RATES = (1000, 768_000)
"""Sampling rates that are read, in Hz."""

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
_GUID = bytes.fromhex("000000001000800000aa00389b71")  # what follows the format in a sub-format
_KINDS = {(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32)}
_CHUNKS = 256  # a real file has fewer than ten


@dataclass(frozen=True, eq=False)
class Recording:
    """Sound as it lies in a file.

    Attributes
    ----------
    samples : float32 array of shape ``(channels, n)``
        Sound pressure in units of full scale: -1..1 for integers, as written for floats.
    rate : int
        Samples a second, in Hz.
    """

    samples: NDArray[np.float32]
    rate: int

    def mono(self) -> NDArray[np.float32]:
        """Return the mean of the channels, of shape ``(n,)``."""
        return np.asarray(self.samples.mean(axis=0), dtype=np.float32)


def read_wav(path: str | Path) -> Recording:
    """Read a RIFF WAV file: integers of 8, 16, 24 or 32 bits, or float32.

    Integers are divided by ``2**(bits - 1)``; those of 8 bits are unsigned, so 128 is silence.
    All but those of 32 bits are exact in float32. Sizes are checked against the file before
    anything is allocated for them.

    Raises
    ------
    ParameterError
        If the file is missing, is damaged, or holds another encoding.

    Source
    ------
    IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991);
    sub-formats: Microsoft's ``WAVEFORMATEXTENSIBLE``.
    """
    path = Path(path)
    if not path.is_file():
        raise ParameterError(f"read_wav: path must name a file, and there is no {str(path)!r}")
    with path.open("rb") as file:
        return _read(path.name, file, path.stat().st_size)


def _read(name: str, file: BinaryIO, size: int) -> Recording:
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise ParameterError(
            f"read_wav: {name} must start with RIFF, a size and WAVE, and does not; it is not a "
            "WAV file, so convert it to one"
        )
    kind = None
    for _ in range(_CHUNKS):
        chunk = file.read(8)
        if len(chunk) < 8:
            break
        label, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
        if length > size - file.tell():
            raise ParameterError(
                f"read_wav: {name} must hold {length} bytes of {label.decode('ascii', 'replace')!r}"
                f", as its header says, and holds only {size - file.tell()}; get it again"
            )
        start = file.tell()
        if label == b"fmt ":
            kind = _format(name, file.read(min(length, 40)))
        elif label == b"data":
            if kind is None:
                raise ParameterError(
                    f"read_wav: {name} must have its format before its sound, and has not; "
                    "write it again with another program"
                )
            return _sound(name, file, length, *kind)
        file.seek(start + length + length % 2)
    raise ParameterError(
        f"read_wav: {name} must have a chunk 'data' among its first {_CHUNKS}, and has none; "
        "get it again"
    )


def _format(name: str, data: bytes) -> tuple[int, int, int, int]:
    """Return encoding, channels, rate and bits."""
    if len(data) < 16:
        raise ParameterError(
            f"read_wav: {name} must have a format of 16 bytes or more, not {len(data)}; get it "
            "again"
        )
    encoding, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", data[:16])
    if encoding == EXTENSIBLE and len(data) == 40 and data[26:] == _GUID:
        encoding = struct.unpack("<H", data[24:26])[0]
    if (encoding, bits) not in _KINDS:
        raise ParameterError(
            f"read_wav: {name} must hold integers of 8, 16, 24 or 32 bits (format 1) or floats of "
            f"32 bits (format 3), not format {encoding} with {bits} bits; convert it to 16 bit PCM"
        )
    if not 1 <= channels <= 64 or not RATES[0] <= rate <= RATES[1]:
        raise ParameterError(
            f"read_wav: {name} must have 1..64 channels at {RATES[0]}..{RATES[1]} Hz, not "
            f"{channels} at {rate} Hz; convert it"
        )
    if frame != channels * bits // 8:
        raise ParameterError(
            f"read_wav: {name} must have {channels * bits // 8} bytes a frame for {channels} "
            f"channels of {bits} bits, and its header says {frame}; get it again"
        )
    return encoding, channels, rate, bits


def _sound(
    name: str, file: BinaryIO, length: int, encoding: int, channels: int, rate: int, bits: int
) -> Recording:
    if length > MAX_BYTES:
        raise ParameterError(
            f"read_wav: {name} must hold at most {MAX_BYTES} bytes of sound, and holds {length}; "
            "cut it"
        )
    if length % (channels * bits // 8):
        raise ParameterError(
            f"read_wav: {name} must hold whole frames of {channels * bits // 8} bytes, and holds "
            f"{length} bytes; get it again"
        )
    data = file.read(length)
    if encoding == FLOAT:
        samples = np.frombuffer(data, "<f4").astype(np.float32)
        if not np.isfinite(samples).all():
            raise ParameterError(
                f"read_wav: {name} must hold finite samples, and holds NaN or infinity; "
                "write it again"
            )
    elif bits == 8:
        samples = (np.frombuffer(data, "u1").astype(np.float32) - 128) / np.float32(128)
    elif bits == 24:
        wide = np.zeros((length // 3, 4), np.uint8)  # into the upper three bytes of 32 bits
        wide[:, 1:] = np.frombuffer(data, "u1").reshape(-1, 3)
        samples = wide.view("<i4")[:, 0].astype(np.float32) / np.float32(1 << 31)
    else:
        samples = np.frombuffer(data, f"<i{bits // 8}").astype(np.float32)
        samples = samples / np.float32(1 << (bits - 1))
    return Recording(np.ascontiguousarray(samples.reshape(-1, channels).T), rate)


def resample(samples: NDArray[np.float32], rate: int, new_rate: int) -> NDArray[np.float32]:
    """Return sound at another rate, along the last axis, low-passed below half the lower rate.

    Parameters
    ----------
    samples : float32 array of shape ``(..., n)``
    rate, new_rate : int
        Rates in Hz.

    Returns
    -------
    float32 array of shape ``(..., ceil(n * new_rate / rate))``

    Source
    ------
    ``scipy.signal.resample_poly``: a polyphase filter with a Kaiser window of beta 5.
    """
    rate = check_int("resample", "rate", rate, *RATES)
    new_rate = check_int("resample", "new_rate", new_rate, *RATES)
    if rate == new_rate or not samples.shape[-1]:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(rate, new_rate)
    made = resample_poly(samples.astype(np.float64), new_rate // common, rate // common, axis=-1)
    return np.asarray(made, dtype=np.float32)
