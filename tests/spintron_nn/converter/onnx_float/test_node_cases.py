"""The node tests of the onnx package: each is converted exactly, or refused by its name."""

import re
from pathlib import Path

import onnx
import pytest

from spintron_nn.converter.onnx_float.operators import HANDLERS
from tests.spintron_nn.converter.onnx_float.lowered_cases import lowered_differences
from tests.spintron_nn.converter.onnx_float.make_table import CONSTANT, table
from tests.spintron_nn.converter.onnx_float.node_cases import cases, differences, outcome
from tests.spintron_nn.converter.onnx_float.quantised_cases import (
    QUANTISED,
    quantised_differences,
    quantised_outcome,
)

PAGE = Path(__file__).parents[4] / "docs" / "onnx-operators.md"


def converted():
    return [
        case
        for case in cases()
        if case.kind not in (*QUANTISED, *CONSTANT) and not outcome(case).findings
    ]


def test_models_give_the_results_of_the_cases_and_of_the_reference():
    found = converted()
    assert len(found) > 300
    assert [text for case in found for text in differences(case, outcome(case))] == []


@pytest.mark.parametrize("part", range(3))
def test_every_code_of_a_network_is_that_of_its_operations(part):
    found = converted()[part::3]
    differ = [text for c in found for text in lowered_differences(c.name, outcome(c).model)]
    assert differ == []


def test_quantised_operators_give_the_integers_of_the_cases():
    found = [c for c in cases() if c.kind in QUANTISED and not quantised_outcome(c)]
    assert {case.kind for case in found} == {*QUANTISED} - {"DynamicQuantizeLinear"}
    if onnx.__version__.startswith("1.19."):  # its sums wrap round where they have to saturate
        found = [case for case in found if case.kind != "QLinearMatMul"]
    assert [text for case in found for text in quantised_differences(case)] == []


def test_the_others_are_refused_with_their_names():
    for case in cases():
        if case.kind in (*QUANTISED, *CONSTANT, *HANDLERS):
            continue
        findings = outcome(case).findings
        if not findings:
            assert "_expanded" in case.name, case.name  # written out in operators that are
            continue
        kinds = {node.op_type for node in case.model.graph.node}
        named = any(re.search(r"\((\w+)\): ", text)[1] in kinds for text in findings
                    if re.search(r"\((\w+)\): ", text))  # fmt: skip
        assert named or any("(input): " in text for text in findings), (case.name, findings)


def test_the_table_is_up_to_date():
    """Of the version of onnx that it names: others have other cases."""
    page = PAGE.read_text(encoding="utf-8")
    if f"of onnx {onnx.__version__};" in page:
        assert table() == page
    else:
        assert "| Conv | 6 | 6 | 0 |" in table()
