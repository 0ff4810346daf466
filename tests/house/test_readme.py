"""What the README and the landing page tell people to type exists and runs."""

import re
from pathlib import Path

import pytest


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "book/index.md", "book/performance.md"])
def test_make_targets_exist(root: Path, page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf8"), re.M))
    named = set(re.findall(r"`?make ([a-z]+)`?(?=[`\s])", (root / page).read_text(encoding="utf8")))
    assert named <= targets


@pytest.mark.parametrize("page", ["README.md", "book/index.md"])
def test_python_runs(root: Path, page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (root / page).read_text(encoding="utf8"), re.S)
    assert blocks
    for block in blocks:
        exec(block, {})


def test_files_named_in_the_readme_exist(root: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (root / "README.md").read_text(encoding="utf8"))
    assert links
    assert [link for link in links if not (root / link).exists()] == []
