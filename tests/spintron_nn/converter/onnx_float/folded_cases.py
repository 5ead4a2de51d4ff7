"""Node tests of operators on constants: all inputs bound, results compared with the case's."""

import tempfile
from pathlib import Path

import numpy as np

from spintron_nn.converter.onnx_float import load
from spintron_nn.converter.onnx_front.reading import read_graph
from tests.spintron_nn.converter.onnx_float.node_cases import bound

__all__ = ["folding_problem"]


def folding_problem(case):
    """Why the constants of a case are not computed; empty where all results are its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        path.write_bytes(bound(case.model, case.inputs).SerializeToString())
        walk = load._Walk(read_graph(path, opsets=load.OPSETS), True)
        walk.run()
    problems = [text for text in walk.findings if "input in use" not in text
                and "does not depend on an input" not in text]  # fmt: skip
    if problems:
        return tuple(problems)
    for name, wanted in zip(walk.graph.outputs, case.outputs, strict=True):
        found = walk.tensors[name].values
        if found.dtype != wanted.dtype or not np.array_equal(found, wanted):
            return (f"{case.name} (differs): {found} for {wanted}",)
    return ()
