"""Tests of cards fitted to files: what changes, what stays, where it says it comes from."""

import hashlib
import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.technology import check, technologies, technology
from spintron_nn.core.technology.fitted_card import fit_card
from spintron_nn.core.technology.library import card_text
from tests.arch.conftest import ROOT

TABLES = ROOT / "tests" / "data" / "domain_wall"


@pytest.fixture
def tables():
    kinds = [(kelvin, way) for kelvin in (0, 300) for way in ("decreasing", "increasing")]
    return [TABLES / f"sot_{kelvin}K_device0_{way}.npz" for kelvin, way in kinds]


def write(path, **columns):
    names = list(columns)
    rows = zip(*(np.asarray(columns[name]).tolist() for name in names))
    lines = [",".join(names), *(",".join(map(repr, row)) for row in rows)]
    path.write_text("# measured\n" + "\n".join(lines) + "\n")
    return path


def devices(path, median=4.6e3):
    normal = np.random.default_rng(7).standard_normal(4000)
    low = median * np.exp(0.08 * normal)
    return write(path, resistance_p=low, resistance_ap=2.1 * low)


def test_resistances_replace_what_they_tell(tmp_path):
    path = devices(tmp_path / "devices.csv")
    text, fitted = fit_card([path], "sot-mtj-kilohm", name="mine")
    low = fitted["transport.resistance_low"]
    assert low.value == pytest.approx(4.6e3, rel=0.01)
    assert abs(low.value - 4.6e3) < 4 * low.uncertainty
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert low.source == f"fit to devices.csv, sha256 {digest[:12]}"
    assert low.written_unit == "kohm"
    assert fitted["transport.tmr"].value == pytest.approx(1.1, rel=1e-5)
    assert fitted["spread.resistance"].written_unit == "percent"
    # The product follows: 4.6 kOhm over pi/4 (50 nm)**2 is 9.03 ohm um2.
    assert fitted["transport.resistance_area"].value == pytest.approx(9.03e-12, rel=0.01)
    (tmp_path / "mine.toml").write_text(text)
    card = technology(tmp_path / "mine.toml")
    assert card.name == "mine"
    assert card.summary == (
        "SOT-MTJ of 5 and 10 kOhm, as in the first README; fit for short columns; fitted to "
        "devices.csv"
    )
    assert [finding for finding in check(card) if finding.level == "error"] == []
    assert card.mtj_config().resistance_variation == pytest.approx(0.08, rel=0.1)


def test_the_rest_of_the_card_stays(tmp_path):
    before = card_text("sot-mtj-kilohm")[1].decode()
    path = devices(tmp_path / "devices.csv")
    text, fitted = fit_card([path], "sot-mtj-kilohm", name="sot-mtj-kilohm")
    names = {name.split(".")[1] for name in fitted} | {"summary"}
    kept = [line for line in before.splitlines() if line.split(" = ")[0] not in names]
    assert [line for line in kept if line not in text.splitlines()] == []
    assert text.startswith("# The device of the first README")
    # What was said of the old value is not said of the new one.
    assert "the UT-Austin set has 120" in before and "the UT-Austin set has 120" not in text


def test_devices_count_more_than_a_loop(tmp_path):
    volt = np.linspace(0, 0.5, 11)
    high = 5e3 * (1 + 0.9 / (1 + (volt / 0.45) ** 2))
    loop = write(tmp_path / "loop.csv", voltage=volt, resistance_ap=high)
    alone = fit_card([loop], "sot-mtj-kilohm", name="a")[1]
    assert alone["transport.tmr"].value == pytest.approx(0.9, rel=1e-5)
    assert alone["transport.bias_half"].value == pytest.approx(0.45, rel=1e-5)
    both = fit_card([devices(tmp_path / "devices.csv"), loop], "sot-mtj-kilohm", name="a")[1]
    assert both["transport.tmr"].value == pytest.approx(1.1, rel=1e-5)
    assert both["transport.bias_half"].source.startswith("fit to loop.csv")


def test_switching_tables(tmp_path):
    from scipy.stats import norm

    volt = np.linspace(0.2, 0.4, 9)
    share = norm.cdf(np.log(volt / 0.28) / 0.1)
    path = write(tmp_path / "one.csv", voltage=volt, probability=share, pulse=np.full(9, 1e-9))
    fitted = fit_card([path], "sot-mtj-kilohm", name="a")[1]
    assert fitted["write.switching_voltage"].value == pytest.approx(0.28, rel=1e-4)
    assert fitted["spread.switching"].value == pytest.approx(0.1, rel=1e-3)
    volt, pulse = (axis.ravel() for axis in np.meshgrid([0.3, 0.4, 0.5], [1e-6, 1e-4]))
    share = -np.expm1(-pulse / (1e-9 * np.exp(30 * (1 - volt / 0.8))))
    path = tmp_path / "many.npz"
    np.savez(path, voltage=volt, pulse=pulse, probability=share)
    fitted = fit_card([path], "stt-mtj", name="a")[1]
    assert fitted["magnetics.thermal_stability"].value == pytest.approx(30, rel=1e-3)
    assert fitted["write.critical_voltage"].value == pytest.approx(0.8, rel=1e-3)


def test_the_domain_wall_card_is_this_fit(tables):
    kelvin = [0, 0, 300, 300]
    text, fitted = fit_card(tables, "domain-wall-sot", name="domain-wall-sot", temperatures=kelvin)
    card = technology("domain-wall-sot")
    for name, quantity in fitted.items():
        assert quantity.source == card.quantity(name).source
        # Next to nothing pushes at 0 K, so its reach means nothing; 1 % of a hop does not count.
        if name != "steps.end_reach":
            assert quantity.value == pytest.approx(card.value(name), rel=0.02, abs=3e-8)
    # One hop at 0 K is the median of the tables, 6.54 uS; 1/163.4 uS is 6.12 kOhm.
    assert card.value("steps.hop")[0] == pytest.approx(6.54e-6, rel=0.003)
    assert card.value("transport.resistance_low") == pytest.approx(6119.5, rel=1e-4)
    assert "magnetics.thermal_stability" not in card


def test_quantiles_of_the_card_are_those_of_the_tables(tables):
    from spintron_nn.core.domain_wall.steps import StepTable, pooled_error

    model = technology("domain-wall-sot").step_model()
    for path in tables:
        kelvin = 0 if "_0K_" in path.name else 300
        way = "increasing" if "increasing" in path.name else "decreasing"
        table = StepTable.load(path, temperature=kelvin, direction=way)
        assert np.abs(pooled_error(model, table)).max() < 0.15


def test_a_table_may_say_what_it_is(tables, tmp_path):
    path = tmp_path / "cold.npz"
    with np.load(tables[0], allow_pickle=False) as known:
        np.savez(path, **known, temperature=0.0, direction="decreasing")
    fitted = fit_card([path], "domain-wall-sot", name="cold")[1]
    assert fitted["steps.temperature"].value == (0.0,)
    assert fitted["steps.hop"].value[0] == pytest.approx(6.54e-6, rel=0.005)


def test_steps_from_csv_and_their_sign(tmp_path):
    # Four microsiemens a pulse, give or take 0.1: one hop, whichever way.
    lines = ["conductance,0.16,0.5,0.84"]
    for way, name in ((1, "up"), (-1, "down")):
        steps = sorted((way * 3.9e-6, way * 4e-6, way * 4.1e-6))
        rows = [",".join(map(repr, (at * 1e-6, *steps))) for at in (60, 80, 100)]
        (tmp_path / f"{name}.csv").write_text("\n".join([*lines, *rows]))
    files = [tmp_path / "up.csv", tmp_path / "down.csv"]
    text, fitted = fit_card(files, "domain-wall-sot", name="made", temperatures=[300])
    assert fitted["steps.hop"].value == (pytest.approx(4e-6, rel=0.01),)
    # 1 / 100 uS, and 100 over 60 uS.
    assert fitted["transport.resistance_low"].value == pytest.approx(1e4)
    assert fitted["transport.tmr"].value == pytest.approx(2 / 3, rel=1e-5)
    assert "up.csv" in fitted["steps.hop"].source and "down.csv" in fitted["steps.hop"].source
    message = r"fit_steps: the tables of 300 K must have steps that follow their direction"
    with pytest.raises(ParameterError, match=message):
        fit_card(files[:1], "stt-mtj", name="x", temperatures=[300], directions=["decreasing"])


def test_refusals(tmp_path):
    first, second = devices(tmp_path / "a.csv"), devices(tmp_path / "b.csv")
    odd = write(tmp_path / "odd.csv", colour=[1, 2])
    words = tmp_path / "words.csv"
    words.write_text("resistance_p,resistance_ap\n1,x\n")
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("resistance_p,resistance_ap\n1\n")
    nan = write(tmp_path / "nan.csv", resistance_p=[1.0, np.nan], resistance_ap=[2.0, 3.0])
    text = tmp_path / "text.txt"
    text.write_text("1")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK")
    objects = tmp_path / "objects.npz"
    np.savez(objects, voltage=np.array([{}], dtype=object))
    steps = tmp_path / "steps.npz"
    np.savez(steps, conductance=[1, 2], quantile=[0.1, 0.9], delta_conductance=[[1, 1], [2, 2]])
    kinds = (
        "steps: conductance, quantile, delta_conductance; switching: voltage, probability; bias: "
        "voltage, resistance_ap; resistances: resistance_p, resistance_ap"
    )
    for files, message in (
        (
            [first, second],
            "tech fit: there must be one table of resistances, not 2 (a.csv, b.csv); "
            "join them into one",
        ),
        ([odd], f"odd.csv: must have the columns of one kind ({kinds}), not colour"),
        (
            [words],
            "words.csv: must be a readable table of numbers (could not convert string to "
            "float: 'x')",
        ),
        (
            [ragged],
            "ragged.csv: must be a readable table of numbers (a line of names, then "
            "lines with as many numbers)",
        ),
        ([nan], "nan.csv: column resistance_p must hold finite numbers alone"),
        ([text], "text.txt: a table must be a .csv or .npz file; convert it"),
        ([broken], "broken.npz: must be a readable table of numbers (File is not a zip file)"),
        (
            [objects],
            "objects.npz: must be a readable table of numbers (Object arrays cannot be "
            "loaded when allow_pickle=False)",
        ),
        (
            [steps],
            "steps.npz: a table of steps must have a temperature; give --temperature "
            "once for all tables, or once for each in their order",
        ),
    ):
        with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
            fit_card(files, "sot-mtj-kilohm", name="x")
    message = "odd.csv: must have a column resistance_p, not only colour"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        fit_card([odd], "sot-mtj-kilohm", name="x", kind="resistances")
    message = (
        "tech fit: --temperature must be given once, or once for each of 1 tables of steps, not 2 "
        "times"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        fit_card([steps], "sot-mtj-kilohm", name="x", temperatures=[0, 300])


@pytest.mark.parametrize("base", technologies())
def test_every_card_can_be_a_base(base, tmp_path):
    path = devices(tmp_path / "devices.csv")
    assert fit_card([path], base, name="x")[1]["spread.resistance"].value > 0.07
