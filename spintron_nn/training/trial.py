"""What a trial conversion on an ideal chip says of a model: matrices, codes, converters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense
from spintron_nn.converter.graph import Conv, Dropout, Linear, Model, Norm, Step
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.lower import lower
from spintron_nn.converter.lower.matrices import scores_of
from spintron_nn.converter.lower.rewrite import simplified, uses_of
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.converter.settings import Settings
from spintron_nn.converter.trained import Trained

from .crossbar_layer import Crossbar
from .places import Places, places_of
from .quantisers import LevelSet
from .reads import Reads

__all__ = ["Dropped", "Trial", "adc_steps", "dropouts"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Dropped:
    """Dropout of a value on its way to a step.

    Attributes
    ----------
    share : float, 0..1
        Probability.
    channels : bool
        Whether whole channels are dropped.
    """

    share: float
    channels: bool


@dataclass(frozen=True, eq=False)
class Trial:
    """A model as a conversion sees it.

    Parameters
    ----------
    model : Model
        The model, simplified.
    crossbars : dict of str to Crossbar
        Its matrices, by step.
    places : Places
        Where it has codes.
    dropped : dict of (str, int) to Dropped
        Dropouts by step and number of its input; outputs are steps without a number, -1.
    adc_steps : dict of str to float
        Conductance codes of one converter code, by step; empty with lossless converters.
    uses : dict of str to int
        How often each input and step is taken.
    """

    model: Model
    crossbars: dict[str, Crossbar]
    places: Places
    dropped: dict[tuple[str, int], Dropped]
    adc_steps: dict[str, float]
    uses: dict[str, int]

    @cached_property
    def inner(self) -> frozenset[str]:
        """Steps whose codes only one matrix takes, as they are: they are made along with it."""
        takers = {name: step for step in self.model.steps for name in step.inputs}
        return frozenset(
            name
            for name in set(self.places.made) - set(self.model.inputs)
            if self.uses[name] == 1
            and name in takers
            and takers[name].name in self.crossbars
            and self.crossbars[takers[name].name].linear
            and (takers[name].name, 0) not in self.dropped
        )

    @classmethod
    def of(cls, model: Model, data: Mapping[str, Reals], settings: Settings) -> Trial:
        """Convert a model for an ideal chip and read off what training must do.

        Parameters
        ----------
        model : Model
            The model as it was parsed.
        data : dict of str to float64 array of shape ``(frames, *input)``
            Calibration data.
        settings : Settings
            Choices of the conversion.
        """
        made = lower(model, data, settings)
        simple = simplified(model)
        places = places_of(simple, made)
        layers = {node.name: node.layer for node in made.network.nodes}
        scores = scores_of(simple)
        found, levels = {}, dict[int, LevelSet]()
        for step in simple.steps:
            if isinstance(step.operation, (Linear, Conv)):
                layer, bits = layers[step.name], settings.weight_bits(step.name)
                assert isinstance(layer, Dense)
                if bits not in levels:
                    values = weight_values(settings.chip.config, bits, settings.scheme)
                    levels[bits] = LevelSet(values)
                found[step.name] = _crossbar(step, layer, simple, scores, settings, levels[bits])
        return cls(
            simple, found, places, dropouts(model, simple), _steps(made), dict(uses_of(simple))
        )


def adc_steps(
    model: Model, data: Mapping[str, Reals], settings: Settings, trained: Trained
) -> dict[str, float]:
    """Steps that calibration chooses for the converters of a trained model on an ideal chip."""
    return _steps(lower(model, data, settings, "network", trained))


def _steps(made: SpintronicModel) -> dict[str, float]:
    return {
        layer.name: layer.adc_step for layer in made.report.layers if layer.adc_step is not None
    }


def _crossbar(
    step: Step,
    layer: Dense,
    model: Model,
    scores: Mapping[str, bool],
    settings: Settings,
    levels: LevelSet,
) -> Crossbar:
    config = settings.chip.config
    takers = [one for one in model.steps if step.name in one.inputs]
    channels_first = isinstance(step.operation, Conv) or len(step.shape) == 1
    lines = config.faults.broken_word > 0 or config.faults.broken_bit > 0
    wires = config.wires
    return Crossbar(
        step=step,
        layer=layer,
        levels=levels,
        bits=settings.weight_bits(step.name),
        level_bits=config.level_bits,
        per_channel=scores.get(step.name) is not False,
        normed=channels_first
        and len(takers) == 1
        and step.name not in model.outputs.values()
        and isinstance(takers[0].operation, Norm),
        reads=Reads(settings.adc_bits, settings.dac_bits, settings.crossbar_size),
        oriented=lines or any((wires.word, wires.bit, wires.driver, wires.sense)),
    )


def dropouts(model: Model, simple: Model) -> dict[tuple[str, int], Dropped]:
    """Dropouts of a model on the edges of its simplified graph.

    Parameters
    ----------
    model, simple : Model
        The model before and after it was simplified.
    """
    steps: dict[str, Any] = {step.name: step for step in model.steps}
    kept = {step.name for step in simple.steps}
    found = {}
    edges = [
        (step.name, number, source)
        for step in model.steps
        for number, source in enumerate(step.inputs)
    ]
    edges += [(name, -1, name) for name in model.outputs.values()]
    for taker, number, source in edges:
        step = steps.get(source)
        if step is None or not isinstance(step.operation, Dropout) or step.operation.share == 0:
            continue
        if number >= 0 and isinstance(steps[taker].operation, Dropout):
            continue
        place = taker, number
        if number < 0:  # the output is named by what the dropout takes
            while isinstance(steps[source].operation, Dropout):
                source = steps[source].inputs[0]
            place = source, -1
        elif taker not in kept:  # zeros around an image went into its convolution
            place = next(one.name for one in model.steps if taker in one.inputs), 0
        layer = step.origin.rpartition(" (")[2].rstrip(")")
        found[place] = Dropped(step.operation.share, layer in ("Dropout1d", "Dropout2d"))
    return found
