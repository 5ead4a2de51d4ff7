"""A card with some of its values replaced by fitted ones; the rest and its comments stay."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spintron_ir.errors import ParameterError

from ..domain_wall.step_table import DIRECTIONS
from ..domain_wall.steps import StepTable
from .card import Quantity, read_card
from .derived import area_of
from .fit import (
    Fitted,
    fit_bias,
    fit_resistances,
    fit_step_tables,
    fit_switching,
    fit_thermal_switching,
)
from .library import card_text
from .schema import SCHEMA
from .tables import MeasuredTable, load_table
from .technology import Technology
from .units import from_si

__all__ = ["fit_card"]

DIGITS = 6
"""Digits of a fitted value in a card."""


def fit_card(
    files: Sequence[Path],
    base: str,
    *,
    name: str,
    kind: str | None = None,
    temperatures: Sequence[float] = (),
    directions: Sequence[str] = (),
) -> tuple[str, dict[str, Quantity]]:
    """Fit the tables of :py:`files` and put the results into the card :py:`base`.

    Parameters
    ----------
    files : sequence of path
        Measured tables; at most one of each kind, but any number of steps.
    base : str
        Name or file of the card that gives everything that is not fitted.
    name : str
        Name of the new card.
    kind : str, optional
        Kind of all tables; by their columns where left out.
    temperatures, directions : sequence, optional
        Of the tables of steps: none, where the files say it; one for all; or one for each. The
        direction follows from the sign of the steps where nothing says it.

    Returns
    -------
    text : str
        The new card.
    fitted : dict of str to Quantity
        What was fitted, as it stands in the card.

    Raises
    ------
    ParameterError
        If a table cannot be read or fitted, or the new card would be refused.
    """
    import tomlkit

    label, raw = card_text(base)
    known = read_card(raw, label)
    card = Technology(known.name, known.summary, known.quantities)
    tables = [load_table(Path(file), kind) for file in files]
    found = _fits(tables, card, temperatures, directions)
    document = tomlkit.parse(raw.decode("utf8"))
    head: Any = document["card"]
    head["name"] = name
    named = [table.path.name for table in tables]
    sources = ", ".join(named[:2]) + (f" and {len(named) - 2} more" if len(named) > 2 else "")
    head["summary"] = f"{card.summary}; fitted to {sources}"
    for one, source in found.values():
        section, key = one.name.split(".")
        if section not in document:
            document[section] = tomlkit.table()
        holder: Any = document[section]
        if key not in holder:
            holder[key] = tomlkit.inline_table()
        _write(holder[key], one, source)
    text = tomlkit.dumps(document)
    checked = read_card(text, name).quantities
    return text, {name: checked[name] for name in found}


def _fits(
    tables: Sequence[MeasuredTable],
    card: Technology,
    temperatures: Sequence[float],
    directions: Sequence[str],
) -> dict[str, tuple[Fitted, str]]:
    """Fitted quantities by name, each with its source; what counts more devices comes last."""
    found: dict[str, tuple[Fitted, str]] = {}
    groups = {
        kind: [table for table in tables if table.kind == kind]
        for kind in ("steps", "bias", "resistances", "switching")
    }
    for kind, group in groups.items():
        if not group:
            continue
        if kind == "steps":
            steps = _steps(group, temperatures, directions)
            fits, _ = fit_step_tables(steps, card.values.get("device.levels"))
        elif len(group) > 1:
            names = ", ".join(table.path.name for table in group)
            raise ParameterError(
                f"tech fit: there must be one table of {kind}, not {len(group)} ({names}); "
                "join them into one"
            )
        else:
            fits = _fit(kind, group[0], card)
        source = "fit to " + "; ".join(table.source for table in group)
        found.update({fitted.name: (fitted, source) for fitted in fits})
    return _with_area(found, card)


def _fit(kind: str, table: MeasuredTable, card: Technology) -> tuple[Fitted, ...]:
    if kind == "resistances":
        return fit_resistances(table.reals("resistance_p"), table.reals("resistance_ap"))
    voltage = table.reals("voltage")
    if kind == "bias":
        known = "resistance_p" in table.columns
        low = table.reals("resistance_p") if known else card.value("transport.resistance_low")
        return fit_bias(voltage, low, table.reals("resistance_ap"))
    trials = table.reals("trials") if "trials" in table.columns else None
    probability = table.reals("probability")
    if "pulse" in table.columns and np.unique(table.reals("pulse")).size > 1:
        return fit_thermal_switching(voltage, table.reals("pulse"), probability, trials)
    return fit_switching(voltage, probability, trials)


def _with_area(
    found: dict[str, tuple[Fitted, str]], card: Technology
) -> dict[str, tuple[Fitted, str]]:
    """The resistance-area product follows a fitted resistance, or the card contradicts itself."""
    area = area_of(card.values)
    if "transport.resistance_low" in found and "transport.resistance_area" in card and area:
        fitted, source = found["transport.resistance_low"]
        assert isinstance(fitted.value, float)
        width = None if fitted.uncertainty is None else fitted.uncertainty * area
        product = replace(
            fitted,
            name="transport.resistance_area",
            value=fitted.value * area,
            uncertainty=width,
            note="resistance_low times the area of the card",
        )
        found[product.name] = (product, source)
    return found


def _steps(
    tables: Sequence[MeasuredTable], temperatures: Sequence[float], directions: Sequence[str]
) -> list[StepTable]:
    made = []
    for index, table in enumerate(tables):
        kelvin = _given("temperature", temperatures, index, len(tables))
        if kelvin is None:
            kelvin = _field(table.columns, "temperature")
        if kelvin is None:
            raise ParameterError(
                f"{table.path.name}: a table of steps must have a temperature; give --temperature "
                "once for all tables, or once for each in their order"
            )
        way = _given("direction", directions, index, len(tables))
        if way is None:
            way = _field(table.columns, "direction")
        if way is None:
            steps = StepTable.load(table.path, temperature=kelvin, direction=DIRECTIONS[0])
            rising = float(np.median(np.asarray(steps.delta_conductance))) > 0
            way = DIRECTIONS[0 if rising else 1]
        made.append(StepTable.load(table.path, temperature=kelvin, direction=way))
    return made


def _given(name: str, values: Sequence[Any], index: int, count: int) -> Any:
    if len(values) not in (0, 1, count):
        raise ParameterError(
            f"tech fit: --{name} must be given once, or once for each of {count} tables of steps, "
            f"not {len(values)} times"
        )
    return None if not values else values[index if len(values) > 1 else 0]


def _field(columns: Mapping[str, Any], name: str) -> Any:
    """What a file itself says of a table: one number or text."""
    field = columns.get(name)
    if field is None or getattr(field, "size", 0) != 1:
        return None
    return field.reshape(-1)[0].item()


def _write(item: Any, fitted: Fitted, source: str) -> None:
    """Replace the parts of an inline table; its unit stays, its comment too."""
    spec = SCHEMA[fitted.name]
    unit = str(item.get("unit", spec.unit))

    def shown(value: float) -> float:
        converted = from_si(value, spec.unit, unit)
        return float(f"{converted:.{DIGITS}g}")

    many = isinstance(fitted.value, tuple)
    values = fitted.value if isinstance(fitted.value, tuple) else (fitted.value,)
    numbers = [shown(value) for value in values]
    item["value"] = numbers if many else numbers[0]
    if unit:
        item["unit"] = unit
    item["source"] = source
    for part in ("valid", "uncertainty", "note"):
        if part in item:
            del item[part]
    if fitted.uncertainty is not None and math.isfinite(fitted.uncertainty):
        # A difference of two values: the offset of a temperature scale must not enter.
        zero = from_si(0.0, spec.unit, unit)
        width = from_si(fitted.uncertainty, spec.unit, unit) - zero
        item["uncertainty"] = float(f"{width:.2g}")
    if fitted.note:
        item["note"] = fitted.note
