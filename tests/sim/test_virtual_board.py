"""Tests of sim.virtual_board."""

import pytest

from sim.virtual_board import VirtualBoard
from spintron_hw.build.sample import Sample
from spintron_hw.control.board_top import BoardTop
from spintron_hw.control.protocol import Command, Frame
from spintron_ir.errors import ParameterError


def virtual(**options):
    return VirtualBoard(design(), **options)


def design():
    return BoardTop(Sample(), digest=bytes(8), clock_hz=1_000_000, baud=250_000, timeout=400)


def test_answers_wait_until_they_are_read():
    board = virtual()
    assert board.write(Frame(Command.PING, 5).encode()) == 7
    assert board.cycles == 0
    assert board.read(3) + board.read(4) == Frame(0x81, 5).encode()
    assert board.cycles >= 14 * 10 * 4  # 14 bytes of 10 bits of 4 cycles


def test_silence_ends_a_read():
    board = virtual(patience=1000)
    assert board.read(1) == b""
    assert 1000 <= board.cycles < 1100


def test_closing_and_forgetting_do_what_a_port_does():
    board = virtual(patience=1000)
    board.reset_input_buffer()
    board.close()
    board.write(Frame(Command.PING, 6).encode())
    assert board.read(100) == Frame(0x81, 6).encode()


def test_patience_must_be_a_number_of_cycles():
    message = r"VirtualBoard: patience must be an integer in 1\.\.1099511627776, not 0"
    top = design()
    with pytest.raises(ParameterError, match=f"^{message}$"):
        VirtualBoard(top, patience=0)
    assert VirtualBoard(top, patience=1).read(1) == b""
