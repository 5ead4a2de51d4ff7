"""The host link's frames as bytes, for both ends: numbers, checksum, encoding, decoding.

Imports no gateware, so that a host needs none. The protocol is described in
``docs/host-link.md``.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from spintron_ir.errors import ParameterError, check_int

from ..mapping.ports import StreamPort

__all__ = [
    "ANSWER",
    "OVERHEAD",
    "START",
    "VERSION",
    "Cause",
    "Command",
    "Field",
    "Frame",
    "crc16",
    "decode_info",
    "element_bytes",
    "encode_info",
]

VERSION = 1
"""Version of the protocol, the first byte of the answer to INFO."""

START = 0xA5
"""First byte of every frame."""

ANSWER = 0x80
"""Set in the command byte of an answer."""

OVERHEAD = 7
"""Bytes of a frame beside its payload."""

_CRC_TABLE: tuple[int, ...] = ()


class Command(enum.IntEnum):
    """What a request asks for."""

    PING = 0x01
    INFO = 0x02
    INFER = 0x03
    WRITE = 0x04
    RESET = 0x05
    NAK = 0x7F


class Cause(enum.IntEnum):
    """Why a request was not acted upon: the one byte of a NAK's payload."""

    CHECKSUM = 1
    TRUNCATED = 2
    COMMAND = 3
    LENGTH = 4
    STALLED = 5
    LAYER = 6


def crc16(data: bytes) -> int:
    """Checksum of a frame: CRC-16/IBM-SDLC, also known as X.25.

    Source
    ------
    ITU-T Recommendation X.25, section 2.2.7.4; polynomial 0x1021, all ones at the start, bits
    reflected, inverted at the end.

    Examples
    --------
    >>> hex(crc16(b"123456789"))
    '0x906e'
    """
    global _CRC_TABLE
    if not _CRC_TABLE:
        _CRC_TABLE = tuple(_crc_row(byte) for byte in range(256))
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF


def _crc_row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x8408 if byte & 1 else 0)
    return byte


def element_bytes(bits: int) -> int:
    """Bytes that an element of :py:`bits` bits takes on the link."""
    return -(-bits // 8)


@dataclass(frozen=True)
class Frame:
    """One frame, request or answer.

    Parameters
    ----------
    command : int, 0..255
        A :class:`Command`; with bit :data:`ANSWER` set in an answer.
    sequence : int, 0..255
        Chosen by the host for each request, and returned in the answer.
    payload : bytes, up to 65535
        What the command says.

    Examples
    --------
    >>> Frame(Command.PING, 7).encode().hex()
    'a501070000606c'
    >>> Frame.decode(bytes.fromhex("a501070000606c"))
    Frame(command=1, sequence=7, payload=b'')
    """

    command: int
    sequence: int
    payload: bytes = b""

    def __post_init__(self) -> None:
        for name in ("command", "sequence"):
            number = check_int("Frame", name, getattr(self, name), 0, 255)
            object.__setattr__(self, name, number)
        check_int("Frame", "len(payload)", len(self.payload), 0, 0xFFFF)

    def encode(self) -> bytes:
        """The bytes on the wire."""
        body = bytes([self.command, self.sequence]) + len(self.payload).to_bytes(2, "little")
        body += self.payload
        return bytes([START]) + body + crc16(body).to_bytes(2, "little")

    @classmethod
    def decode(cls, data: bytes) -> Frame:
        """The frame in :py:`data`, which starts with it and holds nothing else.

        Raises
        ------
        ParameterError
            If start byte, length or checksum are wrong.
        """
        if len(data) < OVERHEAD or data[0] != START:
            raise ParameterError(f"Frame: must start with {START:#x}, not {data[:1].hex()!r}")
        length = int.from_bytes(data[3:5], "little")
        if len(data) != length + OVERHEAD:
            raise ParameterError(
                f"Frame: must have {length + OVERHEAD} bytes, as its length says, not {len(data)}"
            )
        if crc16(data[1:-2]) != int.from_bytes(data[-2:], "little"):
            raise ParameterError(
                f"Frame: checksum must be {crc16(data[1:-2]):#06x}, not "
                f"{int.from_bytes(data[-2:], 'little'):#06x}"
            )
        return cls(data[1], data[2], bytes(data[5:-2]))


@dataclass(frozen=True)
class Field:
    """One field of the answer to INFO: a port of the accelerator, or what a write is made of.

    Parameters
    ----------
    role : "input", "output", "write" or "layer"
        What travels in INFER; what travels in WRITE; layers that can be written, by their number.
    name : str
        Name of the input, of the output, of the field of a write, or of the layer.
    length : int
        Elements a frame.
    bits : int
        Bits of an element; of a word of codes where this is a layer.
    signed : bool
        Two's complement where true.
    """

    role: str
    name: str
    length: int
    bits: int
    signed: bool = False

    @property
    def size(self) -> int:
        """Bytes of all elements on the link."""
        return self.length * element_bytes(self.bits)

    @classmethod
    def of_port(cls, port: StreamPort) -> Field:
        """The field that describes :py:`port`, under the name it has in the network."""
        name = port.name.removeprefix("i_" if port.role == "input" else "o_")
        return cls(port.role, name, port.length, port.type.bits, port.type.signed)


_ROLES = ("input", "output", "write", "layer")


def encode_info(digest: bytes, clock_hz: int, fields: Sequence[Field]) -> bytes:
    """Payload of the answer to INFO.

    Parameters
    ----------
    digest : bytes, 8
        The first 8 bytes of the digest of the network.
    clock_hz : int, hertz
        Clock of the accelerator, in which cycles are counted.
    fields : sequence of Field
        Inputs, outputs and fields of a write, in the order in which they travel.

    Examples
    --------
    >>> info = encode_info(bytes(8), 25_000_000, [Field("input", "x", 64, 4)])
    >>> decode_info(info)[3]
    (Field(role='input', name='x', length=64, bits=4, signed=False),)
    """
    if len(digest) != 8:
        raise ParameterError(f"encode_info: digest must have 8 bytes, not {len(digest)}")
    info = bytes([VERSION]) + digest + clock_hz.to_bytes(4, "little") + bytes([len(fields)])
    for field in fields:
        name = field.name.encode("ascii")
        info += bytes([_ROLES.index(field.role), field.bits, field.signed])
        info += field.length.to_bytes(4, "little") + bytes([len(name)]) + name
    return info


def decode_info(info: bytes) -> tuple[int, bytes, int, tuple[Field, ...]]:
    """Version, digest, clock in hertz and fields out of the payload of an answer to INFO.

    Raises
    ------
    ParameterError
        If the version is another one, or the payload ends too early.
    """
    if not info or info[0] != VERSION:
        raise ParameterError(
            f"the board speaks version {info[0] if info else 'none'} of the host link, and this "
            f"package version {VERSION}; build the bitstream again with this package"
        )
    fields, at = [], 14
    try:
        for _ in range(info[13]):
            role, bits, sign = info[at : at + 3]
            length, size = int.from_bytes(info[at + 3 : at + 7], "little"), info[at + 7]
            name = info[at + 8 : at + 8 + size].decode("ascii")
            fields.append(Field(_ROLES[role], name, length, bits, bool(sign)))
            at += 8 + size
    except (IndexError, ValueError):
        at = -1
    if at != len(info):
        raise ParameterError(
            f"INFO: {len(info)} bytes from the board are no description of a network; build the "
            "bitstream again with this package"
        )
    return info[0], info[1:9], int.from_bytes(info[9:13], "little"), tuple(fields)
