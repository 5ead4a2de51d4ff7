"""Settings of the documentation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = "SpinTron-NN-Kit"
author = "Daniel Schmidt"
copyright = "2025-2026, Daniel Schmidt"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = project

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # attributes of different classes may share a name
napoleon_custom_sections = ["Timing", "Members", "Source"]


def setup(app):
    """Make the role :py: of docstrings show plain code."""
    from docutils import nodes
    from docutils.parsers.rst import roles

    def code(name, rawtext, text, lineno, inliner, options=None, content=None):
        return [nodes.literal(rawtext, text)], []

    roles.register_local_role("py", code)
