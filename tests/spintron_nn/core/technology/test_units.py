"""Tests of spintron_nn.core.technology.units."""

import re

import pytest

from spintron_ir import ParameterError
from spintron_nn.core.technology.units import from_si, to_si


@pytest.mark.parametrize(
    ("value", "unit", "si", "expected"),
    [
        (9.818, "ohm um2", "ohm*m**2", 9.818e-12),
        (9.818, "ohm um^2", "ohm*m**2", 9.818e-12),
        (9.818, "Ω µm**2", "ohm*m**2", 9.818e-12),
        (3.3, "MOhm", "ohm", 3.3e6),
        (3.3, "Mohm", "ohm", 3.3e6),
        (1.3, "MA/cm2", "A/m**2", 1.3e10),
        (0.1, "kA/m", "A/m", 100.0),
        (1.0056364, "mJ/m2", "J/m**2", 1.0056364e-3),
        (2e-5, "1/K^1.5", "K**-1.5", 2e-5),
        (2e-5, "K^-1.5", "K**-1.5", 2e-5),
        (10, "years", "s", 315576000.0),  # 365.25 days of 86,400 s
        (-40, "degC", "K", 233.15),
        (5, "%", "", 0.05),
        (7, "", "", 7.0),
    ],
)
def test_conversions(value, unit, si, expected):
    assert to_si(value, unit, si) == expected
    assert from_si(expected, si, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    "unit",
    ["parsec!", "foo", "3 m", "9**9**9", "m**99", "m**9**9", "((((", "m*", "__import__", "a" * 39],
)
def test_refuses_what_is_no_unit(unit):
    message = (
        "unit must be one that pint knows, such as 'ohm um2', 'kA/m' or 'percent', not "
        f"{unit!r}; spell it out"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        to_si(1.0, unit, "m")


def test_refuses_another_dimension():
    message = (
        "unit must be a unit of the dimension of ohm, not 'V'; convert the value, or correct it"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        to_si(1.0, "V", "ohm")
    message = "unit must be no unit, or percent, not 'V'; convert the value, or correct it"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        to_si(1.0, "V", "")


def test_refuses_logarithms():
    message = "unit must be linear in the number, not 'dB'; convert the value"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        to_si(1.0, "dB", "")
