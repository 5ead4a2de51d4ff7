"""Tests of the names that the package offers."""

import subprocess
import sys

import pytest

import spintron_nn
import spintron_nn.core


def test_names_are_loaded_on_first_use():
    for package in (spintron_nn, spintron_nn.core):
        assert [getattr(package, name).__name__ for name in package.__all__] == package.__all__
        assert set(package.__all__) <= set(dir(package))


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"^module 'spintron_nn' has no attribute 'Nonsense'$"):
        _ = spintron_nn.Nonsense


def test_technology_and_converter_load_no_torch():
    code = (
        "import sys, spintron_nn\n"
        "assert 'numpy' not in sys.modules\n"
        "from spintron_nn import Chip, MTJConfig, SpintronConverter, SpintronicModel\n"
        "SpintronConverter(MTJConfig())\n"
        "assert not {'torch', 'amaranth', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
