#!/usr/bin/env bash
# nbconvert 7.16.6: an empty line inside an HTML output ends the HTML in the Markdown export.
#
# Expected: a table that a cell displayed as HTML is a table in the Markdown export as well, whatever text is in it.
# Seen on Python 3.11, Linux, read by markdown-it-py 4.0.0 (CommonMark): the exporter puts text/html into the file as it
# is. By CommonMark a block of HTML ends at an empty line, so a cell of the table that has one, such as a prompt of two
# paragraphs, breaks the table: what follows is read as Markdown, here as a heading. The HTML and slides exports are
# right, and so is the same output without the empty line.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/export.py" <<'P'
import nbformat
from markdown_it import MarkdownIt
from nbconvert import HTMLExporter, MarkdownExporter


def headings(text: str) -> tuple[int, int]:
    page = f"<table><tr><td>{text}</td></tr></table>"
    output = nbformat.v4.new_output("display_data", {"text/html": page})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f()", outputs=[output])])
    markdown, _ = MarkdownExporter().from_notebook_node(notebook)
    html, _ = HTMLExporter().from_notebook_node(notebook)
    tokens = MarkdownIt("commonmark").parse(markdown)
    return sum(token.type == "heading_open" for token in tokens), html.count("<h1")


print(headings("first paragraph\n# second"), headings("first paragraph\n\n# second"))
P
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q nbconvert==7.16.6 nbformat==5.10.4 markdown-it-py==4.0.0
seen=$("$folder/venv/bin/python" "$folder/export.py")
printf 'headings in Markdown and in HTML, without and with an empty line: %s\n' "$seen"
[ "$seen" = "(0, 0) (1, 0)" ]
