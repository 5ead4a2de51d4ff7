"""Tests of spintron_nn.cli.console."""

import json
from pathlib import Path

import numpy as np
import pytest

from spintron_nn.cli.console import Console, plain


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.int64(3), 3),
        (np.array([[1, 2]]), [[1, 2]]),
        ((1, "a", None, True), [1, "a", None, True]),
        ({"p": Path("a/b"), 1: 2.5}, {"p": "a/b", "1": 2.5}),
    ],
)
def test_plain(value, wanted):
    assert plain(value) == wanted


def test_json_is_one_object_and_nothing_else_on_stdout(capsys):
    console = Console(as_json=True)
    with console.stage("work"), console.progress("frames", 3) as advance:
        advance(3)
    console.steps()("synthesis", "line")
    console.table("title", ("a",), [(1,)])
    console.text("text")
    console.result({"a": np.arange(2)})
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"a": [0, 1]}
    assert "work ..." in captured.err
    assert "synthesis ..." in captured.err


def test_no_number_that_is_none_in_json(capsys):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Console(as_json=True).result({"a": float("nan")})


def test_a_table_is_not_folded_where_there_is_no_terminal(capsys):
    Console(as_json=False).table("title", ("name", "value"), [("n" * 200, 1234567)])
    out = capsys.readouterr().out
    assert "n" * 200 in out
    assert "1,234,567" in out
    assert not any(line != line.rstrip() for line in out.splitlines())


def test_each_step_is_said_once(capsys):
    step = Console(as_json=False).steps()
    for name in ("synthesis", "synthesis", "place and route"):
        step(name, "line")
    assert capsys.readouterr().err.splitlines() == ["  synthesis ...", "  place and route ..."]
