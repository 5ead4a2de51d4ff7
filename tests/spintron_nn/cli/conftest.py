"""The command line as a function, and a small network to give to it."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from spintron_ir import Adc, Argmax, Dense, IntType, MulShift, Network, Node, Output, Port
from spintron_nn.cli import main


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def spintron(capsys, tmp_path, monkeypatch):
    """Give ``spintron(*words)``, run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        return Result(stop.value.code or 0, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def network():
    rng = np.random.default_rng(5)
    ones, zeros = np.ones((1, 1, 1, 1), dtype=int), np.zeros((1, 1, 1, 1), dtype=int)
    dense = Dense(
        codes=rng.integers(0, 8, (1, 2, 6, 3), dtype=np.uint16),
        cell_bits=3,
        scheme="pair",
        input=IntType(2),
        dac_bits=1,
        slice_shift=(0,),
        tile_rows=4,
        bias=np.array([1, -2, 3]),
        adc=Adc(bits=5, shift=0, gain=ones, offset=zeros, signed=True),
        requantise=MulShift(
            multiplier=np.full(3, 3),
            shift=np.full(3, 2),
            zero_point=0,
            type=IntType(6, signed=True),
        ),
    )
    return Network(
        name="tiny",
        inputs=(Port(name="x", shape=(6,), type=IntType(2), scale=0.5),),
        nodes=(
            Node(name="fc", layer=dense, inputs=("x",)),
            Node(name="best", layer=Argmax(input=dense.type, length=3), inputs=("fc",)),
        ),
        outputs=(Output(name="scores", node="fc"), Output(name="class", node="best")),
    )


@pytest.fixture
def net(network, tmp_path):
    path = tmp_path / "net.safetensors"
    network.save(path)
    return path
