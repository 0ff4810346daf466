"""The ledgers are complete and true: every label, function, test, page and number in them holds."""

import csv
import importlib
import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from companion import ledger
from companion.ledger import ERRATA, UNTESTED, Computed, Entry, LedgerError

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "book"
LEDGERS = ledger.load(BOOK)
ENTRIES = [entry for entries in LEDGERS.values() for entry in entries.values()]
SHOWN = re.compile(r"^\s*(?:`{3,}|:{3,})\{paper-(equation|item)\}\s*(.+?)\s*$", re.M)


def built_papers() -> list[str]:
    return [paper for paper in ledger.PAPERS if (BOOK / paper / "index.md").exists()]


def wanted_labels(paper: str) -> list[str]:
    with (ROOT / "tests" / "labels.csv").open(encoding="utf8", newline="") as file:
        return [row["label"] for row in csv.DictReader(file) if row["paper"] == paper]


def parts(label: str, among: list[str]) -> list[str]:
    """The label itself, or the two or more parts (16a, 16b) into which it was split."""
    if label in among:
        return [label]
    split = [other for other in among if re.fullmatch(re.escape(label) + "[a-z]", other)]
    return split if len(split) > 1 else []


def named(entry: Entry) -> str:
    return f"{entry.paper}:{entry.label}"


def test_labels_of_all_five_papers_are_listed() -> None:
    assert {paper: len(wanted_labels(paper)) for paper in ledger.PAPERS} == {
        "magnetic_alloys": 113, "amorphous_solids": 127, "spin_droplets": 103,
        "fermi_glass": 44, "pairing_droplets": 26,
    }  # fmt: skip


@pytest.mark.parametrize("paper", built_papers())
def test_every_label_has_an_entry_and_no_entry_is_invented(paper: str) -> None:
    wanted, have = wanted_labels(paper), list(LEDGERS[paper])
    assert [label for label in wanted if not parts(label, have)] == []
    assert set(have) == {part for label in wanted for part in parts(label, have)}


@pytest.mark.parametrize("paper", built_papers())
def test_every_label_is_shown_once_on_its_page(paper: str) -> None:
    shown = []
    for page in sorted((BOOK / paper).glob("*.md")):
        for kind, label in SHOWN.findall(page.read_text(encoding="utf8")):
            shown.append((label, f"{paper}/{page.stem}", kind))
    assert [label for label, count in Counter(label for label, *_ in shown).items() if count > 1] == []
    assert {(label, page) for label, page, _ in shown} == {
        (e.label, e.chapter) for e in LEDGERS[paper].values()
    }
    assert [label for label, _, kind in shown if (kind == "equation") != ledger.is_equation(label)] == []


def test_entries_have_the_evidence_that_their_status_asks_for() -> None:
    untested = [named(e) for e in ENTRIES if e.status not in UNTESTED and not e.tests]
    unexplained = [named(e) for e in ENTRIES if e.status in ERRATA and len(e.note) < 80]
    assert (untested, unexplained) == ([], [])


def test_functions_exist_and_are_public() -> None:
    wrong = []
    for entry in ENTRIES:
        for dotted in entry.functions:
            package, _, name = dotted.rpartition(".")
            module = importlib.import_module(f"disorder.{package}")
            if not callable(getattr(module, name, None)) or name not in getattr(module, "__all__", [name]):
                wrong.append(f"{named(entry)}: {dotted}")
    assert wrong == []


def test_tests_are_collected() -> None:
    named_tests = {test for entry in ENTRIES for test in entry.tests}
    files = sorted({test.partition("::")[0] for test in named_tests})
    assert [file for file in files if not (ROOT / file).exists()] == []
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert listing.returncode == 0, listing.stdout + listing.stderr
    collected = {line.strip() for line in listing.stdout.splitlines() if "::" in line}
    collected |= {line.partition("[")[0] for line in collected}
    assert sorted(named_tests - collected) == []


COMPUTED = [(entry, item) for entry in ENTRIES for item in entry.computed]


@pytest.mark.parametrize(
    ("entry", "item"), COMPUTED, ids=[f"{named(e)} {c.key}".strip() for e, c in COMPUTED]
)
def test_computed_value_is_what_the_function_returns(entry: Entry, item: Computed) -> None:
    names = {paper: importlib.import_module(f"disorder.{paper}") for paper in LEDGERS}
    got = float(eval(item.call, {"np": np, "math": math, **names}))
    if item.value == 0:
        assert abs(got) <= 10.0**-item.digits
    else:
        last = 10.0 ** (math.floor(math.log10(abs(item.value))) + 1 - item.digits)
        assert abs(got - item.value) <= 0.5 * last * (1 + 1e-9), f"{item.call} = {got!r}"


def test_reproduced_numbers_round_to_the_printed_ones() -> None:
    """A reproduced number rounds to the printed one in its last digit, or the note says why it cannot."""
    wrong = []
    for entry in ENTRIES:
        values = {item.key: item.value for item in entry.computed}
        if entry.status != "reproduced" or not entry.printed:
            continue
        if set(values) != set(entry.printed):
            if not entry.note:
                wrong.append(
                    f"{named(entry)}: printed {sorted(entry.printed)}, computed {sorted(values)}, no note"
                )
            continue
        for key, printed in entry.printed.items():
            number = re.fullmatch(r"[-+]?\d+(?:\.(\d+))?", printed.strip())
            if number is None:
                if not entry.note:
                    wrong.append(f"{named(entry)} {key}: {printed!r} is no plain number and has no note")
            elif abs(values[key] - float(printed)) > 0.5 * 10.0 ** -len(number[1] or "") * (1 + 1e-9):
                wrong.append(f"{named(entry)} {key}: printed {printed}, computed {values[key]}")
    assert wrong == []


def test_anchors_are_unique_and_keep_the_case_of_labels() -> None:
    anchors = [entry.anchor for entry in ENTRIES]
    assert len(anchors) == len(set(anchors))
    assert ledger.anchor("magnetic_alloys", "A3b") == "magnetic_alloys-A3b"
    assert ledger.anchor("amorphous_solids", "6.19") == "amorphous_solids-6-19"
    assert ledger.anchor("magnetic_alloys", "Table I") == "magnetic_alloys-table-i"
    assert ledger.anchor("p", "Q: N = 3000, 1e5 steps (Fig. 2)") == "p-q-n-3000-1e5-steps-fig-2"


def test_order_is_that_of_the_paper(tmp_path: Path) -> None:
    labels = ["Q: a claim", "Fig. 10", "A3b", "10", "Table I", "2", "Fig. 2", "16b", "16a", "A3a", "B1"]
    write(tmp_path, *({"label": label} for label in labels))
    assert list(ledger.load(tmp_path)["magnetic_alloys"]) == [
        "2", "10", "16a", "16b", "A3a", "A3b", "B1", "Table I", "Fig. 2", "Fig. 10", "Q: a claim",
    ]  # fmt: skip


def write(book: Path, *entries: dict[str, str]) -> None:
    default = {"section": "I", "title": "t", "status": "derived", "chapter": "magnetic_alloys/model"}
    lines = []
    for entry in entries:
        lines.append("[[entry]]")
        lines += [f'{key} = "{value}"' for key, value in (default | entry).items()]
    (book / "magnetic_alloys").mkdir(exist_ok=True)
    (book / "magnetic_alloys" / "equations.toml").write_text("\n".join(lines), encoding="utf8")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"label": "1", "status": "proved"}, "status 'proved' is none of definition"),
        ({"label": "1", "title": ""}, "missing \\['title'\\]"),
        ({"label": "1", "chaptre": "x"}, "unknown fields \\['chaptre'\\]"),
        ({"label": "1", "computed": "3"}, "computed must hold call, value, digits"),
    ],
)
def test_broken_entries_are_refused(tmp_path: Path, entry: dict[str, str], message: str) -> None:
    write(tmp_path, entry)
    with pytest.raises(LedgerError, match=message):
        ledger.load(tmp_path)


def test_a_label_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"label": "1"}, {"label": "1"})
    with pytest.raises(LedgerError, match="'1' occurs twice"):
        ledger.load(tmp_path)
