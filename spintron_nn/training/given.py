"""What a chip model is made from: the graph of a module, calibration data and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spintron_ir import ConversionError, ParameterError
from spintron_nn.converter.graph import Model
from spintron_nn.converter.loading import export_of
from spintron_nn.converter.lower import check
from spintron_nn.converter.model import by_name, check_shape, real_array
from spintron_nn.converter.pytorch_front import parse
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

from .parameters import checked_module, findings

__all__ = ["Given"]

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Given:
    """A module's graph, with the data and choices of its conversions.

    Attributes
    ----------
    model : Model
        The graph.
    data : dict of str to float64 array of shape ``(frames, *input)``
        Calibration data by input.
    settings : Settings
        Choices, on an ideal chip.
    """

    model: Model
    data: dict[str, Reals]
    settings: Settings

    @classmethod
    def of(
        cls, module: nn.Module, config: MTJConfig, calibration: Any, choices: Mapping[str, Any]
    ) -> Given:
        """Read a module.

        Raises
        ------
        ConversionError
            If it cannot be converted, or not be trained.
        ParameterError
            If choices or data are not what they must be.
        """
        checked_module("ChipModel", "module", module)
        settings = _settings(config, choices)
        arrays = _arrays(calibration)
        model = parse(export_of(module, arrays))
        found = [*check(model, settings), *findings(model, module)]
        if found:
            raise ConversionError(list(dict.fromkeys(found)))
        data = by_name("ChipModel", "calibration", arrays, list(model.inputs))
        for name, shape in model.inputs.items():
            check_shape("ChipModel", "calibration", data[name].shape, shape)
        return cls(model, data, settings)

    def inputs(self, x: Any) -> dict[str, Tensor]:
        """Inputs by name, as tensors.

        Raises
        ------
        ParameterError
            If they have other shapes.
        """
        shapes = self.model.inputs
        found = by_name("ChipModel", "x", x, list(shapes))
        tensors = {name: torch.as_tensor(part) for name, part in found.items()}
        for name, part in tensors.items():
            title = "x" if len(shapes) == 1 else f"x[{name!r}]"
            check_shape("ChipModel", title, part.shape, shapes[name])
        return tensors


def _settings(config: MTJConfig, choices: Mapping[str, Any]) -> Settings:
    known = [one.name for one in fields(Settings) if one.name != "chip"]
    unknown = [name for name in choices if name not in known]
    if unknown:
        raise ParameterError(
            f"ChipModel: choices must be of {', '.join(known)}, not {', '.join(unknown)}"
        )
    settings = Settings(chip=Chip(config, seed=0, ideal=True), **choices)
    for name, only in (("scheme", "pair"), ("code_steps", "network")):
        if getattr(settings, name) != only:
            raise ParameterError(
                f"ChipModel: {name} must be {only!r} in training, not "
                f"{getattr(settings, name)!r}; give the other to convert, after it"
            )
    return settings


def _arrays(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _array(f"calibration[{name!r}]", part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_array(f"calibration[{place}]", part) for place, part in enumerate(value))
    return _array("calibration", value)


def _array(title: str, value: Any) -> Reals:
    found = real_array("ChipModel", title, value)
    if found.ndim < 2 or not found.size:
        raise ParameterError(
            f"ChipModel: {title} must hold at least one input, as an array of shape "
            f"(batch, *input), not of shape {found.shape}"
        )
    return found
