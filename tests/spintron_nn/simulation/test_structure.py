"""Tests of spintron_nn.simulation.structure: what may differ between chips, and what not."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import Adc, Network, ParameterError
from spintron_nn.simulation import TorchNetwork
from tests.e2e.branches import random_graph
from tests.e2e.test_positions import network

BASE = network(layer={"adc": Adc(bits=4, shift=1)})
TAIL = "convert one model with the same choices for every chip"


def other(name, **changed):
    nodes = tuple(
        replace(node, layer=replace(node.layer, **changed)) if node.name == name else node
        for node in BASE.nodes
    )
    return Network(name="conv", inputs=BASE.inputs, nodes=nodes, outputs=BASE.outputs)


def layer(name):
    return BASE.node(name).layer


def test_numbers_may_differ():
    conv = layer("conv")
    found = [
        other("conv", codes=conv.codes[:, ::-1], bias=conv.bias + 1),
        other("conv", adc=Adc(bits=4, shift=2, gain=np.full((1,) * 4, 3))),
        other(
            "conv", requantise=replace(conv.requantise, multiplier=conv.requantise.multiplier + 1)
        ),
        replace(BASE, name="another", metadata={"seed": "3"}),
    ]
    assert TorchNetwork([BASE, *found]).chips == 5


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            lambda: other("conv", adc=Adc(bits=5, shift=1)),
            "nodes['conv'].layer.adc.bits is 5 in networks[2] and 4 in networks[0]",
        ),
        (
            lambda: other("conv", adc=None),
            "nodes['conv'].layer.adc is None in networks[2] and of kind adc in networks[0]",
        ),
        (
            lambda: other("fc", codes=np.zeros((1, 2, 80, 3), int), tile_rows=70),
            "nodes['fc'].layer.tile_rows is 70 in networks[2] and 64 in networks[0]",
        ),
        (
            lambda: other("window", pad_value=3),
            "nodes['window'].layer.pad_value is 3 in networks[2] and 0 in networks[0]",
        ),
        (
            lambda: replace(BASE, outputs=(replace(BASE.outputs[0], name="z"),)),
            "outputs['y'].name is 'z' in networks[2] and 'y' in networks[0]",
        ),
        (
            lambda: replace(
                BASE, nodes=BASE.nodes[:-1], outputs=(replace(BASE.outputs[0], node="fc"),)
            ),
            "nodes is of 4 parts in networks[2] and of 5 parts in networks[0]",
        ),
    ],
)
def test_refuses_another_structure(second, message):
    wanted = f"TorchNetwork: networks must be chips of one model, but {message}: {TAIL}"
    with pytest.raises(ParameterError, match=rf"^{re.escape(wanted)}$"):
        TorchNetwork([BASE, BASE, second()])


def test_arrays_that_move_values_must_be_equal():
    graph = next(
        graph for graph in map(random_graph, range(99))
        if any(node.layer.kind == "gather" for node in graph.nodes)
    )  # fmt: skip
    place = next(n for n, node in enumerate(graph.nodes) if node.layer.kind == "gather")
    node = graph.nodes[place]
    turned = replace(node, layer=replace(node.layer, index=node.layer.index[::-1]))
    nodes = (*graph.nodes[:place], turned, *graph.nodes[place + 1 :])
    message = (
        f"nodes['{node.name}'].layer.index is another in networks[1] and one array in networks[0]"
    )
    wanted = f"TorchNetwork: networks must be chips of one model, but {message}: {TAIL}"
    with pytest.raises(ParameterError, match=rf"^{re.escape(wanted)}$"):
        TorchNetwork([graph, replace(graph, nodes=nodes)])
