"""How Sphinx makes a site of these pages: `make docs`."""

import re
from pathlib import Path
from typing import Any

import merman
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = Path(__file__).parent
REPOSITORY = "https://github.com/cleanrooms-operator/cleanrooms-operator"
ELSEWHERE = re.compile(r"\]\((?:\.\./)+((?!\.\.)[^)#\s]*)(#[^)\s]*)?\)")
"""A link out of a folder, as it works where the repository is browsed."""

project = "cleanrooms-operator"
copyright = "the authors of cleanrooms-operator"  # noqa: A001  Sphinx's own name for it
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
exclude_patterns = ["conf.py"]
html_theme = "furo"
html_title = project
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["pictures.css"]
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
}


class Mermaid(SphinxDirective):
    """A picture, drawn when the site is built: readers need neither a script nor a network."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the picture as SVG with an id of its own, for its styles reach the whole page."""
        identifier = f"picture-{self.env.new_serialno('mermaid')}"
        svg = merman.MermanEngine(None, None).render_svg("\n".join(self.content), None)
        drawn = svg.replace("#merman", f"#{identifier}").replace('"merman', f'"{identifier}')
        html = f'<figure class="picture">{drawn}</figure>'
        return [nodes.raw("", html, format="html")]


def lead_to_the_repository(_app: Sphinx, page: str, source: list[str]) -> None:
    """Let links to files beside `docs/` lead to where the sources are."""

    def address(link: re.Match[str]) -> str:
        target = ((FOLDER / page).parent / link[0][2:].split("#")[0].rstrip(")")).resolve()
        if target.is_relative_to(FOLDER):
            return link[0]
        where = target.relative_to(FOLDER.parent)
        kind = "tree" if target.is_dir() else "blob"
        return f"]({REPOSITORY}/{kind}/main/{where}{link[2] or ''})"

    source[0] = ELSEWHERE.sub(address, source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of what is added here."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", lead_to_the_repository)
    return {"parallel_read_safe": True}
