"""Tests of sim.engines.cxxrtl_text."""

import numpy as np
import pytest

from sim.engines import cxxrtl_text, get_engine
from sim.engines.cxxrtl_text import single_pass, specialise
from spintron_hw.build.sample import Sample, sample_design

TEXT = """\
struct p_top : public module {
\t/*output*/ wire<1> p_o;
\twire<4> p_count;

\tbool eval(performer *performer = nullptr) override;

\tbool commit(ObserverT &observer) {
\t\tbool changed = false;
\t\tif (p_o.commit(observer)) changed = true;
\t\tif (p_count.commit(observer)) changed = true;
\t\tprev_p_clk = p_clk;
\t\treturn changed;
\t}
};

bool p_top::eval(performer *performer) {
\tbool converged = true;
\tbool posedge_p_clk = this->posedge_p_clk();
\t// \\src: top.v:1
\tvalue<4> p_next;
\t// \\src: top.v:2
\tvalue<1> p_wrap;
\t// cell $add
\tp_next = add_uu<4>(p_count.curr, value<1>{0x1u});
\t// cell $eq
\tp_wrap = eq_uu<1>(p_next, value<4>{0u});
\tif (posedge_p_clk) {
\t\tp_o.next = p_wrap;
\t}
\t// cell $dff
\tif (posedge_p_clk) {
\t\tp_count.next = p_next;
\t}
\treturn converged;
}

} // namespace cxxrtl_design
"""


def test_what_a_rising_edge_needs_not():
    text = specialise(TEXT, "p_top")
    assert single_pass(text)
    assert "\tconstexpr bool posedge_p_clk = true;\n" in text
    assert "\t\tp_o.curr = p_o.next;\n\t\tp_count.curr = p_count.next;\n" in text
    assert "\t\tprev_p_clk = p_clk;\n" in text
    assert text.count("p_next") == TEXT.count("p_next")


def test_cuts_between_statements(monkeypatch):
    monkeypatch.setattr(cxxrtl_text, "_CHUNK", 40)
    text = specialise(TEXT, "p_top")
    assert text.count("constexpr bool posedge_p_clk = true;") == 3
    assert (
        "override;\n\tvoid eval_0();\n\tvoid eval_1();\n\tvoid eval_2();\n\tvalue<4> p_next;\n"
    ) in text
    assert (
        "void p_top::eval_1() {\n\tconstexpr bool posedge_p_clk = true;\n\tvalue<1> p_wrap;\n"
        "\tp_wrap = eq_uu<1>(p_next, value<4>{0u});\n\tif (posedge_p_clk) {\n"
        "\t\tp_o.next = p_wrap;\n\t}\n}\n"
    ) in text
    assert text.endswith(
        "bool p_top::eval(performer *performer) {\n\teval_0();\n\teval_1();\n\teval_2();\n"
        "\treturn true;\n}\n\n} // namespace cxxrtl_design\n"
    )


@pytest.mark.parametrize(
    "form, other", [("return converged;", "return true;"), ("override;", ";"), ("eval(", "run(")]
)
def test_another_form_stays(monkeypatch, form, other):
    monkeypatch.setattr(cxxrtl_text, "_CHUNK", 40)
    text = TEXT.replace(form, other)
    assert "eval_0" not in specialise(text, "p_top")
    assert "\tbool posedge_p_clk = this->posedge_p_clk();\n" in specialise(text, "p_top")


def test_does_not_cut_between_a_temporary_and_its_use(monkeypatch):
    monkeypatch.setattr(cxxrtl_text, "_CHUNK", 40)
    text = TEXT.replace("p_wrap = eq", "auto tmp_0 = eq").replace("= p_next;", "= tmp_0;")
    assert "eval_0" not in specialise(text, "p_top")


@pytest.mark.toolchain
@pytest.mark.parametrize("change", ["cut", "with feedback"])
def test_any_form_simulates_the_same(tmp_path, monkeypatch, require_tool, change):
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    monkeypatch.setenv("SPINTRON_CACHE", str(tmp_path))
    if change == "cut":
        monkeypatch.setattr(cxxrtl_text, "_CHUNK", 500)
    else:
        monkeypatch.setattr("sim.engines.cxxrtl_build.single_pass", lambda text: False)
    x = np.random.default_rng(0).integers(-32, 32, (100, 8))
    trace = engine.run(sample_design(), {"i_x": x}, stall=0.2, seed=1)
    expected = get_engine("amaranth").run(sample_design(), {"i_x": x}, stall=0.2, seed=1)
    np.testing.assert_array_equal(trace.values["o_y"], Sample.trace(x)["sum"])
    for name, cycles in expected.cycles.items():
        np.testing.assert_array_equal(trace.cycles[name], cycles)
