"""The performance page: measured ratios from ``book/benchmarks.json``, and what each chapter costs."""

import json
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from .freshness import cost, pages
from .state import element, state

FILE = "benchmarks.json"


def duration(seconds: float) -> str:
    """Three digits with a unit: 1.23 ms."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def table(heads: list[str], rows: list[list[list[nodes.Node]]], *classes: str) -> element:
    """A table in a box that scrolls by itself."""
    head = element("tr", *(element("th", nodes.Text(name), attrs={"scope": "col"}) for name in heads))
    body = element("tbody", *(element("tr", *(element("td", *cell) for cell in row)) for row in rows))
    whole = element("table", element("thead", head), body, classes=["ledger-table", *classes])
    return element("div", whole, classes=["table-scroll"], attrs={"tabindex": "0"})


class BenchmarkTable(SphinxDirective):
    """Time, error and ratio of every measured computation beside its alternatives."""

    def run(self) -> list[nodes.Node]:
        current = state(self.env.app)
        self.env.note_dependency(str(current.book / FILE))
        if not (current.book / FILE).exists():
            return [nodes.paragraph("", "No measurement is recorded: run make bench.")]
        data = json.loads((current.book / FILE).read_text(encoding="utf8"))
        rows = [[[nodes.Text(text)] for text in self.row(item)] for item in data["benchmarks"]]
        heads = ["Computation", "How", "Median", "Rounds", "Error", "Ratio to ours"]
        versions = ", ".join(f"{name} {number}" for name, number in data["versions"].items())
        where = f"Measured on {data['cpu']} with {versions}."
        same = data["sources"] == current.sources.measured_digest(current.root / "tests" / "benchmarks")
        where += (
            " The measured code is that of this book."
            if same
            else " The code has changed since: run make bench."
        )
        return [table(heads, rows, "benchmarks"), nodes.paragraph("", where)]

    def row(self, item: dict[str, Any]) -> list[str]:
        error, ratio = item.get("error"), item.get("ratio")
        compared = "" if item["role"] == "ours" or ratio is None else f"{ratio:.3g}"
        if equal := item.get("ratio_at_equal_error"):
            compared += f" ({equal:.2g} at equal error)"
        return [
            item["group"],
            item["what"],
            duration(item["median"]),
            str(item["rounds"]),
            "" if error is None else f"{error:.1e}",
            compared,
        ]


class page_costs(nodes.General, nodes.Element):
    """Stands for the table of costs until all pages have been read."""


class PageCosts(SphinxDirective):
    """Execution time and peak memory of every page with code."""

    def run(self) -> list[nodes.Node]:
        return [page_costs()]


def fill_costs(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the measured costs in their place."""
    for node in list(doctree.findall(page_costs)):
        rows, total = [], 0.0
        described = pages(app.env)
        for name in app.env.external_site_map:
            seconds, memory = cost(app, name)
            if seconds is None or name not in described:
                continue
            total += seconds
            title = app.env.titles[name].astext()
            link = make_refnode(app.builder, docname, name, "", nodes.inline(title, title))
            cells: list[list[nodes.Node]] = [[nodes.inline("", "", link)], [nodes.Text(f"{seconds:.1f} s")]]
            rows.append([*cells, [nodes.Text("" if memory is None else f"{memory} MB")]])
        rows.append([[nodes.Text("all pages")], [nodes.Text(f"{total:.1f} s")], []])
        node.replace_self(table(["Page", "Executed in", "Peak memory"], rows, "page-costs"))


def costs_pages(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Written again whenever any page was read."""
    return [docname for docname in ("performance",) if docname in env.found_docs]


def setup(app: Sphinx) -> None:
    app.add_directive("benchmark-table", BenchmarkTable)
    app.add_directive("page-costs", PageCosts)
    app.add_node(page_costs)
    app.connect("doctree-resolved", fill_costs)
    app.connect("env-updated", costs_pages)
