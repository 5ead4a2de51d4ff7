"""Every hardware cell has the same face."""

import importlib
import inspect
import pkgutil

import pytest
from amaranth.lib import wiring

import spintron_hw.cells


def cells():
    for info in pkgutil.iter_modules(spintron_hw.cells.__path__):
        module = importlib.import_module(f"spintron_hw.cells.{info.name}")
        for name, value in vars(module).items():
            own = inspect.isclass(value) and value.__module__ == module.__name__
            if own and issubclass(value, wiring.Component) and not name.startswith("_"):
                yield pytest.param(value, id=name)


CELLS = list(cells())


@pytest.mark.parametrize("cell", CELLS)
def test_face(cell):
    for name in ("latency", "interval"):
        declared = hasattr(cell, name) or f"self.{name}" in inspect.getsource(cell)
        assert declared, f"{cell.__name__} must declare {name}"
    assert callable(getattr(cell, "compute", None)), f"{cell.__name__} must offer compute()"


@pytest.mark.parametrize("cell", CELLS)
def test_contract_names_its_ports_and_timing(cell):
    text = inspect.getdoc(cell)
    for title in ("Timing", "Parameters", "Members"):
        assert f"\n{title}\n---" in text, f"{cell.__name__}: the docstring has no {title}"


@pytest.mark.parametrize("cell", CELLS)
def test_arguments_are_named(cell):
    parameters = list(inspect.signature(cell.__init__).parameters.values())[1:]
    assert parameters
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)


@pytest.mark.parametrize("cell", CELLS)
def test_one_class_a_file(cell):
    module = inspect.getmodule(cell)
    components = [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and issubclass(value, wiring.Component)
        and not name.startswith("_")
    ]
    assert components == [cell]


def test_there_are_cells():
    assert len(CELLS) > 10
