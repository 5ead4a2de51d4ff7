"""Tests of spintron build, as far as they need no tool; tests/boards makes bitstreams."""

from dataclasses import replace

import pytest

from boards import get_board
from spintron_ir import ToolError


@pytest.fixture
def small_board(monkeypatch):
    """An iCEBreaker with ten look-up tables."""
    import boards

    board = get_board("icebreaker")
    small = replace(board, target=replace(board.target, luts=10))
    monkeypatch.setattr(boards, "get_board", lambda name: small)


@pytest.mark.usefixtures("small_board")
def test_what_does_not_fit_is_refused_with_the_numbers(spintron, net, tmp_path):
    result = spintron("build", net, "--board", "icebreaker", "-o", "out", "--json")
    assert (result.code, result.out) == (1, "")
    last = result.err.splitlines()[-1]
    assert last.startswith("error: the network needs about ")
    assert "has 10 look-up tables" in last
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("small_board")
def test_lint_says_the_same(spintron, net):
    result = spintron("lint", net, "--board", "icebreaker", "--json")
    assert result.code == 1
    (finding,) = result.json["findings"]
    assert "has 10 look-up tables" in finding


@pytest.mark.usefixtures("small_board")
def test_estimate_says_that_it_does_not_fit(spintron, net):
    result = spintron("estimate", net, "--board", "icebreaker")
    assert result.code == 0
    assert "does not fit: too few luts" in result.out
    assert result.out.endswith("; try --interval with more cycles\n")


def test_a_tool_that_fails_has_its_own_exit_code(spintron, net, monkeypatch):
    from spintron_nn.deployment import flow

    def fail(*_, **__):
        raise ToolError("nextpnr: no")

    monkeypatch.setattr(flow, "build_plan", fail)
    result = spintron("build", net, "--board", "icebreaker", "-o", "out")
    assert (result.code, result.err.splitlines()[-1]) == (4, "error: nextpnr: no")


def test_a_folder_with_other_things_is_left_alone(spintron, net, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious.txt").write_text("mine")
    result = spintron("build", net, "--board", "icebreaker", "-o", "out")
    assert result.code == 1
    assert "out: must be a new or empty folder" in result.err
    assert (tmp_path / "out/precious.txt").read_text() == "mine"
