# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.control.uart."""

from collections import deque

import pytest
from amaranth.sim import Simulator

from spintron_hw.control.uart import UARTReceiver, UARTTransmitter
from spintron_ir.errors import ParameterError

BYTES = [0x00, 0xFF, 0x55, 0xA5, 0x01, 0x80]


def line_of(byte, divisor, *, stop=1, drift=0.0):
    """Levels of one byte on a line, one a cycle, from a sender whose clock is off by drift."""
    bits = [0, *(byte >> n & 1 for n in range(8)), stop]
    length = divisor * (1 + drift)
    return [bits[int(n / length)] for n in range(int(10 * length))]


def receive(divisor, line, *, ready=1):
    """Bytes that a receiver takes off the levels of a line."""
    dut, got = UARTReceiver(divisor=divisor), []
    sim = Simulator(dut)
    sim.add_clock(1e-6)

    async def bench(ctx):
        ctx.set(dut.o.ready, ready)
        for level in [1, 1, *line] + [1] * 2 * divisor:
            ctx.set(dut.rx, level)
            _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid and ready:
                got.append(byte)
        if not ready and ctx.get(dut.o.valid):
            got.append(ctx.get(dut.o.payload))

    sim.add_testbench(bench)
    sim.run()
    return got


def transmit(divisor, data):
    """Levels of the line of a transmitter."""
    dut, levels, waiting = UARTTransmitter(divisor=divisor), [], deque(data)
    sim = Simulator(dut)
    sim.add_clock(1e-6)

    async def bench(ctx):
        for _ in range(len(data) * (10 * divisor + 1) + 3):
            ctx.set(dut.i.valid, bool(waiting))
            ctx.set(dut.i.payload, waiting[0] if waiting else 0)
            _, _, taken, level = await ctx.tick().sample(dut.i.valid & dut.i.ready, dut.tx)
            levels.append(level)
            if taken:
                waiting.popleft()

    sim.add_testbench(bench)
    sim.run()
    return levels


@pytest.mark.parametrize("divisor", [4, 5, 12, 25, 125])
def test_receives_back_to_back(divisor):
    assert receive(divisor, sum((line_of(byte, divisor) for byte in BYTES), [])) == BYTES


@pytest.mark.parametrize("divisor", [12, 25])
@pytest.mark.parametrize("drift", [-0.03, 0.03])
def test_receives_from_a_sender_with_another_clock(divisor, drift):
    line = sum((line_of(byte, divisor, drift=drift) for byte in BYTES), [])
    assert receive(divisor, line) == BYTES


@pytest.mark.parametrize("divisor", [4, 12, 25])
def test_what_is_transmitted_is_received(divisor):
    assert receive(divisor, transmit(divisor, BYTES)) == BYTES


def test_transmitted_levels_by_hand():
    # Idle for the cycle in which the byte is taken; start 0; 0x53 from its lowest bit; stop 1.
    bits = [0, 1, 1, 0, 0, 1, 0, 1, 0, 1]
    assert transmit(4, [0x53])[:41] == [1] + [bit for bit in bits for _ in range(4)]


def test_byte_without_stop_bit_is_dropped():
    line = line_of(0x12, 8, stop=0) + [0] * 100 + [1] * 8 + line_of(0x34, 8)
    assert receive(8, line) == [0x34]


def test_glitches_shorter_than_half_a_bit_do_no_lasting_harm():
    assert receive(16, [0] * 3 + [1] * 200 + line_of(0x34, 16))[-1] == 0x34


def test_byte_that_nobody_takes_stays():
    assert receive(8, line_of(0x12, 8) + line_of(0x34, 8), ready=0) == [0x12]


@pytest.mark.parametrize("cell", [UARTReceiver, UARTTransmitter])
def test_refuses(cell):
    message = rf"{cell.__name__}: divisor must be an integer in 4\.\.65536, not 3"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        cell(divisor=3)
