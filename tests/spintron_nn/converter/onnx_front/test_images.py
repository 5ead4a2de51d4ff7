"""Random graphs of images: the network gives exactly the values of the reference evaluation."""

import numpy as np
import pytest

from spintron_ir import ConversionError, IntType
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.onnx_front.graphs import reference
from tests.spintron_nn.converter.onnx_front.images import random_image_graph

TECHNOLOGIES = [MTJConfig(), MTJConfig(levels=4, cell_bits=8)]
REAL = ": takes real values: put a Quant in front of it"


def converted(seed, path, kind, step):
    """The network, or None and all findings."""
    try:
        made = convert_quantised(
            TECHNOLOGIES[seed % 2],
            path,
            input_type=kind,
            input_scale=step,
            crossbar_size=8,
            dac_bits=1 + seed % 2,
            scheme=("pair", "columns")[seed % 2],
        )
    except ConversionError as error:
        return None, error.findings
    return made.network, ()


@pytest.mark.parametrize("block", range(10))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # exp(1000) in the reference's Sigmoid
def test_every_value_is_that_of_the_reference(block, tmp_path):
    """The only thing refused is the mean of values that are not quantised."""
    good = 0
    for seed in range(block * 25, block * 25 + 25):
        graph, step = random_image_graph(seed)
        rng = np.random.default_rng(seed)
        kind = IntType(int(rng.integers(1, 9)), bool(rng.random() < 0.5))
        codes = rng.integers(kind.low, kind.high + 1, (5, *graph.shape))
        codes[0], codes[-1] = kind.low, kind.high
        network, findings = converted(seed, graph.save(tmp_path / "model.onnx"), kind, step)
        assert all(finding.endswith(REAL) for finding in findings), (seed, findings)
        if network is None:
            continue
        good += 1
        found = real_outputs(network, {"scores": network.run(codes)})["scores"]
        expected = reference(graph, (codes * step).astype(np.float32))
        np.testing.assert_array_equal(found, expected, err_msg=str(seed))
    assert good > 19
