"""The minimum cut against exhaustive enumeration of all occupations."""

import importlib
import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import eigenstates, grand_canonical_minimum, hubbard_overlaps

cut = importlib.import_module("disorder.fermi_glass.minimum_cut")

STRENGTHS = [0.0, 0.1, 0.5, 1.0, 3.0, 20.0, -0.5, -3.0]


def all_energies(energies, overlaps, interaction):
    """First-order energy and particle number of all 4^n occupations: rows up, columns down."""
    n = len(energies)
    x = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float)
    single = x @ energies
    count = x.sum(1)
    energy = single[:, None] + single + interaction * (x @ overlaps @ x.T)
    return x, energy, (count[:, None] + count).astype(int)


def problem(seed, states, kind="any"):
    """Random levels and overlaps: dense, sparse with zeros, or of a 3 x 3 lattice."""
    rng = np.random.default_rng(seed)
    if kind == "lattice":
        energies, vectors = eigenstates(3, 9.0, seed=seed)
        keep = np.sort(rng.permutation(9)[:states])
        return energies[keep], hubbard_overlaps(vectors)[np.ix_(keep, keep)]
    weights = rng.random((states, states)) ** (1 + 3 * rng.integers(2))
    overlaps = weights.T @ weights
    if kind == "zeros":
        overlaps = np.triu(overlaps * (rng.random((states, states)) < 0.5))
        overlaps = overlaps + np.triu(overlaps, 1).T
    return rng.normal(size=states), overlaps


problems = st.builds(
    problem, st.integers(0, 10**6), st.integers(1, 7), st.sampled_from(["any", "zeros", "lattice"])
)


def grand_potential(energies, overlaps, interaction, mu, up, down):
    up, down = up.astype(float), down.astype(float)
    return (energies - mu) @ (up + down) + interaction * (up @ overlaps @ down)


@given(problems, st.sampled_from(STRENGTHS), st.floats(-3.0, 6.0))
@settings(max_examples=60, deadline=None)
def test_grand_canonical_minimum_is_exact(case, interaction, mu):
    energies, overlaps = case
    found = grand_canonical_minimum(energies, overlaps, interaction, mu)
    _, energy, count = all_energies(energies, overlaps, interaction)
    least = (energy - mu * count).min()
    scale = 1e-12 * (1 + np.abs(energy).max() + abs(mu) * count.max())
    assert abs(found.grand_potential - least) < scale
    value = grand_potential(energies, overlaps, interaction, mu, found.up, found.down)
    assert abs(found.grand_potential - value) < scale
    assert 0 <= found.bound < 1e-9
    assert found.particles == found.up.sum() + found.down.sum()
    assert 0 <= found.undecided <= energies.size


@given(problems, st.sampled_from([0.1, 1.0, 3.0]), st.floats(-1.0, 4.0))
@settings(max_examples=40, deadline=None)
def test_all_moments_are_parallel(case, interaction, mu):
    """Repulsion: the minority spin occupies a part of the states of the majority."""
    energies, overlaps = case
    found = grand_canonical_minimum(energies, overlaps, interaction, mu)
    assert (found.up >= found.down).all()


@given(problems, st.sampled_from([-0.1, -1.0, -3.0]), st.floats(-4.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_attraction_gives_pairs(case, interaction, mu):
    energies, overlaps = case
    found = grand_canonical_minimum(energies, overlaps, interaction, mu)
    assert (found.up == found.down).all()


@given(problems, st.sampled_from(STRENGTHS), st.floats(-2.0, 4.0), st.floats(0.0, 1.5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_persistency_holds_for_every_minimum(case, interaction, low, width, own):
    """What is fixed for an interval of chemical potentials is so in all minima at several points of it."""
    energies, overlaps = case
    window = cut.undecided(energies, overlaps, interaction, low, low + width, own)
    decided = np.ones(energies.size, bool)
    decided[window.states] = False
    counted = overlaps if own else overlaps - np.diag(np.diagonal(overlaps))
    x, energy, count = all_energies(energies, counted, interaction)
    for mu in low + width * np.array([0.0, 0.3, 1.0]):
        omega = energy - mu * count
        for up, down in np.argwhere(omega <= omega.min() + 1e-13):
            assert (x[up][decided] == window.certain[decided]).all()
            assert (x[down][decided] == window.certain[decided]).all()
    expected = energies + interaction * (counted @ window.certain)
    assert np.allclose(window.field, expected[window.states], rtol=0, atol=1e-12)
    block = interaction * counted[np.ix_(window.states, window.states)]
    assert np.allclose(window.coupling, block, rtol=1e-15, atol=0)


def test_persistency_decides_what_it_can():
    """Levels outside the reach of the interaction are fixed, those inside are not."""
    energies = np.array([-3.0, -1.01, -0.99, -0.01, 0.01, 2.0])
    window = cut.undecided(energies, np.eye(6), 1.0, 0.0, 0.0)
    assert window.states.tolist() == [2, 3]
    assert np.flatnonzero(window.certain).tolist() == [0, 1]
    attractive = cut.undecided(energies + 1.0, np.eye(6), -1.0, 0.0, 0.0)
    assert attractive.states.tolist() == [2, 3]
    assert np.flatnonzero(attractive.certain).tolist() == [0, 1]
    wide = cut.undecided(energies, np.eye(6), 1.0, -0.02, 0.02)
    assert wide.states.tolist() == [1, 2, 3, 4] or wide.states.tolist() == [2, 3, 4]
    assert 4 in wide.states


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 5), st.integers(-8, 8))
@settings(max_examples=50, deadline=None)
def test_cut_is_the_least_and_its_bound_lies_below_in_rational_arithmetic(seed, nodes, others, power):
    rng = np.random.default_rng(seed)
    cost = 10.0**power * rng.normal(size=nodes) * rng.integers(0, 2, nodes)
    gain = 10.0**power * rng.normal(size=others) * rng.integers(0, 2, others)
    shape = nodes, others
    coupling = 10.0**power * rng.random(shape) ** 6 * rng.integers(0, 2, shape)

    def value(x, z):
        total = sum(Fraction(c) for c, bit in zip(cost, x, strict=True) if bit)
        total -= sum(Fraction(g) for g, bit in zip(gain, z, strict=True) if bit)
        return total + sum(
            Fraction(coupling[a, c]) for a in range(nodes) for c in range(others) if x[a] and not z[c]
        )

    left, right = (list(itertools.product([0, 1], repeat=k)) for k in shape)
    least = min(value(x, z) for x in left for z in right)
    x, z, bound = cut.bipartite_cut(cost, gain, coupling)
    rounding = Fraction(1e-14) * Fraction(10.0**power) * (nodes + others) ** 2
    assert value(x, z) <= least + rounding
    assert Fraction(bound) <= least + rounding
    assert Fraction(bound) >= least - rounding


def test_bound_covers_the_rounding_of_capacities():
    """Capacities far below the resolution are dropped; the bound knows."""
    coupling = np.full((2, 2), 1e-25)
    _, _, least = cut.bipartite_cut(np.array([-1.0, 1.0]), np.array([-1.0, 1.0]), coupling)
    assert least <= -2.0
    energies = np.array([-1.0, 1.0])
    found = grand_canonical_minimum(energies, coupling, 1.0, 0.0)
    assert found.bound >= 0.0
    # A tie that only a dropped capacity decides: still inside the bound.
    found = grand_canonical_minimum([0.0, 5.0], [[1e-30, 0.0], [0.0, 1.0]], 1.0, 0.0)
    assert found.grand_potential - 0.0 <= found.bound


def test_single_state_windows():
    """One state: empty, single or double exactly where (A9) has its crossings."""
    for own, xi in itertools.product(
        [0.2, 1.0], [-1.3, -1.0001, -0.9999, -0.2001, -0.1999, -1e-6, 1e-6, 0.4]
    ):
        found = grand_canonical_minimum([xi], [[own]], 1.0, 0.0)
        assert found.particles == (0 if xi > 0 else 2 if xi < -own else 1)
        pair = grand_canonical_minimum([xi], [[own]], -1.0, 0.0)
        assert pair.particles == (2 if xi < own / 2 else 0)


def test_ties():
    # At mu = xi an empty and a single state are degenerate, as are a single and a double at xi + U K.
    for mu in (0.5, 1.5):
        found = grand_canonical_minimum([0.5, 0.5], np.eye(2), 1.0, mu)
        assert abs(found.grand_potential - (0.0 if mu == 0.5 else -2.0)) < 1e-15
    free = grand_canonical_minimum([0.0, 0.0, 1.0], np.zeros((3, 3)), 0.0, 0.0)
    assert free.grand_potential == 0.0


def test_everything_decided_without_a_cut():
    for mu, particles in ((-50.0, 0), (50.0, 8)):
        found = grand_canonical_minimum(np.arange(4.0), np.ones((4, 4)), 1.0, mu)
        assert (found.particles, found.undecided) == (particles, 0)
        assert found.bound < 1e-10


def test_failed_flow_raises(monkeypatch):
    class Broken:
        OPTIMAL = 0

        def add_arcs_with_capacity(self, *arrays):
            pass

        def solve(self, source, sink):
            return 7

    monkeypatch.setattr(cut.max_flow, "SimpleMaxFlow", Broken)
    with pytest.raises(RuntimeError, match="status 7"):
        cut.bipartite_cut(np.array([-1.0]), np.array([-1.0]), np.array([[0.5]]))


@given(st.integers(0, 1000), st.floats(-95, 95), st.floats(-95, 95))
@settings(max_examples=25, deadline=None)
def test_extreme_scales(seed, level_power, strength_power):
    energies, overlaps = problem(seed, 4)
    scale = 10.0**level_power
    found = grand_canonical_minimum(energies * scale, overlaps, 10.0**strength_power, 0.3 * scale)
    assert math.isfinite(found.grand_potential)
    assert math.isfinite(found.bound)


GOOD = {
    "energies": [0.0, 1.0],
    "overlaps": [[0.5, 0.1], [0.1, 0.5]],
    "interaction": 1.0,
    "chemical_potential": 0.2,
}


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("energies", [0.0, math.nan]),
        ("energies", [[0.0], [1.0]]),
        ("energies", []),
        ("energies", [0.0, 1.0, 2.0]),
        ("energies", "ab"),
        ("overlaps", [[0.5, math.nan], [math.nan, 0.5]]),
        ("overlaps", np.array([[0.5, math.inf], [math.inf, 0.5]])),
        ("overlaps", np.array([[0.5, math.nan], [math.nan, 0.5]])),
        ("overlaps", np.array([[0.5, -0.1], [-0.1, 0.5]])),
        ("overlaps", [[0.5, 0.1], [0.2, 0.5]]),
        ("overlaps", [[0.5, 0.1]]),
        ("overlaps", np.array([0.5, 0.1])),
        ("overlaps", np.full((2, 2), 1e200)),
        ("overlaps", None),
        ("interaction", math.nan),
        ("interaction", math.inf),
        ("interaction", "1"),
        ("interaction", 1e200),
        ("chemical_potential", math.nan),
        ("chemical_potential", 1j),
        ("chemical_potential", None),
    ],
)
def test_bad_input(name, bad):
    with pytest.raises((TypeError, ValueError), match=name):
        grand_canonical_minimum(**{**GOOD, name: bad})
