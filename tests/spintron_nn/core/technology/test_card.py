"""Tests of spintron_nn.core.technology.card: what is read, and everything that is refused."""

import re

import pytest

from spintron_ir import ParameterError
from spintron_nn.core.technology import CardError
from spintron_nn.core.technology.card import read_card
from spintron_nn.core.technology.schema import CHOICES, SCHEMA
from tests.arch.conftest import ROOT

HEAD = '[card]\nformat = 1\nname = "mine"\nsummary = "a device"\n'


def card(body):
    return read_card(HEAD + body, "mine.toml")


def refusal(text):
    with pytest.raises(CardError) as caught:
        read_card(text, "mine.toml")
    return caught.value


def test_reads_si_values():
    body = """
    [transport]
    tmr = { value = 120, unit = "percent", source = "table 1", valid = [80, 200], uncertainty = 5 }
    [ageing]
    temperature = { value = 85, unit = "degC", source = "test", uncertainty = 2, note = "oven" }
    [device]
    levels = { value = 4, source = "notches" }
    kind = { value = "domain-wall", source = "notches" }
    level_fractions = { value = [0, 0.3, 0.7, 1], source = "measured" }
    """
    found = card(body)
    assert (found.name, found.summary) == ("mine", "a device")
    tmr = found.quantities["transport.tmr"]
    assert (tmr.value, tmr.valid, tmr.uncertainty, tmr.unit) == (1.2, (0.8, 2.0), 0.05, "")
    oven = found.quantities["ageing.temperature"]
    assert (oven.value, oven.note, oven.unit) == (358.15, "oven", "K")
    assert oven.uncertainty == pytest.approx(2.0)
    assert found.quantities["device.levels"].value == 4
    assert found.quantities["device.level_fractions"].value == (0.0, 0.3, 0.7, 1.0)
    # In the order of the schema, however the file has them.
    assert list(found.quantities)[:2] == ["device.kind", "device.levels"]


def test_everything_is_said_at_once():
    error = refusal(
        '[card]\nformat = 2\nname = "mine"\nsummary = "a device"\n'
        "[transport]\n"
        'tmr = { value = 120, source = "x" }\n'
        'resistance_low = { value = 5, unit = "kV", source = "x" }\n'
        'bias_half = { value = 0.5, unit = "V" }\n'
        'colour = { value = 1, source = "x" }\n'
        "[extra]\na = 1\n"
    )
    assert [finding.where for finding in error.findings] == [
        "card.format",
        "transport.tmr",
        "transport.resistance_low",
        "transport.bias_half",
        "transport.'colour'",
        "'extra'",
    ]
    assert str(error) == (
        "mine.toml: the card cannot be used (6 findings): "
        "card.format: must be 1, not 2; this version reads no other; "
        "transport.tmr: value must be a number in 0.001..50, not 120; check value and unit; "
        "transport.resistance_low: unit must be a unit of the dimension of ohm, not 'kV'; convert "
        "the value, or correct it; "
        "transport.bias_half: source must say where the value comes from; name a paper, a file or "
        "the reasoning; "
        "transport.'colour': a quantity of this section must be one of resistance_low, "
        "resistance_area, tmr, bias_half; rename or remove it; "
        "'extra': a section must be a table, one of card, device, geometry, magnetics, transport, "
        "write, read, spread, faults, programming, ageing, telegraph, wires, converters, steps; "
        "rename it, or remove it"
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("1", 'must be a table such as { value = 1, unit = "V", source = "..." }, not 1'),
        (
            '{ value = nan, source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not nan V; check value and unit",
        ),
        (
            '{ value = inf, source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not inf V; check value and unit",
        ),
        (
            '{ value = true, source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not True V; check value and unit",
        ),
        (
            '{ value = "1", source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not '1' V; check value and unit",
        ),
        (
            '{ value = [[1]], source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not a list of 1 V; check value and unit",
        ),
        (
            "{ value = " + "9" * 3000 + ', source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not an integer beyond 10**15 V; "
            "check value and unit",
        ),
        (
            '{ value = 2020-01-01, source = "x", unit = "V" }',
            "value must be a number in 0.01..100 V, not datetime.date(2020, 1, 1) V; "
            "check value and unit",
        ),
        ('{ value = 1, source = 5, unit = "V" }', "source must be a text, not 5; put it in quotes"),
        (
            '{ value = 1, source = "x", unit = ["V"] }',
            "unit must be a text, not a list of 1; put it in quotes",
        ),
        (
            '{ value = 1, source = "x", unit = "V", color = 1 }',
            "has parts value, unit, source, valid, uncertainty, note, not 'color'; "
            "rename or remove it",
        ),
        (
            '{ value = 1, source = "x", unit = "V", valid = [2, 1] }',
            "valid must be two numbers that rise, [low, high], not a list of 2",
        ),
        (
            '{ value = 1, source = "x", unit = "V", valid = [nan, 1] }',
            "valid must be two numbers that rise, [low, high], not a list of 2",
        ),
        (
            '{ value = 1, source = "x", unit = "V", uncertainty = -1 }',
            "uncertainty must be one standard deviation in the unit of the value, at "
            "least 0, not -1",
        ),
    ],
    ids=range(14),
)
def test_refuses_a_quantity(value, says):
    error = refusal(f"{HEAD}[transport]\nbias_half = {value}\n")
    assert (
        str(error) == f"mine.toml: the card cannot be used (1 finding): transport.bias_half: {says}"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            'kind = { value = ["sot"], source = "x" }',
            "device.kind: value must be one of domain-wall, sot, stt, not a list of 1",
        ),
        (
            'levels = { value = 4.0, source = "x" }',
            "device.levels: value must be an integer, not 4.0",
        ),
        (
            'levels = { value = 65, source = "x" }',
            "device.levels: value must be a number in 2..64, not 65; check value and unit",
        ),
        (
            'level_fractions = { value = 1, source = "x" }',
            "device.level_fractions: value must be a list of 1 to 1000 numbers, not 1",
        ),
    ],
    ids=range(4),
)
def test_refuses_other_forms(body, says):
    error = refusal(f"{HEAD}[device]\n{body}\n")
    assert str(error) == f"mine.toml: the card cannot be used (1 finding): {says}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff\xfe", "it is no UTF-8 text (invalid start byte)"),
        ("a = " + "[" * 3000, "its values are nested too deeply"),
        ("a = " + "[\n" * 50000, "its values are nested too deeply"),
        ("x = " + "{a=" * 1200, "its values are nested too deeply"),
        ("\0", "Invalid statement (at line 1, column 1)"),
        ("a = 1\na = 2", "Cannot overwrite a value (at end of document)"),
        (
            "#" * 5000,
            "it must have at most 200,000 characters in lines of at most 4,000; a card "
            "has a few hundred lines",
        ),
        (
            "#\n" * 150000,
            "it must have at most 200,000 characters in lines of at most 4,000; a card "
            "has a few hundred lines",
        ),
    ],
    ids=range(8),
)
def test_refuses_a_file(text, why):
    message = f"mine.toml: must be a technology card, a TOML file; {why}"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        read_card(text, "mine.toml")


def test_a_file_of_noise_gives_one_short_message():
    error = refusal(HEAD + "\n".join(f"[s{index}]" for index in range(3000)))
    assert len(error.findings) == 3000
    assert str(error).endswith("; and 2980 more")
    assert len(str(error)) < 5000


def test_the_documentation_lists_the_schema():
    lines = (ROOT / "docs/technology-cards.md").read_text().splitlines()
    written = [line for line in lines if re.match(r"\| `\w+\.\w+` \|", line)]
    forms = {"integer": ", integer", "reals": ", list"}
    rows = []
    for spec in SCHEMA.values():
        limits = f"{spec.low:g} to {spec.high:g}{forms.get(spec.form, '')}"
        limits = ", ".join(CHOICES[spec.name]) if spec.form == "text" else limits
        rows.append(f"| `{spec.name}` | {spec.unit} | {limits} | {spec.meaning} |")
    assert written == rows
