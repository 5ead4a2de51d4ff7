"""Tests of spintron_ir.errors."""

import re

import numpy as np
import pytest

from spintron_ir import errors
from spintron_ir.errors import (
    ConversionError,
    ParameterError,
    SpintronError,
    check_bool,
    check_choice,
    check_int,
    check_shape,
)


@pytest.mark.parametrize(
    "name",
    ["ParameterError", "NetworkError", "ConversionError", "MappingError", "ToolError"]
    + ["MismatchError"],
)
def test_one_root(name):
    assert issubclass(getattr(errors, name), SpintronError)


@pytest.mark.parametrize("value", [0, 7, np.int8(3), np.uint64(7)])
def test_check_int_gives_a_plain_int(value):
    found = check_int("Owner", "name", value, 0, 7)
    assert type(found) is int and found == value


@pytest.mark.parametrize("value", [-1, 8, 1.0, True, "1", None, np.float32(1), 1 << 80])
def test_check_int_refuses(value):
    message = f"Owner: name must be an integer in 0..7, not {value!r}"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        check_int("Owner", "name", value, 0, 7)


def test_check_bool():
    assert check_bool("Owner", "name", False) is False
    with pytest.raises(ParameterError, match="^Owner: name must be True or False, not 1$"):
        check_bool("Owner", "name", 1)


@pytest.mark.parametrize("value", ["c", 1, ["a"]])
def test_check_choice(value):
    assert check_choice("Owner", "name", "b", ("a", "b")) == "b"
    message = f"Owner: name must be one of 'a', 'b', not {value!r}"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        check_choice("Owner", "name", value, ("a", "b"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((), "Owner: name must be a tuple of 1 to 8 sizes, not ()"),
        ((1,) * 9, "Owner: name must be a tuple of 1 to 8 sizes, not (1, 1, 1, 1, 1, 1, 1, 1, 1)"),
        ([3], "Owner: name must be a tuple of 1 to 8 sizes, not [3]"),
        ((2, 0), "Owner: name[1] must be an integer in 1..16777216, not 0"),
        ((1 << 12, 1 << 13), "Owner: name must hold at most 2**24 values, not 33554432"),
    ],
)
def test_check_shape_refuses(value, message):
    assert check_shape("Owner", "name", (1 << 12, 1 << 12)) == (4096, 4096)
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        check_shape("Owner", "name", value)


def test_conversion_error_tells_all_findings():
    one, two = ConversionError(["a"]), ConversionError(["a", "b"])
    assert str(one) == "the model cannot be converted (1 finding): a"
    assert str(two) == "the model cannot be converted (2 findings): a; b"
    assert two.findings == ("a", "b")
