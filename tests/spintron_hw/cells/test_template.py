"""Tests of spintron_hw.cells.template."""

import re

import pytest

from spintron_hw.cells.check import check_file
from spintron_hw.cells.template import class_name, file_name, new_cell
from spintron_ir import plugins
from spintron_ir.errors import ParameterError


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(plugins, "_CELLS", {})


@pytest.mark.parametrize(
    ("name", "file", "cls"),
    [
        ("my_sense_amp", "my_sense_amp.py", "MySenseAmp"),
        ("MySenseAmp", "my_sense_amp.py", "MySenseAmp"),
        ("ADC8", "adc8.py", "ADC8"),
        ("x", "x.py", "X"),
    ],
)
def test_names(name, file, cls, tmp_path):
    assert (file_name(name), class_name(name)) == (file, cls)
    path = new_cell(name, tmp_path)
    assert path == tmp_path / file
    text = path.read_text()
    assert f"class {cls}(wiring.Component):" in text and "{{" not in text


def test_a_new_cell_passes_every_check(tmp_path):
    results = check_file(new_cell("my_sense_amp", tmp_path))
    assert [result for result in results if not result.passed] == []
    assert len(results) == 11


@pytest.mark.parametrize("name", ["", "1st", "two words", "../up", "a.b", "class", "_x", "größe"])
def test_refuses_what_is_no_name(name, tmp_path):
    message = (
        "cells new: NAME must be letters, digits and underscores and start with a letter, "
        f"not {name!r}"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        new_cell(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["true", "module", "mux", "numpy", "typing", "amaranth"])
def test_refuses_names_that_would_hide_others(name, tmp_path):
    message = (
        f"cells new: {name}.py with the class {class_name(name)} would hide what Python or the "
        "cell itself calls so; choose another name"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        new_cell(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_never_overwrites(tmp_path):
    (tmp_path / "mine.py").write_text("precious")
    message = (
        f"cells new: {tmp_path}/mine.py exists already; choose another name, or move the file away"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        new_cell("mine", tmp_path)
    assert (tmp_path / "mine.py").read_text() == "precious"


def test_refuses_a_folder_that_is_not_there(tmp_path):
    message = (
        f"cells new: {tmp_path}/no/mine.py cannot be written (No such file or directory); "
        "name a folder that you may write to"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        new_cell("mine", tmp_path / "no")
