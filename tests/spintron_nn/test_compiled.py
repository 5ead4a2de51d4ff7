"""Tests of spintron_nn.compiled."""

import pytest

from spintron_nn import compiled


def test_without_a_folder_for_machine_code_it_is_compiled_each_time(monkeypatch):
    given = []

    def njit(function, **options):
        given.append(options)
        if "cache" in options:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    def double(x):
        return 2 * x

    monkeypatch.setattr(compiled, "njit", njit)
    assert compiled.compiled(double) is double
    assert compiled.compiled(fastmath=True)(double) is double
    assert given == [
        {"nogil": True, "cache": True},
        {"nogil": True},
        {"nogil": True, "cache": True, "fastmath": True},
        {"nogil": True, "fastmath": True},
    ]


@pytest.mark.parametrize(("pieces", "threads"), [(7, 3), (1, 2), (0, 2), (5, 0), (5, 1)])
def test_threads_share_all_pieces(pieces, threads):
    found = []
    compiled.shared(lambda start, stop: found.extend(range(start, stop)), pieces, threads)
    assert sorted(found) == list(range(pieces))


def test_a_thread_that_fails_fails_the_whole():
    def work(start, stop):
        if start:
            raise MemoryError(f"piece {start}")

    with pytest.raises(MemoryError, match="^piece 3$"):
        compiled.shared(work, 6, 2)
