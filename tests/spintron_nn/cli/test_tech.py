"""Tests of spintron tech."""

import numpy as np
import pytest

from spintron_nn.core.technology import technologies, technology


def test_list(spintron):
    result = spintron("tech", "list", "--json")
    assert result.code == 0, result.err
    assert [row["name"] for row in result.json["cards"]] == list(technologies())
    assert "sot-mtj-high-ra" in spintron("tech", "list").out


def test_show(spintron):
    result = spintron("tech", "show", "sot-mtj-high-ra", "--json")
    assert result.code == 0, result.err
    assert result.json["quantities"]["transport.tmr"] == {
        "value": 1.2,
        "unit": "",
        "uncertainty": 0.1,
        "valid": [0.8, 2.0],
        "source": "UT-Austin parameter set",
        "note": "at 9.8 ohm um2; assumed to hold for the thick barrier",
    }
    assert result.json["derived"]["resistance_high"]["value"] == 3.3e6
    text = spintron("tech", "show", "domain-wall-sot").out
    assert "sandialabs/cross-sim-data" in text
    assert "6.5424e-06, 3.3" in text


def test_check(spintron):
    clean = spintron("tech", "check", "sot-mtj-high-ra")
    assert (clean.code, clean.out) == (0, "sot-mtj-high-ra: no error, 0 warnings\n")
    warned = spintron("tech", "check", "sot-mtj-kilohm", "--json")
    assert warned.code == 0
    assert [finding["where"] for finding in warned.json["findings"]] == [
        "magnetics.thermal_stability",
        "read.column_current",
        "wires",
    ]
    assert "no error, 3 warnings" in spintron("tech", "check", "sot-mtj-kilohm").out


def test_check_finds_an_error(spintron, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[card]\nformat = 1\nname = "mine"\nsummary = "x"\n'
        '[transport]\ntmr = { value = 1, source = "x" }\n'
        'resistance_low = { value = 5, unit = "kohm", source = "x" }\n'
        'resistance_area = { value = 20, unit = "ohm um2", source = "x" }\n'
        '[geometry]\ndiameter = { value = 50, unit = "nm", source = "x" }\n'
    )
    result = spintron("tech", "check", path, "--json")
    assert result.code == 1
    assert result.err == (
        f"error: {path}: the card cannot be used (1 finding): transport.resistance_low: must be "
        "resistance_area over the area, 1.019e+04 ohm, within 5%, not 5000 ohm; correct one of "
        "them\n"
    )
    assert len(result.json["findings"]) == 1


@pytest.mark.parametrize("command", ["show", "check"])
def test_refuses_a_name(spintron, command):
    result = spintron("tech", command, "nothing")
    assert result.code == 1
    names = ", ".join(technologies())
    assert result.err == (
        f"error: technology: must be one of {names}, or a file that ends in .toml, not 'nothing'\n"
    )


def table(path):
    low = 5e3 * np.exp(0.05 * np.random.default_rng(1).standard_normal(500))
    lines = [f"{value!r},{2.2 * value!r}" for value in low.tolist()]
    path.write_text("\n".join(["resistance_p,resistance_ap", *lines]))
    return path


def test_fit(spintron, tmp_path):
    words = ("--base", "sot-mtj-kilohm", "-o", "mine.toml", "--name", "of mine", "--json")
    result = spintron("tech", "fit", table(tmp_path / "devices.csv"), *words)
    assert result.code == 0, result.err
    found = result.json["fitted"]["transport.tmr"]
    assert round(found["value"], 6) == 1.2
    assert found["source"].startswith("fit to devices.csv, sha256 ")
    assert technology(tmp_path / "mine.toml").name == "of mine"
    assert any("wires" in finding for finding in result.json["findings"])
    again = spintron("tech", "fit", "devices.csv", "--base", "mine.toml", "-o", "next.toml")
    assert again.code == 0, again.err
    assert "transport.resistance_low" in again.out
    assert technology(tmp_path / "next.toml").name == "next"


def test_fit_refuses(spintron, tmp_path):
    path = table(tmp_path / "devices.csv")
    result = spintron("tech", "fit", path, "--base", "sot-mtj-kilohm", "-o", "mine.txt")
    assert (result.code, result.err) == (
        1,
        "error: mine.txt: a card must end in .toml; rename the output\n",
    )
    result = spintron("tech", "fit", path, "--base", "stt-mtj", "-o", "no/mine.toml")
    assert result.code == 1
    assert result.err.endswith(
        "error: no/mine.toml: the file cannot be written (No such file or directory); name a file "
        "in a folder that exists and is writable\n"
    )
    assert spintron("tech", "fit", "--base", "stt-mtj", "-o", "mine.toml").code == 2
    assert not (tmp_path / "mine.toml").exists()
