"""The committed measurements: complete, consistent, and as accurate as was promised."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def condense() -> Any:
    spec = importlib.util.spec_from_file_location("condense", ROOT / "tests" / "benchmarks" / "condense.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.condense


@pytest.fixture(scope="module")
def measured() -> list[dict[str, Any]]:
    return json.loads((ROOT / "book" / "benchmarks.json").read_text(encoding="utf8"))["benchmarks"]


def report(*rows: tuple[str, str, str, float]) -> dict[str, Any]:
    benchmarks = [
        {
            "name": what,
            "fullname": what,
            "group": group,
            "extra_info": {"what": what, "role": role, "error": 1e-9},
            "stats": {"median": median, "rounds": 3},
        }
        for group, what, role, median in rows
    ]
    return {"machine_info": {"python_version": "3.11", "cpu": {"brand_raw": "c"}}, "benchmarks": benchmarks}


def test_ratios_are_to_ours_and_ours_comes_first(condense: Any) -> None:
    rows = condense(report(("g", "slow", "alternative", 3.0), ("g", "fast", "ours", 0.5)))["benchmarks"]
    assert [(row["what"], row["ratio"]) for row in rows] == [("fast", 1.0), ("slow", 6.0)]


def test_statistical_errors_are_compared_at_equal_error(condense: Any) -> None:
    whole = report(("g", "slow", "alternative", 3.0), ("g", "fast", "ours", 0.5))
    for item in whole["benchmarks"]:
        item["extra_info"]["statistical"] = True
    whole["benchmarks"][0]["extra_info"]["error"] = 1e-8
    rows = condense(whole)["benchmarks"]
    assert rows[1]["ratio_at_equal_error"] == pytest.approx(600.0)
    assert "ratio_at_equal_error" not in rows[0]


def test_a_benchmark_must_say_what_it_is(condense: Any) -> None:
    with pytest.raises(SystemExit, match="extra_info needs what, and role ours or alternative"):
        condense(report(("g", "fast", "mine", 0.5)))


def test_every_group_has_one_of_ours_with_its_error(measured: list[dict[str, Any]]) -> None:
    groups = {row["group"] for row in measured}
    ours = [row for row in measured if row["role"] == "ours"]
    assert sorted(row["group"] for row in ours) == sorted(groups)
    assert [row["what"] for row in measured if row["error"] is None] == []


@pytest.mark.parametrize(
    ("group", "error"),
    [
        ("alpha_s", 1e-13),
        ("weak-localization crossover", 1e-8),
        ("collision integral", 1e-9),
        ("square-root flow to t = 3", 1e-8),
        ("square-root flow, P_100", 1e-8),
    ],
)
def test_promised_accuracy(measured: list[dict[str, Any]], group: str, error: float) -> None:
    # The speed is shown in the book, and asserted nowhere: it depends on the machine that measured.
    ours = [row for row in measured if row["group"].startswith(group) and row["role"] == "ours"]
    assert ours
    assert max(row["error"] for row in ours) < error
