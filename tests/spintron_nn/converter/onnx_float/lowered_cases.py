"""Node tests on an ideal chip: every code of their networks against their operations."""

import numpy as np
import pytest

from spintron_nn import MTJConfig
from spintron_nn.converter import graph as g
from spintron_nn.converter.lower import lower
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from tests.spintron_nn.converter.lower import random_models
from tests.spintron_nn.converter.lower.random_models import Placements, check_codes
from tests.spintron_nn.converter.real_graph import run_model

__all__ = ["lowered_differences"]

ENDS = (g.ArgmaxOf, g.TopKOf, g.SoftmaxOf)


def lowered_differences(name, model, seed=0):
    """How the network of a model differs from its operations, on random codes."""
    random = np.random.default_rng(seed)
    whole = any(isinstance(step.operation, ENDS) for step in model.steps)
    data = {
        port: np.round(4 * random.standard_normal((6, *shape))) / 4
        for port, shape in model.inputs.items()
    }
    settings = Settings(
        chip=Chip(MTJConfig(), ideal=True), adc_bits=None, recalibrate=False, crossbar_size=16
    )
    with pytest.MonkeyPatch.context() as patch:
        placements = Placements(patch)
        converted = lower(model, data, settings, "case")
        try:
            if whole and all(isinstance(s.operation, (*ENDS, *MOVING)) for s in model.steps):
                _check_ends(model, converted, data)
            else:
                patch.setattr(random_models, "_value", _with_shares(random_models._value))
                check_codes(model, converted, placements, data)
        except AssertionError as error:
            return [f"{name}: {' '.join(str(error).split())[:200]}"]
    return []


MOVING = (g.Reshape, g.Permute, g.Slice, g.Concatenate, g.Upsample, g.Dropout)


def _check_ends(model, converted, data):
    """Codes that nothing rounds in front of an index, a largest value or a share."""
    codes = converted.quantise_input(data if len(data) > 1 else next(iter(data.values())))
    given = codes if isinstance(codes, dict) else {"x": codes}
    values = {
        name: given[port.name] * port.scale
        for name, port in zip(model.inputs, converted.network.inputs, strict=True)
    }
    expected = run_model(model, values)
    found = converted.network.run(codes)
    for title, output in zip(model.outputs, converted.network.outputs, strict=False):
        result = found[output.name] if isinstance(found, dict) else found
        shares = any(isinstance(step.operation, g.SoftmaxOf) for step in model.steps)
        wanted = expected[title].reshape(result.shape) / output.scale
        # A share of 16 bits is right to a unit or two; all else is exact.
        assert np.abs(result - wanted).max() < (3 if shares else 1e-9)


def _with_shares(value):
    """Shares as the network has them, once they are those of its codes, and these of the values."""

    def of(step, inputs, scales, converted, placements, trace):
        if not isinstance(step.operation, g.SoftmaxOf):
            return value(step, inputs, scales, converted, placements, trace)
        node = converted.network.node(step.name)
        unit, layer, axis = 0.5**node.layer.type.bits, node.layer, step.operation.axis + 1
        scale = -np.log(layer.exponential[1] / ((1 << 31) - 1))
        codes = trace[node.inputs[0]].reshape(-1, *layer.in_shape)
        moved = np.moveaxis(inputs[0], axis, -1).reshape(codes.shape)
        assert np.abs(codes * scale - moved).max() <= scale * (0.5 + 1e-6)
        powers = np.exp((codes - codes.max(axis=-1, keepdims=True)) * scale)
        expected = powers / powers.sum(axis=-1, keepdims=True)
        shares = trace[step.name].reshape(codes.shape) * unit
        assert np.abs(shares - expected).max() < 3 * unit
        scales[step.inputs[0]] = unit  # the step is given the scale of its input
        last = (*inputs[0].shape[:axis], *inputs[0].shape[axis + 1 :], inputs[0].shape[axis])
        return np.moveaxis(shares.reshape(last), -1, axis)

    return of
