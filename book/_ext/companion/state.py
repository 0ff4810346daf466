"""What every part of the extension shares during a build: paths, ledgers, source graph."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util import logging

from . import ledger
from .ledger import Entry
from .sources import SourceTree

logger = logging.getLogger("companion")


@dataclass
class State:
    """Read once per build."""

    root: Path
    book: Path
    ledgers: dict[str, dict[str, Entry]]
    sources: SourceTree

    def canonical(self, dotted: str) -> str | None:
        """``numerics.integrate`` -> ``disorder.numerics.quadrature.integrate``; None if unknown."""
        package = self.sources.package
        parts = dotted.removeprefix(f"{package}.").split(".")
        for cut in range(len(parts), 0, -1):
            module = ".".join([package, *parts[:cut]])
            if module in self.sources.paths:
                rest = parts[cut:]
                return ".".join([self.sources.defining_module(module, rest[0]), *rest]) if rest else module
        return None


def state(app: Sphinx) -> State:
    """The state of the running build."""
    if not hasattr(app, "companion"):
        book = Path(app.srcdir)
        root = book.parent
        problems: list[str] = []
        requirements = [path for path in (root / "requirements.txt",) if path.exists()]
        app.companion = State(
            root, book, ledger.load(book, problems), SourceTree(root / "src", "disorder", *requirements)
        )
        for problem in problems:
            logger.warning(problem, type="companion", subtype="ledger")
    return cast(State, app.companion)


class element(nodes.General, nodes.Element):
    """An HTML element with its `tag`, classes, ids and further `attrs`, holding other nodes."""

    def __init__(self, tag: str = "div", *children: nodes.Node, **attributes: object) -> None:
        super().__init__("", *children, tag=tag, **attributes)


def visit_element(self, node: element) -> None:
    self.body.append(self.starttag(node, node["tag"], "", **node.get("attrs", {})))


def depart_element(self, node: element) -> None:
    self.body.append(f"</{node['tag']}>")


def skip(self, node: nodes.Node) -> None:
    """For builders that are not HTML: only the children are written."""


def span(text: str, *classes: str, **attrs: str) -> element:
    """A piece of text with classes."""
    return element("span", nodes.Text(text), classes=list(classes), attrs=attrs)


def api_reference(current: State, dotted: str, docname: str, text: str = "") -> nodes.Node:
    """A link to the API page of a function; an unknown one stays a link that Sphinx reports as missing."""
    target = current.canonical(dotted)
    if target is None:
        logger.warning(
            "unknown name in the package: %s", dotted, location=docname, type="companion", subtype="api"
        )
        return nodes.literal(dotted, dotted)
    shown = text or dotted.rsplit(".", 1)[-1]
    reference = pending_xref(
        "",
        nodes.literal(shown, shown, classes=["api"]),
        refdomain="py",
        reftype="mod" if target in current.sources.paths else "obj",
        reftarget=target,
        refexplicit=True,
        refdoc=docname,
        refwarn=True,
    )
    # Sphinx wants references inside text, and here they also stand in table cells.
    return nodes.inline("", "", reference)


def entry_reference(entry_paper: str, label: str, docname: str, text: str) -> nodes.Node:
    """A link to the place where the book shows a label of a paper."""
    reference = pending_xref(
        "",
        nodes.inline(text, text, classes=["paper-reference"]),
        refdomain="ledger",
        reftype="entry",
        reftarget=f"{entry_paper}:{label}",
        refexplicit=True,
        refdoc=docname,
        refwarn=True,
    )
    return nodes.inline("", "", reference)
