"""Small rooms: how long files, functions and packages may be."""

import ast
from statistics import median

FILE, MEDIAN, FUNCTION, DESCRIPTION = 400, 150, 80, 4000


def test_files(tree):
    lengths = {source.name: source.text.count("\n") for source in tree.sources}
    assert {name: length for name, length in lengths.items() if length > FILE} == {}
    assert median(lengths.values()) < MEDIAN


def test_functions(tree):
    long = [
        f"{source.name}:{node.lineno} {node.name}"
        for source in tree.sources
        for node in ast.walk(source.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno + 1 > FUNCTION
    ]
    assert long == []


def test_the_description_stays_small(tree):
    lengths = [
        source.text.count("\n") for source in tree.modules if source.package == "spintron_ir"
    ]
    assert 0 < sum(lengths) <= DESCRIPTION
