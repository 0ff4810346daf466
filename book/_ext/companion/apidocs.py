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


def about(sources: SourceTree, module: str) -> str:
    """First paragraph of the docstring of a module."""
    return (ast.get_docstring(sources.tree(module)) or "").split("\n\n")[0].replace("\n", " ")


def write_pages(book: Path, sources: SourceTree) -> None:
    """Write the page of every package and module below ``book/api``, remove pages of what is gone."""
    folder = book / "api"
    packages = [
        module for module in sources.paths if sources.is_package(module) and module != sources.package
    ]
    wanted = {
        f"{module}.md": text.format(
            title=module.rsplit(".", 1)[-1], module=module, about=about(sources, module)
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
    """(name, first line of the docstring) of every documented public function and class."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            doc = ast.get_docstring(node)
            if doc:
                found.append((node.name, doc.split("\n\n")[0].replace("\n", " ")))
    return found


class ApiOverview(SphinxDirective):
    """Every public function with its first sentence, module by module; of one package if one is named."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        current = state(self.env.app)
        result: list[nodes.Node] = []
        for module in documented(current.sources, self.arguments[0] + "." if self.arguments else ""):
            link = api_reference(
                current, module, self.env.docname, module.removeprefix(f"{current.sources.package}.")
            )
            first = self.parse_inline(
                ": " + about(current.sources, module).replace("``", "`"), lineno=self.lineno
            )[0]
            result.append(element("p", link, *first, classes=["api-module"]))
            rows = element("tbody")
            for name, summary in public_objects(current.sources.tree(module)):
                cell = api_reference(current, f"{module}.{name}", self.env.docname)
                text = self.parse_inline(summary.replace("``", "`"), lineno=self.lineno)[0]
                rows += element("tr", element("td", cell), element("td", *text))
            result.append(
                element("div", element("table", rows, classes=["api-table"]), classes=["table-scroll"])
            )
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
