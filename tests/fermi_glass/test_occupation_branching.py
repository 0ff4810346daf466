"""Bounds of the branch and bound against enumeration of all occupations that a node leaves open."""

import importlib
import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

module = importlib.import_module("disorder.fermi_glass.occupation_branching")


def make(seed, states, sign, particles, paired=False, budget=10**7):
    rng = np.random.default_rng(seed)
    weights = rng.random((states, states)) ** 2
    coupling = sign * weights.T @ weights
    if paired:
        np.fill_diagonal(coupling, 0.0)
    levels = rng.normal(size=states)
    nothing = np.zeros(states, bool)
    best = module.Candidate(nothing, nothing, 1e9, particles)
    return module.Branching(levels, coupling, particles, paired, 1e-12, best, budget)


def table(search):
    """All occupations of the spin-orbitals, their energies and particle numbers."""
    m = search.levels.size
    spins = np.array(list(itertools.product([0, 1], repeat=2 * m)))
    up, down = spins[:, :m], spins[:, m:]
    energy = spins @ np.tile(search.levels, 2) + np.einsum("ia,ac,ic->i", up, search.coupling, down)
    return spins, energy, spins.sum(1)


@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.sampled_from([1.0, 3.0, -1.0]),
    st.floats(-2.0, 3.0),
    st.integers(0, 8),
)
@settings(max_examples=40, deadline=None)
def test_a_node_bounds_what_it_leaves_open(seed, states, sign, mu, particles):
    search = make(seed, states, sign, min(particles, 2 * states))
    status = np.random.default_rng(seed + 1).integers(-1, 2, 2 * states).astype(np.int8)
    spins, energy, number = table(search)
    open_ones = ((spins == status) | (status == -1)).all(axis=1)
    found, dual = search.relax(status, mu)
    omega = energy[open_ones] - mu * number[open_ones]
    assert abs(found.energy - mu * found.particles - omega.min()) < 1e-12 * (1 + np.abs(omega).max())
    assert abs(dual - (omega.min() + mu * search.particles)) < 1e-11
    spin = np.concatenate([found.up, found.down])
    assert ((spin == status) | (status == -1)).all()
    allowed = energy[open_ones & (number == search.particles)]
    value, _, branch = search.bound(status, mu, 0.1)
    if allowed.size:
        assert value <= allowed.min() + 1e-11
    assert branch < 0 or status[branch] == -1


@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.sampled_from([1.0, 5.0, -1.0]),
    st.integers(0, 8),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_search_from_nothing(seed, states, sign, particles, paired):
    """Without a good start, and stopped early: the bound stays below the best of all."""
    particles = min(particles, 2 * states) // (2 if paired else 1) * (2 if paired else 1)
    search = make(seed, states, sign, particles, paired)
    spins, energy, number = table(search)
    allowed = number == particles
    if paired:
        allowed &= (spins[:, :states] == spins[:, states:]).all(axis=1)
    found, least = search.run(0.3, 0.1)
    assert abs(found.energy - energy[allowed].min()) < 1e-11
    assert abs(least - found.energy) < 1e-10
    early, least = make(seed, states, sign, particles, paired, budget=4000).run(0.3, 0.1)
    assert least <= energy[allowed].min() + 1e-11
    assert early.energy >= energy[allowed].min() - 1e-11


def test_children_split_what_is_needed():
    """Repulsion: parallel occupations alone, up the majority; pairs: both spins at once."""
    search = make(1, 2, 1.0, 2)
    root = np.full(4, -1, np.int8)
    zero, one = search.children(root, 0)
    assert (zero.tolist(), one.tolist()) == ([0, -1, 0, -1], [1, -1, -1, -1])
    zero, one = search.children(root, 3)
    assert (zero.tolist(), one.tolist()) == ([-1, -1, -1, 0], [-1, 1, -1, 1])
    pair = make(1, 2, 1.0, 2, paired=True).children(root, 1)
    assert [child.tolist() for child in pair] == [[-1, 0, -1, 0], [-1, 1, -1, 1]]
    free = make(1, 2, -1.0, 2).children(root, 0)
    assert [child.tolist() for child in free] == [[0, -1, -1, -1], [1, -1, -1, -1]]
