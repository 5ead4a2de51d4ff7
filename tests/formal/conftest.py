"""Fixtures of the formal proofs."""

import pytest

from spintron_hw.formal import unavailable


@pytest.fixture(autouse=True)
def _tools(require_tool):
    require_tool("SymbiYosys", unavailable())
