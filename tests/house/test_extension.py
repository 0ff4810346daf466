"""The directives and roles of the book: what they show, and what they refuse."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from companion.pages import keep_punctuation
from docutils import nodes

LEDGER = r"""
[[entry]]
label = "2"
section = "II"
title = "coupling $J$ at energy $T$"
status = "corrected"
functions = ["magnetic_alloys.first"]
tests = ["tests/test_a.py::test_one", "tests/test_a.py::test_two"]
chapter = "magnetic_alloys/model"
printed = "1.10"
note = "The factor of {paper}`A3b` is lost, see {api}`magnetic_alloys.second`."

[[entry]]
label = "A3b"
section = "A"
title = "a definition"
status = "definition"
chapter = "magnetic_alloys/model"

[[entry]]
label = "Table I"
section = "II"
title = "two numbers"
status = "reproduced"
tests = ["tests/test_a.py::test_one"]
chapter = "magnetic_alloys/model"
printed = {"1/2" = "1.1", "1" = "2.2"}
"""

MODEL = r"""# Model

By {paper}`2` and {paper}`its table <Table I>` with {printed}`Table I:1/2` and {printed}`2`, see {api}`magnetic_alloys.first`.

```{paper-equation} 2
:printed: J = \frac{2}{x}: \ln [T]
\begin{aligned} J &= \frac{1}{2} \\ &= 0.5 \end{aligned}
```

```{paper-equation} A3b
a = b
```

```{paper-item} Table I
Some *content*.
```
"""  # noqa: E501

OTHER = """# Other

```{ledger-table} magnetic_alloys
```

```{errata} magnetic_alloys
```
"""


def test_punctuation_stays_with_its_formula() -> None:
    document = nodes.document("", "")
    sentence = nodes.paragraph()
    sentence += [
        nodes.Text("in ("),
        nodes.math("", "a"),
        nodes.Text("), and "),
        nodes.math("", "b"),
        nodes.Text("."),
    ]
    alone = nodes.paragraph("", "", nodes.math("", "c"), nodes.math("", "d"), nodes.Text(" e"))
    document += [sentence, alone]
    keep_punctuation(None, document, "page")
    assert [piece.astext() for piece in sentence] == ["in ", "(a),", " and ", "b."]
    assert [piece.astext() for piece in alone] == ["c", "d", " e"]


@pytest.fixture
def written(tiny_book: Any) -> Any:
    tiny_book.write("book/magnetic_alloys/equations.toml", LEDGER)
    tiny_book.page("index", "# Landing\n\n```{ledger-search}\n```\n\nAlso {paper}`magnetic_alloys:A3b`.\n")
    tiny_book.page("magnetic_alloys/model", MODEL)
    tiny_book.page("magnetic_alloys/errata", OTHER)
    modules = ["magnetic_alloys.one", "magnetic_alloys.two", "numerics.shared", "numerics.other", "plotting"]
    tiny_book.pages += [f"api/disorder.{module}" for module in modules]
    tiny_book.page("api/index", "# Functions\n\n```{api-overview}\n```\n")
    return tiny_book


def test_a_page_shows_the_papers_numbers_links_and_errata(written: Any) -> None:
    status, said = written.build()
    assert status == 0, said
    page = BeautifulSoup(written.html("magnetic_alloys/model"), "html.parser")

    box = page.find(id="magnetic_alloys-2")
    assert box.find(class_="pe-number").get_text() == "(2)"
    assert box.find(class_="badge-status").get_text() == "corrected"
    formulas = [formula.get_text() for formula in box.find_all(class_="math")]
    assert any(r"\begin{aligned} J &= \frac{1}{2} \\" in formula for formula in formulas)
    assert r"J = \frac{2}{x}: \ln [T]" in box.find(class_="pe-printed").get_text()
    links = {link["href"] for link in box.find_all("a")}
    assert {"#magnetic_alloys-2", "#magnetic_alloys-A3b"} <= links
    assert "../api/disorder.magnetic_alloys.one.html#disorder.magnetic_alloys.one.first" in links
    assert [item.get_text() for item in box.find_all("li")] == [
        "tests/test_a.py::test_one",
        "tests/test_a.py::test_two",
    ]
    assert page.find(id="magnetic_alloys-table-i").find("em").get_text() == "content"

    sentence = page.find("article").find("p")
    assert sentence.get_text() == "By (2) and its table with 1.1 and 1.10, see first."
    assert [link["href"].rpartition("#")[2] for link in sentence.find_all("a")] == [
        "magnetic_alloys-2", "magnetic_alloys-table-i", "disorder.magnetic_alloys.one.first",
    ]  # fmt: skip

    errata = BeautifulSoup(written.html("magnetic_alloys/errata"), "html.parser")
    counts = [
        count.get_text() for count in errata.find(class_="ledger-counts").find_all(class_="badge-status")
    ]
    assert counts == ["1 definition", "1 reproduced", "1 corrected"]
    (erratum,) = errata.find_all(class_="paper-erratum")
    assert erratum.find("a")["href"] == "model.html#magnetic_alloys-2"
    assert [r"\frac{1}{2}" in formula.get_text() for formula in erratum.find_all("div", class_="math")] == [
        True,
        False,
    ]
    assert "mathjax" in written.html("magnetic_alloys/errata").lower()

    landing = BeautifulSoup(written.html("index"), "html.parser")
    assert [row["data-status"] for row in landing.find_all("tr", class_="ledger-row")] == [
        "corrected", "definition", "reproduced",
    ]  # fmt: skip
    assert landing.find("a", href="magnetic_alloys/model.html#magnetic_alloys-A3b") is not None


def test_errata_follow_the_pages_whose_formulas_they_show(written: Any) -> None:
    assert written.build()[0] == 0
    written.edit("book/magnetic_alloys/model.md", "&= 0.5", "&= 0.25 + 0.25")
    assert written.build()[0] == 0
    assert "0.25 + 0.25" in written.html("magnetic_alloys/errata")


def test_faults_stop_the_build(written: Any) -> None:
    faults = """
```{paper-equation} A3b
a = b
```

{paper}`99`, {printed}`Table I:3/2`, {api}`magnetic_alloys.third`, {api}`nowhere.third`.
"""
    written.page(
        "magnetic_alloys/model", MODEL.replace("```{paper-item} Table I\nSome *content*.\n```\n", "") + faults
    )
    written.write(
        "src/disorder/magnetic_alloys/one.py", '"""About."""\n\ndef other():\n    """No first."""\n'
    )
    written.edit("src/disorder/magnetic_alloys/__init__.py", "import first", "import other as first")
    status, said = written.build()
    assert status != 0
    for fault in (
        "magnetic_alloys A3b is already shown on magnetic_alloys/model",
        "no label '99' in the ledger of magnetic_alloys",
        "magnetic_alloys Table I has no printed value '3/2', only ['1', '1/2']",
        "magnetic_alloys Table I is in the ledger but on no page",
        "py:obj reference target not found: disorder.magnetic_alloys.third",
        "unknown name in the package: nowhere.third",
        "ledger:entry reference target not found: magnetic_alloys:Table I",
    ):
        assert fault in said, fault


def test_a_ledger_that_cannot_be_read_stops_the_build(written: Any) -> None:
    written.edit("book/magnetic_alloys/equations.toml", 'status = "definition"', 'status = "proved"')
    status, said = written.build()
    assert status != 0
    assert "entry 'A3b': status 'proved' is none of definition" in said
