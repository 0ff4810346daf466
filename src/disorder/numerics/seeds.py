"""Seeds of random numbers: checked, and with children that do not depend on who asks first."""

from collections.abc import Sequence

import numpy as np

Seed = int | Sequence[int] | np.random.SeedSequence


def seed_sequence(seed: Seed | None) -> np.random.SeedSequence:
    """Return `seed` as a SeedSequence.

    Parameters
    ----------
    seed : int, sequence of int or SeedSequence
        Not negative.

    Returns
    -------
    numpy.random.SeedSequence
        The argument itself if it is one.

    Raises
    ------
    TypeError, ValueError
        If `seed` is something else.

    Examples
    --------
    >>> seed_sequence(3).entropy
    3
    """
    if isinstance(seed, np.random.SeedSequence):
        return seed
    if seed is None or isinstance(seed, bool | np.bool_ | float | str):
        raise TypeError(
            f"seed must be a non-negative integer, a sequence of them or a numpy.random.SeedSequence, "
            f"got {seed!r}"
        )
    try:
        return np.random.SeedSequence(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"seed must hold non-negative integers, got {seed!r}") from error


def child_seed(parent: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    """Return what ``parent.spawn()`` would give as child number `index`, without counting it in the parent.

    Examples
    --------
    >>> child_seed(np.random.SeedSequence(3), 1).spawn_key
    (1,)
    """
    return np.random.SeedSequence(
        parent.entropy, spawn_key=(*parent.spawn_key, index), pool_size=parent.pool_size
    )
