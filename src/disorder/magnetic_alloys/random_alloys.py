"""Random alloys: clusters of spins at random places, solved exactly and averaged."""

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from ..numerics.ensemble import run_ensemble
from ..numerics.validation import FloatArray, integer, real_array, twice_spin
from .clusters import check_cluster_size, coupling_matrices, quenching_of_clusters
from .pair_quenching import alpha_s

GEOMETRIES = ("box", "neighbours")


def random_couplings(spins: int, rng: np.random.Generator, geometry: str = "box") -> FloatArray:
    """Couplings of spins at random places, in units of T_sg, with independent random phases.

    Parameters
    ----------
    spins : int
        Number N of spins, at least 2.
    rng : numpy.random.Generator
    geometry : {"box", "neighbours"}
        "box": N spins in a periodic box, distances to the nearest image; its volume (N - 1)/n_s gives the
        others, as one spin sees them, the density of the alloy.
        "neighbours": spin 0 and its N - 1 nearest neighbours in an unbounded alloy.

    Returns
    -------
    ndarray, shape (N, N)
        V_ij / T_sg = cos(phase) / (n_s r_ij^3).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    Vavilov, Glazman, Larkin, cond-mat/0305240, Eqs. (8)-(10).

    Examples
    --------
    >>> random_couplings(3, np.random.default_rng(1)).shape
    (3, 3)
    """
    spins = integer("spins", spins, low=2)
    if geometry not in GEOMETRIES:
        raise ValueError(f"geometry must be one of {GEOMETRIES}, got {geometry!r}")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, got {rng!r}")
    if geometry == "box":
        side = (spins - 1) ** (1 / 3)
        places = rng.uniform(0.0, side, (spins, 3))
        steps = places[:, None] - places
        steps -= side * np.round(steps / side)
    else:
        # Enclosed volumes of the neighbours of a point: the steps between them are exponential.
        radii = np.cbrt(3 / (4 * np.pi) * np.cumsum(rng.exponential(size=spins - 1)))
        directions = rng.normal(size=(spins - 1, 3))
        directions *= (radii / np.linalg.norm(directions, axis=1))[:, None]
        places = np.vstack((np.zeros(3), directions))
        steps = places[:, None] - places
    upper = np.triu_indices(spins, 1)
    couplings = np.zeros((spins, spins))
    couplings[upper] = np.cos(rng.uniform(0.0, 2 * np.pi, upper[0].size))
    couplings[upper] /= np.linalg.norm(steps, axis=2)[upper] ** 3
    return couplings + couplings.T


@dataclass(frozen=True)
class AlloyQuenching:
    """Quenching factor averaged over random alloys.

    Attributes
    ----------
    temperature : ndarray, shape (t,)
        T / T_sg.
    factor, factor_error : ndarray, shape (t,)
        Mean of G and its standard error.
    slope, slope_error : ndarray, shape (t,)
        d ln G / d ln T and its standard error.
    """

    temperature: FloatArray
    factor: FloatArray
    factor_error: FloatArray
    slope: FloatArray
    slope_error: FloatArray


def _alloy_task(
    seed: np.random.SeedSequence,
    temperature: FloatArray,
    two_s: int,
    spins: int,
    samples: int,
    geometry: str,
    exact_pairs: bool,
) -> FloatArray:
    rng = np.random.default_rng(seed)
    couplings = np.array([random_couplings(spins, rng, geometry) for _ in range(samples)])
    everyone = geometry == "box"
    cluster = quenching_of_clusters(couplings, temperature, two_s, spins if everyone else 1, average=everyone)
    result = np.array([cluster.factor[:, :, 0].mean(axis=0), cluster.slope[:, :, 0].mean(axis=0)])
    if exact_pairs:
        upper = np.triu_indices(spins, 1)
        bonds = (couplings[:, *upper] if everyone else couplings[:, 0, 1:]).ravel()
        pairs = quenching_of_clusters(
            coupling_matrices(bonds[:, None], 2), temperature, two_s, 2, average=True
        )
        weight = (2 / spins if everyone else 1.0) / samples
        missing = -float(alpha_s(two_s / 2)) / temperature
        result[0] += missing - weight * (pairs.factor[:, :, 0] - 1).sum(axis=0)
        result[1] += -missing - weight * pairs.slope[:, :, 0].sum(axis=0)
    return result


def alloy_quenching(
    temperature: ArrayLike,
    spin: float,
    spins: int,
    *,
    samples: int = 1000,
    seed: int = 0,
    geometry: str = "box",
    exact_pairs: bool = False,
    executor: Executor | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> AlloyQuenching:
    """Quenching factor of a random alloy, from the exact states of clusters of `spins` spins.

    Parameters
    ----------
    temperature : array_like, shape (t,)
        T / T_sg, positive.
    spin : float
        A multiple of 1/2.
    spins : int
        Spins in a cluster, at least 2; (2S+1)^spins at most 5000.
    samples : int
        Number of clusters, at least 100.
    seed : int
    geometry : {"box", "neighbours"}
        As in :func:`random_couplings`. In a box all spins are observed, otherwise only the central one.
    exact_pairs : bool
        Replace the sampled first order of the virial expansion by its value in the infinite alloy. This
        reduces noise and size effects for T above a few T_sg, and enhances them below.
    executor, checkpoint
        As in :func:`disorder.numerics.ensemble.run_ensemble`; one task is 1/20 of the clusters.

    Returns
    -------
    AlloyQuenching
        With statistical errors; the size effect is seen by changing `spins` and `geometry`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above.

    Notes
    -----
    A cluster of 8 spins 1/2 takes 0.4 ms at 16 temperatures, one of 10 spins about 5 ms.

    Examples
    --------
    >>> G = alloy_quenching([4.0], 0.5, 4, samples=100).factor
    >>> 0.7 < G[0] < 0.9
    np.True_
    """
    kelvin = real_array("temperature", temperature, ndim=1, low=0.0)
    two_s = twice_spin("spin", spin)
    spins = integer("spins", spins, low=2)
    check_cluster_size(spins, two_s)
    samples = integer("samples", samples, low=100)
    if geometry not in GEOMETRIES:
        raise ValueError(f"geometry must be one of {GEOMETRIES}, got {geometry!r}")
    batches = 20
    parts = run_ensemble(
        _alloy_task,
        batches,
        seed=integer("seed", seed, low=0),
        arguments=(kelvin, two_s, spins, math.ceil(samples / batches), geometry, bool(exact_pairs)),
        executor=executor,
        checkpoint=checkpoint,
    )
    factors, slopes = np.swapaxes(np.array(parts), 0, 1)
    factor = factors.mean(axis=0)
    slope = slopes.mean(axis=0) / factor
    residual = (slopes - slope * factors) / factor
    return AlloyQuenching(
        kelvin,
        factor,
        factors.std(axis=0, ddof=1) / math.sqrt(batches),
        slope,
        residual.std(axis=0, ddof=1) / math.sqrt(batches),
    )
