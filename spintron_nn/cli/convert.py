"""``spintron convert``: a trained model onto one sampled chip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import Console
from .options import (
    READABLE_FILE,
    command_words,
    input_type_of,
    integer_input_options,
    json_option,
)

if TYPE_CHECKING:
    from ..converter.model import SpintronicModel
    from ..core.mtj_models import MTJConfig

__all__ = ["convert"]


def _integer(flag: str, name: str, low: int, high: int, default: int, text: str) -> Any:
    """Declare an option that becomes the argument :py:`name` of ``SpintronConverter.convert``."""
    return click.option(
        flag, name, metavar="N", type=click.IntRange(low, high), default=default, help=text,
        show_default=True,
    )  # fmt: skip


def _bits_by_name(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, int]:
    """Bits by name from words ``NAME=BITS``."""
    found: dict[str, int] = {}
    for text in given:
        name, _, bits = text.rpartition("=")
        if not name or not (bits.isascii() and bits.isdigit()):
            raise click.BadParameter(f"{text!r} is not NAME=BITS.")
        if name in found:
            raise click.BadParameter(f"{name} is given twice.")
        found[name] = int(bits)
    return found


def _layer_option(flag: str, text: str) -> Any:
    """Declare a repeatable option of bits for single names."""
    return click.option(flag, metavar="NAME=BITS", multiple=True, callback=_bits_by_name, help=text)


@click.command()
@click.argument("model", metavar="MODEL", type=READABLE_FILE)
@click.option(
    "--calibrate",
    "calibration",
    metavar="FILE",
    type=READABLE_FILE,
    help="Real inputs like those to come, .npy of shape (frames, *shape); some hundreds suffice. "
    "A quantised model needs them, or integer codes, for the range of converters only. Several "
    "inputs: .npz with an array each.",
)
@integer_input_options
@click.option(
    "-o",
    "--output",
    metavar="NET",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Network file to write, .safetensors.",
)
@click.option("--name", default="network", show_default=True, help="Name of the network.")
@click.option(
    "--technology",
    metavar="CARD",
    default="sot-mtj-high-ra",
    show_default=True,
    help="Device technology: the name of a card (spintron tech list) or the path of one.",
)
@click.option(
    "--mtj",
    "mtj_file",
    metavar="FILE",
    type=READABLE_FILE,
    help="JSON object of MTJConfig arguments that replace those of the card.",
)
@_integer("--weight-bits", "quantization_bits", 1, 8, 2, "Bits of a weight.")
@_integer("--activation-bits", "activation_bits", 1, 8, 4, "Bits of inputs and activations.")
@_layer_option(
    "--layer-bits",
    "Bits of the weights of one step of the model, in place of --weight-bits; repeatable.",
)
@_layer_option(
    "--layer-activation-bits",
    "Bits of the input or step NAME, in place of --activation-bits; repeatable.",
)
@_integer("--tile", "crossbar_size", 2, 4096, 128, "Rows and columns of a tile.")
@_integer(
    "--adc-bits",
    "adc_bits",
    0,
    16,
    8,
    "Bits of a column converter; 0 is lossless, 1 a sense amplifier.",
)
@_integer("--dac-bits", "dac_bits", 1, 8, 1, "Input bits applied in one read.")
@_integer(
    "--chip", "chip_seed", 0, (1 << 64) - 1, 0, "Seed of the chip: which die of the technology."
)
@_integer("--wafer", "wafer", 0, (1 << 64) - 1, 0, "Which wafer the die is from.")
@click.option(
    "--scheme",
    type=click.Choice(["pair", "columns", "reference"]),
    default="pair",
    show_default=True,
    help="How signed weights stand on devices.",
)
@click.option(
    "--code-steps",
    type=click.Choice(["network", "column"]),
    default="network",
    show_default=True,
    help="One conductance step for all, or scaled to what the wires of each column deliver.",
)
@click.option("--ideal", is_flag=True, help="Nominal devices and lossless converters.")
@json_option
def convert(
    model: Path,
    calibration: Path | None,
    input_type: str | None,
    input_scale: float,
    output: Path,
    name: str,
    technology: str,
    mtj_file: Path | None,
    as_json: bool,
    **choices: Any,
) -> None:
    """Put a trained model on one sampled chip.

    MODEL is a .pt2 file of torch.export.save, an .onnx file, or a .tflite file of 8 bits. What
    cannot be converted exactly is refused, all of it at once, with a way out for each. A manifest
    of versions, seeds and hashes is written beside NET.

    A quantised model (.onnx with quantisers, .tflite) keeps its own bits, takes --input-type where
    its input is real, and stands on an ideal chip, where no result changes, unless --chip is given.
    """
    from spintron_hw.build.manifest import file_digest, write_manifest

    from ..converter.converter import SpintronConverter
    from ..converter.files import is_quantised
    from ..converter.quantised import convert_quantised
    from .files import load_arrays, made_folder, writing

    console = Console(as_json)
    quantised = is_quantised(model)
    if quantised:
        given = _quantised_choices(model, input_type, choices)
    else:
        given = _real_choices(calibration, choices)
    frames = None if calibration is None else load_arrays(calibration)
    config = _technology(technology, mtj_file)
    with console.stage("convert"):
        if quantised:
            made = convert_quantised(
                config, model, input_scale=input_scale, calibration=frames, name=name, **given
            )
        else:
            made = SpintronConverter(config).convert(model, calibration=frames, name=name, **given)
    made_folder(output.parent)
    with writing(output):
        made.network.save(output)
        inputs = {"model": model, "calibration": calibration, "mtj": mtj_file}
        if Path(technology).is_file():
            inputs["technology"] = Path(technology)
        write_manifest(
            output.parent,
            [output.name],
            name=output.with_suffix(".manifest.json").name,
            command=command_words(),
            seeds={"chip": choices["chip_seed"]},
            inputs={key: file_digest(path) for key, path in inputs.items() if path is not None},
        )
    _print(console, made, name, output)


def _given(name: str) -> bool:
    """Whether an option stands on the command line."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not click.core.ParameterSource.DEFAULT


def _real_choices(calibration: Path | None, choices: dict[str, Any]) -> dict[str, Any]:
    """Arguments for a model of real numbers."""
    if calibration is None:
        raise click.UsageError("Missing option '--calibrate'.")
    if _given("input_type") or _given("input_scale"):
        raise click.UsageError("--input-type and --input-scale are for quantised models.")
    return choices | {"adc_bits": choices["adc_bits"] or None}


def _quantised_choices(
    model: Path, input_type: str | None, choices: dict[str, Any]
) -> dict[str, Any]:
    """Arguments for a quantised model: an ideal chip unless one is named."""
    # A file of TFLite may take integers by itself, and says so if it does not.
    integers = model.suffix == ".tflite" and input_type is None
    kind = None if integers else input_type_of(input_type)
    bits = ("quantization_bits", "activation_bits", "layer_bits", "layer_activation_bits")
    if any(map(_given, bits)):
        raise click.UsageError(
            "A quantised model has bits of its own; leave --weight-bits, --activation-bits, "
            "--layer-bits and --layer-activation-bits out."
        )
    ideal = choices["ideal"] or not _given("chip_seed")
    own = (*bits, "ideal")
    return {key: value for key, value in choices.items() if key not in own} | {
        "input_type": kind,
        "adc_bits": choices["adc_bits"] or None,
        "chip_seed": None if ideal else choices["chip_seed"],
    }


def _print(console: Console, made: SpintronicModel, name: str, output: Path) -> None:
    """Say what the conversion did."""
    report = made.report.as_dict()
    console.result(
        {
            "network": str(output),
            "digest": made.network.digest(),
            "chip": made.chip.seed,
            "report": report,
        }
    )
    console.table(
        f"{name} on nominal devices" if made.chip.ideal else f"{name} on chip {made.chip.seed}",
        (
            "layer",
            "bits",
            "inputs",
            "outputs",
            "tiles",
            "devices",
            "weight error",
            "ADC clipped",
            "wire share",
            "lossless ADC",
        ),
        [
            (
                layer.name,
                "" if layer.bits is None else layer.bits,
                layer.inputs,
                layer.outputs,
                layer.tiles,
                layer.devices,
                layer.weight_error,
                layer.adc_clipped,
                layer.wire_share,
                f"{layer.lossless_bits} bits",
            )
            for layer in made.report.layers
        ],
    )
    if made.report.rule is not None:
        console.text(made.report.rule.message)
    for note in made.network.metadata.get("notes", "").splitlines():
        console.text(f"note: {note}")
    console.text(f"{output}  sha256 {made.network.digest()[:16]}")


def _technology(card: str, path: Path | None) -> MTJConfig:
    """Technology of a card, with what a JSON file replaces."""
    import json

    from spintron_ir.errors import ParameterError

    from ..core.mtj_models import MTJConfig
    from ..core.technology import technology

    config = technology(card).mtj_config()
    if path is None:
        return config
    try:
        given = json.loads(path.read_text())
    except (ValueError, OSError, RecursionError) as error:
        raise ParameterError(f"{path}: must be a JSON object ({error})") from error
    if not isinstance(given, dict):
        raise ParameterError(f"{path}: must be a JSON object, not {type(given).__name__}")
    try:
        return MTJConfig.from_dict(config.as_dict() | given)
    except ParameterError as error:
        raise ParameterError(f"{path}: must be a JSON object of a technology: {error}") from error
