"""Tests of spintron_nn.core.junction.magnetoresistance."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.junction import (
    industrial_tmr,
    julliere_tmr,
    polarisation_at_temperature,
    polarisation_from_tmr,
    tmr_at_temperature,
    tmr_at_voltage,
)


def test_julliere():
    # 2 * 0.36 / (1 - 0.36) = 0.72 / 0.64; and 2 * 0.4 * 0.5 / (1 - 0.2) = 0.5.
    np.testing.assert_allclose(julliere_tmr([0.0, 0.6]), [0.0, 1.125])
    assert julliere_tmr(0.4, 0.5) == pytest.approx(0.5)
    assert julliere_tmr(0.9999) > 9000


def test_polarisation_is_the_inverse():
    tmr = np.array([0.0, 0.5, 1.2, 1.235, 6.0])
    np.testing.assert_allclose(julliere_tmr(polarisation_from_tmr(tmr)), tmr, rtol=1e-12)
    # sqrt(1.2 / 3.2) by hand.
    assert polarisation_from_tmr(1.2) == pytest.approx(0.612372, rel=1e-5)


def test_bias():
    found = tmr_at_voltage(1.2, [0.0, 0.25, -0.25, 0.5], 0.5)
    np.testing.assert_allclose(found, [1.2, 0.96, 0.96, 0.6])


def test_the_industrial_fit():
    # 1 / 0.4475 - 1 and 1 / (0.1729 * 0.09 + 0.1315 * 0.3 + 0.4475) - 1 = 1 / 0.502511 - 1.
    np.testing.assert_allclose(industrial_tmr([0.0, 0.3, -0.3]), [1.23464, 0.99000, 0.99000], 1e-5)
    assert (np.diff(industrial_tmr(np.linspace(0, 0.3, 50))) < 0).all()


def test_temperature():
    # 300**1.5 = 5196.15: the share is 1 - 2e-5 * 5196.15 = 0.896077.
    assert polarisation_at_temperature(0.6, 300.0, 2e-5) == pytest.approx(0.537646, rel=1e-5)
    # 2 * 0.289063 / (1 - 0.289063).
    assert tmr_at_temperature(1.125, 300.0, 2e-5) == pytest.approx(0.813189, rel=1e-5)
    falling = tmr_at_temperature(1.2, np.linspace(0, 450, 40), 2e-5)
    assert falling[0] == pytest.approx(1.2) and (np.diff(falling) < 0).all()
    np.testing.assert_allclose(tmr_at_temperature(1.2, [0.0, 400.0], 0.0), 1.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: julliere_tmr(1.0),
            "julliere_tmr: polarisation must be a number at least 0 and below 1, not 1.0",
        ),
        (
            lambda: julliere_tmr(0.5, -0.1),
            "julliere_tmr: other must be a number at least 0 and below 1, not -0.1",
        ),
        (
            lambda: polarisation_from_tmr(-0.1),
            "polarisation_from_tmr: tmr must be a number at least 0, not -0.1",
        ),
        (
            lambda: tmr_at_voltage(-1.0, 0.1, 0.5),
            "tmr_at_voltage: tmr must be a number at least 0, not -1.0",
        ),
        (
            lambda: tmr_at_voltage(1.0, float("nan"), 0.5),
            "tmr_at_voltage: voltage must be a finite number of V, not nan",
        ),
        (
            lambda: tmr_at_voltage(1.0, 0.1, 0.0),
            "tmr_at_voltage: half_voltage must be a number of V above 0, not 0.0",
        ),
        (
            lambda: industrial_tmr([0.1, -0.4]),
            "industrial_tmr: voltage must be within -0.3..0.3 V, not 0.4 V; the fit is stated for "
            "reads only, take tmr_at_voltage beyond",
        ),
        (
            lambda: industrial_tmr(float("nan")),
            "industrial_tmr: voltage must be a finite number of V, not nan",
        ),
        (
            lambda: polarisation_at_temperature(1.0, 300.0, 2e-5),
            "polarisation_at_temperature: polarisation must be a number at least 0 and below 1, "
            "not 1.0",
        ),
        (
            lambda: polarisation_at_temperature(0.6, -1.0, 2e-5),
            "polarisation_at_temperature: temperature must be a number of K at least 0, not -1.0",
        ),
        (
            lambda: polarisation_at_temperature(0.6, 300.0, -1e-5),
            "polarisation_at_temperature: coefficient must be a number of 1/K**1.5 at least 0, "
            "not -1e-05",
        ),
        (
            # 8.9e-5 * 600**1.5 = 8.9e-5 * 14696.9.
            lambda: polarisation_at_temperature(0.6, [300.0, 600.0], 8.9e-5),
            "polarisation_at_temperature: coefficient * temperature**1.5 must be at most 1, not "
            "1.31; the law holds well below the Curie point, give a lower temperature",
        ),
        (
            lambda: tmr_at_temperature(-1.0, 300.0, 2e-5),
            "tmr_at_temperature: tmr must be a number at least 0, not -1.0",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
