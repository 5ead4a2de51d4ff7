"""Rules of the code that no checker of the trade knows."""

import ast
import re

import pytest

# Titles of docstrings, in their order.
TITLES = (
    "Timing",
    "Parameters",
    "Members",
    "Attributes",
    "Returns",
    "Raises",
    "Source",
    "Examples",
)
OTHER_TITLES = (
    "See Also",
    "Notes",
    "References",
    "Yields",
    "Example",
    "Warnings",
    "Warns",
    "Arguments",
    "Args",
    "Other Parameters",
    "Methods",
)
# Where a tolerance is no fault: device physics and gradients.
PHYSICS = ("spintron_nn/core/", "spintron_nn/training/", "spintron_nn/simulation/")
TOLERANT = re.compile(r"\b(allclose|isclose|approx|assert_allclose|assert_almost_equal)\b")
PLACES = re.compile(r"(?<![\w.])/(?:root|work|opt)/\w|file://")
INVENTED = re.compile(r"(?<![\w.])/(?:home|tmp|Users)/\w")  # tests may make up such places


def documented(tree):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for source in tree.modules:
        for node in ast.walk(source.tree):
            if isinstance(node, kinds):
                text = ast.get_docstring(node)
                if text:
                    yield f"{source.name}: {getattr(node, 'name', 'module')}", text


def titles_of(text):
    lines = text.split("\n")
    for line, under in zip(lines, lines[1:], strict=False):
        if line and under and set(under) == {"-"}:
            yield line


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Do.\n\nTiming\n------\nNow.\n\nRaises\n------\nNo.", ["Timing", "Raises"]),
        ("Do.\n\na | b\nc", []),
    ],
)
def test_titles_are_found(text, titles):
    assert list(titles_of(text)) == titles


def test_docstring_titles_and_their_order(tree):
    wrong = []
    for where, text in documented(tree):
        titles = list(titles_of(text))
        known = [TITLES.index(title) for title in titles if title in TITLES]
        if len(known) != len(titles) or known != sorted(set(known)):
            wrong.append(f"{where}: {', '.join(titles)}")
        wrong += [
            f"{where}: {title} without its line"
            for title in (*TITLES, *OTHER_TITLES)
            if re.search(rf"^{title}:?$", text, re.M) and title not in titles
        ]
    assert wrong == []


def test_public_names_have_docstrings(tree):
    missing = []
    for source in tree.modules:
        for node in ast.walk(source.tree):
            for child in getattr(node, "body", []) if isinstance(node, ast.ClassDef) else []:
                if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    continue
                public = not child.name.startswith("_") and not node.name.startswith("_")
                exempt = child.name in ("elaborate", "compute") or _inherits(child)
                if public and not exempt and not ast.get_docstring(child):
                    missing.append(f"{source.name}:{child.lineno} {node.name}.{child.name}")
    assert missing == []


def _inherits(function):
    """Whether a decorator says that the contract is written elsewhere."""
    names = {ast.unparse(decorator).split(".")[-1] for decorator in function.decorator_list}
    return bool(names & {"override", "setter", "overload"})


def test_every_module_says_what_it_offers(tree):
    missing = [
        source.name
        for source in tree.modules
        if not source.name.endswith("/__main__.py")
        and not any(
            isinstance(node, (ast.Assign, ast.AnnAssign)) and "__all__" in _targets(node)
            for node in source.tree.body
        )
        and len(source.tree.body) > 1
    ]
    assert missing == []


def _targets(node):
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def test_no_star_imports(tree):
    found = [
        f"{source.name}:{node.lineno}"
        for source in tree.sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names)
    ]
    assert found == []


def test_integers_are_compared_exactly(tree):
    def physics(source):
        return source.name.removeprefix("tests/").startswith(PHYSICS)

    found = [
        f"{source.name}:{number}: {line.strip()}"
        for source in tree.sources
        if not physics(source) and not source.name.startswith("tests/arch/")
        for number, line in enumerate(source.text.split("\n"), 1)
        if TOLERANT.search(line)
    ]
    assert found == []


def test_nothing_names_a_place_on_one_machine(tree):
    found = []
    for path in tree.files:
        name = path.relative_to(tree.root).as_posix()
        if name.startswith("tests/arch/") or path.suffix in (".npy", ".npz", ".safetensors"):
            continue
        try:
            text = path.read_text(encoding="utf8")
        except UnicodeDecodeError:
            continue
        patterns = [PLACES] if name.startswith("tests/") else [PLACES, INVENTED]
        for pattern in patterns:
            found += [f"{name}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []
