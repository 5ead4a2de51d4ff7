"""Tests of spintron run, and of how frames are read."""

import numpy as np
import pytest


@pytest.fixture
def frames(tmp_path):
    values = np.random.default_rng(0).integers(0, 4, (5, 6))
    np.save(tmp_path / "x.npy", values)
    return values


def test_json(spintron, net, network, frames):
    result = spintron("run", net, "--input", "x.npy", "--json")
    assert (result.code, result.err) == (0, "")
    golden = network.run(frames)
    assert result.json["frames"] == 5
    assert result.json["outputs"] == {name: values.tolist() for name, values in golden.items()}


def test_several_outputs_make_an_npz(spintron, net, network, frames, tmp_path):
    result = spintron("run", net, "--input", "x.npy", "-o", "y.npz")
    assert (result.code, result.out) == (0, "5 frames -> y.npz\n")
    with np.load(tmp_path / "y.npz", allow_pickle=False) as written:
        for name, values in network.run(frames).items():
            np.testing.assert_array_equal(written[name], values)


def test_inputs_by_name(spintron, net, network, frames, tmp_path):
    np.savez(tmp_path / "x.npz", x=frames)
    result = spintron("run", net, "--input", "x.npz", "--json")
    assert result.json["outputs"]["class"] == network.run(frames)["class"].tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 6)), "input x must hold integers, not float64"),
        (np.zeros((2, 5), dtype=int), r"input x must have the shape (batch, 6), not (2, 5)"),
        (np.full((2, 6), 4), "input x must lie in 0..3, not in 4..4"),
        (np.array([[None]], dtype=object), "x.npy: must be a .npy or .npz file of numbers"),
    ],
    ids=["float", "shape", "range", "pickled"],
)
def test_refuses(spintron, net, tmp_path, values, message):
    np.save(tmp_path / "x.npy", values)
    result = spintron("run", net, "--input", "x.npy")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert message in result.err


def test_refuses_a_file_that_is_cut_off(spintron, net, frames, tmp_path):
    data = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(data[:-8])
    result = spintron("run", net, "--input", "x.npy")
    assert result.code == 1
    assert result.err.startswith("error: x.npy: must be a .npy or .npz file of numbers")


def test_refuses_other_names(spintron, net, tmp_path, frames):
    np.savez(tmp_path / "x.npz", y=frames)
    result = spintron("run", net, "--input", "x.npz")
    assert (result.code, result.err) == (
        1,
        "error: x.npz: must hold one array for each of x, not y\n",
    )


def test_refuses_a_file_name_that_does_not_suit_the_outputs(spintron, net, frames):
    result = spintron("run", net, "--input", "x.npy", "-o", "y.npy")
    assert (result.code, result.err) == (
        1,
        "error: y.npy: must end in .npz: the network has 2 outputs\n",
    )
