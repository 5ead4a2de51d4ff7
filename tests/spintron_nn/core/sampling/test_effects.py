"""Tests of spintron_nn.core.sampling.effects: names, and effects that leave each other alone."""

import json
import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import EFFECTS

ALL = MTJConfig(
    cell_bits=12,
    stuck_p=0.02,
    stuck_ap=0.02,
    read_noise=0.1,
    bias_half=0.5,
    spread={
        "tmr": 0.05,
        "switching": 0.2,
        "correlated": 0.5,
        "correlation_length": 3,
        "die": 0.02,
        "wafer": 0.02,
    },
    faults={"open": 0.02, "short": 0.02, "broken_word": 0.05, "broken_bit": 0.05},
    programming={"write_error": 0.05},
    ageing={"time": 3e8, "temperature": 85, "thermal_stability": 50, "drift": -0.01},
    telegraph={"share": 0.1, "amplitude": 0.1},
    wires={"word": 1.0, "access": 1e4},
    converters={"offset": 0.5, "inl": 0.3},
)
LEVELS = np.random.default_rng(1).integers(0, 2, (1, 2, 100, 60))


def factors(config):
    """Conductance of each device, without what acts on all alike."""
    return Chip(config, seed=1).conductances("a", LEVELS, tile=32)


def test_every_effect_has_a_name():
    assert ALL.effects() == tuple(EFFECTS)
    assert MTJConfig().effects() == ("resistance",)
    assert MTJConfig(resistance_variation=0).effects() == ()


@pytest.mark.parametrize("name", EFFECTS)
def test_only_one_effect(name):
    assert ALL.only(name).effects() == (name,)
    assert MTJConfig(resistance_variation=0).only(name).effects() == ()


def test_only_nothing_is_nominal():
    config = ALL.only()
    array = Chip(config, seed=1).sample("a", LEVELS)
    np.testing.assert_array_equal(array.codes, np.array(config.nominal_codes)[LEVELS])
    assert array.stuck == array.open == array.short == array.saturated == 0


@pytest.mark.parametrize("off", ["open", "short", "lines", "stuck", "telegraph", "programming"])
def test_an_effect_that_is_off_leaves_the_draws_of_the_others(off):
    with_it, _ = factors(ALL)
    without, _ = factors(ALL.only(*(name for name in EFFECTS if name != off)))
    # What differs is what this effect did: it touches one device in five at most.
    changed = ~np.isclose(with_it, without, rtol=1e-12)
    alone, stuck = factors(ALL.only(off))
    nominal, _ = factors(ALL.only())
    touched = ~np.isclose(alone, nominal, rtol=1e-12) | stuck
    assert 0 < changed.mean() < 0.3
    assert not (changed & ~touched).any()


def test_an_effect_can_be_drawn_alone():
    _, stuck = factors(ALL.only("stuck"))
    expected = Chip(ALL, seed=1).generator("stuck", "a").random(LEVELS.shape) < 0.04
    np.testing.assert_array_equal(stuck, expected)


def test_the_same_chip_every_time():
    one, other = Chip(ALL, seed=9, wafer=4), Chip(ALL, seed=9, wafer=4)
    one.sample("b", LEVELS)
    first, second = (chip.sample("a", LEVELS, tile=32) for chip in (one, other))
    np.testing.assert_array_equal(first.codes, second.codes)
    np.testing.assert_array_equal(first.telegraph, second.telegraph)
    assert (one.sample("b", LEVELS, tile=32).codes != first.codes).any()
    converters = [chip.converters("a", (3,), 4).transitions for chip in (one, other)]
    np.testing.assert_array_equal(*converters)


def test_json():
    text = json.dumps(ALL.as_dict())
    assert MTJConfig.from_dict(json.loads(text)) == ALL
    uneven = MTJConfig(levels=4, cell_bits=8, level_fractions=(0, 0.2, 0.7, 1))
    assert MTJConfig.from_dict(json.loads(json.dumps(uneven.as_dict()))) == uneven
    assert hash(uneven) == hash(MTJConfig(**uneven.as_dict()))


FIELDS = "word, bit, driver, sense, access"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ALL.only("stuck", "gremlins"),
            f"MTJConfig: only() takes names among {', '.join(EFFECTS)}, not 'gremlins'",
        ),
        (
            lambda: MTJConfig(wires={"wrod": 1.0}),
            f"Wires: must be made of a dictionary with names among {FIELDS}; 'wrod' is not among "
            "them",
        ),
        (
            lambda: MTJConfig(wires=1.0),
            f"Wires: must be made of a dictionary with names among {FIELDS}, not of 1.0",
        ),
        (
            lambda: MTJConfig.from_dict({"wires": {"word": -1}}),
            "Wires: word must be a number of ohm at least 0, not -1",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
