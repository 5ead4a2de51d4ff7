"""Fixtures of the whole test suite."""

import os

import pytest


@pytest.fixture(scope="session")
def require_tool():
    """Give ``require_tool(name, reason)``: the only way a test of this project skips.

    Where ``reason`` is None the tool is there. Otherwise the test is skipped by name for a user,
    and fails where SPINTRON_NO_SKIP=1 says that every tool has been installed.
    """

    def require(name, reason):
        if reason is None:
            return
        if os.environ.get("SPINTRON_NO_SKIP") == "1":
            pytest.fail(f"{name} must be installed where SPINTRON_NO_SKIP=1: {reason}")
        pytest.skip(f"{name}: {reason}")

    return require
