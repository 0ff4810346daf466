"""A small book of its own, built with the real configuration and extension."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PACKAGE = {
    "__init__.py": "",
    "plotting.py": '"""Figures."""\n',
    "numerics/__init__.py": "",
    "numerics/shared.py": '"""What both use."""\n\ndef unit():\n    return 1\n',
    "numerics/other.py": '"""What nobody uses."""\n',
    "magnetic_alloys/__init__.py": "from .one import first\nfrom .two import second as second\n",
    "magnetic_alloys/one.py": "from ..numerics.shared import unit\n\n"
    'def first():\n    """Ten units."""\n    return 10 * unit()\n',
    "magnetic_alloys/two.py": "from disorder.numerics import shared\n\n"
    'def second():\n    """Twenty units."""\n    return 20 * shared.unit()\n',
}


class TinyBook:
    """Sources below `root`: a package `disorder` with two functions, and the pages that a test writes."""

    def __init__(self, root: Path, real: Path) -> None:
        self.root, self.pages = root, list[str]()
        for name, text in PACKAGE.items():
            self.write(f"src/disorder/{name}", text)
        for name in ("CITATION.cff", "pyproject.toml", "book/references.bib"):
            self.write(name, (real / name).read_text(encoding="utf8"))
        config = yaml.safe_load((real / "_config.yml").read_text(encoding="utf8"))
        config["sphinx"]["extra_extensions"] = ["sphinx.ext.napoleon"]
        config["sphinx"]["local_extensions"] = {"companion": str(real / "book" / "_ext")}
        self.write("_config.yml", yaml.safe_dump(config))

    def write(self, name: str, text: str) -> Path:
        """Write one source file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
        return path

    def page(self, name: str, text: str) -> None:
        """Write one page and put it into the table of contents; the first page is the root."""
        self.write(f"book/{name}.md", text)
        self.pages += [name] if name not in self.pages else []
        root, *chapters = self.pages
        toc = {"format": "jb-book", "root": root, "chapters": [{"file": chapter} for chapter in chapters]}
        self.write("_toc.yml", yaml.safe_dump(toc))

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace one piece of one source file."""
        path = self.root / name
        text = path.read_text(encoding="utf8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf8")

    def build(self) -> tuple[int, str]:
        """Exit status and what was said."""
        command = [
            str(Path(sys.executable).parent / "jupyter-book"),
            "build",
            "book",
            "-W",
            "-n",
            "--keep-going",
        ]
        command += ["--config", "_config.yml", "--toc", str(self.root / "_toc.yml"), "--path-output", "."]
        environment = os.environ | {"PYTHONPATH": str(self.root / "src")}
        result = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        return result.returncode, result.stdout + result.stderr

    def html(self, name: str) -> str:
        """A built page."""
        return (self.root / "_build" / "html" / f"{name}.html").read_text(encoding="utf8")


@pytest.fixture
def tiny_book(tmp_path: Path, root: Path) -> TinyBook:
    return TinyBook(tmp_path, root)
