"""API reference from the docstrings: one generated page per package and module, and an overview of all."""

import ast
import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from .sources import SourceTree
from .state import api_reference, element, state

PACKAGE = """\
# {title}

{about}

```{{api-overview}} {module}
```
"""
MODULE = """\
# {title}

```{{eval-rst}}
.. automodule:: {module}
   :members:
   :member-order: bysource
```
"""


def documented(sources: SourceTree, package: str = "") -> list[str]:
    """Public modules below `package`, packages themselves left out."""
    return [
        module
        for module in sources.paths
        if not sources.is_package(module)
        and module.startswith(package)
        and not any(part.startswith("_") for part in module.split("."))
    ]


def first_paragraph(tree: ast.Module | ast.FunctionDef | ast.ClassDef) -> str:
    """First paragraph of a docstring, its reStructuredText turned into Markdown."""
    text = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ").replace("``", "`")
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text)
    return re.sub(r":[a-z:]+:`~?([^`]*)`", r"`\1`", text)


def write_pages(book: Path, sources: SourceTree) -> None:
    """Write the page of every package and module below ``book/api``, remove pages of what is gone."""
    folder = book / "api"
    packages = [
        module for module in sources.paths if sources.is_package(module) and module != sources.package
    ]
    wanted = {
        f"{module}.md": text.format(
            title=module.rsplit(".", 1)[-1], module=module, about=first_paragraph(sources.tree(module))
        )
        for text, modules in ((PACKAGE, packages), (MODULE, documented(sources)))
        for module in modules
    }
    for stale in {path.name for path in folder.glob(f"{sources.package}.*.md")} - set(wanted):
        (folder / stale).unlink()
    for name, text in wanted.items():
        page = folder / name
        if not page.exists() or page.read_text(encoding="utf8") != text:
            page.write_text(text, encoding="utf8")


def public_objects(tree: ast.Module) -> list[tuple[str, str]]:
    """(name, first paragraph of the docstring) of every documented public function and class."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return [(n.name, text) for n in found if not n.name.startswith("_") and (text := first_paragraph(n))]


class ApiOverview(SphinxDirective):
    """Every public function with its first sentence, module by module; of one package if one is named."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        current = state(self.env.app)
        result: list[nodes.Node] = []
        package = self.arguments[0] + "." if self.arguments else ""
        for module in documented(current.sources, package):
            tree = current.sources.tree(module)
            short = module.removeprefix(f"{current.sources.package}.")
            link = api_reference(current, module, self.env.docname, short)
            about = self.parse_inline(": " + first_paragraph(tree), lineno=self.lineno)[0]
            rows = element("tbody")
            for name, summary in public_objects(tree):
                cell = api_reference(current, f"{module}.{name}", self.env.docname)
                text = self.parse_inline(summary, lineno=self.lineno)[0]
                rows += element("tr", element("td", cell), element("td", *text))
            table = element("table", rows, classes=["api-table", "functions"])
            result.append(element("p", link, *about, classes=["api-module"]))
            result.append(element("div", table, classes=["table-scroll"]))
        return result


def escape_bars(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings write absolute values as ``|t|``, which reStructuredText would take for a substitution."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            # Every second piece stands between backticks and is literal.
            pieces = line.split("`")
            pieces[::2] = [re.sub(r"(?<!\\)\|", r"\\|", piece) for piece in pieces[::2]]
            lines[number] = "`".join(pieces)


def resolve_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """A docstring may name a function of a neighbouring module without its path, as callers do."""
    if node.get("refdomain") != "py" or not node.get("py:module"):
        return None
    package = node["py:module"].rpartition(".")[0]
    target = node["reftarget"].lstrip("~.")
    found = env.get_domain("py").objects.get(
        f"{state(app).sources.defining_module(package, target)}.{target}"
    )
    return found and make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, content, target)


def setup(app: Sphinx) -> None:
    # Before Sphinx looks for documents, and before the table of contents resolves its globs.
    if (Path(app.srcdir) / "api" / "index.md").exists():
        write_pages(Path(app.srcdir), state(app).sources)
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("api-overview", ApiOverview)
    app.connect("autodoc-process-docstring", escape_bars, priority=900)
    app.connect("missing-reference", resolve_short_name)
