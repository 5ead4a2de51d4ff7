"""What every network of the zoo can do: train for chips, go onto one, and be kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from spintron_ir import ParameterError
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.core.mtj_models import MTJConfig

from .package import HardwarePackage, write_package

if TYPE_CHECKING:
    from spintron_nn.training.chip_model import ChipModel

__all__ = ["SpintronicNet"]

CHOICES = {"activation_bits": 4, "adc_bits": 8}
"""Choices of a conversion that no network makes otherwise."""

CALIBRATION_BYTES = 1 << 16
"""Input codes that go into a file of weights, one byte each."""

CALIBRATION_FRAMES = 512
"""Inputs after which more of them change nothing that matters."""


class SpintronicNet(nn.Module):
    """A network of ordinary torch layers, with the technology and the tiles that it is meant for.

    It is trained in floating point like any module. :meth:`prepare` then puts quantisers and
    sampled devices into it, and it is trained on: in training mode each forward pass is that of a
    fresh chip, in evaluation mode it is the integers of the hardware.

    Attributes
    ----------
    network : torch.nn.Module
        The layers, in floating point.
    shape : tuple of int
        Shape of one input, channels first.
    config : MTJConfig
        The technology.
    choices : dict
        Choices of a conversion: bits, size of a tile, converters.
    arguments : dict
        What the class was called with, as plain values.
    chips : ChipModel or None
        The network on chips, once prepared.
    facts : dict
        What a file of weights said of them.
    """

    def __init__(
        self,
        network: nn.Module,
        shape: tuple[int, ...],
        *,
        config: MTJConfig,
        choices: Mapping[str, Any],
        arguments: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.network = network
        self.shape = shape
        self.config = config
        self.choices = {**CHOICES, **choices}
        self.arguments = dict(arguments)
        self.chips: ChipModel | None = None
        self.frames: Tensor | None = None
        self.facts: dict[str, Any] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Scores of a batch: of the layers as they are until :meth:`prepare`, then of chips."""
        return self.network(x) if self.chips is None else self.chips(x)

    def prepare(self, calibration: Any) -> ChipModel:
        """Put the network on chips, for training on them and for conversion.

        Parameters
        ----------
        calibration : array or tensor of shape ``(batch, *shape)``
            Real inputs like those that the network will see. As many of the first are used as a
            file of weights keeps, so that a network that was read back is the same: 512, or fewer
            of more than 128 values.

        Returns
        -------
        ChipModel
            Also kept as :attr:`chips`.

        Raises
        ------
        ParameterError
            If the calibration does not fit the network.
        """
        frames = torch.as_tensor(calibration, dtype=torch.float32)
        if frames.ndim == 0 or frames.shape[1:] != self.shape or not len(frames):
            wanted = ", ".join(str(size) for size in self.shape)
            raise ParameterError(
                f"{type(self).__name__}: calibration must have the shape (batch, {wanted}), not "
                f"{tuple(frames.shape)}"
            )
        from spintron_nn.training.chip_model import ChipModel

        most = min(CALIBRATION_FRAMES, max(1, CALIBRATION_BYTES // frames[0].numel()))
        self.frames = frames[:most]
        self.chips = ChipModel(self.network, self.config, self.frames, **self.choices)
        return self.chips

    def convert(self, **changed: Any) -> SpintronicModel:
        """Put the prepared network on one chip, with the quantisers that training found.

        Parameters
        ----------
        **changed
            Which chip: those of :meth:`ChipModel.convert
            <spintron_nn.training.chip_model.ChipModel.convert>`.

        Raises
        ------
        ParameterError
            If the network is not prepared.
        """
        return self._prepared().convert(**changed)

    def export_to_hardware(
        self,
        directory: str | PathLike[str] | None = None,
        *,
        include_testbench: bool = True,
        power_analysis: bool = False,
        **chip: Any,
    ) -> HardwarePackage:
        """Write the Verilog of the network on one chip.

        Parameters
        ----------
        directory : path or None
            Where to, made if need be; None is a folder of the class's name, in small letters.
        include_testbench : bool
            Also write a testbench that checks itself on 16 frames of the calibration.
        power_analysis : bool
            Also estimate energy and power on the calibration.
        **chip
            Which chip, as for :meth:`convert`.

        Raises
        ------
        ParameterError
            If the network is not prepared, or an argument is not what it must be.
        """
        name = type(self).__name__.lower()
        chips = self._prepared()
        return write_package(
            chips.convert(**chip),
            Path(name if directory is None else directory),
            name=name,
            frames=self.frames,
            testbench=include_testbench,
            power=power_analysis,
        )

    def save(self, path: str | PathLike[str], **facts: Any) -> None:
        """Write weights, quantisers and calibration to one file; nothing executable.

        Parameters
        ----------
        path : path
            File to write, ``.safetensors``.
        **facts
            What else is known: numbers, text, tensors, and lists and dicts of them.

        Raises
        ------
        ParameterError
            If the network is not prepared, or a fact is none of these.
        """
        from .files import save_net

        self._prepared()
        save_net(self, path, facts)

    @classmethod
    def from_pretrained(cls, name: str | PathLike[str], *, floating: bool = False) -> Self:
        """Read trained weights that the package has, or a file of them; nothing is downloaded.

        Parameters
        ----------
        name : str or path
            Name of weights in the package, or a path of a ``.safetensors`` file.
        floating : bool
            The network in floating point, as it was before it was trained on chips.

        Raises
        ------
        ParameterError
            If there are no weights of the name.
        TrainingFileError
            If the file is damaged, or of another class than this one.
        """
        from .files import load_net

        return load_net(cls, name, floating=floating)

    def _prepared(self) -> ChipModel:
        if self.chips is None:
            raise ParameterError(
                f"{type(self).__name__}: the network must be prepared first; call "
                "prepare(calibration) with some dozen real inputs, or read trained weights with "
                "from_pretrained"
            )
        return self.chips
