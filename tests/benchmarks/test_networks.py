"""The networks of benchmarks.networks are those that they are named after."""

import torch

from benchmarks.models import mobilenet_v2, resnet8
from benchmarks.networks import _mlp, _peak


def weights(model):
    return sum(values.numel() for values in model.parameters() if values.ndim > 1)


def test_sizes_are_those_of_the_published_networks():
    # MLPerf Tiny's classifier has 77,360 weights; MobileNetV2 of 1,000 classes 3.4 million.
    assert weights(resnet8()) == 77_360
    assert 2.1e6 < weights(mobilenet_v2()) < 2.3e6  # ten classes: 1,270,000 fewer


def test_images_of_32_by_32_become_ten_scores():
    for model in (resnet8(), mobilenet_v2()):
        assert model.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_sizes_of_the_growth_are_what_they_say():
    for size in (10**4, 10**6):
        assert abs(weights(_mlp(size)) / size - 1) < 0.02
    assert _peak() > 1
