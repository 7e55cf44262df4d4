"""How the pages of docs/ and notebooks/ become a site; CONTRIBUTING.md has the command.

The checkout is the source, so that links between pages, notebooks and pictures are the same on a code-hosting
page and on the site. Notebooks are shown with the outputs that they were saved with, which the tests compare
with a run. MyST-NB reads notebooks and Markdown alike; Furo has a light and a dark theme, and fits narrow
screens.
"""

import astria_nb

project = "astria_nb"
author = "The astria_nb authors"
version = release = astria_nb.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "notebooks/*.ipynb", "CHANGELOG.md"]
exclude_patterns = [
    ".*",
    "build",
    "dist",
    "docs/house.md",  # for who works on the project
    "**/.ipynb_checkpoints",
    "node_modules",
    "tests",
]

nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# A saved notebook's widgets have a plain copy beside them: without a kernel, it is what is shown.
nb_render_markdown_format = "myst"

autodoc_default_options = {"members": True, "inherited-members": True, "member-order": "groupwise"}
default_role = "py:obj"  # a name in one pair of backticks leads to where it is explained
autodoc_typehints = "none"  # each docstring has them, with units and shapes
maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False
toc_object_entries_show_parents = "hide"

suppress_warnings = ["ref.python"]  # words in a type, such as "path", are not references

html_theme = "furo"
pygments_dark_style = "github-dark"  # in the theme's own, an imported module looks like a link
html_title = f"astria_nb {release}"
html_show_sphinx = html_show_copyright = False
html_additional_pages = {"index": "redirect.html"}
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
