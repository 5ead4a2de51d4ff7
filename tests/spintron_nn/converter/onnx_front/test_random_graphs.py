"""Random graphs: the network gives exactly the values of the reference evaluation."""

import numpy as np
import pytest

from spintron_ir import IntType
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.onnx_front.graphs import (
    random_graph,
    random_linear_graph,
    reference,
)

TECHNOLOGIES = [
    MTJConfig(),
    MTJConfig(levels=4, cell_bits=8),
    MTJConfig(levels=4, cell_bits=8, level_fractions=(0, 0.2, 0.7, 1)),
]


@pytest.mark.parametrize("block", range(10))
@pytest.mark.parametrize("make", [random_graph, random_linear_graph])
def test_every_value_is_that_of_the_reference(make, block, tmp_path):
    for seed in range(block * 15, block * 15 + 15):
        graph, step = make(seed)
        rng = np.random.default_rng(seed)
        kind = IntType(int(rng.integers(1, 9)), bool(rng.random() < 0.5))
        codes = rng.integers(kind.low, kind.high + 1, (12, *graph.shape))
        codes[0], codes[-1] = kind.low, kind.high
        made = convert_quantised(
            TECHNOLOGIES[seed % 3],
            graph.save(tmp_path / "model.onnx"),
            input_type=kind,
            input_scale=step,
            crossbar_size=4,
            dac_bits=1 + seed % 2,
            scheme=("pair", "columns")[seed % 2],
        )
        found = real_outputs(made.network, {"scores": made.network.run(codes)})["scores"]
        expected = reference(graph, (codes * step).astype(np.float32))
        np.testing.assert_array_equal(found, expected.reshape(found.shape), err_msg=str(seed))
