"""The promise: the same integers at every stage, on random networks with every feature."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Dense, MulShift, Table, TFLite, Thresholds
from spintron_ir.errors import MappingError
from tests.e2e.networks import inputs_of, random_network

BODIES = ("auto", "unrolled", "folded")


def planned(network, body, interval):
    """A plan, in the wished body where there is one."""
    try:
        return map_network(network, GENERIC, body=body, interval=interval)
    except MappingError:
        return map_network(network, GENERIC)


def assert_same(found, expected):
    """All outputs equal, whether one array or several by name."""
    if not isinstance(expected, dict):
        found, expected = {"y": found}, {"y": expected}
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    body=st.sampled_from(BODIES),
    interval=st.sampled_from([None, 30, 300]),
    first_frame=st.sampled_from([0, 5, (1 << 32) - 2]),
)
def test_plan_is_network(seed, body, interval, first_frame):
    network = random_network(seed)
    x = inputs_of(network, 4, seed)
    plan = planned(network, body, interval)
    assert_same(plan.run(x, first_frame), network.run(x, first_frame))


def test_the_random_networks_have_transition_levels():
    """Of several bits in the seeds below that run in gateware, with stalls, and in Verilog."""
    for seeds in (range(8), range(100, 104), (210, 225)):
        nodes = [node for seed in seeds for node in random_network(seed).nodes]
        adcs = [node.layer.adc for node in nodes if isinstance(node.layer, Dense)]
        assert any(adc and adc.bits > 1 and adc.transitions is not None for adc in adcs)


def test_the_random_networks_have_every_requantiser():
    """Over the seeds below; TFLite's in gateware and with stalls."""
    kinds = {
        seed: {
            type(node.layer.requantise)
            for node in random_network(seed).nodes
            if isinstance(node.layer, Dense)
        }
        for seed in (*range(8), *range(100, 104), 210, 225)
    }
    assert set().union(*kinds.values()) >= {MulShift, Table, TFLite, Thresholds}
    assert TFLite in kinds[4] & kinds[103]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("seed", range(8))
def test_gateware_is_network(seed, body):
    network = random_network(seed)
    plan = planned(network, body, interval=None if body == "auto" else 120)
    report = verify(
        design_of(plan, "random"), network, inputs_of(network, 5, seed), get_engine("amaranth")
    )
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)


@pytest.mark.parametrize("seed", range(100, 104))
def test_stalls_change_no_number(seed):
    network = random_network(seed)
    design = design_of(planned(network, "folded", 60), "random")
    x = inputs_of(network, 4, seed)
    report = verify(design, network, x, get_engine("amaranth"), stall=0.4, seed=seed)
    assert report.mismatches == 0, report.first


@pytest.mark.toolchain
@pytest.mark.parametrize("engine", ["cxxrtl", "icarus", "verilator"])
@pytest.mark.parametrize("seed, body", [(210, "folded"), (225, "unrolled")])
def test_emitted_verilog_is_network(engine, seed, body, require_tool):
    simulator = get_engine(engine)
    require_tool(engine, simulator.unavailable())
    network = random_network(seed)
    plan = planned(network, body, interval=60)
    design = design_of(plan, "emitted")
    report = verify(design, network, inputs_of(network, 5, seed), simulator)
    assert report.mismatches == 0, report.first
    assert (report.latency, report.interval) == (plan.latency, plan.interval)
