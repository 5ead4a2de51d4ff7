"""A converted model: the network on one chip, with its way in and its ways out."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
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

__all__ = ["SpintronicModel", "as_labelled", "by_name", "check_shape", "real_array"]

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


def check_shape(owner: str, name: str, found: Sequence[int], shape: Sequence[int]) -> None:
    """Check that the shape of data is ``(batch, *shape)``.

    Raises
    ------
    ParameterError
        If it is another one.
    """
    if len(found) != len(shape) + 1 or tuple(found[1:]) != tuple(shape):
        wanted = ", ".join(["batch", *map(str, shape)])
        raise ParameterError(f"{owner}: {name} must have the shape ({wanted}), not {tuple(found)}")


def as_labelled(owner: str, classes: NDArray[np.integer], labels: ArrayLike) -> NDArray[np.bool_]:
    """Whether classes ``(..., batch)`` are what their inputs are labelled with, ``(batch,)``.

    Raises
    ------
    ParameterError
        If there are no inputs, or is not one label for each.
    """
    found, count = real_array(owner, "labels", labels), classes.shape[-1]
    if count == 0:
        raise ParameterError(f"{owner}: x must hold at least one input, not none")
    if found.shape != (count,):
        raise ParameterError(
            f"{owner}: labels must be one class for each input, of shape ({count},), not "
            f"{found.shape}"
        )
    return np.asarray(classes == found)


def by_name(owner: str, title: str, value: Any, names: Sequence[str]) -> dict[str, Any]:
    """Data of several inputs by their names: given so, in their order, or of the only one.

    Raises
    ------
    ParameterError
        If there is not one for each.
    """
    if isinstance(value, Mapping):
        if set(value) == set(names):
            return dict(value)
        found = ", ".join(map(str, value)) or "none"
    elif len(names) == 1:
        return {names[0]: value}
    elif isinstance(value, (tuple, list)) and len(value) == len(names):
        return dict(zip(names, value, strict=True))
    else:
        found = type(value).__name__
    raise ParameterError(
        f"{owner}: {title} must have an array for each of the inputs {', '.join(names)}, as a "
        f"dict or in their order, not {found}"
    )


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

    def quantise_input(self, x: Any) -> Any:
        """Input codes of real inputs: ``floor(x / scale + 0.5)``, saturated.

        Parameters
        ----------
        x : array or tensor of shape ``(batch, *input)``
            Real inputs; of several inputs a dict by their names, or a tuple in their order.

        Returns
        -------
        int64 array of shape ``(batch, *input)``, or dict of such where there are several inputs

        Raises
        ------
        ParameterError
            If a shape differs, or a value is not finite.
        """
        ports = self.network.inputs
        given = by_name("SpintronicModel", "x", x, [port.name for port in ports])
        codes = {}
        for port in ports:
            name = "x" if len(ports) == 1 else f"x[{port.name!r}]"
            found = real_array("SpintronicModel", name, given[port.name])
            check_shape("SpintronicModel", name, found.shape, port.shape)
            codes[port.name] = codes_of(found, port.scale, port.type)
        return codes if len(ports) > 1 else codes[ports[0].name]

    def _outputs(self, x: Any) -> dict[str, NDArray[np.int64]]:
        result = self.network.run(self.quantise_input(x))
        return result if isinstance(result, dict) else {self.network.outputs[0].name: result}

    def run(self, x: Any) -> Any:
        """Real values that the integers of :meth:`Network.run` stand for.

        Parameters
        ----------
        x : array, tensor, dict or tuple
            Real inputs, as for :meth:`quantise_input`.

        Returns
        -------
        float64 array of shape ``(batch, *output)``
            Of the only output, or of ``scores`` next to ``class``; a dict by name of several.
        """
        names = {output.name for output in self.network.outputs}
        if names == {"class"}:
            raise ParameterError(
                "SpintronicModel: the network must have an output 'scores', not class; use predict"
            )
        found = real_outputs(self.network, self._outputs(x))
        left = names - {"class"} if "scores" in names else names
        return found[left.pop()] if len(left) == 1 else found

    def predict(self, x: Any) -> NDArray[np.int64]:
        """Class of each input, ``(batch,)``: the largest score, the lowest of equal ones.

        Where the network gives several classes by rank it is the first.
        """
        found = self._outputs(x)
        if "class" in found:
            ranks = found["class"]
            first: NDArray[np.int64] = ranks.reshape(len(ranks), math.prod(ranks.shape[1:]))[:, 0]
            return first
        if "scores" not in found:
            raise ParameterError(
                "SpintronicModel: predict needs an output 'scores' or 'class', not "
                f"{', '.join(found)}; use run"
            )
        return np.argmax(found["scores"], axis=1).astype(np.int64)

    def accuracy(self, x: Any, labels: ArrayLike) -> float:
        """Share, 0..1, of inputs whose class is their label.

        Parameters
        ----------
        x : array, tensor, dict or tuple
            Real inputs, at least one, as for :meth:`quantise_input`.
        labels : array or tensor of shape ``(batch,)``
            Class of each.

        Raises
        ------
        ParameterError
            If there is not one label for each input.
        """
        return float(np.mean(as_labelled("SpintronicModel", self.predict(x), labels)))

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
        vectors: Any = None,
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
        vectors : array of shape ``(batch, *input)``, dict or tuple of such, or None
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
