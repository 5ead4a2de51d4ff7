"""Model cards: what is known of the trained weights in the package."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any

from spintron_nn.training.model_file import read_manifest

__all__ = ["card"]


def card(name: str) -> str:
    """Return the model card of trained weights as Markdown; every figure comes from their file.

    Parameters
    ----------
    name : str
        Name of weights in the package, one of
        :func:`~spintron_nn.models.files.pretrained_names`.
    """
    with as_file(files("spintron_nn.models") / "weights" / f"{name}.safetensors") as path:
        manifest = read_manifest(path)
        size = path.stat().st_size
    facts = manifest["facts"]
    told, config = facts["card"], facts["config"]
    arguments = ", ".join(f"{key}={value!r}" for key, value in facts["arguments"].items())
    bits, tile = told["quantization_bits"], told["crossbar_size"]
    lines = [
        f"## {name}",
        "",
        f"`{manifest['architecture']}({arguments})`",
        "",
        f"{told['purpose']} {told['weights']:,} weights of {bits} bits on devices of "
        f"{config['levels']} levels, {100 * config['resistance_variation']:g} % spread, tiles of "
        f"{tile} rows; activations of {told['activation_bits']} bits, converters of "
        f"{told['adc_bits']} bits; {size / 1024:.0f} KiB.",
        "",
        f"| of {told['inputs']:,} held-out inputs | right | share |",
        "|---|---:|---:|",
        *_rows(told),
        "",
        *_whole(told),
        *_again(told),
        f"Data: {told['data']}.",
        "",
        f"Training: {told['training']} `{told['command']}`",
        "",
    ]
    return "\n".join(lines)


def _whole(told: Mapping[str, Any]) -> list[str]:
    """Lines on all held-out inputs, where chips are judged by some of them."""
    if told.get("held_out", told["inputs"]) == told["inputs"]:
        return []
    right, count = told["float_held_out"], told["held_out"]
    share = f"{100 * right / count:.2f} %"
    return [f"Of all {count:,} held-out inputs floating point has {right:,} right, {share}.", ""]


def _again(told: Mapping[str, Any]) -> list[str]:
    """Lines on held-out inputs that are quickly made again, where those of the table are not."""
    if "again" not in told:
        return []
    again = told["again"]
    mean = sum(again["chips"]) / len(again["chips"])
    return [
        f"Of {again['inputs']:,} others, made again by a test, floating point has "
        f"{again['float']:,} right, the ideal chip {again['ideal']:,}, sampled chips {mean:,.1f}.",
        "",
    ]


def _rows(told: Mapping[str, Any]) -> list[str]:
    """Lines of the table of results."""
    chips = told["chips"]
    rows = {
        "floating point, before training on chips": told["float"],
        "quantised, ideal chip": told["ideal"],
        f"mean of {len(chips)} sampled chips": sum(chips) / len(chips),
        "worst of them": min(chips),
    }
    return [
        f"| {title} | {right:,.{0 if isinstance(right, int) else 1}f} | "
        f"{100 * right / told['inputs']:.2f} % |"
        for title, right in rows.items()
    ]
