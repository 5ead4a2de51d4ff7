"""Tests of what the networks of the zoo are built from, and of what they refuse."""

import re

import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn import MTJConfig, SpintronConverter, models
from spintron_nn.core.energy import EnergyModel
from spintron_nn.models import (
    AlwaysOnVision_Spintronic,
    MicroNet_Spintronic,
    MobileNetV2_Spintronic,
    SpintronicNet,
    TinyConvNet_Spintronic,
    VisionSpintronNet,
)
from spintron_nn.models.data import zoo_data

SMALL = {"stages": ((1, 8, 1, 1), (2, 8, 2, 2)), "head": 16}

NETWORKS = {
    "tiny": lambda: TinyConvNet_Spintronic(
        input_shape=(32, 32, 1), num_classes=10, filters=[16, 32, 64], mtj_array_size=128
    ),
    "micro": MicroNet_Spintronic,
    "vision": lambda: VisionSpintronNet((20, 12, 3), 7, (8, 16), mtj_bits=1),
    "mobile": lambda: MobileNetV2_Spintronic(num_classes=5, input_size=(12, 16), **SMALL),
    "always": lambda: AlwaysOnVision_Spintronic((16, 24), ["cat"], 2, frame_rate=50),
}


def test_every_name_is_loaded_on_first_use():
    assert [getattr(models, name).__name__ for name in models.__all__] == models.__all__
    with pytest.raises(AttributeError, match=r"^module 'spintron_nn\.models' has no attribute 'X'"):
        _ = models.X


@pytest.mark.parametrize("name", NETWORKS)
def test_built_again_of_its_arguments(name):
    net = NETWORKS[name]()
    again = type(net)(**net.arguments, config=net.config)
    assert again.arguments == net.arguments and again.choices == net.choices
    assert again.shape == net.shape and str(again.network) == str(net.network)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_goes_onto_a_chip(name):
    net = NETWORKS[name]().eval()
    x = torch.rand(8, *net.shape, generator=torch.Generator().manual_seed(0))
    placed = SpintronConverter(net.config).convert(net.network, calibration=x, **net.choices)
    assert placed.run(x).shape == tuple(net(x).shape)


def test_technology_has_as_many_levels_as_weights_have():
    assert MobileNetV2_Spintronic(mtj_precision=3, **SMALL).config.levels == 8
    assert TinyConvNet_Spintronic().config == MTJConfig(levels=4)
    assert MicroNet_Spintronic(mtj_bits=4).config.levels == 16
    mine = MTJConfig(resistance_variation=0.05)
    assert MicroNet_Spintronic(mtj_bits=2, config=mine).config is mine


def test_published_mobilenet():
    """3.4 million weights for 1,000 classes: Sandler et al., table 4."""
    net = MobileNetV2_Spintronic(num_classes=1000, input_size=(224, 224))
    assert sum(part.numel() for part in net.parameters()) == 3_504_872  # torchvision's mobilenet_v2
    strides = [m.stride[0] for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert torch.tensor(strides).prod() == 32


def test_residual_blocks_add_what_came_in():
    block = VisionSpintronNet(filters=(4,)).network[4].eval()
    with torch.no_grad():
        block.body[-1].weight.zero_()
    x = torch.rand(1, 4, 6, 6)
    assert torch.equal(block(x), x)


def test_always_on_vision_keeps_to_its_power():
    """Estimate of the built network on its chip, all inputs at full read voltage."""
    widths = []
    for target in (100, 20, 4):
        net = AlwaysOnVision_Spintronic(target_power_uw=target)
        x = torch.ones(2, *net.shape)
        placed = SpintronConverter(net.config).convert(net.eval(), calibration=x, **net.choices)
        report = EnergyModel(net.config).of_network(placed.network, placed.quantise_input(x))
        assert 0.95 * net.power_uw < report.total_j * 10 * 1e6 < net.power_uw <= target
        widths.append(net.width)
    assert widths == sorted(widths, reverse=True) and len(set(widths)) == 3


REFUSED = {
    "TinyConvNet_Spintronic: input_shape must be (height, width, channels), not (32, 32)": lambda: (
        TinyConvNet_Spintronic(input_shape=(32, 32))
    ),
    "TinyConvNet_Spintronic: input_shape[0] must be an integer in 8..1024, not 4": lambda: (
        TinyConvNet_Spintronic(input_shape=(4, 32, 1))
    ),
    "TinyConvNet_Spintronic: filters must be 1 to 5 widths, not []": lambda: TinyConvNet_Spintronic(
        filters=[]
    ),
    "TinyConvNet_Spintronic: filters[1] must be an integer in 1..1024, not 0": lambda: (
        TinyConvNet_Spintronic(filters=[4, 0])
    ),
    "TinyConvNet_Spintronic: filters must halve a picture of 8x9 at most 3 times, not 4; give "
    "fewer": lambda: TinyConvNet_Spintronic((8, 9, 1), filters=[4] * 4),
    "TinyConvNet_Spintronic: num_classes must be an integer in 2..1000, not 1": lambda: (
        TinyConvNet_Spintronic(num_classes=1)
    ),
    "TinyConvNet_Spintronic: mtj_array_size must be an integer in 16..1024, not 8": lambda: (
        TinyConvNet_Spintronic(mtj_array_size=8)
    ),
    "TinyConvNet_Spintronic: mtj_bits must be an integer in 1..4, not 5": lambda: (
        TinyConvNet_Spintronic(mtj_bits=5)
    ),
    "TinyConvNet_Spintronic: config must be an MTJConfig or None, not 3": lambda: (
        TinyConvNet_Spintronic(config=3)
    ),
    "MicroNet_Spintronic: filters must be 1 to 2 widths, not 'ab'": lambda: MicroNet_Spintronic(
        filters="ab"
    ),
    "VisionSpintronNet: crossbar_size must be an integer in 16..1024, not 2.5": lambda: (
        VisionSpintronNet(crossbar_size=2.5)
    ),
    "MobileNetV2_Spintronic: input_size must be (height, width), not (32, 32, 3)": lambda: (
        MobileNetV2_Spintronic(input_size=(32, 32, 3))
    ),
    "MobileNetV2_Spintronic: input_size must be (height, width), not 32": lambda: (
        MobileNetV2_Spintronic(input_size=32)
    ),
    "MobileNetV2_Spintronic: channels must be an integer in 1..16, not 0": lambda: (
        MobileNetV2_Spintronic(channels=0)
    ),
    "MobileNetV2_Spintronic: mtj_precision must be an integer in 1..4, not 8": lambda: (
        MobileNetV2_Spintronic(mtj_precision=8)
    ),
    "MobileNetV2_Spintronic: width must be a number above 0 and at most 1, not 1.5": lambda: (
        MobileNetV2_Spintronic(width=1.5)
    ),
    "MobileNetV2_Spintronic: head must be an integer in 8..2048, not 4": lambda: (
        MobileNetV2_Spintronic(head=4)
    ),
    "MobileNetV2_Spintronic: stages must be 1 to 8 of (expansion, channels, blocks, stride), not "
    "[(1, 2)]": lambda: MobileNetV2_Spintronic(stages=[(1, 2)]),
    "MobileNetV2_Spintronic: stages[0] stride must be an integer in 1..2, not 3": lambda: (
        MobileNetV2_Spintronic(stages=[(1, 8, 1, 3)])
    ),
    "AlwaysOnVision_Spintronic: resolution must be (height, width), not (64,)": lambda: (
        AlwaysOnVision_Spintronic(resolution=(64,))
    ),
    "AlwaysOnVision_Spintronic: detect_classes must be up to 999 different names other than "
    "'nothing', not 'person'": lambda: AlwaysOnVision_Spintronic(detect_classes="person"),
    "AlwaysOnVision_Spintronic: detect_classes must be up to 999 different names other than "
    "'nothing', not ['a', 'a']": lambda: AlwaysOnVision_Spintronic(detect_classes=["a", "a"]),
    "AlwaysOnVision_Spintronic: target_power_uw must be a number of uW above 0, not 0": lambda: (
        AlwaysOnVision_Spintronic(target_power_uw=0)
    ),
    "AlwaysOnVision_Spintronic: frame_rate must be a number of Hz above 0, not -1": lambda: (
        AlwaysOnVision_Spintronic(frame_rate=-1)
    ),
    "AlwaysOnVision_Spintronic: target_power_uw must be at least 1.84 for 64x64 pixels at 10 Hz, "
    "not 1; lower the frame rate or the resolution": lambda: AlwaysOnVision_Spintronic(
        target_power_uw=1
    ),
    "zoo_data: name must be one of ": lambda: zoo_data("imagenet"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusals(message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}") as caught:
        REFUSED[message]()
    assert str(caught.value) == message or message.endswith(" ")


def test_a_network_must_be_prepared():
    net = MicroNet_Spintronic()
    message = (
        r"^MicroNet_Spintronic: the network must be prepared first; call prepare\(calibration\) "
        r"with some dozen real inputs, or read trained weights with from_pretrained$"
    )
    for call in (net.convert, net.export_to_hardware, lambda: net.save("never.safetensors")):
        with pytest.raises(ParameterError, match=message):
            call()


def test_calibration_must_fit():
    message = (
        r"^MicroNet_Spintronic: calibration must have the shape \(batch, 1, 8, 8\), not \(4, 64\)$"
    )
    with pytest.raises(ParameterError, match=message):
        MicroNet_Spintronic().prepare(torch.zeros(4, 64))


def test_the_base_takes_any_layers():
    net = SpintronicNet(torch.nn.Linear(3, 2), (3,), config=MTJConfig(), choices={}, arguments={})
    assert net(torch.zeros(4, 3)).shape == (4, 2)
