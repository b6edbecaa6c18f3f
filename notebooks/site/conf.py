"""Sphinx's settings for the course site; `notebooks/tools/publish.py` lays out the pages and calls it."""

project = "One pipeline, four platforms"
author = "the course's authors"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = project
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]

# The notebooks were executed by papermill; what they show is what they printed then.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no widgets, so nothing from other servers
nb_mime_priority_overrides = [("html", "text/markdown", 5)]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# Only solutions are folded (notebooks/tools/publish.py).
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"
# Pygments does not know Mermaid; course.js draws it.
suppress_warnings = ["misc.highlighting_failure", "mystnb.unknown_mime_type"]
