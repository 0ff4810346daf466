"""No page can show a stale number, and every page says what it cost.

A hidden last cell of each page with code holds the hash of the sources that the page depends on: the
execution cache compares cells, so a change in one of these sources, and nothing else, executes it again.
The same cell records the peak memory of the page's kernel.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from . import ledger
from .sources import CODE_CELL
from .state import state

MEMORY_KEY = "page-peak-memory"
HIDDEN_CELL = """

```{{code-cell}} python
:tags: [remove-cell]
# sources {digest}
import resource, sys
from myst_nb import glue
unit = 2**20 if sys.platform == "darwin" else 2**10
glue("{key}", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit, display=False)
```
"""


@dataclass
class Page:
    """What a page was built from: hash of its sources, hash of all that it reads, imported names."""

    digest: str
    stamp: str
    names: list[tuple[str, str]]
    has_code: bool


def describe(app: Sphinx, docname: str, text: str) -> Page:
    current = state(app)
    has_code = CODE_CELL.search(text) is not None
    modules = current.sources.page_modules(text)
    digest = current.sources.digest(modules if has_code else None)
    folder = docname.split("/")[0] if "/" in docname else "*"
    stamp = hashlib.sha256(digest.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        stamp.update(path.read_bytes())
    for path in ledger.sources(current.book, folder):
        stamp.update(path.read_bytes())
    return Page(digest, stamp.hexdigest(), current.sources.page_names(text), has_code)


def pages(env: BuildEnvironment) -> dict[str, Page]:
    if not hasattr(env, "companion_pages"):
        env.companion_pages = {}
    return env.companion_pages


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Describe the page being read, and give a page with code its hidden last cell."""
    page = describe(app, docname, source[0])
    pages(app.env)[docname] = page
    if page.has_code:
        source[0] = source[0].rstrip() + HIDDEN_CELL.format(digest=page.digest, key=MEMORY_KEY)


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Pages whose sources or ledgers changed since they were read."""
    stale = []
    for docname, page in pages(env).items():
        if docname in env.found_docs and docname not in added | changed | removed:
            text = Path(env.doc2path(docname)).read_text(encoding="utf8")
            if describe(app, docname, text).stamp != page.stamp:
                stale.append(docname)
    return stale


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    pages(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    pages(env).update({name: pages(other)[name] for name in docnames if name in pages(other)})


def cost(app: Sphinx, docname: str) -> tuple[float | None, int | None]:
    """(seconds, peak memory in MB) of the execution whose outputs the page shows; None where nothing ran."""
    data: dict[str, Any] = getattr(app.env, "nb_metadata", {}).get(docname, {}).get("exec_data") or {}
    seconds = data.get("runtime")
    folder = Path(app.outdir).parent / "jupyter_execute"
    glued = folder / f"{docname}.glue.json"
    memory = None
    if seconds is not None and glued.exists():
        output = json.loads(glued.read_text(encoding="utf8")).get(MEMORY_KEY)
        if output:
            memory = int(next(iter(output["data"].values())))
    return seconds, memory


KERNEL_CONFIG = """\
c.IPKernelApp.log_level = "ERROR"
c.HistoryManager.enabled = False
"""


def isolate_kernels(app: Sphinx) -> None:
    """Run the cells without the reader's own IPython profile, whose startup files could change a result."""
    folder = Path(app.outdir).parent / "ipython"
    profile = folder / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL_CONFIG, encoding="utf8")
    os.environ["IPYTHONDIR"] = str(folder)


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", isolate_kernels)
    app.connect("source-read", read_source)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
