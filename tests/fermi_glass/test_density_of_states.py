"""Density of states: closed form of the clean band, exact moments, the two methods, error bars."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev
from scipy.integrate import quad

from disorder.fermi_glass import (
    clean_density_of_states,
    density_of_states,
    dispersion,
    fermi_level,
    hamiltonian,
    sample_density_of_states,
    site_energies,
)
from disorder.fermi_glass.density_of_states import _configuration_moments
from disorder.fermi_glass.kernel_polynomials import chebyshev_moments, jackson_factors, sum_polynomials

positive = st.floats(0.05, 2.0)


def landmarks(t, diagonal):
    """Band ends, step and van Hove energy, in rising order."""
    van_hove = t * t / diagonal if 2 * diagonal > t else 4 * diagonal
    points = {-4 * t - 4 * diagonal, 4 * t - 4 * diagonal, 4 * diagonal, van_hove}
    return sorted(points)


def brute_force(energy, t, diagonal):
    """(1/pi^2) int dkx int dky delta(E - eps): the inner integral by hand, the outer one by mpmath.

    With c = cos kx it is int dc/sqrt(P), P of fourth order; c = middle + half sin(angle) takes the two
    ends, which are zeros of P, out of the root.
    """
    with mpmath.workdps(25):
        e, t, d = mpmath.mpf(energy), mpmath.mpf(t), mpmath.mpf(diagonal)
        zeros = [mpmath.mpf(-1), mpmath.mpf(1), (e - 2 * t) / (4 * d - 2 * t), -(e + 2 * t) / (4 * d + 2 * t)]
        leading = abs((4 * d - 2 * t) * (4 * d + 2 * t))
        edges = sorted(z for z in zeros if -1 <= z <= 1)
        total = mpmath.mpf(0)
        for low, high in pairwise(edges):
            middle, half = (low + high) / 2, (high - low) / 2
            if (2 * t + 4 * d * middle) ** 2 < (e + 2 * t * middle) ** 2:
                continue
            others = [z for z in zeros if z not in (low, high)]

            def integrand(angle, middle=middle, half=half, others=others):
                c = middle + half * mpmath.sin(angle)
                return 1 / mpmath.sqrt(leading * abs(c - others[0]) * abs(c - others[1]))

            total += mpmath.quad(integrand, [-mpmath.pi / 2, 0, mpmath.pi / 2])
        return float(total / mpmath.pi**2)


# ---------------------------------------------------------------- the clean band


@given(positive, positive, st.floats(0.001, 0.999))
@settings(max_examples=25, deadline=None)
def test_clean_band_against_mpmath(t, diagonal, place):
    marks = landmarks(t, diagonal)
    energy = marks[0] + place * (marks[-1] - marks[0])
    if abs(2 * diagonal - t) < 1e-3 * t or min(abs(energy - mark) for mark in marks) < 1e-3 * t:
        return
    value = clean_density_of_states(energy, hopping=t, diagonal_hopping=diagonal)
    assert value == pytest.approx(brute_force(energy, t, diagonal), rel=1e-10)


@pytest.mark.parametrize("energy", [-6.0, -1.5, 0.5, 1.55, 1.62, 1.7, 2.0, 2.39])
def test_clean_band_of_the_paper_against_mpmath(energy):
    assert clean_density_of_states(energy) == pytest.approx(brute_force(energy, 1.0, 0.6), rel=1e-12)


@pytest.mark.parametrize(
    ("t", "diagonal"), [(1, 0.6), (1, 0.3), (1, 0.5), (1, 0), (0, 1), (1, -0.6), (-1.3, 0.9), (0.2, 1)]
)
def test_sum_rules_of_the_clean_band(t, diagonal):
    """1, 0, 4t^2 + 4t'^2 and -24 t^2 t': walks that return after 0 to 3 steps."""
    marks = landmarks(abs(t), abs(diagonal)) if diagonal else [-4 * abs(t), 0.0, 4 * abs(t)]
    marks = sorted(math.copysign(1, diagonal) * mark for mark in marks)

    def moment(k):
        parts = pairwise(marks)
        return sum(
            quad(
                lambda e: e**k * clean_density_of_states(e, hopping=t, diagonal_hopping=diagonal),
                low,
                high,
                limit=400,
            )[0]
            for low, high in parts
            if high > low
        )

    exact = [1.0, 0.0, 4 * t**2 + 4 * diagonal**2, -24 * t**2 * diagonal]
    assert np.allclose([moment(k) for k in range(4)], exact, atol=1e-8)


def test_square_lattice_limit():
    """t' = 0: K(1 - (E/4t)^2)/(2 pi^2 t)."""
    for energy in (-3.9, -1.0, 0.01, 2.0):
        exact = mpmath.ellipk(1 - (energy / 4) ** 2) / (2 * mpmath.pi**2)
        assert clean_density_of_states(energy, diagonal_hopping=0.0) == pytest.approx(float(exact), rel=1e-13)


@given(st.floats(-2, 2), positive, st.floats(-9, 9))
@settings(max_examples=40, deadline=None)
def test_mirror_symmetries_and_units(t, diagonal, energy):
    value = clean_density_of_states(energy, hopping=t, diagonal_hopping=diagonal)
    assert value == clean_density_of_states(energy, hopping=-t, diagonal_hopping=diagonal)
    assert value == clean_density_of_states(-energy, hopping=t, diagonal_hopping=-diagonal)
    scaled = clean_density_of_states(8 * energy, hopping=8 * t, diagonal_hopping=8 * diagonal)
    assert 8 * scaled == pytest.approx(value, rel=1e-9)


def test_band_edges_from_effective_masses():
    """A parabolic edge contributes 1/(2 pi sqrt(det)), det of the Hessian of the dispersion."""
    t, d, tiny = 1.0, 0.6, 1e-9
    assert clean_density_of_states(-6.4) == pytest.approx(1 / (2 * np.pi * (2 * t + 4 * d)), rel=1e-12)
    top = 2 / (2 * np.pi * math.sqrt((4 * d) ** 2 - (2 * t) ** 2))
    assert clean_density_of_states(2.4 - tiny) == pytest.approx(top, rel=1e-7)
    step = clean_density_of_states(1.6 + tiny) - clean_density_of_states(1.6 - tiny)
    assert step == pytest.approx(1 / (2 * np.pi * (4 * d - 2 * t)), rel=1e-7)
    assert clean_density_of_states(1.6 + tiny) / clean_density_of_states(1.6 - tiny) == pytest.approx(
        2, rel=1e-7
    )
    assert clean_density_of_states([-6.4001, 2.4001]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("side", [-1, 1])
def test_logarithm_at_the_saddles(side):
    """Four saddles with the Hessian +-(4t' - t^2/t'): slope -2/(pi^2 (4t' - t^2/t')) in ln."""
    saddle = 1 / 0.6
    near, far = (clean_density_of_states(saddle + side * x) for x in (1e-9, 1e-8))
    assert near - far == pytest.approx(2 * math.log(10) / (math.pi**2 * (2.4 - saddle)), rel=1e-6)
    assert clean_density_of_states(0.0, diagonal_hopping=0.0) == math.inf


# ---------------------------------------------------------------- moments and kernel


@pytest.mark.parametrize("size", [3, 5, 8])
def test_moments_of_one_vector_against_matrix_powers(size):
    rng = np.random.default_rng(size)
    onsite = rng.uniform(-0.3, 0.3, (size, size))
    vector = rng.normal(size=(size, size))
    h = hamiltonian(size, 0.0, hopping=0.1, diagonal_hopping=0.04, seed=0).toarray() + np.diag(onsite.ravel())
    v = vector.ravel()
    levels, states = np.linalg.eigh(h)
    weights = (states.T @ v) ** 2 / (v @ v)
    exact = [weights @ chebyshev.chebval(levels, np.eye(20)[n]) for n in range(20)]
    assert np.allclose(chebyshev_moments(onsite, 0.1, 0.04, vector, 20), exact, atol=1e-13)
    assert np.allclose(chebyshev_moments(onsite, 0.1, 0.04, vector, 19), exact[:19], atol=1e-13)


def test_moments_of_a_finite_clean_lattice_are_those_of_the_closed_form():
    """No walk of fewer than 24 steps closes around a lattice of size 24: the moments agree exactly."""
    result = sample_density_of_states(0.0, 24, 0.0, "diagonalization", realisations=2, moments=24)
    marks = landmarks(1.0, 0.6)

    def moment(n):
        def integrand(e):
            x = (e - result.centre) / result.half_width
            return clean_density_of_states(e) * math.cos(n * math.acos(x))

        parts = pairwise(marks)
        return sum(quad(integrand, low, high, limit=400, epsabs=1e-12)[0] for low, high in parts)

    assert np.allclose(result.moments, [moment(n) for n in range(24)], atol=1e-9)
    assert (result.error < 1e-14).all()
    assert result.centre == pytest.approx(-2.0, abs=1e-12)
    assert result.half_width == pytest.approx(1.01 * 4.4, rel=1e-12)


def test_moments_of_diagonalization_are_the_traces():
    """tr H and tr H^2 of each configuration, from its site energies alone."""
    result = sample_density_of_states(0.0, 7, 9.0, "diagonalization", realisations=3, moments=8, seed=5)
    w = [site_energies(7, 9.0, seed=child) for child in np.random.SeedSequence(5).spawn(3)]
    first = np.mean(w)
    second = np.mean(np.square(w)) + 4 + 4 * 0.36
    c, a = result.centre, result.half_width
    assert result.moments[0] == 1.0
    assert result.moments[1] == pytest.approx((first - c) / a, abs=1e-13)
    assert result.moments[2] == pytest.approx(2 * (second - 2 * c * first + c * c) / a**2 - 1, abs=1e-13)


def test_ensemble_moments_by_counting_walks():
    """<H^2> = 4t^2 + 4t'^2 + W^2/12 and <H^4> = <eps^4> + W^2/3 <eps^2> + W^4/80, from one large lattice."""
    width, size = 9.0, 256
    result = sample_density_of_states(0.0, size, width, realisations=4, moments=5, vectors=4, seed=2)
    k = 2 * np.pi * np.arange(64) / 64
    band = np.asarray(dispersion(k[:, None], k))
    eps = [np.mean(band**n) for n in range(5)]
    raw = [1, 0, eps[2] + width**2 / 12, eps[3], eps[4] + width**2 / 3 * eps[2] + width**4 / 80]
    c, a = result.centre, result.half_width
    scaled = [sum(math.comb(n, m) * raw[m] * (-c) ** (n - m) for m in range(n + 1)) / a**n for n in range(5)]
    exact = [
        1,
        scaled[1],
        2 * scaled[2] - 1,
        4 * scaled[3] - 3 * scaled[1],
        8 * scaled[4] - 8 * scaled[2] + 1,
    ]
    # |T_n| <= 1, so that a mean over this many sites has an error well below 5/sqrt(sites).
    assert np.abs(result.moments - exact).max() < 5 / math.sqrt(4 * size**2)


def test_jackson_kernel_is_positive_normalized_and_as_wide_as_stated():
    count, place = 128, 0.1
    x = np.cos(np.pi * (np.arange(4000) + 0.5) / 4000)
    weight = np.pi / 4000 * np.sqrt(1 - x**2)
    density = sum_polynomials(x, np.cos(np.arange(count) * math.acos(place)))
    assert density.min() > 0
    assert weight @ density == pytest.approx(1, abs=1e-12)
    mean = weight @ (x * density)
    assert mean == pytest.approx(place * jackson_factors(count)[1], abs=1e-12)
    deviation = math.sqrt(weight @ (x**2 * density) - mean**2)
    assert deviation == pytest.approx(np.pi / count * math.sqrt(1 - place**2), rel=0.03)
    assert sum_polynomials(np.array([-1.0, 1.0, 2.0, -np.inf]), np.ones(4)).tolist() == [0, 0, 0, 0]


def test_moments_come_back_from_the_density():
    """int rho T_n = g_n mu_n, with g_1 = cos(pi/(M + 1)) and 0 < g_n decreasing."""
    count = 40
    mu = np.random.default_rng(1).uniform(-1, 1, count)
    mu[0] = 1.0
    angle = np.pi * (np.arange(400) + 0.5) / 400
    x = np.cos(angle)
    density = sum_polynomials(x, mu)
    back = [np.pi / 400 * np.sum(np.sin(angle) * density * np.cos(n * angle)) for n in range(count)]
    g = jackson_factors(count)
    assert np.allclose(back, g * mu, atol=1e-12)
    assert g[0] == pytest.approx(1, abs=1e-14)
    assert g[1] == pytest.approx(math.cos(math.pi / (count + 1)), abs=1e-14)
    assert (np.diff(g) < 0).all()
    assert g[-1] > 0


# ---------------------------------------------------------------- the two methods


def test_methods_agree_within_the_noise_of_the_random_vectors():
    """Same configurations: the difference has the stated variance, at most 1/(sqrt(pi) R v n)."""
    energy = np.linspace(-7.0, 4.0, 23)
    options = {"realisations": 10, "moments": 64, "seed": 3}
    exact = sample_density_of_states(energy, 16, 9.0, "diagonalization", **options)
    noisy = sample_density_of_states(energy, 16, 9.0, vectors=4, **options)
    x = (energy - exact.centre) / exact.half_width
    n = 256 * exact.density * exact.resolution * np.sqrt(1 - x**2)
    sigma = exact.density / np.sqrt(math.sqrt(math.pi) * 10 * 4 * n)
    z = (noisy.density - exact.density) / sigma
    assert np.abs(z).max() < 4
    assert 0.1 < np.mean(z**2) < 1.5
    assert noisy.resolution == exact.resolution == pytest.approx(np.pi * 1.01 * 8.9 / 64, rel=1e-12)


def test_density_by_diagonalization_is_the_smoothed_count_of_levels():
    size, width = 12, 9.0
    energy = np.linspace(-11.5, 7.5, 2000)
    result = sample_density_of_states(
        energy, size, width, "diagonalization", realisations=2, moments=512, seed=1
    )
    cumulative = np.concatenate(([0], np.cumsum((result.density[1:] + result.density[:-1]) / 2)))
    cumulative *= energy[1] - energy[0]
    levels = np.sort(
        [
            np.linalg.eigvalsh(hamiltonian(size, width, seed=child).toarray())
            for child in np.random.SeedSequence(1).spawn(2)
        ],
        axis=None,
    )
    counted = np.searchsorted(levels, energy) / levels.size
    assert cumulative[-1] == pytest.approx(1, abs=1e-3)
    assert np.abs(cumulative - counted).max() < 4 / levels.size


def test_error_bars_describe_the_scatter_of_independent_runs():
    energy = np.array([-4.0, -1.0, 0.5, 2.0])
    runs = [
        sample_density_of_states(energy, 10, 9.0, realisations=6, moments=32, vectors=2, seed=seed)
        for seed in range(120)
    ]
    scatter = np.std([run.density for run in runs], axis=0, ddof=1)
    stated = np.sqrt(np.mean([run.error**2 for run in runs], axis=0))
    assert np.allclose(stated / scatter, 1, atol=0.25)


@given(st.floats(0.01, 0.99))
@settings(max_examples=25, deadline=None)
def test_fermi_level_holds_the_filling(filling):
    sample = sample_density_of_states(0.0, 8, 6.0, realisations=2, moments=24)
    level = fermi_level(sample, filling)
    angle = math.acos((level - sample.centre) / sample.half_width)
    # In the angle the density is a polynomial of cosines: the midpoint rule needs few points.
    nodes = angle + (math.pi - angle) * (np.arange(4000) + 0.5) / 4000
    density = sum_polynomials(np.cos(nodes), sample.moments)
    assert (math.pi - angle) / 4000 * np.sum(np.sin(nodes) * density) == pytest.approx(filling, abs=1e-6)


def test_fermi_level_of_the_clean_band():
    """The closed form up to the level found on a lattice of 32 x 32 holds the filling."""
    sample = sample_density_of_states(0.0, 32, 0.0, "diagonalization", realisations=2, moments=32)
    level = fermi_level(sample, 5 / 12)
    assert quad(clean_density_of_states, -6.4, level)[0] == pytest.approx(5 / 12, abs=1e-2)


def test_bad_fermi_level():
    sample = sample_density_of_states(0.0, 4, 6.0, realisations=2, moments=8)
    for bad in (0.0, 1.0, -0.5, math.nan, math.inf, "1", None, True, 1j, [0.5]):
        with pytest.raises((TypeError, ValueError), match="filling"):
            fermi_level(sample, bad)
    for bad in (None, 1.0, sample.moments):
        with pytest.raises(TypeError, match="sample"):
            fermi_level(bad, 0.5)


def test_random_vectors_do_not_repeat_the_site_energies():
    seed = np.random.SeedSequence(9)
    one = _configuration_moments(seed, 6, 4.0, 1.0, 0.6, "kernel polynomials", 16, 1)
    two = _configuration_moments(seed, 6, 4.0, 1.0, 0.6, "kernel polynomials", 16, 2)
    assert not np.allclose(one, two)
    assert seed.n_children_spawned == 0


def test_same_digits_for_any_executor_and_shapes():
    energy = [[-1.0, 0.0, 30.0], [1.0, 2.0, -30.0]]
    options = {"realisations": 4, "moments": 32, "seed": 7}
    serial = density_of_states(energy, 9, 6.0, **options)
    with ThreadPoolExecutor(2) as pool:
        assert np.array_equal(density_of_states(energy, 9, 6.0, executor=pool, **options), serial)
    assert serial.shape == (2, 3)
    assert serial[0, 2] == serial[1, 2] == 0.0
    single = density_of_states(-1.0, 9, 6.0, **options)
    assert isinstance(single, float)
    assert single == pytest.approx(serial[0, 0], rel=1e-12)
    sampled = sample_density_of_states(energy, 9, 6.0, **options)
    assert np.array_equal(sampled.density, serial)
    assert sampled.error.shape == (2, 3)
    sequence = density_of_states(energy, 9, 6.0, **{**options, "seed": np.random.SeedSequence(7)})
    assert np.array_equal(sequence, serial)


@given(*[st.floats(-280, 290)] * 3, st.sampled_from(["kernel polynomials", "diagonalization"]))
@settings(max_examples=25, deadline=None)
def test_extreme_energies(disorder, t, diagonal, method):
    w, t, d = (10.0**value for value in (disorder, t, diagonal))
    energy = np.array([0.0, 1e300, -1e308, w, -t, d])
    options = {"hopping": t, "diagonal_hopping": d, "realisations": 2, "moments": 8, "vectors": 1}
    result = sample_density_of_states(energy, 3, w, method, **options)
    assert np.isfinite(result.density).all()
    assert np.isfinite(result.error).all()
    clean = clean_density_of_states([0.3 * t, 0.3 * w, 1e300, -1e308], hopping=t, diagonal_hopping=d)
    assert np.isfinite(clean).all()


# ---------------------------------------------------------------- refusals

GOOD = {"energy_grid": [0.0, 1.0], "size": 4, "disorder": 1.0, "realisations": 2, "moments": 8}


@pytest.mark.parametrize("function", [density_of_states, sample_density_of_states])
@pytest.mark.parametrize(
    ("argument", "bad"),
    [
        *(
            ("energy_grid", value)
            for value in (math.nan, [0.0, math.inf], "1", None, 1j, [True], [[1.0], [2.0, 3.0]])
        ),
        *(("size", value) for value in (2, -3, 5000, 4.0, None, True)),
        *(("disorder", value) for value in (-1.0, math.nan, math.inf, "1", None)),
        *(("method", value) for value in ("kpm", None, 1)),
        *(("hopping", value) for value in (math.nan, "1", None)),
        *(("diagonal_hopping", value) for value in (math.inf, "1", None)),
        *(("realisations", value) for value in (1, 0, 2.0, None, True)),
        *(("moments", value) for value in (1, -1, 8.0, None, 10**6)),
        *(("vectors", value) for value in (0, 1.0, None)),
        *(("seed", value) for value in (-1, 0.5, None, "1", True)),
        ("executor", 3),
    ],
)
def test_bad_input(function, argument, bad):
    with pytest.raises((TypeError, ValueError), match=argument):
        function(**{**GOOD, argument: bad})


def test_dense_lattice_too_large_and_band_without_width():
    with pytest.raises(ValueError, match="size"):
        density_of_states(0.0, 182, 1.0, "diagonalization")
    with pytest.raises(ValueError, match=r"hopping.*disorder"):
        density_of_states(0.0, 4, 0.0, hopping=0.0, diagonal_hopping=0.0)
    with pytest.raises(ValueError, match="hopping"):
        clean_density_of_states(0.0, hopping=0.0, diagonal_hopping=0.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, 1j, True, [1.0, math.nan]])
def test_bad_clean_energy(bad):
    with pytest.raises((TypeError, ValueError), match="energy"):
        clean_density_of_states(bad)
    for argument in ("hopping", "diagonal_hopping"):
        with pytest.raises((TypeError, ValueError), match=argument):
            clean_density_of_states(0.0, **{argument: bad})
