"""The measured steps of one device."""

from pathlib import Path

import pytest

from spintron_nn.core.domain_wall import StepTable

FOLDER = Path(__file__).resolve().parents[3] / "data/domain_wall"


@pytest.fixture(scope="session")
def tables():
    """Tables by temperature and direction."""
    return {
        (kelvin, direction): StepTable.load(
            FOLDER / f"sot_{kelvin}K_device0_{direction}.npz",
            temperature=kelvin,
            direction=direction,
        )
        for kelvin in (0, 300)
        for direction in ("increasing", "decreasing")
    }
