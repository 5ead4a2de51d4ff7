"""How a model is put on a chip: every choice of a conversion, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spintron_ir import ParameterError
from spintron_ir.errors import check_bool, check_choice, check_int
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["Settings", "check_bits"]

SCHEMES = ("pair", "columns", "reference")
STEPS = ("network", "column")


def check_bits(config: MTJConfig, bits: int, scheme: str, title: str = "quantization_bits") -> None:
    """Refuse weights that the devices of the technology cannot stand for exactly."""
    if bits % config.level_bits:
        raise ParameterError(
            f"convert: {title} must be a multiple of the {config.level_bits} bits that a "
            f"device of {config.levels} levels holds, not {bits}"
        )
    if scheme == "reference" and config.range_codes % 2:
        raise ParameterError(
            "convert: the scheme 'reference' needs a conductance code in the middle of the range, "
            f"and {config.cell_bits} cell bits leave {config.range_codes} codes; "
            f"give cell_bits={config.cell_bits + 1}"
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The choices of a conversion.

    Parameters
    ----------
    chip : Chip
        The die.
    quantization_bits : int, 1..8
        Bits of a weight; the levels are the odd integers, there is no zero.
    activation_bits : int, 1..8
        Bits of inputs and activations. What no matrix reads, but a sum, a product or the table of
        a function that turns, has two bits more, up to 8.
    crossbar_size : int, 2..4096
        Rows and columns of a tile.
    adc_bits : int, 1..16, or None
        Bits of a column converter: one is a sense amplifier, None is lossless.
    dac_bits : int, 1..8
        Input bits applied in one read; cut to the bits of the input.
    scheme : str
        ``pair``: two devices a weight, currents subtracted. ``columns``: the two digitized each.
        ``reference``: one device a weight and a reference column a tile.
    code_steps : str
        Conductance of one code: ``network`` has one for all devices; ``column`` scales that of
        each output by the share of the current that its columns deliver through their wires, so
        that far columns use as many codes as near ones.
    classify : bool
        Add an output ``class``, the index of the largest score, next to ``scores``.
    recalibrate : bool
        Measure the statistics of batch normalisations on the chip, rather than keep the model's.
    percentile : float, 50..100, or None
        Scales and steps cut off what lies beyond this percentile; 100 cuts off nothing. None: those
        of the least squared error.
    layer_bits : dict of str to int, 1..8
        Bits of the weights of a step of the model, by its name, where they are others.
    layer_activation_bits : dict of str to int, 1..8
        Bits of a tensor, by the name of the input or step that its codes stand for, where they are
        others. Tensors side by side have the same.

    Raises
    ------
    ParameterError
        If a choice is outside its range.
    """

    chip: Chip
    quantization_bits: int = 2
    activation_bits: int = 4
    crossbar_size: int = 128
    adc_bits: int | None = 8
    dac_bits: int = 1
    scheme: str = "pair"
    code_steps: str = "network"
    classify: bool = True
    recalibrate: bool = True
    percentile: float | None = None
    layer_bits: Mapping[str, int] = field(default_factory=dict)
    layer_activation_bits: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_int("convert", "quantization_bits", self.quantization_bits, 1, 8)
        check_int("convert", "activation_bits", self.activation_bits, 1, 8)
        check_int("convert", "crossbar_size", self.crossbar_size, 2, 4096)
        check_int("convert", "dac_bits", self.dac_bits, 1, 8)
        if self.adc_bits is not None:
            check_int("convert", "adc_bits", self.adc_bits, 1, 16)
        check_choice("convert", "scheme", self.scheme, SCHEMES)
        check_choice("convert", "code_steps", self.code_steps, STEPS)
        check_bool("convert", "classify", self.classify)
        check_bool("convert", "recalibrate", self.recalibrate)
        check_bits(self.chip.config, self.quantization_bits, self.scheme)
        _check_percentile(self.percentile)
        for title in ("layer_bits", "layer_activation_bits"):
            _check_each(title, getattr(self, title))
        for name, bits in self.layer_bits.items():
            check_bits(self.chip.config, bits, self.scheme, f"layer_bits[{name!r}]")

    def weight_bits(self, name: str) -> int:
        """Bits of the weights of a step."""
        return self.layer_bits.get(name, self.quantization_bits)


def _check_percentile(value: Any) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if value is not None and not (number and 50 <= value <= 100):
        raise ParameterError(
            f"convert: percentile must be a number in 50..100, or None, not {value!r}"
        )


def _check_each(title: str, given: Any) -> None:
    if not isinstance(given, Mapping):
        raise ParameterError(
            f"convert: {title} must be a dict of bits by name, not {type(given).__name__}"
        )
    for name, bits in given.items():
        check_int("convert", f"{title}[{name!r}]", bits, 1, 8)
