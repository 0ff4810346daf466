"""The equation ledgers: one TOML file per paper, read into plain records. Knows nothing of Sphinx.

Everything that shows or checks a ledger (directives, pages, tests) goes through :func:`load`.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATUSES = {
    "definition": "a definition of the paper: nothing to prove",
    "derived": "re-derived here, and the step is checked by a test",
    "reproduced": "the printed number or curve comes out of the computation",
    "corrected": "the printed form is wrong; the right one is shown with its evidence",
    "clarified": "the printed form leaves a choice; the choice is named and justified",
    "estimate": "an order of magnitude: its exponents are tested",
    "schematic": "a drawing or a symbolic statement",
    "open": "not settled; what was tried is said",
}
ERRATA = ("corrected", "clarified", "open")
UNTESTED = ("definition", "schematic")

PAPERS = {
    "magnetic_alloys": "Dilute magnetic alloys",
    "amorphous_solids": "Amorphous solids",
    "spin_droplets": "Spin droplets",
    "fermi_glass": "Fermi glass",
    "pairing_droplets": "Pairing droplets",
}

_FIELDS = {
    "label", "section", "title", "status", "functions", "tests", "chapter", "printed", "computed", "note",
}  # fmt: skip
_REQUIRED = ("label", "section", "title", "status", "chapter")


class LedgerError(ValueError):
    """A ledger file does not follow the format."""


@dataclass(frozen=True)
class Computed:
    """A call whose value is compared with the number that stands here, to so many digits."""

    call: str
    value: float
    digits: int
    key: str = ""


@dataclass(frozen=True)
class Entry:
    """One equation, table, figure or quoted claim of a paper."""

    paper: str
    label: str
    section: str
    title: str
    status: str
    chapter: str
    functions: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    printed: dict[str, str] = field(default_factory=dict)
    computed: tuple[Computed, ...] = ()
    note: str = ""

    @property
    def is_equation(self) -> bool:
        return is_equation(self.label)

    @property
    def anchor(self) -> str:
        """The permanent id on the page."""
        return anchor(self.paper, self.label)

    @property
    def text(self) -> str:
        """How a sentence refers to it: (28), Table I, Fig. 2, or the words of a quoted claim."""
        return f"({self.label})" if self.is_equation else self.label.removeprefix("Q: ")


def is_equation(label: str) -> bool:
    """Whether `label` is an equation number (28, A3b, 6.19) and not a table, a figure or a quoted claim."""
    return re.fullmatch(r"[A-Z]?\d+(\.\d+)*[a-z]?", label) is not None


def anchor(paper: str, label: str) -> str:
    """The permanent id of `label` on its page: equation numbers keep their case, words are slugged.

    A dot would begin a class name where a script selects the id: 6.19 becomes 6-19.
    """
    if is_equation(label):
        return f"{paper}-{label.replace('.', '-')}"
    words = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    return f"{paper}-{words}"


def _order(label: str) -> tuple[Any, ...]:
    """Papers' order: equations, appendix equations, tables, figures, claims; numbers as numbers."""
    pieces = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.findall(r"\d+|[^\d]+", label))
    if is_equation(label):
        return (1 if label[0].isalpha() else 0, pieces)
    kind = 2 if label.startswith("Table") else 3 if label.startswith("Fig") else 4
    return (kind, pieces)


def _computed(paper: str, label: str, raw: Any) -> tuple[Computed, ...]:
    tables = [raw] if isinstance(raw, dict) else raw
    try:
        return tuple(Computed(**table) for table in tables)
    except TypeError as error:
        raise LedgerError(
            f"{paper} {label}: computed must hold call, value, digits and maybe key: {error}"
        ) from error


def _entry(paper: str, raw: dict[str, Any], source: Path) -> Entry:
    label = raw.get("label", "?")
    unknown, missing = set(raw) - _FIELDS, [name for name in _REQUIRED if not raw.get(name)]
    if unknown or missing:
        raise LedgerError(f"{source}: entry {label!r}: unknown fields {sorted(unknown)}, missing {missing}")
    if raw["status"] not in STATUSES:
        raise LedgerError(
            f"{source}: entry {label!r}: status {raw['status']!r} is none of {', '.join(STATUSES)}"
        )
    printed = raw.get("printed", {})
    return Entry(
        paper=paper,
        label=label,
        section=raw["section"],
        title=raw["title"],
        status=raw["status"],
        chapter=raw["chapter"],
        functions=tuple(raw.get("functions", ())),
        tests=tuple(raw.get("tests", ())),
        printed=printed if isinstance(printed, dict) else {"": str(printed)},
        computed=_computed(paper, label, raw.get("computed", ())),
        note=raw.get("note", "").strip(),
    )


def sources(book: Path, paper: str = "*") -> list[Path]:
    """The ledger files of one paper or of all."""
    return sorted(book.glob(f"{paper}/equations*.toml"))


def load(book: Path, problems: list[str] | None = None) -> dict[str, dict[str, Entry]]:
    """Read every ledger below `book`.

    Parameters
    ----------
    book : Path
        Its folders are named as the papers.
    problems : list of str, optional
        Takes what breaks the format, which is then skipped; without it the first problem raises.

    Returns
    -------
    dict
        paper -> label -> entry, in the order of the paper.

    Raises
    ------
    LedgerError
        If a file breaks the format or a label occurs twice.
    """
    ledgers: dict[str, dict[str, Entry]] = {}

    def report(message: str) -> None:
        if problems is None:
            raise LedgerError(message)
        problems.append(message)

    for source in sources(book):
        paper = source.parent.name
        try:
            document = tomllib.loads(source.read_text(encoding="utf8"))
        except tomllib.TOMLDecodeError as error:
            report(f"{source}: {error}")
            continue
        if set(document) - {"entry"}:
            report(f"{source}: only [[entry]] tables are allowed, got {sorted(document)}")
        for raw in document.get("entry", ()):
            try:
                entry = _entry(paper, raw, source)
            except LedgerError as error:
                report(str(error))
                continue
            if ledgers.setdefault(paper, {}).setdefault(entry.label, entry) is not entry:
                report(f"{source}: label {entry.label!r} occurs twice")
    known = list(PAPERS)
    return {
        paper: dict(sorted(ledgers[paper].items(), key=lambda item: _order(item[0])))
        for paper in sorted(
            ledgers, key=lambda name: (known.index(name) if name in known else len(known), name)
        )
    }
