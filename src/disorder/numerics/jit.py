"""The one place that holds the numba flags of every kernel.

Environment
-----------
``NUMBA_DISABLE_JIT=1`` runs every kernel as plain Python.
``NUMBA_CACHE_DIR`` moves the compiled code; by default it lies in the user's cache folder, below a
key made of all sources of the package, because numba does not notice a changed callee in another file.
"""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from .cache import source_cache

F = TypeVar("F", bound=Callable[..., Any])


def _enable_cache() -> bool:
    try:
        directory = source_cache("numba", "NUMBA_CACHE_DIR")
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return False
    if not os.access(directory, os.W_OK):
        return False
    vars(numba.config)["CACHE_DIR"] = str(directory)
    return True


_CACHE = _enable_cache()


def kernel(function: F) -> F:
    """Compile `function` with the flags of the project.

    Parameters
    ----------
    function : callable
        Takes arrays and scalars, validates nothing and draws nothing.

    Returns
    -------
    callable
        The compiled function: cached on disk where possible, releasing the GIL, with NumPy's
        division semantics and without ``fastmath``.
    """
    compiled: Any = numba.njit(cache=_CACHE, nogil=True, error_model="numpy")(function)
    return cast(F, compiled)
