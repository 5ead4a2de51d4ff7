"""Tests of spintron show."""


def test_json(spintron, net, network):
    result = spintron("show", net, "--json")
    assert (result.code, result.err) == (0, "")
    found = result.json
    assert found["digest"] == network.digest()
    assert found["inputs"] == [{"name": "x", "shape": [6], "type": "uint2", "scale": 0.5}]
    fc = found["layers"][0]
    # By hand: 6 x 3 weights of two devices, three bits each; four and two rows make two tiles.
    assert (fc["devices"], fc["code_bits"], fc["tiles"]) == (36, 108, 2)
    assert (fc["input_chunks"], fc["adc_bits"], fc["requantise"]) == (2, 5, "mulshift")
    assert found["totals"] == {"devices": 36, "tiles": 2, "memory_bits": 108}


def test_text(spintron, net):
    result = spintron("show", net)
    assert result.code == 0
    assert "input x: uint2 6, scale 0.5" in result.out
    assert "2 tiles, 36 devices, 0.0 KiB" in result.out
