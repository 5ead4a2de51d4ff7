"""Reads the text of a technology card; nothing in it is executed."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from spintron_ir.errors import ParameterError

from .finding import CardError, Finding
from .schema import CHOICES, SCHEMA, SECTIONS, QuantitySpec
from .units import to_si

__all__ = ["FORMAT", "Quantity", "read_card"]

FORMAT = 1
LARGEST_FILE = 200_000
LONGEST_LINE = 4_000
"""Characters of a card and of a line of it: keys of many parts are slow to read."""

LONGEST_TEXT = 2_000
LONGEST_LIST = 1_000

PARTS = ("value", "unit", "source", "valid", "uncertainty", "note")

Value = float | int | str | tuple[float, ...]


@dataclass(frozen=True)
class Quantity:
    """One value of a card, in SI units, and where it comes from.

    Attributes
    ----------
    name : str
        Dotted name.
    value : float, int, str or tuple of float
        In SI units.
    unit : str
        SI unit; "" where there is none.
    source : str
        Paper, data or reasoning that it comes from.
    valid : (float, float) or None
        Range within which the source holds.
    uncertainty : float or None
        One standard deviation, in the unit of the value; not relative.
    note : str
        What else should be known.
    written_unit : str
        Unit that the file has it in.
    """

    name: str
    value: Any
    unit: str
    source: str
    valid: tuple[float, float] | None = None
    uncertainty: float | None = None
    note: str = ""
    written_unit: str = field(default="", compare=False)


@dataclass(frozen=True)
class ReadCard:
    """What a file says: the card's own name and summary, and its quantities by dotted name."""

    name: str
    summary: str
    quantities: Mapping[str, Quantity]


def read_card(text: str | bytes, label: str) -> ReadCard:
    """Read the text of a card and check every quantity.

    Parameters
    ----------
    text : str or bytes
        TOML; at most 200,000 characters, in lines of at most 4,000.
    label : str
        Name of the file, for messages.

    Raises
    ------
    CardError
        With all that is wrong at once: names and units that are unknown, dimensions that do not
        fit, values beyond physical limits, sources that are missing.

    Examples
    --------
    >>> card = read_card('''
    ... [card]
    ... format = 1
    ... name = "mine"
    ... summary = "a device of mine"
    ... [transport]
    ... tmr = { value = 120, unit = "percent", source = "measured" }
    ... ''', "mine.toml")
    >>> card.quantities["transport.tmr"].value
    1.2
    """
    tables = _tables(text, label)
    findings: list[Finding] = []

    def refuse(where: str, message: str) -> None:
        findings.append(Finding("error", where, message))

    name, summary = _head(tables.pop("card", None), refuse)
    quantities: dict[str, Quantity] = {}
    for section, table in tables.items():
        if section not in SECTIONS or not isinstance(table, dict):
            refuse(
                _short(section),
                f"a section must be a table, one of card, {', '.join(SECTIONS)}; rename it, or "
                "remove it",
            )
            continue
        for key, given in table.items():
            spec = SCHEMA.get(f"{section}.{key}")
            if spec is None:
                known = ", ".join(n.split(".")[1] for n in SCHEMA if n.startswith(f"{section}."))
                refuse(
                    f"{section}.{_short(key)}",
                    f"a quantity of this section must be one of {known}; rename or remove it",
                )
                continue
            before = len(findings)
            quantity = _quantity(spec, given, lambda m, spec=spec: refuse(spec.name, m))
            if quantity is not None and len(findings) == before:
                quantities[spec.name] = quantity
    if findings:
        raise CardError(label, findings)
    ordered = {known: quantities[known] for known in SCHEMA if known in quantities}
    return ReadCard(name, summary, MappingProxyType(ordered))


def _tables(text: str | bytes, label: str) -> dict[str, Any]:
    def no_card(why: str) -> ParameterError:
        return ParameterError(f"{label}: must be a technology card, a TOML file; {why}")

    try:
        text = text.decode("utf8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise no_card(f"it is no UTF-8 text ({error.reason})") from error
    if len(text) > LARGEST_FILE or max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise no_card(
            f"it must have at most {LARGEST_FILE:,} characters in lines of at most "
            f"{LONGEST_LINE:,}; a card has a few hundred lines"
        )
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise no_card("its values are nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and integers of too many digits
        raise no_card(f"{error}") from error


def _head(card: Any, refuse: Any) -> tuple[str, str]:
    if not isinstance(card, dict):
        refuse("card", f"a card must begin with a table [card] of format = {FORMAT}, name, summary")
        return "", ""
    if card.get("format") != FORMAT or isinstance(card.get("format"), bool):
        refuse(
            "card.format",
            f"must be {FORMAT}, not {_short(card.get('format'))}; this version reads no other",
        )
    found = []
    for key in ("name", "summary"):
        text = card.get(key)
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
            refuse(f"card.{key}", f"must be a text, not {_short(text)}; say what the card is")
        found.append(str(text))
    for key in card.keys() - {"format", "name", "summary"}:
        refuse(f"card.{_short(key)}", "must be one of format, name, summary; rename or remove it")
    return found[0], found[1]


def _quantity(spec: QuantitySpec, given: Any, refuse: Any) -> Quantity | None:
    if not isinstance(given, dict) or "value" not in given:
        refuse(
            "must be a table such as { value = 1, unit = "
            f'"{spec.unit}", source = "..." }}, not {_short(given)}'
        )
        return None
    for key in given.keys() - set(PARTS):
        refuse(f"has parts {', '.join(PARTS)}, not {_short(key)}; rename or remove it")
    texts = {}
    for key in ("unit", "source", "note"):
        texts[key] = given.get(key, "")
        if not isinstance(texts[key], str) or len(texts[key]) > LONGEST_TEXT:
            refuse(f"{key} must be a text, not {_short(texts[key])}; put it in quotes")
            return None
    if not texts["source"].strip():
        refuse("source must say where the value comes from; name a paper, a file or the reasoning")
    try:
        value = _value(spec, given["value"], texts["unit"], refuse)
        valid = uncertainty = None
        if spec.form != "text":
            valid = _valid(given.get("valid"), texts["unit"], spec, refuse)
            uncertainty = _uncertainty(given.get("uncertainty"), texts["unit"], spec, refuse)
    except ParameterError as error:
        refuse(str(error))
        return None
    return Quantity(
        spec.name, value, spec.unit, texts["source"], valid, uncertainty, texts["note"],
        texts["unit"],
    )  # fmt: skip


def _value(spec: QuantitySpec, given: Any, unit: str, refuse: Any) -> Any:
    if spec.form == "text":
        if given not in CHOICES[spec.name]:
            refuse(f"value must be one of {', '.join(CHOICES[spec.name])}, not {_short(given)}")
        return given
    if spec.form == "reals":
        if not isinstance(given, list) or not 1 <= len(given) <= LONGEST_LIST:
            refuse(f"value must be a list of 1 to {LONGEST_LIST} numbers, not {_short(given)}")
            return ()
        return tuple(_number(spec, entry, unit, refuse) for entry in given)
    if spec.form == "integer" and (not isinstance(given, int) or isinstance(given, bool)):
        refuse(f"value must be an integer, not {_short(given)}")
        return 0
    number = _number(spec, given, unit, refuse)
    return round(number) if spec.form == "integer" and math.isfinite(number) else number


def _number(spec: QuantitySpec, given: Any, unit: str, refuse: Any) -> float:
    number = _converted(given, unit, spec)
    if not spec.low <= number <= spec.high:
        refuse(
            f"value must be a number in {spec.low:g}..{spec.high:g} {spec.unit}".rstrip()
            + f", not {_short(given)} {unit}".rstrip()
            + "; check value and unit"
        )
        return math.nan
    return number


def _converted(given: Any, unit: str, spec: QuantitySpec) -> float:
    """SI value, or NaN for what is no finite number."""
    if isinstance(given, bool) or not isinstance(given, (int, float)) or abs(given) > 1e300:
        return math.nan
    return to_si(float(given), unit, spec.unit)


def _valid(given: Any, unit: str, spec: QuantitySpec, refuse: Any) -> tuple[float, float] | None:
    if given is None:
        return None
    ends = given if isinstance(given, list) and len(given) == 2 else [math.nan, math.nan]
    low, high = (_converted(end, unit, spec) for end in ends)
    if not low <= high:
        refuse(f"valid must be two numbers that rise, [low, high], not {_short(given)}")
        return None
    return low, high


def _uncertainty(given: Any, unit: str, spec: QuantitySpec, refuse: Any) -> float | None:
    if given is None:
        return None
    # A difference: an offset, as that of Celsius, must not enter.
    width = _converted(given, unit, spec) - to_si(0.0, unit, spec.unit)
    if not width >= 0:
        refuse(
            "uncertainty must be one standard deviation in the unit of the value, at least 0, not "
            f"{_short(given)}"
        )
        return None
    return width


def _short(value: Any) -> str:
    """The value in a few characters, however long or deep it is."""
    if isinstance(value, (dict, list)):
        return f"a {'table' if isinstance(value, dict) else 'list'} of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**15:
        return "an integer beyond 10**15"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
