"""Which modules of `src/disorder` a page depends on, found by reading the imports. Knows nothing of Sphinx.

``from disorder.magnetic_alloys import alpha_s`` is followed through the package's ``__init__`` to the module
that defines ``alpha_s`` and on through everything that module imports. The hash of these files stands in a
hidden cell of the page, so that the execution cache, which compares cells, executes a page again exactly when
something it uses has changed.
"""

import ast
import hashlib
import re
import sys
from functools import cached_property
from pathlib import Path

CODE_CELL = re.compile(r"^(?P<fence>`{3,}|:{3,})\{code-cell\}.*?\n(?P<body>.*?)^(?P=fence)\s*$", re.M | re.S)


def page_code(text: str) -> str:
    """The Python of all code cells of a MyST page, without cell options and magics."""
    cells = []
    for match in CODE_CELL.finditer(text):
        body = match["body"]
        if body.startswith("---\n"):
            body = body.split("---\n", 2)[2]
        lines = [line for line in body.splitlines() if not re.match(r"\s*[%!]", line)]
        while lines and lines[0].startswith(":"):
            del lines[0]
        cells.append("\n".join(lines))
    return "\n".join(cells)


class SourceTree:
    """The modules of one package below a ``src`` folder and the imports between them."""

    def __init__(self, src: Path, package: str = "disorder", *also: Path) -> None:
        self.package = package
        self.also = also
        self.paths: dict[str, Path] = {}
        for path in sorted((src / package).rglob("*.py")):
            parts = path.relative_to(src).with_suffix("").parts
            self.paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        self._trees: dict[str, ast.Module] = {}

    def tree(self, module: str) -> ast.Module:
        """The parsed source of `module`."""
        if module not in self._trees:
            self._trees[module] = ast.parse(self.paths[module].read_text(encoding="utf8"))
        return self._trees[module]

    def is_package(self, module: str) -> bool:
        return self.paths[module].name == "__init__.py"

    def _absolute(self, module: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = module.split(".")
        base = parts[
            : len(parts) - node.level + (1 if module in self.paths and self.is_package(module) else 0)
        ]
        return ".".join(base + ([node.module] if node.module else []))

    def defining_module(self, module: str, name: str) -> str:
        """The module in which ``from module import name`` ends: re-exports by packages are followed."""
        if f"{module}.{name}" in self.paths:
            return f"{module}.{name}"
        if module in self.paths and self.is_package(module):
            for node in self.tree(module).body:
                if isinstance(node, ast.ImportFrom):
                    for alias in node.names:
                        if name == (alias.asname or alias.name):
                            return self.defining_module(self._absolute(module, node), alias.name)
        return module

    def imports(self, tree: ast.AST, module: str = "") -> set[str]:
        """The modules of the package that `tree` imports, names resolved to where they are defined."""
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                origin = self._absolute(module, node)
                found |= {self.defining_module(origin, alias.name) for alias in node.names}
        return found & set(self.paths)

    def closure(self, modules: set[str]) -> set[str]:
        """`modules` and everything that they import, directly or not."""
        done: set[str] = set()
        waiting = set(modules)
        while waiting:
            module = waiting.pop()
            done.add(module)
            waiting |= self.imports(self.tree(module), module) - done
        return done

    def page_modules(self, text: str) -> set[str]:
        """The modules that a page depends on; all of them if its code cannot be parsed."""
        code = page_code(text)
        if self.package not in code:
            return set()
        try:
            tree = ast.parse(code)
        except SyntaxError:
            return set(self.paths)
        return self.closure(self.imports(tree))

    def page_names(self, text: str) -> list[tuple[str, str]]:
        """(defining module, name) of every public object that the page imports, in order."""
        try:
            tree = ast.parse(page_code(text))
        except SyntaxError:
            return []
        names: dict[tuple[str, str], None] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == self.package:
                for alias in node.names:
                    module = self.defining_module(node.module or "", alias.name)
                    if module in self.paths and module != f"{node.module}.{alias.name}":
                        names[module, alias.name] = None
        return list(names)

    @cached_property
    def _environment(self) -> bytes:
        digest = hashlib.sha256(f"python {sys.version_info.major}.{sys.version_info.minor}".encode())
        for path in self.also:
            digest.update(path.read_bytes())
        return digest.digest()

    def digest(self, modules: set[str] | None = None) -> str:
        """Hash of the sources of `modules` (default: the whole package) and of the pinned requirements."""
        digest = hashlib.sha256(self._environment)
        for module in sorted(self.paths if modules is None else modules):
            digest.update(module.encode() + b"\0" + self.paths[module].read_bytes() + b"\0")
        return digest.hexdigest()[:12]

    def measured_digest(self, benchmarks: Path) -> str:
        """Hash of what the benchmarks in a folder measure: a new measurement is due when it changes."""
        files = sorted(benchmarks.glob("test_*.py"))
        trees = [ast.parse(path.read_text(encoding="utf8")) for path in files]
        return self.digest(self.closure(set().union(*(self.imports(tree) for tree in trees))))
