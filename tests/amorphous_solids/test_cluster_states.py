"""Excitation energies of interacting centres and the densities of states for weak interactions."""

from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.amorphous_solids import (
    COUPLING_DISTRIBUTIONS,
    CouplingDistribution,
    density_series,
    excitation_energies,
    interaction_parameter,
    is_stable,
    pair_density_of_states,
    shortest_distance,
    single_density_of_states,
    transition_sizes,
)
from disorder.numerics.quadrature import panel_rule

seeds = st.integers(0, 2**32 - 1)


def random_system(seed, count):
    rng = np.random.default_rng(seed)
    couplings = rng.normal(size=(count, count))
    couplings = np.triu(couplings, 1)
    return rng.uniform(-2, 2, count), couplings + couplings.T


def spin_energy(spins, fields, couplings):
    """The Hamiltonian (2.2) without tunneling, pair by pair."""
    energy = sum(field * spin for field, spin in zip(fields, spins, strict=True))
    return energy + sum(couplings[i, j] * spins[i] * spins[j] for i, j in combinations(range(len(spins)), 2))


def all_spins(count):
    return ((np.arange(2**count)[:, None] >> np.arange(count)) & 1) - 0.5


@given(seeds, st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_flips_of_a_spin_hamiltonian(seed, count):
    fields, couplings = random_system(seed, count)
    states = all_spins(count)
    energies = np.array([spin_energy(spins, fields, couplings) for spins in states])
    ground = states[np.argmin(energies)]
    single = -2 * ground * (fields + couplings @ ground)
    attraction = -4 * np.outer(ground, ground) * couplings
    flips = excitation_energies(single, attraction)
    # Index of the state reached by a flip: its bits are the ground state's, changed where flipped.
    start = int(((ground > 0) << np.arange(count)).sum())
    expected = energies[np.arange(2**count) ^ start] - energies[start]
    assert flips == pytest.approx(expected, abs=1e-13)
    assert is_stable(single, attraction)
    # In an excited state some flip lowers the energy.
    other = states[np.argsort(energies)[-1]]
    assert not is_stable(-2 * other * (fields + couplings @ other), -4 * np.outer(other, other) * couplings)


def test_sign_of_the_pair_energy():
    # All spins -1/2, as in (2.6): with (2.2) the pair costs eps_i + eps_j + U_ij, so (2.11) means -U_ij.
    fields, coupling = np.array([1.0, 2.0]), 0.7
    couplings = np.array([[0, coupling], [coupling, 0]])
    down = np.array([-0.5, -0.5])
    single = fields + couplings @ down
    cost = spin_energy(-down, fields, couplings) - spin_energy(down, fields, couplings)
    assert cost == pytest.approx(single.sum() + coupling)
    assert excitation_energies(single, -couplings)[3] == pytest.approx(cost)


def test_stability_conditions_of_the_paper():
    rng = np.random.default_rng(4)
    energies = rng.uniform(0, 1, (2000, 3))
    u = rng.normal(size=(2000, 3))
    couplings = np.zeros((2000, 3, 3))
    for column, (i, j) in enumerate(combinations(range(3), 2)):
        couplings[:, i, j] = couplings[:, j, i] = u[:, column]
    pairs = (energies.sum(axis=1)[:, None] - energies[:, ::-1] - u > 0).all(axis=1)
    triple = energies.sum(axis=1) - u.sum(axis=1) > 0
    assert (is_stable(energies, couplings, largest_flip=2) == pairs).all()
    assert (is_stable(energies, couplings) == (pairs & triple)).all()
    assert is_stable(energies, couplings, largest_flip=1).all()
    assert (pairs & ~triple).sum() > 0


@given(seeds, st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_a_swept_centre_flips_once_with_its_cluster(seed, count):
    fields, couplings = random_system(seed, count)
    states = all_spins(count)
    rest = np.array([spin_energy(spins, [0, *fields[1:]], couplings) for spins in states])
    sweep = np.linspace(-20, 20, 4001)
    ground = np.argmin(rest + sweep[:, None] * states[:, 0], axis=1)
    changes = np.flatnonzero(np.diff(states[ground, 0]))
    assert changes.size == 1
    before, after = states[ground[changes[0]]], states[ground[changes[0] + 1]]
    assert transition_sizes(fields, couplings) == (before != after).sum()


def test_sum_of_n_p_n_is_p_0_beyond_any_order():
    # Strong, long-ranged, frustrated: every sweep still has one transition, of 1 to N centres.
    rng = np.random.default_rng(5)
    couplings = np.triu(3 * rng.normal(size=(3000, 7, 7)), 1)
    sizes = transition_sizes(rng.uniform(-2, 2, (3000, 7)), couplings + np.swapaxes(couplings, 1, 2))
    shares = np.bincount(sizes, minlength=8)[1:] / sizes.size
    assert shares.sum() == 1
    assert (shares > 0).all()


def pair_density_by_quadrature(energy, chi, xi, name):
    """(2.12) with both integrals done numerically: R^3 = v inside, u outside, U_0 = R_max = 1."""
    low = np.exp(-3 * xi)

    def over_places(w):
        kink = w / energy if energy > 0 else 1.0
        v, weights = panel_rule(sorted({low, 1.0, min(max(kink, low), 1.0), np.sqrt(low)}), 40)
        return weights @ (np.maximum(energy + w / v, 0) + np.maximum(energy - w / v, 0)) / 2

    if name == "bimodal":
        total = over_places(1.0)
    else:
        ends = {0.0, 2.0, min(energy, 2.0), min(energy * low, 2.0)}
        ends |= set() if name == "uniform" else {energy, 5.0, 10.0, 20.0, 40.0}
        u, weights = panel_rule(sorted(ends), 20)
        density = np.exp(-u) if name == "laplace" else 0.5
        total = (weights * density) @ np.array([over_places(w) for w in u])
    # (1/2) P_0^2 4 pi (1/3) int dv, and chi = pi P_0.
    return chi * 2 * total / 3


@pytest.mark.parametrize("name", ["bimodal", "uniform", "laplace"])
def test_pair_density_at_finite_energy(name):
    for energy in (0.0, 0.4, 1.3, 5.0):
        expected = pair_density_by_quadrature(energy, 0.1, 1.5, name)
        assert pair_density_of_states(energy, 0.1, 1.5, name) == pytest.approx(expected, rel=1e-8)


@given(st.floats(0, 1), st.floats(0.1, 20))
@settings(max_examples=25, deadline=None)
def test_second_term_of_2_14(energy, xi):
    # Equal |u|: below U_0/R_max^3 the density is linear in the energy; the inner radius is the only other
    # term.
    value = pair_density_of_states(energy, 0.1, xi, "bimodal")
    assert value == pytest.approx(0.1 * (xi + energy * (1 - np.exp(-3 * xi)) / 3), rel=1e-13)


def test_small_couplings_add_to_2_14():
    # Slope 1/3 at zero energy for all; a distribution with weight at small |u| has a positive curvature as
    # well.
    step = 1e-4
    for name in COUPLING_DISTRIBUTIONS:
        values = pair_density_of_states(np.array([0, step, 2 * step]), 1.0, 20.0, name)
        blocked = CouplingDistribution(name).truncated_integral(step)
        assert (values[1] - values[0]) / step == pytest.approx((2 - blocked / step) / 3, rel=1e-8)
        assert (values[1] - values[0]) / step == pytest.approx(1 / 3, rel=1e-4)
        curvature = (values[2] - 2 * values[1] + values[0]) / step**2
        assert curvature == pytest.approx(
            {"bimodal": 0, "uniform": 1 / 12, "gaussian": 1 / (3 * np.pi), "laplace": 1 / 6}[name], abs=2e-4
        )


@given(st.sampled_from(COUPLING_DISTRIBUTIONS), st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 30))
@settings(max_examples=50, deadline=None)
def test_first_order_moves_states_without_losing_any(name, energy, chi, xi):
    single = single_density_of_states(energy, chi, xi, name)
    pair = pair_density_of_states(energy, chi, xi, name)
    free = -2 * chi * energy * np.expm1(-3 * xi) / 3
    assert single + 2 * (pair - free) == pytest.approx(1, abs=1e-12 * (1 + free))


@pytest.mark.parametrize("name", COUPLING_DISTRIBUTIONS)
def test_dipole_gap(name):
    assert single_density_of_states(0.0, 0.01, 6.0, name) == pytest.approx(1 - 2 * 0.01 * 6.0, rel=1e-14)
    assert pair_density_of_states(0.0, 0.01, 6.0, name) == pytest.approx(0.01 * 6.0, rel=1e-14)
    energy = np.geomspace(1e-2, 1e12, 60)
    values = single_density_of_states(energy, 0.01, 6.0, name)
    assert (np.diff(values) >= -1e-15).all()
    assert values[-1] == pytest.approx(1, abs=1e-4)
    # Inside the gap each decade of energy closes chi (2/3) ln 10.
    inside = single_density_of_states(np.array([1e3, 1e4]), 0.01, 6.0, name)
    assert inside[1] - inside[0] == pytest.approx(0.02 / 3 * np.log(10), rel=1e-3)


def test_dipole_gap_by_counting_neighbours():
    # Unstable pairs of a centre at energy delta: (2.19) with random neighbours instead of integrals.
    rng = np.random.default_rng(7)
    xi, delta, count, top = 0.7, 1.5, 1_000_000, 60.0
    v = rng.uniform(np.exp(-3 * xi), 1, count)
    u = rng.choice([-1, 1], count) * rng.exponential(size=count)
    unstable = (u / v > delta + rng.uniform(0, top, count)).mean()
    # P_0 int dR int de = P_0 (4 pi/3)(1 - v_min) top; P_0 = chi/pi.
    loss = 4 / 3 * (1 - np.exp(-3 * xi)) * top * unstable
    error = loss / np.sqrt(unstable * count)
    assert 1 - single_density_of_states(delta, 1.0, xi, "laplace") == pytest.approx(loss, abs=4 * error)


def test_series_second_order_with_any_b12():
    b12 = Fraction(7, 5)
    series = density_series(2, lambda k, m: b12 if k * m == 2 else Fraction(1), exact=True)
    assert series.tolist() == [[1, -2, 4 - b12], [0, 1, -(2 + b12)], [0, 0, b12]]


def test_printed_pair_density_loses_conservation():
    b12 = Fraction(7, 5)
    assert (4 - b12) - 2 * (2 + b12) + 3 * b12 == 0
    assert (4 - b12) - 2 * b12 + 3 * b12 == 4


def test_series_of_the_constant_kernel():
    series = density_series(9, exact=True)
    # t^(n-1)/(1+t)^(n+1), the exact solution.
    for n in range(1, 11):
        for power in range(n - 1, 10):
            j = power - n + 1
            expected = Fraction((-1) ** j) * Fraction(int(mpmath.binomial(n + j, j)))
            assert series[n - 1, power] == expected


def test_series_of_the_additive_kernel():
    # b = (k + m)/2: Golovin's solution with sum P = exp(-t).
    series = density_series(8, lambda k, m: Fraction(k + m, 2), exact=True)
    totals = series.sum(axis=0)
    assert totals.tolist() == [Fraction((-1) ** j, int(mpmath.factorial(j))) for j in range(9)]


@given(st.integers(0, 7), st.lists(st.fractions(0, 5), min_size=64, max_size=64))
@settings(max_examples=25, deadline=None)
def test_series_conserves_for_every_symmetric_kernel(order, values):
    table = np.array(values, dtype=object).reshape(8, 8)
    kernel = lambda k, m: table[min(k, m) - 1, max(k, m) - 1]  # noqa: E731
    series = density_series(order, kernel, exact=True)
    sums = [sum((n + 1) * series[n, power] for n in range(order + 1)) for power in range(order + 1)]
    assert sums == [1] + [0] * order
    floats = density_series(order, lambda k, m: float(kernel(k, m)))
    assert floats.dtype == np.float64
    assert floats == pytest.approx(series.astype(float), rel=1e-10, abs=1e-9)


def test_interaction_parameter():
    # A flat band of |omega| below W has P_0 = n/W.
    assert interaction_parameter(0.3, 2.0, 5.0) == pytest.approx(np.pi * 0.3 * 2.0 / 5.0, rel=1e-15)
    assert shortest_distance(2.0, 5.0) ** 3 == pytest.approx(0.4, rel=1e-15)
    # chi = pi n R_min^3: small when few centres lie within R_min of each other.
    assert interaction_parameter(0.3, 2.0, 5.0) == pytest.approx(
        np.pi * 0.3 * shortest_distance(2.0, 5.0) ** 3
    )
    assert interaction_parameter(1e-200, 1e200, 3.0) == pytest.approx(np.pi / 3, rel=1e-13)
    assert interaction_parameter(1e-200, 1e-200, 1e-200) == pytest.approx(np.pi * 1e-200, rel=1e-12)
    with pytest.raises(ValueError, match="out of range"):
        interaction_parameter(1e-300, 1e-300, 1.0)


def test_chi_of_other_bands():
    # P_0(0) W/n is 1 for a flat band and of order one for others: a half-normal of rms W, a semicircle.
    grid = np.linspace(0, 12, 200_001)
    for density, expected in (
        (np.exp(-(grid**2) / 2), np.sqrt(2 / np.pi)),
        (np.sqrt(np.maximum(1 - grid**2, 0)), 4 / np.pi),
    ):
        assert density[0] / np.trapezoid(density, grid) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_positive_scalars_refused(bad):
    for name in ("density", "coupling", "bandwidth"):
        with pytest.raises(ValueError, match=name):
            interaction_parameter(**{"density": 1.0, "coupling": 1.0, "bandwidth": 1.0, name: bad})
    for name in ("coupling", "bandwidth"):
        with pytest.raises(ValueError, match=name):
            shortest_distance(**{"coupling": 1.0, "bandwidth": 1.0, name: bad})


@pytest.mark.parametrize("function", [pair_density_of_states, single_density_of_states])
def test_densities_of_states_refuse(function):
    for name in ("energy", "chi", "xi"):
        for bad in (-1.0, np.nan, np.inf, 1e200):
            with pytest.raises(ValueError, match=name):
                function(**{"energy": 1.0, "chi": 0.1, "xi": 2.0, name: bad})
        for bad in ("1", None, 1j, True):
            with pytest.raises(TypeError, match=name):
                function(**{"energy": 1.0, "chi": 0.1, "xi": 2.0, name: bad})
    with pytest.raises(ValueError, match="distribution"):
        function(1.0, 0.1, 2.0, "levy")
    assert type(function(1.0, 0.1, 2.0)) is float
    assert function([[0.0], [1.0]], [0.1, 0.2], 2.0).shape == (2, 2)


@pytest.mark.parametrize("function", [excitation_energies, is_stable, transition_sizes])
def test_systems_refused(function):
    good = np.zeros((2, 2))
    with pytest.raises(ValueError, match="symmetric"):
        function([1.0, 1.0], [[0, 1], [2, 0]])
    with pytest.raises(ValueError, match="diagonal"):
        function([1.0, 1.0], np.eye(2))
    with pytest.raises(ValueError, match="shape"):
        function([1.0, 1.0], np.zeros((3, 3)))
    with pytest.raises(ValueError, match="16"):
        function(np.zeros(17), np.zeros((17, 17)))
    with pytest.raises(ValueError, match="last axis"):
        function(1.0, good)
    with pytest.raises(ValueError, match="finite"):
        function([np.nan, 1.0], good)
    with pytest.raises(ValueError, match="finite"):
        function([0.0, 1.0], [[0, np.inf], [np.inf, 0]])
    with pytest.raises(TypeError, match="real numbers"):
        function(["a", "b"], good)
    with pytest.raises(ValueError, match="broadcast"):
        function(np.zeros((3, 2)), np.zeros((4, 2, 2)))


def test_flip_bound_refused():
    with pytest.raises(ValueError, match="largest_flip"):
        is_stable([1.0], [[0.0]], largest_flip=0)
    with pytest.raises(TypeError, match="largest_flip"):
        is_stable([1.0], [[0.0]], largest_flip=1.5)


def test_series_refuses():
    for bad in (-1, 61):
        with pytest.raises(ValueError, match="order"):
            density_series(bad)
    with pytest.raises(TypeError, match="order"):
        density_series(2.0)
    with pytest.raises(TypeError, match="kernel"):
        density_series(2, 1.0)
    with pytest.raises(ValueError, match="symmetric"):
        density_series(3, lambda k, m: float(k))
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="kernel"):
            density_series(2, lambda k, m, bad=bad: bad)
    with pytest.raises(TypeError, match="kernel"):
        density_series(2, lambda k, m: 0.5, exact=True)
    with pytest.raises(ValueError, match="kernel"):
        density_series(2, lambda k, m: -1, exact=True)
    with pytest.raises(TypeError, match="exact"):
        density_series(2, exact=1)
