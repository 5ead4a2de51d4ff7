"""Tests of spintron_ir.layers.cell."""

import re

import numpy as np
import pytest

from spintron_ir import Cell, IntType, NetworkError, ParameterError, plugins
from spintron_ir.errors import check_int

FIELDS = {"cell": "Adds", "input": IntType(4), "length": 3, "type": IntType(4), "outputs": 3}


class Adds:
    """Stands for a hardware cell; what it returns can be planted."""

    def __init__(self, *, amount, answer=None):
        self.amount = check_int("Adds", "amount", amount, 0, 15)

    def compute(self, x):
        return np.minimum(x + self.amount, 15)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(plugins, "_CELLS", {"Adds": Adds})


def make(**changed):
    return Cell(**FIELDS | {"parameters": {"amount": 2}} | changed)


def test_asks_the_cell():
    layer = make()
    assert layer.run([[1, 2, 3], [13, 14, 15]]).tolist() == [[3, 4, 5], [15, 15, 15]]
    assert layer.run(np.zeros((0, 3), int)).shape == (0, 3)
    assert layer.in_ports == (((3,), IntType(4)),) and layer.shape == (3,)
    assert layer.instance is layer.instance and layer.make() is not layer.make()


def test_parameters_become_plain_and_sorted():
    layer = make(parameters={"b": np.array([[1, 2], [3, 4]]), "a": np.int8(3), "c": [True, "x"]})
    assert layer.parameters == (("a", 3), ("b", ((1, 2), (3, 4))), ("c", (True, "x")))
    assert make(parameters=layer.parameters).parameters == layer.parameters


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[1, 2]], "not int64 of shape (1, 2)"),
        ([[1.0, 2.0, 3.0]], "not float64 of shape (1, 3)"),
        ([[1, 2, 16]], "not values in 1..16"),
        ([[-1, 2, 3]], "not values in -1..3"),
    ],
)
def test_refuses_wrong_answers(monkeypatch, answer, message):
    monkeypatch.setattr(Adds, "compute", lambda self, x: answer)
    head = "cell 'Adds': compute must return uint4 of shape (1, 3), "
    with pytest.raises(NetworkError, match=f"^{re.escape(head + message)}$"):
        make().run([[1, 2, 3]])


def test_refuses_unknown_cells_when_they_are_needed():
    layer = make(cell="Nobody")
    message = (
        "there is no cell 'Nobody': give the file it is in with --cells FILE, or install the "
        "package that offers it in the entry-point group 'spintron.cells'"
    )
    with pytest.raises(NetworkError, match=f"^{re.escape(message)}$"):
        layer.run([[1, 2, 3]])


def test_refuses_parameters_that_the_cell_refuses():
    with pytest.raises(NetworkError, match="^cell 'Adds' refuses its parameters: .*'size'$"):
        make(parameters={"amount": 1, "size": 2}).run([[1, 2, 3]])
    message = r"Adds: amount must be an integer in 0\.\.15, not 16"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make(parameters={"amount": 16}).run([[1, 2, 3]])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cell": "os.system"}, "Cell: cell must be the name of a class, not 'os.system'"),
        ({"cell": "../adds"}, "Cell: cell must be the name of a class, not '../adds'"),
        ({"cell": 3}, "Cell: cell must be the name of a class, not 3"),
        ({"length": 0}, "Cell: length must be an integer in 1..65536, not 0"),
        ({"outputs": 65537}, "Cell: outputs must be an integer in 1..65536, not 65537"),
        ({"input": IntType(64)}, "Cell: input.bits must be an integer in 1..63, not 64"),
        ({"type": 4}, "Cell: type must be IntType, not int"),
        ({"parameters": {3: 4}}, "Cell: parameters must map names to values, not {3: 4}"),
        ({"parameters": 3}, "Cell: parameters must map names to values, not 3"),
        (
            {"parameters": (("a", 1), ("a", 2))},
            "Cell: parameters must map names to values, not (('a', 1), ('a', 2))",
        ),
        (
            {"parameters": {"a": 0.5}},
            "Cell: parameter a must be an integer, bool, text or a tuple of such, not 0.5",
        ),
        (
            {"parameters": {"a": 1 << 64}},
            f"Cell: parameter a must be an integer in {-(1 << 63)}..{(1 << 64) - 1}, not {1 << 64}",
        ),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(**changed)
