"""Centres of states, distances on the torus, and random pairs and quadruples."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from disorder.fermi_glass import (
    eigenstates,
    hubbard_overlaps,
    minimum_image_distance,
    sample_pairs,
    sample_quadruples,
    state_centers,
)

SEEDS = st.integers(0, 2**32)
SIZES = st.integers(3, 12)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, size=st.integers(3, 8), disorder=st.floats(1, 60))
def test_centers_are_the_sites_of_largest_modulus(seed, size, disorder):
    _, states = eigenstates(size, disorder, seed=seed)
    center = state_centers(states, size)
    for state, (x, y) in zip(states.T, center, strict=True):
        assert abs(state[size * x + y]) == np.abs(state).max()
    # The sign of a state is arbitrary, and so is the order of memory.
    assert np.array_equal(state_centers(-states, size), center)
    assert np.array_equal(state_centers(np.ascontiguousarray(states), size), center)


def test_first_site_wins_a_tie():
    states = np.zeros((9, 3))
    states[[2, 7], 0] = np.sqrt(0.5)
    states[[4, 1], 1] = [np.sqrt(0.5), -np.sqrt(0.5)]
    states[[4, 1], 2] = [-np.sqrt(0.5), np.sqrt(0.5)]
    assert state_centers(states, 3).tolist() == [[0, 2], [0, 1], [0, 1]]


@settings(max_examples=40, deadline=None)
@given(
    size=SIZES,
    first=st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
    second=st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
)
def test_shortest_distance_to_any_image(size, first, second):
    images = itertools.product(range(-25, 26), repeat=2)
    brute = min(np.hypot(first[0] - second[0] + size * m, first[1] - second[1] + size * n) for m, n in images)
    distance = minimum_image_distance(first, second, size)
    assert isinstance(distance, float)
    assert distance == pytest.approx(brute, rel=1e-13, abs=1e-13)
    assert distance <= size / np.sqrt(2) + 1e-12


def test_distances_broadcast_and_stay_finite():
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(5), indexing="ij"), axis=-1)
    table = minimum_image_distance(grid, [0, 0], 5)
    assert table.shape == (5, 5)
    assert table[4, 3] == pytest.approx(np.sqrt(5), rel=1e-15)
    assert minimum_image_distance(grid[:, None], grid[None], 5).shape == (5, 5, 5)
    assert minimum_image_distance([1e308, -1e308], [-1e308, 1e308], 7) < 7


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, share=st.floats(0.05, 1))
def test_pairs_are_different_and_inside_the_window(seed, share):
    _, states = eigenstates(6, 9.0, seed=3)
    overlaps = hubbard_overlaps(states)
    window = (5, 17)
    count = max(1, int(share * 66))
    pairs = sample_pairs(overlaps, states, 6, count, window=window, seed=seed)
    keys = {frozenset(pair) for pair in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
    assert len(keys) == count
    assert all(len(key) == 2 for key in keys)
    assert min(pairs.first.min(), pairs.second.min()) >= 5
    assert max(pairs.first.max(), pairs.second.max()) < 17
    assert np.array_equal(pairs.overlap, overlaps[pairs.first, pairs.second])
    center = state_centers(states, 6)
    expected = minimum_image_distance(center[pairs.first], center[pairs.second], 6)
    assert np.array_equal(pairs.distance, expected)
    again = sample_pairs(overlaps, states, 6, count, window=window, seed=np.random.SeedSequence(seed))
    assert np.array_equal(again.first, pairs.first)


def test_all_pairs_can_be_drawn():
    states = np.eye(49)
    for count in (2, 3, 10, 49):
        pairs = sample_pairs(np.eye(49), states, 7, count * (count - 1) // 2, window=(0, count), seed=1)
        keys = {(a, c) for a, c in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)}
        assert keys == {(a, c) for a in range(count) for c in range(a)}


def test_pairs_are_uniform():
    states = np.eye(9)
    first = [sample_pairs(states, states, 3, 1, window=(0, 5), seed=s) for s in range(2000)]
    counts = np.zeros((5, 5))
    for pair in first:
        counts[pair.first[0], pair.second[0]] += 1
    assert stats.chisquare(counts[np.tril_indices(5, -1)]).pvalue > 1e-3


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, reach=st.floats(1.5, 8))
def test_quadruples_are_different_and_within_reach(seed, reach):
    _, states = eigenstates(7, 9.0, seed=4)
    groups = sample_quadruples(states, 7, 50, reach=reach, seed=seed)
    assert groups.shape == (50, 4)
    assert all(len(set(group)) == 4 for group in groups.tolist())
    center = state_centers(states, 7)
    assert (minimum_image_distance(center[groups], center[groups[:, :1]], 7) <= reach).all()


def test_quadruples_are_uniform():
    # Unit vectors: one state a site. Within 1 of a site lie its four neighbours; anywhere, all others.
    states = np.eye(25)
    near = sample_quadruples(states, 5, 4000, reach=1.0, seed=1)
    assert stats.chisquare(np.bincount(near[:, 0], minlength=25)).pvalue > 1e-3
    step = (state_centers(states, 5)[near[:, 1:]] - state_centers(states, 5)[near[:, :1]]) % 5
    kinds = np.unique(step.reshape(-1, 2), axis=0, return_counts=True)
    assert kinds[0].tolist() == [[0, 1], [0, 4], [1, 0], [4, 0]]
    assert kinds[1] == pytest.approx([3000] * 4, abs=150)
    free = sample_quadruples(states, 5, 4000, seed=1)
    assert stats.chisquare(np.bincount(free[:, 3], minlength=25)).pvalue > 1e-3


def test_a_state_without_three_others_is_never_chosen():
    # Five states in one corner, three in a row far away: the latter have two others in reach only.
    columns = [0, 1, 2, 12, 13, 78, 79, 80]
    groups = sample_quadruples(np.eye(144)[:, columns], 12, 200, reach=2.0, seed=1)
    assert groups.max() == 4
    with pytest.raises(ValueError, match="reach"):
        sample_quadruples(np.eye(144)[:, columns], 12, 200, reach=0.5, seed=1)


# -------------------------------------------------------------------- wrong input

GOOD = np.eye(9)
BAD_STATES = [np.full((9, 9), np.nan), np.eye(8), np.ones(9), np.zeros((9, 2)), np.eye(9) * 1j, None, "a"]
CALLS = {
    state_centers: {"states": GOOD, "size": 3},
    sample_pairs: {"overlaps": GOOD, "states": GOOD, "size": 3, "count": 2, "seed": 1},
    sample_quadruples: {"states": GOOD, "size": 3, "count": 2, "reach": 2.0, "seed": 1},
}
WRONG = {
    "states": BAD_STATES,
    "size": [2, 0, -3, 4, 3.0, np.nan, "3", None, True],
    "overlaps": [np.eye(8), np.ones(9), np.eye(9) * 1j, np.full((9, 9), np.nan), None],
    "count": [0, -1, 1.0, np.nan, None, True],
    "reach": [0.0, -1.0, np.nan, np.inf, "1", 1j, True],
    "seed": [-1, 1.5, np.nan, "1", None, True],
}


@pytest.mark.parametrize("function", CALLS, ids=lambda f: f.__name__)
def test_bad_arguments(function):
    for name in CALLS[function]:
        for bad in WRONG[name]:
            label = "states|size" if name in ("states", "size") else name
            with pytest.raises((TypeError, ValueError), match=label):
                function(**{**CALLS[function], name: bad})


@pytest.mark.parametrize(
    "window", [(0, 1), (3, 3), (5, 2), (-1, 4), (0, 10), (0.0, 4), 4, "ab", (0, 1, 2), (0, None)]
)
def test_bad_windows(window):
    with pytest.raises((TypeError, ValueError), match="window"):
        sample_pairs(GOOD, GOOD, 3, 1, window=window, seed=1)


def test_too_many_pairs_and_too_few_states():
    with pytest.raises(ValueError, match="count"):
        sample_pairs(GOOD, GOOD, 3, 37, seed=1)
    with pytest.raises(ValueError, match="states"):
        sample_quadruples(GOOD[:, :3], 3, 1, seed=1)


@pytest.mark.parametrize(
    "bad", [[0.0], [0.0, 1.0, 2.0], 1.0, [np.nan, 0], [np.inf, 0], ["a", "b"], [1j, 0], None]
)
def test_bad_points(bad):
    with pytest.raises((TypeError, ValueError), match="first"):
        minimum_image_distance(bad, [0, 0], 5)
    with pytest.raises((TypeError, ValueError), match="second"):
        minimum_image_distance([0, 0], bad, 5)
    with pytest.raises((TypeError, ValueError), match="size"):
        minimum_image_distance([0, 0], [1, 1], 2)
