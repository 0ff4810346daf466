"""Condense pytest-benchmark's report to the few numbers that the performance page shows.

usage: condense.py REPORT.json OUT.json
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from companion.sources import SourceTree  # noqa: E402


def condense(report: dict[str, Any]) -> dict[str, Any]:
    """Groups in the order of measurement, ours first in each, with the ratio of the medians."""
    rows = []
    for item in report["benchmarks"]:
        extra = item["extra_info"]
        missing = {"what", "role"} - set(extra)
        if missing or extra["role"] not in ("ours", "alternative"):
            raise SystemExit(
                f"{item['fullname']}: extra_info needs what, and role ours or alternative, got {extra}"
            )
        row = {"group": item["group"] or item["name"], "what": extra["what"], "role": extra["role"]}
        row |= {
            "median": item["stats"]["median"],
            "rounds": item["stats"]["rounds"],
            "error": extra.get("error"),
            "statistical": bool(extra.get("statistical", False)),
        }
        rows.append(row)
    ours = {row["group"]: row for row in rows if row["role"] == "ours"}
    for row in rows:
        own, statistical = ours.get(row["group"]), row.pop("statistical")
        row["ratio"] = row["median"] / own["median"] if own else None
        # A statistical error falls as the root of the time: time times variance compares at equal error.
        if own and statistical and own is not row:
            row["ratio_at_equal_error"] = row["ratio"] * (row["error"] / own["error"]) ** 2
    order = list(dict.fromkeys(row["group"] for row in rows))
    rows.sort(key=lambda row: (order.index(row["group"]), row["role"] != "ours", row["median"]))
    sources = SourceTree(ROOT / "src", "disorder", ROOT / "requirements.txt")
    cpu = report["machine_info"].get("cpu", {})
    return {
        "cpu": f"{cpu.get('brand_raw', report['machine_info'].get('machine', 'unknown processor'))}",
        "versions": {"Python": report["machine_info"]["python_version"]}
        | {name: version(name) for name in ("numpy", "scipy", "numba")},
        "sources": sources.measured_digest(ROOT / "tests" / "benchmarks"),
        "benchmarks": rows,
    }


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    condensed = condense(json.loads(source.read_text(encoding="utf8")))
    target.write_text(json.dumps(condensed, indent=1) + "\n", encoding="utf8")
