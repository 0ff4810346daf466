"""The walls of the house: who imports whom, what a chapter may contain, which pages must exist."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from companion.sources import CODE_CELL, SourceTree

ROOT = Path(__file__).parents[2]
SOURCES = SourceTree(ROOT / "src")
CHAPTERS = [
    path
    for path in sorted((ROOT / "book").rglob("*.md"))
    if CODE_CELL.search(path.read_text(encoding="utf8"))
]
NAMES = [str(path.relative_to(ROOT / "book")) for path in CHAPTERS]
LONGEST_CELL = 12


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_paper_is_under_contract() -> None:
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf8")
    papers = [path.name for path in (ROOT / "src" / "disorder").iterdir() if (path / "__init__.py").exists()]
    assert [
        paper for paper in papers if contracts.count(f'"disorder.{paper}"') < 2 - (paper == "numerics")
    ] == []


def test_nothing_in_the_package_imports_plotting_or_reads_the_book() -> None:
    importers = [
        name for name in SOURCES.paths if "disorder.plotting" in SOURCES.imports(SOURCES.tree(name), name)
    ]
    assert [name for name in importers if not name.startswith("disorder.plotting")] == []
    assert [name for name, path in SOURCES.paths.items() if "book/" in path.read_text(encoding="utf8")] == []


def test_packages_of_papers_define_nothing_themselves() -> None:
    """Freshness follows a name through `__init__` to its module: what `__init__` defined would be missed."""
    for name, path in SOURCES.paths.items():
        if path.name == "__init__.py" and name.count(".") == 1:
            body = SOURCES.tree(name).body
            allowed = (ast.ImportFrom, ast.Expr, ast.Assign)
            assert all(isinstance(node, allowed) for node in body), name
            targets = [ast.unparse(node.targets[0]) for node in body if isinstance(node, ast.Assign)]
            assert set(targets) <= {"__all__"}, name


def test_public_names_of_a_paper_exist_and_are_documented() -> None:
    for name, path in SOURCES.paths.items():
        if path.name == "__init__.py" and name.count(".") == 1 and name != "disorder.numerics":
            package = importlib.import_module(name)
            assert sorted(package.__all__) == sorted(set(package.__all__)), name
            assert [x for x in package.__all__ if not (getattr(package, x).__doc__ or "").strip()] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_chapter_imports_public_names_only(chapter: Path) -> None:
    private = []
    for match in CODE_CELL.finditer(chapter.read_text(encoding="utf8")):
        for line in match["body"].splitlines():
            assert not re.match(r"\s*import disorder", line), f"import names, not modules: {line}"
    from companion.sources import page_code

    for node in ast.walk(ast.parse(page_code(chapter.read_text(encoding="utf8")))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "disorder":
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                public = alias.name in getattr(module, "__all__", [alias.name]) and not alias.name.startswith(
                    "_"
                )
                is_module = f"{node.module}.{alias.name}" in SOURCES.paths
                if not public and not is_module:
                    private.append(f"{node.module}.{alias.name}")
            depth = (node.module or "").count(".")
            if depth > 1 and not (node.module or "").startswith("disorder.numerics"):
                private.append(f"{node.module}: import from the package of the paper")
    assert private == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_glued_numbers_do_not_show_where_they_are_made(chapter: Path) -> None:
    text = chapter.read_text(encoding="utf8")
    shown = [
        call
        for match in CODE_CELL.finditer(text)
        if "remove-cell" not in match["body"] and "remove-output" not in match["body"]
        for call in re.findall(r"^ *glue\(.*$", match["body"], re.MULTILINE)
        if "display=False" not in call
    ]
    assert shown == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_visible_cells_are_short(chapter: Path) -> None:
    text, long = chapter.read_text(encoding="utf8"), []
    for match in CODE_CELL.finditer(text):
        body = match["body"]
        options, code = "", body
        if body.startswith("---\n"):
            _, options, code = body.split("---\n", 2)
        else:
            lines = body.splitlines()
            count = next((i for i, line in enumerate(lines) if not line.startswith(":")), len(lines))
            options, code = "\n".join(lines[:count]), "\n".join(lines[count:])
        hidden = re.search(r"hide-input|hide-cell|remove-input|remove-cell", options)
        length = sum(1 for line in code.strip().splitlines() if line.strip())
        if not hidden and length > LONGEST_CELL:
            long.append(f"line {text[: match.start()].count(chr(10)) + 1}: {length} lines")
    assert long == []


def test_table_of_contents_names_every_page_and_package() -> None:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf8")
    listed = set(re.findall(r"file: (\S+)", toc)) | {yaml.safe_load(toc)["root"]}
    pages = {
        str(path.relative_to(ROOT / "book").with_suffix(""))
        for path in (ROOT / "book").rglob("*.md")
        if "_ext" not in path.parts and not path.name.startswith("disorder.")
    }
    assert listed - {name for name in listed if name.startswith("api/disorder.")} == pages
    packages = {f"api/{name}" for name in SOURCES.paths if SOURCES.is_package(name) and "." in name}
    assert packages <= listed
    assert {f"{name}.*" for name in packages} == set(re.findall(r"glob: (\S+)", toc))
