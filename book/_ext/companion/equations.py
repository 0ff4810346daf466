"""Directives and roles that show the ledger: equations under the papers' numbers, tables, errata."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains import Domain, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import ReferenceRole, SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

from .ledger import ERRATA, PAPERS, STATUSES, Entry
from .state import api_reference, element, entry_reference, logger, span, state


class LedgerDomain(Domain):
    """Remembers on which page each label is shown, and resolves references to it."""

    name = "ledger"
    label = "paper"
    object_types: ClassVar[dict[str, ObjType]] = {"entry": ObjType("entry", "entry")}
    initial_data: ClassVar[dict[str, Any]] = {"shown": {}}
    data_version = 1

    @property
    def shown(self) -> dict[tuple[str, str], dict[str, str]]:
        """(paper, label) -> docname, anchor, tex, printed."""
        return self.data["shown"]

    def note(self, entry: Entry, tex: str, printed: str, location: Any) -> None:
        """Record that `entry` is shown on the page being read."""
        key = (entry.paper, entry.label)
        if key in self.shown:
            logger.warning(
                "%s %s is already shown on %s", *key, self.shown[key]["docname"], location=location,
                type="companion", subtype="duplicate",
            )  # fmt: skip
            return
        self.shown[key] = {
            "docname": self.env.docname,
            "anchor": entry.anchor,
            "tex": tex,
            "printed": printed,
        }

    def clear_doc(self, docname: str) -> None:
        for key in [key for key, place in self.shown.items() if place["docname"] == docname]:
            del self.shown[key]

    def merge_domaindata(self, docnames: Iterable[str], otherdata: dict[str, Any]) -> None:
        self.shown.update(
            {k: place for k, place in otherdata["shown"].items() if place["docname"] in docnames}
        )

    def resolve_xref(
        self, env: BuildEnvironment, fromdocname: str, builder: Builder, typ: str, target: str,
        node: pending_xref, contnode: nodes.Element,
    ) -> nodes.reference | None:  # fmt: skip
        paper, _, label = target.partition(":")
        place = self.shown.get((paper, label))
        if place is None:
            return None
        entry = state(env.app).ledgers[paper][label]
        # Titles are Markdown; a tooltip shows them without the marks of mathematics and code.
        title = entry.title.replace("$", "").replace("`", "").replace("\\", "")
        return make_refnode(builder, fromdocname, place["docname"], place["anchor"], contnode, title)

    def resolve_any_xref(self, *_: Any) -> list[tuple[str, nodes.reference]]:
        return []

    def get_objects(self) -> Iterator[tuple[str, str, str, str, str, int]]:
        for (paper, label), place in self.shown.items():
            yield f"{paper}:{label}", f"{paper} {label}", "entry", place["docname"], place["anchor"], 1


class _Ledger:
    """What directives and roles of the ledger share."""

    env: BuildEnvironment

    def paper(self) -> str:
        """The paper whose labels are meant: that of the entry being shown, else that of the page."""
        return self.env.temp_data.get("companion_paper") or self.env.docname.split("/")[0]

    def lookup(self, text: str) -> tuple[str, str]:
        """``28`` or ``magnetic_alloys:28`` -> (paper, label)."""
        head, _, tail = text.partition(":")
        return (head, tail.strip()) if head in PAPERS else (self.paper(), text)

    def entry(self, paper: str, label: str) -> Entry | None:
        found = state(self.env.app).ledgers.get(paper, {}).get(label)
        if found is None:
            logger.warning(
                "no label %r in the ledger of %s", label, paper, location=self.get_location(),
                type="companion", subtype="unknown",
            )  # fmt: skip
        return found


class _LedgerDirective(_Ledger, SphinxDirective):
    has_content = False

    def markdown(self, text: str, entry: Entry) -> list[nodes.Node]:
        """Parse a note of the ledger: Markdown, with references that mean the entry's paper."""
        holder = element("div")
        before = self.env.temp_data.get("companion_paper")
        self.env.temp_data["companion_paper"] = entry.paper
        try:
            self.state.nested_parse(StringList(text.splitlines(), f"{entry.paper} ledger"), 0, holder)
        finally:
            self.env.temp_data["companion_paper"] = before
        return holder.children

    def inline(self, text: str) -> list[nodes.Node]:
        return self.parse_inline(text, lineno=self.lineno)[0]

    def math(self, tex: str) -> element:
        # sphinx wraps a formula with a line break into `split`, which inside `aligned` changes nothing.
        block = nodes.math_block(tex, tex, nowrap=False, number=None, label=None, docname=self.env.docname)
        return element("div", block, classes=["pe-math"], attrs={"tabindex": "0"})

    def code(self, entry: Entry) -> list[nodes.Node]:
        """Links to the functions of an entry, with spaces between."""
        links: list[nodes.Node] = []
        for dotted in entry.functions:
            links += [nodes.Text(" ")] if links else []
            links.append(api_reference(state(self.env.app), dotted, self.env.docname))
        return links

    def tests(self, entry: Entry) -> list[nodes.Node]:
        items = [element("li", nodes.literal(test, test)) for test in entry.tests]
        return [element("ul", *items, classes=["pe-tests"])] if items else []

    def frame(self, entry: Entry, body: list[nodes.Node], kind: str) -> element:
        """The box around a displayed item: title, badge, permanent link, body, code, note, tests."""
        head = element(
            "div",
            element("span", *self.inline(entry.title), classes=["pe-title"]),
            badge(entry.status),
            permalink(entry),
            classes=["pe-head"],
        )
        foot = element("div", classes=["pe-foot"])
        if entry.functions:
            foot += element("span", span("Code ", "pe-key"), *self.code(entry), classes=["pe-code"])
        if entry.note or entry.tests:
            words = [
                *(["note"] if entry.note else []),
                *(plural(len(entry.tests), "test") if entry.tests else []),
            ]
            more = element("details", element("summary", nodes.Text(" and ".join(words).capitalize())))
            more.extend(self.markdown(entry.note, entry) if entry.note else [])
            more.extend(self.tests(entry))
            more["classes"] = ["pe-more"]
            foot += more
        box = element("div", head, *body, classes=["paper-entry", f"paper-{kind}", f"status-{entry.status}"])
        box["ids"] = [entry.anchor]
        if foot.children:
            box += foot
        return box


def plural(count: int, word: str) -> list[str]:
    """['3 tests']"""
    return [f"{count} {word}" + ("" if count == 1 else "s")]


def badge(status: str, text: str = "") -> element:
    """A pill with the status in words; its meaning is the tooltip."""
    return span(text or status, "badge-status", f"badge-{status}", title=STATUSES[status])


def permalink(entry: Entry) -> element:
    title = f"Permanent link to {entry.text}"
    return element(
        "a",
        nodes.Text("#"),
        classes=["pe-link"],
        attrs={"href": f"#{entry.anchor}", "title": title, "aria-label": title},
    )


class PaperEquation(_LedgerDirective):
    """A displayed equation of the paper under its own number; `printed` shows a wrong printed form too."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"printed": directives.unchanged, "paper": directives.unchanged}
    kind = "equation"

    def run(self) -> list[nodes.Node]:
        paper, label = self.options.get("paper") or self.paper(), self.arguments[0].strip()
        entry = self.entry(paper, label)
        if entry is None:
            return []
        self.assert_has_content()
        printed = self.options.get("printed", "")
        text = "\n".join(self.content)
        body = self.body(entry, text, printed)
        domain = self.env.get_domain("ledger")
        assert isinstance(domain, LedgerDomain)
        domain.note(entry, text if self.kind == "equation" else "", printed, self.get_location())
        return [self.frame(entry, body, self.kind)]

    def body(self, entry: Entry, tex: str, printed: str) -> list[nodes.Node]:
        number = span(entry.text, "pe-number")
        body: list[nodes.Node] = [element("div", self.math(tex), number, classes=["pe-body"])]
        if printed:
            body.append(as_printed(self.math(printed)))
        return body


class PaperItem(PaperEquation):
    """A table, a figure or a checkable claim of the paper; its content is Markdown."""

    option_spec: ClassVar[dict[str, Any]] = {"paper": directives.unchanged}
    kind = "item"

    def body(self, entry: Entry, text: str, printed: str) -> list[nodes.Node]:
        word = "Claim of the paper" if entry.label.startswith("Q") else entry.text
        content = element("div", classes=["pe-content"])
        self.state.nested_parse(self.content, self.content_offset, content)
        return [element("div", nodes.Text(word), classes=["pe-item-label"]), content]


def as_printed(*formula: nodes.Node) -> element:
    return element("div", span("As printed", "pe-key"), *formula, classes=["pe-printed"])


class LedgerTable(_LedgerDirective):
    """Status table of one paper, counts on top; `search` adds the box and the filter."""

    optional_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"search": directives.flag}

    def run(self) -> list[nodes.Node]:
        ledgers = state(self.env.app).ledgers
        papers = [self.arguments[0]] if self.arguments else list(ledgers)
        entries = [entry for paper in papers for entry in ledgers.get(paper, {}).values()]
        if not entries:
            logger.warning("no ledger entries for %s", papers, location=self.get_location(), type="companion")
            return []
        counts = Counter(entry.status for entry in entries)
        summary = element("p", classes=["ledger-counts"])
        for status in STATUSES:
            if counts[status]:
                summary += [badge(status, f"{counts[status]} {status}"), nodes.Text(" ")]
        summary += nodes.Text(f" of {len(entries)} labels.")
        result: list[nodes.Node] = [summary]
        if "search" in self.options:
            result.append(nodes.raw("", SEARCH, format="html"))
        result.append(self.table(entries, several=len(papers) > 1))
        return result

    def table(self, entries: list[Entry], several: bool) -> element:
        heads = [*(["Paper"] if several else []), "Label", "What it says", "Status", "Code", "Tests"]
        head = element("tr", *(element("th", nodes.Text(name), attrs={"scope": "col"}) for name in heads))
        rows = element("tbody")
        for entry in entries:
            cells = [[nodes.Text(PAPERS.get(entry.paper, entry.paper))]] if several else []
            cells += [
                [entry_reference(entry.paper, entry.label, self.env.docname, entry.text)],
                self.inline(entry.title),
                [badge(entry.status)],
                self.code(entry),
                self.test_cell(entry),
            ]
            label = "label" if entry.is_equation else "long-label"
            kinds = [*(["paper"] if several else []), label, "words", "status", "code", "tests"]
            row = element("tr", classes=["ledger-row"])
            row.extend(element("td", *cell, classes=[kind]) for kind, cell in zip(kinds, cells, strict=True))
            row["attrs"] = {"data-status": entry.status}
            rows += row
        table = element("table", element("thead", head), rows, classes=["ledger-table"])
        return element("div", table, classes=["table-scroll"], attrs={"tabindex": "0"})

    def test_cell(self, entry: Entry) -> list[nodes.Node]:
        if not entry.tests:
            return [nodes.Text("none needed")] if entry.status in ("definition", "schematic") else []
        summary = element("summary", nodes.Text(plural(len(entry.tests), "test")[0]))
        return [element("details", summary, *self.tests(entry))]


SEARCH = (
    '<div class="ledger-search" hidden>'
    '<label>Search <input type="search" placeholder="28, spin glass, alpha_s, corrected"></label> '
    "<label>Status <select><option value=''>all</option>"
    + "".join(f'<option value="{status}">{status}</option>' for status in STATUSES)
    + '</select></label> <output aria-live="polite"></output></div>'
)


class LedgerSearch(LedgerTable):
    """The whole book's ledger with a search box; a plain table where JavaScript is off."""

    optional_arguments = 0

    def run(self) -> list[nodes.Node]:
        self.options["search"] = None
        return super().run()


class LedgerLegend(SphinxDirective):
    """What each status means."""

    def run(self) -> list[nodes.Node]:
        rows = element("tbody")
        for status, meaning in STATUSES.items():
            rows += element("tr", element("td", badge(status)), element("td", nodes.Text(meaning)))
        return [element("div", element("table", rows, classes=["api-table"]), classes=["table-scroll"])]


class erratum(nodes.General, nodes.Element):
    """Stands for the two forms of a formula until all pages have been read."""


class Errata(_LedgerDirective):
    """Corrected, clarified and open entries of one paper or of all: both forms, note, evidence."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        ledgers = state(self.env.app).ledgers
        papers = [self.arguments[0]] if self.arguments else list(ledgers)
        result: list[nodes.Node] = []
        for status in ERRATA:
            entries = [
                entry
                for paper in papers
                for entry in ledgers.get(paper, {}).values()
                if entry.status == status
            ]
            if entries:
                title = f"{status.capitalize()}: {STATUSES[status]}"
                result.append(element("p", nodes.Text(title), classes=["errata-status"]))
            result += [self.one(entry, several=len(papers) > 1) for entry in entries]
        if not result:
            result = [nodes.paragraph("", "Nothing to correct so far.")]
        elif not list(nodes.Element("", *result).findall(nodes.math)):
            # Makes Sphinx load MathJax: the formulas themselves arrive after all pages have been read.
            self.env.get_domain("math").data["has_equations"][self.env.docname] = True
        return result

    def one(self, entry: Entry, several: bool) -> element:
        head = element(
            "div",
            entry_reference(entry.paper, entry.label, self.env.docname, entry.text),
            nodes.Text(f" {PAPERS.get(entry.paper, entry.paper)}: " if several else " "),
            element("span", *self.inline(entry.title), classes=["pe-title"]),
            badge(entry.status),
            classes=["pe-head"],
        )
        box = element("div", head, erratum(paper=entry.paper, label=entry.label))
        box["classes"] = ["paper-entry", "paper-erratum", f"status-{entry.status}"]
        box.extend(self.markdown(entry.note, entry))
        if entry.tests:
            summary = element("summary", nodes.Text("Evidence: " + plural(len(entry.tests), "test")[0]))
            box += element("details", summary, *self.tests(entry), classes=["pe-more"])
        return box


def fill_errata(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the formulas of the chapters in their places on the errata pages."""
    domain = app.env.get_domain("ledger")
    assert isinstance(domain, LedgerDomain)
    for node in list(doctree.findall(erratum)):
        place = domain.shown.get((node["paper"], node["label"]), {"tex": "", "printed": ""})
        new: list[nodes.Node] = []
        for tex, make in ((place["tex"], lambda formula: formula), (place["printed"], as_printed)):
            if tex:
                block = nodes.math_block(tex, tex, nowrap=False, number=None, label=None, docname=docname)
                new.append(make(element("div", block, classes=["pe-math"], attrs={"tabindex": "0"})))
        node.replace_self(new)


def errata_pages(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Errata pages are written again whenever any page was read: they show formulas of other pages."""
    return [doc for doc in env.found_docs if doc == "errata" or doc.endswith("/errata")]


class PaperRole(_Ledger, ReferenceRole):
    """{paper}`28`: the paper's number, linked to the place where the book shows it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        paper, label = self.lookup(self.target)
        entry = self.entry(paper, label)
        if entry is None:
            return [nodes.Text(self.title)], []
        text = self.title if self.has_explicit_title else entry.text
        return [entry_reference(paper, label, self.env.docname, text)], []


class ApiRole(_Ledger, ReferenceRole):
    """{api}`magnetic_alloys.alpha_s`: the function's name, linked to its API page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        text = self.title if self.has_explicit_title else ""
        return [api_reference(state(self.env.app), self.target, self.env.docname, text)], []


class PrintedRole(_Ledger, SphinxRole):
    """{printed}`28` or {printed}`Table I:1/2`: the number as the paper prints it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        paper, label = self.lookup(self.text)
        ledger = state(self.env.app).ledgers.get(paper, {})
        key = ""
        if label not in ledger and ":" in label:
            label, key = (piece.strip() for piece in label.rsplit(":", 1))
        entry = self.entry(paper, label)
        if entry is None or key not in entry.printed:
            if entry is not None:
                logger.warning(
                    "%s %s has no printed value %r, only %s", paper, label, key, sorted(entry.printed),
                    location=self.get_location(), type="companion", subtype="unknown",
                )  # fmt: skip
            return [nodes.Text(self.text)], []
        children, messages = self.inliner.parse(
            entry.printed[key], self.lineno, self.inliner, self.inliner.parent
        )
        return [
            element("span", *children, classes=["printed"], attrs={"title": f"as printed, {entry.text}"})
        ], messages


def check_all_shown(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn about labels that no page shows, or that another page shows than the ledger says."""
    domain = env.get_domain("ledger")
    assert isinstance(domain, LedgerDomain)
    for paper, entries in state(app).ledgers.items():
        for label, entry in entries.items():
            place = domain.shown.get((paper, label))
            if place is None:
                logger.warning(
                    "%s %s is in the ledger but on no page", paper, label, type="companion", subtype="missing"
                )
            elif place["docname"] != entry.chapter:
                logger.warning(
                    "%s %s is shown on %s, its ledger says %s", paper, label, place["docname"], entry.chapter,
                    type="companion", subtype="missing",
                )  # fmt: skip


def setup(app: Sphinx) -> None:
    app.add_domain(LedgerDomain)
    for name, directive in {
        "paper-equation": PaperEquation,
        "paper-item": PaperItem,
        "ledger-table": LedgerTable,
        "ledger-search": LedgerSearch,
        "ledger-legend": LedgerLegend,
        "errata": Errata,
    }.items():
        app.add_directive(name, directive)
    for name, role in {"paper": PaperRole(), "api": ApiRole(), "printed": PrintedRole()}.items():
        app.add_role(name, role)
    app.add_node(erratum)
    app.connect("env-check-consistency", check_all_shown)
    app.connect("env-updated", errata_pages)
    app.connect("doctree-resolved", fill_errata)
