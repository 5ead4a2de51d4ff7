"""Tests of spintron_ir.prng."""

import itertools

import numpy as np
import pytest

from spintron_ir import arith
from spintron_ir.errors import ParameterError
from spintron_ir.prng import noise_words, threefry2x32

# Known answers of the Random123 library: counter, key, 13 rounds, 20 rounds.
KNOWN = [
    ((0, 0), (0, 0), (0x9D1C5EC6, 0x8BD50731), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0xFD36D048, 0x2D17272C), (0x1CB996FC, 0xBB002BE7)),
    (
        (0x243F6A88, 0x85A308D3),
        (0x13198A2E, 0x03707344),
        (0xBA3E4725, 0xF27D669E),
        (0xC4923A9C, 0x483DF7A0),
    ),
]


@pytest.mark.parametrize(("counter", "key", "after_13", "after_20"), KNOWN)
def test_known_answers(counter, key, after_13, after_20):
    assert tuple(map(int, threefry2x32(*key, *counter))) == after_13
    assert tuple(map(int, threefry2x32(*key, *counter, rounds=20))) == after_20


@pytest.mark.parametrize("rounds", [1, 4, 13, 20, 32])
def test_every_number_of_rounds(rounds, threefry):
    rng = np.random.default_rng(rounds)
    for _ in range(5):
        key, counter = (tuple(map(int, rng.integers(0, 1 << 32, 2))) for _ in range(2))
        assert tuple(map(int, threefry2x32(*key, *counter, rounds))) == threefry(
            key, counter, rounds
        )


def test_counters_broadcast(threefry):
    word0, word1 = threefry2x32(1, 2, np.arange(3)[:, None], np.arange(4))
    assert word0.shape == word1.shape == (3, 4)
    assert int(word0[2, 3]) == threefry((1, 2), (2, 3), 13)[0]


def test_rounds_are_limited():
    message = r"threefry2x32: rounds must be an integer in 1\.\.32, not 33"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        threefry2x32(0, 0, 0, 0, rounds=33)


@pytest.mark.parametrize("cols", [1, 3, 4, 9])
def test_noise_words_by_their_definition(cols, threefry):
    seed, blocks = 0xFEDC_BA98_7654_3210, -(-cols // 4)
    for frame, read, converter in itertools.product((0, 5, (1 << 32) + 5), (0, 3), (0, 7)):
        words = noise_words(
            seed, frame=np.array(frame), read=np.array(read), converters=np.array(converter),
            cols=cols,
        )  # fmt: skip
        assert words.shape == (cols,) and words.dtype == np.uint16
        for col in range(cols):
            counter = (frame % 2**32, read * 2**24 + converter * blocks + col // 4)
            pair = threefry((0x7654_3210, 0xFEDC_BA98), counter, 13)
            assert words[col] == pair[col % 4 // 2] // 2 ** (16 * (col % 2)) % 2**16


def sample(frames=4096, reads=4, cols=16, seed=7):
    """Words of many reads: shape ``(frames, reads, cols)``."""
    return noise_words(
        seed,
        frame=np.arange(frames)[:, None],
        read=np.arange(reads)[None, :],
        converters=np.array(0),
        cols=cols,
    )


def test_words_are_uniform():
    words = sample()
    for shift in (0, 4, 8, 12):
        counts = np.bincount((words >> shift & 15).ravel().astype(int), minlength=16)
        expected = words.size / 16
        chi_square = float(((counts - expected) ** 2 / expected).sum())
        assert 2.0 < chi_square < 40.0  # 15 degrees of freedom: both tails are below 1e-3
    ones = (words[..., None] >> np.arange(16) & 1).reshape(-1, 16).mean(axis=0)
    assert np.all(np.abs(ones - 0.5) < 5 * 0.5 / np.sqrt(words.size))


def test_noise_has_its_variance():
    z = arith.noise_z(sample())
    spread = np.sqrt((2 + (-0.147)) * 853**2 / z.size)
    assert abs(z.mean()) < 5 * np.sqrt(853 / z.size)
    assert abs((z.astype(float) ** 2).mean() - 853) < 5 * spread


def correlation(a, b):
    """Normalised product of two sets of noise; its standard deviation is 1 where independent."""
    return float((a * b).sum()) / 853 / np.sqrt(a.size)


def test_lanes_reads_frames_and_seeds_are_independent():
    z = arith.noise_z(sample())
    other = arith.noise_z(sample(seed=8))
    high = arith.noise_z(sample(seed=7 + (1 << 32)))
    pairs = [(z[..., a], z[..., b]) for a, b in itertools.combinations(range(16), 2)]
    pairs += [(z[:, a], z[:, b]) for a, b in itertools.combinations(range(4), 2)]
    pairs += [(z[lag:], z[:-lag]) for lag in (1, 2, 3, 4, 16, 256)]
    pairs += [(z, other), (z, high)]
    found = np.array([correlation(a, b) for a, b in pairs])
    assert np.abs(found).max() < 4.5
    assert 0.7 < found.std() < 1.3


def test_converters_are_independent():
    reads = {"frame": np.arange(2048)[:, None], "read": np.array(0), "cols": 8}
    z = arith.noise_z(noise_words(3, converters=np.arange(6)[None, :], **reads))
    for a, b in itertools.combinations(range(6), 2):
        assert abs(correlation(z[:, a], z[:, b])) < 4.5
