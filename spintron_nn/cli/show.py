"""``spintron show``: what a network is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .console import Console
from .options import cells_option, json_option, network_argument

__all__ = ["describe", "show"]


def describe(layer: Any) -> dict[str, Any]:
    """Facts of one layer that a reader of the network asks for first."""
    facts: dict[str, Any] = {
        "kind": layer.kind,
        "inputs": [[list(shape), str(type_)] for shape, type_ in layer.in_ports],
        "shape": list(layer.shape),
        "type": str(layer.type),
    }
    if layer.kind != "dense":
        return facts
    from ..converter.packing import blocks_a_tile

    reference = 0 if layer.reference is None else int(layer.reference.size)
    blocks = layer.blocks or 1
    tiles = -(-blocks // blocks_a_tile(layer.rows, layer.block_cols, blocks, layer.tile_rows))
    return facts | {
        "scheme": layer.scheme,
        "weight_slices": layer.slices,
        "cell_bits": layer.cell_bits,
        "dac_bits": layer.dac_bits,
        "input_chunks": layer.chunks,
        "tile_rows": layer.tile_rows,
        "tiles": layer.groups * layer.slices * tiles,
        "adc_bits": "lossless" if layer.adc is None else layer.adc.bits,
        "adc_transitions": layer.adc is not None and layer.adc.transitions is not None,
        "noise": layer.noise is not None,
        "requantise": "none" if layer.requantise is None else layer.requantise.kind,
        "devices": int(layer.codes.size) + reference,
        "code_bits": (int(layer.codes.size) + reference) * layer.cell_bits,
    }


@click.command()
@network_argument
@cells_option
@json_option
def show(network: Path, cell_files: tuple[Path, ...], as_json: bool) -> None:
    """Show what NET is made of.

    Lists layers, shapes, bits, tiles, devices and memory.
    """
    from .files import load_network

    console = Console(as_json)
    net = load_network(network, cell_files)
    layers = [
        {"name": node.name, "from": list(node.inputs)} | describe(node.layer) for node in net.nodes
    ]
    totals = {
        "devices": sum(layer.get("devices", 0) for layer in layers),
        "tiles": sum(layer.get("tiles", 0) for layer in layers),
        "memory_bits": sum(layer.get("code_bits", 0) for layer in layers),
    }
    console.result(
        {
            "name": net.name,
            "digest": net.digest(),
            "inputs": [_port(port.name, port.shape, port.type, port.scale) for port in net.inputs],
            "layers": layers,
            "outputs": [
                {"name": output.name, "node": output.node, "scale": output.scale}
                for output in net.outputs
            ],
            "totals": totals,
            "metadata": dict(net.metadata),
        }
    )
    console.text(f"{net.name}  sha256 {net.digest()[:16]}")
    for port in net.inputs:
        console.text(f"input {port.name}: {port.type} {_size(port.shape)}, scale {port.scale:g}")
    header = (
        "layer",
        "kind",
        "in",
        "out",
        "tiles",
        "slices",
        "chunks",
        "ADC bits",
        "noise",
        "devices",
    )
    console.table("layers", header, [_row(layer) for layer in layers])
    for output in net.outputs:
        console.text(f"output {output.name}: {output.node}, scale {output.scale:g}")
    console.text(
        f"{totals['tiles']} tiles, {totals['devices']:,} devices, "
        f"{totals['memory_bits'] / 8192:,.1f} KiB of conductance codes"
    )


def _port(name: str, shape: tuple[int, ...], type_: Any, scale: float) -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "type": str(type_), "scale": scale}


def _size(shape: Any) -> str:
    return " x ".join(map(str, shape)) or "1"


def _row(layer: dict[str, Any]) -> list[object]:
    taken = ", ".join(f"{type_} {_size(shape)}" for shape, type_ in layer["inputs"])
    given = f"{layer['type']} {_size(layer['shape'])}"
    facts = ("tiles", "weight_slices", "input_chunks", "adc_bits", "noise", "devices")
    return [layer["name"], layer["kind"], taken, given, *(layer.get(fact, "") for fact in facts)]
