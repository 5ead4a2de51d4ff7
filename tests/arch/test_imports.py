"""Imports point one way, and what is light stays light."""

import subprocess
import sys
import tomllib

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

HARDWARE_SIDE = {"hardware", "deployment", "benchmarks", "cli"}


def contracts(tree):
    settings = tomllib.loads((tree.root / "pyproject.toml").read_text())
    return settings["tool"]["importlinter"]["contracts"]


def test_contracts_hold(tree, capsys):
    status = lint_imports(str(tree.root / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_every_part_of_spintron_nn_is_on_one_side(tree):
    (physics,) = [rule for rule in contracts(tree) if rule["name"].startswith("physics")]
    listed = {name.removeprefix("spintron_nn.") for name in physics["source_modules"]}
    parts = {
        path.name.removesuffix(".py")
        for path in (tree.root / "spintron_nn").iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()
    }
    assert parts == listed | (HARDWARE_SIDE & parts)
    assert not listed & HARDWARE_SIDE


def modules_loaded_by(code):
    script = f"import sys\n{code}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split("\n")[-2].split())


def test_importing_the_package_loads_no_torch():
    assert not {"torch", "amaranth"} & modules_loaded_by("import spintron_nn")


def test_help_loads_no_torch():
    code = (
        "from spintron_nn.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as stop: assert stop.code == 0"
    )
    assert not {"torch", "amaranth", "sklearn", "rich"} & modules_loaded_by(code)


def test_the_mapper_loads_no_amaranth():
    assert not {"torch", "amaranth"} & modules_loaded_by("import spintron_hw.mapping.map")
