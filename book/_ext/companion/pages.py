"""What stands around the text of every page: functions used, how to cite, cost, version."""

import re
import tomllib
from html import escape
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from pybtex.database import Entry as BibEntry
from pybtex.database import parse_file
from sphinx.application import Sphinx
from sphinx.config import Config

from .freshness import cost, pages
from .ledger import PAPERS
from .state import logger, state

# Key in references.bib of the paper that a folder of the book is about.
BIB_KEYS = {
    "magnetic_alloys": "vavilov2003",
    "amorphous_solids": "burin1996",
    "spin_droplets": "narozhny2000",
    "fermi_glass": "lau2024",
    "pairing_droplets": "zhou1998",
}


def set_version(app: Sphinx, config: Config) -> None:
    """The version of the package is the version of the book."""
    pyproject = Path(app.srcdir).parent / "pyproject.toml"
    config.version = config.release = tomllib.loads(pyproject.read_text(encoding="utf8"))["project"][
        "version"
    ]


def citation(app: Sphinx) -> dict[str, Any]:
    if not hasattr(app, "companion_citation"):
        file = Path(app.srcdir).parent / "CITATION.cff"
        app.companion_citation = yaml.safe_load(file.read_text(encoding="utf8"))
    return app.companion_citation


def bibliography(app: Sphinx) -> dict[str, BibEntry]:
    if not hasattr(app, "companion_bibliography"):
        file = Path(app.srcdir) / "references.bib"
        app.companion_bibliography = parse_file(str(file)).entries if file.exists() else {}
    return app.companion_bibliography


def functions_used(app: Sphinx, docname: str) -> str:
    """Links to the API pages of everything that the cells of a page import from the package."""
    page = pages(app.env).get(docname)
    objects = app.env.get_domain("py").objects
    links = []
    for module, name in page.names if page else ():
        known = objects.get(f"{module}.{name}")
        if known is None:
            if objects:
                logger.warning(
                    "%s imports %s, which has no API entry", docname, f"{module}.{name}", location=docname
                )
            continue
        uri = app.builder.get_relative_uri(docname, known.docname)
        links.append(f'<a href="{uri}#{known.node_id}"><code class="api">{escape(name)}</code></a>')
    if not links:
        return ""
    return f'<p class="functions-used"><strong>Functions used on this page</strong> {" ".join(links)}</p>'


def cite(app: Sphinx, docname: str, title: str) -> str:
    """The folded block that cites this page and, on a paper's pages, the paper."""
    about = citation(app)
    authors = " and ".join(author["name"] for author in about["authors"])
    year = str(about["date-released"])[:4]
    page, version = f"{docname}.html", app.config.release
    key = "companion-" + docname.replace("/", "-").replace("_", "-")
    text = f"{authors}, “{title}”, in {about['title']}, version {version} ({year}), page {page}."
    bibtex = (
        f"@incollection{{{key},\n  author = {{{{{authors}}}}},\n  title = {{{title}}},\n"
        f"  booktitle = {{{about['title']}}},\n  year = {{{year}}},\n"
        f"  note = {{Version {version}, page {page}}},\n}}"
    )
    parts = [f"<p>{escape(text)}</p>", f"<pre>{escape(bibtex)}</pre>"]
    paper = BIB_KEYS.get(docname.split("/")[0], "")
    entry = bibliography(app).get(paper)
    if entry is not None:
        parts += [
            "<p>And the paper itself:</p>",
            f"<pre>{escape(entry.to_string('bibtex').strip())}</pre>",
            "<p>To point to one equation, add its anchor: "
            f"<code>{escape(page)}#{docname.split('/')[0]}-<em>number</em></code>.</p>",
        ]
    return f'<details class="cite-page"><summary>Cite this page</summary>{"".join(parts)}</details>'


def facts(app: Sphinx, docname: str) -> str:
    """One line: what the execution cost, hash of the sources, version."""
    page = pages(app.env).get(docname)
    pieces = []
    if page and page.has_code:
        seconds, memory = cost(app, docname)
        if seconds is not None:
            spent = f"executed in {seconds:.1f} s"
            pieces.append(
                f'<span class="page-cost">{spent}'
                + (f", peak memory {memory} MB</span>" if memory else "</span>")
            )
    digest = page.digest if page else state(app).sources.digest()
    kind = "sources used" if page and page.has_code else "sources"
    pieces.append(f"{kind} <code>{digest[:8]}</code>")
    pieces.append(f"version {escape(app.config.release)}")
    return f'<p class="page-facts">{" · ".join(pieces)}</p>'


def finish(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Append the end of the page to its body, and offer the executed notebook for download."""
    if doctree is None or "body" not in context:
        return
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else pagename
    end = functions_used(app, pagename) + cite(app, pagename, title) + facts(app, pagename)
    context["body"] += f'<section class="page-end" aria-label="About this page">{end}</section>'
    page = pages(app.env).get(pagename)
    if page and page.has_code:
        # With its outputs: the theme's own button would offer a notebook that was never run.
        notebook = Path(app.outdir).parent / "jupyter_execute" / f"{pagename}.ipynb"
        target = Path(app.outdir) / "_sources" / f"{pagename}.ipynb"
        if notebook.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(notebook.read_bytes())
            context["ipynb_source"] = f"{pagename}.ipynb"


def keep_punctuation(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Tie formulas inside sentences to the bracket before and the punctuation after them."""
    for math in list(doctree.findall(nodes.math)):
        parent = math.parent
        index = parent.index(math)
        before = parent[index - 1].astext() if index and isinstance(parent[index - 1], nodes.Text) else ""
        last = index + 1 == len(parent)
        after = "" if last or not isinstance(parent[index + 1], nodes.Text) else parent[index + 1].astext()
        opening, closing = re.search(r"[(\[]?$", before)[0], re.match(r"[.,;:!?)\]]*", after)[0]
        if opening or closing:
            tied = nodes.inline("", "", nodes.Text(opening), math, nodes.Text(closing), classes=["nobreak"])
            pieces = [nodes.Text(before.removesuffix(opening)), tied, nodes.Text(after.removeprefix(closing))]
            pieces = [piece for piece in pieces if piece.astext()]
            parent[index - bool(before) : index + 1 + bool(after)] = pieces


def drop_thebe(app: Sphinx) -> None:
    """Silence sphinx-thebe, which Jupyter Book loads: its script comes twice and from another host."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")]
    app.registry.css_files[:] = [style for style in app.registry.css_files if "thebe" not in style[0]]


def setup(app: Sphinx) -> None:
    assert set(BIB_KEYS) == set(PAPERS)
    app.connect("config-inited", set_version, priority=100)
    app.connect("html-page-context", finish, priority=400)
    app.connect("doctree-resolved", keep_punctuation)
    drop_thebe(app)
