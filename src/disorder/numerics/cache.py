"""Where results that can be computed again are kept between runs.

The environment variable ``XDG_CACHE_HOME`` moves the user's cache folder, as everywhere;
``NUMBA_CACHE_DIR`` moves the compiled kernels, ``DISORDER_CACHE_DIR`` the checkpoints of ensembles.
"""

import hashlib
import os
from pathlib import Path


def source_cache(kind: str, variable: str) -> Path:
    """Return the folder for one kind of cached results; it need not exist.

    Parameters
    ----------
    kind : str
        Name of the folder below the user's cache folder.
    variable : str
        Environment variable that moves it elsewhere.

    Returns
    -------
    pathlib.Path
        Its last part is a hash of all sources of the package: after any edit it is another folder, and
        nothing that older sources computed is found again.

    Examples
    --------
    >>> source_cache("numba", "NUMBA_CACHE_DIR") == source_cache("numba", "NUMBA_CACHE_DIR")
    True
    """
    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.read_bytes())
    base = os.environ.get(variable) or (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "disorder" / kind
    )
    return Path(base) / digest.hexdigest()[:16]
