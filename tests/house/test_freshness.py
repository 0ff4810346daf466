"""No page can show a stale number: the hash of a page's sources, and the proof with a small built book."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from companion.sources import SourceTree, page_code

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
  language: python
---

# {title}

Value {{glue:text}}`{title}-value:d`.

```{{code-cell}} python
:tags: [hide-input]
from myst_nb import glue
from disorder.paper import {name}
```

```{{code-cell}} python
glue("{title}-value", {name}(), display=False)
```
"""


def make_package(root: Path) -> Path:
    """A package `disorder` whose papers' functions `first` and `second` share one helper module."""
    package = root / "src" / "disorder"
    files = {
        "__init__.py": "",
        "plotting.py": "",
        "numerics/__init__.py": "",
        "numerics/shared.py": "def unit():\n    return 1\n",
        "numerics/other.py": "",
        "paper/__init__.py": "from .one import first\nfrom .two import second as second\n",
        "paper/one.py": "from ..numerics.shared import unit\n\ndef first():\n    return 10 * unit()\n",
        "paper/two.py": "from disorder.numerics import shared\n\n"
        "def second():\n    return 20 * shared.unit()\n",
    }
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf8")
    return package


def page(name: str, title: str = "page") -> str:
    return HEADER.format(title=title, name=name)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf8")


def digest(root: Path, text: str) -> str:
    sources = SourceTree(root / "src")
    return sources.digest(sources.page_modules(text))


def test_names_are_followed_through_the_package_to_their_modules(tmp_path: Path) -> None:
    make_package(tmp_path)
    sources = SourceTree(tmp_path / "src")
    assert sources.page_modules(page("first")) == {"disorder.paper.one", "disorder.numerics.shared"}
    assert sources.page_modules(page("second")) == {"disorder.paper.two", "disorder.numerics.shared"}
    assert sources.page_names(page("second")) == [("disorder.paper.two", "second")]
    both = page("first") + "```{code-cell} python\nfrom disorder import plotting\n```\n"
    assert "disorder.plotting" in sources.page_modules(both)


def test_importing_a_package_means_all_of_it(tmp_path: Path) -> None:
    make_package(tmp_path)
    modules = SourceTree(tmp_path / "src").page_modules("```{code-cell}\nimport disorder.paper as p\n```\n")
    assert modules == {
        "disorder.paper",
        "disorder.paper.one",
        "disorder.paper.two",
        "disorder.numerics.shared",
    }


def test_code_that_cannot_be_read_depends_on_everything(tmp_path: Path) -> None:
    make_package(tmp_path)
    sources = SourceTree(tmp_path / "src")
    assert sources.page_modules("```{code-cell}\nfrom disorder.paper import (\n```\n") == set(sources.paths)


def test_options_and_magics_are_no_code() -> None:
    text = "```{code-cell} python\n---\ntags: [a]\n---\n%time x = 1\ny = 2\n```\n\n"
    text += ":::{code-cell}\n:tags: [b]\nz = 3\n:::\n"
    assert page_code(text) == "y = 2\nz = 3"


@pytest.mark.parametrize(
    ("module", "old", "new", "first", "second"),
    [
        ("paper/one.py", "10", "11", True, False),
        ("paper/two.py", "20", "21", False, True),
        ("numerics/shared.py", "1", "2", True, True),
        ("paper/__init__.py", "from .one", "from .two import second as first  # .one", True, False),
    ],
)
def test_hash_changes_exactly_for_the_pages_that_depend(
    tmp_path: Path, module: str, old: str, new: str, first: bool, second: bool
) -> None:
    package = make_package(tmp_path)
    before = digest(tmp_path, page("first")), digest(tmp_path, page("second"))
    if "__init__" in module:
        (package / module).write_text(
            "from .two import second\nfrom .two import second as first\n", encoding="utf8"
        )
    else:
        edit(package / module, old, new)
    after = digest(tmp_path, page("first")), digest(tmp_path, page("second"))
    assert (before[0] != after[0], before[1] != after[1]) == (first, second)


def test_hash_depends_on_the_requirements(tmp_path: Path) -> None:
    make_package(tmp_path)
    requirements = tmp_path / "requirements.txt"
    digests = set()
    for text in ("numpy==1", "numpy==2"):
        requirements.write_text(text, encoding="utf8")
        digests.add(SourceTree(tmp_path / "src", "disorder", requirements).digest())
    assert len(digests) == 2


def test_real_chapters_depend_on_few_modules(root: Path) -> None:
    """Were every page to depend on every module, any edit would execute the whole book again."""
    sources = SourceTree(root / "src")
    papers = [
        sources.page_modules(path.read_text(encoding="utf8"))
        for path in sorted((root / "book").glob("*/*.md"))
    ]
    used = [modules for modules in papers if modules]
    assert used
    assert min(len(modules) for modules in used) < len(sources.paths) / 2


def test_edit_executes_only_what_depends_on_it(tmp_path: Path, root: Path) -> None:
    package = make_package(tmp_path)
    book = tmp_path / "book"
    book.mkdir()
    for name in ("first", "second"):
        (book / f"{name}.md").write_text(page(name, name), encoding="utf8")
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: first\nchapters: [{file: second}]\n", encoding="utf8"
    )
    for name in ("CITATION.cff", "pyproject.toml"):
        (tmp_path / name).write_bytes((root / name).read_bytes())
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    (book / "references.bib").write_bytes((root / "book" / "references.bib").read_bytes())
    config["sphinx"]["extra_extensions"] = ["sphinx.ext.napoleon"]
    config["sphinx"]["local_extensions"] = {"companion": str(root / "book" / "_ext")}
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf8")

    def build() -> dict[str, tuple[str, float]]:
        """name -> (shown value, time at which the outputs were made)"""
        command = [Path(sys.executable).parent / "jupyter-book", "build", "book", "--config", "_config.yml"]
        command += ["--toc", str(tmp_path / "_toc.yml"), "--path-output", ".", "-W", "-n", "--keep-going"]
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        shown = {}
        for name in ("first", "second"):
            html = (tmp_path / "_build" / "html" / f"{name}.html").read_text(encoding="utf8")
            value = re.search(r"Value <span[^>]*>(?:<strong>)?(\d+)", html) or re.search(
                r"Value .*?(\d+)", html
            )
            assert value is not None
            assert "executed in" in html
            assert "peak memory" in html
            notebook = json.loads((tmp_path / "_build" / "jupyter_execute" / f"{name}.ipynb").read_text())
            source = "".join(notebook["cells"][-1]["source"])
            shown[name] = (value[1], re.search(r"# sources (\w+)", source)[1])  # type: ignore[index]
        return shown

    def executed() -> int:
        return sum(1 for _ in (tmp_path / "_build" / ".jupyter_cache" / "executed").iterdir())

    before = build()
    assert (before["first"][0], before["second"][0], executed()) == ("10", "20", 2)
    edit(package / "paper" / "one.py", "10", "11")
    after = build()
    assert (after["first"][0], after["second"]) == ("11", before["second"])
    # One more execution stands in the cache: that of the page that depends on the edited module.
    assert executed() == 3
