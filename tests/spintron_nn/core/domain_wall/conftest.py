"""The measured steps of one device."""

from pathlib import Path

import pytest

from spintron_nn.core.domain_wall import StepTable

FOLDER = Path(__file__).resolve().parents[5] / "shared/vectors/domain_wall"


@pytest.fixture(scope="session")
def tables(require_tool):
    """Tables by temperature and direction."""
    reason = None if FOLDER.is_dir() else "the folder of outside vectors is not beside the project"
    require_tool("measured domain-wall steps", reason)
    return {
        (kelvin, direction): StepTable.load(
            FOLDER / f"sot_{kelvin}K_device0_{direction}.npz",
            temperature=kelvin,
            direction=direction,
        )
        for kelvin in (0, 300)
        for direction in ("increasing", "decreasing")
    }
