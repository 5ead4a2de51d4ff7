"""Tests of spintron weights."""

import json

import numpy as np


def test_all_formats(spintron, net, network, tmp_path):
    result = spintron("weights", net, "-o", "out/deep", "--body", "folded", "--json")
    assert (result.code, result.err) == (0, "")
    names = {path.name for path in (tmp_path / "out/deep").iterdir()}
    kept = {name for name in names if not name.endswith(".mem")}
    assert kept == {"weights.npz", "weights.json", "weights.h", "manifest.json"}
    assert names - kept and all(name.startswith("fc.bank") for name in names - kept)
    assert result.json["digest"] == network.digest()
    assert {path.split("/")[-1] for path in result.json["files"]} == names
    with np.load(tmp_path / "out/deep/weights.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["layers.fc.weights"], network.node("fc").layer.weights)
    manifest = json.loads((tmp_path / "out/deep/manifest.json").read_text())
    assert manifest["command"][:2] == ["spintron", "weights"]


def test_one_format(spintron, net, tmp_path):
    result = spintron("weights", net, "-o", "out", "--format", "json")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == ["out/weights.json", "out/manifest.json"]


def test_says_where_there_is_no_memory(spintron, net):
    result = spintron("weights", net, "-o", "out", "--body", "unrolled")
    assert result.code == 0
    assert result.err == (
        "no layer is folded, so there are no memory images; --body folded makes some\n"
    )
    assert spintron("weights", net, "-o", "out", "--body", "unrolled", "--format", "mem").err == (
        "error: weights: no layer of tiny is folded, so there is no memory to fill; "
        "give --body folded, or leave mem out\n"
    )
