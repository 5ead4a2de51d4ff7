"""The benchmark of dynamics runs, and its checks of agreement hold."""

from benchmarks.physics.dynamics import rows


def test_quick_rows():
    macrospins, tail = rows(quick=True)
    assert macrospins.value > 0 and macrospins.unit == "device-steps/s"
    assert (macrospins.peer_value is None) == macrospins.note.startswith("cmtj is not installed")
    assert tail.name.startswith("write error tail to 1e-12")
    assert "extrapolated" in tail.note
