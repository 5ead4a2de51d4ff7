# amaranth: UnusedElaboratable=no
"""Networks on virtual boards, through the client: the same integers, and the same cycles."""

import numpy as np
import pytest

from boards import get_board
from boards.client import BoardClient
from sim.virtual_board import VirtualBoard
from spintron_hw.accelerator import Accelerator
from spintron_hw.control.board_top import BoardTop
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_hw.mapping.words import folded_words
from spintron_ir import Dense, IntType, Network, Node, Output, Port
from tests.e2e.networks import inputs_of, random_network


def on_a_board(network, *, body, interval=None):
    """An accelerator, and a client to a virtual board with it and a faster line than real ones."""
    plan = map_network(network, GENERIC, body=body, interval=interval)
    accelerator = Accelerator(plan)
    top = BoardTop(
        accelerator,
        digest=bytes.fromhex(network.digest()[:16]),
        clock_hz=1_000_000,
        baud=250_000,
        timeout=400,
    )
    return accelerator, BoardClient(VirtualBoard(top))


def dense(codes):
    """A network of one small layer without converters."""
    layer = Dense(
        codes=codes,
        cell_bits=3,
        scheme="pair",
        input=IntType(4),
        dac_bits=2,
        slice_shift=(0,),
        tile_rows=4,
        bias=np.array([5, -6, 7]),
        adc=None,
        noise=None,
        requantise=None,
    )
    return Network(
        name="small",
        inputs=(Port(name="x", shape=(6,), type=IntType(4)),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )


@pytest.mark.parametrize(
    ("seed", "body", "interval"), [(2, "folded", 120), (5, "unrolled", None), (6, "folded", 120)]
)
def test_a_board_answers_as_the_network_does(seed, body, interval):
    network = random_network(seed)
    accelerator, board = on_a_board(network, body=body, interval=interval)
    board.check_digest(network.digest())
    x = inputs_of(network, 3, seed)
    for _ in range(2):  # a batch starts at frame 0, read noise included
        found, expected = board.run(x), network.run(x)
        expected = expected if isinstance(expected, dict) else {"": expected}
        found = found if isinstance(found, dict) else {"": found}
        assert found.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name].reshape(found[name].shape))
    one = {name: rows[0] for name, rows in x.items()} if isinstance(x, dict) else x[0]
    assert board.infer(one).cycles == accelerator.plan.latency


def test_codes_can_be_written():
    rng = np.random.default_rng(3)
    before, after = (dense(rng.integers(0, 8, (1, 2, 6, 3))) for _ in range(2))
    accelerator, board = on_a_board(before, body="folded", interval=60)
    x = rng.integers(0, 16, (2, 6))
    np.testing.assert_array_equal(board.run(x), before.run(x))

    layer, tile = after.nodes[0].layer, accelerator.layers["fc"].tile
    words = folded_words(
        layer.weights.reshape(-1, layer.rows, layer.cols),
        tile.groups,
        tile.row_parallel,
        tile.col_parallel,
    )
    for bank, contents in enumerate(tile.banks.contents(words)):
        for address, data in enumerate(contents):
            board.write_code("fc", bank=bank, address=address, data=int(data))
    np.testing.assert_array_equal(board.run(x), after.run(x))
    board.reset()
    np.testing.assert_array_equal(board.infer(x[0]).outputs["y"], after.run(x)[0])


def test_the_design_of_a_real_board_at_its_own_speeds():
    network = dense(np.random.default_rng(4).integers(0, 8, (1, 2, 6, 3)))
    board = get_board("icebreaker")
    plan = map_network(network, board.target, body="unrolled")
    top = board.top(Accelerator(plan), digest=network.digest())
    assert top.divisor == 12
    client = BoardClient(VirtualBoard(top, patience=20_000))
    x = np.array([0, 15, 3, 9, 1, 7])
    np.testing.assert_array_equal(client.infer(x).outputs["y"], network.run(x[None])[0])
