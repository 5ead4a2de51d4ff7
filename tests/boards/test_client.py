# amaranth: UnusedElaboratable=no
"""Tests of boards.client, against a virtual board."""

import numpy as np
import pytest

from boards.client import BoardClient
from sim.virtual_board import VirtualBoard
from spintron_hw.build.sample import Sample
from spintron_hw.control.board_top import BoardTop
from spintron_hw.control.protocol import Cause, Command, Frame
from spintron_ir.errors import MismatchError, ParameterError, ToolError

X = np.random.default_rng(1).integers(-32, 32, (4, 8))


def virtual(**changed):
    options = {"digest": bytes(range(8)), "clock_hz": 1_000_000, "baud": 250_000} | changed
    return VirtualBoard(BoardTop(Sample(), timeout=400, **options), patience=1500)


class Damaging:
    """A port that inverts the bit of the next bytes to pass at the given places."""

    def __init__(self, port, *, sent=(), received=()):
        self.port, self.sent, self.received = port, list(sent), list(received)
        self.out = self.back = 0

    def write(self, data):
        data = bytearray(data)
        for at in range(len(data)):
            data[at] ^= self.out + at in self.sent
        self.out += len(data)
        return self.port.write(bytes(data))

    def read(self, size):
        data = bytearray(self.port.read(size))
        for at in range(len(data)):
            data[at] ^= self.back + at in self.received
        self.back += len(data)
        return bytes(data)


class Script:
    """A port that answers with given bytes, one a request."""

    def __init__(self, *answers):
        self.answers, self.waiting = list(answers), b""

    def write(self, data):
        answer = self.answers.pop(0) if self.answers else b""
        self.waiting = answer(data[2]) if callable(answer) else answer

    def read(self, size):
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data


def nak(cause):
    return Frame(0xFF, 0, bytes([cause])).encode()


def test_runs_a_batch_from_frame_0():
    with BoardClient(virtual()) as board:
        for _ in range(2):
            y = board.run(X)
            np.testing.assert_array_equal(y, Sample.trace(X)["sum"])
        assert board.run(X[:0]).shape == (0, 2)


def test_info():
    info = BoardClient(virtual()).info()
    assert (info.digest, info.clock_hz) == ("0001020304050607", 1_000_000)
    assert [(f.name, f.length) for f in info.inputs + info.outputs] == [("x", 8), ("y", 2)]
    assert info.writes == ()


def test_knows_its_network():
    board = BoardClient(virtual())
    board.check_digest("0001020304050607aa55")
    message = (
        r"the board on VirtualBoard runs network 0001020304050607, not ff01020304050607; "
        r"configure it with the bitstream that was built for this network"
    )
    with pytest.raises(MismatchError, match=f"^{message}$"):
        board.check_digest("ff01020304050607aa55")


@pytest.mark.parametrize("sent", [7 + 6, 7 + 2, 7 + 3, 7 + 13], ids=str)
def test_damaged_request_is_sent_again(sent):
    # The first 7 bytes are the request for INFO; then comes INFER, with 8 bytes of payload.
    inference = BoardClient(Damaging(virtual(), sent=[sent])).infer(X[0])
    assert inference.outputs["y"][0] == Sample.trace(X)["sum"][0, 0]
    assert inference.cycles == 6


def test_damaged_answer_to_a_harmless_request_is_asked_for_again():
    board = BoardClient(Damaging(virtual(), received=[20]))
    assert board.info().clock_hz == 1_000_000


def test_damaged_answer_to_an_inference_is_an_error():
    port = Damaging(virtual())
    board = BoardClient(port)
    board.info()
    port.received = [port.back + 6]
    message = (
        r"the board on Damaging does not answer INFER; check that the bitstream is loaded, that "
        r"this is the port of its FPGA, and that no other program has it open"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        board.infer(X[0])


def test_request_after_half_a_frame_works():
    port = virtual()
    port.write(Frame(Command.INFER, 1, bytes(8)).encode()[:5])
    BoardClient(port).ping()


def test_silence():
    message = (
        r"the board on Script does not answer PING; check that the bitstream is loaded, that this "
        r"is the port of its FPGA, and that no other program has it open"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        BoardClient(Script()).ping()


def test_noise_is_no_answer():
    with pytest.raises(ToolError, match="^the board on Script does not answer PING; "):
        BoardClient(Script(bytes(10_000), b"\xa5\x81")).ping()


@pytest.mark.parametrize(
    ("cause", "reason", "requests"),
    [
        (Cause.CHECKSUM, r"the request arrived damaged \(checksum\)", 2),
        (Cause.TRUNCATED, "the request arrived incomplete", 2),
        (
            Cause.COMMAND,
            "it does not know the command; codes of this bitstream cannot be written",
            2,
        ),
        (Cause.LENGTH, "the payload has another length than its network needs", 2),
        (Cause.STALLED, "the accelerator gave no answer in time, and was restarted", 1),
    ],
)
def test_refusals_are_told(cause, reason, requests):
    port = Script(nak(cause), nak(cause))
    message = (
        rf"the board on Script refuses PING: {reason}; check the cable and the speed of the port, "
        r"and that the bitstream is from this package"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        BoardClient(port).ping()
    assert len(port.answers) == 2 - requests


def test_answer_to_an_older_request_is_not_taken():
    port = Script(Frame(0x81, 77).encode(), lambda sequence: Frame(0x81, sequence).encode())
    BoardClient(port).ping()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([0] * 7, r"infer: x must be 8 integers, not 7 values of int64"),
        ([0.0] * 8, r"infer: x must be 8 integers, not 8 values of float64"),
        ([0] * 7 + [32], r"infer: x\[7\] must be in -32\.\.31, not 32"),
        ({"y": [0] * 8}, r"infer: inputs must be x, not y"),
        ({}, r"infer: inputs must be x, not none"),
    ],
)
def test_refuses_inputs(x, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        BoardClient(virtual()).infer(x)


def test_refuses_to_write_fixed_codes():
    message = (
        r"write_code: layer must be one of none, not 'fc1'; only codes of folded tiles can be "
        r"written"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        BoardClient(virtual()).write_code("fc1", bank=0, address=0, data=0)


def test_port_that_does_not_exist():
    message = r"serial port '/dev/no-such' must be one that can be opened, but: .*; python -m .*"
    with pytest.raises(ToolError, match=f"^{message}$"):
        BoardClient("/dev/no-such")
