"""CITATION.cff follows the Citation File Format 1.2.0; the schema beside this file is its own, CC BY 4.0."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from companion import ledger
from companion.pages import BIB_KEYS
from pybtex.database import parse_file


@pytest.fixture(scope="module")
def citation(root: Path) -> dict[str, object]:
    # Dates are words for the schema.
    loader = type(
        "Loader",
        (yaml.SafeLoader,),
        {"yaml_implicit_resolvers": dict(yaml.SafeLoader.yaml_implicit_resolvers)},
    )
    loader.yaml_implicit_resolvers = {
        key: [(tag, regexp) for tag, regexp in pairs if tag != "tag:yaml.org,2002:timestamp"]
        for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load((root / "CITATION.cff").read_text(encoding="utf8"), Loader=loader)


def test_schema(citation: dict[str, object]) -> None:
    schema = json.loads(Path(__file__).with_name("cff-1.2.0.schema.json").read_text(encoding="utf8"))
    jsonschema.validators.validator_for(schema)(schema).validate(citation)


def test_version_and_license_are_those_of_the_package(root: Path, citation: dict[str, object]) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_every_paper_has_a_reference(book: Path) -> None:
    entries = parse_file(str(book / "references.bib")).entries
    assert set(BIB_KEYS) == set(ledger.PAPERS)
    assert set(BIB_KEYS.values()) <= set(entries)


def test_no_reference_is_invented_or_half(book: Path) -> None:
    for key, entry in parse_file(str(book / "references.bib")).entries.items():
        wanted = {"article": {"journal", "volume", "pages"}, "book": {"publisher"}, "misc": {"eprint"}}[
            entry.type
        ]
        assert entry.persons["author"], key
        assert wanted | {"title", "year"} <= set(entry.fields), key
        # Key: first author, with or without the particle of the name, and year.
        first = entry.persons["author"][0]
        names = ["".join(first.last_names), "".join(first.prelast_names + first.last_names)]
        assert key.startswith(tuple(name.lower().encode("ascii", "ignore").decode()[:3] for name in names)), (
            key
        )
        assert key.endswith(entry.fields["year"]), key
