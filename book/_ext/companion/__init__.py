"""Sphinx extension of the book: ledger, freshness, page footers, API pages; each module sets up its part."""

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    from . import apidocs, equations, freshness, pages, performance
    from .state import depart_element, element, skip, visit_element

    app.add_node(element, html=(visit_element, depart_element), text=(skip, skip))
    for part in (apidocs, equations, freshness, pages, performance):
        part.setup(app)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
