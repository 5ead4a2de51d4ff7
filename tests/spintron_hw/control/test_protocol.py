"""Tests of spintron_hw.control.protocol."""

import pytest
from amaranth.lib.crc.catalog import CRC16_IBM_SDLC

from spintron_hw.control.protocol import (
    Command,
    Field,
    Frame,
    crc16,
    decode_info,
    element_bytes,
    encode_info,
)
from spintron_ir.errors import ParameterError


def test_checksum_is_that_of_the_catalog():
    # The check value of CRC-16/IBM-SDLC in the catalogue of parametrised CRC algorithms.
    assert crc16(b"123456789") == 0x906E
    for data in (b"", b"\0", bytes(range(256))):
        assert crc16(data) == CRC16_IBM_SDLC(8).compute(data)


def test_frame_by_hand():
    frame = Frame(Command.INFER, 9, bytes([1, 255]))
    assert frame.encode()[:7].hex() == "a503090200" + "01ff"
    assert Frame.decode(frame.encode()) == frame


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"Frame: must start with 0xa5, not ''"),
        (b"\0" * 7, r"Frame: must start with 0xa5, not '00'"),
        (
            Frame(1, 2).encode() + b"\0",
            r"Frame: must have 7 bytes, as its length says, not 8",
        ),
        (
            Frame(1, 7).encode()[:-2] + b"\0\0",
            r"Frame: checksum must be 0x6c60, not 0x0000",
        ),
    ],
)
def test_damaged_frames_are_refused(data, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        Frame.decode(data)


def test_info_goes_through():
    fields = (
        Field("input", "x", 70_000, 12, True),
        Field("output", "class", 1, 4),
        Field("write", "data", 1, 36),
    )
    assert decode_info(encode_info(b"12345678", 48_000_000, fields)) == (
        1,
        b"12345678",
        48_000_000,
        fields,
    )


def test_info_of_another_version_is_refused():
    message = (
        r"the board speaks version 9 of the host link, and this package version 1; build the "
        r"bitstream again with this package"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        decode_info(bytes([9]))


def test_info_cut_short_is_refused():
    info = encode_info(bytes(8), 1000, [Field("input", "x", 1, 1)])
    message = (
        r"INFO: 21 bytes from the board are no description of a network; build the bitstream "
        r"again with this package"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        decode_info(info[:-2])


@pytest.mark.parametrize(("bits", "size"), [(1, 1), (8, 1), (9, 2), (16, 2), (17, 3), (64, 8)])
def test_element_bytes(bits, size):
    assert element_bytes(bits) == size
