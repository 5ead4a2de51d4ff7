# amaranth: UnusedElaboratable=no
"""Tests of boards: what there is, and how others add to it."""

from importlib.metadata import EntryPoint

import pytest

import boards
from boards import all_boards, get_board
from boards.board import Board
from spintron_hw.build.sample import Sample
from spintron_ir.errors import ParameterError


def offered(monkeypatch, *entries):
    found = [EntryPoint(name, value, "spintron.boards") for name, value in entries]
    monkeypatch.setattr(boards, "entry_points", lambda group: found)


@pytest.mark.parametrize("name", ["ulx3s-85f", "icebreaker", "zcu104"])
def test_a_board_is_complete(name):
    board = get_board(name)
    assert board.name == name
    assert board.clock_hz == board.platform().default_clk_frequency
    assert board.top(Sample(), digest="0123456789abcdef").baud == 1_000_000
    assert board.makes.startswith("a bitstream" if board.flow else "a netlist")


def test_capacities_are_those_of_the_data_sheets():
    # Lattice FPGA-DS-02012 (LFE5U-85: 208 block RAMs of 18 kbit, 156 multipliers; nextpnr counts
    # 83,640 look-up tables), FPGA-DS-02008 (iCE40UP5K), AMD DS891 (XCZU7EV).
    found = {
        name: (board.target.luts, board.target.ffs, board.target.brams, board.target.dsps)
        for name, board in all_boards().items()
    }
    assert found == {
        "ulx3s-85f": (83_640, 83_640, 208, 156),
        "icebreaker": (5_280, 5_280, 30, 8),
        "zcu104": (230_400, 460_800, 312, 1_728),
    }


def test_unknown_board():
    message = (
        r"board must be one of ulx3s-85f, icebreaker, zcu104, or a Python file with a BOARD, not "
        r"'arty'"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        get_board("arty")


def test_board_of_another_package(monkeypatch):
    offered(monkeypatch, ("theirs", "boards.icebreaker:BOARD"), ("zcu104", "boards.nowhere:BOARD"))
    assert get_board("theirs") is get_board("icebreaker")
    assert list(all_boards()) == ["ulx3s-85f", "icebreaker", "zcu104", "theirs"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "boards.nowhere:BOARD",
            r"entry point 'theirs' of spintron\.boards must name a Board, but "
            r"boards\.nowhere:BOARD "
            r"cannot be loaded \(No module named 'boards\.nowhere'\); repair or remove the package "
            r"that offers it",
        ),
        (
            "boards.icebreaker:__all__",
            r"entry point 'theirs' of spintron\.boards: must be a boards\.board\.Board, not "
            r"\['BOARD'\]",
        ),
    ],
)
def test_board_of_a_broken_package(monkeypatch, value, message):
    offered(monkeypatch, ("theirs", value))
    with pytest.raises(ParameterError, match=f"^{message}$"):
        all_boards()


def test_board_of_a_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from boards.icebreaker import BOARD as OTHER\n"
        "BOARD = replace(OTHER, name='mine', baud=500_000)\n"
    )
    board = get_board(str(file))
    assert isinstance(board, Board) and (board.name, board.baud) == ("mine", 500_000)


def test_file_without_a_board(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("board = 1\n")
    message = rf"{file}: must be a boards\.board\.Board, not None"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        get_board(str(file))


def test_file_that_is_not_there():
    message = r"no/such\.py: must be a Python file with a BOARD, but there is no file"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        get_board("no/such.py")


def test_digest_must_be_one():
    message = r"icebreaker: digest must start with 16 hexadecimal digits, not 'digits'"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        get_board("icebreaker").top(Sample(), digest="digits")
