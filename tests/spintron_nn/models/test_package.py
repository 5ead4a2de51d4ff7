"""Tests of what an export to hardware writes."""

import numpy as np
import pytest
import torch

from spintron_ir import Network, ParameterError
from spintron_nn import MTJConfig
from spintron_nn.core.energy import EnergyModel
from spintron_nn.models import MicroNet_Spintronic, SpintronicNet


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    made = SpintronicNet(
        torch.nn.Linear(4, 2),
        (4,),
        config=MTJConfig(levels=4),
        choices={"crossbar_size": 16},
        arguments={},
    )
    made.prepare(torch.rand(40, 4))
    return made


def test_design_with_its_testbench_and_power(net, tmp_path):
    made = net.export_to_hardware(tmp_path, power_analysis=True, chip_seed=5)
    names = {path.name for path in made.files}
    assert made.directory == tmp_path and all(path.is_file() for path in made.files)
    assert {"network.safetensors", "manifest.json", "spintronicnet.v"} <= names
    placed = net.convert(chip_seed=5)
    assert Network.load(tmp_path / "network.safetensors").digest() == placed.network.digest()
    codes = placed.quantise_input(net.frames[:16])
    assert made.power == EnergyModel(net.config).of_network(placed.network, codes)


def test_verilog_alone(net, tmp_path):
    made = net.export_to_hardware(tmp_path / "new", include_testbench=False)
    assert [path.name for path in made.files] == ["network.safetensors", "spintronicnet.v"]
    assert "module spintronicnet(" in made.files[1].read_text()
    assert made.power is None
    x = np.ones((1, 4))
    assert np.array_equal(made.model.run(x), net.convert().run(x))


def test_the_folder_has_the_name_of_the_class(net, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = net.export_to_hardware(include_testbench=False)
    assert made.directory.name == "spintronicnet" and (tmp_path / "spintronicnet").is_dir()


@pytest.mark.parametrize(
    ("name", "value"), [("include_testbench", 1), ("power_analysis", "yes"), ("power_analysis", 0)]
)
def test_refusals(name, value):
    net = MicroNet_Spintronic.from_pretrained("micronet_digits")
    message = rf"^export_to_hardware: {name} must be True or False, not {value!r}$"
    with pytest.raises(ParameterError, match=message):
        net.export_to_hardware("nowhere", **{name: value})
