"""Hatsugai and Kohmoto: enumeration, quadrature in 20 digits, limits; moments that couple."""

from functools import cache
from itertools import product
from math import comb

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    eigenstates,
    flat_band_thermodynamics,
    hatsugai_kohmoto_ground_state,
    hubbard_overlaps,
    moment_levels,
)

FIELDS = ("grand_potential", "entropy", "heat_capacity", "magnetization", "susceptibility", "singly_occupied")
halves = st.integers(-6, 6).map(lambda k: k / 2)


@given(st.lists(st.tuples(halves, halves), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_ground_state_by_enumeration(levels):
    """Multiples of one half, so that crossings of levels occur and are counted."""
    xi, u = np.array(levels).T
    states = np.array(list(product((0, 1), repeat=2 * xi.size))).reshape(-1, 2, xi.size)
    energies = states.sum(axis=1) @ xi + states.prod(axis=1) @ u
    ground = energies == energies.min()
    result = hatsugai_kohmoto_ground_state(xi, u)
    assert result.energy == energies.min()
    assert np.exp(result.log_degeneracy) == pytest.approx(ground.sum())
    assert result.singly_occupied == (result.occupation == 1).sum()
    most = states[ground].sum(axis=1).max(axis=0)
    np.testing.assert_array_equal(result.occupation, most)


def test_window_of_single_occupation():
    xi = np.linspace(-3, 1, 400, endpoint=False) + 1e-3
    result = hatsugai_kohmoto_ground_state(xi, 2.0)
    np.testing.assert_array_equal(result.occupation == 1, (xi > -2) & (xi < 0))
    assert result.log_degeneracy == pytest.approx(result.singly_occupied * np.log(2))
    pairs = hatsugai_kohmoto_ground_state(xi, -2.0)
    np.testing.assert_array_equal(pairs.occupation, np.where(xi < 1, 2, 0))
    assert pairs.log_degeneracy == 0


def reference(u, t, h):
    """Quadrature over the levels: moments of n and s = n_up - n_down of one level, 20 digits."""
    with mpmath.workdps(20):
        u, t, h = mpmath.mpf(u), mpmath.mpf(t), mpmath.mpf(h)

        @cache
        def level(xi):
            energies = (mpmath.mpf(0), xi - h, xi + h, 2 * xi + u)
            lowest = min(energies)
            weights = [mpmath.exp(-(e - lowest) / t) for e in energies]
            z = sum(weights)
            p = [w / z for w in weights]
            energy = sum(w * e for w, e in zip(p, energies, strict=True))
            entropy = (energy - lowest) / t + mpmath.log(z)
            capacity = sum(w * (e - energy) ** 2 for w, e in zip(p, energies, strict=True)) / t**2
            moment = p[1] - p[2]
            grand = lowest - t * mpmath.log(z)
            paired = 2 * xi + u if 2 * xi + u < 0 else 0
            return grand - paired, entropy, capacity, moment, (p[1] + p[2] - moment**2) / t, p[1] + p[2]

        edges = sorted({-u, mpmath.mpf(0), -h, h, -u - h, -u + h, -u / 2})
        low, high = edges[0] - 80 * t, edges[-1] + 80 * t
        points = [low, *[e for edge in edges for e in (edge - 8 * t, edge, edge + 8 * t)], high]
        points = sorted({min(max(p, low), high) for p in points})
        return [float(mpmath.quad(lambda xi, i=i: level(xi)[i], points)) for i in range(6)]


@pytest.mark.parametrize(
    ("u", "t", "h"),
    [
        (0.7, 0.5, 0.0),
        (3.0, 0.4, 0.3),
        (-1.0, 0.6, 0.2),
        (0.02, 1.0, 0.1),
        (-0.4, 0.5, 0.46),
        (1.0, 2.0, -1.0),
    ],
)
def test_closed_form_equals_quadrature(u, t, h):
    result = flat_band_thermodynamics(u, t, h, density_of_states=2.0)
    for name, value in zip(FIELDS, reference(u, t, h), strict=True):
        assert getattr(result, name) == pytest.approx(2 * value, rel=1e-11, abs=1e-13), name


def closed_form(u, t, h):
    """T^2 arcosh(cosh(h/T) e^(U/2T))^2 in 40 digits or more; derivatives by the calculus of mpmath."""
    g = lambda t, h: (t * mpmath.acosh(mpmath.cosh(h / t) * mpmath.exp(u / (2 * t)))) ** 2  # noqa: E731
    omega = lambda t, h: -mpmath.re(g(t, h)) - mpmath.pi**2 * t**2 / 3  # noqa: E731
    return (
        omega(t, h),
        -mpmath.diff(omega, (t, h), (1, 0)),
        -t * mpmath.diff(omega, (t, h), (2, 0)),
        -mpmath.diff(omega, (t, h), (0, 1)),
        -mpmath.diff(omega, (t, h), (0, 2)),
    )


@given(st.floats(-40, 40), st.floats(-20, 20))
@settings(max_examples=40, deadline=None)
def test_no_digits_lost_hot_or_cold(u, h):
    with mpmath.workdps(60):
        expected = [float(x) for x in closed_form(mpmath.mpf(u), mpmath.mpf(1), mpmath.mpf(h))]
    result = flat_band_thermodynamics(u, 1.0, h)
    for name, value in zip(FIELDS, expected, strict=False):
        assert getattr(result, name) == pytest.approx(value, rel=1e-10, abs=1e-14), (name, u, h)


def test_low_temperature():
    """Residual entropy U N(0) ln 2, Curie constant U N(0), and the next orders."""
    for t in (1e-2, 1e-6, 1e-12):
        cold = flat_band_thermodynamics(3.0, t)
        log2 = np.log(2)
        assert cold.entropy == pytest.approx(3 * log2 + t * (2 * np.pi**2 / 3 + 2 * log2**2), rel=1e-12)
        assert cold.heat_capacity == pytest.approx(t * (2 * np.pi**2 / 3 + 2 * log2**2), rel=1e-10)
        assert t * cold.susceptibility == pytest.approx(3 + 2 * t * log2, rel=1e-12)
        assert cold.singly_occupied == pytest.approx(3 + 2 * t * log2, rel=1e-12)
        assert cold.grand_potential == pytest.approx(-9 / 4, rel=7 * t)
        field = flat_band_thermodynamics(3.0, t, 0.5)
        assert field.magnetization == pytest.approx(3 + 2 * 0.5, rel=1e-12)
        assert field.susceptibility == pytest.approx(2, rel=1e-9)
        assert field.heat_capacity == pytest.approx(2 * np.pi**2 / 3 * t, rel=1e-9)


def test_free_electrons_and_pairs():
    for t in (1e-3, 0.2, 5.0):
        free = flat_band_thermodynamics(0.0, t)
        assert free.susceptibility == pytest.approx(2, rel=1e-14)
        assert free.entropy == pytest.approx(2 * np.pi**2 / 3 * t, rel=1e-14)
        assert free.heat_capacity == pytest.approx(2 * np.pi**2 / 3 * t, rel=1e-14)
        assert free.singly_occupied == pytest.approx(2 * t, rel=1e-14)
    # Attraction: a spin gap |U|/2, and half the entropy and heat capacity per pair of levels.
    cold = flat_band_thermodynamics(-4.0, 0.1)
    assert cold.susceptibility == pytest.approx(np.pi * np.exp(-20.0), rel=1e-7)
    assert cold.entropy == pytest.approx(np.pi**2 / 6 * 0.1, rel=1e-6)
    assert cold.heat_capacity == pytest.approx(np.pi**2 / 6 * 0.1, rel=1e-5)


def test_free_electrons_in_a_small_and_a_large_field():
    """Two shifted bands: singles 2 h coth(h/T), magnetization 2 h, no effect of the field on the entropy."""
    for h in (1e-9, 5e-4, 9.9e-4, 1.1e-3, 0.1, 3.0, 400.0):
        result = flat_band_thermodynamics(0.0, 1.0, h)
        assert result.singly_occupied == pytest.approx(2 * h / np.tanh(h), rel=1e-12)
        assert result.magnetization == pytest.approx(2 * h, rel=1e-12)
        assert result.susceptibility == pytest.approx(2, rel=1e-9)
        assert result.entropy == pytest.approx(2 * np.pi**2 / 3, rel=1e-9)


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e3), st.floats(-1e3, 1e3))
@settings(max_examples=50, deadline=None)
def test_bounds(u, t, h):
    result = flat_band_thermodynamics(u, t, h)
    assert result.entropy > 0
    assert result.heat_capacity > 0
    assert result.susceptibility >= 0
    assert result.singly_occupied >= abs(result.magnetization) * (1 - 1e-14)
    assert result.magnetization == -flat_band_thermodynamics(u, t, -h).magnetization


def test_levels_of_a_disordered_lattice_follow_the_flat_band():
    """Sum over levels with U_a of their own: only the mean of U_a counts, singles = N(0) <U_a>."""
    rng = np.random.default_rng(1)
    xi, u = rng.uniform(-4, 4, 400_000), rng.exponential(0.5, 400_000)
    result = hatsugai_kohmoto_ground_state(xi, u)
    expected = 50_000 * 0.5
    assert abs(result.singly_occupied - expected) < 5 * np.sqrt(expected)


def fock_levels(states):
    """Singly occupied states of the Hubbard interaction of unit strength, Hamiltonian projected, dense."""
    sites, moments = states.shape
    configurations = list(product((0, 1), repeat=moments))
    h = np.zeros((len(configurations),) * 2)
    for p, bra in enumerate(configurations):
        for q, ket in enumerate(configurations):
            # Operators in the order of the states; n_i,up n_i,down = c+_up c_up c+_down c_down on each site.
            for i in range(sites):
                phi = states[i]
                for a in range(moments):
                    for c in range(moments):
                        if a == c or ket[a] != 0 or ket[c] != 1:
                            continue
                        if bra == ket:
                            h[p, q] += phi[a] ** 2 * phi[c] ** 2
                        flipped = list(ket)
                        flipped[a], flipped[c] = 1, 0
                        if tuple(flipped) == bra:
                            h[p, q] -= phi[a] ** 2 * phi[c] ** 2
    return np.linalg.eigvalsh(h)


def test_moments_couple_ferromagnetically():
    _, states = eigenstates(4, 9.0, seed=4)
    chosen = states[:, 5:9]
    k = hubbard_overlaps(chosen)
    spectrum = moment_levels(k, 1.0)
    np.testing.assert_allclose(spectrum, fock_levels(chosen), atol=1e-13)
    assert (np.abs(spectrum) < 1e-13).sum() == 5
    ising = moment_levels(k, 1.0, exchange=False)
    assert (ising == 0).sum() == 2
    for bits in product((0, 1), repeat=4):
        up = np.array(bits)
        cost = up @ k @ (1 - up)
        assert np.isclose(ising, cost, atol=1e-14).any()


def test_two_electrons_exactly():
    """Two orbitals of a two-site lattice: triplet without cost, singlet 2 U K, from the full problem."""
    mix = 0.3
    states = np.array([[np.cos(mix), -np.sin(mix)], [np.sin(mix), np.cos(mix)]])
    k = hubbard_overlaps(states)
    # Singlet (|a up, c down> - |a down, c up>)/sqrt 2 has the spatial amplitude sqrt 2 phi_a phi_c on a site.
    singlet = ((np.sqrt(2) * states[:, 0] * states[:, 1]) ** 2).sum()
    np.testing.assert_allclose(moment_levels(k, 1.0), [0, 0, 0, singlet], atol=1e-15)
    assert singlet == pytest.approx(2 * k[0, 1])


@given(st.integers(1, 6), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_spectrum_of_equal_couplings(moments, seed):
    """Heisenberg model on the complete graph: U K [N(N+2)/4 - S(S+1)], with its degeneracies."""
    k = np.full((moments, moments), 0.25)
    spectrum = moment_levels(k, 2.0)
    expected = []
    for lowered in range(moments // 2 + 1):
        s = moments / 2 - lowered
        multiplets = comb(moments, lowered) - (comb(moments, lowered - 1) if lowered else 0)
        energy = 0.5 * (moments / 2 * (moments / 2 + 1) - s * (s + 1))
        expected += [energy] * int(multiplets * (2 * s + 1))
    np.testing.assert_allclose(spectrum, np.sort(expected), atol=1e-12)
    rng = np.random.default_rng(seed)
    k = rng.uniform(0.1, 1, (moments, moments))
    k = k + k.T
    for exchange, ground in ((True, moments + 1), (False, 2)):
        spectrum = moment_levels(k, 1.0, exchange=exchange)
        assert (np.abs(spectrum) < 1e-10).sum() == ground
        assert spectrum.sum() == pytest.approx(2**moments * k[np.triu_indices(moments, 1)].sum() / 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, "1", None, 1j, True])
def test_bad_numbers(bad):
    for name in ("interaction", "temperature", "field", "density_of_states"):
        with pytest.raises((TypeError, ValueError), match=name):
            flat_band_thermodynamics(**{"interaction": 1.0, "temperature": 1.0, name: bad})
    with pytest.raises((TypeError, ValueError), match="energies"):
        hatsugai_kohmoto_ground_state([0.0, bad] if bad is not True else True, 1.0)
    with pytest.raises((TypeError, ValueError), match="interaction"):
        hatsugai_kohmoto_ground_state([0.0], bad)
    with pytest.raises((TypeError, ValueError), match="overlaps"):
        moment_levels(bad, 1.0)
    with pytest.raises((TypeError, ValueError), match="interaction"):
        moment_levels(np.eye(2), bad)
    if bad is not True:
        with pytest.raises(TypeError, match="exchange"):
            moment_levels(np.eye(2), 1.0, exchange=bad)


def test_bad_shapes_and_ranges():
    for call, match in (
        (lambda: flat_band_thermodynamics(1.0, 0.0), "temperature"),
        (lambda: flat_band_thermodynamics(1.0, -1.0), "temperature"),
        (lambda: flat_band_thermodynamics(1.0, 1.0, 0.0, 0.0), "density_of_states"),
        (lambda: flat_band_thermodynamics(1.0, 1e-200), "temperature"),
        (lambda: flat_band_thermodynamics([1.0, 2.0], [1.0, 2.0, 3.0]), "shape"),
        (lambda: hatsugai_kohmoto_ground_state([0.0, 1.0], [1.0, 2.0, 3.0]), "interaction"),
        (lambda: hatsugai_kohmoto_ground_state(0.0, 1.0), "energies"),
        (lambda: hatsugai_kohmoto_ground_state([1e308], 1e308), "overflow|below"),
        (lambda: moment_levels(np.ones((2, 3)), 1.0), "overlaps"),
        (lambda: moment_levels(np.ones((11, 11)), 1.0), "overlaps"),
        (lambda: moment_levels([[1.0, 0.2], [0.3, 1.0]], 1.0), "symmetric"),
    ):
        with pytest.raises(ValueError, match=match):
            call()


def test_arrays_broadcast():
    result = flat_band_thermodynamics([[1.0], [2.0]], [0.1, 0.2, 0.3], 0.05)
    for name in FIELDS:
        assert getattr(result, name).shape == (2, 3)
        single = getattr(flat_band_thermodynamics(2.0, 0.3, 0.05), name)
        assert isinstance(single, float)
        assert getattr(result, name)[1, 2] == pytest.approx(single, rel=1e-14)
