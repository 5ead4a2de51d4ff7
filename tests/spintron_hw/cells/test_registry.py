"""Tests of spintron_hw.cells.registry."""

import re
import sys

import pytest

from spintron_hw.cells import registry
from spintron_hw.cells.column_adc import ColumnADC
from spintron_hw.cells.registry import all_cells, load_file
from spintron_hw.cells.template import new_cell
from spintron_ir import plugins
from spintron_ir.errors import NetworkError, ParameterError

TWO = """\
from amaranth.lib import wiring

class First(wiring.Component):
    '''Does this
    and that.

    More.
    '''

class Second(wiring.Component):
    pass

class _Hidden(wiring.Component):
    pass

class NoCell:
    pass
"""


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(plugins, "_CELLS", {})
    monkeypatch.setattr(registry, "_FILES", {})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.py"


def test_every_cell_of_a_file_becomes_known(path):
    path.write_text(TWO)
    with pytest.raises(NetworkError):
        plugins.find_cell("First")
    found = load_file(path)
    assert list(found) == ["First", "Second"]
    assert all(plugins.find_cell(name) is cls for name, cls in found.items())


def test_a_changed_file_is_run_again(path):
    for text in (TWO, TWO.replace("Second", "Thirds")):  # as long, and in the same second
        path.write_text(text)
        assert str(list(load_file(str(path)))[1]) in text
    assert [cell.name for cell in all_cells()[-3:]] == ["First", "Second", "Thirds"]


def test_the_last_file_counts(tmp_path):
    first, second = (new_cell("amp", folder) for folder in (tmp_path, made(tmp_path / "other")))
    classes = [load_file(path)["Amp"] for path in (first, second)]
    assert plugins.find_cell("Amp") is classes[1] is not classes[0]
    assert [cell.origin for cell in all_cells() if cell.name == "Amp"] == [str(second)]


def made(folder):
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class A(:\n", "cannot be run: SyntaxError: invalid syntax, line 1"),
        ("x = 1\ny = x / 0\n", "cannot be run: ZeroDivisionError: division by zero, line 2"),
        ("import nowhere_at_all\n",
         "cannot be run: ModuleNotFoundError: No module named 'nowhere_at_all', line 1"),
        ("exit(3)\n", "cannot be run: SystemExit: 3, line 1"),
        ("raise KeyError\n", "cannot be run: KeyError, line 1"),
        ("x = 1\n", "has no cell in it: a cell is a class derived from "
         "amaranth.lib.wiring.Component"),
    ],
)  # fmt: skip
def test_refuses_files_with_faults(path, text, message):
    path.write_text(text)
    before = set(sys.modules)
    with pytest.raises(ParameterError, match=f"^{re.escape(f'{path}: {message}')}$"):
        load_file(path)
    left = [name for name in set(sys.modules) - before if name.startswith("spintron_cells_")]
    assert left == [] or "no cell" in message
    assert plugins._CELLS == {}


@pytest.mark.parametrize("name", ["cell.txt", "missing.py", ""])
def test_refuses_what_is_no_python_file(tmp_path, name):
    (tmp_path / "cell.txt").write_text("")
    message = f"{tmp_path / name}: must be a Python file, with the ending .py"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        load_file(tmp_path / name)


def test_lists_ours_those_of_packages_and_those_of_files(path, tmp_path, monkeypatch):
    path.write_text(TWO)
    load_file(path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "offering.py").write_text(TWO)
    info = tmp_path / "offering-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[spintron.cells]\nOffered = offering:First\nBroken = offering:Nothing\n"
    )
    found = {cell.name: cell for cell in all_cells()}
    assert (found["ColumnADC"].origin, found["ColumnADC"].cls) == ("spintron_hw", ColumnADC)
    assert found["ColumnADC"].summary.startswith("One ADC for each column")
    assert (found["First"].origin, found["First"].summary) == (str(path), "Does this and that.")
    assert found["Second"].summary == ""
    assert found["Offered"].origin == "offering"
    assert found["Offered"].cls is plugins.find_cell("Offered")
    assert found["Broken"].cls is None
    assert found["Broken"].summary.startswith("cell 'Broken': offering:Nothing cannot be imported")
