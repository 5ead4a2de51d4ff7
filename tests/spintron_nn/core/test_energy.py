"""Tests of spintron_nn.core.energy."""

import numpy as np
import pytest

from spintron_ir import Adc, Argmax, Dense, IntType, Network, Node, Output, ParameterError, Port
from spintron_nn.core import energy as module
from spintron_nn.core.energy import EnergyModel
from spintron_nn.core.mtj_models import MTJConfig

RANDOM = np.random.default_rng(0)


def dense(codes, *, scheme="pair", bits=2, dac_bits=1, adc_bits=None, **more):
    return Dense(
        codes=np.asarray(codes),
        cell_bits=6,
        scheme=scheme,
        input=more.pop("kind", IntType(bits, signed=False)),
        dac_bits=dac_bits,
        slice_shift=tuple(range(np.shape(codes)[0])),
        tile_rows=more.pop("tile_rows", 64),
        bias=np.zeros(np.shape(codes)[-1], dtype=np.int64),
        adc=None if adc_bits is None else Adc(bits=adc_bits),
        **more,
    )


def network(*layers):
    names = ["x", *(f"m{index}" for index in range(len(layers)))]
    nodes = tuple(
        Node(name=name, layer=layer, inputs=(before,))
        for name, before, layer in zip(names[1:], names, layers, strict=False)
    )
    port = Port(name="x", shape=layers[0].in_shape, type=layers[0].input)
    return Network(
        name="n", inputs=(port,), nodes=nodes, outputs=(Output(name="y", node=names[-1]),)
    )


def test_a_device_read():
    # 0.1 V on 1 Mohm for 10 ns is 0.1 fJ; on 5 kohm 20 fJ.
    energy = EnergyModel(MTJConfig(), read_time=10e-9)
    assert energy.device_read_j(1e-6) == pytest.approx(0.1e-15)
    assert energy.device_read_j([1 / 5e3, 0]) == pytest.approx([20e-15, 0])


def test_conversions():
    energy = EnergyModel(MTJConfig())
    # First quartile of Murmann's survey at 8 effective bits: 6.7 pJ.
    assert energy.conversion_j(8) == pytest.approx(6.7e-12, rel=0.1)
    assert energy.conversion_j(7) == energy.conversion_j(8) / 2
    assert energy.conversion_j(1) == 10e-15


def test_a_word_line():
    # 0.04 um2 is a pitch of 0.2 um, at 0.2 fF/um 0.04 fF; times (0.1 V)^2.
    assert EnergyModel(MTJConfig()).line_j == pytest.approx(0.04e-15 * 0.01)


def test_writes():
    assert EnergyModel(MTJConfig()).write_j([0.5, -0.5]) == pytest.approx(2 * 0.18e-12)


def test_two_rows_by_hand():
    config = MTJConfig()
    energy = EnergyModel(config)
    net = network(dense([[[[10], [20]], [[3], [4]]]], adc_bits=6))
    # Inputs 3 and 1 have two bits set and one; rows hold 13 and 24 codes.
    report = energy.of_network(net, [[3, 1]])
    one_code = 0.01 * 50e-9 * config.conductance_step
    assert report.cell_read_j == pytest.approx((2 * 13 + 1 * 24) * one_code)
    assert report.driver_j == pytest.approx(3 * 2 * 0.04e-15 * 0.01)
    assert report.adc_j == pytest.approx(2 * 25e-15 * 64)  # two chunks, one column
    assert (report.macs, report.layers[0].conversions, report.frames) == (2, 2, 1)
    assert report.total_j == report.cell_read_j + report.adc_j + report.driver_j
    assert report.mac_energy_pj == pytest.approx(report.total_j / 2 * 1e12)
    assert report.layers[0].activity == 3 / 4
    assert report.layers[0].total_j == report.total_j
    assert report.as_dict()["layers"][0]["name"] == "m0"
    # Two bits at once: a third of the voltage for the chunk 1, a ninth of the energy.
    both = energy.of_network(network(dense([[[[10], [20]], [[3], [4]]]], dac_bits=2)), [[3, 1]])
    assert both.cell_read_j == pytest.approx((13 + 24 / 9) * one_code)
    assert both.layers[0].adc_bits == 7  # 0 .. 3 * (7 + 16) without loss


def test_a_reference_cell_is_two_devices_at_half_the_voltage():
    config = MTJConfig()
    middle = sum(config.nominal_codes) // 2
    layer = dense(
        [[[[62]]]], scheme="reference", bits=1, reference=np.array([[[middle]]]), tile_cols=1
    )
    found = EnergyModel(config).of_layer("m", layer, [[1]])
    low, high = config.conductance_ap, config.conductance_p
    step = config.conductance_step
    # (V/2)^2 (G_AP + G_P) beside the device, up to the rounding of codes.
    expected = 0.01 * 50e-9 * (62 * step + (low + high) / 4)
    assert found.cell_read_j == pytest.approx(expected, rel=0.01)
    assert found.driver_j == pytest.approx(2 * 0.04e-15 * 0.01)


def by_loops(layer, x, config):
    """Codes driven, lines driven and conversions, each device and column in turn."""
    cells = lines = conversions = 0
    full = (1 << layer.dac_bits) - 1
    for vector in x.reshape(-1, layer.inputs):
        for p in range(layer.chunks):
            for c in range(layer.cols):
                conversions += layer.slices * layer.groups * layer.converters
                block = c // layer.block_cols
                for r in range(layer.rows):
                    value = int(vector[block * layer.rows + r])
                    part = value >> (layer.dac_bits * p)
                    if not (layer.input.signed and p == layer.chunks - 1):
                        part &= full
                    for s in range(layer.slices):
                        for d in range(layer.codes.shape[1]):
                            cells += (part / full) ** 2 * int(layer.codes[s, d, r, c])
                            lines += (part / full) ** 2
    return cells, lines, conversions


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"dac_bits": 2, "bits": 3},
        {"kind": IntType(4, signed=True), "dac_bits": 3},
        {"scheme": "columns", "tile_rows": 2},
        {"positions": 3},
        {"blocks": 2, "positions": 2, "dac_bits": 2},
    ],
    ids=str,
)
def test_against_loops(more):
    config = MTJConfig()
    layer = dense(RANDOM.integers(0, 64, (2, 2, 5, 4)), **more)
    kind = layer.input
    x = RANDOM.integers(kind.low, kind.high + 1, (3, *layer.in_shape))
    found = EnergyModel(config).of_layer("m", layer, x)
    cells, lines, conversions = by_loops(layer, x, config)
    one_code = 0.01 * 50e-9 * config.conductance_step
    assert found.cell_read_j == pytest.approx(cells / 3 * one_code)
    assert found.driver_j == pytest.approx(lines / 3 * 0.04e-15 * 0.01)
    assert found.conversions * 3 == conversions
    assert found.macs == (layer.positions or 1) * layer.rows * layer.cols


def test_the_converter_and_array_of_isaac():
    # Shafiee et al., ISCA 2016, table I and section V: 16-bit inputs bit by bit, 16-bit weights
    # on eight cells of two bits, arrays of 128 x 128, 8-bit converters of 2 mW and 1.28 GS/s.
    # That is one conversion a product, and 1.56 pJ; its arrays add 0.3 mW * 100 ns a read.
    isaac = EnergyModel(MTJConfig(), adc_step=2e-3 / 1.28e9 / 256, read_time=100e-9)
    layer = dense(
        np.full((8, 1, 128, 16), 30),
        scheme="reference",
        bits=16,
        adc_bits=8,
        tile_rows=128,
        reference=np.full((8, 128, 1), 30),
        tile_cols=16,
    )
    found = isaac.of_layer("m", layer, np.full((1, 128), (1 << 16) - 1))
    assert found.conversions == found.macs
    assert found.adc_j / found.macs == pytest.approx(1.5625e-12)
    # 627.5 GOPS/W (table IV) are 3.2 pJ for a product and its addition, everything counted.
    assert 1 < 2 / 627.5e9 / (found.total_j / found.macs) < 2.5


def test_layers_of_a_network_see_what_the_layer_before_gives():
    first = dense([[[[1, 0], [0, 1]], [[0, 0], [0, 0]]]], bits=1)  # the identity
    second = dense([[[[7], [9]], [[0], [0]]]], kind=first.type)
    report = EnergyModel(MTJConfig()).of_network(network(first, second), {"x": [[1, 0], [1, 1]]})
    one_code = 0.01 * 50e-9 * MTJConfig().conductance_step
    assert report.layers[1].cell_read_j == pytest.approx((7 + 7 + 9) / 2 * one_code)


def test_frames_in_parts(monkeypatch):
    net = network(dense(RANDOM.integers(0, 64, (1, 2, 3, 4))))
    x = RANDOM.integers(0, 4, (7, 3))
    whole = EnergyModel(MTJConfig()).of_network(net, x)
    monkeypatch.setattr(module, "TRACE_VALUES", 8)
    parts = EnergyModel(MTJConfig()).of_network(net, x)
    assert parts.frames == 7
    assert parts.total_j == pytest.approx(whole.total_j)
    assert parts.layers[0].activity == pytest.approx(whole.layers[0].activity)


def test_refusals():
    with pytest.raises(
        ParameterError, match=r"^EnergyModel: config must be an MTJConfig, not 'sot'$"
    ):
        EnergyModel("sot")
    with pytest.raises(
        ParameterError, match=r"^EnergyModel: read_time must be a number of s above 0, not 0$"
    ):
        EnergyModel(MTJConfig(), read_time=0)
    energy = EnergyModel(MTJConfig())
    net = network(dense([[[[1]], [[2]]]]))
    with pytest.raises(
        ParameterError, match=r"^EnergyModel: input_codes must have at least one frame$"
    ):
        energy.of_network(net, np.zeros((0, 1), dtype=int))
    with pytest.raises(
        ParameterError, match=r"^EnergyModel: network must have a matrix, and has none$"
    ):
        energy.of_network(network(Argmax(length=2, input=IntType(4))), [[1, 2]])
    with pytest.raises(
        ParameterError,
        match=r"^EnergyModel: m0 must have conductance codes of 7 bits, not 6; give the technology "
        r"that the network was converted with$",
    ):
        EnergyModel(MTJConfig(cell_bits=7)).of_network(net, [[1]])
