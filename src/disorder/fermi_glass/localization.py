"""How far single-particle states reach: averages of the participation length, and ensembles."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..numerics.ensemble import run_ensemble
from ..numerics.validation import FloatArray, integer, real_array, real_scalar
from .lattice import eigenstates
from .matrix_elements import participation_length
from .radial_profiles import radial_profile, ring_table, rows_of_configurations

IntArray = NDArray[np.int64]

_COLUMNS = 256  # states handled at once, so that no second copy of all states is made
AVERAGES = ("length", "area", "inverse")


def _jackknife(estimate: Callable[[IntArray], FloatArray], count: int) -> tuple[FloatArray, FloatArray]:
    # Value from all configurations; error from leaving out one at a time.
    everything = np.arange(count)
    left_out = np.array([estimate(np.delete(everything, i)) for i in range(count)])
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    return estimate(everything), np.sqrt(spread * (count - 1) / count)


def participation_average(lengths: ArrayLike, average: str = "length") -> tuple[float, float]:
    """Average participation length over states and configurations.

    Parameters
    ----------
    lengths : array_like, shape (configurations, states)
        Participation lengths, in lattice constants, above zero; at least two configurations.
    average : {"length", "area", "inverse"}
        What is averaged: IPR^(-1/2) (the paper's choice), its square, or IPR; the result is a length.

    Returns
    -------
    value, error : float
        In lattice constants, with the standard error over configurations.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    "inverse" <= "length" <= "area" by Jensen's inequality. The error is a jackknife over configurations,
    because the states of one configuration are not independent.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), reference 29.

    Examples
    --------
    >>> participation_average([[2.0, 4.0], [1.0, 3.0]])
    (2.5, 0.5)
    """
    lengths = rows_of_configurations("lengths", lengths, low=0.0)
    if average not in AVERAGES:
        raise ValueError(f"average must be one of {AVERAGES}, got {average!r}")
    power = {"length": 1.0, "area": 2.0, "inverse": -2.0}[average]
    unit = float(lengths.max() if power > 0 else lengths.min())
    rows = ((lengths / unit) ** power).mean(axis=1)
    value, error = _jackknife(lambda kept: rows[kept].mean() ** (1 / power) * np.ones(1), rows.size)
    return unit * float(value[0]), unit * float(error[0])


def participation_by_energy(
    energies: ArrayLike, lengths: ArrayLike, edges: ArrayLike
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Average participation length in windows of energy.

    Parameters
    ----------
    energies, lengths : array_like, shape (configurations, states)
        Energy and participation length of every state; at least two configurations.
    edges : array_like, shape (windows + 1,)
        Rising ends of the windows; an energy on an edge belongs to the window above it.

    Returns
    -------
    mean, error : ndarray, shape (windows,)
        In lattice constants, with the standard error over configurations (jackknife).
    count : ndarray of int, shape (windows,)
        Number of states in each window.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or a window does not hold states of at least two configurations.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), reference 29.

    Examples
    --------
    >>> energies, lengths = [[0.0, 1.0], [0.0, 1.0]], [[2.0, 4.0], [3.0, 5.0]]
    >>> participation_by_energy(energies, lengths, [-1, 0.5, 2])
    (array([2.5, 4.5]), array([0.5, 0.5]), array([2, 2]))
    """
    energies = rows_of_configurations("energies", energies)
    lengths = rows_of_configurations("lengths", lengths, low=0.0)
    edges = real_array("edges", edges, ndim=1)
    if energies.shape != lengths.shape:
        raise ValueError(f"lengths must have the shape of energies, {energies.shape}, got {lengths.shape}")
    if edges.size < 2 or (np.diff(edges) <= 0).any():
        raise ValueError(f"edges must be at least two rising numbers, got {edges!r}")
    windows = edges.size - 1
    place = np.searchsorted(edges, energies, side="right") - 1
    inside = (place >= 0) & (place < windows)
    flat = (np.arange(energies.shape[0])[:, None] * windows + place)[inside]
    shape = (energies.shape[0], windows)
    count = np.bincount(flat, minlength=shape[0] * windows).reshape(shape)
    total = np.bincount(flat, weights=lengths[inside], minlength=shape[0] * windows).reshape(shape)
    poor = np.flatnonzero((count > 0).sum(axis=0) < 2)
    if poor.size:
        low, high = edges[poor[0]], edges[poor[0] + 1]
        raise ValueError(
            f"edges must enclose states of two configurations, which [{low:g}, {high:g}) does not"
        )
    mean, error = _jackknife(lambda kept: total[kept].sum(axis=0) / count[kept].sum(axis=0), shape[0])
    return mean, error, count.sum(axis=0)


@dataclass(frozen=True)
class LocalizationSample:
    """What one configuration says about localization; see :func:`localization_ensemble`.

    Attributes
    ----------
    energies, lengths : ndarray, shape (size**2,)
        Energy and participation length of every state.
    density, log_density : ndarray, shape (rings,)
        Profile of the states in the window (see :class:`RadialProfile`).
    """

    energies: FloatArray
    lengths: FloatArray
    density: FloatArray
    log_density: FloatArray


@dataclass(frozen=True)
class LocalizationEnsemble:
    """Localization in several configurations, one a row; see :func:`localization_ensemble`.

    Attributes
    ----------
    energies, lengths : ndarray, shape (configurations, size**2)
        Energy and participation length of every state.
    distance : ndarray, shape (rings,)
        Mean distance of each ring around the maximum, in lattice constants.
    density, log_density : ndarray, shape (configurations, rings)
        Mean of |phi|^2 and of ln |phi|^2 over the states in the window.
    """

    energies: FloatArray
    lengths: FloatArray
    distance: FloatArray
    density: FloatArray
    log_density: FloatArray


def localization_configuration(
    seed: np.random.SeedSequence,
    size: int,
    disorder: float,
    hopping: float,
    diagonal_hopping: float,
    window: tuple[float, float],
) -> LocalizationSample:
    """One configuration of :func:`localization_ensemble`: the task that is sent to a worker.

    Parameters
    ----------
    seed : SeedSequence
        Its site energies.
    size, disorder, hopping, diagonal_hopping, window
        As in :func:`localization_ensemble`.

    Returns
    -------
    LocalizationSample

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong or the window holds no state.

    Examples
    --------
    >>> sample = localization_configuration(np.random.SeedSequence(1), 6, 9.0, 1.0, 0.6, (-1.0, 1.0))
    >>> sample.lengths.shape
    (36,)
    """
    low, high = real_array("window", window, ndim=1)
    energies, states = eigenstates(
        size, disorder, hopping=hopping, diagonal_hopping=diagonal_hopping, seed=seed
    )
    chosen = np.flatnonzero((energies >= low) & (energies <= high))
    if chosen.size == 0:
        raise ValueError(f"window must hold at least one state, got {window!r}")
    lengths = np.concatenate(
        [participation_length(states[:, i : i + _COLUMNS]) for i in range(0, energies.size, _COLUMNS)]
    )
    profile = radial_profile(states[:, chosen])
    return LocalizationSample(energies, lengths, profile.density, profile.log_density)


def localization_ensemble(
    size: int,
    disorder: float,
    *,
    realisations: int = 15,
    hopping: float = 1.0,
    diagonal_hopping: float = 0.6,
    window: tuple[float, float] = (-0.91, 0.26),
    seed: int | np.random.SeedSequence,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: bool | None = None,
) -> LocalizationEnsemble:
    """Participation lengths of all states, and the profile of those in a window, in several configurations.

    Parameters
    ----------
    size : int
        Sites along one side of the periodic square, at least 3.
    disorder : float
        Width W >= 0 of the uniform distribution of site energies.
    realisations : int
        Number of configurations, at least 2.
    hopping, diagonal_hopping : float
        Amplitudes t and t' of Eq. (12).
    window : (float, float)
        Ends of the energies whose states enter the profile; by default those of the paper's Fig. 1.
    seed : int or SeedSequence
        Configuration i takes child i of it.
    executor, checkpoint, progress
        As in :func:`disorder.numerics.ensemble.run_ensemble`.

    Returns
    -------
    LocalizationEnsemble

    Raises
    ------
    EnsembleError
        If configurations failed or workers died; it carries the finished ones.
    TypeError, ValueError
        If an argument is wrong.

    Notes
    -----
    One diagonalisation a configuration; everything else is a few per cent of it.

    References
    ----------
    Lau and Ng, Phys. Rev. B 110, 075153 (2024), reference 29 and Eqs. (8), (12).

    Examples
    --------
    >>> ensemble = localization_ensemble(8, 9.0, realisations=3, seed=1)
    >>> value, error = participation_average(ensemble.lengths)
    >>> 3 < value < 6
    True
    """
    size = integer("size", size, low=3)
    disorder = real_scalar("disorder", disorder, low=0.0, open_low=False)
    realisations = integer("realisations", realisations, low=2)
    hopping = real_scalar("hopping", hopping)
    diagonal_hopping = real_scalar("diagonal_hopping", diagonal_hopping)
    ends = real_array("window", window, ndim=1)
    if ends.shape != (2,) or ends[0] >= ends[1]:
        raise ValueError(f"window must be two rising energies, got {window!r}")
    samples = run_ensemble(
        localization_configuration,
        realisations,
        seed=seed,
        arguments=(size, disorder, hopping, diagonal_hopping, (float(ends[0]), float(ends[1]))),
        executor=executor,
        checkpoint=checkpoint,
        progress=progress,
    )
    return LocalizationEnsemble(
        np.array([sample.energies for sample in samples]),
        np.array([sample.lengths for sample in samples]),
        ring_table(size)[1],
        np.array([sample.density for sample in samples]),
        np.array([sample.log_density for sample in samples]),
    )
