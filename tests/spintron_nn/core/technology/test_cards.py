"""Tests of the cards of this package: read, consistent, and what their sources say."""

import re
from importlib import resources

import pytest

from spintron_ir import ParameterError
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import EFFECTS, Spread
from spintron_nn.core.technology import CardError, Technology, check, technologies, technology
from spintron_nn.core.technology.card import read_card

HEAD = '[card]\nformat = 1\nname = "mine"\nsummary = "a device"\n'


def made(body):
    found = read_card(HEAD + body, "mine.toml")
    return Technology(found.name, found.summary, found.quantities)


def test_the_list():
    assert technologies() == (
        "domain-wall-sot",
        "hikstor-sot-2024",
        "ikeda-2010",
        "sot-dw-high-ra",
        "sot-mtj-high-ra",
        "sot-mtj-kilohm",
        "stt-mtj",
    )


@pytest.mark.parametrize("name", technologies())
def test_a_card_is_whole(name):
    card = technology(name)
    assert card.name == name
    assert [finding for finding in check(card) if finding.level == "error"] == []
    assert isinstance(card.mtj_config(), MTJConfig)
    text = (resources.files("spintron_nn.core.technology") / "cards" / f"{name}.toml").read_text()
    assert text.startswith("#")
    assert all(quantity.source for quantity in card)


@pytest.mark.parametrize("name", technologies())
def test_resistance_follows_from_area(name):
    derived = technology(name).derived()
    if "parallel_resistance" in derived:
        stated = derived["resistance_low"]
        assert derived["parallel_resistance"].value == pytest.approx(stated.value, rel=0.01)


def test_the_published_set_by_hand():
    # Working notes, set of UT-Austin: 9.818 ohm um2 over pi/4 (50 nm)**2 is 5,000.3 ohm; K_eff
    # 3.82e4 J/m3, 63.7 mT, stability 19.94 at 300 K.
    derived = technology("sot-mtj-kilohm").derived()
    assert derived["parallel_resistance"].value == pytest.approx(5000.3, rel=1e-4)
    assert derived["effective_anisotropy"].value == pytest.approx(3.82e4, rel=0.002)
    assert derived["anisotropy_field"].value == pytest.approx(63.7e-3, rel=0.002)
    assert derived["macrospin_stability"].value == pytest.approx(19.94, rel=0.002)
    assert derived["resistance_high"].value == 10e3


def test_ikeda_by_hand():
    # One moment of the pillar would have 87 where 43 was measured; the closed form with damping
    # 0.02 and P = sqrt(1.24 / 3.24) gives the measured 49 uA.
    derived = technology("ikeda-2010").derived()
    assert derived["macrospin_stability"].value == pytest.approx(87, rel=0.01)
    assert derived["critical_current"].value == pytest.approx(49e-6, rel=0.03)
    # 18 ohm um2 over 1.2566e-3 um2.
    assert derived["parallel_resistance"].value == pytest.approx(14324, rel=1e-3)


def test_stt_by_hand():
    # The worked critical current: 25.2 uA for damping 0.01, efficiency 0.6, stability 60.
    card = technology("stt-mtj")
    derived = card.derived()
    assert derived["critical_current"].value == pytest.approx(25.2e-6, rel=0.005)
    assert derived["macrospin_stability"].value == pytest.approx(60, rel=0.01)
    # 0.3 V squared, 20 ns over 6.37 kOhm.
    assert derived["write_energy"].value == pytest.approx(0.2826e-12, rel=1e-3)


def test_the_error_rate_that_the_stt_card_promises():
    from spintron_nn.core.junction.write_error import write_error_rate

    card = technology("stt-mtj")
    derived = card.derived()
    ratio = derived["write_current"].value / derived["critical_current"].value
    rate = write_error_rate(
        ratio,
        card.value("write.pulse"),
        60,
        card.value("magnetics.damping"),
        derived["anisotropy_field"].value,
    )
    assert 0.5e-5 < rate < 2e-5


def test_the_default_by_hand():
    derived = technology().derived()
    assert derived["macrospin_stability"].value == pytest.approx(60, rel=0.01)
    # 128 rows of 0.1 V at 1.5 MOhm; a pair of 10 % and TMR 1.2: 0.1 sqrt(1 + 2.2**2) / 1.2.
    assert derived["column_current"].value == pytest.approx(8.53e-6, rel=1e-3)
    assert derived["pair_weight_noise"].value == pytest.approx(0.2014, rel=1e-3)
    # J_c = (2e/hbar) (M_s t / theta) (B_k/2 - B_x/sqrt2) = 3.0385e15 x 4.4e-3 x (0.0958 - 0.0212)
    # = 9.97e11 A/m2, through 60 nm x 4 nm.
    assert derived["threshold_current"].value == pytest.approx(239e-6, rel=0.005)


def test_megohm_cards_are_the_default_technology_with_more_effects():
    found = technology("sot-mtj-high-ra").mtj_config()
    assert found.only("resistance") == MTJConfig()
    assert found.effects() == ("resistance", "bias", "wires")
    walls = technology("sot-dw-high-ra").mtj_config().only("resistance")
    correlated = Spread(correlated=0.1, correlation_length=16)
    assert walls == MTJConfig(levels=4, spread=correlated)


def test_the_card_of_the_demo_has_every_effect_but_broken_lines():
    found = technology("sot-dw-high-ra").mtj_config()
    assert set(EFFECTS) - set(found.effects()) == {"lines", "switching"}


def test_hikstor_bias():
    # The maker's curve has TMR 1.235 at 0 V and 0.990 at 0.3 V: V_h = 0.3 / sqrt(1.235/0.990 - 1).
    half = technology("hikstor-sot-2024").value("transport.bias_half")
    assert half == pytest.approx(0.3 / (1.235 / 0.990 - 1) ** 0.5, rel=0.002)


def test_everything_reaches_the_chip():
    body = """
    [device]
    levels = { value = 4, source = "x" }
    level_fractions = { value = [0, 0.3, 0.7, 1], source = "x" }
    cell_bits = { value = 8, source = "x" }
    [geometry]
    cell_area = { value = 0.05, unit = "um2", source = "x" }
    [transport]
    resistance_low = { value = 2, unit = "Mohm", source = "x" }
    tmr = { value = 1.5, source = "x" }
    bias_half = { value = 400, unit = "mV", source = "x" }
    [write]
    switching_voltage = { value = 0.4, unit = "V", source = "x" }
    resistance = { value = 700, unit = "ohm", source = "x" }
    pulse = { value = 2, unit = "ns", source = "x" }
    [read]
    voltage = { value = 0.2, unit = "V", source = "x" }
    noise = { value = 0.01, source = "x" }
    [spread]
    resistance = { value = 5, unit = "percent", source = "x" }
    tmr = { value = 0.03, source = "x" }
    resistance_tmr = { value = 0.4, source = "x" }
    [faults]
    stuck_p = { value = 0.001, source = "x" }
    open = { value = 0.002, source = "x" }
    [programming]
    error = { value = 0.1, source = "x" }
    pulses = { value = 5, source = "x" }
    [ageing]
    temperature = { value = 85, unit = "degC", source = "x" }
    time = { value = 1, unit = "year", source = "x" }
    [telegraph]
    share = { value = 0.1, source = "x" }
    [wires]
    word = { value = 2, unit = "ohm", source = "x" }
    [converters]
    offset = { value = 0.3, source = "x" }
    """
    mtj = made(body).mtj_config(read_noise=0.02)
    assert mtj == MTJConfig.from_dict(
        {
            "levels": 4,
            "level_fractions": [0, 0.3, 0.7, 1],
            "cell_bits": 8,
            "cell_area": 50e-9,
            "resistance_low": 2e6,
            "resistance_high": 5e6,
            "bias_half": 0.4,
            "switching_voltage": 0.4,
            "write_resistance": 700,
            "write_pulse": 2e-9,
            "read_voltage": 0.2,
            "read_noise": 0.02,
            "resistance_variation": 0.05,
            "stuck_p": 0.001,
            "spread": {"tmr": 0.03},
            "faults": {"open": 0.002},
            "programming": {"error": 0.1, "pulses": 5},
            "ageing": {"temperature": 85.0, "time": 31557600.0},
            "telegraph": {"share": 0.1},
            "wires": {"word": 2},
            "converters": {"offset": 0.3},
        }
    )


def test_refuses_what_is_not_there():
    card = made("")
    for call, message in (
        (
            lambda: card.value("a.b"),
            "Technology: a quantity must be one of the schema, not 'a.b'; "
            "docs/technology-cards.md lists them",
        ),
        (
            lambda: card.value("transport.tmr"),
            "Technology: the card mine must have transport.tmr for this, and leaves it "
            "out; add it with its unit and source",
        ),
        (
            card.mtj_config,
            "mine: the card cannot be used (1 finding): transport: a device must have "
            "transport.tmr, and transport.resistance_low or transport.resistance_area "
            "with an area; add what is missing",
        ),
    ):
        with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
            call()


def test_refuses_a_contradiction():
    card = technology("sot-mtj-high-ra")
    with pytest.raises(CardError, match=r"cell_bits must tell 64 levels apart"):
        card.mtj_config(levels=64)


def test_refuses_a_name_and_a_file(tmp_path):
    names = ", ".join(technologies())
    missing = tmp_path / "none.toml"
    for given, message in (
        ("sot", f"technology: must be one of {names}, or a file that ends in .toml, not 'sot'"),
        (
            missing,
            f"technology: {str(missing)!r} must be a readable file ([Errno 2] No such "
            f"file or directory: {str(missing)!r}); check the path",
        ),
    ):
        with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
            technology(given)


def test_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + '[transport]\ntmr = { value = 1, source = "x" }\n')
    assert technology(path).value("transport.tmr") == 1.0
    assert [quantity.name for quantity in technology(path)] == ["transport.tmr"]
    path.write_bytes(b"#" * 10**6)
    with pytest.raises(
        ParameterError, match=r"^mine\.toml: must be a technology card, a TOML file"
    ):
        technology(path)
