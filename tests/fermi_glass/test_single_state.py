"""One localized state: exact levels and averages, Hartree-Fock, windows of occupation, number of moments."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from disorder.fermi_glass import (
    addition_energy,
    first_order_energy,
    mean_moments,
    single_state_ground_state,
    single_state_hartree_fock,
    single_state_levels,
    single_state_thermal,
)

energies = st.floats(-3.0, 3.0)
interactions = st.floats(-4.0, 4.0)
fields = st.floats(-1.0, 1.0)
temperatures = st.floats(0.02, 5.0)


def fermi(x):
    return 0.5 * (1 - np.tanh(x / 2))


# ---------------------------------------------------------------- levels and ground state


@given(xi=energies, u=interactions, b=fields)
@settings(max_examples=30, deadline=None)
def test_levels_are_eigenvalues_in_fock_space(xi, u, b):
    up, down = np.kron([0.0, 1.0], [1.0, 1.0]), np.kron([1.0, 1.0], [0.0, 1.0])
    matrix = xi * (up + down) + u * up * down + b * (down - up)
    # Order of the product basis: empty, down, up, double.
    assert np.allclose(single_state_levels(xi, u, b), matrix[[0, 2, 1, 3]], atol=1e-14)


def test_printed_levels():
    assert single_state_levels(-0.75, 2.0, 0.5).tolist() == [0.0, -1.25, -0.25, 0.5]


@given(u=st.floats(0.01, 10.0), x=st.floats(-3.0, 3.0))
@settings(max_examples=50, deadline=None)
def test_window_of_single_occupation(u, x):
    assume(min(abs(x), abs(x + 1)) > 1e-9)
    ground = single_state_ground_state(x * u, u)
    assert ground.occupation == (2.0 if x < -1 else 1.0 if x < 0 else 0.0)
    assert ground.degeneracy == (2.0 if -1 < x < 0 else 1.0)
    assert ground.moment == 0.0
    assert ground.energy == pytest.approx(min(0.0, x * u, (2 * x + 1) * u))
    # The field picks the moment, along the sign of B: H_b = B (n_down - n_up).
    if -1 < x < 0:
        assert single_state_ground_state(x * u, u, 1e-3 * u).moment == 1.0
        assert single_state_ground_state(x * u, u, -1e-3 * u).moment == -1.0


def test_half_of_the_window_is_single_where_section_iv_says_double():
    ground = single_state_ground_state(-0.75, 1.0)
    assert ground.occupation == 1.0
    empty, up, _, double = single_state_levels(-0.75, 1.0)
    assert double < empty  # what Section IV compares
    assert up < double  # what it leaves out


@given(u=st.floats(-10.0, -0.01), x=st.floats(-3.0, 3.0))
@settings(max_examples=50, deadline=None)
def test_attraction_pairs_and_has_the_printed_gap(u, x):
    xi = x * abs(u)
    assume(abs(x - 0.5) > 1e-9)
    ground = single_state_ground_state(xi, u)
    assert ground.occupation == (2.0 if x < 0.5 else 0.0)
    levels = single_state_levels(xi, u)
    single_particle = levels[1] - ground.energy
    assert single_particle >= abs(u) / 2 * (1 - 1e-12)
    pair = max(levels[0], levels[3]) - ground.energy
    assert pair == pytest.approx(abs(2 * xi + u))


def test_degenerate_ground_states():
    for xi, occupation, count in ((0.0, 2 / 3, 3.0), (-1.0, 4 / 3, 3.0)):
        ground = single_state_ground_state(xi, 1.0)
        assert ground.occupation == pytest.approx(occupation)
        assert ground.degeneracy == count
        cold = single_state_thermal(xi, 1.0, 1e-3)
        assert cold.up + cold.down == pytest.approx(occupation, rel=1e-12)
    assert single_state_ground_state(0.0, 0.0).degeneracy == 4.0


def lattice_like(rng, count):
    orbitals = np.linalg.qr(np.diag(rng.uniform(-4, 4, count)) + rng.normal(size=(count, count)))[0]
    return (orbitals**2).T @ orbitals**2


@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0.1, 4.0))
@settings(max_examples=20, deadline=None)
def test_window_in_exact_minima(seed, strength):
    """In the minimum over all occupations, with every interaction between the states."""
    rng = np.random.default_rng(seed)
    count = 5
    overlaps, levels = lattice_like(rng, count), rng.uniform(-2, 1, count)
    patterns = np.array(list(itertools.product((0.0, 1.0), repeat=count)))
    total = (patterns @ levels)[:, None] + patterns @ levels + strength * patterns @ overlaps @ patterns.T
    u, d = np.unravel_index(np.argmin(total), total.shape)
    up, down = patterns[u], patterns[d]
    assert np.isclose(first_order_energy(levels, overlaps, strength, up, down), total[u, d], atol=1e-12)
    if up.sum() < down.sum():
        up, down = down, up
    own = strength * np.diag(overlaps)
    # E_1 of every state with its own two orbitals empty.
    first = addition_energy(levels, overlaps, strength, up, down) - own * np.array([down, up])
    x = first / own
    number = up + down
    assert (x[:, number == 2] <= -1 + 1e-9).all()
    assert (x[:, number == 0] >= -1e-9).all()
    # A single particle sees its own spin's field below zero and the other's above minus U_aaaa.
    assert (x[0, number == 1] <= 1e-9).all()
    assert (x[1, number == 1] >= -1 - 1e-9).all()
    # The other singles, all of the same spin, widen the window downwards and never upwards.
    assert (x[1] >= x[0] - 1e-9).all()


@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0.1, 6.0))
@settings(max_examples=20, deadline=None)
def test_gap_of_attraction_with_all_interactions(seed, strength):
    """An unpaired particle costs at least |U| K_aa/2 above the grand-canonical minimum."""
    rng = np.random.default_rng(seed)
    count = 5
    overlaps, levels = lattice_like(rng, count), rng.uniform(-1, 3, count)
    patterns = np.array(list(itertools.product((0.0, 1.0), repeat=count)))
    total = (patterns @ levels)[:, None] + patterns @ levels - strength * patterns @ overlaps @ patterns.T
    lowest = total.min()
    assert np.isclose(np.diag(total).min(), lowest, atol=1e-12)
    for i, up in enumerate(patterns):
        for j, down in enumerate(patterns):
            difference = up - down
            bound = strength / 2 * difference @ overlaps @ difference
            assert total[i, j] >= lowest + bound - 1e-10
            if np.abs(difference).sum() == 1:
                a = int(np.flatnonzero(difference)[0])
                assert np.isclose(bound, strength * overlaps[a, a] / 2)


# ---------------------------------------------------------------- exact thermal averages


@given(xi=energies, u=interactions, t=temperatures, b=fields)
@settings(max_examples=40, deadline=None)
def test_thermal_averages_against_mpmath(xi, u, t, b):
    with mpmath.workdps(40):
        beta = 1 / mpmath.mpf(t)
        levels = [0, mpmath.mpf(xi) - b, mpmath.mpf(xi) + b, 2 * mpmath.mpf(xi) + u]
        weights = [mpmath.exp(-beta * level) for level in levels]
        z = mpmath.fsum(weights)
        empty, up, down, double = (weight / z for weight in weights)
        reference = {
            "up": up + double,
            "down": down + double,
            "double": double,
            "susceptibility": beta * (up + down - (up - down) ** 2),
            "grand_potential": -mpmath.log(z) / beta,
        }
    state = single_state_thermal(xi, u, t, b)
    for name, value in reference.items():
        assert getattr(state, name) == pytest.approx(float(value), rel=1e-11, abs=1e-15), name
    assert float(empty) >= 0


@given(xi=energies, u=interactions, t=temperatures, b=fields)
@settings(max_examples=20, deadline=None)
def test_derivatives_of_the_grand_potential(xi, u, t, b):
    step = 1e-4 * t
    for solve in (single_state_thermal, single_state_hartree_fock):
        here = solve(xi, u, t, b)
        if solve is single_state_hartree_fock:
            # A first-order jump or the branch point between the two differences spoils them.
            near = [solve(xi, u, t, b + d).up for d in (-2 * step, 2 * step)]
            near += [solve(xi + d, u, t, b).up for d in (-2 * step, 2 * step)]
            assume(max(abs(up - here.up) for up in near) < 1e-2)
            assume(here.susceptibility * t < 20)
        left, right = (solve(xi, u, t, b + d) for d in (-step, step))
        moment = here.up - here.down
        if solve is not single_state_hartree_fock or abs(b) > 2 * step:
            slope = (left.grand_potential - right.grand_potential) / (2 * step)
            assert slope == pytest.approx(moment, rel=1e-5, abs=1e-6)
            growth = ((right.up - right.down) - (left.up - left.down)) / (2 * step)
            assert growth * t == pytest.approx(here.susceptibility * t, rel=1e-3, abs=1e-5)
        below, above = (solve(xi + d, u, t, b) for d in (-step, step))
        slope = (above.grand_potential - below.grand_potential) / (2 * step)
        assert slope == pytest.approx(here.up + here.down, rel=1e-5, abs=1e-6)


@given(xi=energies, u=interactions, t=temperatures, b=st.floats(0.01, 1.0))
@settings(max_examples=30, deadline=None)
def test_symmetries(xi, u, t, b):
    for solve in (single_state_thermal, single_state_hartree_fock):
        state = solve(xi, u, t, b)
        flipped = solve(xi, u, t, -b)
        assert flipped.up == pytest.approx(state.down, rel=1e-9, abs=1e-12)
        # Particles for holes: xi -> -xi - U, and up for down.
        holes = solve(-xi - u, u, t, b)
        assert 1 - holes.down == pytest.approx(state.up, rel=1e-8, abs=1e-9)
        assert holes.grand_potential + 2 * xi + u == pytest.approx(state.grand_potential, rel=1e-9, abs=1e-9)
        # Holes for down spins alone: U -> -U, energy and field exchanged.
        mixed = solve(u / 2 - b, -u, t, -xi - u / 2)
        assert mixed.up == pytest.approx(state.up, rel=1e-8, abs=1e-9)
        assert 1 - mixed.down == pytest.approx(state.down, rel=1e-8, abs=1e-9)


def test_curie_law_inside_the_window():
    for t in (1e-2, 1e-3, 1e-4):
        assert single_state_thermal(-0.3, 1.0, t).susceptibility * t == pytest.approx(1.0, rel=1e-10)
    # Outside it vanishes exponentially.
    assert single_state_thermal(0.5, 1.0, 1e-2).susceptibility < 1e-15


# ---------------------------------------------------------------- Hartree-Fock


@given(xi=energies, u=interactions, t=temperatures, b=fields)
@settings(max_examples=50, deadline=None)
def test_hartree_fock_is_the_global_minimum_of_its_potential(xi, u, t, b):
    state = single_state_hartree_fock(xi, u, t, b)
    assert state.up == pytest.approx(fermi((xi - b + u * state.down) / t), rel=1e-9, abs=1e-13)
    assert state.down == pytest.approx(fermi((xi + b + u * state.up) / t), rel=1e-9, abs=1e-13)
    # Variational potential of independent spins, on a grid of all occupations.
    n = 0.5 * (1 - np.cos(np.linspace(0, np.pi, 301)))
    free = t * (xlogy(n, n) + xlogy(1 - n, 1 - n))
    up, down = n[:, None], n[None, :]
    trial = (xi - b) * up + (xi + b) * down + u * up * down + free[:, None] + free
    assert state.grand_potential <= trial.min() + 1e-12
    assert state.grand_potential >= trial.min() - 2e-3 * (t + abs(u))
    # Variational principle: never below the exact potential.
    assert state.grand_potential >= single_state_thermal(xi, u, t, b).grand_potential - 1e-12
    assert state.susceptibility >= 0
    if b == 0:
        assert state.up >= state.down


@pytest.mark.parametrize("u", [1.0, -1.0])
def test_lower_of_two_self_consistent_solutions(u):
    """Monotone iteration from two extreme starts finds the outer solutions; the lower one must come out."""
    offset, t, b = np.meshgrid(np.linspace(-0.3, 0.3, 41), np.linspace(0.05, 0.245, 14), [-0.02, 3e-3, 0.06])
    xi = offset - u / 2
    potentials = []
    for start in ((0.0, 1.0) if u > 0 else (0.0, 0.0), (1.0, 0.0) if u > 0 else (1.0, 1.0)):
        down = np.full(xi.shape, start[1])
        for _ in range(4000):
            up = fermi((xi - b + u * down) / t)
            down = fermi((xi + b + u * up) / t)
        entropy = sum(xlogy(n, n) + xlogy(1 - n, 1 - n) for n in (up, down))
        potentials.append((xi - b) * up + (xi + b) * down + u * up * down + t * entropy)
    state = single_state_hartree_fock(xi, u, t, b)
    assert np.allclose(state.grand_potential, np.minimum(*potentials), rtol=0, atol=1e-9)
    assert (np.abs(potentials[0] - potentials[1]) > 1e-3).mean() > 0.2


def test_without_interaction_hartree_fock_is_exact():
    exact, mean = (f(-0.3, 0.0, 0.4, 0.1) for f in (single_state_thermal, single_state_hartree_fock))
    for name in ("up", "down", "double", "susceptibility", "grand_potential"):
        assert getattr(mean, name) == pytest.approx(getattr(exact, name), rel=1e-12)


@given(u=st.floats(0.1, 5.0), ratio=st.floats(0.02, 0.95))
@settings(max_examples=25, deadline=None)
def test_symmetric_state_orders_at_a_quarter_of_u(u, ratio):
    t = ratio * u / 4
    m = 1.0
    for _ in range(3000):
        m = np.tanh(u * m / (4 * t))
    state = single_state_hartree_fock(-u / 2, u, t)
    assert state.up - state.down == pytest.approx(m, abs=1e-9)
    hot = single_state_hartree_fock(-u / 2, u, u / 4 * (2 - ratio))
    assert hot.up - hot.down == pytest.approx(0.0, abs=1e-7)


@given(xi=energies, u=st.floats(0.05, 4.0), t=temperatures)
@settings(max_examples=40, deadline=None)
def test_linear_response_finds_the_instability_of_a_single_state(xi, u, t):
    """Moments form exactly where the isothermal response of the paramagnet has changed sign."""
    paramagnet = single_state_hartree_fock(xi, u, t, magnetic=False)
    n = paramagnet.up
    assert paramagnet.down == n
    assert n == pytest.approx(fermi((xi + u * n) / t), rel=1e-9, abs=1e-13)
    eigenvalue = 1 - u * n * (1 - n) / t
    assume(abs(eigenvalue) > 1e-3)
    assert paramagnet.susceptibility == pytest.approx(2 * n * (1 - n) / t / eigenvalue, rel=1e-6, abs=1e-12)
    best = single_state_hartree_fock(xi, u, t)
    if eigenvalue < 0:
        assert best.up - best.down > 1e-4
        assert best.grand_potential < paramagnet.grand_potential
    else:  # no transition of first order comes before
        assert best.up - best.down < 1e-6
        assert best.up == pytest.approx(n, abs=1e-6)
        assert best.grand_potential == pytest.approx(paramagnet.grand_potential, abs=1e-10)


def test_pinned_level_of_the_paramagnet():
    t = 1e-4
    for xi in (-0.9, -0.5, -0.1):
        paramagnet = single_state_hartree_fock(xi, 1.0, t, magnetic=False)
        assert paramagnet.up == pytest.approx(-xi, abs=1e-2)
        assert paramagnet.susceptibility < 0
        assert paramagnet.grand_potential == pytest.approx(-(xi**2), abs=1e-3)
        assert single_state_hartree_fock(xi, 1.0, t).grand_potential == pytest.approx(xi, abs=1e-12)


@given(xi=energies, u=st.floats(-4.0, -0.05), t=temperatures)
@settings(max_examples=25, deadline=None)
def test_attraction_keeps_equal_spins(xi, u, t):
    state = single_state_hartree_fock(xi, u, t)
    assert state.up == pytest.approx(state.down, abs=1e-12)
    paired = single_state_hartree_fock(xi, u, t, magnetic=False)
    assert paired.grand_potential == pytest.approx(state.grand_potential, abs=1e-12)


@pytest.mark.parametrize("t", [1e-4, 1e-11])
def test_cold_hartree_fock_has_the_exact_ground_state(t):
    for xi in np.linspace(-2.05, 1.05, 32):
        for u in (-1.3, 0.7):
            ground = single_state_ground_state(xi, u, 0.01)
            state = single_state_hartree_fock(xi, u, t, 0.01)
            assert state.grand_potential == pytest.approx(ground.energy, abs=1e-12)
            assert state.up + state.down == pytest.approx(ground.occupation, abs=1e-12)
            assert state.up - state.down == pytest.approx(ground.moment, abs=1e-12)


# ---------------------------------------------------------------- number of moments


def independent_moments(rng, levels, mean_window, particles, samples):
    """Singly occupied levels in the ground state of independent levels at fixed number of particles.

    The level spacing is one on average; windows vary from level to level.
    """
    energies = rng.uniform(0, levels, (samples, levels))
    windows = rng.exponential(mean_window, (samples, levels))
    steps = np.concatenate([energies, energies + windows], axis=1)
    filled = np.zeros(steps.shape, dtype=bool)
    order = np.argpartition(steps, particles - 1, axis=1)[:, :particles]
    np.put_along_axis(filled, order, True, axis=1)
    return (filled[:, :levels] & ~filled[:, levels:]).sum(axis=1)


@pytest.mark.parametrize("mean", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("parity", ["even", "odd"])
def test_moments_of_independent_levels_at_fixed_number(mean, parity):
    rng = np.random.default_rng(11)
    found = independent_moments(rng, 120, mean, 120 + (parity == "odd"), 20_000)
    error = found.std() / np.sqrt(found.size)
    assert abs(found.mean() - mean_moments(mean, parity)) < 4 * error + 2e-3
    assert (found % 2 == (parity == "odd")).all()


def test_density_of_moments():
    """N(0) times the mean window, whatever the distribution of the windows; not half of it."""
    rng = np.random.default_rng(12)
    xi, window = rng.uniform(-40, 40, (2000, 80)), rng.exponential(3.0, (2000, 80))
    singles = (single_state_ground_state(xi, window).occupation == 1).sum(axis=1)
    assert abs(singles.mean() - 3.0) < 4 * singles.std() / np.sqrt(2000)
    assert singles.var() == pytest.approx(singles.mean(), rel=0.1)


@given(x=st.floats(0.0, 50.0))
@settings(max_examples=25, deadline=None)
def test_limits_of_the_mean(x):
    even, odd, any_number = (mean_moments(x, parity) for parity in ("even", "odd", "any"))
    assert even + odd == pytest.approx(2 * any_number, rel=1e-14)
    assert any_number == pytest.approx(x + 0.5)
    assert x <= even <= 2 * x + 1e-15
    assert mean_moments(1e-9) == pytest.approx(2e-9, rel=1e-8)


# ---------------------------------------------------------------- input


VALID = {
    single_state_levels: {"energy": -0.5, "interaction": 1.0, "field": 0.1},
    single_state_ground_state: {"energy": -0.5, "interaction": 1.0, "field": 0.1},
    single_state_thermal: {"energy": -0.5, "interaction": 1.0, "temperature": 0.2, "field": 0.1},
    single_state_hartree_fock: {"energy": -0.5, "interaction": 1.0, "temperature": 0.2, "field": 0.1},
    mean_moments: {"expected": 1.0},
}


@pytest.mark.parametrize(
    ("function", "argument"), [(function, argument) for function in VALID for argument in VALID[function]]
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, "1", None, 1j, [1.0, np.nan], True])
def test_bad_numbers(function, argument, bad):
    with pytest.raises((TypeError, ValueError), match=argument):
        function(**{**VALID[function], argument: bad})


def test_other_bad_input():
    for function in (single_state_thermal, single_state_hartree_fock):
        for bad in (0.0, -1.0):
            with pytest.raises(ValueError, match="temperature"):
                function(-0.5, 1.0, bad)
        assert single_state_thermal(-0.5, 1.0, 1e-200).up == 0.5
        with pytest.raises(ValueError, match="temperature"):
            single_state_hartree_fock(-0.5, 1.0, 1e-200)
        with pytest.raises(ValueError, match="shapes"):
            function([0.0, 1.0], [0.0, 1.0, 2.0], 1.0)
    with pytest.raises(ValueError, match="finite"):
        single_state_levels(1.5e308, 1e308)
    with pytest.raises(ValueError, match="expected"):
        mean_moments(-1.0)
    for bad in ("neither", None, 2):
        with pytest.raises(ValueError, match="parity"):
            mean_moments(1.0, bad)
    with pytest.raises(TypeError, match="magnetic"):
        single_state_hartree_fock(0.0, 1.0, 1.0, magnetic="no")
    with pytest.raises(ValueError, match="field"):
        single_state_hartree_fock(0.0, 1.0, 1.0, 0.1, magnetic=False)


@given(exponents=st.lists(st.floats(-280, 280), min_size=4, max_size=4), signs=st.integers(0, 7))
@settings(max_examples=50, deadline=None)
def test_extreme_values(exponents, signs):
    xi, u, b, t = (10.0**x for x in exponents)
    xi, u, b = (value * (-1 if signs >> k & 1 else 1) for k, value in enumerate((xi, u, b)))
    for function in (single_state_thermal, single_state_hartree_fock):
        try:
            state = function(xi, u, t, b)
        except ValueError:
            continue
        for value in vars(state).values():
            assert np.isfinite(value)
        assert 0 <= state.down <= 1
        assert 0 <= state.up <= 1


def test_arrays_broadcast():
    state = single_state_hartree_fock(np.linspace(-1, 0, 3)[:, None], [0.5, 1.0], 0.1)
    assert state.up.shape == (3, 2)
    one = single_state_hartree_fock(-0.5, 1.0, 0.1)
    assert isinstance(one.up, float)
    assert state.up[1, 1] == one.up
    assert single_state_levels(np.zeros((2, 3)), 1.0).shape == (2, 3, 4)
