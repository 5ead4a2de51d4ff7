"""Softmax and the k largest in networks: golden model, plan and gateware."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Flatten, IntType, Softmax, TopK
from spintron_ir.errors import MappingError
from tests.e2e.test_pool import chain
from tests.e2e.test_positions import U3, images
from tests.spintron_hw.cells.test_softmax_unit import softmax

CASES = {
    "softmax": [softmax(5, U3, IntType(8), 0.7)],
    "rows": [
        Softmax(
            in_shape=(3, 4),
            input=U3,
            exponential=softmax(4, U3, IntType(8), 0.3).exponential,
            type=IntType(8, signed=True),
        ),
        TopK(in_shape=(3, 4), input=IntType(8, signed=True), k=2, values=True),
    ],
    "largest": [TopK(in_shape=(2, 7), input=U3, k=3)],
    "one": [TopK(in_shape=(6,), input=U3, k=1, values=True), Flatten(in_shape=(1,), type=U3)],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_hardware_gives_the_golden_numbers(name, stall):
    net = chain(name, CASES[name][0].in_shape, CASES[name])
    plan = map_network(net, GENERIC)
    x = images(net)[:12]
    np.testing.assert_array_equal(plan.run(x), net.run(x))
    report = verify(design_of(plan, "top"), net, x, get_engine("amaranth"), stall=stall)
    assert report.mismatches == 0
    if not stall:
        assert (report.latency, report.interval) == (plan.latency, plan.interval)


def test_a_softmax_that_is_too_slow_names_its_cycles():
    net = chain("slow", (10,), [softmax(10, U3)])
    message = (
        r"n0: vectors along \(10,\) take 68 cycles one element at a time, more than the 20 cycles "
        "of a frame: allow as many"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        map_network(net, GENERIC, interval=20)
