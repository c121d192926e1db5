"""Sphinx's settings for the documentation site: ``make docs-html``."""

from importlib.metadata import version as installed

project = "pairspec"
author = "The pairspec developers"
release = version = installed("pairspec")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = "pairspec"
html_show_sourcelink = False
html_theme_options = {
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "show_prev_next": False,
}

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
# Notebooks are stored with their output; tests execute them.
nb_execution_mode = "off"

autosummary_generate = True
# Classes of two folders may have the same name.
suppress_warnings = ["ref.python"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
