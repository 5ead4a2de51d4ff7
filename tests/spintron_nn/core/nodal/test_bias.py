"""Tests of spintron_nn.core.nodal.bias."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.nodal import CurrentLaw, TunnelJunctions, operating_point, solve
from tests.spintron_nn.core.nodal.netlist import netlist, simulate
from tests.spintron_nn.core.nodal.test_solution import FIELDS, no_ngspice

WIRES = {"wire_word": 5.0, "wire_bit": 8.0, "driver": 50.0, "sense": 20.0}


def junctions(rows, cols, seed=0):
    random = np.random.default_rng(seed)
    low = random.uniform(900, 1100, (rows, cols))
    high = low * np.where(random.random((rows, cols)) < 0.5, 1.0, 2.2)
    return TunnelJunctions(high, resistance_low=low, bias_half=0.5), low, high


def test_bias_of_a_junction():
    # TMR of 120 % at 0 V: at the half bias 60 %, at twice that 24 %.
    one = TunnelJunctions([[2200.0]], resistance_low=1000.0, bias_half=0.5)
    for voltage, resistance in ((0.5, 1600.0), (-0.5, 1600.0), (1.0, 1240.0)):
        current, _ = one.current(np.array([[voltage]]))
        assert current[0, 0] == pytest.approx(voltage / resistance, rel=1e-14)
    for voltage in (0.0, 0.1, -0.7, 2.0):
        steps = np.array([voltage - 1e-5, voltage + 1e-5])
        below, above = (one.current(np.array([[step]]))[0][0, 0] for step in steps)
        slope = one.current(np.array([[voltage]]))[1][0, 0]
        assert slope == pytest.approx((above - below) / 2e-5, rel=1e-8)


def test_ngspice_agrees_on_tunnel_junctions(tmp_path, require_tool):
    require_tool("ngspice", no_ngspice())
    devices, low, high = junctions(6, 5)
    applied = np.random.default_rng(1).uniform(-1.5, 1.5, 6)

    def device(r, c, word, bit):
        across, ratio = f"(v({word})-v({bit}))", float(high[r, c] / low[r, c] - 1)
        law = f"{across}/({float(low[r, c])!r}*(1+{ratio!r}/(1+({across}/0.5)^2)))"
        return f"B{r}_{c} {word} {bit} I={law}"

    output, word, bit = simulate(netlist(applied, device, (6, 5), **WIRES), (6, 5), tmp_path)
    found = operating_point(devices, applied, **WIRES)
    assert found.steps <= 6 and found.residual <= 1e-11
    assert found.solution.output_current == pytest.approx(output, rel=1e-8, abs=1e-12)
    assert found.solution.word_line_voltage == pytest.approx(word, rel=1e-8, abs=1e-12)
    assert found.solution.bit_line_voltage == pytest.approx(bit, rel=1e-8, abs=1e-12)


def test_ngspice_agrees_on_a_steep_law(tmp_path, require_tool):
    require_tool("ngspice", no_ngspice())
    applied = np.array([1.2, -0.8, 0.5])

    def device(r, c, word, bit):
        return f"B{r}_{c} {word} {bit} I=1e-6*sinh((v({word})-v({bit}))/0.1)"

    output, word, _ = simulate(netlist(applied, device, (3, 4), **WIRES), (3, 4), tmp_path)
    steep = CurrentLaw(3, 4, lambda v: (1e-6 * np.sinh(v / 0.1), 1e-5 * np.cosh(v / 0.1)))
    found = operating_point(steep, applied, **WIRES)
    assert found.solution.output_current == pytest.approx(output, rel=1e-7, abs=1e-12)
    assert found.solution.word_line_voltage == pytest.approx(word, rel=1e-7)


def test_resistors_take_one_step():
    resistance = np.random.default_rng(2).uniform(1e3, 1e4, (12, 9))
    resistance[3, 4] = np.inf
    applied = np.random.default_rng(3).uniform(-1, 1, 12)
    same = TunnelJunctions(resistance, resistance_low=1e3, bias_half=1e9)
    found, expected = operating_point(same, applied, **WIRES), solve(resistance, applied, **WIRES)
    assert found.steps <= 2
    for field in FIELDS:
        scale = np.abs(getattr(expected, field)).max()
        error = np.abs(getattr(found.solution, field) - getattr(expected, field)).max()
        assert error <= 1e-11 * scale


def test_many_devices_converge():
    devices, _, _ = junctions(48, 40)
    applied = np.random.default_rng(4).uniform(-1, 1, 48)
    found = operating_point(devices, applied, **WIRES)
    assert found.steps <= 8 and found.residual <= 1e-10
    across = found.solution.word_line_voltage - found.solution.bit_line_voltage
    current, _ = devices.current(across)
    assert current == pytest.approx(found.solution.device_current, rel=1e-7, abs=1e-13)


def test_without_wires_each_device_has_its_row_voltage():
    devices, _, _ = junctions(4, 3)
    applied = np.array([0.3, 0.0, -0.7, 1.0])
    found = operating_point(devices, applied, wire_word=0, wire_bit=0)
    current, _ = devices.current(np.repeat(applied[:, None], 3, axis=1))
    assert found.solution.device_current.tolist() == current.tolist()


def test_newton_converges_quadratically():
    devices, _, _ = junctions(16, 16)
    applied = np.full(16, 1.0)
    reached = []
    for steps in range(1, 5):
        message = (
            rf"^operating_point: no operating point after {steps} steps, (\S+) V are missing; "
            r"check that slope is the derivative of current, or allow more steps$"
        )
        try:
            found = operating_point(devices, applied, **WIRES, steps=steps)
            reached.append(found.residual)
        except ParameterError as refusal:
            reached.append(float(re.match(message, str(refusal))[1]))
    # Each step squares what is missing, up to a constant, until rounding ends it.
    for before, after in zip(reached, reached[1:]):
        assert after <= max(3 * before**2, 1e-12)


@pytest.mark.parametrize(
    "law, message",
    [
        (
            lambda v: (v - v**3, 1 - 3 * v**2),
            "operating_point: the slopes dI/dV of the devices must be at least 0, not -2 S; with "
            "falling currents there may be several operating points",
        ),
        (
            lambda v: (v + np.nan, v),
            "operating_point: the devices must give finite currents of the shape (1, 1); the law "
            "is not defined at their voltages, 0..0 V",
        ),
        (
            lambda v: (v, np.ones(2)),
            "operating_point: the devices must give finite slopes of the shape (1, 1); the law is "
            "not defined at their voltages, 0..0 V",
        ),
    ],
)
def test_laws_that_are_refused(law, message):
    with pytest.raises(ParameterError, match=rf"^{re.escape(message)}$"):
        operating_point(CurrentLaw(1, 1, law), [1.0], wire_word=0, wire_bit=0)


def test_refusals():
    with pytest.raises(
        ParameterError,
        match=r"^TunnelJunctions: resistance_low must be numbers of ohm above 0 and at most the "
        r"resistance of each device$",
    ):
        TunnelJunctions([[1e3]], resistance_low=2e3, bias_half=0.5)
    with pytest.raises(
        ParameterError, match=r"^TunnelJunctions: bias_half must be a number of V above 0, not 0$"
    ):
        TunnelJunctions([[1e3]], resistance_low=1e3, bias_half=0)
    with pytest.raises(
        ParameterError, match=r"^CurrentLaw: rows must be an integer in 1\.\.65536, not 0$"
    ):
        CurrentLaw(0, 1, lambda v: (v, v))
    with pytest.raises(
        ParameterError,
        match=r"^operating_point: applied_voltage must have the shape \(1,\), one for each word "
        r"line, not \(1, 2\)$",
    ):
        operating_point(CurrentLaw(1, 1, lambda v: (v, v)), [[1.0, 2.0]], wire_word=0, wire_bit=0)
    with pytest.raises(
        ParameterError, match=r"^operating_point: steps must be an integer in 1\.\.1000, not 0$"
    ):
        operating_point(CurrentLaw(1, 1, lambda v: (v, v)), [1.0], wire_word=0, wire_bit=0, steps=0)
