"""Tests of benchmarks.rows."""

import json
import sys

import numpy as np
import pytest

from benchmarks.rows import Row, main


def run(monkeypatch, measure, *arguments):
    """Exit status of a family."""
    monkeypatch.setattr(sys, "argv", ["family", *arguments])
    with pytest.raises(SystemExit) as caught:
        main("Family", measure)
    return caught.value.code


def measure(ratio):
    # Ratios are often numbers of NumPy.
    row = Row(name="speed", value=np.float64(2.0), unit="s", peer="other", ratio=np.float64(ratio))
    return lambda quick: [row, Row(**{**vars(row), "demanded": 1.0})]


@pytest.mark.parametrize(("ratio", "status"), [(1.0, 0), (0.9, 3)])
def test_rows_are_written_and_judged(monkeypatch, tmp_path, capsys, ratio, status):
    file = tmp_path / "rows.json"
    assert run(monkeypatch, measure(ratio), "--json", str(file)) == status
    free, judged = json.loads(file.read_text())
    assert free["holds"] is None
    assert judged["holds"] is (status == 0)
    assert judged["ratio"] == ratio
    assert ("yes" if status == 0 else "no") in capsys.readouterr().out


def test_nothing_is_demanded_of_small_sizes(monkeypatch):
    assert run(monkeypatch, measure(0.1), "--quick") == 0
