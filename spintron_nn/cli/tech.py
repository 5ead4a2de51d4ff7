"""``spintron tech``: technology cards, their check, and their fit to measured tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import Console
from .options import READABLE_FILE, json_option

if TYPE_CHECKING:
    from ..core.technology import Finding, Quantity

__all__ = ["tech"]


@click.group()
def tech() -> None:
    """List technology cards, show or check one, or fit one to measured tables."""


@tech.command("list")
@json_option
def list_cards(as_json: bool) -> None:
    """List the technology cards of this package."""
    from ..core.technology import technologies, technology

    console = Console(as_json)
    cards = [(name, technology(name)) for name in technologies()]
    rows = []
    for name, card in cards:
        made = card.derived()
        rows.append(
            {
                "name": name,
                "kind": card.values.get("device.kind"),
                "levels": card.values.get("device.levels", 2),
                "resistance_low": made["resistance_low"].value,
                "resistance_high": made["resistance_high"].value,
                "summary": card.summary,
            }
        )
    console.result({"cards": rows})
    console.table(
        "technology cards",
        ("card", "kind", "levels", "R_P ohm", "R_AP ohm", "what it is"),
        [list(row.values()) for row in rows],
    )


@tech.command("show")
@click.argument("card", metavar="NAME_OR_FILE")
@json_option
def show(card: str, as_json: bool) -> None:
    """Show every value of a card with its source, and what follows from them."""
    from ..core.technology import technology

    console = Console(as_json)
    found = technology(card)
    derived = found.derived()
    console.result(
        {
            "name": found.name,
            "summary": found.summary,
            "quantities": {quantity.name: _plain(quantity) for quantity in found},
            "derived": {name: _plain(quantity) for name, quantity in derived.items()},
        }
    )
    console.text(f"{found.name}: {found.summary}")
    console.table(
        "values",
        ("quantity", "value", "unit", "uncertainty", "valid", "source", "note"),
        [
            (
                quantity.name,
                _shown(quantity.value),
                quantity.unit,
                "" if quantity.uncertainty is None else f"{quantity.uncertainty:.3g}",
                "" if quantity.valid is None else "{:g} to {:g}".format(*quantity.valid),
                quantity.source,
                quantity.note,
            )
            for quantity in found
        ],
    )
    console.table(
        "what follows",
        ("quantity", "value", "unit", "formula"),
        [(name, _shown(one.value), one.unit, one.source) for name, one in derived.items()],
    )


@tech.command("check")
@click.argument("card", metavar="NAME_OR_FILE")
@json_option
def check_card(card: str, as_json: bool) -> None:
    """Check a card: its values against each other, and against a 128 x 128 array.

    Warnings leave the exit code at 0; an error makes it 1.
    """
    from ..core.technology import CardError, check, technology

    console = Console(as_json)
    found = technology(card)
    findings = check(found)
    console.result(
        {
            "card": found.name,
            "findings": [
                {"level": one.level, "where": one.where, "message": one.message} for one in findings
            ],
        }
    )
    _list_findings(console, found.name, findings)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise CardError(card, errors)
    console.text(f"{found.name}: no error, {_count(len(findings), 'warning')}")


@tech.command("fit")
@click.argument("data", metavar="DATA...", nargs=-1, required=True, type=READABLE_FILE)
@click.option(
    "--base",
    metavar="CARD",
    required=True,
    help="Card, by name or file, that gives everything that is not fitted.",
)
@click.option(
    "-o",
    "--output",
    metavar="CARD.toml",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Card to write.",
)
@click.option(
    "--kind",
    type=click.Choice(["resistances", "bias", "switching", "steps"]),
    help="What the tables hold; by their columns where absent.",
)
@click.option(
    "--temperature",
    "temperatures",
    metavar="KELVIN",
    type=click.FloatRange(0),
    multiple=True,
    help="Temperature of tables of steps: once for all, or once for each.",
)
@click.option(
    "--direction",
    "directions",
    type=click.Choice(["increasing", "decreasing"]),
    multiple=True,
    help="Direction of tables of steps; by the sign of the steps where absent.",
)
@click.option("--name", metavar="NAME", help="Name of the card; that of the file where absent.")
@json_option
def fit(
    data: tuple[Path, ...],
    base: str,
    output: Path,
    kind: str | None,
    temperatures: tuple[float, ...],
    directions: tuple[str, ...],
    name: str | None,
    as_json: bool,
) -> None:
    """Fit a card to measured tables, .csv or .npz, in SI units.

    Columns say what a table is: resistance_p and resistance_ap of devices; voltage, resistance_ap
    and, if known, resistance_p; voltage, probability and, if known, trials and pulse; or
    conductance, quantile and delta_conductance of the steps of a domain wall.
    """
    from spintron_ir.errors import ParameterError
    from spintron_ir.files import write_atomic

    from ..core.technology import check, technology
    from ..core.technology.fitted_card import fit_card

    console = Console(as_json)
    if output.suffix != ".toml":
        raise ParameterError(f"{output}: a card must end in .toml; rename the output")
    with console.stage("fit"):
        text, fitted = fit_card(
            data,
            base,
            name=name or output.stem,
            kind=kind,
            temperatures=temperatures,
            directions=directions,
        )
    write_atomic(output, text)
    findings = check(technology(output))
    console.result(
        {
            "card": str(output),
            "fitted": {key: _plain(quantity) for key, quantity in fitted.items()},
            "findings": [str(finding) for finding in findings],
        }
    )
    console.table(
        str(output),
        ("quantity", "value", "unit", "uncertainty", "note"),
        [
            (
                key,
                _shown(one.value),
                one.unit,
                "" if one.uncertainty is None else f"{one.uncertainty:.2g}",
                one.note,
            )
            for key, one in fitted.items()
        ],
    )
    _list_findings(console, str(output), findings)


def _plain(quantity: Quantity) -> dict[str, Any]:
    return {
        "value": quantity.value,
        "unit": quantity.unit,
        "uncertainty": quantity.uncertainty,
        "valid": quantity.valid,
        "source": quantity.source,
        "note": quantity.note,
    }


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(f"{part:.5g}" for part in value)
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _list_findings(console: Console, name: str, findings: tuple[Finding, ...]) -> None:
    if findings:
        console.table(
            f"check of {name}",
            ("level", "about", "says"),
            [(one.level, one.where, one.message) for one in findings],
        )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
