# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.stream."""

import re

import pytest
from amaranth import Module, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.stream import chunk, connect_streams, same_shape, shape_of, vector
from spintron_hw.testing import run_stream
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType


class Wire(wiring.Component):
    """Two streams joined inside a component."""

    def __init__(self, i, o):
        super().__init__({"i": In(i), "o": Out(o)})

    def elaborate(self, platform):
        m = Module()
        connect_streams(m, self.i, self.o)
        return m


class Pair(wiring.Component):
    """Two submodules joined in a row."""

    def __init__(self, shape):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.first = first = Wire(self.i.signature.flip(), self.i.signature.flip())
        m.submodules.second = second = Wire(self.o.signature, self.o.signature)
        connect_streams(m, self.i, first.i)
        connect_streams(m, first.o, second.i)
        connect_streams(m, second.o, self.o)
        return m


def test_joins_streams_of_a_component_and_its_submodules():
    beats = [[1, -2], [3, -4], [-8, 7]]
    assert run_stream(Pair(vector(IntType(4, signed=True), 2)), beats) == beats


def test_layouts():
    assert shape_of(IntType(3)) == unsigned(3)
    assert vector(IntType(5, signed=True), 2) == data.ArrayLayout(signed(5), 2)
    assert chunk(3, 2).size == 7
    assert dict(chunk(3, 2))["bits"].shape == data.ArrayLayout(unsigned(2), 3)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (unsigned(4), 4, True),
        (unsigned(4), signed(4), False),
        (data.ArrayLayout(4, 2), unsigned(8), False),
        (data.ArrayLayout(4, 2), data.ArrayLayout(4, 2), True),
        (data.ArrayLayout(4, 2), data.ArrayLayout(signed(4), 2), False),
        (data.ArrayLayout(data.ArrayLayout(4, 2), 2), data.ArrayLayout(8, 2), False),
        (data.StructLayout({"a": 4}), data.StructLayout({"b": 4}), False),
        (chunk(2, 3), chunk(2, 3), True),
        (chunk(2, 3), chunk(3, 2), False),
    ],
    ids=str,
)
def test_same_shape_looks_all_the_way_down(a, b, same):
    assert same_shape(a, b) is same


def test_refuses_payloads_of_other_shape():
    wire = Wire(stream.Signature(vector(IntType(4), 2)), stream.Signature(unsigned(8)))
    message = (
        "connect_streams: source and sink must carry payloads of the same shape, not "
        "ArrayLayout(unsigned(4), 2) and unsigned(8); give both cells the same type and lanes, or "
        "put a cell between them that converts"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        wire.elaborate(None)


@pytest.mark.parametrize(("i", "o"), [({"always_ready": True}, {}), ({}, {"always_valid": True})])
def test_refuses_a_side_that_cannot_wait(i, o):
    wire = Wire(stream.Signature(4, **i), stream.Signature(4, **o))
    message = (
        "connect_streams: a source that is always_ready needs a sink that is, and a sink that is "
        "always_valid needs a source that is; put a FIFO between them"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        wire.elaborate(None)


@pytest.mark.parametrize(("i", "o"), [({}, {"always_ready": True}), ({"always_valid": True}, {})])
def test_joins_a_side_that_need_not_wait(i, o):
    wire = Wire(stream.Signature(4, **i), stream.Signature(4, **o))
    assert run_stream(wire, [1, 2, 3], stall=0) == [1, 2, 3]


@pytest.mark.parametrize("lanes", [0, -1, 2.0])
def test_vector_refuses(lanes):
    message = rf"vector: lanes must be an integer in 1\.\.1048576, not {lanes}"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        vector(IntType(4), lanes)


def test_chunk_refuses():
    with pytest.raises(
        ParameterError, match=r"^chunk: dac_bits must be an integer in 1\.\.32, not 0$"
    ):
        chunk(2, 0)
    with pytest.raises(
        ParameterError, match=r"^chunk: rows must be an integer in 1\.\.1048576, not 0$"
    ):
        chunk(0, 2)
