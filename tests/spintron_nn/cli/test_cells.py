"""Tests of spintron cells: a cell by the book passes, a wrong one is found."""

import pytest


def test_new_then_check(spintron, tmp_path):
    made = spintron("cells", "new", "my_sense_amp", "--json")
    assert (made.code, made.json) == (0, {"file": "my_sense_amp.py", "cell": "MySenseAmp"})
    checked = spintron("cells", "check", "my_sense_amp.py", "--json")
    assert checked.code == 0, checked.err
    assert checked.json["failed"] == 0
    assert len(checked.json["checks"]) > 3


def test_a_wrong_formula_is_found(spintron, tmp_path):
    assert spintron("cells", "new", "Wrong").code == 0
    path = tmp_path / "wrong.py"
    path.write_text(path.read_text().replace("level > self.zone", "level >= self.zone"))
    result = spintron("cells", "check", "wrong.py", "--json")
    assert result.code == 3
    assert result.json["failed"] > 0


def test_a_wrong_latency_is_found(spintron, tmp_path):
    assert spintron("cells", "new", "Late").code == 0
    path = tmp_path / "late.py"
    path.write_text(path.read_text().replace("latency = 1", "latency = 2"))
    result = spintron("cells", "check", "late.py")
    assert result.code == 3
    assert "latency" in result.err


@pytest.mark.parametrize("name", ["1st", "two words", "../up", "class", "_hidden", "größe"])
def test_refuses_a_name(spintron, tmp_path, name):
    result = spintron("cells", "new", name)
    assert result.code == 1
    assert result.err == (
        "error: cells new: NAME must be letters, digits and underscores and start with a letter, "
        f"not {name!r}\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_refuses_to_overwrite(spintron, tmp_path):
    (tmp_path / "mine.py").write_text("precious")
    result = spintron("cells", "new", "mine")
    assert result.code == 1
    assert result.err == (
        "error: cells new: mine.py exists already; choose another name, or move the file away\n"
    )
    assert (tmp_path / "mine.py").read_text() == "precious"


def test_list(spintron):
    assert spintron("cells", "new", "listed_amp").code == 0
    result = spintron("cells", "list", "--cells", "listed_amp.py", "--json")
    assert result.code == 0, result.err
    names = [cell["name"] for cell in result.json["cells"]]
    assert {"ListedAmp", "ColumnADC", "FoldedTile"} <= set(names)


@pytest.mark.toolchain
def test_a_cell_of_a_file_is_used_in_a_network(spintron, tmp_path):
    from spintron_hw.cells.face import layer_of
    from spintron_hw.cells.registry import load_file
    from spintron_ir import Network, Node, Output, Port

    assert spintron("cells", "new", "used_amp").code == 0
    load_file(tmp_path / "used_amp.py")
    layer = layer_of("UsedAmp", lanes=3, bits=8, zone=3)
    Network(
        name="decide",
        inputs=(Port(name="x", shape=(3,), type=layer.in_type),),
        nodes=(Node(name="amp", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="amp"),),
    ).save(tmp_path / "decide.safetensors")

    words = ("--cells", "used_amp.py", "--engine", "amaranth", "--vectors", 20, "--json")
    result = spintron("verify", "decide.safetensors", *words)

    assert result.code == 0, result.err
    assert (result.json["vectors"], result.json["mismatches"]) == (26, 0)
