"""Shared by all tests: one hypothesis profile, and the folders of the project."""

from pathlib import Path

import hypothesis
import pytest

# The same examples in every run: a failure that CI finds is found again at once.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def book(root: Path) -> Path:
    """The sources of the book."""
    return root / "book"
