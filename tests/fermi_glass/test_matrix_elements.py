"""Matrix elements of eigenstates against brute force, sum rules, closed forms and scaling laws."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    eigenstates,
    exponential_overlap,
    hamiltonian,
    hubbard_overlaps,
    interaction_elements,
    mean_square_element,
    participation_length,
    sample_quadruples,
    state_centers,
)

SEEDS = st.integers(0, 2**32)


def orthogonal(count, seed):
    """Random orthonormal set of the orthogonal class: extended states."""
    matrix = np.random.default_rng(seed).normal(size=(count, count))
    return np.linalg.qr(matrix)[0]


def all_elements(states):
    """U_abce/U for all indices."""
    return np.einsum("ia,ib,ic,ie->abce", states, states, states, states, optimize=True)


# -------------------------------------------------------------------- pairs


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, size=st.integers(3, 6), disorder=st.floats(0, 60))
def test_overlaps_are_the_sums_over_sites(seed, size, disorder):
    _, states = eigenstates(size, disorder, seed=seed)
    overlaps = hubbard_overlaps(states)
    brute = [[sum(a**2 * c**2) for c in states.T] for a in states.T]
    assert np.abs(overlaps - brute).max() < 1e-14
    assert np.array_equal(overlaps, overlaps.T)
    assert np.abs(np.diag(overlaps) ** -0.5 - participation_length(states)).max() < 1e-12 * size


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, size=st.integers(3, 9), disorder=st.floats(0, 60))
def test_row_sums_are_one(seed, size, disorder):
    # The first half of (10) as an identity: the mean over c is 1/V, localized or not.
    _, states = eigenstates(size, disorder, seed=seed)
    overlaps = hubbard_overlaps(states)
    assert np.abs(overlaps.sum(axis=1) - 1).max() < 1e-12
    assert overlaps.min() >= 0
    assert np.linalg.eigvalsh(overlaps).min() > -1e-13
    # Off the diagonal the mean is smaller, by what the states keep for themselves.
    off = overlaps[~np.eye(size**2, dtype=bool)].mean()
    assert off == pytest.approx((1 - np.diag(overlaps).mean()) / (size**2 - 1), rel=1e-10)


def test_participation_of_known_states():
    uniform = np.ones((25, 1)) / 5
    assert participation_length(uniform)[0] == pytest.approx(5, rel=1e-14)
    assert participation_length(np.eye(4)[:, :1])[0] == 1
    # A plane wave made real, cos(kx) with incommensurate phases: <cos^4>/<cos^2>^2 = 3/2.
    wave = np.cos(2 * np.pi * np.arange(100) / 10 + 0.3)
    wave /= np.linalg.norm(wave)
    assert participation_length(wave[:, None])[0] == pytest.approx(np.sqrt(100 / 1.5), rel=1e-12)
    columns = np.array([[0.6, 0.8], [0.8, -0.6]])
    assert participation_length(columns) == pytest.approx([(0.6**4 + 0.8**4) ** -0.5] * 2, rel=1e-14)


def test_extended_states_of_the_orthogonal_class():
    # A uniform random vector on the sphere has an IPR of 3/(V + 2) on average; the row sum then leaves
    # (1 - 3/(V + 2))/(V - 1) = 1/(V + 2) for each of the others.
    count = 300
    overlaps = hubbard_overlaps(orthogonal(count, 3))
    assert np.diag(overlaps).mean() == pytest.approx(3 / (count + 2), rel=0.01)
    assert overlaps[~np.eye(count, dtype=bool)].mean() == pytest.approx(1 / (count + 2), rel=1e-3)


def test_weak_disorder_approaches_extended_states():
    # W = t/2 mixes the plane waves of a shell only: IPR ~ 3/V and U_aacc ~ U/V at any volume.
    for size in (12, 20):
        _, states = eigenstates(size, 0.5, seed=1)
        volume = size**2
        overlaps = hubbard_overlaps(states)
        assert np.diag(overlaps).mean() * volume == pytest.approx(3, abs=0.3)
        other = overlaps[~np.eye(volume, dtype=bool)]
        assert other.mean() * volume == pytest.approx(1, rel=3 / volume)
        assert np.median(other) * volume == pytest.approx(1, rel=0.05)


def test_self_overlap_does_not_depend_on_the_volume():
    # Localized within some sites: the mean of U_aaaa is the same for 12^2 and 24^2 sites.
    means = {}
    for size, configurations in ((12, 12), (24, 3)):
        sets = [eigenstates(size, 30.0, seed=s)[1] for s in range(configurations)]
        ratios = np.concatenate([(states**4).sum(axis=0) for states in sets])
        means[size] = ratios.mean(), ratios.std() / np.sqrt(ratios.size)
    error = np.hypot(means[12][1], means[24][1])
    assert abs(means[24][0] - means[12][0]) < 5 * error
    assert error < 0.02 * means[24][0]


# -------------------------------------------------------------------- quadruples


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, disorder=st.floats(0, 40))
def test_elements_are_the_sums_over_sites(seed, disorder):
    _, states = eigenstates(3, disorder, seed=seed)
    groups = np.array(list(itertools.product(range(9), repeat=4)))
    elements = interaction_elements(states, groups)
    assert np.abs(elements - all_elements(states).ravel()).max() < 1e-14
    overlaps = hubbard_overlaps(states)
    table = elements.reshape((9,) * 4)
    # Direct and exchange elements agree for real states: equal spins do not interact.
    assert np.abs(np.einsum("aacc->ac", table) - overlaps).max() < 1e-14
    assert np.abs(np.einsum("acca->ac", table) - overlaps).max() < 1e-14


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, disorder=st.floats(0, 40))
def test_sum_of_squares_is_the_volume(seed, disorder):
    for states in (eigenstates(3, disorder, seed=seed)[1], orthogonal(7, seed), np.eye(5)):
        count = len(states)
        table = all_elements(states)
        assert (table**2).sum() == pytest.approx(count, rel=1e-12)
        a, b, c, e = np.indices(table.shape)
        distinct = (a != b) & (a != c) & (a != e) & (b != c) & (b != e) & (c != e)
        assert mean_square_element(states) == pytest.approx(
            (table[distinct] ** 2).mean(), rel=1e-9, abs=1e-16
        )


def test_mean_square_of_extended_states():
    # Random signs: V independent terms of size 1/V^2, so that the mean square tends to V^-3.
    count = 200
    states = orthogonal(count, 8)
    assert mean_square_element(states) * count**3 == pytest.approx(1, rel=0.05)
    rng = np.random.default_rng(0)
    groups = np.array([rng.choice(count, 4, replace=False) for _ in range(4000)])
    sampled = interaction_elements(states, groups)
    # Kurtosis 3 of a sum of many terms: the mean square of n elements scatters by sqrt(2/n).
    assert (sampled**2).mean() == pytest.approx(mean_square_element(states), rel=5 * np.sqrt(2 / 4000))
    assert abs(sampled.mean()) < 5 * np.sqrt(mean_square_element(states) / 4000)


def test_mean_square_hardly_knows_about_localization():
    # V^3 times the mean square is 1 up to what coincidences take, of the order of the IPR.
    for disorder in (3.0, 9.0, 15.0):
        states = eigenstates(16, disorder, seed=5)[1]
        count = len(states)
        ipr = (states**4).sum(axis=0).mean()
        scaled = mean_square_element(states) * count**3
        assert 1 - 6 * ipr < scaled < 1 + 6 / count


def test_plane_waves_conserve_momentum():
    # Complex waves: |U_abce| = 1/V for the fraction 1/V of quadruples; the same mean square V^-3.
    count = 6
    k = np.arange(count)
    waves = np.exp(2j * np.pi * np.outer(k, k) / count) / np.sqrt(count)
    table = np.einsum("ia,ib,ic,ie->abce", waves.conj(), waves, waves.conj(), waves)
    size = np.abs(table)
    hit = size > 1e-9
    assert hit.mean() == pytest.approx(1 / count, rel=1e-12)
    assert size[hit] == pytest.approx(1 / count, rel=1e-12)
    assert (size**2).mean() == pytest.approx(count**-3.0, rel=1e-12)


def test_exponents_of_nearby_states():
    # Within the participation length L: U_aaaa and U_aacc fall as L^-2, U_abce of four states as L^-3.
    # A sixth of the states below the middle of the band, so that their lengths are alike.
    rows = []
    for disorder in (8.0, 10.0, 13.0, 17.0):
        for seed in (1, 2, 3):
            states = eigenstates(28, disorder, seed=seed)[1][:, 784 // 3 : 784 // 2]
            length = participation_length(states).mean()
            groups = sample_quadruples(states, 28, 3000, reach=length, seed=seed)
            overlaps = hubbard_overlaps(states)
            pair = overlaps[groups[:, 0], groups[:, 1]].mean()
            four = np.abs(interaction_elements(states, groups)).mean()
            rows.append([length, np.diag(overlaps).mean(), pair, four])
    length, *values = np.log(np.array(rows).reshape(4, 3, 4).mean(axis=1)).T
    own, pair, four = (np.polyfit(length, value, 1)[0] for value in values)
    assert own == pytest.approx(-2, abs=0.2)
    assert pair == pytest.approx(-2, abs=0.5)
    assert four == pytest.approx(-3, abs=0.4)
    assert four < pair - 0.5


def test_sign_of_an_element_is_a_convention():
    _, states = eigenstates(4, 9.0, seed=1)
    flipped = states.copy()
    flipped[:, 3] *= -1
    groups = [[3, 1, 2, 0], [3, 3, 1, 1], [3, 3, 3, 1]]
    before, after = interaction_elements(states, groups), interaction_elements(flipped, groups)
    assert after == pytest.approx(before * [-1, 1, -1], abs=1e-15)
    assert mean_square_element(flipped) == pytest.approx(mean_square_element(states), rel=1e-10)


# -------------------------------------------------------------------- ideal exponentials


@settings(max_examples=30, deadline=None)
@given(z=st.floats(1e-8, 300), length=st.floats(0.1, 50))
def test_exponential_overlap_against_mpmath(z, length):
    with mpmath.workdps(30):
        d, unit = mpmath.mpf(z) * mpmath.mpf(length), mpmath.mpf(length)
        exact = d**2 * mpmath.besselk(2, d / unit) / (16 * mpmath.pi * unit**4)
    assert exponential_overlap(float(d), length) == pytest.approx(float(exact), rel=1e-12)


def test_exponential_overlap_is_the_integral_of_two_densities():
    # Elliptic coordinates r1 + r2 = d cosh s, r1 - r2 = d sin p: exp(-(r1 + r2)/l) depends on s only, and
    # the area element (d/2)^2 (cosh^2 s - sin^2 p) ds dp gives 2 pi cosh^2 s - pi around a full turn.
    length = 1.3
    for d in (0.5, 2.0, 7.0):
        with mpmath.workdps(15):

            def along(s, d=d):
                u = mpmath.cosh(s)
                return mpmath.exp(-d * u / length) * (2 * mpmath.pi * u**2 - mpmath.pi) * (d / 2) ** 2

            value = mpmath.quad(along, [0, 1, 2, 4, 8]) / (2 * mpmath.pi * length**2) ** 2
        assert exponential_overlap(d, length) == pytest.approx(float(value), rel=1e-10)


def test_exponential_overlap_limits():
    assert exponential_overlap(0.0, 2.0) == pytest.approx(1 / (32 * np.pi), rel=1e-14)
    # Participation length sqrt(8 pi) l, from K(0); and on a fine lattice.
    x, y = np.meshgrid(np.arange(-80, 81), np.arange(-80, 81))
    density = np.exp(-np.hypot(x, y) / 6)
    state = np.sqrt(density / density.sum()).reshape(-1, 1)
    assert participation_length(state)[0] == pytest.approx(np.sqrt(8 * np.pi) * 6, rel=0.01)
    # All pairs: the integral over the plane is 1, the continuum form of the row sum.
    d = np.linspace(0, 60, 60001)
    total = 2 * np.pi * np.trapezoid(d * exponential_overlap(d, 1.0), d)
    assert total == pytest.approx(1, rel=1e-7)
    # Slope K_1/(l K_2): longer than l by 1 + 3l/2d.
    step = 1e-4
    slope = -np.log(exponential_overlap(40 + step, 1.0) / exponential_overlap(40 - step, 1.0)) / (2 * step)
    assert 1 / slope == pytest.approx(1 + 1.5 / 40, rel=2e-3)
    assert isinstance(exponential_overlap(1, 1), float)
    assert exponential_overlap([0.0, 1.0], [[1.0], [2.0]]).shape == (2, 2)
    extreme = exponential_overlap([0, 1e308, 1e-308, 1e308], [1e99, 1e-99, 1e-99, 1e99])
    assert np.isfinite(extreme).all()


# -------------------------------------------------------------------- wrong input


@pytest.mark.parametrize("function", [participation_length, hubbard_overlaps, mean_square_element])
@pytest.mark.parametrize(
    "states",
    [
        np.full((4, 4), np.nan),
        np.full((4, 4), np.inf),
        np.zeros((4, 4)),
        2 * np.eye(4),
        np.eye(4) * 1j,
        np.eye(4) > 0,
        np.array([["a"] * 4] * 4),
        np.ones(4),
        np.zeros((4, 0)),
        None,
        "states",
    ],
)
def test_bad_states(function, states):
    with pytest.raises((TypeError, ValueError), match="states"):
        function(states)


def test_bad_sets_and_quadruples():
    with pytest.raises(ValueError, match="square matrix"):
        mean_square_element(np.eye(5)[:, :4])
    with pytest.raises(ValueError, match="square matrix"):
        mean_square_element(np.eye(3))
    with pytest.raises(ValueError, match="orthogonal"):
        mean_square_element(np.full((4, 4), 0.5))
    good = np.eye(4)
    for groups in ([[0, 1, 2, 4]], [[0, 1, 2, -1]], [0, 1, 2, 3], [[0, 1, 2]]):
        with pytest.raises(ValueError, match="quadruples"):
            interaction_elements(good, groups)
    for groups in ([[0.0, 1, 2, 3]], None, "0123", [[True, False, True, True]]):
        with pytest.raises((TypeError, ValueError), match="quadruples"):
            interaction_elements(good, groups)
    assert interaction_elements(good, np.empty((0, 4), dtype=int)).shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, "1", 1j, True, None])
def test_bad_lengths(bad):
    with pytest.raises((TypeError, ValueError), match="distance"):
        exponential_overlap(bad, 1.0)
    with pytest.raises((TypeError, ValueError), match="decay_length"):
        exponential_overlap(1.0, bad)
    with pytest.raises(ValueError, match="decay_length"):
        exponential_overlap(1.0, 0.0)


def test_integer_and_order_of_memory_do_not_matter():
    _, states = eigenstates(5, 9.0, seed=1)
    c_order, f_order = np.ascontiguousarray(states), np.asfortranarray(states)
    assert np.abs(hubbard_overlaps(c_order) - hubbard_overlaps(f_order)).max() < 1e-15
    assert participation_length(np.eye(3, dtype=int)).tolist() == [1, 1, 1]
    before = states.copy()
    hubbard_overlaps(states), participation_length(states), mean_square_element(states)
    assert np.array_equal(before, states)
    assert state_centers(states, 5).shape == (25, 2)


# -------------------------------------------------------------------- the window of Fig. 1


def test_number_of_states_in_the_printed_window():
    shares = []
    for seed in range(36):
        energies = np.linalg.eigvalsh(hamiltonian(30, 9.0, seed=seed).toarray())
        shares.append([np.mean((energies > -0.91) & (energies < 0.26)), np.mean(energies < 0.26)])
    inside, below = 3600 * np.mean(shares, axis=0)
    error = 3600 * np.std(shares, axis=0, ddof=1) / 6
    # Of 3600 states fewer than 400 lie inside, all of them below the middle of the band.
    assert inside == pytest.approx(386, abs=3 * error[0])
    assert inside < 400 - 2 * error[0]
    assert below < 1800 - 2 * error[1]
