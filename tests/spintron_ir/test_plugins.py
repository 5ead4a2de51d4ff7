"""Tests of spintron_ir.plugins."""

import re
import sys

import pytest

from spintron_ir import NetworkError, plugins

ENTRY_POINTS = """\
[spintron.cells]
Installed = cells_of_a_package:Installed
Broken = cells_of_a_package:Missing
NoModule = no_such_module_anywhere:Cell

[other.group]
Other = cells_of_a_package:Installed
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that offers cells."""
    monkeypatch.setattr(plugins, "_CELLS", {})
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "cells_of_a_package.py").write_text("class Installed: pass\n")
    info = tmp_path / "cells_of_a_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cells-of-a-package\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    yield
    sys.modules.pop("cells_of_a_package", None)


@pytest.mark.usefixtures("package")
def test_finds_what_packages_offer_and_imports_nothing_before():
    names = [point.name for point in plugins.offered_cells()]
    assert [name for name in names if name in ENTRY_POINTS] == ["Broken", "Installed", "NoModule"]
    assert "cells_of_a_package" not in sys.modules
    assert plugins.find_cell("Installed").__name__ == "Installed"


@pytest.mark.usefixtures("package")
def test_the_cell_registered_last_counts():
    class Mine:
        pass

    class Later:
        pass

    for cls in (Mine, Later):
        plugins.register_cell("Installed", cls)
        assert plugins.find_cell("Installed") is cls


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "Other",
            "there is no cell 'Other': give the file it is in with --cells FILE, or install the "
            "package that offers it in the entry-point group 'spintron.cells'",
        ),
        (
            "NoModule",
            "cell 'NoModule': no_such_module_anywhere:Cell cannot be imported "
            "(No module named 'no_such_module_anywhere'); repair its package",
        ),
        (
            "Broken",
            "cell 'Broken': cells_of_a_package:Missing cannot be imported (module "
            "'cells_of_a_package' has no attribute 'Missing'); repair its package",
        ),
    ],
)
def test_refuses(name, message):
    with pytest.raises(NetworkError, match=f"^{re.escape(message)}$"):
        plugins.find_cell(name)
