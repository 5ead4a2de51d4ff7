"""A converted model: the network on one chip, with its way in and its ways out."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Network, ParameterError
from spintron_nn.core.chip import Chip

from .quantise import codes_of
from .report import ConversionReport
from .scores import real_outputs

__all__ = ["SpintronicModel", "real_array"]

HARDWARE = "spintron_nn.hardware.export"
"""Loaded by name, when hardware is asked for: physics and conversion know no gateware."""


def real_array(owner: str, name: str, value: Any) -> NDArray[np.float64]:
    """Return a float array of an array, a nested list or a torch tensor.

    Raises
    ------
    ParameterError
        If it holds anything but finite numbers.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    try:
        found = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{owner}: {name} must be an array of numbers, not {type(value).__name__}"
        ) from error
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise ParameterError(
            f"{owner}: {name} must be finite, and {bad} of {found.size} values are not; "
            "clean the data first"
        )
    return found


@dataclass(frozen=True, eq=False)
class SpintronicModel:
    """A trained model on one sampled chip.

    Attributes
    ----------
    network : Network
        The integers: what gateware, simulators and boards must reproduce.
    chip : Chip
        The die.
    report : ConversionReport
        What the conversion did to each layer.
    """

    network: Network
    chip: Chip
    report: ConversionReport

    def quantise_input(self, x: ArrayLike) -> NDArray[np.int64]:
        """Input codes of real inputs: ``floor(x / scale + 0.5)``, saturated.

        Parameters
        ----------
        x : array or tensor of shape ``(batch, *input)``
            Real inputs.

        Raises
        ------
        ParameterError
            If the shape differs, or a value is not finite.
        """
        port = self.network.inputs[0]
        found = real_array("SpintronicModel", "x", x)
        if found.shape[1:] != port.shape or found.ndim != len(port.shape) + 1:
            wanted = ", ".join(["batch", *(str(size) for size in port.shape)])
            raise ParameterError(
                f"SpintronicModel: x must have the shape ({wanted}), not {found.shape}"
            )
        return codes_of(found, port.scale, port.type)

    def _output(self, x: ArrayLike, name: str) -> NDArray[np.int64]:
        result = self.network.run(self.quantise_input(x))
        return result[name] if isinstance(result, dict) else result

    def run(self, x: ArrayLike) -> NDArray[np.float64]:
        """Real scores ``(batch, outputs)`` that the integers of :meth:`Network.run` stand for."""
        names = [output.name for output in self.network.outputs]
        if "scores" not in names:
            raise ParameterError(
                f"SpintronicModel: the network must have an output 'scores', not {', '.join(names)}"
                "; use predict"
            )
        result = self.network.run(self.quantise_input(x))
        return real_outputs(self.network, result if len(names) > 1 else {"scores": result})[
            "scores"
        ]

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """Class of each input, ``(batch,)``: the largest score, the lowest of equal ones."""
        if any(output.name == "class" for output in self.network.outputs):
            return self._output(x, "class")[:, 0]
        return np.argmax(self._output(x, "scores"), axis=1).astype(np.int64)

    def accuracy(self, x: ArrayLike, labels: ArrayLike) -> float:
        """Share, 0..1, of inputs whose class is their label."""
        return float(np.mean(self.predict(x) == np.asarray(labels)))

    def to_verilog(self, module_name: str = "spintron_top", target_frequency: float = 100e6) -> str:
        """Verilog of the whole accelerator, one module with streams in and out.

        Parameters
        ----------
        module_name : str
            Name of the top module.
        target_frequency : float, Hz
            Clock that the plan is made for.
        """
        export = importlib.import_module(HARDWARE)
        return export.to_verilog(
            self.network, module_name=module_name, target_frequency=target_frequency
        )

    def save_design(
        self,
        directory: str | Path,
        *,
        module_name: str = "spintron_top",
        target_frequency: float = 100e6,
        vectors: ArrayLike | None = None,
    ) -> tuple[Path, ...]:
        """Write network, Verilog, testbench, vectors and manifest; return the files.

        Parameters
        ----------
        directory : path
            Where to; made if need be.
        module_name : str
            Name of the top module.
        target_frequency : float, Hz
            Clock that the plan is made for.
        vectors : array of shape ``(batch, *input)`` or None
            Real inputs for the testbench; None makes 16 random ones.
        """
        export = importlib.import_module(HARDWARE)
        codes = None if vectors is None else self.quantise_input(vectors)
        return export.save_design(
            self.network,
            Path(directory),
            module_name=module_name,
            target_frequency=target_frequency,
            codes=codes,
        )
