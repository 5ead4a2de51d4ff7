# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.face."""

import re

import pytest
from amaranth import signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.cells.face import Face, face_of, layer_of
from spintron_hw.stream import vector
from spintron_ir import plugins
from spintron_ir.errors import NetworkError, ParameterError, check_int
from spintron_ir.types import IntType

FLOW_IN = In(stream.Signature(vector(IntType(5), 3)))
FLOW_OUT = Out(stream.Signature(vector(IntType(2, signed=True), 4)))


def cell(**members):
    return wiring.Component({"i": FLOW_IN, "o": FLOW_OUT} | members)


class Shrinks(wiring.Component):
    """From some lanes to one."""

    def __init__(self, *, lanes):
        self.lanes = check_int("Shrinks", "lanes", lanes, 1, 9)
        sides = [stream.Signature(vector(IntType(5), n)) for n in (self.lanes, 1)]
        super().__init__({"i": In(sides[0]), "o": Out(sides[1])})


def test_face():
    assert face_of(cell()) == Face(IntType(5), 3, IntType(2, signed=True), 4)
    plain = cell(i=In(stream.Signature(data.ArrayLayout(6, 2))))
    assert face_of(plain) == Face(IntType(6), 2, IntType(2, signed=True), 4)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"i": Out(FLOW_IN.signature)}, "Component: the signature must have a stream i, in"),
        ({"o": In(FLOW_IN.signature)}, "Component: the signature must have a stream o, out"),
        ({"o": Out(4)}, "Component: the signature must have a stream o, out"),
        (
            {"i": In(stream.Signature(signed(4)))},
            "Component: the payload of stream i must be a vector of integers, as "
            "spintron_hw.stream.vector makes, not signed(4)",
        ),
        (
            {"o": Out(stream.Signature(data.ArrayLayout(vector(IntType(2), 2), 2)))},
            "Component: the payload of stream o must be a vector of integers, as "
            "spintron_hw.stream.vector makes, not ArrayLayout(ArrayLayout(unsigned(2), 2), 2)",
        ),
    ],
)
def test_face_refuses(members, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        face_of(cell(**members))


@pytest.mark.parametrize(
    ("other", "owner"), [(3, "int"), (wiring.Component({"x": FLOW_IN, "o": FLOW_OUT}), "Component")]
)
def test_face_refuses_what_has_no_streams(other, owner):
    message = f"{owner}: the signature must have a stream i, in"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        face_of(other)


def test_layer_takes_its_sizes_from_the_cell(monkeypatch):
    monkeypatch.setattr(plugins, "_CELLS", {"Shrinks": Shrinks})
    layer = layer_of("Shrinks", lanes=7)
    assert (layer.cell, layer.parameters) == ("Shrinks", (("lanes", 7),))
    assert layer.in_ports == (((7,), IntType(5)),)
    assert (layer.shape, layer.type) == ((1,), IntType(5))
    with pytest.raises(ParameterError, match=r"^Shrinks: lanes must be an integer in 1\.\.9, .*$"):
        layer_of("Shrinks", lanes=10)
    with pytest.raises(NetworkError, match="^there is no cell 'Grows': .*$"):
        layer_of("Grows")
