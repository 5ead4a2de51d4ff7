"""Tests of spintron_hw.arith: every twin against the contract, on all inputs of small width."""

import numpy as np
import pytest
from amaranth import Cat, Module, Signal, Value, signed, unsigned
from amaranth.sim import Simulator

from spintron_hw import arith as twin
from spintron_ir import arith as contract

S4, U4, S6, U6 = signed(4), unsigned(4), signed(6), unsigned(6)


def values(shape):
    low = -(1 << (shape.width - 1)) if shape.signed else 0
    return np.arange(low, low + (1 << shape.width))


def evaluate(function, *shapes):
    """What a combinational function gives on every combination of its inputs."""
    inputs = [Signal(shape) for shape in shapes]
    result = Value.cast(function(*inputs))
    grid = [axis.ravel() for axis in np.meshgrid(*map(values, shapes), indexing="ij")]
    m, output, found = Module(), Signal(result.shape()), []
    m.d.comb += output.eq(result)
    sim = Simulator(m)

    @sim.add_testbench
    async def bench(ctx):
        for row in np.stack(grid, axis=1).tolist():
            for signal, value in zip(inputs, row):
                ctx.set(signal, value)
            await ctx.delay(1e-9)
            found.append(ctx.get(output))

    sim.run()
    return np.array(found), grid, result.shape()


def check(gateware, answer, *shapes):
    found, grid, shape = evaluate(gateware, *shapes)
    np.testing.assert_array_equal(found, answer(*grid))
    return shape


@pytest.mark.parametrize("shape", [S6, U6, signed(1), unsigned(1)], ids=str)
@pytest.mark.parametrize("shift", [0, 1, 2, 5, 6, 7, 9])
def test_round_shift(shape, shift):
    check(lambda x: twin.round_shift(x, shift), lambda x: contract.round_shift(x, shift), shape)


@pytest.mark.parametrize("shape", [S6, U6], ids=str)
def test_round_shift_by_a_value(shape):
    check(twin.round_shift, contract.round_shift, shape, unsigned(3))


@pytest.mark.parametrize("shape", [S6, U6, S4, U4, signed(1)], ids=str)
@pytest.mark.parametrize("bits", [1, 2, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("is_signed", [True, False])
def test_saturate(shape, bits, is_signed):
    found = check(
        lambda x: twin.saturate(x, bits, is_signed),
        lambda x: contract.saturate(x, bits, is_signed),
        shape,
    )
    assert (found.width, found.signed) == (bits, is_signed)


@pytest.mark.parametrize("bits", [1, 4, 5, 6])
@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("dac_bits", [1, 2, 3, 6])
def test_chunks(bits, is_signed, dac_bits):
    shape = signed(bits) if is_signed else unsigned(bits)
    kind = {"bits": bits, "signed": is_signed, "dac_bits": dac_bits}
    count = len(contract.chunks(0, **kind))
    for p in range(count):
        check(
            lambda x, p=p: twin.chunks(x, **kind)[p],
            lambda x, p=p: contract.chunks(x, **kind)[p],
            shape,
        )


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("shift", [0, 2])
@pytest.mark.parametrize("bits", [1, 3, None])
@pytest.mark.parametrize("gain", [1, 3])
def test_adc_code(is_signed, shift, bits, gain):
    kind = {"gain": gain, "shift": shift, "bits": bits, "signed": is_signed}
    check(
        lambda x, offset: twin.adc_code(x, offset=offset, **kind),
        lambda x, offset: contract.adc_code(x, offset=offset, **kind),
        signed(5),
        S4,
    )


def test_adc_code_with_a_gain_that_changes():
    kind = {"offset": -5, "shift": 1, "bits": 3, "signed": True}
    check(
        lambda x, gain: twin.adc_code(x, gain=gain, **kind),
        lambda x, gain: contract.adc_code(x, gain=gain, **kind),
        S4,
        unsigned(3),
    )


@pytest.mark.parametrize("low", [0, -4])
@pytest.mark.parametrize("shape", [S6, U6], ids=str)
@pytest.mark.parametrize("transitions", [[-3], [-9, 2, 2], [-40, -1, 0, 5, 5, 9, 99]], ids=str)
def test_transition_code(shape, transitions, low):
    kind = {"transitions": transitions, "low": low}
    check(
        lambda x: twin.transition_code(x, **kind),
        lambda x: contract.transition_code(x, **kind),
        shape,
    )


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("shape", [S4, U4], ids=str)
def test_sense(shape, is_signed):
    check(
        lambda x, t: twin.sense(x, t, is_signed),
        lambda x, t: contract.sense(x, t, is_signed),
        shape,
        S4,
    )


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("shift", [0, 1, 3])
@pytest.mark.parametrize("zero_point", [0, -2])
def test_mulshift(is_signed, shift, zero_point):
    kind = {"shift": shift, "zero_point": zero_point, "bits": 4, "signed": is_signed}
    check(
        lambda x, multiplier: twin.mulshift(x, multiplier=multiplier, **kind),
        lambda x, multiplier: contract.mulshift(x, multiplier=multiplier, **kind),
        signed(5),
        S4,
    )


@pytest.mark.parametrize("shapes", [(S4, S4), (U4, S4), (S4, U4), (U4, U4), (S6, S4)], ids=str)
@pytest.mark.parametrize("bits", [2, 4, 7])
def test_doubling_high_multiply(shapes, bits):
    check(
        lambda x, y: twin.doubling_high_multiply(x, y, bits),
        lambda x, y: contract.doubling_high_multiply(x, y, bits),
        *shapes,
    )


@pytest.mark.parametrize("shape", [S6, U6, signed(1), unsigned(1)], ids=str)
@pytest.mark.parametrize("shift", [0, 1, 2, 5, 6, 7, 9])
def test_round_shift_away(shape, shift):
    check(
        lambda x: twin.round_shift_away(x, shift),
        lambda x: contract.round_shift_away(x, shift),
        shape,
    )


@pytest.mark.parametrize("shift", [-3, -1, 0, 2])
@pytest.mark.parametrize(("low", "high"), [(-8, 7), (0, 6), (-3, -3)])
@pytest.mark.parametrize("shape", [S6, U6], ids=str)
def test_tflite(shape, shift, low, high):
    kind = {"shift": shift, "zero_point": -2, "low": low, "high": high}
    # Multipliers of four bits at the top of 32: ties in both roundings are among the products.
    check(
        lambda x, top: twin.tflite(x, multiplier=top.shift_left(28), **kind),
        lambda x, top: contract.tflite(x, multiplier=top << 28, **kind),
        shape,
        S4,
    )


@pytest.mark.parametrize("thresholds", [[0], [-4, -4, 1], [-9, -3, 0, 2, 2, 5, 31, 32]], ids=str)
@pytest.mark.parametrize("sign", [1, -1])
def test_count_thresholds(thresholds, sign):
    check(
        lambda x: twin.count_thresholds(x, thresholds=thresholds, sign=sign, low=-2),
        lambda x: contract.count_thresholds(
            x[:, None], thresholds=[thresholds], sign=[sign], low=-2
        )[:, 0],
        S6,
    )


@pytest.mark.parametrize(("shape", "low"), [(S4, -8), (U4, 0)], ids=str)
@pytest.mark.parametrize("scale", [1, -5])
def test_lookup(shape, low, scale):
    table = [scale * (n * n - 7) for n in range(16)]
    check(
        lambda x: twin.lookup(x, table=table, low=low),
        lambda x: contract.lookup(x, table=table, low=low),
        shape,
    )


def test_noise():
    # All words of which the upper nine bits agree: the count is the same for each such bit.
    def word(bits):
        return Cat(bits, bits[-1].replicate(9))

    def number(bits):
        return bits | np.where(bits >> 6 & 1, 0xFF80, 0)

    check(lambda x: twin.noise_z(word(x)), lambda x: contract.noise_z(number(x)), unsigned(7))
    check(
        lambda x: twin.noise_value(word(x), 40_961),
        lambda x: contract.noise_value(number(x), 40_961),
        unsigned(7),
    )


def test_noise_counts_every_bit():
    words = [1 << n for n in range(16)]
    found, _, _ = evaluate(lambda n: twin.noise_z((1 << n)[:16]), U4)
    np.testing.assert_array_equal(found, contract.noise_z(words))


@pytest.mark.parametrize("lanes", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [signed(2), unsigned(2)], ids=str)
def test_argmax(lanes, shape):
    check(
        lambda *x: twin.argmax(x),
        lambda *x: contract.argmax(np.stack(x, axis=1)),
        *[shape] * lanes,
    )
