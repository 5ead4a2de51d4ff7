"""Tests of spintron_nn.core.technology.check: one rule after the other, whole messages."""

import pytest

from spintron_nn.core.technology import Finding, Technology, check, technology
from spintron_nn.core.technology.card import read_card
from spintron_nn.core.technology.library import card_text


def changed(name, old, new):
    """A card of the package with one thing changed in its text."""
    text = card_text(name)[1].decode()
    assert text.count(old) == 1
    found = read_card(text.replace(old, new), "mine.toml")
    return Technology(found.name, found.summary, found.quantities)


def says(card, where):
    return [str(finding) for finding in check(card) if finding.where == where]


def test_the_default_is_clean():
    assert check(technology("sot-mtj-high-ra")) == ()
    assert check(technology("sot-dw-high-ra")) == ()


def test_kilohm_devices_do_not_sum():
    card = technology("sot-mtj-kilohm")
    # 128 x 0.1 V / 5 kOhm.
    assert says(card, "read.column_current") == [
        "warning: read.column_current: 128 rows must sum to at most 100 uA, not 2.56e+03 uA; use "
        "megohm devices, fewer rows or a lower read voltage"
    ]
    (wires,) = says(card, "wires")
    # About a third of the ideal current, as the design rule has it.
    assert "deliver 31 % of their ideal current in the worst column" in wires


def test_retention():
    # 10 years over 1 ns is 3.156e17: ln is 40.29. 16,384 devices add ln 16384 = 9.70, and one
    # loss in 100 such times another -ln(-ln 0.99) = 4.60: 54.6.
    assert says(technology("ikeda-2010"), "magnetics.thermal_stability") == [
        "warning: magnetics.thermal_stability: must be at least 40.3 for a device to keep its "
        "state for ten years, and 54.6 for 16384 of them to lose none in 99 of 100 such times, "
        "not 43; rewrite weights in time, or use another device"
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "where", "message"),
    [
        (
            "sot-mtj-high-ra",
            "value = 2945,",
            "value = 3945,",
            "transport.resistance_low",
            # 3945e-12 over 1.9635e-15; twice the uncertainties of 6.7, 3.8 and 4 % allow 17 %.
            "error: transport.resistance_low: must be resistance_area over the area, 2.009e+06 "
            "ohm, within 17%, not 1.5e+06 ohm; correct one of them",
        ),
        (
            "sot-mtj-high-ra",
            "value = 1.09,",
            "value = 0.9,",
            "magnetics",
            # 0.9e-3 / 1.1e-9 - 0.876e6: in the plane.
            "error: magnetics: the layer must be magnetised out of the plane, with an effective "
            "anisotropy above 0, not -5.78e+04 J/m3; check interface_anisotropy and thickness",
        ),
        (
            "sot-mtj-high-ra",
            "value = 0.3, unit",
            "value = 0.11, unit",
            "write.switching_voltage",
            "error: write.switching_voltage: must drive at least the threshold current, 239.2 uA, "
            "not 220 uA; raise it, or correct write.resistance",
        ),
        (
            "stt-mtj",
            "value = 0.3,",
            "value = 0.15,",
            "write.switching_voltage",
            "error: write.switching_voltage: must drive at least the critical current, 25.17 uA, "
            "not 23.55 uA; raise it, or correct write.resistance",
        ),
        (
            "stt-mtj",
            'bit = { value = 1, unit = "ohm"',
            'bit = { value = 10, unit = "kohm"',
            "wires",
            "warning: wires: a segment must be far below a device, 212.3 ohm at most, not "
            "1e+04 ohm; correct the unit of one of them",
        ),
        (
            "hikstor-sot-2024",
            "value = 0.64,",
            "value = 0.5,",
            "write.switching_voltage",
            "error: write.switching_voltage: must drive at least the switching_current, 800 uA, "
            "not 625 uA; raise it, or correct write.resistance",
        ),
        (
            "sot-mtj-high-ra",
            "value = 0.1, unit",
            "value = 0.3, unit",
            "read.voltage",
            "error: read.voltage: must be below the switching voltage, 0.3 V, not 0.3 V; a read "
            "would write",
        ),
        (
            "stt-mtj",
            "value = 0.1,",
            "value = 0.2,",
            "read.voltage",
            "warning: read.voltage: must lie where its source holds, 0.05..0.15 V, not at 0.2; "
            "find a source for it",
        ),
        (
            "stt-mtj",
            "value = 60,",
            "value = 20,",
            "magnetics.thermal_stability",
            "warning: magnetics.thermal_stability: must lie near that of anisotropy and volume, "
            "which exceeds it by up to a factor of two, not at 20 for 59.9; check both, or give an "
            "activation_diameter",
        ),
        (
            "domain-wall-sot",
            'value = 8, source = "design',
            'value = 3, source = "design',
            "device",
            "error: device: MTJConfig: cell_bits must tell 8 levels apart, and 3 bits are too few "
            "for a TMR of 1.65 with a variation of 0.05; give cell_bits=4",
        ),
    ],
    ids=lambda text: None,
)
def test_a_rule(name, old, new, where, message):
    assert message in says(changed(name, old, new), where)


def test_reads_on_the_path_of_writes():
    card = changed("stt-mtj", "value = 0.1,", "value = 0.16,")
    assert says(card, "read.voltage")[1] == (
        "warning: read.voltage: must be at most half the switching voltage, 0.15 V, not 0.16 V, "
        "where reads take the path of writes; lower it, or count read disturbs"
    )


def test_errors_come_first():
    card = changed("stt-mtj", "value = 0.1,", "value = 0.4,")
    levels = [finding.level for finding in check(card)]
    assert levels == sorted(levels)
    assert levels[0] == "error" and levels[-1] == "warning"


def test_half_a_step_model():
    text = card_text("sot-mtj-kilohm")[1].decode()
    found = read_card(
        text + '\n[steps]\nhop = { value = [1e-6], unit = "S", source = "x" }\n', "mine.toml"
    )
    card = Technology(found.name, found.summary, found.quantities)
    assert says(card, "steps") == [
        "error: steps: Technology: the card sot-mtj-kilohm must have steps.low_conductance for "
        "this, and leaves it out; add it with its unit and source"
    ]


def test_a_finding_has_a_level():
    with pytest.raises(
        ValueError, match=r"^Finding: level must be one of 'error', 'warning', not 'fatal'$"
    ):
        Finding("fatal", "x", "y")
