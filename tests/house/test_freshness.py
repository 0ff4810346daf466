"""No page can show a stale number: the hash of a page's sources, and the proof with a small built book."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from companion.sources import SourceTree, page_code

PAGE = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
  language: python
---

# {name}

Value {{glue:text}}`{name}-value:d`.

```{{code-cell}} python
:tags: [hide-input]
from myst_nb import glue
from disorder.magnetic_alloys import {name}
```

```{{code-cell}} python
glue("{name}-value", {name}(), display=False)
```
"""
FIRST, SECOND = PAGE.format(name="first"), PAGE.format(name="second")
PAPER = "src/disorder/magnetic_alloys"


def digest(root: Path, text: str) -> str:
    sources = SourceTree(root / "src")
    return sources.digest(sources.page_modules(text))


def test_names_are_followed_through_the_package_to_their_modules(tiny_book: Any) -> None:
    sources = SourceTree(tiny_book.root / "src")
    shared, paper = "disorder.numerics.shared", "disorder.magnetic_alloys"
    assert sources.page_modules(FIRST) == {f"{paper}.one", shared}
    assert sources.page_modules(SECOND) == {f"{paper}.two", shared}
    assert sources.page_names(SECOND) == [(f"{paper}.two", "second")]
    drawing = FIRST + "```{code-cell} python\nfrom disorder import plotting\n```\n"
    assert sources.page_modules(drawing) == {f"{paper}.one", shared, "disorder.plotting"}
    assert sources.page_names(drawing) == [(f"{paper}.one", "first")]


def test_importing_a_package_means_all_of_it(tiny_book: Any) -> None:
    modules = SourceTree(tiny_book.root / "src").page_modules(
        "```{code-cell}\nimport disorder.magnetic_alloys as p\n```\n"
    )
    paper = "disorder.magnetic_alloys"
    assert modules == {paper, f"{paper}.one", f"{paper}.two", "disorder.numerics.shared"}


def test_code_that_cannot_be_read_depends_on_everything(tiny_book: Any) -> None:
    sources = SourceTree(tiny_book.root / "src")
    broken = "```{code-cell}\nfrom disorder.magnetic_alloys import (\n```\n"
    assert sources.page_modules(broken) == set(sources.paths)


def test_options_and_magics_are_no_code() -> None:
    text = "```{code-cell} python\n---\ntags: [a]\n---\n%time x = 1\ny = 2\n```\n\n"
    text += ":::{code-cell}\n:tags: [b]\nz = 3\n:::\n"
    assert page_code(text) == "y = 2\nz = 3"


@pytest.mark.parametrize(
    ("module", "old", "new", "first", "second"),
    [
        (f"{PAPER}/one.py", "10", "11", True, False),
        (f"{PAPER}/two.py", "20", "21", False, True),
        ("src/disorder/numerics/shared.py", "1", "2", True, True),
        ("src/disorder/numerics/other.py", "", "x = 1\n", False, False),
        (f"{PAPER}/__init__.py", "from .one import first", "from .two import second as first", True, False),
    ],
)
def test_hash_changes_exactly_for_the_pages_that_depend(
    tiny_book: Any, module: str, old: str, new: str, first: bool, second: bool
) -> None:
    before = digest(tiny_book.root, FIRST), digest(tiny_book.root, SECOND)
    if old:
        tiny_book.edit(module, old, new)
    else:
        tiny_book.write(module, new)
    after = digest(tiny_book.root, FIRST), digest(tiny_book.root, SECOND)
    assert (before[0] != after[0], before[1] != after[1]) == (first, second)


def test_hash_depends_on_the_requirements(tiny_book: Any) -> None:
    digests = set()
    for text in ("numpy==1", "numpy==2"):
        requirements = tiny_book.write("requirements.txt", text)
        digests.add(SourceTree(tiny_book.root / "src", "disorder", requirements).digest())
    assert len(digests) == 2


def test_real_chapters_depend_on_few_modules(root: Path) -> None:
    """Were every page to depend on every module, any edit would execute the whole book again."""
    sources = SourceTree(root / "src")
    papers = [
        sources.page_modules(path.read_text(encoding="utf8")) for path in (root / "book").glob("*/*.md")
    ]
    used = [modules for modules in papers if modules]
    assert used
    assert min(len(modules) for modules in used) < len(sources.paths) / 2


def test_edit_executes_only_what_depends_on_it(tiny_book: Any) -> None:
    tiny_book.page("first", FIRST)
    tiny_book.page("second", SECOND)
    build = tiny_book.root / "_build"

    def built() -> dict[str, tuple[str, str]]:
        """name -> (number in the sentence, hash of the sources behind it)"""
        status, said = tiny_book.build()
        assert status == 0, said
        shown = {}
        for name in ("first", "second"):
            value = re.search(r"Value .*?(\d+)", tiny_book.html(name))
            facts = r"executed in [\d.]+ s, peak memory \d+ MB.* · sources used <code>(\w+)</code> · version"
            source = re.search(facts, tiny_book.html(name))
            assert value is not None
            assert source is not None
            last_cell = json.loads((build / "jupyter_execute" / f"{name}.ipynb").read_text())["cells"][-1]
            assert source[1] in "".join(last_cell["source"])
            shown[name] = (value[1], source[1])
        return shown

    def executions() -> int:
        return sum(1 for _ in (build / ".jupyter_cache" / "executed").iterdir())

    before = built()
    assert (before["first"][0], before["second"][0], executions()) == ("10", "20", 2)
    tiny_book.edit(f"{PAPER}/one.py", "10", "11")
    after = built()
    assert after["first"][0] == "11"
    assert after["first"][1] != before["first"][1]
    assert after["second"] == before["second"]
    # One more execution stands in the cache: that of the page that depends on the edited module.
    assert executions() == 3
