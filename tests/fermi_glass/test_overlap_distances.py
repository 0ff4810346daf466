"""Averages against distance: brute force, error bars against an ensemble, decay fits."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disorder.fermi_glass import (
    distance_average,
    eigenstates,
    exponential_overlap,
    fit_decay,
    hubbard_overlaps,
    minimum_image_distance,
    sample_pairs,
    state_centers,
)

SEEDS = st.integers(0, 2**32)


def brute_force(overlaps, center, size, edges, function=lambda value: value):
    """Values of all pairs in every bin, by the definition."""
    values = [[] for _ in edges[:-1]]
    for a, c in itertools.combinations(range(len(center)), 2):
        distance = minimum_image_distance(center[a], center[c], size)
        for b, (low, high) in enumerate(itertools.pairwise(edges)):
            if low <= distance < high:
                values[b].append((a, c, function(overlaps[a, c])))
    return values


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, size=st.integers(4, 6), disorder=st.floats(2, 30), logarithmic=st.booleans())
def test_average_and_jackknife_by_brute_force(seed, size, disorder, logarithmic):
    _, states = eigenstates(size, disorder, seed=seed)
    overlaps = hubbard_overlaps(states)
    window = (2, 2 + size * 2)
    average = distance_average(overlaps, states, size, window=window, logarithmic=logarithmic)
    edges = np.concatenate(([0.0], np.arange(size // 2 + 1) + 0.5))
    part = overlaps[slice(*window), slice(*window)]
    center = state_centers(states, size)[slice(*window)]
    function = np.log if logarithmic else float
    lists = [values for values in brute_force(part, center, size, edges, function) if values]
    assert average.pairs.tolist() == [len(values) for values in lists]
    for mean, error, values in zip(average.mean, average.standard_error, lists, strict=True):
        plain = np.mean([value for *_, value in values])
        rest = [[value for a, c, value in values if out not in (a, c)] for out in range(2 * size)]
        assert mean == pytest.approx(np.exp(plain) if logarithmic else plain, rel=1e-10)
        if not all(rest):
            assert error == np.inf
            continue
        without = np.array([np.mean(value) for value in rest])
        spread = np.sqrt((2 * size - 1) / (2 * size) * ((without - without.mean()) ** 2).sum())
        assert error == pytest.approx(spread * (mean if logarithmic else 1), rel=1e-6, abs=1e-14)


def test_all_bins_together_hold_the_sum_rule():
    size = 9
    _, states = eigenstates(size, 9.0, seed=1)
    overlaps = hubbard_overlaps(states)
    average = distance_average(overlaps, states, size, edges=[0.0, 2.0, 4.0, size])
    total = 2 * (average.pairs @ average.mean) + np.trace(overlaps)
    assert total == pytest.approx(size**2, rel=1e-12)
    assert average.pairs.sum() == 81 * 80 // 2
    bins, mean, error = average
    assert bins is average.bins
    assert mean is average.mean
    assert error is average.standard_error


def test_bins_are_the_mean_distances_of_lattice_vectors():
    _, states = eigenstates(20, 9.0, seed=1)
    average = distance_average(hubbard_overlaps(states), states, 20)
    assert average.bins[0] == 0
    assert average.bins[1] == pytest.approx((4 + 4 * np.sqrt(2)) / 8, rel=1e-14)
    assert average.bins[2] == pytest.approx((4 * 2 + 8 * np.sqrt(5)) / 12, rel=1e-14)
    assert average.bins.size == 11
    assert average.bins[-1] < 10.5
    # The same for every configuration.
    _, states = eigenstates(20, 9.0, seed=2)
    other = distance_average(hubbard_overlaps(states), states, 20)
    assert np.array_equal(other.bins, average.bins)


def test_an_edge_belongs_to_the_bin_above():
    # One state a site on 5 x 5: 25 * 4/2 pairs at distance 1, as many at sqrt(2).
    states = np.eye(25)
    average = distance_average(np.ones((25, 25)), states, 5, edges=[1.0, np.sqrt(2), 1.9])
    assert average.pairs.tolist() == [50, 50]
    assert average.bins == pytest.approx([1, np.sqrt(2)], rel=1e-15)
    below = distance_average(np.ones((25, 25)), states, 5, edges=[0.5, 1.0 + 1e-9])
    assert below.pairs.tolist() == [50]


def test_error_bars_hold_over_configurations():
    # The spread of the mean over configurations against the error that each of them states.
    runs = []
    for seed in range(40):
        _, states = eigenstates(12, 12.0, seed=seed)
        runs.append(distance_average(hubbard_overlaps(states), states, 12, edges=[0.0, 0.5, 1.5, 3, 6]))
    spread = np.std([run.mean for run in runs], axis=0, ddof=1)
    stated = np.sqrt(np.mean([run.standard_error**2 for run in runs], axis=0))
    assert (np.abs(np.log(stated / spread)) < np.log(1.7)).all()


def test_typical_is_below_the_mean():
    _, states = eigenstates(16, 9.0, seed=1)
    overlaps = hubbard_overlaps(states)
    mean = distance_average(overlaps, states, 16)
    typical = distance_average(overlaps, states, 16, logarithmic=True)
    assert (typical.mean[1:] < mean.mean[1:]).all()
    assert np.array_equal(typical.pairs, mean.pairs)


# -------------------------------------------------------------------- decay fits


@settings(max_examples=30, deadline=None)
@given(length=st.floats(0.1, 1e3), prefactor=st.floats(1e-6, 1e6), weighted=st.booleans())
def test_a_pure_exponential_is_found(length, prefactor, weighted):
    distance = np.linspace(0, 20 * length, 30)
    average = prefactor * np.exp(-distance / length)
    error = average * np.linspace(0.01, 0.1, 30) if weighted else None
    fit = fit_decay(distance, average, error, low=length, high=15 * length)
    assert fit.length == pytest.approx(length, rel=1e-10)
    assert fit.prefactor == pytest.approx(prefactor, rel=1e-8)
    assert fit.points == np.sum((distance >= length) & (distance <= 15 * length))
    assert fit.chi_squared < 1e-15


def test_weights_and_error_of_the_length():
    # Two points: the length from the difference of the logarithms, its error from theirs.
    average, error = np.array([1.0, 0.1]), np.array([0.03, 0.004])
    fit = fit_decay([2.0, 9.0], average, error)
    length = 7 / np.log(10)
    assert fit.length == pytest.approx(length, rel=1e-12)
    assert fit.length_error == pytest.approx(np.hypot(0.03, 0.04) * length**2 / 7, rel=1e-12)
    assert fit_decay([2.0, 9.0], average).length_error == pytest.approx(0, abs=1e-12)
    # Against a general least-squares solver.
    rng = np.random.default_rng(1)
    x = np.arange(12.0)
    y = np.exp(-x / 4 + 0.1 * rng.normal(size=12))
    s = y * rng.uniform(0.05, 0.2, size=12)
    (slope, _), covariance = np.polyfit(x, np.log(y), 1, w=y / s, cov="unscaled")
    fit = fit_decay(x, y, s)
    assert fit.length == pytest.approx(-1 / slope, rel=1e-10)
    assert fit.length_error == pytest.approx(np.sqrt(covariance[0, 0]) / slope**2, rel=1e-10)
    (slope, _), covariance = np.polyfit(x, np.log(y), 1, cov=True)
    fit = fit_decay(x, y)
    assert fit.length == pytest.approx(-1 / slope, rel=1e-10)
    assert fit.length_error == pytest.approx(np.sqrt(covariance[0, 0]) / slope**2, rel=1e-9)


def test_stated_error_is_the_scatter_of_repeated_fits():
    rng = np.random.default_rng(3)
    x = np.arange(0.0, 20.0)
    truth = np.exp(-x / 6)
    fits = [fit_decay(x, truth * (1 + 0.05 * rng.normal(size=20)), 0.05 * truth) for _ in range(400)]
    spread = np.std([fit.length for fit in fits])
    assert np.mean([fit.length_error for fit in fits]) == pytest.approx(spread, rel=0.15)
    assert np.mean([fit.chi_squared for fit in fits]) == pytest.approx(18, rel=0.15)


def test_infinite_errors_do_not_count():
    x = np.arange(5.0)
    y = np.exp(-x / 3)
    y[2] = 9.0
    assert fit_decay(x, y, [0.1, 0.1, np.inf, 0.1, 0.1]).length == pytest.approx(3, rel=1e-12)
    assert fit_decay(x, y, [0.1, 0.1, np.inf, 0.1, 0.1]).points == 4


def test_extreme_numbers_stay_finite():
    x = np.array([1e-90, 2e-90, 5e-90])
    fit = fit_decay(x, [1e-300, 1e-301, 1e-303], [1e-305, 1e305, 1e-308])
    assert fit.length == pytest.approx(4e-90 / np.log(1000), rel=1e-6)
    assert np.isfinite([fit.length_error, fit.prefactor, fit.chi_squared]).all()
    far = fit_decay([1e90, 2e90], [1e300, 1e-300])
    assert far.length == pytest.approx(1e90 / np.log(1e300) / 2, rel=1e-12)
    assert np.isfinite([far.length_error, far.prefactor]).all()


def test_fit_of_the_ideal_overlap_exceeds_its_decay_length():
    d = np.arange(0.0, 31.0)
    lengths = [fit_decay(d, exponential_overlap(d, 3.0), low=low).length for low in (0, 10, 20)]
    assert lengths[0] > lengths[1] > lengths[2] > 3


def test_fit_window_decides_the_decay_length():
    # 24 x 24 sites: the average is no exponential, its local decay length grows with distance.
    runs = [eigenstates(24, 9.0, seed=seed)[1] for seed in (1, 2)]
    means = np.mean(
        [distance_average(hubbard_overlaps(v), v, 24, edges=np.arange(13.0)).mean for v in runs], axis=0
    )
    d = np.arange(12) + 0.5
    near, far = fit_decay(d, means, high=5.0), fit_decay(d, means, low=5.0)
    assert far.length > 1.5 * near.length


# -------------------------------------------------------------------- wrong input

STATES = eigenstates(5, 9.0, seed=1)[1]
OVERLAPS = hubbard_overlaps(STATES)
SKEW = OVERLAPS.copy()
SKEW[3, 1] *= 1.5


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("overlaps", SKEW),
        ("overlaps", OVERLAPS[:4, :4]),
        ("overlaps", np.where(np.eye(25) > 0, OVERLAPS, np.nan)),
        ("overlaps", OVERLAPS * 1j),
        ("overlaps", np.full((25, 25), 1e300)),
        ("overlaps", [[1.0], [1.0, 2.0]]),
        ("overlaps", None),
        ("states", STATES * 2),
        ("states", STATES * np.nan),
        ("states", STATES[:, 0]),
        ("states", "x"),
        ("size", 4),
        ("size", 2),
        ("size", 5.0),
        ("size", None),
        ("window", (0, 1)),
        ("window", (0, 26)),
        ("window", 3),
        ("window", (0.0, 5)),
        ("edges", [1.0]),
        ("edges", [2.0, 1.0]),
        ("edges", [-1.0, 1.0]),
        ("edges", [0.0, np.nan]),
        ("edges", [0.0, np.inf]),
        ("edges", [0.1, 0.9]),
        ("edges", [[0.0, 1.0]]),
        ("edges", "ab"),
        ("logarithmic", 1),
        ("logarithmic", None),
        ("logarithmic", "yes"),
    ],
)
def test_bad_averages(name, bad):
    call = {"overlaps": OVERLAPS, "states": STATES, "size": 5, name: bad}
    with pytest.raises((TypeError, ValueError), match=name if name != "size" else "size|states"):
        distance_average(**call)


def test_logarithm_of_zero_and_lonely_states():
    with pytest.raises(ValueError, match="overlaps must be positive"):
        distance_average(np.eye(25), np.eye(25), 5, logarithmic=True)
    with pytest.raises(ValueError, match="window"):
        distance_average(np.eye(2), np.eye(144)[:, [0, 78]], 12)
    # Two states: no error can be estimated.
    two = distance_average(np.ones((2, 2)), np.eye(25)[:, [0, 1]], 5)
    assert two.pairs.tolist() == [1]
    assert two.standard_error.tolist() == [np.inf]


@pytest.mark.parametrize(
    "bad", [[1.0, np.nan, 0.1], [1.0, 0.0, 0.1], [1.0, -0.5, 0.1], [1.0], "abc", None, [1j] * 3]
)
def test_bad_fit_averages(bad):
    with pytest.raises((TypeError, ValueError), match="average"):
        fit_decay([0.0, 1.0, 2.0], bad)
    with pytest.raises((TypeError, ValueError), match="standard_error"):
        fit_decay([0.0, 1.0, 2.0], [1.0, 0.5, 0.2], bad if bad is not None else [0.0, 1, 1])


def test_bad_fits():
    x, y = [0.0, 1.0, 2.0], [1.0, 0.5, 0.25]
    for bad in ([0.0, np.nan, 2.0], [-1.0, 0.0, 1.0], [[0.0, 1.0, 2.0]], None):
        with pytest.raises((TypeError, ValueError), match="distance"):
            fit_decay(bad, y)
    for low, high in (
        (2.0, 1.0),
        (np.nan, 2.0),
        (0.0, np.inf),
        (-1.0, 2.0),
        ("0", 1.0),
        (0.0, 0.5),
        (True, 2.0),
    ):
        with pytest.raises((TypeError, ValueError), match=r"low|high"):
            fit_decay(x, y, low=low, high=high)
    with pytest.raises(ValueError, match="average must fall"):
        fit_decay(x, [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="average must fall"):
        fit_decay(x, [1.0, 2.0, 3.0])


def test_sampled_pairs_agree_with_the_average():
    _, states = eigenstates(12, 9.0, seed=2)
    overlaps = hubbard_overlaps(states)
    pairs = sample_pairs(overlaps, states, 12, 144 * 143 // 2, seed=1)
    average = distance_average(overlaps, states, 12, edges=[0.0, 3.0, 9.0])
    inside = pairs.distance < 3
    assert pairs.overlap[inside].mean() == pytest.approx(average.mean[0], rel=1e-12)
    assert pairs.overlap[~inside].mean() == pytest.approx(average.mean[1], rel=1e-12)
