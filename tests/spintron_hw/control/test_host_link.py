# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.control.host_link, over the pins of a board top."""

import random

import numpy as np
import pytest
from amaranth import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from sim.virtual_board import VirtualBoard
from spintron_hw.control.board_top import BoardTop
from spintron_hw.control.host_link import HostLink
from spintron_hw.control.protocol import Cause, Command, Frame, decode_info
from spintron_hw.mapping.ports import StreamPort
from spintron_hw.stream import vector
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

TIMEOUT = 400  # cycles; ten bytes
X = np.array([-32, 31, 5, -6, 7, 8, -9, 0])


class Sums(wiring.Component):
    """Adds up and counts frames of eight elements in three beats; answers 3 cycles later."""

    streams = (
        StreamPort("i_x", "input", "x", 8, IntType(6, True), 3),
        StreamPort("tap_x", "tap", "x", 8, IntType(6, True), 3),
        StreamPort("o_y", "output", "y", 2, IntType(14, True), 2),
    )

    def __init__(self):
        x, _, y = (stream.Signature(vector(p.type, p.lanes)) for p in self.streams)
        super().__init__({"i_x": In(x), "o_y": Out(y)})

    def elaborate(self, platform):
        m = Module()
        beat, total, frames, wait = Signal(2), Signal(14), Signal(14), Signal(2)
        third = Mux(beat == 2, 0, self.i_x.p[2])
        m.d.comb += [
            self.i_x.ready.eq((beat != 3) & (wait == 0)),
            self.o_y.valid.eq((beat == 3) & (wait == 2)),
            self.o_y.p[0].eq(total),
            self.o_y.p[1].eq(frames),
        ]
        with m.If(self.i_x.valid & self.i_x.ready):
            m.d.sync += [beat.eq(beat + 1), total.eq(total + self.i_x.p[0] + self.i_x.p[1] + third)]
        with m.Elif((beat == 3) & (wait != 2)):
            m.d.sync += wait.eq(wait + 1)
        with m.Elif(self.o_y.valid & self.o_y.ready):
            m.d.sync += [beat.eq(0), total.eq(0), wait.eq(0), frames.eq(frames + 1)]
        return m


class Mix(wiring.Component):
    """Adds and subtracts two inputs of several beats; a code of it can be written."""

    streams = (
        StreamPort("i_a", "input", "a", 5, IntType(9, True), 2),
        StreamPort("i_b", "input", "b", 3, IntType(3), 1),
        StreamPort("o_sums", "output", "sums", 3, IntType(17, True), 1),
        StreamPort("o_code", "output", "code", 2, IntType(20), 2),
    )
    fc1 = data.StructLayout({"bank": 1, "address": 2, "data": unsigned(3)})
    fc2 = data.StructLayout({"bank": 3, "address": 9, "data": unsigned(20)})

    def __init__(self):
        a, b, sums, code = (stream.Signature(vector(p.type, p.lanes)) for p in self.streams)
        super().__init__(
            {"i_a": In(a), "i_b": In(b), "o_sums": Out(sums), "o_code": Out(code)}
            | {
                "w_fc1": In(stream.Signature(self.fc1, always_ready=True)),
                "w_fc2": In(stream.Signature(self.fc2, always_ready=True)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        beat, total = Signal(2), Signal(signed(17))
        code, frames = Signal(20, reset_less=True), Signal(20)
        with m.If(self.w_fc1.valid):
            m.d.sync += code.eq(self.w_fc1.p.data)
        with m.If(self.w_fc2.valid):
            m.d.sync += code.eq(self.w_fc2.p.data + self.w_fc2.p.bank + self.w_fc2.p.address)
        go = self.i_a.valid & self.i_b.valid & self.o_sums.ready & (beat != 3)
        m.d.comb += [
            self.i_a.ready.eq(go),
            self.i_b.ready.eq(go),
            self.o_sums.valid.eq(go),
            self.o_sums.p[0].eq(total + self.i_a.p[0] - self.i_b.p[0]),
            self.o_code.valid.eq(beat == 3),
            self.o_code.p[0].eq(code),
            self.o_code.p[1].eq(frames),
        ]
        with m.If(go):
            m.d.sync += [beat.eq(beat + 1), total.eq(self.o_sums.p[0])]
        with m.If(self.o_code.valid & self.o_code.ready):
            m.d.sync += [beat.eq(0), total.eq(0), frames.eq(frames + 1)]
        return m


class Deaf(wiring.Component):
    """Takes one beat, and never answers."""

    streams = Sums.streams

    def __init__(self):
        super().__init__(
            {
                "i_x": In(stream.Signature(data.ArrayLayout(signed(6), 3))),
                "o_y": Out(stream.Signature(data.ArrayLayout(signed(14), 2))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        taken = Signal()
        m.d.comb += self.i_x.ready.eq(~taken)
        with m.If(self.i_x.valid):
            m.d.sync += taken.eq(1)
        return m


def board(component=None, **changed):
    options = {"digest": b"digest!!", "clock_hz": 1_000_000, "baud": 250_000}
    options |= {"timeout": TIMEOUT, "max_cycles": 500} | changed
    return VirtualBoard(BoardTop(component or Sums(), **options), patience=1000)


def answer(line):
    """The next frame from a board, or None where it says nothing."""
    header = line.read(5)
    if not header:
        return None
    return Frame.decode(header + line.read(int.from_bytes(header[3:], "little") + 2))


def ask(line, command, sequence=1, payload=b""):
    line.write(Frame(command, sequence, payload).encode())
    return answer(line)


def infer(line, x=X):
    frame = ask(line, Command.INFER, 2, np.asarray(x, "i1").tobytes())
    assert (frame.command, frame.sequence) == (0x80 | Command.INFER, 2)
    return int.from_bytes(frame.payload[:4], "little"), np.frombuffer(frame.payload[4:], "<i2")


def works(line):
    """Whether a board answers as it should."""
    _, y = infer(line)
    return y[0] == X.sum()


def test_ping():
    assert ask(board(), Command.PING, 200) == Frame(0x81, 200)


def test_info_describes_the_accelerator():
    version, digest, clock_hz, fields = decode_info(ask(board(Mix()), Command.INFO).payload)
    assert (version, digest, clock_hz) == (1, b"digest!!", 1_000_000)
    assert [(f.role, f.name, f.length, f.bits, f.signed) for f in fields] == [
        ("input", "a", 5, 9, True),
        ("input", "b", 3, 3, False),
        ("output", "sums", 3, 17, True),
        ("output", "code", 2, 20, False),
        ("write", "layer", 1, 8, False),
        ("write", "bank", 1, 3, False),
        ("write", "address", 1, 9, False),
        ("write", "data", 1, 20, False),
        ("layer", "fc1", 1, 3, False),
        ("layer", "fc2", 1, 20, False),
    ]


def test_infers_frame_after_frame():
    line = board()
    x = np.random.default_rng(0).integers(-32, 32, (5, 8))
    for number, row in enumerate(x):
        cycles, y = infer(line, row)
        # Three beats in cycles 1, 2 and 3, and the sums 3 cycles later.
        assert cycles == 6
        assert y.tolist() == [row.sum(), number]


def test_reset_returns_to_frame_0_and_keeps_what_was_written():
    line, vectors = board(Mix()), bytes(13)
    ask(line, Command.WRITE, 1, bytes([0, 0, 0, 0, 1, 0, 0]))
    for frames in range(3):
        assert ask(line, Command.INFER, 1, vectors).payload[-6:] == bytes([1, 0, 0, frames, 0, 0])
    assert ask(line, Command.RESET) == Frame(0x85, 1)
    assert ask(line, Command.INFER, 1, vectors).payload[-6:] == bytes([1, 0, 0, 0, 0, 0])


def test_two_inputs_two_outputs_and_a_write():
    line = board(Mix())
    a, b = [-256, 255, 7, -1, 100], [7, 0, 3]
    payload = np.array(a, "<i2").tobytes() + bytes(b)
    # Beats of a hold two elements, of which the component uses the first: -256, 7, 100.
    sums = [-263, -256, -159]
    for number in range(2):
        frame = ask(line, Command.INFER, 3, payload)
        assert frame.payload[:4] == bytes([4, 0, 0, 0])
        code = 0 if number == 0 else 0xABCDE + 5 + 300
        expected = b"".join(s.to_bytes(3, "little", signed=True) for s in sums)
        expected += code.to_bytes(3, "little") + number.to_bytes(3, "little")
        assert frame.payload[4:] == expected
        write = bytes([1, 5]) + (300).to_bytes(2, "little") + (0xABCDE).to_bytes(3, "little")
        assert ask(line, Command.WRITE, 9, write) == Frame(0x84, 9)


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        (Frame(Command.PING, 3).encode()[:-1] + b"\0", Cause.CHECKSUM),
        (Frame(Command.INFER, 3, bytes(8)).encode()[:-2], Cause.TRUNCATED),
        (Frame(Command.INFER, 3, bytes(8)).encode()[:9], Cause.TRUNCATED),
        (Frame(Command.PING, 3).encode()[:2], Cause.TRUNCATED),
        (Frame(Command.INFER, 3, bytes(9)).encode(), Cause.LENGTH),
        (Frame(Command.INFER, 3, bytes(8)).encode()[:3] + b"\x08\x01", Cause.LENGTH),
        (Frame(Command.WRITE, 3, bytes(9)).encode(), Cause.COMMAND),
        (Frame(0x83, 3, bytes(9)).encode(), Cause.COMMAND),
    ],
)
def test_bad_frames_are_refused_by_cause_and_not_acted_upon(bad, cause):
    line = board()
    line.write(bad)
    refusal = answer(line)
    assert (refusal.command, refusal.payload) == (0xFF, bytes([cause]))
    assert works(line)
    assert infer(line)[1][1] == 1  # only the vector before this one was run


def test_one_wrong_bit_is_noticed():
    good = Frame(Command.INFER, 3, X.astype("i1").tobytes()).encode()
    line = board()
    for at in range(0, 8 * len(good), 3):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        line.write(bytes(bad))
        refusal = answer(line)
        assert refusal is None if at < 8 else refusal.command == 0xFF, at
    assert works(line)


def test_write_to_a_layer_that_there_is_not():
    line = board(Mix())
    assert ask(line, Command.WRITE, 1, bytes([2] + [0] * 6)) == Frame(0xFF, 1, bytes([Cause.LAYER]))
    assert ask(line, Command.WRITE, 1, bytes([1] + [0] * 6)) == Frame(0x84, 1)


@pytest.mark.parametrize("seed", range(4))
def test_recovers_from_garbage(seed):
    line, rng = board(), random.Random(seed)
    for _ in range(3):
        line.write(bytes(rng.choice([0, 3, 8, 0xA5, rng.randrange(256)]) for _ in range(40)))
        while line.read(64):  # whatever it says to that
            pass
        assert works(line)


def test_bytes_sent_too_early_are_dropped():
    line = board()
    line.write(Frame(Command.INFO, 1).encode())
    line.read(10)
    line.write(Frame(Command.PING, 2).encode())
    line.read(1000)
    assert works(line)


def test_accelerator_that_never_answers_is_restarted():
    line = board(Deaf())
    for _ in range(2):
        stalled = ask(line, Command.INFER, 7, bytes(8))
        assert stalled == Frame(0xFF, 7, bytes([Cause.STALLED]))
    assert ask(line, Command.PING) == Frame(0x81, 1)


def test_refuses_an_accelerator_without_output():
    message = r"HostLink: ports must hold at least one input and one output, not \['i_x'\]"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        HostLink(Sums.streams[:1], digest=bytes(8), clock_hz=1, timeout=1)


def test_refuses_a_vector_longer_than_a_frame():
    ports = (StreamPort("i_x", "input", "x", 40_000, IntType(9), 1), Sums.streams[2])
    message = r"HostLink: bytes of input must be an integer in 0\.\.65531, not 80000"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        HostLink(ports, digest=bytes(8), clock_hz=1, timeout=1)


@pytest.mark.parametrize(
    ("baud", "message"),
    [
        (300_000, r"BoardTop: baud must be an integer in 1\.\.250000, not 300000"),
        (
            220_000,
            r"BoardTop: baud must be within 2 % of 1,000,000 Hz over an integer, not 220,000; "
            r"the nearest is 200,000",
        ),
    ],
)
def test_refuses_a_speed_that_the_clock_does_not_give(baud, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        board(baud=baud)
