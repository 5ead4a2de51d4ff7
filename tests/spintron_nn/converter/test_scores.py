"""Tests of spintron_nn.converter.scores."""

import json

import numpy as np
import pytest

from spintron_ir import Argmax, IntType, Network, Node, Output, ParameterError, Port
from spintron_nn.converter.scores import real_outputs


def network(metadata):
    return Network(
        name="n",
        inputs=(Port(name="x", shape=(2,), type=IntType(3)),),
        nodes=(Node(name="best", layer=Argmax(input=IntType(3), length=2), inputs=("x",)),),
        outputs=(Output(name="y", node="best", scale=0.5),),
        metadata=metadata,
    )


def test_a_line_for_each_channel():
    note = json.dumps({"y": {"gain": [2.0], "offset": [-1.5]}})
    values = np.array([[0], [3]])
    assert real_outputs(network({"real_outputs": note}), {"y": values})["y"].tolist() == [
        [-1.5],
        [4.5],
    ]


def test_the_scale_where_there_is_no_line():
    assert real_outputs(network({}), {"y": np.array([[3]])})["y"].tolist() == [[1.5]]


@pytest.mark.parametrize("note", ["{", "[1]", '{"y": {"gain": [1]}}', '{"y": 3}',
                                  '{"y": {"gain": [1, 2], "offset": [0, 0]}}'])  # fmt: skip
def test_refuses_a_damaged_note(note):
    message = (
        "scores: the note 'real_outputs' of the network must give a gain and an offset for each "
        "channel; convert the model again"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        real_outputs(network({"real_outputs": note}), {"y": np.array([[3]])})
