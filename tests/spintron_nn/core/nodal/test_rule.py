"""Tests of spintron_nn.core.nodal.rule."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.nodal import check_array, effective_conductance

KILOHM = {"resistance_low": 5e3, "resistance_high": 1e4, "wire_word": 1.0, "wire_bit": 1.0}


def worst(resistance, rows, cols):
    effective = effective_conductance(
        np.full((rows, cols), 1 / resistance), wire_word=1.0, wire_bit=1.0
    )
    return effective.sum(axis=0).min() * resistance / rows


def test_kilohm_junctions_on_128_rows():
    report = check_array(**KILOHM, rows=128, cols=128)
    assert report.message == (
        "5 kOhm/10 kOhm devices, 128 x 128, 1 Ohm a segment deliver 31 % of their ideal current "
        "in the worst column, 25 % with every device at 5 kOhm; 93.4 kOhm/187 kOhm devices or "
        "tiles of 29 rows x 29 columns would deliver 90 %"
    )
    assert not report.holds and report.rows_at_once is None
    # The other solver, which eliminates columns.
    middle = 2 / (1 / 5e3 + 1 / 1e4)
    assert report.worst_share == pytest.approx(worst(middle, 128, 128), rel=1e-9)
    assert report.all_low_share == pytest.approx(worst(5e3, 128, 128), rel=1e-9)
    assert report.resistance_high == pytest.approx(2 * report.resistance_low)
    scale = report.resistance_low / 5e3
    assert worst(middle * scale, 128, 128) >= 0.9 > worst(middle * scale * 933 / 934, 128, 128)
    assert worst(middle, 29, 29) >= 0.9 > worst(middle, 30, 30)


def test_what_is_named_holds():
    report = check_array(**KILOHM, rows=128, cols=10)
    assert report.message.endswith(
        "tiles of 45 rows x 10 columns or reading 5 rows at once would deliver 90 %"
    )
    devices = np.zeros((128, 10))
    middle = 2 / (1 / 5e3 + 1 / 1e4)
    shares = []
    for rows in (5, 6):
        devices[:rows] = 1 / middle
        effective = effective_conductance(devices, wire_word=1.0, wire_bit=1.0)
        shares.append(effective.sum(axis=0).min() * middle / rows)
    assert shares[0] >= 0.9 > shares[1]
    tile = check_array(**KILOHM, rows=report.tile_rows, cols=report.tile_cols)
    assert tile.holds
    scaled = KILOHM | {
        "resistance_low": report.resistance_low,
        "resistance_high": report.resistance_high,
    }
    assert check_array(**scaled, rows=128, cols=10).holds


def test_megohm_junctions_sum_their_currents():
    report = check_array(
        resistance_low=1.5e6, resistance_high=3.3e6, rows=128, cols=128, wire_word=1, wire_bit=1
    )
    assert report.holds and report.worst_share > 0.99
    assert report.message == (
        "1.5 MOhm/3.3 MOhm devices, 128 x 128, 1 Ohm a segment deliver 99.34 % of their ideal "
        "current in the worst column, 99.09 % with every device at 1.5 MOhm; at least 90 % is "
        "asked for"
    )


def test_without_wires_everything_arrives():
    report = check_array(**(KILOHM | {"wire_word": 0, "wire_bit": 0}), rows=99, cols=9, share=1)
    assert report.holds and report.worst_share == 1.0


def test_nothing_reaches_all_of_it():
    report = check_array(**KILOHM, rows=4, cols=4, share=1)
    assert not report.holds and report.resistance_low is None and report.tile_rows is None
    assert report.message.endswith(
        "; neither other devices nor smaller tiles deliver 100 %: use wires, drivers and senses of "
        "lower resistance"
    )


def test_a_divider_by_hand():
    # One device of 5 kohm behind 5 kohm gives half of its current; 45 kohm nine tenths.
    report = check_array(
        resistance_low=5e3,
        resistance_high=5e3,
        rows=1,
        cols=1,
        wire_word=0,
        wire_bit=2,
        driver=4998,
        sense=0,
    )
    assert report.worst_share == pytest.approx(0.5, rel=1e-12)
    assert report.resistance_low == pytest.approx(45e3)
    assert report.message == (
        "5 kOhm/5 kOhm devices, 1 x 1, 0 and 2 Ohm a segment of word and bit line deliver 50 % of "
        "their ideal current in the worst column, 50 % with every device at 5 kOhm; 45 kOhm/45 "
        "kOhm devices would deliver 90 %"
    )


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"resistance_high": 4e3},
            "check_array: resistance_high must be at least resistance_low, 5000 ohm, not 4000 ohm",
        ),
        (
            {"resistance_low": 0},
            "check_array: resistance_low must be a number of ohm above 0, not 0",
        ),
        ({"rows": 0}, "check_array: rows must be an integer in 1..1024, not 0"),
        ({"cols": 2.5}, "check_array: cols must be an integer in 1..1024, not 2.5"),
        ({"share": 0}, "check_array: share must be a number above 0 and at most 1, not 0"),
        ({"wire_word": -1}, "check_array: wire_word must be a number of ohm at least 0, not -1"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ParameterError, match=rf"^{re.escape(message)}$"):
        check_array(**(KILOHM | {"rows": 4, "cols": 4} | changes))
